"""Runs of the matching and what they propose."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supplies.allocations.models import Allocation
from supplies.emergencies.models import Emergency
from supplies.free_text import ShortText
from supplies.lifecycle import Lifecycle, Moving, status_is_listed
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations.models import Organisation, User
from supplies.quantity import QuantityField, within_bounds


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
        watch = user.is_authenticated and user.watches_over_all
        return self if watch else self.none()


class MatchingRun(Moving):
    """One matching of one emergency: which families, under which rules, and what came of it."""

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
        return f"{timezone.localtime(self.created_at):%Y-%m-%d %H:%M} {self.get_status_display()}"


class FamilyRunQuerySet(models.QuerySet["FamilyRun"]):
    def unfinished(self) -> Self:
        return self.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING])

    def abandoned(self, at: datetime) -> Self:
        """Running, but nobody renewed the lease."""
        return self.filter(status=RunStatus.RUNNING, lease_until__lt=at)


class FamilyRun(Moving):
    """One family of goods within a run: worked on by one process at a time, under a lease.

    `attempt` is the fencing token: a worker writes only while the row still carries the attempt it took.
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
    needs = models.PositiveIntegerField(_("needs"), default=0)
    offers = models.PositiveIntegerField(_("offers"), default=0)
    proposals = models.PositiveIntegerField(_("proposals"), default=0)
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


P = ProposalStatus
PROPOSAL_LIFECYCLE = Lifecycle(
    {
        P.OPEN: {P.APPROVED, P.DECLINED, P.EXPIRED, P.WITHDRAWN},
        P.APPROVED: {P.AGREED, P.DECLINED, P.EXPIRED, P.WITHDRAWN},
        P.AGREED: set(),
        P.DECLINED: set(),
        P.EXPIRED: set(),
        P.WITHDRAWN: set(),
    }
)
PENDING = [P.OPEN, P.APPROVED]


class ProposalQuerySet(models.QuerySet["Proposal"]):
    def pending(self) -> Self:
        """Not answered to the end: its units count as taken for later runs."""
        return self.filter(status__in=PENDING)

    def waiting(self) -> Self:
        return self.filter(status=P.OPEN)

    def overdue(self, at: datetime) -> Self:
        return self.pending().filter(expires_at__lte=at)

    def visible_to(self, user: Any) -> Self:
        """Those who watch over all; and the two sides once a volunteer has approved."""
        if not user.is_authenticated:
            return self.none()
        if user.watches_over_all:
            return self
        mine = Organisation.objects.of(user)
        return self.exclude(status=P.OPEN).filter(
            Q(offer__donation__organisation__in=mine)
            | Q(offer__donation__posted_by=user)
            | Q(need__appeal__facility__organisation__in=mine)
        )

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


class Proposal(Moving):
    """A pairing a run suggests. It binds nobody; while pending its units count as taken for later runs."""

    lifecycle = PROPOSAL_LIFECYCLE

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    family_run = models.ForeignKey(FamilyRun, models.PROTECT, related_name="proposed", verbose_name=_("run"))
    need = models.ForeignKey(Need, models.PROTECT, related_name="proposals", verbose_name=_("need"))
    offer = models.ForeignKey(Offer, models.PROTECT, related_name="proposals", verbose_name=_("offer"))
    quantity = QuantityField(_("quantity"), editable=False)
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
        ]
        indexes = [
            models.Index(
                fields=["expires_at"], condition=Q(status__in=["open", "approved"]), name="proposal_pending"
            ),
            models.Index(fields=["-created_at", "-id"], name="proposal_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.need.item} · {self.need.item.shown(self.quantity):,f}"

    @property
    def needs_hospital_yes(self) -> bool:
        return self.is_conditional or self.need.ask_first
