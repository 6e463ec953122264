import os
import subprocess
import sys
from pathlib import Path

import pytest

from launcher.messages import CannotGoOn
from launcher.running import Card, Running
from launcher.state import ROOT, State

HOLD = """
import sys
from pathlib import Path
from launcher.running import Running
from launcher.state import State
with Running(State(Path(sys.argv[1]))).held("the site"):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_start_is_told_where_the_first_runs(state: State):
    first, second = Running(state), Running(state)

    with first.held("the site"):
        first.tell(Card(os.getpid(), "the site", "http://127.0.0.1:8003/"))

        with (
            pytest.raises(CannotGoOn, match=r"already running: http://127\.0\.0\.1:8003/"),
            second.held("the site"),
        ):
            pytest.fail("two launchers held one state directory")


def test_the_place_is_free_again_when_its_holder_was_killed(state: State):
    with holder(state.path) as process:
        assert not Running(state).is_free()
        process.kill()

    with Running(state).held("the site"):
        assert Running(state).who() is not None


def test_status_knows_the_children(state: State):
    running = Running(state)

    with running.held("the site"):
        running.tell(Card(os.getpid(), "the site", "http://127.0.0.1:8000/", {"web": 17, "worker": None}))
        card = Running(state).who()

    assert card is not None
    assert card.children == {"web": 17, "worker": None}
    assert Running(state).who() is None


def test_stop_signals_nothing_but_a_launcher(state: State):
    with holder(state.path) as process:
        with pytest.raises(CannotGoOn, match="is not a launcher"):
            Running(state).stop()

        assert process.poll() is None
        process.kill()


def test_stop_says_when_nothing_runs(state: State):
    assert Running(state).stop() is False
