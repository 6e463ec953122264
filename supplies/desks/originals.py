"""An appeal beside the text it came from: the words on one side, on the other what was typed or read from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from supplies.intake.models import ImportedLine, ImportedRow
from supplies.needs.models import Appeal, Need
from supplies.organisations.side_by_side import Compared
from supplies.templatetags.amounts import as_read_by, place
from supplies.wording import day


@dataclass(frozen=True)
class Line:
    """One stretch of the text that names goods.

    words     as they stood; empty for a need that was typed without any
    said      what whoever read them found odd
    need      what became of them; None where nothing did
    imported  the line of a list they are, where they come from one
    """

    words: str
    said: Sequence[str]
    need: Need | None
    imported: ImportedLine | None = None


@dataclass(frozen=True)
class Original:
    """What an appeal was made from, all of it: `about` are the cells of a list beside the appeal's own fields."""

    about: Sequence[Compared]
    lines: Sequence[Line]


def original_of(appeal: Appeal, reader: Any) -> Original:
    """The same number of queries however many lines there are."""
    needs = appeal.needs.select_related("item__display_unit").prefetch_related("accepted_standards")
    typed = {need.pk: need for need in needs.as_posted()}
    came_from = Q(appeal=appeal) | Q(pk__in=ImportedLine.objects.filter(need__appeal=appeal).values("row"))
    rows = ImportedRow.objects.visible_to(reader).filter(came_from)
    read = (
        ImportedLine.objects.filter(row__in=rows)
        .select_related("need__item__display_unit")
        .order_by("row__row_number", "row", "position", "pk")
    )
    lines = [
        Line(
            line.as_written,
            [finding.sentence for finding in line.findings],
            line.need and typed.get(line.need.pk, line.need),
            line,
        )
        for line in read
    ]
    known = {line.need.pk for line in lines if line.need is not None}
    lines += [Line(need.as_written, (), need) for need in typed.values() if need.pk not in known]
    about = [fact for row in rows.order_by("row_number", "pk") for fact in _about(row, appeal, reader)]
    return Original([*about, *_remark(appeal, reader)], lines)


def _about(row: ImportedRow, appeal: Appeal, reader: Any) -> list[Compared]:
    def words(text: Any) -> str:
        return as_read_by(str(text or ""), reader) or "–"

    shown, site = row.shown, appeal.facility
    days = [shown.get(name) for name in ("published_on", "updated_on")]
    return [
        Compared(_("name"), words(shown.get("name")), words(site.name), shown.get("name") != site.name),
        Compared(_("place"), words(shown.get("place")), place(site.region)),
        Compared(_("courier address"), words(shown.get("address")), words(appeal.courier_address)),
        Compared(
            _("date of the source"), _day(max(filter(None, days), default=None)), _day(appeal.published_on)
        ),
    ]


def _day(told: date | str | None) -> str:
    """As the reader writes it; the rows of a list keep it as programs do."""
    when = parse_date(told) if isinstance(told, str) else told
    return day(when) if when else str(told or "–")


def _remark(appeal: Appeal, reader: Any) -> list[Compared]:
    """Where whoever pasted a text was shown what nobody could read in it, it stands in the remark."""
    if not appeal.remark:
        return []
    return [
        Compared(_("remark"), as_read_by(appeal.remark, reader), _("kept as it stands; no line was typed"))
    ]
