"""What a drill plays on: the servers of its own state directory, a fresh database, and the site's processes, which it may kill."""

import http.client
import json
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from django.utils import timezone

from bench.databases import make, url
from drill import notices, points
from drill.cells import Check
from launcher import processes
from launcher.postgres import Postgres
from launcher.programs import HOST, free_port
from launcher.state import ROOT, State
from launcher.supervisor import SECONDS_BETWEEN_LOOKS, Program, Supervisor
from launcher.valkey import Valkey
from matching import books

DATABASE = "drill"
SECONDS_TO_ANSWER = 120
FIRST_PORT = 8700


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Stage:
    """is_small   a sample of the drill, for continuous integration"""

    is_small: bool
    programs: list[Program] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = State(Path(os.environ["STATE_DIR"]))
        self.broker = Valkey(self.state)
        self.postgres = Postgres(self.state)
        self._watches: list[threading.Thread] = []
        self._is_over = threading.Event()

    def size(self, full: int, small: int) -> int:
        return small if self.is_small else full

    # -- Before and after --

    def make_fresh(self) -> None:
        """An empty database with reference data, and nothing in the broker."""
        make(DATABASE)
        notices.make_table()
        points.disarm(self.state.path)
        for timetable in self.state.path.glob("timetable*"):
            timetable.unlink()  # else what was due in another cell comes in this one
        (self.state.path / "static").mkdir(exist_ok=True)
        self.broker.start()
        redis.Redis(unix_socket_path=str(self.broker.socket)).flushall()

    def clear(self) -> None:
        """End whatever a cell has left running, and have the servers up for the next."""
        self._is_over.set()
        for watch in self._watches:
            watch.join()
        self._watches.clear()
        for program in self.programs:
            self.kill(program)
            program.stop()
        self.programs.clear()
        self.postgres.start()
        self.broker.start()

    def books(self) -> Check:
        """Whether the ledger's equations hold; asked at the end of every cell."""
        broken = books.faults(at=timezone.now())
        return Check("the ledger's invariants", "; ".join(broken) or "hold", "hold", not broken)

    # -- The site's processes --

    def worker(self, *, at_once: int = 2, **environment: str) -> Program:
        """A worker with its timetable, as the launcher starts it."""
        timetable = str(self.state.path / "timetable")
        options = (
            f"--pool prefork --concurrency {at_once} --loglevel WARNING --without-mingle --without-gossip"
        )
        return self._start(
            "worker",
            "celery",
            "-A",
            "drill.worker",
            "worker",
            "-B",
            "--schedule",
            timetable,
            *options.split(),
            **environment,
        )

    def web(self, **environment: str) -> "Web":
        """Web processes as the launcher starts them, of an application that can be told to die."""
        port = free_port(FIRST_PORT)
        options = "--worker-class gthread --workers 2 --threads 4 --timeout 60 --no-control-socket"
        at = ("--bind", f"{HOST}:{port}")
        web = Web(
            self._start("web", "gunicorn", "drill.web:application", *at, *options.split(), **environment),
            port,
        )
        processes.wait_until(
            lambda: web.answers() or web.program.pid is None, seconds=SECONDS_TO_ANSWER, every=0.5
        )
        assert web.program.pid is not None, f"the web processes have ended; see {web.program.log}"
        return web

    def _start(self, name: str, *arguments: str, **environment: str) -> Program:
        program = Program(
            name,
            [sys.executable, "-m", *arguments],
            environment={**os.environ, "DATABASE_URL": url(DATABASE), **environment},
            cwd=ROOT,
            log=self.state.log(f"drill-{name}"),
        )
        program.start()
        self.programs.append(program)
        return program

    def supervise(self, program: Program) -> Callable[[], int]:
        """Have the launcher's supervisor start it again whenever it dies; returns how often that was so far."""
        starts: list[int] = []
        supervisor = Supervisor(
            [program], lambda pids: starts.extend(pid for pid in pids.values() if pid is not None)
        )

        def watch() -> None:
            while not self._is_over.wait(SECONDS_BETWEEN_LOOKS):
                supervisor.look()

        self._is_over.clear()
        self._watches.append(threading.Thread(target=watch))
        self._watches[-1].start()
        return lambda: len(starts)

    @staticmethod
    def kill(program: Program) -> None:
        """kill -9 of a program with all it has forked."""
        if program.pid is not None:
            processes.signal_group(program.pid, signal.SIGKILL)
            processes.wait_until(lambda: program.pid is None, seconds=10)

    # -- Faults at a point of their code --

    def arm(self, point: str, how: str) -> None:
        """The next process that reaches the point kills itself, or stops."""
        points.arm(self.state.path, point, how)

    def taken(self) -> int:
        """Wait until a process has obeyed; its number."""
        folder = self.state.path
        reached = processes.wait_until(
            lambda: points.taken_by(folder) is not None, seconds=SECONDS_TO_ANSWER, every=0.01
        )
        assert reached, f"nobody came by: {(folder / points.ORDER).read_text()}"
        pid = points.taken_by(folder)
        assert pid is not None
        return pid

    def count_logged(self, name: str, words: str) -> int:
        """How many lines of a program's log have these words."""
        log = self.state.log(name)
        return sum(words in line for line in log.read_text().splitlines()) if log.exists() else 0

    # -- The broker --

    def stop_broker(self, *, hard: bool = False) -> None:
        """hard   kill -9, which loses what was not written out yet"""
        if hard and self.broker.pid is not None:
            processes.signal_quietly(self.broker.pid, signal.SIGKILL)
            processes.wait_until(lambda: self.broker.pid is None, seconds=10)
        self.broker.stop()

    def start_broker(self, *, empty: bool = False) -> None:
        if empty:
            shutil.rmtree(self.broker.data, ignore_errors=True)
        self.broker.start()


@dataclass
class Web:
    program: Program
    port: int

    def answers(self) -> bool:
        try:
            return self.ask("GET", "/api/v1/emergencies/").status == 200
        except OSError:
            return False

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """One request on a connection of its own. Raises OSError if there is no answer."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
        sent = {
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()

    def answered(self, *request: Any, **headers: str) -> Answer:
        """The same request until there is an answer: what a careful program does, with a key."""
        found: list[Answer] = []

        def ask() -> bool:
            try:
                found.append(self.ask(*request, **headers))
            except OSError:
                return False
            return found[-1].status not in (409, 503)

        assert processes.wait_until(ask, seconds=SECONDS_TO_ANSWER), (
            f"no answer to {request[:2]}: {found[-1:]}"
        )
        return found[-1]


@contextmanager
def on_stage(*, is_small: bool) -> Iterator[Callable[[bool], Stage]]:
    """Hands out the stage for each cell: swept, and with a fresh database unless the cell has its own servers."""
    stage = Stage(is_small)

    def fresh(is_played_on: bool) -> Stage:
        stage.clear()
        if is_played_on:
            stage.make_fresh()
        return stage

    try:
        yield fresh
    finally:
        stage.clear()
