"""`./run`: the whole site on this machine, from nothing to a first match, watched until it is told to stop."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from launcher import processes, programs
from launcher.messages import CannotGoOn, say, step
from launcher.postgres import tail
from launcher.running import Card, Running
from launcher.stack import Stack
from launcher.state import ROOT, State
from launcher.supervisor import Program, Service, Supervisor

SECONDS_FOR_FIRST_ANSWER = 60
SECONDS_BETWEEN_POLLS = 0.05
PREPARED = "prepared"  # the file that says which sources the database and static files were made ready for
SOURCES = ("config", "supplies", "matching", "static", "templates", "locale", "manage.py", "requirements.txt")


class ToldToStop(BaseException):
    """A signal asked us to end; not an error, so it passes every handler of errors."""


def nothing() -> None:
    """What is done while a command runs, when there is nothing else to do."""


class Demo:
    """One run of the site on one state directory."""

    def __init__(self, state: State) -> None:
        self.stack = Stack(state)
        self.state = state
        self.running = Running(state)
        self.programs: list[Program] = []

    def run(self) -> int:
        """Start everything and watch it until a signal comes. Raises CannotGoOn when a step of the start fails."""
        with self.running.held("the site"), until_told_to_stop():
            self._end_leftovers()
            say("Tongzhou is starting. Ctrl-C stops it; nothing is lost.")
            try:
                with self._servers():
                    self._prepare()
                    self._serve()
            except ToldToStop:
                pass
        say("Stopped.")
        return 0

    @contextmanager
    def _servers(self) -> Iterator[None]:
        began = time.monotonic()
        with self.stack.in_use():
            say(f"  {'PostgreSQL and Valkey':<34} {time.monotonic() - began:5.1f} s")
            try:
                yield
            finally:
                ignore_further_signals()
                for program in reversed(self.programs):
                    program.stop()

    def _end_leftovers(self) -> None:
        """End what a killed launcher's programs have left: two workers with two timetables would both do the work."""
        servers = {server.pid for server in self.stack.servers}
        for number in (signal.SIGTERM, signal.SIGKILL):
            left = [pid for pid in programs.leftovers(self.state.path) if pid not in servers]
            for pid in left:
                processes.signal_quietly(pid, number)
            if processes.have_ended(left, seconds=5):
                return

    # --- Making ready ---

    def _prepare(self) -> None:
        """Tables, static files and reference data, unless they were made ready from these same sources with these keys.

        `./run manage` may change any of it and removes the mark. Demonstration data and accounts belong in
        the embedded database only, never in one that was given from outside.
        """
        embedded = self.stack.postgres is not None
        mark, sources = self.state.path / PREPARED, digest_of_sources(self.stack.environment["FIELD_KEYS"])
        made_ready_for = mark.read_text() if mark.exists() else None
        if not (embedded and made_ready_for == sources and self._is_still_there()):
            mark.unlink(missing_ok=True)
            self._manage("tables", "migrate", "--no-input")
            if embedded:
                self._manage("who may do what in them", "database_roles")
            self._manage("static files", "collectstatic", "--no-input")
            self._manage("catalogue, standards, regions", "load_reference")
            if embedded:
                self._manage("demonstration data", "load_demo")
            mark.write_text(sources)
        if embedded:
            self._manage("accounts", "demo_accounts", shown=True)

    def _is_still_there(self) -> bool:
        assert self.stack.postgres is not None
        return (self.state.path / "static").is_dir() and self.stack.postgres.query(
            "SELECT to_regclass('django_migrations') IS NOT NULL"
        ) == "t"

    def _manage(
        self, name: str, *arguments: str, shown: bool = False, meanwhile: Callable[[], None] = nothing
    ) -> None:
        """Run a management command; its output is shown if it is meant for people or if it fails."""
        log = self.state.log("start")
        begin = log.stat().st_size if log.exists() else 0
        with step(name), log.open("ab") as out:
            command = subprocess.Popen(
                [sys.executable, "manage.py", *arguments],
                env=self.stack.environment,
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=None if shown else out,
                stderr=None if shown else out,
                start_new_session=True,
                preexec_fn=processes.die_with_parent,
            )
            try:
                while command.poll() is None:
                    meanwhile()
                    time.sleep(SECONDS_BETWEEN_POLLS)
            except ToldToStop:
                command.terminate()
                command.wait()
                raise
        if command.returncode != 0:
            said = f" The end of {log}:\n{tail(log)}" if log.stat().st_size > begin else ""
            raise CannotGoOn(f"manage.py {' '.join(arguments)} failed.{said}")

    # --- Serving ---

    def _serve(self) -> None:
        port = programs.first_port(self.stack.environment.get("PORT"))
        url = f"http://{programs.HOST}:{port}/"
        programs.forget_counts(self.state.path)
        self.programs = [programs.worker(self.stack), programs.web(self.stack, port)]
        services: list[Service] = [*self.stack.servers, *self.programs]
        supervisor = Supervisor(services, lambda pids: self._tell(url, pids))
        with step("worker and web"):
            for program in self.programs:
                program.start()
            self._tell(url, supervisor.pids())
            self._wait_for_answer(url)
        self._match_first(supervisor)
        print(f"\nTongzhou is at {url}", flush=True)
        supervisor.watch()

    def _match_first(self, supervisor: Supervisor) -> None:
        try:
            self._manage(
                "first match",
                *("match", "--through-worker", "--if-never-run"),
                shown=True,
                meanwhile=supervisor.look,
            )
        except CannotGoOn as reason:
            say(f"{reason}\nThe site runs without it; the timetable will match again.")

    def _tell(self, url: str, children: dict[str, int | None]) -> None:
        self.running.tell(Card(os.getpid(), "the site", url, children))

    def _wait_for_answer(self, url: str) -> None:
        web = self.programs[-1]
        if not processes.wait_until(
            lambda: web.pid is None or programs.answers(f"{url}health/ready"),
            seconds=SECONDS_FOR_FIRST_ANSWER,
        ):
            raise CannotGoOn(f"The site does not answer. The end of {web.log}:\n{tail(web.log)}")
        if web.pid is None:
            raise CannotGoOn(f"The web process ended. The end of {web.log}:\n{tail(web.log)}")


def digest_of_sources(field_keys: str) -> str:
    """One hash over what the tables, static files and reference data are made from, and the keys that have to open them.

    With other keys `migrate` is run again, which refuses when one is missing that something was sealed with.
    """
    digest = hashlib.sha256(field_keys.encode())
    for source in SOURCES:
        place = ROOT / source
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


@contextmanager
def until_told_to_stop() -> Iterator[None]:
    """Turn the signals that ask for an end into ToldToStop, raised wherever we are."""

    def stop(number: int, frame: FrameType | None) -> None:
        ignore_further_signals()
        raise ToldToStop

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    yield


def ignore_further_signals() -> None:
    """Stopping takes a moment; a second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
