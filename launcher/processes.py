"""Processes: is this pid really ours, start it so that it cannot outlive us, wait for something to become true."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType

PROC = Path("/proc")
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.05) -> bool:
    """True as soon as the condition holds, False when it does not within the time given."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


# --- Is it alive, and is it ours? ---


def arguments_of(pid: int) -> list[str] | None:
    """The command line of a process, None when there is no such process or it is a zombie.

    A container whose first process does not reap keeps killed servers as zombies for ever, with their pid.
    """
    if not PROC.is_dir():
        return _arguments_by_ps(pid)
    try:
        state = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        line = (PROC / str(pid) / "cmdline").read_bytes()
    except (OSError, IndexError):
        return None
    return None if state in "ZX" else [os.fsdecode(argument) for argument in line.split(b"\0")]


def _arguments_by_ps(pid: int) -> list[str] | None:
    """As arguments_of, where there is no procfs (macOS). Arguments with spaces come apart."""
    shown = subprocess.run(["ps", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True)
    status, _, arguments = shown.stdout.strip().partition(" ")
    return arguments.split() if status and "Z" not in status else None


def is_running(pid: int | None, *, with_argument: str) -> bool:
    """Is this pid a live process that was started with exactly this argument?

    A pid read from a file proves nothing: the number may by now belong to someone else's process.
    """
    return pid is not None and with_argument in (arguments_of(pid) or [])


def pid_in(file: Path) -> int | None:
    """The pid on the first line of a pid file, None when there is none to read."""
    try:
        return int(file.read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def working_in(folder: Path) -> Iterator[int]:
    """Live processes whose working directory is this folder: the children a killed postmaster leaves behind."""
    for entry in PROC.glob("[0-9]*") if PROC.is_dir() else ():
        try:
            if (entry / "cwd").readlink() == folder and arguments_of(int(entry.name)) is not None:
                yield int(entry.name)
        except OSError:
            continue


def started_for(state: Path) -> Iterator[int]:
    """Live processes that were handed this state directory in their environment."""
    mark = f"STATE_DIR={state}".encode()
    for entry in PROC.glob("[0-9]*") if PROC.is_dir() else ():
        try:
            if mark in (entry / "environ").read_bytes().split(b"\0"):
                yield int(entry.name)
        except OSError:
            continue


def have_ended(pids: Collection[int], *, seconds: float) -> bool:
    """Wait for processes that are not our children; True when none is left."""
    return wait_until(lambda: not any(map(arguments_of, pids)), seconds=seconds)


def signal_quietly(pid: int, number: signal.Signals) -> None:
    """Send a signal to a process that may have ended meanwhile."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the whole process group a child of ours leads, if anything of it is left."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


# --- Starting ---


def die_with_parent() -> None:
    """Called in the child between fork and exec: a supervisor that is killed takes its programs along."""
    if libc is not None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def run_in_foreground(command: Sequence[str | Path], *, environment: Mapping[str, str], cwd: Path) -> int:
    """Run a program that shares our terminal and return its exit code.

    Ctrl-C reaches it by itself, being in the same process group, so we wait for what it makes of that;
    other signals to end are passed on.
    """
    child: subprocess.Popen[bytes] | None = None

    def pass_on(number: int, frame: FrameType | None) -> None:
        if child is not None:
            child.send_signal(number)

    def leave_to_child(number: int, frame: FrameType | None) -> None:
        pass

    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, leave_to_child),
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
        signal.SIGHUP: signal.signal(signal.SIGHUP, pass_on),
    }
    try:
        child = subprocess.Popen(command, env=environment, cwd=cwd, preexec_fn=die_with_parent)
        code = child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    return 128 - code if code < 0 else code
