from collections.abc import Callable
from typing import Any

import django_filters
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from matching import services
from matching.deviations import deviations
from matching.lookup import MOST_TEXT, Asked, look_up
from matching.models import (
    BLOBS,
    DEVIATES,
    DeviationKind,
    DeviationReason,
    FamilyRun,
    Lack,
    MatchingPolicy,
    MatchingRun,
    Proposal,
    ProposalStatus,
    RunStatus,
    Shortfall,
    Trigger,
)
from matching.permissions import (
    may_allocate_by_hand,
    may_answer_for_donor,
    may_answer_for_hospital,
    may_approve,
    may_decline,
    may_run,
)
from matching.results import summary
from matching.sentences import facts, sentences, until, why_short
from matching.shipping import SHOWN, suggestions
from supplies.api_fields import (
    Coded,
    Day,
    DayFilter,
    Moment,
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
from supplies.catalogue.models import Item, Standard
from supplies.emergencies.models import Emergency
from supplies.errors import NotYours
from supplies.needs.models import Need, Setting, Urgency
from supplies.offers.models import Offer
from supplies.organisations.models import Scope
from supplies.organisations.permissions import may_watch
from supplies.organisations.tokens import HasScope, signed_in

NOT_A_VOLUNTEER = _("Only a volunteer or coordinator may do that.")
NOT_ASKED = _("Only the donor and the hospital can say that they agree.")

# -- Runs -------------------------------------------------------------------------------------------------


class FamilyRunSerializer(RowSerializer):
    class Meta:
        model = FamilyRun
        fields = [
            "family",
            "status",
            "needs",
            "offers",
            "proposals",
            "units",
            "kept",
            "superseded",
            "stale",
            "seconds",
            "shortfalls",
            "failure",
        ]
        read_only_fields = fields


class UrgencyFill(serializers.Serializer):
    """Units of one class of urgency: still wanted, served before the run, proposed by it; the fill from 0 to 1."""

    needs = serializers.IntegerField()
    wanted = serializers.IntegerField()
    served = serializers.IntegerField()
    proposed = serializers.IntegerField()
    fill_before = serializers.FloatField(allow_null=True)
    fill_after = serializers.FloatField(allow_null=True)


class RunSummary(serializers.Serializer):
    needs = serializers.IntegerField()
    offers = serializers.IntegerField()
    proposals = serializers.IntegerField()
    units = serializers.IntegerField()
    kept = serializers.IntegerField(help_text="Proposals of earlier runs that stay.")
    superseded = serializers.IntegerField(help_text="Proposals of earlier runs taken back for better ones.")
    stale = serializers.IntegerField(help_text="Left out because a need or an offer changed meanwhile.")
    failed = serializers.IntegerField(help_text="Families that could not be matched.")
    by_urgency = serializers.DictField(child=UrgencyFill())
    shortfalls = serializers.DictField(
        child=serializers.IntegerField(), help_text="Reason to number of needs."
    )
    seconds = serializers.DictField(child=serializers.FloatField())


class MatchingRunSerializer(RowSerializer):
    class Meta:
        model = MatchingRun
        fields = [
            "id",
            "emergency",
            "status",
            "trigger",
            "policy",
            "only",
            "is_dry",
            "as_of",
            "editions",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields


class MatchingRunDetailSerializer(MatchingRunSerializer):
    summary = serializers.SerializerMethodField()
    families = FamilyRunSerializer(many=True)

    class Meta(MatchingRunSerializer.Meta):
        fields = [*MatchingRunSerializer.Meta.fields, "summary", "families"]
        read_only_fields = fields

    @extend_schema_field(RunSummary)
    def get_summary(self, run: MatchingRun) -> dict[str, Any]:
        return dict(RunSummary(summary(run)).data)


class MatchingRunInput(Strict):
    emergency = RowField(queryset=Emergency.objects.all())
    policy = RowField(queryset=MatchingPolicy.objects.offered(), required=False)
    families = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=200, help_text="All if absent."
    )
    is_dry = serializers.BooleanField(required=False, help_text="Compute and count; propose nothing.")


class MatchingRunFilter(django_filters.FilterSet):
    emergency = django_filters.ModelChoiceFilter(queryset=Emergency.objects.all())
    status = django_filters.ChoiceFilter(choices=RunStatus.choices)
    trigger = django_filters.ChoiceFilter(choices=Trigger.choices)

    class Meta:
        model = MatchingRun
        fields: list[str] = []


@extend_schema_view(list=extend_schema(summary="Matching runs"))
class MatchingRunViewSet(mixins.CreateModelMixin, ReadOnlyModelViewSet):
    """The matching of an emergency, done by workers. For volunteers, coordinators and auditors."""

    serializer_class, filterset_class = MatchingRunSerializer, MatchingRunFilter
    permission_classes = [IsAuthenticated, HasScope]
    queryset = MatchingRun.objects.all()
    scope = Scope.MATCHING

    def get_queryset(self) -> QuerySet[MatchingRun]:
        rows = MatchingRun.objects.visible_to(self.request.user).newest_first()
        if self.action == "list":
            return rows
        families = FamilyRun.objects.defer("problem", "plan", "rows").order_by("family")
        return rows.prefetch_related(Prefetch("families", families))

    @extend_schema(summary="A matching run", responses=MatchingRunDetailSerializer)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With what came of it: counts, units, fill by urgency and seconds by phase."""
        return self._detail(self.get_object())

    @extend_schema(
        summary="Start a matching run", request=MatchingRunInput, responses={201: MatchingRunDetailSerializer}
    )
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Queues the run; workers take it up at once. Read it again to see how it goes."""
        if not may_run(request.user):
            raise NotYours(NOT_A_VOLUNTEER)
        given = MatchingRunInput(data=request.data, context=self.get_serializer_context())
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        emergency = values.pop("emergency")
        if "policy" in values:
            values["policy"] = values["policy"].pk
        run = services.start(
            emergency, trigger=Trigger.HAND, by=signed_in(request), at=timezone.now(), **values
        )
        return self._detail(self.get_queryset().get(pk=run.pk), status.HTTP_201_CREATED)

    def _detail(self, run: MatchingRun, code: int = status.HTTP_200_OK) -> Response:
        return Response(
            MatchingRunDetailSerializer(run, context=self.get_serializer_context()).data, status=code
        )


# -- Proposals --------------------------------------------------------------------------------------------


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


# -- Shortfalls -------------------------------------------------------------------------------------------


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


# -- What goods are good for --------------------------------------------------------------------------------


class CheckInput(Strict):
    """What somebody has: q, or the code of an item or a standard. Without any of them the answer asks what it is."""

    q = serializers.CharField(
        required=False,
        max_length=MOST_TEXT,
        help_text="What it is, what is printed on it, what a scanner sends: in any order.",
    )
    item = RowField(
        queryset=Item.objects.active(),
        required=False,
        help_text="The code of an item, where the answer asked which.",
    )
    standard = RowField(
        queryset=Standard.objects.all(),
        required=False,
        help_text="The code of a standard, where the answer asked which.",
    )
    sterile = serializers.ChoiceField(choices=["yes", "no"], required=False, help_text="Absent: not known.")
    valve = serializers.ChoiceField(choices=["yes", "no"], required=False, help_text="Absent: not known.")
    expires = Day(required=False)
    setting = serializers.ChoiceField(
        choices=Setting.choices, required=False, help_text="Absent: everywhere."
    )
    country = serializers.RegexField(
        r"^[A-Z]{2}\Z",
        required=False,
        default="CN",
        help_text="Whose rules: a code of ISO 3166-1, or EU.",
    )

    @property
    def asked(self) -> Asked:
        values, answers = self.validated_data, {"yes": True, "no": False}
        return Asked(
            text=values.get("q", ""),
            item=values["item"].pk if "item" in values else "",
            standard=values["standard"].pk if "standard" in values else "",
            sterile=answers.get(values.get("sterile")),
            has_valve=answers.get(values.get("valve")),
            expires_on=values.get("expires"),
            setting=values.get("setting", ""),
            country=values["country"],
        )


class CheckRemark(serializers.Serializer):
    code = serializers.CharField(help_text="Stable, for programs.")
    text = serializers.CharField(help_text="For people.")


class CheckPart(serializers.Serializer):
    name = serializers.CharField(source="label")
    says = serializers.CharField()


class CheckAddress(serializers.Serializer):
    name = serializers.CharField()
    url = serializers.CharField()


class CheckMark(serializers.Serializer):
    """A number or code that was read. Whether it was ever given is not checked: ask the register."""

    kind = serializers.CharField(help_text="Stable, for programs.")
    text = serializers.CharField()
    title = serializers.CharField()
    parts = CheckPart(many=True)
    oddities = CheckRemark(many=True)
    checked = serializers.CharField(help_text="What was looked at.")
    register = CheckAddress(allow_null=True, help_text="Where to ask whether it exists.")
    gtin = serializers.CharField()
    lot = serializers.CharField()
    serial = serializers.CharField()
    made_on = Day(allow_null=True)
    expires_on = Day(allow_null=True)


class CheckReading(serializers.Serializer):
    """A standard that is quoted."""

    text = serializers.CharField(help_text="The words it was read in.")
    standard = serializers.CharField(
        source="standard.pk", default=None, allow_null=True, help_text="Null: none that is known."
    )
    warnings = CheckRemark(many=True)


class CheckChoice(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()


class CheckQuestion(serializers.Serializer):
    """What has to be said before there is one answer: ask again with `field` set to one of the codes."""

    field = serializers.ChoiceField(choices=["item", "standard"], source="about")
    text = serializers.CharField()
    choices = CheckChoice(many=True)


class CheckSource(serializers.Serializer):
    key = serializers.CharField()
    citation = serializers.CharField()
    url = serializers.CharField()


class CheckStep(serializers.Serializer):
    offered = serializers.CharField()
    satisfies = serializers.CharField()
    relation = serializers.CharField()


class CheckLine(serializers.Serializer):
    """A need, and why these goods may or may not go to it."""

    item = Coded()
    standard = serializers.CharField(
        source="standard.pk",
        default=None,
        allow_null=True,
        help_text="Null: any of the item that is fit for care.",
    )
    settings = serializers.ListField(child=serializers.CharField(), help_text="Where this holds.")
    reason = serializers.CharField(help_text="Stable, for programs.")
    why = serializers.CharField()
    condition = serializers.CharField(help_text="What the hospital has to agree to; empty where nothing.")
    steps = CheckStep(many=True, help_text="The substitutions that lead there.")
    sources = CheckSource(many=True)
    is_verified = serializers.BooleanField(help_text="Somebody has read the rule in its source.")
    as_of = Moment(allow_null=True, help_text="When the rule was last changed here.")


class CheckShelfLife(serializers.Serializer):
    verdict = serializers.CharField(help_text="expired, too-short or fits.")
    expires_on = Day()
    days_left = serializers.IntegerField()
    days_wanted = serializers.IntegerField(help_text="On the day of arrival.")
    arrive_by = Day()
    sentence = serializers.CharField()


class CheckCase(serializers.Serializer):
    """One way to understand what was asked. What is not listed as good for is not matched."""

    item = Coded()
    standard = serializers.CharField(source="standard.pk", default=None, allow_null=True)
    warnings = CheckRemark(many=True)
    good_for = CheckLine(many=True)
    on_condition = CheckLine(many=True, help_text="Good for, once the hospital that asked has agreed.")
    not_for = CheckLine(many=True)
    instead = serializers.CharField(help_text="Where the goods are welcome.")
    shelf_life = CheckShelfLife(allow_null=True)
    evidence = serializers.ListField(child=serializers.CharField(), help_text="What to attach to an offer.")


class CheckCounterfeit(serializers.Serializer):
    """A row of the list of known counterfeits that these goods are like."""

    sentence = serializers.CharField()
    is_exact = serializers.BooleanField(help_text="A whole number of the list is printed on them.")
    said_by = serializers.CharField(source="mark.source")
    url = serializers.CharField(source="mark.source_url")
    stated_on = Day(source="mark.stated_on")
    jurisdiction = serializers.CharField(source="mark.jurisdiction")


class CheckEdition(serializers.Serializer):
    version = serializers.IntegerField()
    loaded_at = Moment()


class CheckedGoodsSerializer(serializers.Serializer):
    marks = CheckMark(many=True)
    readings = CheckReading(many=True)
    questions = CheckQuestion(many=True)
    cases = CheckCase(many=True)
    counterfeits = CheckCounterfeit(many=True)
    contradictions = serializers.ListField(child=serializers.CharField())
    unread = serializers.CharField(help_text="Words that nothing was made of.")
    edition = CheckEdition(allow_null=True, help_text="Of the table of substitutions; null before the first.")


class CheckView(APIView):
    """What goods are good for that are marked so, by the rule the matching goes by. Needs no login; nothing is stored.

    It says what was read and what was checked. Whether goods or papers are genuine it cannot tell.
    """

    @extend_schema(
        summary="Check goods",
        parameters=[CheckInput],
        responses=CheckedGoodsSerializer,
        examples=[
            OpenApiExample(
                "A word for two things, and no standard",
                value={
                    "marks": [],
                    "readings": [],
                    "questions": [
                        {
                            "field": "item",
                            "text": "These words may mean several things. Which is it?",
                            "choices": [
                                {"code": "RESP_MED", "name": "Medical protective respirator"},
                                {"code": "RESP_PART", "name": "Particulate respirator"},
                            ],
                        }
                    ],
                    "cases": [],
                    "counterfeits": [],
                    "contradictions": [],
                    "unread": "",
                    "edition": {"version": 1, "loaded_at": "2020-02-01T00:00:00Z"},
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        said = CheckInput(
            data={name: value for name, value in request.query_params.items() if value},
            context={"request": request},
        )
        said.is_valid(raise_exception=True)
        return Response(CheckedGoodsSerializer(look_up(said.asked, on=timezone.localdate())).data)
