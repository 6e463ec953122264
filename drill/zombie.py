"""F8: a worker is stopped for longer than its lease lasts, and wakes when another has done its work."""

import os
import signal
import time

from drill import notices
from drill.cells import Cell, Check, at_most, cell, equal, more_than, none_of
from drill.points import STOP
from drill.scenes import QUANTITY, is_over, is_quiet, many_pairs, start_run
from drill.stage import Stage
from drill.worker_killed import MOST_SECONDS, PAIRS, SECONDS_TO_BE_QUIET
from launcher.processes import wait_until
from matching.models import FamilyRun, Proposal

LOST = "was lost; its result is thrown away"
EMERGENCY, CONTROL = "drill-stopped", "drill-woken-in-time"


def stopped(stage: Stage, lease_seconds: int) -> list[Check]:
    many_pairs(EMERGENCY, PAIRS)
    stage.worker(MATCH_LEASE_SECONDS=str(lease_seconds))
    refusals = stage.count_logged("drill-worker", LOST)
    stage.arm("before-write", STOP)
    run = start_run(EMERGENCY)
    zombie = stage.taken()
    began = time.monotonic()
    ended = wait_until(lambda: is_over(run), seconds=MOST_SECONDS + SECONDS_TO_BE_QUIET)
    seconds = time.monotonic() - began
    before = _written()
    os.kill(zombie, signal.SIGCONT)
    refused = wait_until(lambda: stage.count_logged("drill-worker", LOST) > refusals, seconds=60)
    quiet = wait_until(is_quiet, seconds=SECONDS_TO_BE_QUIET)
    return [
        equal("another process ended the run", ended, True),
        at_most("until it had, without help from the broker", seconds, MOST_SECONDS),
        equal("leases of the family", FamilyRun.objects.get(run=run).attempt, 2),
        equal("the late write was refused", refused, True),
        none_of("rows the late one changed", len(before ^ _written())),
        equal("units proposed", sum(quantity for _pk, quantity in _written()), PAIRS * QUANTITY),
        equal("everything was told and done by itself", quiet, True),
        equal("how often it was told that the run is done", notices.noticed(run.pk), 1),
        more_than("proposals of one woken within its lease (the control)", _woken_in_time(stage), 0),
    ]


def _written() -> set[tuple[object, int]]:
    return set(Proposal.objects.values_list("pk", "quantity"))


def _woken_in_time(stage: Stage) -> int:
    """Being stopped is not what keeps a worker from writing; having lost its lease is."""
    many_pairs(CONTROL, 1)
    stage.arm("before-write", STOP)
    run = start_run(CONTROL)
    os.kill(stage.taken(), signal.SIGCONT)
    wait_until(lambda: is_over(run), seconds=SECONDS_TO_BE_QUIET)
    first_attempt = FamilyRun.objects.filter(run=run, attempt=1)
    return Proposal.objects.filter(family_run__in=first_attempt).count()


@cell(
    "stopped-before-write",
    of="F8, R11",
    injects="SIGSTOP of a worker's process that has a plan, until its lease of 3 s is over and another has ended the run;"
    " then SIGCONT",
    passes="another attempt ends the run within 90 s; what the late one would write is refused",
)
def before_write(stage: Stage) -> list[Check]:
    return stopped(stage, 3)


@cell(
    "stopped-full-lease",
    of="F8, R11",
    injects="the same with the lease of 60 s that sites have",
    passes="another attempt ends the run within 90 s; what the late one would write is refused",
)
def full_lease(stage: Stage) -> list[Check]:
    return stopped(stage, 60)


CELLS: list[Cell] = [before_write, full_lease]
