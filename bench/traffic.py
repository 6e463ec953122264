"""The site as it is served, and programs that ask it over HTTP as fast as it answers."""

import json
import os
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any

from django.conf import settings

from bench import databases
from launcher import processes, programs
from launcher.stack import Stack
from launcher.state import State

SECONDS_TO_START = 60


@dataclass(frozen=True)
class Ask:
    """One request. A body is sent as JSON."""

    path: str
    method: str = "GET"
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def over(self, connection: HTTPConnection) -> tuple[int, Mapping[str, str]]:
        """Ask and read the whole answer: its status and headers."""
        headers = {"Accept-Language": "zh-hans", **self.headers}
        body = None
        if self.body is not None:
            body = json.dumps(self.body)
            headers["Content-Type"] = "application/json"
        connection.request(self.method, self.path, body, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers


Chance = Callable[[Random], Ask]  # what is asked next


@dataclass
class Heard:
    """What came of a stretch of asking: answers by status, the seconds each good one took, and how long all took.

    busy    seconds that processors spent on it: the site's, the database's and the asking programs'
    """

    seconds: float = 0.0
    busy: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    said_when: int = 0  # refusals with Retry-After

    @property
    def rate(self) -> float:
        return len(self.took) / self.seconds if self.seconds else 0.0

    @property
    def busy_ms(self) -> float:
        """What one answer costs, in milliseconds of one processor: the same however busy the machine is besides."""
        return 1000 * self.busy / sum(self.statuses.values()) if self.statuses else float("nan")

    def ms(self, share: float) -> float:
        """What this share of the good answers stayed below, in milliseconds."""
        return 1000 * sorted(self.took)[int(len(self.took) * share)] if self.took else float("nan")

    @property
    def bad(self) -> Counter[int]:
        """Answers that were no good ones, by status; 0 is a connection that broke."""
        return Counter(
            {status: number for status, number in self.statuses.items() if not 200 <= status < 300}
        )


class Site:
    """Gunicorn as the launcher starts it, on one of the bench's databases."""

    def __init__(self, database: str) -> None:
        stack = Stack(State(settings.STATE_DIR))  # the servers run already; this is their environment
        self.port, self.database = programs.free_port(18000), database
        self.program = programs.web(stack, self.port)
        self.program.environment = {**stack.environment, "DATABASE_URL": databases.url(database)}

    @property
    def url(self) -> str:
        return f"http://{programs.HOST}:{self.port}/"

    @contextmanager
    def up(self) -> Iterator["Site"]:
        self.program.start()
        try:
            if not processes.wait_until(lambda: programs.answers(self.url), seconds=SECONDS_TO_START):
                raise RuntimeError(f"The site did not start; see {self.program.log}")
            yield self
        finally:
            self.program.stop()

    def resident_mib(self) -> float:
        """What its processes hold in memory together."""
        return sum(_resident_kib(pid) for pid in self._processes()) / 1024

    def busy_seconds(self) -> dict[int, float]:
        """Processor seconds so far, of each process of the site and of its connections to the database."""
        backends = [
            int(entry.name)
            for entry in Path("/proc").glob("[0-9]*")
            if (processes.arguments_of(int(entry.name)) or [""])[0].startswith("postgres: ")
            and f" {self.database} " in (processes.arguments_of(int(entry.name)) or [""])[0]
        ]
        return {pid: _busy_seconds(pid) for pid in [*self._processes(), *backends]}

    def _processes(self) -> list[int]:
        master = self.program.pid
        children = subprocess.run(["pgrep", "-P", str(master)], capture_output=True, text=True).stdout
        return [pid for pid in (master, *map(int, children.split())) if pid is not None]

    def ask(
        self, chance: Chance, *, connections: int, seconds: float, seed: int = 0, every: float = 0.0
    ) -> Heard:
        """So many programs ask one thing after the other, each on a connection of its own, for so many seconds.

        every    the least seconds from one question of a program to its next; 0 asks as fast as it is answered
        """
        heard = [Heard() for _program in range(connections)]
        end = time.perf_counter() + seconds
        asking = [
            threading.Thread(
                target=self._go_on_asking, args=(chance, Random(f"{seed}/{number}"), one, end, every)
            )
            for number, one in enumerate(heard)
        ]
        before, asked, began = self.busy_seconds(), time.process_time(), time.perf_counter()
        for thread in asking:
            thread.start()
        for thread in asking:
            thread.join()
        seconds, busy = time.perf_counter() - began, time.process_time() - asked
        busy += sum(spent - before.get(pid, 0.0) for pid, spent in self.busy_seconds().items())
        return Heard(
            seconds,
            busy,
            sum((one.statuses for one in heard), Counter()),
            [took for one in heard for took in one.took],
            sum(one.said_when for one in heard),
        )

    def _go_on_asking(self, chance: Chance, luck: Random, heard: Heard, end: float, every: float) -> None:
        connection = HTTPConnection(programs.HOST, self.port, timeout=60)
        time.sleep(every * luck.random())  # programs do not know of one another
        while (began := time.perf_counter()) < end:
            ask = chance(luck)
            try:
                status, headers = ask.over(connection)
            except OSError:
                connection.close()
                status, headers = 0, {}
            took = time.perf_counter() - began
            heard.statuses[status] += 1
            if 200 <= status < 300:
                heard.took.append(took)
            elif headers.get("Retry-After"):
                heard.said_when += 1
            if every > took:
                time.sleep(every - took)
        connection.close()


def _busy_seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident_kib(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
