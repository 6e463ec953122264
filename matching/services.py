"""The verbs of matching: run it, approve what it proposes, agree, decline.

A run reads one consistent snapshot, and each of its families is solved by one process under a lease. All truth is in
PostgreSQL: the broker only rings, and a sweep rings again.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from matching.fitting import OTHERWISE, WHY_NOT, first_faults, grounds, match_of
from matching.kernel.explain import Explanation, Match, explain
from matching.kernel.plan import Plan
from matching.kernel.problem import URGENCIES, Problem, Verdict
from matching.kernel.solve import solve
from matching.kernel.verify import verify
from matching.kernel.version import kernel
from matching.models import (
    BLOBS,
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
from matching.orders import against, frozen
from matching.snapshot import Couple, Rows, Rulebook, read_consistently, take
from matching.superseding import Change, change_of
from supplies.allocations.services import allocate, check
from supplies.catalogue.models import Substitution
from supplies.emergencies.models import Emergency
from supplies.errors import NotEligible, Refused, is_busy_or_away
from supplies.journal.models import Event
from supplies.journal.services import record, record_all, ring
from supplies.leaks import masked
from supplies.needs.models import Need
from supplies.offers.models import Offer
from supplies.organisations.models import User

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 3
AT_ONCE = 1000  # proposals ended in one transaction


class LeaseLost(RuntimeError):
    """Somebody else has taken the family over; what this process found is thrown away."""


class PlanRejected(RuntimeError):
    """The verifier found a fault in a plan; nothing of it is stored."""


# --- starting -----------------------------------------------------------------------------------------------


@transaction.atomic
def start(
    emergency: Emergency,
    *,
    trigger: str,
    by: User | None,
    at: datetime,
    policy: str = "urgency",
    families: Iterable[str] | None = None,
    is_dry: bool = False,
    as_of: datetime | None = None,
) -> MatchingRun:
    """Ask for a run; workers take it up at once.

    families    keys of families to match; all if None
    as_of       the moment deadlines and shelf life are judged by; now, unless a past list is tried out
    """
    if not MatchingPolicy.objects.filter(pk=policy).exists():
        raise Refused(_("There is no policy called %(name)s.") % {"name": policy}, code="unknown-policy")
    run = MatchingRun.objects.create(
        emergency=emergency,
        trigger=trigger,
        policy=policy,
        only=sorted(families or []),
        is_dry=is_dry,
        as_of=as_of or at,
        started_by=by,
        created_at=at,
    )
    record(run, "run.started", by=by, at=at, trigger=trigger)
    transaction.on_commit(lambda: ring("matching.open_run", str(run.pk)), robust=True)
    return run


@transaction.atomic
def set_policy(policy: MatchingPolicy, *, by: User, at: datetime) -> MatchingPolicy:
    """Keep a policy for the runs to come; those there were keep the one they were made with."""
    policy.save()
    record(policy, "policy.set", by=by, at=at, order=policy.order)
    return policy


def hear(events: Sequence[Event], *, at: datetime) -> None:
    """New needs and offers: match their families. A run that waits already is widened instead of adding another."""
    changed: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if {"emergency", "item"} <= event.facts.keys():
            changed[event.facts["emergency"]].add(event.facts["item"])
    _match_again(changed, at=at)


def hear_of_facility(events: Sequence[Event], *, at: datetime) -> None:
    """A facility takes goods again: match the families of what it still needs."""
    changed: dict[str, set[str]] = defaultdict(set)
    needs = Need.objects.open().filter(appeal__facility__in=[event.subject_id for event in events])
    for emergency, item in needs.values_list("appeal__emergency", "item").distinct():
        changed[emergency].add(item)
    _match_again(changed, at=at)


def _match_again(changed: Mapping[str, set[str]], *, at: datetime) -> None:
    """Match the families of these items, by emergency."""
    if not changed:
        return
    family_of = Rulebook.read().family_of
    for code, items in sorted(changed.items()):
        emergency = Emergency.objects.going_on().filter(pk=code).first()
        if emergency is None:
            continue
        families = {family_of[item] for item in items if item in family_of}
        if not families:
            continue  # a run without families named would match them all
        waiting = (
            MatchingRun.objects.filter(emergency=emergency, trigger=Trigger.EVENT, status=RunStatus.QUEUED)
            .select_for_update(skip_locked=True)
            .order_by("created_at")
            .first()
        )
        if waiting is None:
            start(emergency, trigger=Trigger.EVENT, by=None, at=at, families=families)
        elif waiting.only:
            waiting.only = sorted({*waiting.only, *families})
            waiting.as_of = at
            waiting.save(update_fields=["only", "as_of"])


@transaction.atomic
def match_all(*, at: datetime) -> list[MatchingRun]:
    """The timetable's run: every emergency that goes on and has nothing running.

    Whoever comes for an emergency at the same moment waits, and finds the run that was started.
    """
    going_on = Emergency.objects.going_on().select_for_update(no_key=True).order_by("pk")
    return [
        start(emergency, trigger=Trigger.TIMETABLE, by=None, at=at)
        for emergency in going_on
        if not MatchingRun.objects.unfinished().filter(emergency=emergency).exists()
    ]


# --- the snapshot -------------------------------------------------------------------------------------------


def open_run(run_id: Any, *, at: datetime) -> list[FamilyRun]:
    """Read the snapshot of a queued run and lay out its families. Running twice is harmless; returns what was laid out.

    A run that cannot be opened is tried again by the sweep, MOST_ATTEMPTS times in all; then it has failed and says why.
    """
    if not _attempt(run_id, at=at):
        return []
    queued = MatchingRun.objects.filter(pk=run_id, status=RunStatus.QUEUED)
    try:
        families = _lay_out(run_id)
    except Exception as error:
        if is_busy_or_away(error):
            # Or the run was widened under our snapshot: no fault of the run, so no attempt of it.
            log.warning("Run %s could not be read just now; the sweep tries again.", run_id)
            _take_back_attempt(run_id)
            return []
        log.exception("Run %s could not be opened", run_id)
        queued.update(failure=f"{type(error).__name__}: {error}"[:500])
        return []
    if families is None:
        _take_back_attempt(run_id)
        return []
    if not families and MatchingRun.objects.filter(pk=run_id, status=RunStatus.RUNNING).exists():
        _close(run_id, at=at)
    return families


@transaction.atomic
def _attempt(run_id: Any, *, at: datetime) -> bool:
    """Count an attempt before it is made, since a process that dies of it counts too. False if there is nothing to try."""
    waiting = MatchingRun.objects.select_for_update(skip_locked=True)
    run = waiting.filter(pk=run_id, status=RunStatus.QUEUED).first()
    if run is None:
        return False
    if run.attempts >= MOST_ATTEMPTS:
        run.move_to(RunStatus.FAILED)
        run.failure = run.failure or f"No process opened it in {MOST_ATTEMPTS} attempts."
        run.finished_at = at
        run.save(update_fields=["status", "failure", "finished_at"])
        record(run, "run.failed", by=None, at=at)
        return False
    run.attempts += 1
    run.save(update_fields=["attempts"])
    return True


def _take_back_attempt(run_id: Any) -> None:
    """It was none: another worker came first, or the database had no time. Counted, a run rung for often would fail unread."""
    unfinished = MatchingRun.objects.filter(pk=run_id, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    try:
        unfinished.update(attempts=models.F("attempts") - 1)
    except OperationalError as error:
        log.warning("An attempt of run %s stays counted (%s).", run_id, type(error).__name__)


def _lay_out(run_id: Any) -> list[FamilyRun] | None:
    """The families of a run that waits; None where another worker has taken it meanwhile."""
    with transaction.atomic():
        read_consistently()
        run = (
            MatchingRun.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("emergency")
            .filter(pk=run_id, status=RunStatus.QUEUED)
            .first()
        )
        if run is None:
            return None
        began = time.monotonic()
        rulebook = Rulebook.read()
        policy = MatchingPolicy.objects.get(pk=run.policy).kernel
        snapshots = take(run.emergency, as_of=run.as_of, policy=policy, rulebook=rulebook, only=run.only)
        seconds = (time.monotonic() - began) / max(1, len(snapshots))
        families = FamilyRun.objects.bulk_create(
            FamilyRun(
                run=run,
                emergency=run.emergency,
                family=snapshot.family,
                needs=len(snapshot.problem.demands),
                offers=len(snapshot.problem.supplies),
                size=len(snapshot.problem.demands) * len(snapshot.problem.supplies),
                rows=snapshot.rows.to_bytes(),
                problem=snapshot.problem.to_bytes(),
                seconds={"snapshot": round(seconds, 4)},
            )
            for snapshot in snapshots
        )
        run.editions = dict(rulebook.editions)
        run.move_to(RunStatus.RUNNING)
        run.save(update_fields=["status", "editions"])
        transaction.on_commit(lambda: _ring_families(families), robust=True)
    return families


def _ring_families(families: Iterable[FamilyRun]) -> None:
    for family in families:
        ring("matching.solve_family", str(family.pk))


# --- one family under a lease -------------------------------------------------------------------------------


def solve_family(family_id: Any, *, clock: Callable[[], datetime] = timezone.now) -> FamilyRun | None:
    """Take the lease of a queued family, solve it, and store what it proposes. Harmless to call twice or late."""
    family = take_lease(family_id, at=clock())
    if family is None:
        return None
    try:
        plan, explanation, seconds = _solve(family, clock)
        store(family, plan, explanation, seconds, at=clock())
    except LeaseLost:
        log.warning("The lease of family %s was lost; its result is thrown away.", family.family)
        return None
    except Exception as error:
        if is_busy_or_away(error):
            # A lock that was not granted, a database that restarts: the lease runs out and the sweep gives it to the next.
            log.warning("The database was busy or away; family %s waits for its lease to end.", family.family)
            return None
        log.exception("Family %s failed", family.family)
        _fail(family, f"{type(error).__name__}: {error}"[:500], at=clock())
    _close(family.run_id, at=clock())
    _ring_families(
        FamilyRun.objects.filter(
            emergency=family.emergency_id, family=family.family, status=RunStatus.QUEUED
        ).only("pk")
    )
    return FamilyRun.objects.get(pk=family.pk)


def take_lease(family_id: Any, *, at: datetime) -> FamilyRun | None:
    """Make a queued family ours. None if it is taken, done, or its goods are being matched by another run."""
    try:
        with transaction.atomic():
            family = (
                FamilyRun.objects.select_for_update(skip_locked=True, of=("self",))
                .select_related("run__emergency")
                .filter(pk=family_id, status=RunStatus.QUEUED)
                .first()
            )
            if family is None:
                return None
            family.move_to(RunStatus.RUNNING)
            family.attempt += 1
            family.lease_until = at + timedelta(seconds=settings.MATCH_LEASE_SECONDS)
            family.save(update_fields=["status", "attempt", "lease_until"])
            return family
    except IntegrityError as error:
        if "family_runs_once_at_a_time" not in str(error):
            raise
        return None  # whoever runs it now rings when it is done


def renew_lease(family: FamilyRun, *, at: datetime) -> None:
    """Raises LeaseLost if somebody else has it."""
    held = FamilyRun.objects.filter(pk=family.pk, attempt=family.attempt, status=RunStatus.RUNNING)
    if not held.update(lease_until=at + timedelta(seconds=settings.MATCH_LEASE_SECONDS)):
        raise LeaseLost


def _solve(family: FamilyRun, clock: Callable[[], datetime]) -> tuple[Plan, Explanation, dict[str, Any]]:
    problem = Problem.from_bytes(bytes(family.problem or b""))
    stopwatch = _Stopwatch(lambda: renew_lease(family, at=clock()), every=settings.MATCH_LEASE_SECONDS / 3)
    plan = solve(problem, entering=stopwatch.enter)
    stopwatch.enter("verify")
    faults = verify(problem, plan)
    if faults:
        raise PlanRejected(", ".join(sorted({fault.fault for fault in faults})))
    stopwatch.enter("explain")
    explanation = explain(problem, plan)
    family.by_urgency = _by_urgency(problem, plan)
    stopwatch.enter("store")
    return plan, explanation, stopwatch.seconds


class _Stopwatch:
    """Seconds by phase; renews the lease as time goes by, since a thread could not while the solver computes."""

    def __init__(self, renew: Callable[[], None], *, every: float) -> None:
        self.renew, self.every = renew, every
        self.seconds: dict[str, float] = defaultdict(float)
        self.phase, self.since, self.renewed = "", time.monotonic(), time.monotonic()

    def enter(self, phase: str) -> None:
        now = time.monotonic()
        if self.phase:
            self.seconds[self.phase] += now - self.since
        self.phase, self.since = phase, now
        if now - self.renewed > self.every:
            self.renew()
            self.renewed = now


def _by_urgency(problem: Problem, plan: Plan) -> dict[str, dict[str, int]]:
    demands = problem.demands
    given = np.zeros(len(demands), np.int64)
    np.add.at(given, np.searchsorted(demands.id, plan.assignments.demand), plan.assignments.quantity)
    return {
        str(urgency): {
            "needs": int(mine.sum()),
            "wanted": int(demands.wanted[mine].sum()),
            "served": int(demands.served[mine].sum()),
            "proposed": int(given[mine].sum()),
        }
        for urgency in URGENCIES
        if (mine := demands.urgency == urgency).any()
    }


@transaction.atomic
def store(
    family: FamilyRun, plan: Plan, explanation: Explanation, seconds: Mapping[str, float], *, at: datetime
) -> None:
    """Write the plan, its proposals and why needs stay short; proposals whose need or offer changed since the snapshot
    are left out and counted.

    What waited and is in the plan again stays as it is, what waited and is not in it is superseded. Raises LeaseLost, with
    nothing written, unless this attempt still holds the lease.
    """
    began = time.monotonic()
    rows = Rows.from_bytes(bytes(family.rows or b""))
    short = _short(explanation, rows)
    matches = explanation.matches
    if family.run.is_dry:
        change = Change(list(matches), [], [], 0, set())
    else:
        change = change_of(family, matches, short, rows, at=at)
    family.shortfalls = _counted(explanation, rows)
    held = (
        FamilyRun.objects.select_for_update(of=("self",))
        .filter(pk=family.pk, attempt=family.attempt, status=RunStatus.RUNNING)
        .first()
    )
    if held is None:
        raise LeaseLost
    if not family.run.is_dry:
        expires = at + timedelta(hours=family.run.emergency.proposal_hours)
        _ended(change.superseded, ProposalStatus.SUPERSEDED, "superseded", by=None, at=at)
        steps = _steps(change.new)
        proposals = Proposal.objects.bulk_create(
            _proposal(
                match,
                steps,
                family_run=family,
                place=place,
                need_id=rows.need_id(match.demand),
                offer_id=rows.offer_id(match.supply),
                created_at=at,
                expires_at=expires,
            )
            for place, match in enumerate(sorted(change.new, key=_by_importance), start=1)
        )
        _hold(proposals, +1)
        _say_why_short(family, short, change.short, rows)
    family.move_to(RunStatus.DONE)
    family.plan = plan.to_bytes()
    family.made_with = {"policy": family.run.policy, "seed": None, **kernel()}
    family.proposals, family.units = len(change.new), sum(match.quantity for match in change.new)
    family.kept, family.superseded, family.stale = len(change.kept), len(change.superseded), change.stale
    took = {**family.seconds, **seconds, "store": time.monotonic() - began}
    family.seconds = {phase: round(value, 4) for phase, value in took.items()}
    family.lease_until = None
    family.save(
        update_fields=[
            "status",
            "plan",
            "made_with",
            "proposals",
            "kept",
            "superseded",
            "stale",
            "units",
            "seconds",
            "lease_until",
            "by_urgency",
            "shortfalls",
        ]
    )


Why = tuple[int, str, int | None]  # units missing, cause, figure


def _short(explanation: Explanation, rows: Rows) -> dict[int, Why]:
    """Why each demand that lacks something does: what the run found, or that it asks for more than can be used."""
    beyond: dict[int, Why] = {
        demand: (int(rows.beyond[demand]), str(Lack.BEYOND_USE), None)
        for demand in np.flatnonzero(rows.beyond).tolist()
    }
    return beyond | {short.demand: (short.missing, short.cause, short.figure) for short in explanation.short}


def _counted(explanation: Explanation, rows: Rows) -> dict[str, int]:
    """How many needs each cause keeps short."""
    beyond = int(np.count_nonzero(rows.beyond))
    found = Counter(str(short.cause) for short in explanation.short)
    return {**found, **({str(Lack.BEYOND_USE): beyond} if beyond else {})}


def _say_why_short(family: FamilyRun, short: Mapping[int, Why], unchanged: set[int], rows: Rows) -> None:
    """Keep why demands stay short, instead of what an earlier run said of this family; of those that changed meanwhile that stays."""
    said = [
        Shortfall(
            need_id=rows.need_id(demand),
            family_run=family,
            missing=missing,
            cause=cause,
            figure=figure,
            as_of=family.run.as_of,
        )
        for demand, (missing, cause, figure) in short.items()
        if demand in unchanged
    ]
    earlier = Shortfall.objects.filter(
        family_run__emergency=family.emergency_id, family_run__family=family.family
    )
    earlier.exclude(pk__in=[rows.need_id(demand) for demand in short]).delete()
    Shortfall.objects.bulk_create(
        said,
        update_conflicts=True,
        unique_fields=["need"],
        update_fields=["family_run", "missing", "cause", "figure", "as_of"],
    )


def _steps(matches: Iterable[Match]) -> dict[int, Substitution]:
    """The substitutions that any of the matches rests on."""
    return Substitution.objects.in_bulk({edge for match in matches for edge in match.chain})


def _by_importance(match: Match) -> tuple[int, int, int]:
    """The order of the policy: whose next unit comes first is to be approved first."""
    return match.level_before, match.demand, match.supply


def _proposal(match: Match, steps: Mapping[int, Substitution], **of: Any) -> Proposal:
    """What a match says, as a proposal of this run, need and offer."""
    rests_on = grounds(match.verdict, match.reason, match.chain, steps)
    condition = rests_on["condition"] or {"zh": ""}
    return Proposal(
        quantity=match.quantity,
        km=match.distance_m // 1000,
        days=match.days,
        is_conditional=match.verdict == Verdict.CONDITIONAL,
        condition=condition["zh"][:300],
        because={
            "days_to_spare": match.days_to_spare,
            "shelf_days": match.shelf_days,
            "overshoot": match.overshoot,
            **rests_on,
            "level_before": match.level_before,
            "level_after": match.level_after,
            "filled_before": match.filled_before,
            "filled_after": match.filled_after,
            "total": match.total,
            "is_assumed": match.is_assumed,
        },
        **of,
    )


def _hold(proposals: Iterable[Proposal], sign: int) -> None:
    """Count the units of proposals as taken (+1) or free again (-1), on both sides, in one statement each."""
    held = list(proposals)
    for table, column in ((Need._meta.db_table, "need_id"), (Offer._meta.db_table, "offer_id")):
        total: Counter[Any] = Counter()
        for proposal in held:
            total[str(getattr(proposal, column))] += sign * proposal.quantity_approved
        if total:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"UPDATE {table} SET quantity_proposed = quantity_proposed + held.quantity"  # nosec B608 # likewise
                    f" FROM unnest(%s::uuid[], %s::bigint[]) AS held (id, quantity) WHERE {table}.id = held.id",
                    [list(total), list(total.values())],
                )


@transaction.atomic
def _fail(family: FamilyRun, failure: str, *, at: datetime) -> None:
    held = (
        FamilyRun.objects.select_for_update()
        .filter(pk=family.pk, attempt=family.attempt, status=RunStatus.RUNNING)
        .first()
    )
    if held:
        held.move_to(RunStatus.FAILED)
        held.failure, held.lease_until = failure, None
        held.save(update_fields=["status", "failure", "lease_until"])


@transaction.atomic
def _close(run_id: Any, *, at: datetime) -> None:
    """End a run whose every family has ended. Failed if one of them failed; what the others proposed stands."""
    run = MatchingRun.objects.select_for_update().get(pk=run_id)
    if run.status != RunStatus.RUNNING or run.families.unfinished().exists():
        return
    run.move_to(RunStatus.FAILED if run.families.filter(status=RunStatus.FAILED).exists() else RunStatus.DONE)
    run.finished_at = at
    run.save(update_fields=["status", "finished_at"])
    record(run, f"run.{run.status}", by=None, at=at)


def sweep(*, at: datetime) -> None:
    """Take up what was left lying: expired leases go back into the queue, queued work is rung for again, proposals expire."""
    given_up = []
    with transaction.atomic():
        for family in FamilyRun.objects.abandoned(at).select_for_update(skip_locked=True).order_by("pk"):
            if family.attempt >= MOST_ATTEMPTS:
                family.move_to(RunStatus.FAILED)
                family.failure = f"No process finished it in {MOST_ATTEMPTS} attempts."
                given_up.append(family.run_id)
            else:
                family.move_to(RunStatus.QUEUED)
            family.lease_until = None
            family.save(update_fields=["status", "failure", "lease_until"])
    for run_id in {*given_up, *_runs_without_open_families()}:
        _close(run_id, at=at)
    expire(at=at)
    for run_id in (
        MatchingRun.objects.filter(status=RunStatus.QUEUED)
        .order_by("created_at")
        .values_list("pk", flat=True)[:20]
    ):
        ring("matching.open_run", str(run_id))
    _ring_families(FamilyRun.objects.filter(status=RunStatus.QUEUED).order_by("-size").only("pk")[:100])


def _runs_without_open_families() -> list[Any]:
    """Runs whose last family ended, but whose worker died before it could say so."""
    going_on = FamilyRun.objects.unfinished().values("run")
    return list(
        MatchingRun.objects.filter(status=RunStatus.RUNNING)
        .exclude(pk__in=going_on)
        .values_list("pk", flat=True)
    )


# --- answering ----------------------------------------------------------------------------------------------


@transaction.atomic
def approve(
    proposal: Proposal,
    *,
    by: User,
    at: datetime,
    quantity: int | None = None,
    reason: str = "",
    note: str = "",
) -> Proposal:
    """A volunteer approves; it is agreed at once where nobody else has to be asked.

    quantity   fewer than proposed, in whole packs and not below the lots; all of it if None
    reason     a DeviationReason, asked for where fewer are approved or a more urgent proposal of the same goods waits;
               kept only where there is something to explain. DeviationReason.OTHER takes a note

    Raises NotEligible("four-eyes") for who posted either side, Refused("deviation-unexplained"). A donor's standing
    consent counts as the yes for goods that are not directed, and is recorded as such.
    """
    proposal = _locked(proposal)
    _check_four_eyes(proposal, by)
    proposal.move_to(ProposalStatus.APPROVED)
    _leave_out(proposal, quantity)
    proposal.passed_over = Proposal.objects.more_urgent_than(proposal).count()
    _explain(proposal, reason, note)
    _check_orders(proposal.need, proposal.offer, at=at)
    _check_fits(proposal)
    proposal.approved_by, proposal.approved_at = by, at
    if proposal.offer.donation.allocates_for_me and not proposal.offer.donation.is_directed:
        proposal.donor_said_yes_at, proposal.donor_consent = at, "standing"
    proposal.save(update_fields=APPROVAL)
    record(proposal, "proposal.approved", by=by, at=at, **_departure(proposal))
    return _agree_if_all_said_yes(proposal, by=by, at=at)


APPROVAL = [
    "status",
    "quantity_left_out",
    "passed_over",
    "deviation",
    "deviation_note",
    "approved_by",
    "approved_at",
    "donor_said_yes_at",
    "donor_consent",
]


def _check_four_eyes(proposal: Proposal, by: User) -> None:
    if by.pk in (proposal.need.appeal.posted_by_id, proposal.offer.donation.posted_by_id):
        raise NotEligible(
            _("You posted one side of this; another volunteer has to approve it."), code="four-eyes"
        )


def _check_orders(need: Need, offer: Offer, *, at: datetime) -> None:
    """Raise NotEligible("ordered-otherwise") where a coordinator keeps the offer from the need."""
    order = against(need, offer, at)
    if order is not None:
        raise NotEligible(
            _("A coordinator ordered otherwise until %(until)s: %(order)s. %(reason)s")
            % {"until": order.until, "order": order, "reason": masked(order.reason)},
            code="ordered-otherwise",
        )


def _leave_out(proposal: Proposal, quantity: int | None) -> None:
    """Mean fewer than was proposed, and count the rest as free again."""
    if quantity is None:
        return
    if not 0 < quantity <= proposal.quantity:
        raise ValidationError(
            {"quantity": _("Between 1 and %(most)d can be approved.") % {"most": proposal.quantity}}
        )
    _hold([proposal], -1)
    proposal.quantity_left_out = proposal.quantity - quantity
    _hold([proposal], +1)


def _explain(proposal: Proposal, reason: str, note: str) -> None:
    """Write down why the approval departs from the plan, or raise Refused where it does and nobody says why."""
    if reason and reason not in DeviationReason.values:
        raise ValidationError({"reason": _("There is no reason called %(name)s.") % {"name": reason}})
    if not proposal.deviates:
        return
    if not reason:
        raise Refused(_unexplained(proposal), code="deviation-unexplained")
    if reason == DeviationReason.OTHER and not note.strip():
        raise ValidationError({"note": _("Say in a few words what it is.")})
    proposal.deviation, proposal.deviation_note = reason, note.strip()[:300]


def _unexplained(proposal: Proposal) -> str:
    if proposal.passed_over:
        return ngettext(
            "%(count)d more urgent proposal of these goods waits: approve it first, or say why this one comes before it.",
            "%(count)d more urgent proposals of these goods wait: approve them first, or say why this one comes before them.",
            proposal.passed_over,
        ) % {"count": proposal.passed_over}
    return _("This departs from what was proposed; say why.")


def _departure(proposal: Proposal) -> dict[str, Any]:
    """What the journal keeps of an approval that departs from the plan: codes and numbers."""
    if not proposal.deviates:
        return {}
    return {
        "deviates": [str(kind) for kind in proposal.deviates],
        "reason": proposal.deviation,
        "proposed": proposal.quantity,
        "approved": proposal.quantity_approved,
        "passed_over": proposal.passed_over,
    }


@transaction.atomic
def allocate_by_hand(
    need: Need, offer: Offer, quantity: int, *, reason: str, by: User, at: datetime, note: str = ""
) -> Proposal:
    """Bring a need and an offer together outside any run, and approve it; both sides are asked as always.

    The kernel's rules hold here too, and whoever posted either side may not. It takes precedence over proposals that
    wait: those for which too little is left are taken back. It is a deviation and appears among them.
    """
    if quantity < 1:
        raise ValidationError({"quantity": _("The quantity has to be more than nothing.")})
    need = Need.objects.select_for_update().get(pk=need.pk)
    offer = Offer.objects.select_for_update().get(pk=offer.pk)
    check(need, offer, quantity)
    if Need.objects.filter(frozen(need.appeal.emergency, at), pk=need.pk).exists():
        raise NotEligible(
            _(
                "A coordinator has frozen these goods here: nothing new is proposed. The orders say why, and until when."
            ),
            code="frozen",
        )
    _check_orders(need, offer, at=at)
    couple = Couple(need.pk, offer.pk, quantity, held=0)
    _check_rules(couple, as_of=at)
    match = match_of(couple, as_of=at)
    proposal = _proposal(
        match,
        _steps([match]),
        need_id=need.pk,
        offer_id=offer.pk,
        is_by_hand=True,
        deviation=reason,
        deviation_note=note.strip()[:300],
        created_at=at,
        expires_at=at + timedelta(hours=need.appeal.emergency.proposal_hours),
    )
    _explain(proposal, reason, note)
    try:
        with transaction.atomic():
            proposal.save(force_insert=True)
    except IntegrityError as error:
        if "proposal_pending_once_per_pair" not in str(error):
            raise
        raise Refused(
            _("A proposal for these two waits already; approve that one."), code="proposed-already"
        ) from error
    _hold([proposal], +1)
    record(proposal, "proposal.made_by_hand", by=by, at=at, need=str(need.pk), offer=str(offer.pk))
    return approve(proposal, by=by, at=at, reason=reason, note=note)


@transaction.atomic
def agree_for_donor(proposal: Proposal, *, by: User, at: datetime) -> Proposal:
    """The donor says yes, or a volunteer writes down that she said so on the telephone."""
    proposal = _approved(proposal)
    _check_fits(proposal)
    if proposal.donor_said_yes_at is None:
        proposal.donor_said_yes_at, proposal.donor_consent = at, "asked"
        proposal.save(update_fields=["donor_said_yes_at", "donor_consent"])
        record(proposal, "proposal.donor_agreed", by=by, at=at)
    return _agree_if_all_said_yes(proposal, by=by, at=at)


@transaction.atomic
def agree_for_hospital(proposal: Proposal, *, by: User, at: datetime) -> Proposal:
    """The hospital says yes to a substitute, or to being sent something at all where it asked to be asked."""
    proposal = _approved(proposal)
    _check_fits(proposal)
    if proposal.hospital_said_yes_at is None:
        proposal.hospital_said_yes_at = at
        proposal.save(update_fields=["hospital_said_yes_at"])
        record(proposal, "proposal.hospital_agreed", by=by, at=at)
    return _agree_if_all_said_yes(proposal, by=by, at=at)


@transaction.atomic
def decline(proposal: Proposal, *, reason: str, by: User, at: datetime) -> Proposal:
    """Say no, with a reason; the pair is not proposed again."""
    if not reason.strip():
        raise Refused(
            _("Say why it is declined; the next proposal will be better for it."), code="reason-missing"
        )
    return _end_one(proposal, ProposalStatus.DECLINED, reason.strip()[:300], by=by, at=at)


@transaction.atomic
def withdraw(proposal: Proposal, *, reason: str, by: User | None, at: datetime) -> Proposal:
    """Take a proposal back that should not have been made; the pair may be proposed again."""
    return _end_one(proposal, ProposalStatus.WITHDRAWN, reason[:300], by=by, at=at)


@transaction.atomic
def expire(*, at: datetime) -> int:
    """End proposals that nobody answered in time. Returns how many."""
    return _end_pending(Proposal.objects.overdue(at), ProposalStatus.EXPIRED, "", at=at)


@transaction.atomic
def reconsider(events: Sequence[Event], *, at: datetime) -> None:
    """Needs and offers were changed or allocated by hand: what waits and fits no more is taken back and says which rule it broke.

    Where too much waits for what is left of a side, those keep their units that were approved, then the most urgent.
    """
    changed: dict[str, set[Any]] = defaultdict(set)
    for event in events:
        sides = {event.subject: event.subject_id} if event.subject in ("need", "offer") else event.facts
        changed["need"].update({sides["need"]} if "need" in sides else ())
        changed["offer"].update({sides["offer"]} if "offer" in sides else ())
    of = models.Q(need__in=changed["need"]) | models.Q(offer__in=changed["offer"])
    proposals = _lock_pending(Proposal.objects.pending().filter(of).values_list("pk", "need", "offer"))
    needs = Need.objects.filter(pk__in=changed["need"])
    offers = Offer.objects.filter(pk__in=changed["offer"])
    reasons = {
        **_overdrawn(proposals, "need_id", {need.pk: need.lacking for need in needs}),
        **_overdrawn(proposals, "offer_id", {offer.pk: offer.quantity_open for offer in offers}),
        **_unfit(proposals),
    }
    for reason in sorted(set(reasons.values())):
        ending = [proposal for proposal in proposals if reasons.get(proposal.pk) == reason]
        _ended(ending, ProposalStatus.WITHDRAWN, reason, by=None, at=at)


def _overdrawn(proposals: Iterable[Proposal], side: str, left: Mapping[Any, int]) -> dict[Any, str]:
    """Those for which too little is left of their side once the ones before them have theirs."""
    rest = dict(left)
    found = {}
    for proposal in sorted(proposals, key=_first_to_keep):
        key = getattr(proposal, side)
        if key not in rest:
            continue
        if proposal.quantity_approved <= rest[key]:
            rest[key] -= proposal.quantity_approved
        else:
            found[proposal.pk] = "not-enough-left"
    return found


def _first_to_keep(proposal: Proposal) -> tuple[Any, ...]:
    is_open = proposal.status == ProposalStatus.OPEN
    return is_open, proposal.need.urgency, proposal.created_at, proposal.pk


def _unfit(proposals: Iterable[Proposal]) -> dict[Any, str]:
    """Those that break a rule now, each judged as of the moment of its run."""
    by_moment: dict[datetime, list[Proposal]] = defaultdict(list)
    for proposal in proposals:
        by_moment[proposal.judged_as_of].append(proposal)
    return {
        proposal.pk: str(fault)
        for moment, rows in by_moment.items()
        for proposal, fault in zip(rows, first_faults(_couples(rows), as_of=moment), strict=True)
        if fault
    }


def _couples(proposals: Iterable[Proposal]) -> list[Couple]:
    return [
        Couple(row.need_id, row.offer_id, row.quantity_approved, held=row.quantity_approved)
        for row in proposals
    ]


def _check_fits(proposal: Proposal) -> None:
    """Nobody is asked for a yes to what can no longer be promised: raise NotEnoughLeft or NotEligible."""
    check(proposal.need, proposal.offer, proposal.quantity_approved)
    _check_rules(_couples([proposal])[0], as_of=proposal.judged_as_of)


def _check_rules(couple: Couple, *, as_of: datetime) -> None:
    (fault,) = first_faults([couple], as_of=as_of)
    if fault:
        raise NotEligible(WHY_NOT.get(fault, OTHERWISE), code=str(fault))


def withdraw_for_facility(events: Sequence[Event], *, at: datetime) -> None:
    """A paused facility takes nothing: what is proposed to it ends."""
    _withdraw_pending(
        models.Q(need__appeal__facility__in=[event.subject_id for event in events]), "facility-paused", at=at
    )


def withdraw_for_need(events: Sequence[Event], *, at: datetime) -> None:
    _withdraw_pending(models.Q(need__in=[event.subject_id for event in events]), "need-withdrawn", at=at)


def withdraw_for_offer(events: Sequence[Event], *, at: datetime) -> None:
    _withdraw_pending(models.Q(offer__in=[event.subject_id for event in events]), "offer-withdrawn", at=at)


@transaction.atomic
def _withdraw_pending(of: models.Q, reason: str, *, at: datetime) -> None:
    while _end_pending(Proposal.objects.pending().filter(of), ProposalStatus.WITHDRAWN, reason, at=at):
        pass


def _locked(proposal: Proposal) -> Proposal:
    """The proposal, locked after its need and its offer."""
    list(Need.objects.filter(pk=proposal.need_id).select_for_update().values_list("pk"))
    list(Offer.objects.filter(pk=proposal.offer_id).select_for_update().values_list("pk"))
    rows = Proposal.objects.with_sides().select_related("family_run__run").defer(*BLOBS)
    return rows.select_for_update(of=("self",)).get(pk=proposal.pk)


def _approved(proposal: Proposal) -> Proposal:
    proposal = _locked(proposal)
    if proposal.status != ProposalStatus.APPROVED:
        raise Refused(
            _("This proposal is %(status)s; only an approved one waits for a yes.")
            % {"status": proposal.get_status_display()},
            code="move-refused",
        )
    return proposal


def _agree_if_all_said_yes(proposal: Proposal, *, by: User, at: datetime) -> Proposal:
    asked = proposal.donor_said_yes_at is None or (
        proposal.needs_hospital_yes and proposal.hospital_said_yes_at is None
    )
    if asked:
        return proposal
    allocation = allocate(
        proposal.need,
        proposal.offer,
        proposal.quantity_approved,
        by=by,
        at=at,
        because={**proposal.because, "proposal": str(proposal.pk), "donor_consent": proposal.donor_consent},
    )
    proposal.move_to(ProposalStatus.AGREED)
    proposal.allocation = allocation
    proposal.save(update_fields=["status", "allocation"])
    _hold([proposal], -1)
    record(proposal, "proposal.agreed", by=by, at=at)
    return proposal


def _end_one(proposal: Proposal, status: str, because: str, *, by: User | None, at: datetime) -> Proposal:
    """End one proposal and free its units. Raises MoveRefused if it has ended already."""
    return _ended([_locked(proposal)], status, because, by=by, at=at)[0]


def _end_pending(rows: models.QuerySet[Proposal], status: str, because: str, *, at: datetime) -> int:
    """End many at once; those that end meanwhile are passed over. Returns how many it ended."""
    found = rows.order_by("pk").values_list("pk", "need", "offer")[:AT_ONCE]
    return len(_ended(_lock_pending(found), status, because, by=None, at=at))


def _lock_pending(found: Iterable[tuple[Any, Any, Any]]) -> list[Proposal]:
    """Of these proposals, given with their need and offer, those that wait for an answer still; locked after both sides."""
    ids, needs, offers = zip(*found, strict=True) if (found := list(found)) else ((), (), ())
    list(Need.objects.filter(pk__in=needs).select_for_update().order_by("pk").values_list("pk"))
    list(Offer.objects.filter(pk__in=offers).select_for_update().order_by("pk").values_list("pk"))
    pending = Proposal.objects.pending().filter(pk__in=ids).select_related("need__appeal", "family_run__run")
    return list(pending.defer(*BLOBS).select_for_update(of=("self",)).order_by("pk"))


def _ended(
    proposals: list[Proposal],
    status: str,
    because: str,
    *,
    by: User | None,
    at: datetime,
    facts: Callable[[Proposal], dict[str, Any]] | None = None,
) -> list[Proposal]:
    for proposal in proposals:
        proposal.move_to(status)
        proposal.ended_because = because
    Proposal.objects.bulk_update(proposals, ["status", "ended_because"])
    _hold(proposals, -1)
    record_all(proposals, f"proposal.{status}", by=by, at=at, facts=facts or _family_facts)
    return proposals


def _family_facts(proposal: Proposal) -> dict[str, Any]:
    """Whose family is to be matched again, since both sides are free."""
    return {"item": proposal.need.item_id, "emergency": proposal.need.appeal.emergency_id}


# --- taking a run back --------------------------------------------------------------------------------------


@transaction.atomic
def undo(run: MatchingRun, *, reason: str, by: User, at: datetime) -> MatchingRun:
    """Withdraw everything that a run proposed and nobody has answered, all of it or nothing; what was approved stands.

    Nothing is matched again because of it: whoever takes a run back mends something first. The timetable goes on.
    Raises Refused("run-unfinished"), Refused("nothing-to-take-back").
    """
    if not reason.strip():
        raise Refused(_("Say why the run is taken back."), code="reason-missing")
    run.refresh_from_db(fields=["status"])
    if run.status not in (RunStatus.DONE, RunStatus.FAILED):
        raise Refused(
            _("The run has not ended yet; wait until it has, then take it back."), code="run-unfinished"
        )
    found = Proposal.objects.waiting().filter(family_run__run=run).order_by("pk")
    locked = _lock_pending(found.values_list("pk", "need", "offer"))
    unanswered = [proposal for proposal in locked if proposal.status == ProposalStatus.OPEN]
    if not unanswered:
        raise Refused(
            _("Nothing of this run waits any more: everything was answered, has expired or was taken back."),
            code="nothing-to-take-back",
        )
    _ended(
        unanswered,
        ProposalStatus.WITHDRAWN,
        reason.strip()[:300],
        by=by,
        at=at,
        facts=lambda proposal: {"run": str(run.pk)},
    )
    record(run, "run.undone", by=by, at=at, proposals=len(unanswered))
    return run
