"""F12: the broker is away when a worker starts, goes in the middle of a run, comes back empty, cuts its connections."""

import os
import signal
import time
from collections.abc import Callable

import redis

from drill import notices
from drill.cells import Cell, Check, at_most, cell, equal
from drill.points import STOP
from drill.scenes import is_over, is_quiet, many_pairs, start_run
from drill.stage import Stage
from drill.worker_killed import PAIRS, SECONDS_TO_BE_QUIET
from launcher.processes import wait_until
from matching.models import FamilyRun, MatchingRun, RunStatus

FIRST, AFTERWARDS = "drill-broker", "drill-broker-afterwards"
SECONDS_TO_CONSUME = 60
SECONDS_AWAY = 8
CUTS = 5


def _afterwards(run: MatchingRun, restarts: Callable[[], int]) -> list[Check]:
    """The run went through, its notice once, and the worker takes what comes next."""
    began = time.monotonic()
    ended = wait_until(lambda: is_over(run), seconds=SECONDS_TO_BE_QUIET)
    seconds = time.monotonic() - began
    quiet = wait_until(is_quiet, seconds=SECONDS_TO_BE_QUIET)
    many_pairs(AFTERWARDS, 1)
    next_run, began = start_run(AFTERWARDS), time.monotonic()
    wait_until(lambda: is_over(next_run), seconds=SECONDS_TO_BE_QUIET)
    run.refresh_from_db()
    return [
        equal("the run ended", (ended, run.status), (True, "done")),
        at_most("until it had, after the broker was there", seconds, SECONDS_TO_CONSUME),
        equal("everything was told and done by itself", quiet, True),
        equal("how often it was told that the run is done", notices.noticed(run.pk), 1),
        at_most("until the next run was over", time.monotonic() - began, SECONDS_TO_CONSUME),
        Check("times the supervisor had to start the worker again", restarts(), "said, not judged", True),
    ]


@cell(
    "broker-away-at-start",
    of="F12",
    injects="no broker when the worker starts and a run is asked for; it comes 8 s later",
    passes="the sweep rings from the database; the run ends within 60 s, its notice is told once, the worker goes on",
)
def at_start(stage: Stage) -> list[Check]:
    many_pairs(FIRST, PAIRS)
    stage.stop_broker()
    restarts = stage.supervise(stage.worker())
    run = start_run(FIRST)
    wait_until(lambda: restarts() > 0, seconds=SECONDS_AWAY)
    stage.start_broker(empty=True)
    return _afterwards(run, restarts)


@cell(
    "broker-away-mid-run",
    of="F12",
    injects="kill -9 of the broker while a worker solves; the worker writes without it; it comes back empty",
    passes="the sweep rings from the database; the run ends within 60 s, its notice is told once, the worker goes on",
    in_sample=True,
)
def mid_run(stage: Stage) -> list[Check]:
    many_pairs(FIRST, PAIRS)
    restarts = stage.supervise(stage.worker())
    stage.arm("solving", STOP)
    run = start_run(FIRST)
    solver = stage.taken()
    stage.stop_broker(hard=True)
    os.kill(solver, signal.SIGCONT)
    stored = wait_until(
        lambda: FamilyRun.objects.filter(run=run, status=RunStatus.DONE).exists(), seconds=SECONDS_TO_BE_QUIET
    )
    stage.start_broker(empty=True)
    return [
        equal("what was solved was written without the broker", stored, True),
        *_afterwards(run, restarts),
    ]


@cell(
    "broker-reset",
    of="F12",
    injects="every connection to the broker cut, 5 times, while a run is under way",
    passes="the worker connects again; the run ends within 60 s, its notice is told once, the worker goes on",
)
def reset(stage: Stage) -> list[Check]:
    many_pairs(FIRST, PAIRS)
    restarts = stage.supervise(stage.worker())
    stage.arm("lease-taken", STOP)
    run = start_run(FIRST)
    solver = stage.taken()
    broker = redis.Redis(unix_socket_path=str(stage.broker.socket))
    cut = 0
    for _time in range(CUTS):
        cut += int(broker.client_kill_filter(_type="normal", skipme=True))
        wait_until(lambda: len(broker.client_list()) > 1, seconds=SECONDS_TO_CONSUME)
    os.kill(solver, signal.SIGCONT)
    return [
        Check("connections cut", cut, f">= {CUTS}", cut >= CUTS),
        *_afterwards(run, restarts),
    ]


CELLS: list[Cell] = [at_start, mid_run, reset]
