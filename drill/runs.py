"""F15: two runs at once; a run beside an allocation by hand; a run beside an import."""

import os
import signal
from collections.abc import Sequence

from django.db.models import Sum
from django.utils import timezone

from bench.races import Contest, contest, without_the_index
from drill.cells import Cell, Check, cell, equal, more_than, none_of
from drill.points import STOP
from drill.scenes import ITEM, QUANTITY, a_pair, is_over, is_quiet, many_pairs, secret_of, start_run
from drill.stage import Stage
from drill.worker_killed import SECONDS_TO_BE_QUIET
from launcher.processes import wait_until
from matching.models import FamilyRun, MatchingRun, Proposal
from supplies.intake.services import import_appeals
from supplies.needs.models import Need
from tests.makers import make_emergency, make_member, make_offer
from tests.supplies.intake.lists import make_cell, make_row, write_list

EMERGENCY, CONTROL = "drill-two-runs", "drill-two-runs-unguarded"
BY_HAND = 400
IMPORTED = 300
PATIENT = "60"  # seconds of lease, so that a process that is stopped for a moment keeps it


def _most(contests: Sequence[Contest]) -> int:
    return max(each.most_running for each in contests)


@cell(
    "two-runs",
    of="F15, R3",
    injects="two processes start a run of the same goods at once and take every lease they can get, 20 times",
    passes="never two of one family at work, one proposal a pair; the control without the index has two",
    is_many=True,
)
def two_runs(stage: Stage) -> list[Check]:
    many_pairs(EMERGENCY, 10)
    emergency = make_emergency(EMERGENCY)
    contests = contest(emergency, rounds=stage.size(20, 2))
    pairs = list(Proposal.objects.values_list("need", "offer"))
    many_pairs(CONTROL, 10)
    with without_the_index():
        control = contest(make_emergency(CONTROL), rounds=1)
    return [
        equal("rounds", len(contests), stage.size(20, 2)),
        equal("most of one family at work", _most(contests), 1),
        equal("leases of each round", {each.leases for each in contests}, {1}),
        none_of("pairs proposed twice", len(pairs) - len(set(pairs))),
        more_than("most of one family at work without the index (the control)", _most(control), 1),
    ]


@cell(
    "two-runs-of-workers",
    of="F15",
    injects="a second run of the same goods is asked for while a worker solves the first",
    passes="it waits; both end, and the second proposes nothing that the first has taken",
)
def two_runs_of_workers(stage: Stage) -> list[Check]:
    many_pairs(EMERGENCY, 10)
    stage.worker(MATCH_LEASE_SECONDS=PATIENT)
    stage.arm("solving", STOP)
    first = start_run(EMERGENCY)
    solver = stage.taken()
    second = start_run(EMERGENCY)
    laid_out = wait_until(lambda: second.families.exists(), seconds=SECONDS_TO_BE_QUIET)
    running = FamilyRun.objects.filter(status="running").count()
    os.kill(solver, signal.SIGCONT)
    ended = wait_until(lambda: is_over(first) and is_over(second), seconds=SECONDS_TO_BE_QUIET)
    statuses = set(MatchingRun.objects.values_list("status", flat=True))
    units = dict(FamilyRun.objects.values_list("run").annotate(units=Sum("units")))
    return [
        equal("the second was laid out while the first was solved", (laid_out, running), (True, 1)),
        equal("both ended", (ended, statuses), (True, {"done"})),
        equal("units of the first", units[first.pk], 10 * QUANTITY),
        equal("units of the second", units[second.pk], 0),
        equal(
            "everything was told and done by itself", wait_until(is_quiet, seconds=SECONDS_TO_BE_QUIET), True
        ),
    ]


@cell(
    "run-and-approval",
    of="F15",
    injects="a volunteer allocates a part by hand while a worker solves for the same need and offer",
    passes="the run leaves out what changed under it; the rest is proposed afterwards, and nothing twice",
)
def run_and_approval(stage: Stage) -> list[Check]:
    pair = a_pair(EMERGENCY)
    volunteer = secret_of(make_member("volunteer"))
    stage.worker(MATCH_LEASE_SECONDS=PATIENT)
    web = stage.web()
    stage.arm("solving", STOP)
    run = start_run(EMERGENCY)
    solver = stage.taken()
    body = {"need": str(pair.need.pk), "offer": str(pair.offer.pk), "quantity": BY_HAND, "reason": "recount"}
    answer = web.ask("POST", "/api/v1/proposals/", body, Authorization=f"Token {volunteer}")
    os.kill(solver, signal.SIGCONT)
    ended = wait_until(lambda: is_over(run), seconds=SECONDS_TO_BE_QUIET)
    family = FamilyRun.objects.get(run=run)
    quiet = wait_until(is_quiet, seconds=SECONDS_TO_BE_QUIET)
    held = Proposal.objects.pending().filter(need=pair.need)
    return [
        equal("by hand", answer.status, 201),
        equal("the run ended", ended, True),
        equal("left out because it changed", (family.stale, family.proposals), (1, 0)),
        equal("everything was told and done by itself", quiet, True),
        equal("units by hand", sum(p.quantity for p in held.filter(is_by_hand=True)), BY_HAND),
        none_of("units beyond the offer", max(0, sum(p.quantity for p in held) - QUANTITY)),
    ]


@cell(
    "run-and-import",
    of="F15",
    injects="a list with another hospital's needs of the same goods is imported, twice, while a worker solves",
    passes="the run keeps to its snapshot; what came in is matched by the next run by itself, the second import changes"
    " nothing",
)
def run_and_import(stage: Stage) -> list[Check]:
    pair = a_pair(EMERGENCY)
    emergency = make_emergency(EMERGENCY)
    stage.worker(MATCH_LEASE_SECONDS=PATIENT)
    stage.arm("solving", STOP)
    run = start_run(EMERGENCY)
    solver = stage.taken()
    now = timezone.now()
    day = timezone.localdate(now)
    row = make_row(
        url=f"http://example.org/{day:%Y%m}/t{day:%Y%m%d}_1.html",
        supplies=[make_cell(pair.need.item.name_zh, IMPORTED)],
    )
    file = write_list(stage.state.path, [row])
    for _time in range(2):
        import_appeals([file], "wuhan2020", by=None, at=now, as_of=day, emergency=emergency)
    make_offer(item=pair.need.item, quantity=IMPORTED, emergency=emergency, at=now)
    os.kill(solver, signal.SIGCONT)
    ended = wait_until(lambda: is_over(run), seconds=SECONDS_TO_BE_QUIET)
    family = FamilyRun.objects.get(run=run)
    imported = Need.objects.filter(item=ITEM).exclude(pk=pair.need.pk)
    matched = wait_until(
        lambda: sum(need.quantity_proposed for need in imported.all()) == IMPORTED,
        seconds=SECONDS_TO_BE_QUIET,
    )
    quiet = wait_until(is_quiet, seconds=SECONDS_TO_BE_QUIET)
    return [
        equal("needs imported", imported.count(), 1),
        equal(
            "the run ended, with what it had read", (ended, family.needs, family.units), (True, 1, QUANTITY)
        ),
        equal("what was imported is matched", matched, True),
        equal("everything was told and done by itself", quiet, True),
    ]


CELLS: list[Cell] = [two_runs, two_runs_of_workers, run_and_approval, run_and_import]
