import os
import signal
import sys
from pathlib import Path

import pytest

from launcher.messages import CannotGoOn
from launcher.processes import arguments_of, wait_until
from launcher.state import State
from launcher.supervisor import (
    FIRST_DELAY,
    LONGEST_DELAY,
    SECONDS_TO_BE_TRUSTED,
    Patience,
    Program,
    Supervisor,
)

FORKING = """
import os, pathlib, sys, time
child = os.fork()
if child:
    pathlib.Path(sys.argv[1]).write_text(str(child))
time.sleep(600)
"""


def program(state: State, source: str, *arguments: str) -> Program:
    return Program(
        "a program",
        [sys.executable, "-c", source, *arguments],
        environment=dict(os.environ),
        cwd=state.path,
        log=state.log("program"),
    )


def kill(child: Program) -> None:
    assert child.pid is not None
    os.kill(child.pid, signal.SIGKILL)
    assert wait_until(lambda: child.pid is None, seconds=10)


def test_a_killed_program_is_started_again_and_told_of(state: State):
    child, told = program(state, "import time; time.sleep(600)"), []
    supervisor = Supervisor([child], told.append)
    child.start()
    first = child.pid
    kill(child)

    supervisor.look()

    assert child.pid not in (None, first)
    assert told == [{"a program": None}, {"a program": child.pid}]
    child.stop()


def test_what_a_killed_program_had_forked_ends_before_it_starts_again(state: State, tmp_path: Path):
    noted = tmp_path / "forked"
    child = program(state, FORKING, str(noted))
    child.start()
    assert wait_until(lambda: noted.exists() and noted.read_text() != "", seconds=10)
    forked = int(noted.read_text())
    kill(child)

    child.start()

    assert wait_until(lambda: arguments_of(forked) is None, seconds=10)
    child.stop()


def test_a_program_that_does_not_listen_is_stopped_all_the_same(
    state: State, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("launcher.supervisor.SECONDS_TO_STOP", 0.2)
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
    child = program(state, deaf)
    child.start()
    assert wait_until(lambda: b"deaf" in child.log.read_bytes(), seconds=10)

    child.stop()

    assert child.pid is None


def test_a_service_that_cannot_start_does_not_end_the_others(
    state: State, capsys: pytest.CaptureFixture[str]
):
    class Broken:
        name = "broken"
        pid = None

        def start(self) -> None:
            raise CannotGoOn("no room on the disk")

        def stop(self) -> None:
            pass

    child = program(state, "import time; time.sleep(600)")
    supervisor = Supervisor([Broken(), child], lambda pids: None)

    supervisor.look()

    assert child.pid is not None
    assert "no room on the disk" in capsys.readouterr().err
    child.stop()


def test_each_death_doubles_the_wait_up_to_the_longest():
    patience, waits = Patience(), []

    for _ in range(9):
        patience.died(now=1.0)
        waits.append(patience.try_at - 1.0)

    assert waits[:4] == [0, FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY]
    assert waits[-1] == LONGEST_DELAY


def test_having_stayed_up_long_enough_the_next_death_counts_as_the_first():
    patience = Patience()
    for _ in range(5):
        patience.died(now=1.0)
    patience.started(now=10.0)

    now = 10.0 + SECONDS_TO_BE_TRUSTED + 1
    patience.died(now)

    assert patience.try_at == now
