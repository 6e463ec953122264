"""Shortfalls over the API: which needs could not be filled, and why."""

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.permissions import IsAuthenticated
from rest_framework.viewsets import ReadOnlyModelViewSet

from matching.models import BLOBS, Lack, Shortfall
from matching.sentences import until, why_short
from supplies.api_fields import Coded, Named, RowSerializer, WholeNumber
from supplies.emergencies.models import Emergency
from supplies.needs.models import Urgency
from supplies.organisations.keys import Scope
from supplies.organisations.tokens import HasScope


class ShortfallSerializer(RowSerializer):
    id = serializers.UUIDField(source="pk", help_text="Of the need, which has one shortfall at most.")
    emergency = serializers.CharField(source="need.appeal.emergency_id")
    item = Coded(source="need.item")
    urgency = serializers.IntegerField(source="need.urgency")
    needed_by = serializers.DateField(source="need.needed_by")
    facility = Named(source="need.appeal.facility")
    region = Coded(source="need.appeal.facility.region")
    missing = WholeNumber(help_text="What no offer could be proposed for.")
    unit = serializers.CharField(source="need.item.base_unit_id", help_text="What the quantity counts.")
    cause = serializers.ChoiceField(choices=Lack.choices)
    figure = WholeNumber(allow_null=True, help_text="What goes with the cause: metres, days or units.")
    until = serializers.SerializerMethodField(
        help_text="For `waits`: on this day at the latest the best there is is proposed."
    )
    why = serializers.SerializerMethodField(help_text="A sentence in the reader's language.")
    run = serializers.UUIDField(source="family_run.run_id")

    class Meta:
        model = Shortfall
        fields = [
            "id",
            "emergency",
            "item",
            "urgency",
            "needed_by",
            "facility",
            "region",
            "missing",
            "unit",
            "cause",
            "figure",
            "until",
            "why",
            "as_of",
            "run",
        ]
        read_only_fields = fields

    @extend_schema_field(serializers.DateField(allow_null=True))
    def get_until(self, short: Shortfall) -> str | None:
        day = until(short)
        return day.isoformat() if day else None

    def get_why(self, short: Shortfall) -> str:
        return why_short(short)


class ShortfallFilter(django_filters.FilterSet):
    emergency = django_filters.ModelChoiceFilter(
        queryset=Emergency.objects.all(), field_name="need__appeal__emergency"
    )
    cause = django_filters.ChoiceFilter(choices=Lack.choices)
    urgency = django_filters.ChoiceFilter(choices=Urgency.choices, field_name="need__urgency")

    class Meta:
        model = Shortfall
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="Shortfalls"), retrieve=extend_schema(summary="Why a need is short")
)
class ShortfallViewSet(ReadOnlyModelViewSet):
    """Which open needs the latest run could not fill, and why; by the need's id. For its hospital and who watches over it."""

    serializer_class, filterset_class = ShortfallSerializer, ShortfallFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = Shortfall.objects.all()
    scope = Scope.MATCHING

    def get_queryset(self) -> QuerySet[Shortfall]:
        rows = Shortfall.objects.visible_to(self.request.user).current().with_sides()
        return rows.select_related("family_run").defer(*BLOBS).most_urgent_first()
