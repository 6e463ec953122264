from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import Coded, RowSerializer
from supplies.catalogue.dictionary import Dictionary
from supplies.catalogue.models import Category, Item, Standard, StandardStatus
from supplies.catalogue.services import Counterfeits
from supplies.catalogue.shelf import Shelf

# -- Items and quantities of them, for every concept that has them -----------------------------------------


def shown(item: Item, quantity: int | None) -> str | None:
    """A quantity of base units in the unit people use, as a decimal string."""
    return None if quantity is None else item.written(quantity)


def dictionary_of(field: Any) -> Dictionary:
    """The catalogue, read once for everything one request holds."""
    context = field.context
    if "dictionary" not in context:
        context["dictionary"] = Shelf.kept().dictionary
    return context["dictionary"]  # type: ignore[no-any-return]


def counterfeits_of(field: Any) -> Counterfeits:
    """The list of known counterfeits, read once for everything one request holds."""
    return field.context.setdefault("counterfeits", Counterfeits())  # type: ignore[no-any-return]


@extend_schema_field(OpenApiTypes.STR)
class CatalogueField(serializers.Field):
    """The code of a row of the catalogue."""

    default_error_messages = {"unknown": gettext_lazy("The catalogue has no “{code}”.")}
    rows: str

    def to_internal_value(self, data: Any) -> Any:
        known = getattr(dictionary_of(self), self.rows)
        if not isinstance(data, str) or data not in known:
            self.fail("unknown", code=str(data)[:40])
        return known[data]

    def to_representation(self, value: Any) -> str:
        return str(value.pk)


class ItemField(CatalogueField):
    rows = "items"


class StandardField(CatalogueField):
    rows = "standards"


class InCategoryFilter(django_filters.ModelChoiceFilter):
    """Rows of the items of a category. `field_name` leads to the item."""

    def __init__(self, field_name: str = "item") -> None:
        super().__init__(field_name=field_name, queryset=Category.objects.all())

    def filter(self, qs: Any, value: Category | None) -> Any:
        return qs if value is None else qs.filter(**{f"{self.field_name}__in": Item.objects.codes_in(value)})


def in_base_units(line: dict[str, Any], dictionary: Dictionary) -> dict[str, Any]:
    """A line whose quantity was said in some unit, with quantity in base units and unit as a row.

    line     item, quantity; unit as text or absent for base units; pack_content in base units where the unit is a pack
    Raises   ValidationError for "quantity", "unit" or "pack_content"
    """
    item, text = line["item"], line.pop("unit", "")
    if not text or line.get("quantity") is None:
        return line
    if text == item.base_unit_id:
        return {**line, "unit": item.base_unit}
    if text == item.display_unit_id:
        return {**line, "unit": item.display_unit, "quantity": line["quantity"] * item.display_factor}
    quantity = dictionary.to_base(item, line["quantity"], text, line.get("pack_content"))
    rule = dictionary.unit_rule(item, text)
    written = f"{line['quantity']} {text}"
    return {**line, "quantity": quantity, "unit": rule.unit if rule else None, "as_written": written}


# -- The catalogue itself ---------------------------------------------------------------------------------


class CategorySerializer(RowSerializer):
    class Meta:
        model = Category
        fields = ["code", "name", "name_zh", "name_en", "position"]
        read_only_fields = fields


class ItemSerializer(RowSerializer):
    base_unit = Coded(help_text="Quantities are whole numbers of this unit.")
    display_unit = Coded(help_text="The unit people use: display_factor base units.")
    note = serializers.CharField(source="note_shown", read_only=True)
    note_en = serializers.CharField(source="note", read_only=True)

    class Meta:
        model = Item
        fields = [
            "code",
            "name",
            "name_zh",
            "name_en",
            "category",
            "synonyms",
            "base_unit",
            "display_unit",
            "display_factor",
            "unspsc",
            "hs6",
            "is_medicine",
            "is_cold_chain",
            "is_dangerous",
            "min_temp_c",
            "max_temp_c",
            "un_number",
            "hazard_class",
            "needs_medical_grade",
            "needs_pack_content",
            "min_shelf_days",
            "plausible_max",
            "assumed_quantity",
            "note",
            "note_zh",
            "note_en",
        ]
        read_only_fields = fields


class StandardSerializer(RowSerializer):
    class Meta:
        model = Standard
        fields = [
            "code",
            "issuer",
            "title",
            "title_zh",
            "items",
            "medical_use",
            "sterile",
            "filtration_pct",
            "filtration_metric",
            "fluid_resistance",
            "fluid_resistance_zh",
            "other_requirements",
            "other_requirements_zh",
            "valid_from",
            "withdrawn_on",
            "replaced_by",
            "status",
            "aliases",
        ]
        read_only_fields = fields


class ItemFilter(django_filters.FilterSet):
    category = django_filters.ModelChoiceFilter(queryset=Category.objects.all())
    q = django_filters.CharFilter(
        method="about", max_length=100, label=gettext_lazy("Part of a name, or a whole synonym or code.")
    )

    class Meta:
        model = Item
        fields: list[str] = []

    def about(self, queryset: Any, name: str, text: str) -> QuerySet[Item]:
        return queryset.mentioning(text)  # type: ignore[no-any-return]


class StandardFilter(django_filters.FilterSet):
    item = django_filters.ModelChoiceFilter(queryset=Item.objects.all(), field_name="items")
    status = django_filters.ChoiceFilter(choices=StandardStatus.choices)

    class Meta:
        model = Standard
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="Categories"), retrieve=extend_schema(summary="A category"))
class CategoryViewSet(ReadOnlyModelViewSet):
    """The kinds of goods."""

    serializer_class = CategorySerializer
    queryset = Category.objects.order_by("position", "pk")
    lookup_value_regex = "[^/]+"


@extend_schema_view(list=extend_schema(summary="Items"), retrieve=extend_schema(summary="An item"))
class ItemViewSet(ReadOnlyModelViewSet):
    """What can be asked for and offered."""

    serializer_class, filterset_class = ItemSerializer, ItemFilter
    queryset = Item.objects.active().select_related("base_unit", "display_unit").order_by("pk")
    lookup_value_regex = "[^/]+"


@extend_schema_view(list=extend_schema(summary="Standards"), retrieve=extend_schema(summary="A standard"))
class StandardViewSet(ReadOnlyModelViewSet):
    """The editions and classes of product standards, in force or not."""

    serializer_class, filterset_class = StandardSerializer, StandardFilter
    queryset = Standard.objects.prefetch_related("items").order_by("pk")
    lookup_value_regex = "[^/]+"
