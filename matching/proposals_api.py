"""Proposals over the API: what runs suggest, the answers to it, what was approved otherwise, what may travel together."""

from collections.abc import Callable
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

from matching import services
from matching.deviations import deviations
from matching.models import BLOBS, DEVIATES, DeviationKind, DeviationReason, Proposal, ProposalStatus
from matching.permissions import (
    NOT_A_VOLUNTEER,
    may_allocate_by_hand,
    may_answer_for_donor,
    may_answer_for_hospital,
    may_approve,
    may_decline,
)
from matching.sentences import facts, sentences
from matching.shipping import SHOWN, suggestions
from supplies.api_fields import (
    Coded,
    Day,
    DayFilter,
    Named,
    Quantity,
    Readable,
    Reason,
    RowField,
    RowSerializer,
    Strict,
    WholeNumber,
    Words,
)
from supplies.emergencies.models import Emergency
from supplies.errors import NotYours
from supplies.needs.models import Need, Urgency
from supplies.offers.models import Offer
from supplies.organisations.keys import Scope
from supplies.organisations.permissions import may_watch
from supplies.organisations.tokens import HasScope, signed_in

NOT_ASKED = _("Only the donor and the hospital can say that they agree.")


class ProposalSerializer(RowSerializer):
    run = serializers.UUIDField(
        source="family_run.run_id", allow_null=True, help_text="Null for one that was made by hand."
    )
    emergency = serializers.CharField(source="need.appeal.emergency_id")
    item = Coded(source="need.item", help_text="What is asked for.")
    offered_item = Coded(source="offer.item")
    urgency = serializers.IntegerField(source="need.urgency")
    needed_by = serializers.DateField(source="need.needed_by")
    facility = Named(source="need.appeal.facility")
    region = Coded(source="need.appeal.facility.region")
    donor = Named(source="offer.donation.organisation")
    from_region = Coded(source="offer.donation.region")
    quantity = WholeNumber(source="quantity_approved", help_text="What is meant to be sent.")
    quantity_proposed = WholeNumber(
        source="quantity", help_text="What the run proposed; `quantity` is less where fewer were approved."
    )
    unit = serializers.CharField(source="need.item.base_unit_id", help_text="What the quantity counts.")
    shown = serializers.SerializerMethodField(help_text="The quantity in shown_unit, as a decimal string.")
    shown_unit = serializers.CharField(source="need.item.display_unit_id")
    needs_hospital_yes = serializers.BooleanField()
    why = serializers.SerializerMethodField(help_text="Sentences in the reader's language.")
    facts = serializers.SerializerMethodField(help_text="The same as numbers and codes.")

    class Meta:
        model = Proposal
        fields = [
            "id",
            "run",
            "place",
            "is_by_hand",
            "status",
            "emergency",
            "need",
            "offer",
            "item",
            "offered_item",
            "urgency",
            "needed_by",
            "facility",
            "region",
            "donor",
            "from_region",
            "quantity",
            "quantity_proposed",
            "unit",
            "shown",
            "shown_unit",
            "km",
            "days",
            "is_conditional",
            "condition",
            "why",
            "facts",
            "created_at",
            "expires_at",
            "approved_at",
            "donor_said_yes_at",
            "donor_consent",
            "needs_hospital_yes",
            "hospital_said_yes_at",
            "ended_because",
            "allocation",
        ]
        read_only_fields = fields

    def get_shown(self, proposal: Proposal) -> str:
        return proposal.need.item.written(proposal.quantity_approved)

    def get_why(self, proposal: Proposal) -> list[str]:
        return sentences(proposal)

    def get_facts(self, proposal: Proposal) -> dict[str, Any]:
        return facts(proposal)


class DeviationSerializer(RowSerializer):
    """An approval that departs from what a run proposed, or was made by hand."""

    proposal = serializers.UUIDField(source="pk")
    run = serializers.UUIDField(source="family_run.run_id", allow_null=True)
    emergency = serializers.CharField(source="need.appeal.emergency_id")
    item = serializers.CharField(source="need.item_id")
    facility = Named(source="need.appeal.facility")
    donor = Named(source="offer.donation.organisation")
    kinds = serializers.ListField(
        child=serializers.ChoiceField(choices=DeviationKind.choices), source="deviates"
    )
    reason = serializers.ChoiceField(choices=DeviationReason.choices, source="deviation")
    note = Words(source="deviation_note")
    quantity_proposed = WholeNumber(source="quantity")
    quantity_approved = WholeNumber()
    unit = serializers.CharField(source="need.item.base_unit_id")

    class Meta:
        model = Proposal
        fields = [
            "proposal",
            "run",
            "place",
            "status",
            "emergency",
            "item",
            "facility",
            "donor",
            "kinds",
            "reason",
            "note",
            "quantity_proposed",
            "quantity_approved",
            "unit",
            "passed_over",
            "approved_at",
            "approved_by",
        ]
        read_only_fields = fields


class SuggestedGoods(Readable):
    item = serializers.CharField(source="item.pk", help_text="What is sent, a substitute too.")
    quantity = WholeNumber()
    unit = serializers.CharField(source="item.base_unit_id", help_text="What the quantity counts.")


class SuggestedLoad(Readable):
    """What one shipment from this donor can carry."""

    donor = Named()
    proposals = serializers.ListField(child=serializers.UUIDField())
    items = SuggestedGoods(source="goods", many=True)


class SuggestedShipment(Readable):
    """Two proposals or more that may leave one city for one facility together."""

    from_region = Coded(source="place", help_text="The city; where the donor stated only more, that.")
    facility = Named()
    urgency = WholeNumber(help_text="Of its most urgent need.")
    needed_by = Day(help_text="The earliest day among its needs.")
    km = WholeNumber(help_text="The longest of their ways.")
    loads = SuggestedLoad(many=True)


class SuggestedShipments(serializers.Serializer):
    results = SuggestedShipment(many=True, help_text=f"At most {SHOWN}.")
    more = serializers.IntegerField(help_text="How many there are besides.")


class ApprovalInput(Strict):
    """Nothing has to be sent, unless the approval departs from what was proposed."""

    quantity = Quantity(required=False, help_text="Fewer than proposed; base units, whole packs.")
    reason = serializers.ChoiceField(
        choices=DeviationReason.choices,
        required=False,
        help_text="Why fewer, or why before a more urgent proposal of the same goods that waits.",
    )
    note = Words(required=False, allow_blank=True, max_length=300)


class ByHandInput(Strict):
    need = RowField(queryset=Need.objects.all())
    offer = RowField(queryset=Offer.objects.all())
    quantity = Quantity(help_text="Base units, whole packs.")
    reason = serializers.ChoiceField(choices=DeviationReason.choices)
    note = Words(required=False, allow_blank=True, max_length=300)


class AgreementInput(Strict):
    side = serializers.ChoiceField(
        choices=["donor", "hospital"], required=False, help_text="Whom you answer for, if you act for both."
    )


class ProposalFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=ProposalStatus.choices)
    emergency = django_filters.ModelChoiceFilter(
        queryset=Emergency.objects.all(), field_name="need__appeal__emergency"
    )
    urgency = django_filters.ChoiceFilter(choices=Urgency.choices, field_name="need__urgency")
    run = django_filters.UUIDFilter(field_name="family_run__run_id")
    need = django_filters.UUIDFilter(field_name="need_id")
    offer = django_filters.UUIDFilter(field_name="offer_id")

    class Meta:
        model = Proposal
        fields: list[str] = []


class DeviationFilter(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=DeviationKind.choices, method="in_this_way")
    reason = django_filters.ChoiceFilter(choices=DeviationReason.choices, field_name="deviation")
    emergency = django_filters.ModelChoiceFilter(
        queryset=Emergency.objects.all(), field_name="need__appeal__emergency"
    )
    since = DayFilter(
        field_name="approved_at", lookup_expr="date__gte", label=_("Approved on this day or later.")
    )

    class Meta:
        model = Proposal
        fields: list[str] = []

    def in_this_way(self, queryset: Any, name: str, kind: str) -> QuerySet[Proposal]:
        return queryset.filter(DEVIATES[DeviationKind(kind)])  # type: ignore[no-any-return]


class SuggestionFilter(django_filters.FilterSet):
    emergency = django_filters.ModelChoiceFilter(
        queryset=Emergency.objects.all(), field_name="need__appeal__emergency"
    )

    class Meta:
        model = Proposal
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="Proposals"), retrieve=extend_schema(summary="A proposal"))
class ProposalViewSet(mixins.CreateModelMixin, ReadOnlyModelViewSet):
    """What runs suggest, most urgent first. The two sides see a proposal once a volunteer has approved it."""

    serializer_class, filterset_class = ProposalSerializer, ProposalFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = Proposal.objects.all()
    scope = Scope.MATCHING

    def get_queryset(self) -> QuerySet[Proposal]:
        rows = Proposal.objects.visible_to(self.request.user).with_sides()
        return rows.select_related("family_run__run").defer(*BLOBS).most_urgent_first()

    @extend_schema(summary="Allocate by hand", request=ByHandInput, responses={201: ProposalSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Brings a need and an offer together outside any run, by the same rules, and approves it; both sides are asked as
        always. Not for who posted either side. Appears among the deviations."""
        given = ByHandInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        if not may_allocate_by_hand(request.user, given.validated_data["need"]):
            raise NotYours(NOT_A_VOLUNTEER)
        made = services.allocate_by_hand(by=signed_in(request), at=timezone.now(), **given.validated_data)
        return self._shown(made, status.HTTP_201_CREATED)

    @extend_schema(summary="Deviations", responses=DeviationSerializer(many=True))
    @action(detail=False, filterset_class=DeviationFilter, serializer_class=DeviationSerializer)
    def deviations(self, request: Request) -> Response:
        """What was approved otherwise than a run proposed, the newest first. For those who watch over all."""
        if not may_watch(request.user):
            raise NotYours(NOT_A_VOLUNTEER)
        rows = self.filter_queryset(deviations().visible_to(request.user))
        return self.get_paginated_response(self.get_serializer(self.paginate_queryset(rows), many=True).data)

    @extend_schema(summary="Suggested shipments", responses=SuggestedShipments, filters=True)
    @action(detail=False, filterset_class=SuggestionFilter, pagination_class=None)
    def suggested_shipments(self, request: Request) -> Response:
        """Which of the proposals that you can see may leave one city for one facility together: those that are pending, and
        those that are agreed but on no shipment yet. The most urgent first, then those of most proposals."""
        rows = Proposal.objects.visible_to(request.user)
        found, more = suggestions(self.filter_queryset(rows))
        return Response(SuggestedShipments({"results": found, "more": more}).data)

    @extend_schema(summary="Say yes", request=None, responses=ProposalSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Whoever you are: a volunteer approves an open proposal; a side agrees to an approved one."""
        proposal = self.get_object()
        if proposal.status == ProposalStatus.OPEN and may_approve(request.user, proposal):
            return self._say(services.approve, proposal)
        return self._say(self._yes_of_a_side(proposal), proposal)

    @extend_schema(summary="Approve", request=ApprovalInput, responses=ProposalSerializer)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """A volunteer who posted neither side approves; agreed at once where nobody else has to be asked.

        To approve fewer, or before a more urgent proposal of the same goods that waits, takes a reason.
        """
        proposal = self.get_object()
        if not may_approve(request.user, proposal):
            raise NotYours(NOT_A_VOLUNTEER)
        given = ApprovalInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return self._say(services.approve, proposal, **given.validated_data)

    @extend_schema(summary="Agree", request=AgreementInput, responses=ProposalSerializer)
    @action(detail=True, methods=["post"])
    def agree(self, request: Request, pk: str) -> Response:
        """The donor's yes, or the hospital's to a substitute. With the last yes it becomes an allocation."""
        proposal = self.get_object()
        given = AgreementInput(data=request.data)
        given.is_valid(raise_exception=True)
        return self._say(self._yes_of_a_side(proposal, given.validated_data.get("side")), proposal)

    @extend_schema(summary="Decline", request=Reason, responses=ProposalSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """With a reason; the pair is not proposed again."""
        proposal = self.get_object()
        if not may_decline(request.user, proposal):
            raise NotYours(NOT_ASKED)
        given = Reason(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        return self._say(services.decline, proposal, reason=given.validated_data["reason"])

    def _yes_of_a_side(self, proposal: Proposal, side: str | None = None) -> Callable[..., Proposal]:
        rules = {
            "donor": (may_answer_for_donor, services.agree_for_donor, proposal.donor_said_yes_at),
            "hospital": (may_answer_for_hospital, services.agree_for_hospital, proposal.hospital_said_yes_at),
        }
        ours = [name for name, (rule, *_rest) in rules.items() if rule(self.request.user, proposal)]
        if not ours or (side and side not in ours):
            raise NotYours(NOT_ASKED)
        still_asked = [name for name in ours if rules[name][2] is None] or ours
        if side is None and len(still_asked) > 1:
            raise serializers.ValidationError(
                {"side": [_("You act for both sides. Say for which one you answer: donor or hospital.")]}
            )
        return rules[side or still_asked[0]][1]

    def _say(self, verb: Callable[..., Proposal], proposal: Proposal, **details: Any) -> Response:
        return self._shown(verb(proposal, by=signed_in(self.request), at=timezone.now(), **details))

    def _shown(self, proposal: Proposal, code: int = status.HTTP_200_OK) -> Response:
        # Read anew, not through visible_to: who said no may not see it any more, but is told what became of it.
        rows = Proposal.objects.with_sides().select_related("family_run__run").defer(*BLOBS)
        return Response(self.get_serializer(rows.get(pk=proposal.pk)).data, status=code)
