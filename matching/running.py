"""What workers do of a run: lay it out in families, solve one under a lease, store what was found.

A run reads one consistent snapshot, and each of its families is solved by one process under a lease. All truth is in
PostgreSQL: the broker only rings, and a sweep rings again.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.db import IntegrityError, OperationalError, models, transaction
from django.utils import timezone

from matching.kernel.explain import Explanation, Match, explain
from matching.kernel.plan import Plan
from matching.kernel.problem import URGENCIES, Problem
from matching.kernel.solve import solve
from matching.kernel.verify import verify
from matching.kernel.version import kernel
from matching.models import (
    FamilyRun,
    Lack,
    MatchingPolicy,
    MatchingRun,
    Proposal,
    ProposalStatus,
    RunStatus,
    Shortfall,
)
from matching.proposing import ended, hold, made_of, steps_of
from matching.services import expire
from matching.snapshot import Rows, Rulebook, read_consistently, take
from matching.superseding import Change, change_of
from supplies.errors import is_busy_or_away
from supplies.journal.services import record, ring

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 3


class LeaseLost(RuntimeError):
    """Somebody else has taken the family over; what this process found is thrown away."""


class PlanRejected(RuntimeError):
    """The verifier found a fault in a plan; nothing of it is stored."""


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
        ended(change.superseded, ProposalStatus.SUPERSEDED, "superseded", by=None, at=at)
        steps = steps_of(change.new)
        proposals = Proposal.objects.bulk_create(
            made_of(
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
        hold(proposals, +1)
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


def _by_importance(match: Match) -> tuple[int, int, int]:
    """The order of the policy: whose next unit comes first is to be approved first."""
    return match.level_before, match.demand, match.supply
