"""Shipments with what was counted of them, which shipments themselves do not know; and the tickets to their senders."""

from io import BytesIO
from typing import Any
from uuid import UUID

import django_filters
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema, extend_schema_serializer, extend_schema_view
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from supplies.api_fields import Coded, Named, Quantity, Readable, RowField, RowSerializer, Strict, Words
from supplies.attachments.models import Attachment, Kind
from supplies.errors import NotYours
from supplies.organisations.keys import Scope
from supplies.organisations.models import Facility
from supplies.organisations.permissions import may_coordinate
from supplies.organisations.tokens import HasScope, signed_in
from supplies.receipts import services, thanking
from supplies.receipts.models import (
    DiscrepancyTicket,
    Outcome,
    Receipt,
    ReceiptLine,
    Refusal,
    Thanks,
    TicketStatus,
)
from supplies.receipts.permissions import may_answer, may_reroute, may_settle
from supplies.shipments import rerouting
from supplies.shipments.api import MOST_LINES, ShipmentSerializer, ShipmentViewSet
from supplies.shipments.models import Shipment, ShipmentQuerySet
from supplies.shipments.permissions import may_count, may_move

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
            "refused",
            "refusal",
            "refusal_words",
            "missing",
            "surplus",
        ]
        read_only_fields = fields


class ReceiptSerializer(RowSerializer):
    lines = ReceiptLineSerializer(many=True)

    class Meta:
        model = Receipt
        fields = ["id", "at", "note", "corrects", "because", "lines"]
        read_only_fields = fields


@extend_schema_serializer(component_name="Shipment")
class CountedShipmentSerializer(ShipmentSerializer):
    consignee_is_paused = serializers.BooleanField(
        source="consignee.is_paused",
        help_text="It is not accepting goods for now: ask a coordinator where it goes.",
    )
    receipt = ReceiptSerializer(
        allow_null=True, help_text="The count that holds; what was delivered is not accepted before it."
    )

    class Meta(ShipmentSerializer.Meta):
        fields = [*ShipmentSerializer.Meta.fields, "rerouted_because", "consignee_is_paused", "receipt"]
        read_only_fields = fields

    def to_representation(self, shipment: Shipment) -> dict[str, Any]:
        shipment.receipt = next(iter(shipment.receipts.all()), None)  # type: ignore[attr-defined] # read with it
        return super().to_representation(shipment)


class ProofSerializer(RowSerializer):
    """A picture that was kept. What a camera writes beside it (place, time, owner) was taken off."""

    class Meta:
        model = Attachment
        fields = ["id", "kind", "media_type", "size", "at"]
        read_only_fields = fields


class ThanksSerializer(RowSerializer):
    words = Words()

    class Meta:
        model = Thanks
        fields = ["words", "at"]
        read_only_fields = fields


class TicketSerializer(RowSerializer):
    consignor = Named(source="shipment.consignor")
    consignee = Named(source="shipment.consignee")
    kind = serializers.CharField(source="discrepancy.kind")
    item = Coded(source="discrepancy.receipt_line.line.allocation.offer.item")
    quantity = serializers.IntegerField(source="discrepancy.quantity")
    unit = serializers.CharField(source="discrepancy.receipt_line.line.allocation.offer.item.base_unit_id")

    class Meta:
        model = DiscrepancyTicket
        fields = [
            "id",
            "shipment",
            "status",
            "consignor",
            "consignee",
            "kind",
            "item",
            "quantity",
            "unit",
            "opened_at",
            "proposed",
            "answer",
            "answered_at",
            "outcome",
            "settlement",
            "settled_at",
        ]
        read_only_fields = fields


class LackingSerializer(Readable):
    need = serializers.UUIDField(source="pk")
    item = Coded()
    lacking = serializers.IntegerField()
    unit = serializers.CharField(source="item.base_unit_id")


class CandidateSerializer(Readable):
    """A facility that lacks everything on board."""

    facility = Named()
    region = Coded(source="facility.region")
    lacks = LackingSerializer(many=True)


# -- What may be sent --------------------------------------------------------------------------------------


class CountInput(Strict):
    """The count of one line; what is absent is zero, and what is missing follows from what was shipped."""

    line = serializers.IntegerField(help_text="The id of a line of the shipment.")
    accepted = Quantity(required=False, min_value=0)
    damaged = Quantity(required=False, min_value=0)
    wrong_item = Quantity(required=False, min_value=0)
    expired = Quantity(required=False, min_value=0)
    refused = Quantity(
        required=False, min_value=0, help_text="Whole and as promised, but not taken: say why."
    )
    refusal = serializers.ChoiceField(choices=Refusal.choices, required=False, allow_blank=True)
    refusal_words = Words(required=False, allow_blank=True, max_length=200)


class ReceiptInput(Strict):
    lines = CountInput(many=True, max_length=MOST_LINES)  # type: ignore[call-arg]
    note = Words(required=False, allow_blank=True, max_length=500)
    received_by = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=80,
        help_text="Who signed. Sealed, and shown in no answer.",
    )


class CorrectionInput(ReceiptInput):
    because = Words(max_length=300, help_text="What was wrong with the count before.")


class ProofInput(Strict):
    file = serializers.FileField(
        allow_empty_file=True,  # refused with a sentence of its own
        use_url=False,
        help_text="JPEG, PNG, WebP or PDF, by its content whatever it is called; 5,000,000 bytes at most.",
    )
    kind = serializers.ChoiceField(
        choices=[(kind.value, kind.label) for kind in (Kind.PHOTO, Kind.SIGNATURE)], default=Kind.PHOTO
    )


class ThanksInput(Strict):
    words = Words(
        max_length=500, help_text="Whoever has the code of the shipment or of the donation reads it."
    )


class RerouteInput(Strict):
    to = RowField(queryset=Facility.objects.all())
    reason = Words(max_length=300)


class AnswerInput(Strict):
    proposed = serializers.ChoiceField(choices=Outcome.choices)
    answer = Words(required=False, allow_blank=True, max_length=1000)


class SettleInput(Strict):
    outcome = serializers.ChoiceField(choices=Outcome.choices)
    note = Words(required=False, allow_blank=True, max_length=300)


# -- How lists are narrowed --------------------------------------------------------------------------------


class TicketFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=TicketStatus.choices)
    shipment = django_filters.ModelChoiceFilter(
        queryset=lambda request: (
            Shipment.objects.visible_to(request.user) if request else Shipment.objects.none()
        )
    )

    class Meta:
        model = DiscrepancyTicket
        fields: list[str] = []


# -- What can be done ----------------------------------------------------------------------------------------


class CountedShipmentViewSet(ShipmentViewSet):
    __doc__ = ShipmentViewSet.__doc__

    serializer_class = CountedShipmentSerializer

    def _whole(self, shipments: ShipmentQuerySet) -> QuerySet[Shipment]:
        lines = Prefetch("lines", ReceiptLine.objects.order_by("pk"))
        counts = Prefetch("receipts", Receipt.objects.standing().prefetch_related(lines))
        return super()._whole(shipments).prefetch_related(counts)

    @extend_schema(summary="Count what arrived", request=ReceiptInput)
    @action(detail=True, methods=["post"])
    def receive(self, request: Request, pk: str) -> Response:
        """The hospital's count of every line. What is not accepted is needed again, and a ticket to the sender."""
        return self._count(services.receive, ReceiptInput)

    @extend_schema(summary="Correct a count", request=CorrectionInput)
    @action(detail=True, methods=["post"])
    def correct(self, request: Request, pk: str) -> Response:
        """Every line anew, and what was wrong. What was received moves by the difference; the first count is kept."""
        return self._count(services.correct, CorrectionInput)

    @extend_schema(
        methods=["GET"],
        operation_id="shipments_thanks_retrieve",
        summary="The hospital's thanks",
        responses=ThanksSerializer,
    )
    @extend_schema(
        methods=["POST"],
        operation_id="shipments_thanks_create",
        summary="Say thanks",
        request=ThanksInput,
        responses=ThanksSerializer,
    )
    @action(detail=True, methods=["get", "post"], filterset_class=None)
    def thanks(self, request: Request, pk: str) -> Response:
        """Once it was counted, in place of what was said before. 404 where none are shown."""
        if request.method == "GET":
            shown = Thanks.objects.shown().filter(shipment=self.get_object()).first()
            if shown is None:
                raise Http404
        else:
            shipment = self._allowed(may_count, _("Only the hospital, or a volunteer, may say thanks."))
            given = self._given(ThanksInput)
            shown = thanking.thank(shipment, by=signed_in(request), at=timezone.now(), **given)
        return Response(ThanksSerializer(shown, context=self.get_serializer_context()).data)

    def _count(self, verb: Any, form: type[ReceiptInput]) -> Response:
        shipment = self._allowed(may_count, _("Only the hospital, or a volunteer, may count what arrived."))
        given = self._given(form)
        lines = {line.pk: line for line in shipment.lines.all()}
        given["counts"] = [{**count, "line": lines.get(count["line"])} for count in given.pop("lines")]
        verb(shipment, by=signed_in(self.request), at=timezone.now(), **given)
        return self._answer(shipment)

    @extend_schema(
        summary="Where it could go instead", filters=False, responses=CandidateSerializer(many=True)
    )
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=None)
    def candidates(self, request: Request, pk: str) -> Response:
        """Facilities that lack everything on board, the most urgent first; none where it is not under way."""
        shipment = self._allowed(may_reroute)
        found = [
            one
            for one in rerouting.candidates(shipment, user=signed_in(request))
            if may_coordinate(request.user, one.facility)
        ]
        return Response(CandidateSerializer(found, many=True, context=self.get_serializer_context()).data)

    @extend_schema(summary="Send it to another facility", request=RerouteInput)
    @action(detail=True, methods=["post"])
    def reroute(self, request: Request, pk: str) -> Response:
        """Whole or not at all: its first needs are open again. The sender, the carrier and both hospitals are told."""
        shipment = self._allowed(may_reroute)
        given = self._given(RerouteInput)
        if not may_coordinate(request.user, given["to"]):
            raise NotYours(_("You may not do this here; it lies outside your regions."))
        return self._answer(rerouting.reroute(shipment, by=signed_in(request), at=timezone.now(), **given))


class ProofsView(APIView):
    """Photographs of the goods and signatures, of a shipment and of its count."""

    permission_classes = [IsAuthenticated, HasScope]
    scope = Scope.SHIPMENTS
    parser_classes = [MultiPartParser]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """The body is kept whole, or nobody could compare it later, or run it again. Django by itself would keep no more of
        it than of any other; how large it may be was decided before."""
        if not hasattr(request, "_body"):
            request._body = request.read()  # type: ignore[attr-defined]
            request._stream = BytesIO(request._body)  # type: ignore[attr-defined]
        return super().initialize_request(request, *args, **kwargs)

    @extend_schema(summary="Pictures of a shipment", responses=ProofSerializer(many=True))
    def get(self, request: Request, pk: UUID) -> Response:
        """Which were handed in; signatures for the hospital and the desk alone. They are opened on the page of the shipment."""
        shipment = self._shipment()
        files = Attachment.objects.about(shipment).kept().oldest_first()
        if not may_count(request.user, shipment):
            files = files.filter(kind=Kind.PHOTO)
        return Response(ProofSerializer(files, many=True).data)

    @extend_schema(
        summary="Hand in a picture",
        request={"multipart/form-data": ProofInput},
        responses={201: ProofSerializer},
    )
    def post(self, request: Request, pk: UUID) -> Response:
        """By who moves or counts the shipment; of what was asked about in a ticket as well. The same picture again is the one
        that is there."""
        shipment = self._shipment()
        if not (may_count(request.user, shipment) or may_move(request.user, shipment)):
            raise NotYours(_("Only who moves or counts a shipment may hand in pictures of it."))
        given = ProofInput(data=request.data, context={"request": request})
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        proof = services.keep_proof(
            shipment,
            file.file,
            size=file.size,
            kind=given.validated_data["kind"],
            by=signed_in(request),
            at=timezone.now(),
        )
        return Response(ProofSerializer(proof).data, status=status.HTTP_201_CREATED)

    def _shipment(self) -> Shipment:
        rows = Shipment.objects.visible_to(self.request.user).select_related(
            "carrier", "consignee__organisation", "consignee__region"
        )
        return get_object_or_404(rows, pk=self.kwargs["pk"])


@extend_schema_view(
    list=extend_schema(summary="Tickets to senders"), retrieve=extend_schema(summary="A ticket to a sender")
)
class TicketViewSet(ReadOnlyModelViewSet):
    """What did not arrive as promised: asked of the sender, answered, settled. For both ends of the shipment."""

    serializer_class, filterset_class = TicketSerializer, TicketFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = DiscrepancyTicket.objects.all()
    scope = Scope.SHIPMENTS

    def get_queryset(self) -> QuerySet[DiscrepancyTicket]:
        return DiscrepancyTicket.objects.visible_to(self.request.user).with_goods().newest_first()

    @extend_schema(summary="Answer as the sender", request=AnswerInput)
    @action(detail=True, methods=["post"], filterset_class=None)
    def answer(self, request: Request, pk: str) -> Response:
        """What the sender proposes. Only she can say that she has the goods again."""
        return self._do(services.answer, may_answer, _("Only the sender may answer."), AnswerInput)

    @extend_schema(summary="Settle", request=SettleInput)
    @action(detail=True, methods=["post"], filterset_class=None)
    def settle(self, request: Request, pk: str) -> Response:
        """How it ended. What is credited is the sender's to promise again."""
        return self._do(
            services.settle, may_settle, _("Only the hospital, or a volunteer, may settle this."), SettleInput
        )

    def _do(self, verb: Any, rule: Any, otherwise: Any, form: type[Strict]) -> Response:
        ticket = self.get_object()
        if not rule(self.request.user, ticket):
            raise NotYours(otherwise)
        given = form(data=self.request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        verb(ticket, by=signed_in(self.request), at=timezone.now(), **given.validated_data)
        return Response(self.get_serializer(self.get_object()).data)
