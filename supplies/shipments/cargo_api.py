"""What is done through the API to a shipment before it leaves, and to its legs: pack, declare, plan, split, merge, reassign."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from supplies.api_fields import (
    Coded,
    Named,
    Quantity,
    RowField,
    RowInput,
    RowSerializer,
    Strict,
    WholeNumber,
    Words,
)
from supplies.catalogue.keeping import EARTHLY, HazardClass
from supplies.catalogue.models import TransportMode
from supplies.organisations.models import Organisation
from supplies.organisations.tokens import signed_in
from supplies.regions.models import Region
from supplies.shipments import care, legs, packing, rearranging
from supplies.shipments.models import Leg, Shipment, ShipmentLine
from supplies.shipments.permissions import may_book, may_pack
from supplies.shipments.units import HandlingUnit, UnitContent, UnitKind

MOST_UNITS, MOST_LEGS, MOST_LINES = 200, 20, 200
NOT_YOURS_TO_PACK = _("Only its donor, its carrier, or a volunteer, may pack this shipment.")
NOT_YOURS_TO_PLAN = _("Only a volunteer, or a coordinator of where it goes, may plan this shipment.")

# -- What it looks like ------------------------------------------------------------------------------------


class UnitContentSerializer(RowSerializer):
    class Meta:
        model = UnitContent
        fields = ["line", "quantity"]
        read_only_fields = fields


class UnitSerializer(RowSerializer):
    volume_cm3 = WholeNumber(source="volume", allow_null=True)
    contents = UnitContentSerializer(many=True)

    class Meta:
        model = HandlingUnit
        fields = [
            "id",
            "parent",
            "kind",
            "sscc",
            "gross_weight_g",
            "volume_cm3",
            "length_mm",
            "width_mm",
            "height_mm",
            "packed_at",
            "contents",
        ]
        read_only_fields = fields


class LegSerializer(RowSerializer):
    from_region = Coded()
    to_region = Coded()
    carrier = Named()

    class Meta:
        model = Leg
        fields = [
            "sequence",
            "from_region",
            "from_place",
            "to_region",
            "to_place",
            "carrier",
            "mode",
            "waybill",
            "is_shared",
            "planned_departure_at",
            "planned_arrival_at",
            "departed_at",
            "arrived_at",
        ]
        read_only_fields = fields


# -- What may be sent --------------------------------------------------------------------------------------


class PiecesInput(Strict):
    line = serializers.IntegerField(help_text="The id of a line of the shipment.")
    quantity = Quantity()


class UnitInput(Strict):
    kind = serializers.ChoiceField(choices=UnitKind.choices)
    sscc = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="As it stands on the sender's label; empty: the next number of this site.",
    )
    gross_weight_g = Quantity(required=False, allow_null=True)
    volume_cm3 = Quantity(required=False, allow_null=True)
    length_mm = Quantity(required=False, allow_null=True)
    width_mm = Quantity(required=False, allow_null=True)
    height_mm = Quantity(required=False, allow_null=True)
    contents = PiecesInput(many=True, required=False, max_length=MOST_LINES)  # type: ignore[call-arg]
    holds = serializers.ListField(
        child=WholeNumber(),
        required=False,
        max_length=MOST_UNITS,
        help_text="Ids of units packed before that stand on this pallet.",
    )


class PackInput(Strict):
    units = UnitInput(many=True, max_length=MOST_UNITS)  # type: ignore[call-arg]


class UnpackInput(Strict):
    units = serializers.ListField(child=WholeNumber(), min_length=1, max_length=MOST_UNITS)


class DangerInput(Strict):
    line = serializers.IntegerField(help_text="The id of a line of the shipment.")
    un_number = serializers.CharField(max_length=4, allow_blank=True)
    hazard_class = serializers.ChoiceField(choices=HazardClass.choices, allow_blank=True)


class DeclareInput(Strict):
    """What is not sent stays; null takes it back."""

    min_temp_c = WholeNumber(required=False, allow_null=True, min_value=EARTHLY[0], max_value=EARTHLY[1])
    max_temp_c = WholeNumber(required=False, allow_null=True, min_value=EARTHLY[0], max_value=EARTHLY[1])
    gross_weight_g = Quantity(required=False, allow_null=True, source="stated_weight_g")
    volume_cm3 = Quantity(required=False, allow_null=True, source="stated_volume_cm3")
    lines = DangerInput(many=True, required=False, max_length=MOST_LINES)  # type: ignore[call-arg]


class LegInput(RowInput):
    from_region = RowField(queryset=Region.objects.all())
    to_region = RowField(queryset=Region.objects.all())
    carrier = RowField(queryset=Organisation.objects.all())
    mode = RowField(queryset=TransportMode.objects.all(), required=False, allow_null=True)

    class Meta:
        model = Leg
        fields = [
            "from_region",
            "from_place",
            "to_region",
            "to_place",
            "carrier",
            "mode",
            "waybill",
            "planned_departure_at",
            "planned_arrival_at",
        ]


class LegsInput(Strict):
    legs = LegInput(many=True, max_length=MOST_LEGS)  # type: ignore[call-arg]


class SplitInput(Strict):
    lines = PiecesInput(many=True, required=False, max_length=MOST_LINES)  # type: ignore[call-arg]
    units = serializers.ListField(child=WholeNumber(), required=False, max_length=MOST_UNITS)
    reason = Words(max_length=300)


class MergeInput(Strict):
    other = RowField(queryset=Shipment.objects.all())
    reason = Words(max_length=300)


class ReassignInput(RowInput):
    carrier = RowField(queryset=Organisation.objects.all())
    mode = RowField(queryset=TransportMode.objects.all(), required=False, allow_null=True)
    reason = Words(max_length=300)

    class Meta:
        model = Shipment
        fields = ["carrier", "waybill", "mode", "expected_on", "reason"]


# -- What can be done --------------------------------------------------------------------------------------


def _with_lines(parts: list[Any], shipment: Shipment) -> list[dict[str, Any]]:
    """Ids of lines become lines; what is not on the shipment becomes None, which the verb refuses by its place."""
    known: Mapping[int, ShipmentLine] = {line.pk: line for line in shipment.lines.all()}
    return [{**part, "line": known.get(part["line"])} for part in parts]


def _units(ids: list[int]) -> list[HandlingUnit]:
    """By their keys alone: the verb looks under its lock whether they are on the shipment."""
    return [HandlingUnit(pk=key) for key in ids]


class CargoActions:
    """For the viewset of shipments."""

    _allowed: Callable[..., Shipment]
    _given: Callable[..., dict[str, Any]]
    _answer: Callable[..., Response]
    _move: Callable[..., Response]

    @extend_schema(summary="Pack", request=PackInput)
    @action(detail=True, methods=["post"])
    def units(self, request: Request, pk: str) -> Response:
        """Make parcels, cartons and pallets of what is on board, before it leaves."""
        shipment = self._allowed(may_pack, NOT_YOURS_TO_PACK)
        units = [
            {
                **unit,
                "contents": _with_lines(unit.get("contents", []), shipment),
                "holds": _units(unit.get("holds", [])),
            }
            for unit in self._given(PackInput)["units"]
        ]
        packing.pack(shipment, units=units, by=signed_in(request), at=timezone.now())
        return self._answer(shipment)

    @extend_schema(summary="Unpack", request=UnpackInput)
    @action(detail=True, methods=["post"])
    def unpack(self, request: Request, pk: str) -> Response:
        """Take units apart, before it leaves: their pieces are loose again."""
        shipment = self._allowed(may_pack, NOT_YOURS_TO_PACK)
        units = _units(self._given(UnpackInput)["units"])
        return self._answer(packing.unpack(shipment, units=units, by=signed_in(request), at=timezone.now()))

    @extend_schema(summary="State temperature, weight and dangerous goods", request=DeclareInput)
    @action(detail=True, methods=["post"])
    def declare(self, request: Request, pk: str) -> Response:
        """What only the sender knows, before it leaves."""
        shipment = self._allowed(may_pack, NOT_YOURS_TO_PACK)
        given = self._given(DeclareInput)
        given["lines"] = _with_lines(given.get("lines", []), shipment)
        return self._answer(care.declare(shipment, by=signed_in(request), at=timezone.now(), **given))

    @extend_schema(summary="Plan the legs", request=LegsInput)
    @action(detail=True, methods=["post"])
    def legs(self, request: Request, pk: str) -> Response:
        """In order, in place of those planned before; none: one leg from end to end. Before it leaves."""
        shipment = self._allowed(may_book, NOT_YOURS_TO_PLAN)
        return self._answer(
            legs.plan(shipment, by=signed_in(request), at=timezone.now(), **self._given(LegsInput))
        )

    @extend_schema(summary="It reached the hub", request=None)
    @action(detail=True, methods=["post"], url_path="reach-hub")
    def reach_hub(self, request: Request, pk: str) -> Response:
        """The leg under way ends; from now on the carrier of the next one moves the shipment."""
        return self._move(legs.reach_hub)

    @extend_schema(summary="It left the hub", request=None)
    @action(detail=True, methods=["post"], url_path="leave-hub")
    def leave_hub(self, request: Request, pk: str) -> Response:
        """The next leg begins."""
        return self._move(legs.leave_hub)

    @extend_schema(summary="Split", request=SplitInput)
    @action(detail=True, methods=["post"])
    def split(self, request: Request, pk: str) -> Response:
        """Put loose pieces, or whole units, on a shipment of their own, before it leaves. The answer is the new one."""
        shipment = self._allowed(may_book, NOT_YOURS_TO_PLAN)
        given = self._given(SplitInput)
        other = rearranging.split(
            shipment,
            lines=_with_lines(given.get("lines", []), shipment),
            units=_units(given.get("units", [])),
            reason=given["reason"],
            by=signed_in(request),
            at=timezone.now(),
        )
        return self._answer(other)

    @extend_schema(summary="Merge", request=MergeInput)
    @action(detail=True, methods=["post"])
    def merge(self, request: Request, pk: str) -> Response:
        """Take what is on another shipment of the same route into this one; the other is cancelled."""
        shipment = self._allowed(may_book, NOT_YOURS_TO_PLAN)
        return self._answer(
            rearranging.merge(shipment, by=signed_in(request), at=timezone.now(), **self._given(MergeInput))
        )

    @extend_schema(summary="Give it to another carrier", request=ReassignInput)
    @action(detail=True, methods=["post"])
    def reassign(self, request: Request, pk: str) -> Response:
        """What is booked and has not left. The first carrier sees it no longer."""
        shipment = self._allowed(may_book, NOT_YOURS_TO_PLAN)
        given = self._given(ReassignInput)
        return self._answer(rearranging.reassign(shipment, by=signed_in(request), at=timezone.now(), **given))
