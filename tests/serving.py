"""The site as gunicorn serves it, in processes of its own, on the test's database and under production's settings."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.contrib.staticfiles.finders import get_finders

from launcher.processes import wait_until
from tests.processes import environment

SECONDS_TO_START = 150


class Served:
    """A running server. What its processes write is in `log`."""

    def __init__(self, place: Path, **more: str) -> None:
        self.port, self.log = free_port(), place / "web.log"
        (place / "counts").mkdir()
        name_static_files(place)
        given = environment(
            ALLOWED_HOSTS="supplies.example.org",
            MAIL_URL=f"filemail:///{place / 'mail'}",
            STATE_DIR=str(place),
            PROMETHEUS_MULTIPROC_DIR=str(place / "counts"),
            LIMITS_TIMES="1",
            LOG_LEVEL="INFO",
            **more,
        )
        for name in ("EMBEDDED", "DJANGO_ALLOW_ASYNC_UNSAFE"):
            given.pop(name, None)
        serving = (
            "--config",
            "python:config.serving",
            "--bind",
            f"127.0.0.1:{self.port}",
            "config.wsgi:application",
        )
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", *serving],
                env=given,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        assert wait_until(self.answers, seconds=SECONDS_TO_START), self.log.read_text()

    def answers(self) -> bool:
        try:
            return self.get("/health/live")[0] == 200
        except OSError:
            return False

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers and body, as a proxy that ends TLS would ask on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(
                method, path, body, {**PROXY, **{k.replace("_", "-"): v for k, v in headers.items()}}
            )
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
        return self.request("GET", path, **headers)

    def socket(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def said(self, head: str) -> int:
        """The status of the answer to a request of which only this head is ever sent."""
        with self.socket() as connection:
            connection.sendall((head.replace("\n", "\r\n") + "\r\n\r\n").encode())
            return status_in(connection)

    @property
    def pids(self) -> list[int]:
        """Of the processes that answer."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in children.split()]

    def stop(self) -> None:
        os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=30)


PROXY: dict[str, Any] = {"Host": "supplies.example.org", "X-Forwarded-Proto": "https"}
HEAD = "Host: supplies.example.org\nX-Forwarded-Proto: https"


def status_in(connection: socket.socket) -> int:
    """The status at the beginning of what comes back; 0 for a connection that was closed instead."""
    try:
        line = connection.makefile("rb").readline().split()
    except ConnectionError:
        return 0
    return int(line[1]) if len(line) > 1 else 0


def name_static_files(place: Path) -> None:
    """What collectstatic leaves for the pages: the name of every file, here its own."""
    paths = {path: path for finder in get_finders() for path, _storage in finder.list([])}
    (place / "static").mkdir()
    (place / "static" / "staticfiles.json").write_text(
        json.dumps({"version": "1.1", "paths": paths, "hash": ""})
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
