from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import Coded, Named, RowSerializer
from supplies.listings.models import ListedAs, ListedFacility
from supplies.organisations.models import Organisation
from supplies.regions.api import InRegionFilter


class ListedFacilitySerializer(RowSerializer):
    region = Coded()
    organisation = Named(allow_null=True, help_text="Whom it is registered here as, if that is public.")

    class Meta:
        model = ListedFacility
        fields = [
            "id",
            "name",
            "region",
            "kinds",
            "address",
            "source_name",
            "source_url",
            "as_of",
            "listed_since",
            "gone_on",
            "organisation",
        ]
        read_only_fields = fields

    def to_representation(self, instance: Any) -> dict[str, Any]:
        shown = super().to_representation(instance)
        return shown if instance.is_shown else {**shown, "organisation": None}


class ListedFacilityFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=ListedAs.choices, method="as_kind")
    region = InRegionFilter("region")
    is_current = django_filters.BooleanFilter(field_name="gone_on", lookup_expr="isnull")
    q = django_filters.CharFilter(field_name="name", lookup_expr="mentions", max_length=100)

    class Meta:
        model = ListedFacility
        fields: list[str] = []

    def as_kind(self, queryset: Any, name: str, kind: str) -> QuerySet[ListedFacility]:
        return queryset.listed_as(kind)  # type: ignore[no-any-return]


@extend_schema_view(
    list=extend_schema(summary="Listed facilities"), retrieve=extend_schema(summary="A listed facility")
)
class ListedFacilityViewSet(ReadOnlyModelViewSet):
    """What public lists name as designated hospitals and fever clinics, with the list and its day. No telephones."""

    serializer_class, filterset_class = ListedFacilitySerializer, ListedFacilityFilter
    queryset = ListedFacility.objects.all()

    def get_queryset(self) -> QuerySet[ListedFacility]:
        seen = Organisation.objects.visible_to(self.request.user)
        rows = ListedFacility.objects.visible_to(self.request.user).saying_whose_of(seen)
        return rows.select_related("region", "organisation").by_name()
