"""R21: the disk of the database is full, and later is not any more."""

import http.client
import json
import os
import shutil
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from drill.cells import Cell, Check, at_most, cell, equal, more_than, none_of
from drill.site import CannotMount, Site, own_site
from drill.stage import Stage
from launcher import processes, programs
from launcher.valkey import Valkey

MIB = 700
SECONDS_TO_START, SECONDS_OF_FULLNESS, SECONDS_TO_RECOVER = 180, 30, 60
FIRST_PORT = 8800


@cell(
    "disk-full",
    of="R21, F19",
    injects="the file system of the database is filled to its last byte for half a minute, while a program posts without end",
    passes="refusals are 503 and not 500; nothing acknowledged is lost or there twice; posts go on within 60 s of room",
    is_many=True,
    has_own_site=True,
)
def disk_full(stage: Stage) -> list[Check]:
    try:
        with own_site(mib=MIB) as site:
            return _filled(site)
    except CannotMount as error:
        return [Check("a small file system", str(error), "mounted", None)]


def _filled(site: Site) -> list[Check]:
    given = json.loads(site.run("-m", "drill.posting", "prepare"))
    Valkey(site.stack.state).start()
    port = programs.free_port(FIRST_PORT)
    web = programs.web(site.stack, port)
    web.environment = {**web.environment, "LIMITS_TIMES": "10000"}  # one program asks for all the world
    programs.forget_counts(site.stack.state.path)
    web.start()
    try:
        assert processes.wait_until(
            lambda: programs.answers(f"http://{programs.HOST}:{port}/health/live"), seconds=SECONDS_TO_START
        ), web.log.read_text()
        program = _Program(port, given)
        thread = threading.Thread(target=program.post_without_end)
        thread.start()
        try:
            assert processes.wait_until(lambda: len(program.acknowledged) > 20, seconds=SECONDS_TO_START)
            before_full = len(program.statuses)
            ballast = _fill(site.postgres.data)
            assert processes.wait_until(lambda: program.refused, seconds=SECONDS_TO_START, every=0.01)
            time.sleep(SECONDS_OF_FULLNESS)  # the length of the fault, not a wait for something
            while_full = Counter(program.statuses[before_full:])
            ballast.unlink()
            began, before = time.monotonic(), len(program.acknowledged)

            def goes_on() -> bool:
                site.postgres.start()  # as the supervisor does with a server that has ended
                return len(program.acknowledged) > before

            recovered = processes.wait_until(goes_on, seconds=2 * SECONDS_TO_RECOVER)
            seconds = time.monotonic() - began
        finally:
            program.is_told_to_end.set()
            thread.join()
    finally:
        web.stop()
        Valkey(site.stack.state).stop()
    stored = Counter(site.run("-m", "drill.posting", "account").split())
    return [
        more_than("posts acknowledged before and after", len(program.acknowledged), 20),
        more_than("posts refused with 503 while it was full", while_full[503], 0),
        none_of(
            "answers but 201 and 503, from beginning to end",
            [status for status in program.statuses if status not in (201, 503)],
        ),
        Check("answers while it was full", str(dict(while_full)), "said, not judged", True),
        none_of("acknowledged posts that are lost", len(program.acknowledged - stored.keys())),
        none_of("posts that are there twice", sum(times - 1 for times in stored.values())),
        equal("posts go on when there is room", recovered, True),
        at_most("until they did", seconds, SECONDS_TO_RECOVER),
        equal("the ledger's invariants", site.run("-m", "drill.posting", "books"), "hold"),
    ]


def _fill(place: Path) -> Path:
    """Leave no byte on the file system of this place."""
    ballast = place.parent / "ballast"
    with ballast.open("wb") as out:
        while True:
            free = shutil.disk_usage(place).free
            if not free:
                return ballast
            try:
                os.posix_fallocate(out.fileno(), out.seek(0, os.SEEK_END), free)
            except OSError:
                out.write(b"0" * 4096)


class _Program:
    """Posts one appeal after the other, each under a key of its own and again until it is told of its end."""

    def __init__(self, port: int, given: dict[str, Any]) -> None:
        self.port, self.given = port, given
        self.acknowledged: set[str] = set()
        self.statuses: list[int] = []
        self.is_told_to_end = threading.Event()

    @property
    def refused(self) -> bool:
        return any(status != 201 for status in self.statuses)

    def post_without_end(self) -> None:
        number = 0
        while not self.is_told_to_end.is_set():
            key = f"disk-{number}"
            status = self._post(key)
            self.statuses.append(status)
            if status == 201:
                self.acknowledged.add(key)
                number += 1
            else:
                time.sleep(0.05)

    def _post(self, key: str) -> int:
        """The status; 0 where no answer came."""
        body = {
            "facility": self.given["facility"],
            "emergency": self.given["emergency"],
            "remark": key,
            "lines": [{"item": self.given["item"], "quantity": 5}],
        }
        headers = {
            "Content-Type": "application/json",
            "Authorization": f"Token {self.given['token']}",
            "Idempotency-Key": key,
        }
        connection = http.client.HTTPConnection(programs.HOST, self.port, timeout=30)
        try:
            connection.request("POST", "/api/v1/appeals/", json.dumps(body), headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()


CELLS: list[Cell] = [disk_full]
