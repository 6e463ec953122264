"""F10: PostgreSQL goes away under load, in three ways; every program comes back to it by itself, and nothing is lost or doubled."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from django.db import connection

from drill import notices
from drill.cells import Cell, Check, at_most, cell, equal, more_than, none_of
from drill.databases import kill_a_commit, stop_at_once
from drill.points import STOP
from drill.scenes import QUANTITY, is_over, is_quiet, many_pairs, secret_of, start_run
from drill.stage import Stage, Web
from drill.worker_killed import PAIRS, SECONDS_TO_BE_QUIET
from launcher.processes import wait_until
from launcher.supervisor import Program
from matching.models import Proposal
from supplies.journal.models import Event, IdempotencyKey
from tests.makers import make_facility, make_member, make_need

CLIENTS = 3
PAUSE = 0.25  # before a program asks again; one in a hurry would be told to slow down
SECONDS_TO_RECONNECT = 30
EMERGENCY = "drill-database"
TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    " AND pid <> pg_backend_pid()"
)


class Load:
    """Programs that confirm needs, each time under a key of its own, and ask again under it until it is done."""

    def __init__(self, web: Web, requests: list[tuple[str, str]]) -> None:
        self.web = web
        self.statuses: Counter[Any] = Counter()
        self.done = [0] * len(requests)
        self._is_over, self._gives_up_at = False, 0.0
        self._threads = [
            threading.Thread(target=self._ask, args=[number, *request])
            for number, request in enumerate(requests)
        ]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: Any) -> None:
        self._gives_up_at, self._is_over = time.monotonic() + SECONDS_TO_BE_QUIET, True
        for thread in self._threads:
            thread.join()

    def _ask(self, number: int, path: str, secret: str) -> None:
        for time_ in count():
            if self._is_over:
                return
            key = f"drill-{number}-{time_}"
            while self._once(path, Authorization=f"Token {secret}", Idempotency_Key=key) != 200:
                if self._is_over and time.monotonic() > self._gives_up_at:
                    return
                time.sleep(PAUSE)
            self.done[number] += 1

    def _once(self, path: str, **headers: str) -> Any:
        try:
            said: Any = self.web.ask("POST", path, {}, **headers).status
        except OSError as error:
            said = type(error).__name__
        self.statuses[said] += 1
        return said

    def goes_on(self, *, seconds: float) -> float:
        """How long until every program was told of something done after this moment."""
        before, began = list(self.done), time.monotonic()
        wait_until(
            lambda: all(now > then for now, then in zip(self.done, before, strict=True)), seconds=seconds
        )
        return time.monotonic() - began


def away(stage: Stage, injure: Callable[[Stage], None]) -> list[Check]:
    """Hurt the database while requests come and a worker is in the middle of a run."""
    many_pairs(EMERGENCY, PAIRS)
    worker, web = stage.worker(), stage.web()
    site = make_facility()
    requests = [
        (
            f"/api/v1/needs/{make_need(site).pk}/confirm/",
            secret_of(make_member("hospital", site.organisation)),
        )
        for _client in range(CLIENTS)
    ]
    stage.arm("solving", STOP)
    run = start_run(EMERGENCY)
    solver = stage.taken()
    programs = _with_children(worker), _with_children(web.program)
    with Load(web, requests) as load:
        load.goes_on(seconds=SECONDS_TO_BE_QUIET)
        connection.close()
        injure(stage)
        stage.postgres.start()
        os.kill(solver, signal.SIGCONT)
        seconds = load.goes_on(seconds=SECONDS_TO_BE_QUIET)
        load.goes_on(seconds=SECONDS_TO_BE_QUIET)
    began = time.monotonic()
    ended = wait_until(lambda: is_over(run), seconds=SECONDS_TO_BE_QUIET)
    until_over = time.monotonic() - began
    quiet = wait_until(is_quiet, seconds=SECONDS_TO_BE_QUIET)
    same = (_with_children(worker), _with_children(web.program)) == programs
    opened = Event.objects.filter(kind="need.opened", subject_id__in=[_need(path) for path, _ in requests])
    confirmed = opened.count() - CLIENTS  # they were opened once before
    unexpected = {status: n for status, n in load.statuses.items() if status not in (200, 409, 503)}
    run.refresh_from_db()
    return [
        more_than("requests done", sum(load.done), CLIENTS),
        Check("refused meanwhile, to be tried again", load.statuses[503], "said, not judged", True),
        none_of(f"other answers {unexpected or ''}".strip(), sum(unexpected.values())),
        none_of("acknowledged and lost", sum(load.done) - IdempotencyKey.objects.count()),
        none_of("done twice", confirmed - sum(load.done)),
        at_most("until every program was answered again", seconds, SECONDS_TO_RECONNECT),
        equal("no process of the worker or of the web has died", same, True),
        equal("the run ended", (ended, run.status), (True, "done")),
        Check("until it had", f"{until_over:.1f} s", "said, not judged", True),
        equal("units proposed", sum(Proposal.objects.values_list("quantity", flat=True)), PAIRS * QUANTITY),
        equal("everything was told and done by itself", quiet, True),
        equal("how often it was told that the run is done", notices.noticed(run.pk), 1),
    ]


def _need(path: str) -> str:
    return path.split("/")[4]


def _with_children(program: Program) -> list[int]:
    """The processes of a program: itself, and those that do the work."""
    assert program.pid is not None, f"{program.name} has ended"
    children = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
    return [program.pid, *map(int, children)]


def _kill_a_commit(stage: Stage) -> None:
    with connection.cursor() as cursor:
        kill_a_commit(cursor)
    connection.close()


def _terminate(stage: Stage) -> None:
    with connection.cursor() as cursor:
        cursor.execute(TERMINATE)


@cell(
    "database-stopped",
    of="F10",
    injects="PostgreSQL stopped at once (SIGQUIT) while programs write and a worker solves; then started",
    passes="answers are 200 or 503; all are served again within 30 s, no process has died, nothing lost or done twice",
    in_sample=True,
)
def stopped(stage: Stage) -> list[Check]:
    return away(stage, lambda stage: stop_at_once(stage.postgres))


@cell(
    "database-commit-killed",
    of="F10",
    injects="kill -9 of the PostgreSQL process of a program that waits for its COMMIT; PostgreSQL starts all others anew",
    passes="answers are 200 or 503; all are served again within 30 s, no process has died, nothing lost or done twice",
)
def commit_killed(stage: Stage) -> list[Check]:
    return away(stage, _kill_a_commit)


@cell(
    "database-terminated",
    of="F10",
    injects="pg_terminate_backend of every connection",
    passes="answers are 200 or 503; all are served again within 30 s, no process has died, nothing lost or done twice",
)
def terminated(stage: Stage) -> list[Check]:
    return away(stage, _terminate)


CELLS: list[Cell] = [stopped, commit_killed, terminated]
