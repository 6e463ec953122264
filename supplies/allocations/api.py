import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.allocations import services
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.allocations.permissions import may_keep, may_release
from supplies.api_fields import Coded, Named, Reason, RowSerializer
from supplies.catalogue.api import shown
from supplies.emergencies.models import Emergency
from supplies.errors import NotYours
from supplies.organisations.keys import Scope
from supplies.organisations.tokens import HasScope, signed_in


class AllocationSerializer(RowSerializer):
    item = Coded(source="offer.item")
    donor = Named(source="offer.donation.organisation")
    from_region = Coded(source="offer.donation.region")
    facility = Named(source="need.appeal.facility")
    region = Coded(source="need.appeal.facility.region")
    unit = serializers.CharField(source="offer.item.base_unit_id", help_text="What the quantity counts.")
    shown = serializers.SerializerMethodField(help_text="The quantity in shown_unit, as a decimal string.")
    shown_unit = serializers.CharField(source="offer.item.display_unit_id")

    class Meta:
        model = Allocation
        fields = [
            "id",
            "need",
            "offer",
            "status",
            "item",
            "quantity",
            "unit",
            "shown",
            "shown_unit",
            "donor",
            "from_region",
            "facility",
            "region",
            "created_at",
            "due_at",
            "split_from",
        ]
        read_only_fields = fields

    def get_shown(self, allocation: Allocation) -> str | None:
        return shown(allocation.offer.item, allocation.quantity)


class AllocationFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=AllocationStatus.choices)
    emergency = django_filters.ModelChoiceFilter(
        queryset=Emergency.objects.all(), field_name="need__appeal__emergency"
    )
    need = django_filters.UUIDFilter(field_name="need_id")
    offer = django_filters.UUIDFilter(field_name="offer_id")

    class Meta:
        model = Allocation
        fields: list[str] = []


@extend_schema_view(
    list=extend_schema(summary="Allocations"), retrieve=extend_schema(summary="An allocation")
)
class AllocationViewSet(ReadOnlyModelViewSet):
    """What is promised to you, by you or on your lorry; volunteers see all."""

    serializer_class, filterset_class = AllocationSerializer, AllocationFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = Allocation.objects.all()
    scope = Scope.SHIPMENTS

    def get_queryset(self) -> QuerySet[Allocation]:
        return Allocation.objects.visible_to(self.request.user).with_sides().newest_first()

    @extend_schema(summary="Release an allocation", request=Reason, responses=AllocationSerializer)
    @action(detail=True, methods=["post"])
    def release(self, request: Request, pk: str) -> Response:
        """Gives both sides back what was promised but not shipped."""
        allocation = self.get_object()
        if not may_release(request.user, allocation):
            raise NotYours(_("Only the two sides, or a volunteer, may release a promise."))
        given = Reason(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        allocation = services.release(
            allocation, reason=given.validated_data["reason"], by=signed_in(request), at=timezone.now()
        )
        return Response(self.get_serializer(self.get_queryset().get(pk=allocation.pk)).data)

    @extend_schema(summary="Keep an allocation", request=Reason, responses=AllocationSerializer)
    @action(detail=True, methods=["post"])
    def keep(self, request: Request, pk: str) -> Response:
        """Reserved for a facility that is not accepting goods for now, and it stays so, for a reason."""
        allocation = self.get_object()
        if not may_keep(request.user, allocation):
            raise NotYours(_("Only a coordinator of the region, or a volunteer, may decide that."))
        given = Reason(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        services.keep(
            allocation, reason=given.validated_data["reason"], by=signed_in(request), at=timezone.now()
        )
        return Response(self.get_serializer(self.get_object()).data)
