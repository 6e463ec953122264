from collections.abc import Callable, Mapping
from typing import Any

import django_filters
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import Coded, Named, Readable, RowField, RowInput, RowSerializer, Strict
from supplies.catalogue.models import TransportMode
from supplies.errors import NotYours
from supplies.loads import services
from supplies.loads.models import ConsolidatedLoad, LoadStatus
from supplies.loads.permissions import may_drive, may_gather
from supplies.organisations.keys import Scope
from supplies.organisations.models import Facility, Organisation
from supplies.organisations.tokens import HasScope, signed_in
from supplies.regions.models import Region
from supplies.shipments.models import Shipment

MOST_SHIPMENTS = 100
NOT_YOURS_TO_GATHER = _("Only a volunteer, or a coordinator of where it goes, may say what is on a load.")
NOT_YOURS_TO_DRIVE = _("Only its carrier, or a volunteer, may move this load.")

# -- What it looks like ------------------------------------------------------------------------------------


class LoadedShipmentSerializer(Readable):
    id = serializers.UUIDField(source="shipment_id")
    status = serializers.CharField(source="shipment.status")
    consignor = Named(source="shipment.consignor")


class LoadSerializer(RowSerializer):
    consignee = Named()
    hub_region = Coded()
    carrier = Named()
    shipments = LoadedShipmentSerializer(source="places", many=True)

    class Meta:
        model = ConsolidatedLoad
        fields = [
            "id",
            "status",
            "consignee",
            "hub_region",
            "hub_place",
            "carrier",
            "mode",
            "planned_departure_at",
            "created_at",
            "departed_at",
            "delivered_at",
            "shipments",
        ]
        read_only_fields = fields


# -- What may be sent --------------------------------------------------------------------------------------


class _NamesShipments(serializers.Serializer):
    def validate_shipments(self, ids: list[Any]) -> list[Shipment]:
        visible = Shipment.objects.visible_to(self.context["request"].user)
        found: Mapping[Any, Shipment] = visible.in_bulk(ids)
        faults: dict[Any, Any] = {
            position: [_("There is no such shipment that you can see.")]
            for position, key in enumerate(ids)
            if key not in found
        }
        if faults:
            raise serializers.ValidationError(faults)
        return list(found.values())


class LoadInput(_NamesShipments, RowInput):
    consignee = RowField(queryset=Facility.objects.all())
    hub_region = RowField(queryset=Region.objects.all())
    carrier = RowField(queryset=Organisation.objects.all())
    mode = RowField(queryset=TransportMode.objects.all(), required=False, allow_null=True)
    shipments = serializers.ListField(
        child=serializers.UUIDField(), required=False, max_length=MOST_SHIPMENTS
    )

    class Meta:
        model = ConsolidatedLoad
        fields = [
            "consignee",
            "hub_region",
            "hub_place",
            "carrier",
            "mode",
            "planned_departure_at",
            "shipments",
        ]


class ShipmentsInput(_NamesShipments, Strict):
    shipments = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_SHIPMENTS)


# -- How lists are narrowed --------------------------------------------------------------------------------


class LoadFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=LoadStatus.choices)

    class Meta:
        model = ConsolidatedLoad
        fields: list[str] = []


# -- What can be done --------------------------------------------------------------------------------------

MOVED = {"request": None, "responses": LoadSerializer}


@extend_schema_view(
    list=extend_schema(summary="Consolidated loads"), retrieve=extend_schema(summary="A consolidated load")
)
class LoadViewSet(mixins.CreateModelMixin, ReadOnlyModelViewSet):
    """Shipments of several donors that travel to one facility together, from a hub on."""

    serializer_class, filterset_class = LoadSerializer, LoadFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = ConsolidatedLoad.objects.all()
    scope = Scope.SHIPMENTS

    def get_queryset(self) -> QuerySet[ConsolidatedLoad]:
        return ConsolidatedLoad.objects.visible_to(self.request.user).with_names().newest_first()

    @extend_schema(summary="Gather a load", request=LoadInput, responses={201: LoadSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Plan a vehicle from a hub to a facility, with shipments on it to begin with."""
        given = self._given(LoadInput)
        if not may_gather(request.user, given["consignee"]):
            raise NotYours(NOT_YOURS_TO_GATHER)
        load = services.gather(by=signed_in(request), at=timezone.now(), **given)
        return self._answer(load, status.HTTP_201_CREATED)

    @extend_schema(summary="Add shipments", request=ShipmentsInput, responses=LoadSerializer)
    @action(detail=True, methods=["post"])
    def add(self, request: Request, pk: str) -> Response:
        """To the same facility, booked or on their way to the hub. Before the load leaves."""
        return self._fill(services.add)

    @extend_schema(summary="Take shipments off", request=ShipmentsInput, responses=LoadSerializer)
    @action(detail=True, methods=["post"])
    def remove(self, request: Request, pk: str) -> Response:
        """They travel by themselves after all. Before the load leaves."""
        return self._fill(services.remove)

    @extend_schema(summary="Dispatch a load", **MOVED)
    @action(detail=True, methods=["post"], url_path="dispatch")  # `dispatch` itself is Django's word
    def dispatch_load(self, request: Request, pk: str) -> Response:
        """It leaves the hub with everything on it."""
        return self._move(services.dispatch)

    @extend_schema(summary="A load at the door", **MOVED)
    @action(detail=True, methods=["post"])
    def arrive(self, request: Request, pk: str) -> Response:
        """It stands at the door, not handed over yet."""
        return self._move(services.arrive)

    @extend_schema(summary="Deliver a load", **MOVED)
    @action(detail=True, methods=["post"])
    def deliver(self, request: Request, pk: str) -> Response:
        """Signed for at the gate. The hospital counts each donor's shipment by itself."""
        return self._move(services.deliver)

    @extend_schema(summary="Call a load off", **MOVED)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Before it leaves: its shipments travel by themselves."""
        load: ConsolidatedLoad = self.get_object()
        if not may_gather(request.user, load.consignee):
            raise NotYours(NOT_YOURS_TO_GATHER)
        return self._answer(services.cancel(load, by=signed_in(request), at=timezone.now()))

    def _fill(self, verb: Callable[..., ConsolidatedLoad]) -> Response:
        load: ConsolidatedLoad = self.get_object()
        if not may_gather(self.request.user, load.consignee):
            raise NotYours(NOT_YOURS_TO_GATHER)
        given = self._given(ShipmentsInput)
        return self._answer(verb(load, by=signed_in(self.request), at=timezone.now(), **given))

    def _move(self, verb: Callable[..., ConsolidatedLoad]) -> Response:
        load: ConsolidatedLoad = self.get_object()
        if not may_drive(self.request.user, load):
            raise NotYours(NOT_YOURS_TO_DRIVE)
        return self._answer(verb(load, by=signed_in(self.request), at=timezone.now()))

    def _given(self, form: type[serializers.Serializer]) -> dict[str, Any]:
        given = form(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def _answer(self, load: ConsolidatedLoad, status_code: int = status.HTTP_200_OK) -> Response:
        shown_again = self.get_queryset().get(pk=load.pk)
        return Response(self.get_serializer(shown_again).data, status=status_code)
