"""F1-F7: a worker is killed in each phase of the matching; another attempt ends the run, and everybody is told of it once."""

import time

from drill import notices
from drill.cells import Cell, Check, at_most, cell, equal, none_of
from drill.points import KILL, KILL_ALL
from drill.scenes import QUANTITY, is_over, is_quiet, many_pairs, start_run
from drill.stage import Stage
from launcher.processes import wait_until
from matching.models import MatchingRun, Proposal, RunStatus

PAIRS = 20
MOST_SECONDS = 90  # R11
SECONDS_TO_BE_QUIET = 120  # R8
EMERGENCY = "drill-killed"


def killed(stage: Stage, point: str, how: str = KILL_ALL, *, opened: int = 1, leased: int = 2) -> list[Check]:
    """opened, leased   attempts of the run and of its family, the one that died among them"""
    many_pairs(EMERGENCY, PAIRS)
    restarts = stage.supervise(stage.worker())
    stage.arm(point, how)
    run = start_run(EMERGENCY)
    stage.taken()
    died = time.monotonic()
    ended = wait_until(lambda: is_over(run), seconds=SECONDS_TO_BE_QUIET)
    until_over = time.monotonic() - died
    quiet = wait_until(is_quiet, seconds=SECONDS_TO_BE_QUIET)
    return [
        equal("the run ended", ended, True),
        *_as_it_has_to_be(run, opened=opened, leased=leased),
        at_most("until the run was over", until_over, MOST_SECONDS),
        equal("everything was told and done by itself", quiet, True),
        equal("how often it was told that the run is done", notices.noticed(run.pk), 1),
        equal("times the supervisor started the worker again", restarts(), int(how == KILL_ALL)),
        equal("runs", MatchingRun.objects.count(), 1),
    ]


def _as_it_has_to_be(run: MatchingRun, *, opened: int, leased: int) -> list[Check]:
    run.refresh_from_db()
    families = list(run.families.defer("rows", "problem", "plan"))
    proposals = list(Proposal.objects.values_list("need", "offer", "quantity"))
    return [
        equal("status of the run", run.status, RunStatus.DONE.value),
        equal("times it was opened", run.attempts, opened),
        equal("leases of its family", [family.attempt for family in families], [leased]),
        equal("units proposed", sum(quantity for _need, _offer, quantity in proposals), PAIRS * QUANTITY),
        none_of(
            "pairs proposed twice", len(proposals) - len({(need, offer) for need, offer, _ in proposals})
        ),
    ]


@cell(
    "killed-lease-taken",
    of="F1, R11",
    injects="kill -9 of the whole worker that has just taken the lease of a family",
    passes="the lease runs out, another attempt ends the run within 90 s; one proposal a pair, one notice",
    in_sample=True,
)
def lease_taken(stage: Stage) -> list[Check]:
    return killed(stage, "lease-taken")


@cell(
    "killed-snapshot-read",
    of="F2",
    injects="kill -9 of the whole worker that has read the snapshot and written nothing",
    passes="the run is opened again and ends within 90 s; one proposal a pair, one notice",
)
def snapshot_read(stage: Stage) -> list[Check]:
    return killed(stage, "snapshot-read", opened=2, leased=1)


@cell(
    "killed-solving",
    of="F3, R11",
    injects="kill -9 of the whole worker while the solver computes",
    passes="another attempt ends the run within 90 s; one proposal a pair, one notice",
)
def solving(stage: Stage) -> list[Check]:
    return killed(stage, "solving")


@cell(
    "killed-before-write",
    of="F4, R11",
    injects="kill -9 of the whole worker that has a plan and has written nothing of it",
    passes="another attempt ends the run within 90 s; one proposal a pair, one notice",
)
def before_write(stage: Stage) -> list[Check]:
    return killed(stage, "before-write")


@cell(
    "killed-mid-write",
    of="F5, R11",
    injects="kill -9 of the whole worker that has inserted the proposals and not committed them",
    passes="nothing of them stays; another attempt ends the run within 90 s; one proposal a pair, one notice",
)
def mid_write(stage: Stage) -> list[Check]:
    return killed(stage, "mid-write")


@cell(
    "killed-committed",
    of="F6",
    injects="kill -9 of the whole worker that has committed the end of the run and not rung for its notice",
    passes="the sweep finds the notice; it is told once",
    in_sample=True,
)
def committed(stage: Stage) -> list[Check]:
    return killed(stage, "committed", leased=1)


@cell(
    "killed-rung",
    of="F7, F13",
    injects="kill -9 of the process of a worker that has done its task and rung, and not said so to the broker, which"
    " delivers the task again",
    passes="delivered twice, done once: one proposal a pair, one notice",
)
def rung(stage: Stage) -> list[Check]:
    before = stage.count_logged("drill-worker", DELIVERED)
    checks = killed(stage, "rung", KILL, leased=1)
    twice = wait_until(lambda: stage.count_logged("drill-worker", DELIVERED) - before >= 2, seconds=30)
    return [*checks, equal("the task was delivered again", twice, True)]


DELIVERED = "delivered matching.solve_family"
CELLS: list[Cell] = [lease_taken, snapshot_read, solving, before_write, mid_write, committed, rung]
