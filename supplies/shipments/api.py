from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.allocations.models import Allocation
from supplies.api_fields import Coded, Day, Named, RowField, RowInput, RowSerializer, Strict, Words
from supplies.catalogue.api import shown
from supplies.catalogue.models import TransportMode
from supplies.errors import NotYours
from supplies.organisations.api import visible_organisations
from supplies.organisations.keys import Scope
from supplies.organisations.models import Organisation
from supplies.organisations.tokens import HasScope, signed_in
from supplies.shipments import care, services, sightings
from supplies.shipments.cargo_api import CargoActions, LegSerializer, UnitSerializer
from supplies.shipments.models import Shipment, ShipmentLine, ShipmentQuerySet, ShipmentStatus
from supplies.shipments.permissions import may_book, may_load, may_move, may_put_together, may_sign_for
from supplies.shipments.tracking import Step, TrackingEvent
from supplies.shipments.units import HandlingUnit

MOST_LINES = 200
NOT_YOURS = _("Only its carrier, or a volunteer, may move this shipment.")

# -- What it looks like -----------------------------------------------------------------------------------


class ShipmentLineSerializer(RowSerializer):
    item = Coded(source="allocation.offer.item")
    need = serializers.UUIDField(source="allocation.need_id")
    quantity = serializers.IntegerField(source="allocation.quantity")
    unit = serializers.CharField(source="allocation.offer.item.base_unit_id")
    shown = serializers.SerializerMethodField(help_text="The quantity in shown_unit, as a decimal string.")
    shown_unit = serializers.CharField(source="allocation.offer.item.display_unit_id")
    lot_number = serializers.CharField(source="allocation.offer.lot_number")
    expires_on = Day(source="allocation.offer.expires_on", allow_null=True)

    class Meta:
        model = ShipmentLine
        fields = [
            "id",
            "allocation",
            "need",
            "item",
            "quantity",
            "unit",
            "shown",
            "shown_unit",
            "lot_number",
            "expires_on",
            "un_number",
            "hazard_class",
            "is_live",
        ]
        read_only_fields = fields

    def get_shown(self, line: ShipmentLine) -> str | None:
        return shown(line.allocation.offer.item, line.allocation.quantity)


class TrackingEventSerializer(RowSerializer):
    flags = serializers.ListField(
        child=serializers.CharField(),
        help_text="unknown-code, after-end, out-of-range: kept, and a person looks at it.",
    )

    class Meta:
        model = TrackingEvent
        fields = [
            "id",
            "external_id",
            "occurred_at",
            "recorded_at",
            "step",
            "disposition",
            "place",
            "vocabulary",
            "code",
            "label",
            "status",
            "temperature_c",
            "logger",
            "flags",
            "note",
        ]
        read_only_fields = fields


class ConsigneeSerializer(Named):
    organisation = Named()
    region = Coded()
    address = Words(help_text="The dock.")


class CautionSerializer(serializers.Serializer):
    code = serializers.CharField()
    detail = serializers.CharField()


class ShipmentSerializer(RowSerializer):
    consignor = Named()
    consignee = ConsigneeSerializer()
    carrier = Named(allow_null=True)
    rec19 = serializers.CharField(
        source="mode.rec19",
        allow_null=True,
        help_text="The mode of transport, by UN/CEFACT Recommendation 19.",
    )
    is_out_of_range = serializers.BooleanField(
        help_text="A logger told a temperature colder than min_temp_c or warmer than max_temp_c."
    )
    gross_weight_g = serializers.SerializerMethodField(
        help_text="As stated, or else of the outermost units once each was weighed."
    )
    volume_cm3 = serializers.SerializerMethodField(
        help_text="As stated, or else of the outermost units once each was measured."
    )
    cautions = serializers.SerializerMethodField(help_text="What to look at before it leaves.")
    lines = ShipmentLineSerializer(many=True)
    units = UnitSerializer(many=True)
    legs = LegSerializer(many=True)
    events = TrackingEventSerializer(many=True)

    class Meta:
        model = Shipment
        fields = [
            "id",
            "code",
            "status",
            "consignor",
            "consignee",
            "carrier",
            "mode",
            "rec19",
            "waybill",
            "min_temp_c",
            "max_temp_c",
            "coldest_c",
            "warmest_c",
            "is_out_of_range",
            "gross_weight_g",
            "volume_cm3",
            "cautions",
            "created_at",
            "departed_at",
            "delivered_at",
            "expected_on",
            "sighting_vocabulary",
            "sighting_code",
            "sighting_label",
            "sighting_status",
            "sighted_at",
            "lines",
            "units",
            "legs",
            "events",
        ]
        read_only_fields = fields

    def get_gross_weight_g(self, shipment: Shipment) -> int | None:
        return care.gross_weight(shipment, list(shipment.units.all()))

    def get_volume_cm3(self, shipment: Shipment) -> int | None:
        return care.volume(shipment, list(shipment.units.all()))

    @extend_schema_field(CautionSerializer(many=True))
    def get_cautions(self, shipment: Shipment) -> list[dict[str, str]]:
        found = care.cautions(shipment, list(shipment.lines.all()), list(shipment.units.all()))
        return [caution._asdict() for caution in found]


# -- What may be sent --------------------------------------------------------------------------------------


class ShipmentInput(Strict):
    allocations = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=MOST_LINES)

    def validate_allocations(self, ids: list[Any]) -> list[Allocation]:
        user = self.context["request"].user
        found = {row.pk: row for row in Allocation.objects.visible_to(user).with_sides().filter(pk__in=ids)}
        faults: dict[Any, Any] = {
            position: [_("There is no such allocation that you can see.")]
            for position, key in enumerate(ids)
            if key not in found
        }
        if faults:
            raise serializers.ValidationError(faults)
        return list(found.values())


class BookingInput(RowInput):
    carrier = RowField(queryset=Organisation.objects.all())
    mode = RowField(queryset=TransportMode.objects.all(), required=False, allow_null=True)

    class Meta:
        model = Shipment
        fields = ["carrier", "waybill", "mode", "expected_on"]


class EventInput(RowInput):
    step = serializers.ChoiceField(choices=Step.choices)

    class Meta:
        model = TrackingEvent
        fields = [
            "external_id",
            "occurred_at",
            "step",
            "disposition",
            "place",
            "vocabulary",
            "code",
            "label",
            "temperature_c",
            "logger",
            "note",
        ]
        validators: list[Any] = []  # the same event sent again is answered, not refused


class NoteInput(Strict):
    note = Words(required=False, allow_blank=True, max_length=300)


# -- How lists are narrowed --------------------------------------------------------------------------------


class ShipmentFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=ShipmentStatus.choices)
    carrier = django_filters.ModelChoiceFilter(queryset=visible_organisations)
    waybill = django_filters.CharFilter(max_length=60)

    class Meta:
        model = Shipment
        fields: list[str] = []


# -- What can be done ----------------------------------------------------------------------------------------

MOVED = {"request": None}  # what is answered is the shipment, as the viewset shows it
BOOKING = {
    "carrier": "0f1c52fe-3a0f-4c5e-9a43-0b5a2c6f0001",
    "waybill": "DEMO112300001",
    "expected_on": "2026-11-25",
}
SEEN = {
    "external_id": "truck7-0003",
    "occurred_at": "2026-11-23T14:20:00+08:00",
    "step": "transporting",
    "place": "信阳",
}
WRITTEN_DOWN: dict[str, Any] = {
    **SEEN,
    "id": 4712,
    "occurred_at": "2026-11-23T06:20:00Z",
    "recorded_at": "2026-11-23T06:20:03Z",
    "disposition": "",
    "vocabulary": "generic",
    "code": "transporting",
    "label": "运输中",
    "status": "in_transit",
    "temperature_c": None,
    "logger": "",
    "flags": [],
    "note": "",
}


@extend_schema_view(list=extend_schema(summary="Shipments"), retrieve=extend_schema(summary="A shipment"))
class ShipmentViewSet(CargoActions, mixins.CreateModelMixin, ReadOnlyModelViewSet):
    """Goods on their way: what you send, carry or receive; volunteers see all."""

    serializer_class, filterset_class = ShipmentSerializer, ShipmentFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = Shipment.objects.all()
    scope = Scope.SHIPMENTS

    def get_queryset(self) -> QuerySet[Shipment]:
        visible = Shipment.objects.visible_to(self.request.user)
        if self.action == "events":  # many, of one shipment: who may report them is all that is asked of it
            return visible.select_related("carrier", "consignee__region")
        return self._whole(visible)

    def _whole(self, shipments: ShipmentQuerySet) -> QuerySet[Shipment]:
        units = Prefetch("units", HandlingUnit.objects.live().with_contents().in_order())
        return shipments.with_route().prefetch_related(units).newest_first()

    @extend_schema(summary="Put a shipment together", request=ShipmentInput)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Of reserved allocations from one donor to one facility."""
        if not may_put_together(request.user):
            raise NotYours(_("Only a volunteer or coordinator may put a shipment together."))
        given = self._given(ShipmentInput)
        if not all(may_load(request.user, allocation) for allocation in given["allocations"]):
            raise NotYours(_("You may not do this here; it lies outside your regions."))
        shipment = services.put_together(given["allocations"], by=signed_in(request), at=timezone.now())
        return self._answer(shipment, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Book a carrier",
        request=BookingInput,
        examples=[OpenApiExample("A lorry tomorrow", BOOKING, request_only=True)],
    )
    @action(detail=True, methods=["post"])
    def book(self, request: Request, pk: str) -> Response:
        """From here on the carrier sees the shipment and moves it."""
        shipment = self._allowed(may_book)
        return self._answer(
            services.book(shipment, by=signed_in(request), at=timezone.now(), **self._given(BookingInput))
        )

    @extend_schema(summary="Dispatch", **MOVED)
    @action(detail=True, methods=["post"], url_path="dispatch")  # `dispatch` itself is Django's word
    def dispatch_shipment(self, request: Request, pk: str) -> Response:
        """It has left; what was promised is in transit."""
        return self._move(services.dispatch)

    @extend_schema(summary="At the door", **MOVED)
    @action(detail=True, methods=["post"])
    def arrive(self, request: Request, pk: str) -> Response:
        """It stands at the door, not handed over yet."""
        return self._move(services.arrive)

    @extend_schema(summary="Deliver", **MOVED)
    @action(detail=True, methods=["post"])
    def deliver(self, request: Request, pk: str) -> Response:
        """Signed for at the gate; what is in the boxes is not counted yet. Its hospital may say so too."""
        return self._move(services.deliver, rule=may_sign_for)

    @extend_schema(summary="Call it off", **MOVED)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Before it leaves: its allocations are reserved again."""
        return self._move(services.cancel)

    @extend_schema(summary="Send it back", request=NoteInput)
    @action(detail=True, methods=["post"], url_path="return")
    def send_back(self, request: Request, pk: str) -> Response:
        """It could not be handed over and goes back to the donor."""
        return self._move(services.send_back, **self._given(NoteInput))

    @extend_schema(summary="It came back", **MOVED)
    @action(detail=True, methods=["post"])
    def returned(self, request: Request, pk: str) -> Response:
        """The donor has it again: both sides are free."""
        return self._move(services.come_back)

    @extend_schema(summary="Give it up as lost", request=NoteInput)
    @action(detail=True, methods=["post"])
    def lose(self, request: Request, pk: str) -> Response:
        """The hospital's needs are open again."""
        return self._move(services.lose, **self._given(NoteInput))

    @extend_schema(
        methods=["GET"],
        operation_id="shipments_events_list",
        summary="What was seen of a shipment",
        responses=TrackingEventSerializer(many=True),
    )
    @extend_schema(
        methods=["POST"],
        operation_id="shipments_events_create",
        summary="Report what was seen",
        request=EventInput,
        responses={201: TrackingEventSerializer},
        examples=[
            OpenApiExample("Seen at a depot", SEEN, request_only=True),
            OpenApiExample("As it was written down", WRITTEN_DOWN, response_only=True),
        ],
    )
    @action(detail=True, methods=["get", "post"], filterset_class=None)
    def events(self, request: Request, pk: str) -> Response:
        """What a carrier reports. The same event of the same sender, by external_id, is written once."""
        if request.method == "GET":
            rows = TrackingEvent.objects.filter(shipment=self.get_object()).order_by("occurred_at", "pk")
            rows = rows.select_related("shipment")  # its range says which readings are alarms
            page = self.paginate_queryset(rows)
            return self.get_paginated_response(TrackingEventSerializer(page, many=True).data)
        event = sightings.report(
            self._reported(pk), by=signed_in(request), at=timezone.now(), **self._given(EventInput)
        )
        return Response(TrackingEventSerializer(event).data, status=status.HTTP_201_CREATED)

    def _reported(self, pk: str) -> Shipment:
        """Carriers tell much, and whoever may move a shipment sees it: only of others is asked whether they do."""
        shipment: Shipment = get_object_or_404(Shipment.objects.only("carrier", "consignee"), pk=pk)
        return shipment if may_move(self.request.user, shipment) else self._allowed(may_move)

    def _allowed(self, rule: Callable[[Any, Shipment], bool], otherwise: Any = NOT_YOURS) -> Shipment:
        shipment: Shipment = self.get_object()
        if not rule(self.request.user, shipment):
            raise NotYours(otherwise)
        return shipment

    def _given(self, form: type[serializers.Serializer]) -> dict[str, Any]:
        given = form(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return dict(given.validated_data)

    def _move(
        self,
        verb: Callable[..., Shipment],
        *,
        rule: Callable[[Any, Shipment], bool] = may_move,
        **details: Any,
    ) -> Response:
        shipment = self._allowed(rule)
        return self._answer(verb(shipment, by=signed_in(self.request), at=timezone.now(), **details))

    def _answer(self, shipment: Shipment, status_code: int = status.HTTP_200_OK) -> Response:
        # Not only what is visible: whoever has brought it to a hub sees it for the last time.
        shown_again = self._whole(Shipment.objects.all()).get(pk=shipment.pk)
        return Response(self.get_serializer(shown_again).data, status=status_code)
