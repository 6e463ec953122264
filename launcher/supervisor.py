"""Watches the servers and programs of a running site and starts again whichever dies."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from launcher import processes
from launcher.messages import CannotGoOn, say

SECONDS_BETWEEN_LOOKS = 0.25
FIRST_DELAY = 0.5  # seconds before a second try; doubled with every death, up to
LONGEST_DELAY = 30.0
SECONDS_TO_BE_TRUSTED = 60  # having stayed up this long, the next death counts as the first again
SECONDS_TO_STOP = 15


class Service(Protocol):
    """What the supervisor watches; stop() returns when it is gone."""

    name: str

    @property
    def pid(self) -> int | None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class Program:
    """A child of ours, with whatever it forks: all of it ends together."""

    def __init__(
        self, name: str, command: Sequence[str], *, environment: Mapping[str, str], cwd: Path, log: Path
    ) -> None:
        self.name = name
        self.command = command
        self.environment = environment
        self.cwd = cwd
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        self._end_group(signal.SIGKILL)  # what a killed one had forked would do its work a second time
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                self.command,
                env=self.environment,
                cwd=self.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                preexec_fn=processes.die_with_parent,
            )

    def stop(self) -> None:
        """Let it finish what it does; what is left after a while is killed, and the jobs' leases take care."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            processes.wait_until(lambda: self.pid is None, seconds=SECONDS_TO_STOP)
        self._end_group(signal.SIGKILL)

    def _end_group(self, number: signal.Signals) -> None:
        if self._process is not None:
            processes.signal_group(self._process.pid, number)
            self._process.wait()


@dataclass
class Patience:
    """How long to wait before a service that keeps dying is tried again."""

    deaths: int = 0
    started_at: float = 0.0
    try_at: float = 0.0

    def started(self, now: float) -> None:
        self.started_at = now

    def died(self, now: float) -> None:
        self.deaths = 1 if now - self.started_at > SECONDS_TO_BE_TRUSTED else self.deaths + 1
        self.try_at = now + (
            0 if self.deaths == 1 else min(LONGEST_DELAY, FIRST_DELAY * 2 ** (self.deaths - 2))
        )


class Supervisor:
    """services   in the order they start; each may need those before it
    on_change  called with name -> pid whenever one has been started again
    """

    def __init__(
        self, services: Sequence[Service], on_change: Callable[[dict[str, int | None]], None]
    ) -> None:
        self.services = services
        self.on_change = on_change
        self._patience = {service.name: Patience(started_at=time.monotonic()) for service in services}
        self._down: set[str] = set()

    def pids(self) -> dict[str, int | None]:
        return {service.name: service.pid for service in self.services}

    def watch(self) -> None:
        """Keep every service running until a signal raises out of this."""
        while True:
            self.look()
            time.sleep(SECONDS_BETWEEN_LOOKS)

    def look(self) -> None:
        """Look once at every service and start again those that are due."""
        for service in self.services:
            if service.pid is not None:
                continue
            patience = self._patience[service.name]
            if service.name not in self._down:
                self._down.add(service.name)
                patience.died(time.monotonic())
                self.on_change(self.pids())
            if time.monotonic() >= patience.try_at:
                self._start_again(service, patience)

    def _start_again(self, service: Service, patience: Patience) -> None:
        say(f"{service.name} has died; starting it again")
        self._down.discard(service.name)
        patience.started(time.monotonic())
        try:
            service.start()
        except CannotGoOn as reason:
            say(str(reason))
        self.on_change(self.pids())
