"""Shipments with what was counted of them. Shipments themselves do not know that receipts exist."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from supplies.api_fields import Quantity, RowSerializer, Strict, Words
from supplies.organisations.tokens import signed_in
from supplies.receipts import services
from supplies.receipts.models import Receipt, ReceiptLine
from supplies.shipments.api import MOST_LINES, ShipmentSerializer, ShipmentViewSet
from supplies.shipments.models import Shipment
from supplies.shipments.permissions import may_count

# -- What it looks like -----------------------------------------------------------------------------------


class ReceiptLineSerializer(RowSerializer):
    class Meta:
        model = ReceiptLine
        fields = [
            "line",
            "shipped",
            "counted",
            "accepted",
            "damaged",
            "wrong_item",
            "expired",
            "missing",
            "surplus",
        ]
        read_only_fields = fields


class ReceiptSerializer(RowSerializer):
    lines = ReceiptLineSerializer(many=True)

    class Meta:
        model = Receipt
        fields = ["id", "at", "note", "lines"]
        read_only_fields = fields


@extend_schema_serializer(component_name="Shipment")
class CountedShipmentSerializer(ShipmentSerializer):
    receipt = ReceiptSerializer(allow_null=True)

    class Meta(ShipmentSerializer.Meta):
        fields = [*ShipmentSerializer.Meta.fields, "receipt"]
        read_only_fields = fields

    def to_representation(self, shipment: Shipment) -> dict[str, Any]:
        if not hasattr(shipment, "receipt"):
            shipment._state.fields_cache["receipt"] = None
        return super().to_representation(shipment)


# -- What may be sent --------------------------------------------------------------------------------------


class CountInput(Strict):
    """The count of one line; what is absent is zero, and what is missing follows from what was shipped."""

    line = serializers.IntegerField(help_text="The id of a line of the shipment.")
    accepted = Quantity(required=False, min_value=0)
    damaged = Quantity(required=False, min_value=0)
    wrong_item = Quantity(required=False, min_value=0)
    expired = Quantity(required=False, min_value=0)


class ReceiptInput(Strict):
    lines = CountInput(many=True, max_length=MOST_LINES)  # type: ignore[call-arg]
    note = Words(required=False, allow_blank=True, max_length=500)


# -- What can be done ----------------------------------------------------------------------------------------


class CountedShipmentViewSet(ShipmentViewSet):
    __doc__ = ShipmentViewSet.__doc__

    serializer_class = CountedShipmentSerializer

    def get_queryset(self) -> QuerySet[Shipment]:
        rows = super().get_queryset()
        if self.action == "events":
            return rows
        counts = Prefetch("receipt__lines", ReceiptLine.objects.order_by("pk"))
        return rows.select_related("receipt").prefetch_related(counts)

    @extend_schema(summary="Count what arrived", request=ReceiptInput)
    @action(detail=True, methods=["post"])
    def receive(self, request: Request, pk: str) -> Response:
        """The hospital's count of every line. What is not accepted is needed again."""
        shipment = self._allowed(may_count, _("Only the hospital, or a volunteer, may count what arrived."))
        given = self._given(ReceiptInput)
        lines = {line.pk: line for line in shipment.lines.all()}
        counts = [{**count, "line": lines.get(count["line"])} for count in given["lines"]]
        services.receive(
            shipment, counts=counts, note=given.get("note", ""), by=signed_in(request), at=timezone.now()
        )
        return self._answer(shipment)
