"""What the API lets in: strict JSON, known filters, and cursors it has made itself."""

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from django.core import signing
from django.db.models import BooleanField, F, Func, QuerySet, Value
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters.rest_framework import DjangoFilterBackend
from django_filters.utils import translate_validation
from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from supplies.search import first

LARGEST_BODY = 2_000_000  # bytes; a hundred thousand characters of Chinese are a sixth of it
DEEPEST = 20
PAGE, LARGEST_PAGE = 50, 200
PAGED_BY = ("cursor", "page_size")


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too-large"
    default_detail = gettext_lazy("This is larger than two million bytes. Send it in several parts.")


# -- JSON -------------------------------------------------------------------------------------------------


class StrictJSONParser(BaseParser):
    """JSON that can be stored as it was sent: UTF-8, an object, no NUL, no half characters, no key twice."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Raises TooLarge before reading, ValidationError with the place of what cannot be read."""
        request = (parser_context or {})["request"]
        if int(request.META.get("CONTENT_LENGTH") or 0) > LARGEST_BODY:
            raise TooLarge()
        raw = stream.read(LARGEST_BODY + 1)
        if len(raw) > LARGEST_BODY:
            raise TooLarge()
        data = _decoded(raw)
        if not isinstance(data, dict):
            raise ValidationError([_("Send a JSON object: {…}.")])
        _check(data)
        return data


def _decoded(raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ValidationError(
            [_("The text is not UTF-8. Save it in that encoding and send it again.")]
        ) from None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise ValidationError(
            [
                _("This is not JSON: line %(line)d, column %(column)d.")
                % {"line": error.lineno, "column": error.colno}
            ]
        ) from None
    except RecursionError:
        raise ValidationError([_too_deep()]) from None
    except ValueError:  # a number of more than 4,300 digits
        raise ValidationError([_("A number has too many digits.")]) from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValidationError({_readable(twice): [_("This is given twice.")]})
    return found


def _no_number(word: str) -> NoReturn:
    raise ValidationError([_("%(word)s is not a number.") % {"word": word}])


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValidationError([_("A number is too large.")])
    return number


def _check(data: Any) -> None:
    """Look at every string, without recursion: deep input is what this guards against."""
    waiting: list[tuple[str, int, Any]] = [("", 1, data)]
    while waiting:
        place, depth, value = waiting.pop()
        if depth > DEEPEST:
            raise ValidationError([_too_deep()])
        if isinstance(value, str) and not _storable(value):
            raise ValidationError({place: [_unreadable()]})
        if isinstance(value, Mapping):
            if any(not _storable(name) for name in value):
                raise ValidationError({place or "name": [_unreadable()]})
            waiting += [
                (f"{place}.{name}" if place else name, depth + 1, inner) for name, inner in value.items()
            ]
        elif isinstance(value, list):
            waiting += [(f"{place}.{position}", depth + 1, inner) for position, inner in enumerate(value)]


def _storable(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _readable(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")[:80]


def _unreadable() -> str:
    return _("This holds a character that cannot be read (NUL, or half of one).")


def _too_deep() -> str:
    return _("This is nested more than %(most)d deep.") % {"most": DEEPEST}


# -- Filters ----------------------------------------------------------------------------------------------


class StrictFilterBackend(DjangoFilterBackend):
    """Filters by the view's filter set; a parameter nobody knows, or one given twice, is refused by name."""

    def filter_queryset(self, request: Request, queryset: Any, view: Any) -> Any:
        filterset = self.get_filterset(request, queryset, view)
        known = {*(PAGED_BY if view.paginator else ()), *(filterset.filters if filterset else ())}
        faults = dict(_unfit_parameters(request, known))
        if faults:
            raise ValidationError(faults)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise translate_validation(filterset.errors)
        return filterset.qs


def _unfit_parameters(request: Request, known: set[str]) -> Iterable[tuple[str, list[str]]]:
    for name, values in request.query_params.lists():
        if name not in known:
            text = _("There is no such filter. There are: %(known)s.")
            yield _readable(name), [text % {"known": ", ".join(sorted(known))}]
        elif len(values) > 1:
            yield name, [_("Give this once.")]


# -- Pages ------------------------------------------------------------------------------------------------


class KeysetPagination(BasePagination):
    """Pages that go on after the last row seen: as quick at the end of a long list as at its beginning, and never counted.

    A cursor holds the order's values in the row it continues from, signed for this list: one that was changed,
    or made for another list, is refused. The order is the queryset's own and ends with the primary key.
    """

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.url = request.build_absolute_uri()
        size = _page_size(request)
        self.order = [str(name) for name in queryset.query.order_by]
        self.signer = signing.Signer(salt=f"cursor:{queryset.model._meta.label}:{','.join(self.order)}")
        back, values = self._cursor(request)
        if values:
            queryset = queryset.filter(_beyond(queryset, self.order, values, back=back))
        if back:
            queryset = queryset.reverse()
        rows = first(queryset, size + 1)
        more, self.rows = len(rows) > size, rows[:size]
        if back:
            self.rows.reverse()
        self.has_next, self.has_previous = (bool(values), more) if back else (more, bool(values))
        return self.rows

    def _cursor(self, request: Request) -> tuple[bool, list[str]]:
        given = request.query_params.get("cursor")
        if given is None:
            return False, []
        try:
            back, *values = self.signer.unsign_object(given)
        except (signing.BadSignature, ValueError):
            raise ValidationError(
                {"cursor": [_("This is no page of this list. Begin without a cursor.")]}
            ) from None
        return bool(back), values

    def _link(self, row: Any, *, back: bool) -> str:
        values = [_value(row, name.removeprefix("-")) for name in self.order]
        return replace_query_param(self.url, "cursor", self.signer.sign_object([back, *values]))

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(self.rows[-1], back=False) if self.has_next and self.rows else None,
                "previous": self._link(self.rows[0], back=True) if self.has_previous and self.rows else None,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        size = {"type": "integer", "minimum": 1, "maximum": LARGEST_PAGE, "default": PAGE}
        return [
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "schema": {"type": "string"},
                "description": "From `next` or `previous` of a page; opaque.",
            },
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "schema": size,
                "description": "Rows a page.",
            },
        ]


def _page_size(request: Request) -> int:
    given = request.query_params.get("page_size")
    if given is None:
        return PAGE
    if not (given.isascii() and given.isdigit() and len(given) <= 9 and 1 <= int(given) <= LARGEST_PAGE):
        raise ValidationError(
            {"page_size": [_("Give a number from 1 to %(most)d.") % {"most": LARGEST_PAGE}]}
        )
    return int(given)


def _beyond(queryset: QuerySet[Any], order: list[str], values: list[str], *, back: bool) -> Func:
    """The rows after these values in the order, as one comparison of rows, which an index answers."""
    columns = [F(name.removeprefix("-")) for name in order]
    descending = order[0].startswith("-")
    given = [
        Value(value, output_field=_field(queryset.model, name))
        for value, name in zip(values, order, strict=True)
    ]
    return Func(
        Func(*columns, template="(%(expressions)s)"),
        Func(*given, template="(%(expressions)s)"),
        template="%(expressions)s",
        arg_joiner=" < " if descending != back else " > ",
        output_field=BooleanField(),
    )


def _field(model: Any, name: str) -> Any:
    """The field an order's name leads to, along its relations."""
    *relations, last = name.removeprefix("-").split("__")
    for relation in relations:
        model = model._meta.get_field(relation).related_model
    return model._meta.pk if last == "pk" else model._meta.get_field(last)


def _value(row: Any, name: str) -> str | int:
    *relations, last = name.split("__")
    for relation in relations:
        row = getattr(row, relation)
    value = getattr(row, last)
    return (
        value if isinstance(value, int) else value.isoformat() if hasattr(value, "isoformat") else str(value)
    )
