"""Runs of the matching and what they propose."""

import re
import uuid
from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from matching.kernel import problem as kernel
from matching.orders import Order as Order  # its table is found by way of this module
from supplies.allocations.models import Allocation
from supplies.emergencies.models import Emergency
from supplies.free_text import ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.needs.models import Need, NeedStatus
from supplies.offers.models import Offer
from supplies.organisations.models import Facility, Membership, Organisation, User, in_regions_of
from supplies.organisations.roles import Role
from supplies.quantity import QuantityField, within_bounds
from supplies.wording import moment


class RunStatus(models.TextChoices):
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")


RUN_LIFECYCLE = Lifecycle(
    {
        RunStatus.QUEUED: {RunStatus.RUNNING, RunStatus.FAILED},
        RunStatus.RUNNING: {RunStatus.QUEUED, RunStatus.DONE, RunStatus.FAILED},
        RunStatus.DONE: set(),
        RunStatus.FAILED: set(),
    }
)


class MatchingPolicyQuerySet(models.QuerySet["MatchingPolicy"]):
    def offered(self) -> Self:
        return self.filter(is_offered=True).order_by("pk")


def orders_of_levels(value: str) -> None:
    """Refuse an order that leaves something out, in words."""
    try:
        levels_of(value)
    except ValueError as error:
        raise ValidationError(
            _("Write steps such as 1:1-10, an urgency and its tenths, every one of them once: %(why)s")
            % {"why": error}
        ) from error


def levels_of(order: str) -> tuple[tuple[int, int], ...]:
    """ "1:1-2 2:1-2 1:3-10 2:3-10" -> ((1, 0), (1, 1), (2, 0), ...). Raises ValueError where a step cannot be read."""
    found = []
    for step in order.split():
        matched = re.fullmatch(r"([1-4]):(\d{1,2})(?:-(\d{1,2}))?", step)
        if not matched:
            raise ValueError(step)
        urgency, first, last = (int(part or matched[2]) for part in matched.groups())
        found += [(urgency, band) for band in range(first - 1, last)]
    kernel.Policy("order", len(found) // len(kernel.URGENCIES), tuple(found))  # raises where it is none
    return tuple(found)


class MatchingPolicy(models.Model):
    """Who comes before whom, and how long what is not urgent waits: named in each run, whose problem holds a copy of it."""

    code = models.SlugField(_("code"), max_length=20, primary_key=True)
    name_zh = models.CharField(_("name in Chinese"), max_length=80)
    name_en = models.CharField(_("name in English"), max_length=80)
    is_offered = models.BooleanField(_("may be chosen"), default=True)
    order = models.CharField(
        _("order"),
        max_length=400,
        default="1:1-10 2:1-10 3:1-10 4:1-10",
        validators=[orders_of_levels],
        help_text=_(
            "Urgency and tenths of a need, first to last: 1:1-2 2:1-2 1:3-10 … Every tenth of every urgency once."
        ),
    )
    facility_percent = models.PositiveSmallIntegerField(
        _("most for one facility, percent"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("Of the goods of a family, while they do not suffice for all. 100: no limit."),
    )
    ageing_days = models.PositiveSmallIntegerField(
        _("days until the last urgency moves up"), default=0, help_text=_("0: never.")
    )
    parcel_km = models.PositiveIntegerField(
        _("what a parcel weighs, km"),
        default=50_000,
        help_text=_("Spread over its units: the higher, the fewer and larger the parcels."),
    )
    waits_from_urgency = models.PositiveSmallIntegerField(
        _("waits from urgency"),
        null=True,
        blank=True,
        validators=[MinValueValidator(2), MaxValueValidator(4)],
        help_text=_("This urgency and the less urgent ones wait for a nearer partner. Empty: nobody waits."),
    )
    wait_limit_km = models.PositiveIntegerField(
        _("limit on the first day, km"),
        default=500,
        help_text=_("What a unit may cost: its way, and what fits less well."),
    )
    wait_growth_days = models.PositiveSmallIntegerField(
        _("days until the limit doubles"), default=7, validators=[MinValueValidator(1)]
    )
    last_chance_days = models.PositiveSmallIntegerField(
        _("days before deadline or expiry when nobody waits"), default=7
    )
    small_first_km = models.PositiveIntegerField(_("what finishing a need is worth, km"), default=0)
    wait_parcel_km = models.PositiveIntegerField(
        _("what a parcel weighs while waiting, km"),
        default=0,
        help_text=_("Spread over its units. 0: only the way and the fit count."),
    )

    objects = MatchingPolicyQuerySet.as_manager()

    class Meta:
        verbose_name = _("matching policy")
        verbose_name_plural = _("matching policies")
        constraints = [
            models.CheckConstraint(
                name="policy_shares_and_days_make_sense",
                condition=Q(facility_percent__gte=1, facility_percent__lte=100, wait_growth_days__gte=1),
            ),
            models.CheckConstraint(
                name="policy_first_urgency_never_waits",
                condition=Q(waits_from_urgency=None)
                | Q(waits_from_urgency__gte=2, waits_from_urgency__lte=4),
            ),
        ]

    def __str__(self) -> str:
        return self.name_zh if (get_language() or "").startswith("zh") else self.name_en

    @property
    def kernel(self) -> kernel.Policy:
        """As the kernel takes it."""
        levels = levels_of(self.order)
        patience = None
        if self.waits_from_urgency is not None:
            patience = kernel.Patience(
                self.waits_from_urgency,
                self.wait_limit_km,
                self.wait_growth_days,
                self.last_chance_days,
                self.small_first_km,
                self.wait_parcel_km,
            )
        return kernel.Policy(
            self.code,
            len(levels) // len(kernel.URGENCIES),
            levels,
            patience,
            self.facility_percent,
            self.ageing_days,
            self.parcel_km,
        )


class Trigger(models.TextChoices):
    HAND = "hand", _("by hand")
    TIMETABLE = "timetable", _("by the timetable")
    EVENT = "event", _("by a new need or offer")


class MatchingRunQuerySet(models.QuerySet["MatchingRun"]):
    def unfinished(self) -> Self:
        return self.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def visible_to(self, user: Any) -> Self:
        """Counts of a whole emergency, for those who answer for it; nobody's rows are in them."""
        watches = user.is_authenticated and (user.watches_over_all or user.has_role(Role.COORDINATOR))
        return self if watches else self.none()


class MatchingRun(Moving):
    """One matching of one emergency: which families, under which rules, and what came of it. Unchangeable once it has ended."""

    lifecycle = RUN_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    emergency = models.ForeignKey(
        Emergency, models.PROTECT, verbose_name=_("emergency"), related_name="matching_runs"
    )
    status = models.CharField(_("status"), max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    trigger = models.CharField(_("started by what"), max_length=10, choices=Trigger)
    policy = models.CharField(_("policy"), max_length=20, default="urgency")
    only = ArrayField(
        models.CharField(max_length=40),
        verbose_name=_("families asked for"),
        default=list,
        blank=True,
        help_text=_("Empty: all."),
    )
    is_dry = models.BooleanField(
        _("dry run"), default=False, help_text=_("Computes and counts; proposes nothing.")
    )
    as_of = models.DateTimeField(
        _("as of"), help_text=_("The moment the run judges deadlines and shelf life by.")
    )
    editions = models.JSONField(
        _("rules"), default=dict, help_text=_("The version of each reference table it matched under.")
    )
    started_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("by")
    )
    created_at = models.DateTimeField(_("created"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempt"), default=0, editable=False)
    failure = models.CharField(_("why it failed"), max_length=500, blank=True)

    objects = MatchingRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("matching run")
        verbose_name_plural = _("matching runs")
        constraints = [status_is_listed(RunStatus, "matching_run_status_is_listed")]
        indexes = [models.Index(fields=["-created_at", "-id"], name="matching_run_newest")]

    def __str__(self) -> str:
        return f"{moment(self.created_at)} {self.get_status_display()}"


class FamilyRunQuerySet(models.QuerySet["FamilyRun"]):
    def unfinished(self) -> Self:
        return self.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])

    def abandoned(self, at: datetime) -> Self:
        """Running, but nobody renewed the lease."""
        return self.filter(status=RunStatus.RUNNING, lease_until__lt=at)


class FamilyRun(Moving):
    """One family of goods within a run: worked on by one process at a time, under a lease.

    `attempt` is the fencing token: a worker writes only while the row still carries the attempt it took. Once it has
    ended the row stays as it is: a trigger refuses every change, whoever makes it.
    """

    lifecycle = RUN_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    run = models.ForeignKey(
        MatchingRun, models.CASCADE, related_name="families", verbose_name=_("matching run")
    )
    emergency = models.ForeignKey(Emergency, models.PROTECT, related_name="+", verbose_name=_("emergency"))
    family = models.CharField(_("family"), max_length=40)
    size = models.PositiveBigIntegerField(_("needs times offers"), default=0)
    status = models.CharField(_("status"), max_length=10, choices=RunStatus, default=RunStatus.QUEUED)
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    rows = models.BinaryField(
        null=True,
        editable=False,
        help_text=_("Which need and which offer each row is, and the version it was read in."),
    )
    problem = models.BinaryField(
        null=True, editable=False, help_text=_("The columns it solved, compressed, for replay.")
    )
    plan = models.BinaryField(null=True, editable=False)
    made_with = models.JSONField(
        _("made with"),
        default=dict,
        editable=False,
        help_text=_(
            "Policy, seed (none is drawn), version and digest of the kernel and of what it stands on."
        ),
    )
    needs = models.PositiveIntegerField(_("needs"), default=0)
    offers = models.PositiveIntegerField(_("offers"), default=0)
    proposals = models.PositiveIntegerField(_("proposals"), default=0)
    kept = models.PositiveIntegerField(
        _("kept"), default=0, help_text=_("Proposed by an earlier run, and still the best there is.")
    )
    superseded = models.PositiveIntegerField(
        _("superseded"),
        default=0,
        help_text=_("Proposed by an earlier run, and taken back for a better one."),
    )
    stale = models.PositiveIntegerField(_("left out because their inputs changed"), default=0)
    units = models.PositiveBigIntegerField(_("units proposed"), default=0)
    by_urgency = models.JSONField(
        _("by urgency"), default=dict, help_text=_("urgency -> wanted, served before, proposed")
    )
    seconds = models.JSONField(_("seconds"), default=dict, help_text=_("phase -> seconds"))
    shortfalls = models.JSONField(
        _("why needs stay short"), default=dict, help_text=_("reason -> number of needs")
    )
    failure = models.CharField(_("why it failed"), max_length=500, blank=True)

    objects = FamilyRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("family of a run")
        verbose_name_plural = _("families of a run")
        constraints = [
            status_is_listed(RunStatus, "family_run_status_is_listed"),
            models.UniqueConstraint(fields=["run", "family"], name="family_once_per_run"),
            models.UniqueConstraint(
                fields=["emergency", "family"],
                condition=Q(status="running"),
                name="family_runs_once_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.family


class ProposalStatus(models.TextChoices):
    OPEN = "open", _("waiting for a volunteer")
    APPROVED = "approved", _("approved, waiting for a yes")
    AGREED = "agreed", _("agreed")
    DECLINED = "declined", _("declined")
    EXPIRED = "expired", _("expired")
    WITHDRAWN = "withdrawn", _("withdrawn")
    SUPERSEDED = "superseded", _("superseded")


P = ProposalStatus
PROPOSAL_LIFECYCLE = Lifecycle(
    {
        P.OPEN: {P.APPROVED, P.DECLINED, P.EXPIRED, P.WITHDRAWN, P.SUPERSEDED},
        P.APPROVED: {P.AGREED, P.DECLINED, P.EXPIRED, P.WITHDRAWN},
        P.AGREED: set(),
        P.DECLINED: set(),
        P.EXPIRED: set(),
        P.WITHDRAWN: set(),
        P.SUPERSEDED: set(),
    }
)
PENDING = [P.OPEN, P.APPROVED]
BLOBS = ["family_run__problem", "family_run__plan", "family_run__rows"]  # not to be read with every proposal


class DeviationReason(models.TextChoices):
    """Why somebody departed from what a run proposed. A code can be counted; the note beside it is for people."""

    HOSPITAL_ASKED = "hospital_asked", _("the hospital asked for it")
    DONOR_ASKED = "donor_asked", _("the donor asked for it")
    TRANSPORT = "transport", _("transport")
    GOODS_DIFFER = "goods_differ", _("the goods differ from what was stated")
    RECOUNT = "recount", _("counted again, there are fewer")
    OTHER = "other", _("something else, see the note")


class DeviationKind(models.TextChoices):
    FEWER = "fewer", _("fewer than proposed")
    OUT_OF_SEQUENCE = "out_of_sequence", _("before a more urgent one")
    BY_HAND = "by_hand", _("made by hand")


DEVIATES = {
    DeviationKind.FEWER: Q(quantity_left_out__gt=0),
    DeviationKind.OUT_OF_SEQUENCE: Q(passed_over__gt=0),
    DeviationKind.BY_HAND: Q(is_by_hand=True),
}
KEEPS_TO_THE_PLAN = Q(quantity_left_out=0, passed_over=0, is_by_hand=False)


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def pending(self) -> Self:
        """Not answered to the end: its units count as taken for later runs."""
        return self.filter(status__in=PENDING)

    def waiting(self) -> Self:
        return self.filter(status=P.OPEN)

    def to_be_sent(self) -> Self:
        """Pending, or agreed and not on a shipment yet."""
        agreed = Proposal.objects.filter(allocation__in=Allocation.objects.reserved())
        # Two look-ups instead of one condition with "or", for which every proposal there ever was would be read.
        return self.filter(pk__in=Proposal.objects.pending().values("pk").union(agreed.values("pk")))

    def overdue(self, at: datetime) -> Self:
        return self.pending().filter(expires_at__lte=at)

    def deviating(self) -> Self:
        """Approved otherwise than a run proposed, or made by hand."""
        return self.exclude(deviation="")

    def since(self, at: datetime) -> Self:
        """Approved at that moment or later."""
        return self.filter(approved_at__gte=at)

    def more_urgent_than(self, other: "Proposal") -> Self:
        """Waiting for a volunteer, on the same offer and strictly more urgent: what waits is all of the latest plan."""
        return self.waiting().filter(offer=other.offer_id, need__urgency__lt=other.need.urgency)

    def visible_to(self, user: Any) -> Self:
        """Those who watch over one of the sides; and the two sides once a volunteer has approved."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        mine = Organisation.objects.of(user)
        ours = ~Q(status=P.OPEN) & (
            Q(offer__donation__organisation__in=mine)
            | Q(offer__donation__posted_by=user)
            | Q(need__appeal__facility__organisation__in=mine)
        )
        return self.filter(
            ours
            | in_regions_of(user, "need__appeal__facility__region__path", "offer__donation__region__path")
        )

    def waiting_for(self, user: Any) -> Self:
        """Approved by a volunteer, and this person's own yes is missing."""
        acting = Membership.objects.filter(user=user).exclude(role=Role.AUDITOR).values("organisation")
        gives = Q(offer__donation__organisation__in=acting) | Q(offer__donation__posted_by=user)
        is_asked = Q(is_conditional=True) | Q(need__ask_first=True)
        takes = is_asked & Q(need__appeal__facility__organisation__in=acting)
        unanswered = Q(gives, donor_said_yes_at=None) | Q(takes, hospital_said_yes_at=None)
        return self.filter(unanswered, status=P.APPROVED)

    def with_sides(self) -> Self:
        """With both sides; small tables are read beside, not joined."""
        return self.select_related(
            "need__appeal__facility__organisation", "offer__donation__organisation"
        ).prefetch_related(
            "need__item__display_unit",
            "need__item__category",
            "need__appeal__facility__region",
            "need__appeal__emergency",
            "offer__item__display_unit",
            "offer__donation__region",
            "offer__standard",
        )

    def most_urgent_first(self) -> Self:
        return self.order_by("need__urgency", "need__needed_by", "pk")

    def newest_first(self) -> Self:
        return self.order_by("-created_at", "-pk")

    def newest_approval_first(self) -> Self:
        return self.order_by("-approved_at", "-pk")


class Proposal(Moving):
    """A pairing a run suggests. It binds nobody; while pending its units count as taken for later runs.

    What was proposed never changes, nor who approved what of it: triggers see to that. The rest is what became of it.
    """

    lifecycle = PROPOSAL_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    family_run = models.ForeignKey(
        FamilyRun, models.PROTECT, null=True, blank=True, related_name="proposed", verbose_name=_("run")
    )
    is_by_hand = models.BooleanField(_("made by hand"), default=False, editable=False)
    place = models.PositiveIntegerField(
        _("place in its run"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("In the order of the policy: 1 is to be approved first."),
    )
    need = models.ForeignKey(Need, models.PROTECT, related_name="proposals", verbose_name=_("need"))
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="proposals", verbose_name=_("offer"))
    quantity = QuantityField(
        _("quantity proposed"), editable=False, help_text=_("As the run proposed it; never changed.")
    )
    quantity_left_out = QuantityField(_("left out when it was approved"), default=0, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=ProposalStatus, default=ProposalStatus.OPEN)
    km = models.PositiveIntegerField(_("km"))
    days = models.PositiveIntegerField(_("days on the way"))
    is_conditional = models.BooleanField(_("needs the hospital's yes"), default=False)
    condition = models.CharField(_("condition"), max_length=300, blank=True)
    because = models.JSONField(_("why"), default=dict)
    created_at = models.DateTimeField(_("proposed at"))
    expires_at = models.DateTimeField(_("expires"))
    approved_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved"), null=True, blank=True)
    passed_over = models.PositiveIntegerField(
        _("passed over"),
        default=0,
        editable=False,
        help_text=_("More urgent proposals of the same goods that waited when this one was approved."),
    )
    deviation = models.CharField(
        _("why it departs from the plan"), max_length=16, choices=DeviationReason, blank=True
    )
    deviation_note = ShortText(_("note on that"), max_length=300, blank=True)
    donor_said_yes_at = models.DateTimeField(_("the donor's yes"), null=True, blank=True)
    donor_consent = models.CharField(
        _("how the donor agreed"),
        max_length=10,
        blank=True,
        choices=[("asked", _("asked")), ("standing", _("standing consent"))],
    )
    hospital_said_yes_at = models.DateTimeField(_("the hospital's yes"), null=True, blank=True)
    ended_because = ShortText(_("why it ended"), max_length=300, blank=True)
    allocation = models.OneToOneField(
        Allocation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="proposal",
        verbose_name=_("allocation"),
    )

    objects = ProposalQuerySet.as_manager()

    class Meta:
        verbose_name = _("proposal")
        verbose_name_plural = _("proposals")
        constraints = [
            status_is_listed(ProposalStatus, "proposal_status_is_listed"),
            within_bounds("proposal_is_of_something", "quantity", at_least=1),
            models.UniqueConstraint(
                fields=["need", "offer"],
                condition=Q(status__in=["open", "approved"]),
                name="proposal_pending_once_per_pair",
            ),
            models.CheckConstraint(
                name="proposal_agreed_has_an_allocation",
                condition=~Q(status="agreed") | Q(allocation__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_declined_says_why", condition=~Q(status="declined") | ~Q(ended_because="")
            ),
            models.CheckConstraint(
                name="proposal_approved_by_somebody",
                condition=~Q(status__in=["approved", "agreed"]) | Q(approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_approved_for_something",
                condition=Q(quantity_left_out__gte=0, quantity_left_out__lt=F("quantity")),
            ),
            models.CheckConstraint(
                name="proposal_of_a_run_or_by_hand",
                condition=Q(is_by_hand=True, family_run=None) | Q(is_by_hand=False, family_run__isnull=False),
            ),
            models.CheckConstraint(
                name="proposal_says_why_it_deviates",
                condition=(KEEPS_TO_THE_PLAN & Q(deviation=""))
                | (~KEEPS_TO_THE_PLAN & Q(deviation__in=DeviationReason.values)),
            ),
            models.CheckConstraint(
                name="proposal_deviating_otherwise_has_a_note",
                condition=~Q(deviation=DeviationReason.OTHER) | ~Q(deviation_note=""),
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(status__in=["open", "approved"]), name="proposal_pending"
            ),
            models.Index(fields=["-created_at", "-id"], name="proposal_newest"),
            models.Index(
                fields=["-approved_at", "-id"], condition=~Q(deviation=""), name="proposal_deviating"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.need.item} · {self.need.item.shown(self.quantity_approved):,f}"

    @property
    def quantity_approved(self) -> int:
        """What of it is meant to be sent; all that was proposed until somebody approves fewer."""
        return self.quantity - self.quantity_left_out

    @property
    def deviates(self) -> list[DeviationKind]:
        """In which ways it departs from what a run proposed."""
        found = {
            DeviationKind.FEWER: self.quantity_left_out > 0,
            DeviationKind.OUT_OF_SEQUENCE: self.passed_over > 0,
            DeviationKind.BY_HAND: self.is_by_hand,
        }
        return [kind for kind, does in found.items() if does]

    @property
    def needs_hospital_yes(self) -> bool:
        return self.is_conditional or self.need.ask_first

    @property
    def judged_as_of(self) -> datetime:
        """The moment by which its run judged deadlines and shelf life: time that passes makes no proposal unfit."""
        return self.family_run.run.as_of if self.family_run else self.created_at


class Lack(models.TextChoices):
    """What keeps a need short: the causes a run finds (matching.kernel.explain.Cause), and the one that lies in the need."""

    NO_COMPATIBLE_OFFER = "no-compatible-offer", _("nobody offers goods that would do")
    IMPLAUSIBLE_QUANTITY = "implausible-quantity", _("the quantity asked for is not plausible")
    NOTHING_LEFT = "nothing-left", _("the goods that would do are promised already")
    DIRECTED_ELSEWHERE = "directed-elsewhere", _("the goods that would do were given for somebody else")
    SENDER_NOT_ACCEPTED = "sender-not-accepted", _("the hospital does not take goods from these senders")
    DECLINED_BEFORE = "declined-before", _("the pair was declined before")
    PLACE_UNKNOWN = "place-unknown", _("it is not known where the goods lie, or where they are to go")
    NO_TRANSPORT = "no-transport", _("no transport of these goods keeps them cold or takes dangerous goods")
    WAITS = "waits", _("they are not urgent and wait for a nearer or better fitting offer")
    BEYOND_USE = (
        "beyond-use",
        _("more is asked for than the hospital can use in two months; the rest is not matched"),
    )
    TOO_FAR = "too-far", _("the goods may not travel that far")
    TOO_LATE = "too-late", _("the goods would arrive too late")
    EXPIRES = "expires", _("the goods would expire too soon after arrival")
    BELOW_LOT = "below-lot", _("the quantities are below the minimum quantity")
    REMAINDER_BELOW_LOT = "remainder-below-lot", _("what is left is below the minimum quantity")
    SERVES_MORE_URGENT = "serves-more-urgent", _("all goods that would do serve needs that come before it")
    GIVEN_TO_OTHERS = "given-to-others", _("the goods that would do went to others, in whole packs")


class ShortfallQuerySet(models.QuerySet["Shortfall"]):
    def current(self) -> Self:
        """Of needs that still lack something."""
        return self.filter(need__status=NeedStatus.OPEN)

    def visible_to(self, user: Any) -> Self:
        """Those whose need it is, and who watches over it: a reason says something of other people's offers."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        own = Q(need__appeal__posted_by=user) | Q(need__site__in=Facility.objects.of(user))
        return self.filter(own | in_regions_of(user, "need__region_path"))

    def with_sides(self) -> Self:
        return self.select_related("need__item__display_unit", "need__appeal__facility__region")

    def most_urgent_first(self) -> Self:
        return self.order_by("need__urgency", "need__needed_by", "pk")


class Shortfall(models.Model):
    """Why a need stayed short in the latest run over its goods. Written anew by every run; dry runs write none.

    figure   what goes with the cause: metres, days or units (matching.kernel.explain.Cause)
    """

    need = models.OneToOneField(
        Need, models.CASCADE, primary_key=True, related_name="shortfall", verbose_name=_("need")
    )
    family_run = models.ForeignKey(
        FamilyRun, models.CASCADE, related_name="short", verbose_name=_("family of a run")
    )
    missing = QuantityField(_("missing"), help_text=_("In the item's smallest counted unit."))
    cause = models.CharField(_("why"), max_length=24, choices=Lack)
    figure = models.BigIntegerField(_("figure"), null=True, blank=True)
    as_of = models.DateTimeField(_("as of"))

    objects = ShortfallQuerySet.as_manager()

    class Meta:
        verbose_name = _("shortfall")
        verbose_name_plural = _("shortfalls")
        constraints = [
            within_bounds("shortfall_is_of_something", "missing", at_least=1),
            models.CheckConstraint(name="shortfall_cause_is_listed", condition=Q(cause__in=Lack.values)),
        ]

    def __str__(self) -> str:
        return f"{self.need.item} · {self.need.item.shown(self.missing):,f}"
