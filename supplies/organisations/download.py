"""A list of the desk as a file: the chosen rows, each as the list shows it to everybody who may read it."""

from collections.abc import Iterator
from typing import Any

from django.contrib.admin.utils import label_for_field, lookup_field
from django.contrib.messages import WARNING
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import ForeignKey, QuerySet
from django.http import HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.free_text import mask
from supplies.journal.services import record
from supplies.organisations.models import User
from supplies.organisations.visitors import has_confirmed, lead_to_confirm
from supplies.sheets import in_pieces, plain

MOST = 10_000
PIECE = 500


class Download:
    """An action of every list of the desk, never of one row's page. Who may read the list may take it away, once she has
    proven a short while ago who she is; the journal says who took how many rows of which list.
    """

    __name__ = "download"
    short_description = gettext_lazy("Download as CSV")

    def __call__(self, desk: Any, request: HttpRequest, rows: QuerySet) -> HttpResponseBase:
        if not has_confirmed(request):
            return lead_to_confirm(request, back=desk.back_from(request))
        assert isinstance(request.user, User)
        chosen = list(rows.values_list("pk", flat=True)[: MOST + 1])
        has_more, keys = len(chosen) > MOST, chosen[:MOST]
        name = desk.opts.model_name
        if has_more:
            desk.message_user(
                request,
                _("The file holds the first %(most)d rows; more were chosen. Narrow the list for the others.")
                % {"most": MOST},
                WARNING,
            )
        at = timezone.now()
        record(request.user, "list.downloaded", by=request.user, at=at, list=name, rows=len(keys))
        columns = [column for column in desk.get_list_display(request) if column != "action_checkbox"]
        head = [str(label_for_field(column, desk.model, desk)) for column in columns]
        language = translation.get_language()
        pieces = _pieces(desk, rows, keys, columns, language)
        file = f"{name}-{timezone.localdate(at)}{f'-first-{MOST}' if has_more else ''}.csv"
        return StreamingHttpResponse(
            in_pieces(head, pieces),
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{file}"',
                "Cache-Control": "private, no-store",
            },
        )


def _pieces(
    desk: Any, rows: QuerySet, keys: list[Any], columns: list[Any], language: str | None
) -> Iterator[list[list[Any]]]:
    """The rows of these keys in their order, so many at once; the request's language is gone when they are sent."""
    for start in range(0, len(keys), PIECE):
        wanted = keys[start : start + PIECE]
        with translation.override(language):
            found = {row.pk: row for row in rows.filter(pk__in=wanted)}
            desk.read_beside(list(found.values()))
            piece = [_cells(desk, found[key], columns) for key in wanted if key in found]
        yield piece


def _cells(desk: Any, row: Any, columns: list[Any]) -> list[Any]:
    mask(row)
    return [_cell(desk, row, column) for column in columns]


def _cell(desk: Any, row: Any, column: Any) -> Any:
    try:
        field, _attribute, value = lookup_field(column, row, desk)
    except ObjectDoesNotExist:
        return ""
    if field is not None and field.flatchoices:
        return plain(dict(field.flatchoices).get(value, value))
    return plain(getattr(row, field.name) if isinstance(field, ForeignKey) else value)


DOWNLOAD = Download()
