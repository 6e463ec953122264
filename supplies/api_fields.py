"""How values travel through the API: strict on the way in, UTC on the way out, the same for every concept."""

import re
from collections.abc import Callable, Mapping, MutableMapping
from copy import deepcopy
from datetime import UTC, date, datetime
from functools import partial
from operator import attrgetter
from types import MethodType
from typing import Any

from django import forms
from django.core.exceptions import ObjectDoesNotExist
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import models
from django.utils.dateparse import parse_datetime
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_filters import Filter
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request

from supplies.free_text import LongText, ShortText
from supplies.leaks import masked, warnings
from supplies.quantity import MOST

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2199, 12, 31)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
NOT_A_DAY = gettext_lazy("Write a day as 2020-02-29, between the years 2000 and 2199.")


def read_day(text: Any) -> date:
    """A day as YYYY-MM-DD in ASCII digits. Raises ValueError for anything else, and for days nobody can mean."""
    if not isinstance(text, str) or not DAY.fullmatch(text):
        raise ValueError(text)
    day = date.fromisoformat(text)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise ValueError(text)
    return day


class WholeNumber(serializers.IntegerField):
    """A JSON number without point or exponent: neither "5" nor 5.0, 5_0, ５ or true."""

    default_error_messages = {
        "invalid": gettext_lazy("Write a whole number in the digits 0 to 9, without quotes.")
    }

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class Quantity(WholeNumber):
    """A count, of base units unless a unit is given beside it."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("min_value", 1)
        options.setdefault("max_value", MOST)
        super().__init__(**options)


class Day(serializers.DateField):
    def to_internal_value(self, value: Any) -> date:
        try:
            return read_day(value)
        except ValueError:
            raise serializers.ValidationError(NOT_A_DAY) from None


class Moment(serializers.DateTimeField):
    """An instant: out in UTC, in with its zone stated."""

    def to_internal_value(self, value: Any) -> datetime:
        try:
            moment = parse_datetime(value) if isinstance(value, str) and value.isascii() else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise serializers.ValidationError(_("Write the time with its zone, as 2020-02-29T08:00:00Z."))
        try:
            read_day(moment.date().isoformat())
            return moment.astimezone(UTC)
        except (ValueError, OverflowError):
            raise serializers.ValidationError(NOT_A_DAY) from None

    def to_representation(self, value: Any) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")  # type: ignore[no-any-return]


class Words(serializers.CharField):
    """Free words: what is read of them holds no private number, and who sends one is told beside the answer."""

    def to_internal_value(self, data: Any) -> str:
        text: str = super().to_internal_value(data)
        request = self.context.get("request")
        if request is not None:
            name = str(self.field_name)
            for sentence in warnings([(name, text)]):
                told_beside_the_answer(request).append({"field": name, "detail": sentence})
        return text

    def to_representation(self, value: Any) -> str:
        return masked(super().to_representation(value))


def told_beside_the_answer(request: Any) -> list[dict[str, str]]:
    """The warnings a program gets as `warnings` in the answer to what it sent; to be added to."""
    told: list[dict[str, str]] = request._request.__dict__.setdefault("told_beside_the_answer", [])
    return told


class RowField(serializers.PrimaryKeyRelatedField):
    """The key of a row. One the reader cannot see is answered like one that does not exist."""

    default_error_messages = {"does_not_exist": gettext_lazy("There is no “{pk_value}” that you can see.")}

    def to_internal_value(self, data: Any) -> Any:
        rows: Any = self.get_queryset()
        if hasattr(rows, "visible_to"):
            rows = rows.visible_to(self.context["request"].user)
        try:
            if isinstance(data, bool) or not isinstance(data, str | int):
                raise TypeError
            return rows.get(pk=data)
        except (ObjectDoesNotExist, DjangoValidationError, TypeError, ValueError, OverflowError):
            self.fail("does_not_exist", pk_value=str(data)[:40])


class Strict(serializers.Serializer):
    """Input that takes the fields it names and refuses all others, so that a misspelt one is not lost."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            known = {name for name, field in self.fields.items() if not field.read_only}
            if unknown := set(data) - known:
                raise serializers.ValidationError(
                    {name: [_("There is no such field.")] for name in sorted(unknown)}
                )
        return super().to_internal_value(data)


class Readable(serializers.Serializer):
    """Shows what DRF would show, several times as fast: how a field is read is worked out once, not for each row."""

    @cached_property
    def _readers(self) -> list[tuple[str, Callable[[Any], Any]]]:
        return [(str(field.field_name), _reader(field)) for field in self._readable_fields]

    def to_representation(self, instance: Any) -> dict[str, Any]:
        try:
            return {name: read(instance) for name, read in self._readers}
        except serializers.SkipField:
            return super().to_representation(instance)  # type: ignore[no-any-return]


def _reader(field: Any) -> Callable[[Any], Any]:
    if isinstance(field, serializers.SerializerMethodField):
        return getattr(field.parent, str(field.method_name))  # type: ignore[no-any-return]
    if isinstance(field, serializers.PrimaryKeyRelatedField) and len(field.source_attrs) == 1:
        return partial(_key, name=str(field.source))  # the column, not the row it points at
    get: Callable[[Any], Any] = attrgetter(".".join(field.source_attrs)) if field.source_attrs else _itself
    if type(field).get_attribute is not serializers.Field.get_attribute:
        get = field.get_attribute
    show = SHOWN_PLAINLY.get(type(field), field.to_representation)

    def read(row: Any) -> Any:
        try:
            value = get(row)
        except (AttributeError, ObjectDoesNotExist):
            value = field.get_attribute(
                row
            )  # a mapping's key, or what DRF makes of something that is not there
        if type(value) is MethodType:
            value = value()
        return None if value is None else show(value)

    return read


def _itself(value: Any) -> Any:
    return value


def _key(row: Any, name: str) -> Any:
    return row.serializable_value(name)


SHOWN_PLAINLY: dict[type, Callable[[Any], Any]] = {
    serializers.CharField: str,
    serializers.UUIDField: str,
    serializers.IntegerField: int,
    WholeNumber: int,
}


class RowSerializer(Readable, serializers.ModelSerializer):
    """A row as the API shows it: of free words only what everybody may read."""

    def get_fields(self) -> dict[str, Any]:
        """Worked out from the model once for each class; every serializer gets copies of its own."""
        fields = vars(type(self)).get("_fields_of_class")
        if fields is None:
            fields = type(self)._fields_of_class = super().get_fields()  # type: ignore[attr-defined]
        return deepcopy(fields)  # type: ignore[no-any-return]

    def include_extra_kwargs(
        self, kwargs: MutableMapping[str, Any], extra_kwargs: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Of choices that are only read DRF forgets that there may be none, and the API's document promised too much."""
        may_be_blank = "choices" in kwargs and kwargs.get("allow_blank", False)
        options = super().include_extra_kwargs(kwargs, extra_kwargs)
        return {**options, "allow_blank": True} if may_be_blank else options

    serializer_field_mapping = {
        **serializers.ModelSerializer.serializer_field_mapping,
        **dict.fromkeys(
            [
                models.IntegerField,
                models.SmallIntegerField,
                models.PositiveIntegerField,
                models.PositiveSmallIntegerField,
                models.BigIntegerField,
                models.PositiveBigIntegerField,
            ],
            WholeNumber,
        ),
        models.DateField: Day,
        models.DateTimeField: Moment,
        ShortText: Words,
        LongText: Words,
    }


class AsWritten(Words):
    """Free words for those they concern: as they were written, unless the reader only watches."""

    def to_representation(self, value: Any) -> str:
        if self.context["request"].user.reads_as_written:
            return str(value)
        return super().to_representation(value)


class EntitledSerializer(RowSerializer):
    """A row for those it concerns. Show it to nobody else."""

    serializer_field_mapping = {
        **RowSerializer.serializer_field_mapping,
        **dict.fromkeys([ShortText, LongText], AsWritten),
    }


class RowInput(Strict, RowSerializer):
    """Input checked by the lengths and choices of the model's own columns."""


class Coded(Readable):
    """A row of reference data inside another: its code, and its name in the reader's language."""

    code = serializers.CharField(source="pk")
    name = serializers.CharField()


class Named(Readable):
    """A row inside another: its id and its name."""

    id = serializers.UUIDField()
    name = Words()


class Reason(Strict):
    reason = Words(max_length=300)


# -- Filters ----------------------------------------------------------------------------------------------


class _DayField(forms.Field):
    def to_python(self, value: Any) -> date | None:
        if value in self.empty_values:
            return None
        try:
            return read_day(value)
        except ValueError:
            raise DjangoValidationError(NOT_A_DAY) from None


@extend_schema_field(OpenApiTypes.DATE)
class DayFilter(Filter):
    """A day, written one way only."""

    field_class = _DayField


class AnyAccept(BaseContentNegotiation):
    """The address says what is sent; errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type
