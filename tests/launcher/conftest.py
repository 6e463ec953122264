"""State directories of their own, so that no test meets the servers the tests themselves run on."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher.postgres import Postgres
from launcher.processes import wait_until
from launcher.state import State
from launcher.valkey import Valkey


@pytest.fixture
def state(tmp_path: Path) -> State:
    return State(tmp_path / "state").open()


@pytest.fixture
def postgres(state: State) -> Iterator[Postgres]:
    server = Postgres(state)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def valkey(state: State) -> Iterator[Valkey]:
    server = Valkey(state)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory every user can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(dir="/tmp") as place:
        os.chmod(place, 0o755)
        yield Path(place)


@pytest.fixture
def kill() -> Callable[[Postgres | Valkey], int]:
    """End a server the hard way and return the pid it had, once it is gone."""

    def killing(server: Postgres | Valkey) -> int:
        pid = server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: server.pid is None, seconds=10)
        return pid

    return killing
