from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import RowSerializer
from supplies.regions.models import Region, RegionLevel


class RegionSerializer(RowSerializer):
    class Meta:
        model = Region
        fields = [
            "code",
            "name",
            "name_zh",
            "name_en",
            "level",
            "scheme",
            "parent",
            "path",
            "lat",
            "lon",
            "datum",
        ]
        read_only_fields = fields


@extend_schema_field(OpenApiTypes.STR)
class InRegionFilter(django_filters.ModelChoiceFilter):
    """A region and everything inside it. `field_name` leads to a region, or to the path of one.

    Where it leads to a region, those inside are named one by one: PostgreSQL knows how many rows lie in each.
    """

    def __init__(self, field_name: str) -> None:
        label = _("The code of a region; everything inside it counts.")
        super().__init__(field_name=field_name, queryset=Region.objects.all(), label=label)

    def filter(self, qs: Any, value: Region | None) -> Any:
        if value is None:
            return qs
        if self.field_name.endswith("path"):
            return qs.filter(**{f"{self.field_name}__startswith": value.path})
        inside = list(Region.objects.under(value).values_list("pk", flat=True))
        return qs.filter(**{f"{self.field_name}__in": inside})


class RegionFilter(django_filters.FilterSet):
    inside = InRegionFilter("path")
    parent = django_filters.ModelChoiceFilter(
        queryset=Region.objects.all(), label=_("Directly in this region.")
    )
    level = django_filters.ChoiceFilter(choices=RegionLevel.choices)
    named = django_filters.CharFilter(
        method="is_named", max_length=80, label=_("A code, alias or name, whole.")
    )

    class Meta:
        model = Region
        fields: list[str] = []

    def is_named(self, queryset: Any, name: str, text: str) -> QuerySet[Region]:
        return queryset.named(text)  # type: ignore[no-any-return]


@extend_schema_view(list=extend_schema(summary="Regions"), retrieve=extend_schema(summary="A region"))
class RegionViewSet(ReadOnlyModelViewSet):
    """The tree of places: countries, and China down to its districts."""

    serializer_class, filterset_class = RegionSerializer, RegionFilter
    queryset = Region.objects.from_the_top()
    lookup_value_regex = "[^/]+"
