import django_filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import RowSerializer
from supplies.emergencies.models import Emergency, Phase


class EmergencySerializer(RowSerializer):
    class Meta:
        model = Emergency
        fields = [
            "code",
            "name",
            "name_zh",
            "name_en",
            "status",
            "regions",
            "began_on",
            "proposal_hours",
            "grey_days",
            "confirm_days",
        ]
        read_only_fields = fields


class EmergencyFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Phase.choices)

    class Meta:
        model = Emergency
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="Emergencies"), retrieve=extend_schema(summary="An emergency"))
class EmergencyViewSet(ReadOnlyModelViewSet):
    """What goods are collected for. Every appeal and donation belongs to one."""

    serializer_class, filterset_class = EmergencySerializer, EmergencyFilter
    queryset = Emergency.objects.prefetch_related("regions").order_by("-began_on", "-pk")
    lookup_value_regex = "[^/]+"
