"""The drills stand for what they are said to stand for; what they find is told by `./run drill`."""

import os
import subprocess
import sys
from importlib import import_module

import pytest

from drill.points import POINTS
from launcher.state import ROOT

# Issue 3 and section 3 of the goals for reliability.
FAULTS = [f"F{number}" for number in (*range(1, 10), 10, 12, 13, *range(15, 19))]
IN_EVERY_PUSH = ["F1", "F6", "F9", "F10", "F12", "R9", "R20"]


def listed(*options: str) -> dict[str, set[str]]:
    """Cells and tests, and the faults and goals each stands for."""
    told = subprocess.run(  # importing the cells would move the makers into the present
        [sys.executable, "-m", "drill", "--list", *options],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split("\t") for line in told.stdout.splitlines()]
    return {name: set(of.split(", ")) for name, of in lines}


def test_every_fault_has_a_cell_or_a_test() -> None:
    stood_for = set().union(*listed().values())

    assert [fault for fault in FAULTS if fault not in stood_for] == []


def test_the_tests_that_stand_for_faults_exist() -> None:
    assert [name for name in listed() if name.endswith(".py") and not (ROOT / name).exists()] == []


def test_the_sample_of_every_push_has_the_faults_that_were_asked_for() -> None:
    stood_for = set().union(*listed("--small").values())

    assert [fault for fault in IN_EVERY_PUSH if fault not in stood_for] == []


@pytest.mark.parametrize("name", POINTS)
def test_a_point_is_around_a_function_that_exists(name: str) -> None:
    module, _, function = POINTS[name].function.rpartition(".")

    assert callable(getattr(import_module(module), function))
