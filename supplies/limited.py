"""Programs that look at what strangers hand in: in a process of their own, with little memory and time and no secrets.

Both sides are here. The program calls `limit` before it has seen a byte and may tell its `peak`; whoever starts it
takes `command` or `started`. It is given no environment, because the keys of the site are none of its business, and
of the search path only the folder of the project; so it must import nothing that needs Django.
"""

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

_PROJECT = str(Path(__file__).resolve().parent.parent)


# -- Inside -----------------------------------------------------------------------------------------------


def limit(*, memory: int, seconds: int, written: int) -> None:
    """Take from this process what a parser does not need.

    memory    bytes of address space; what is resident is less
    seconds   of the processor
    written   bytes in any one file
    """
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold what was handed in, unsealed


def peak() -> int:
    """The most bytes that were resident since this program began; `ru_maxrss` counts the one that started it, too."""
    with open("/proc/self/status") as status:
        told = next(line for line in status if line.startswith("VmHWM"))
    return int(told.split()[1]) * 1024


# -- Outside ----------------------------------------------------------------------------------------------


def command(module: str, *arguments: str) -> list[str]:
    """How the `main` of a module of the project is started as such a program."""
    begin = f"import sys; sys.path.insert(0, {_PROJECT!r}); from {module} import main; main()"
    return [sys.executable, "-I", "-c", begin, *arguments]


def asked(command: Sequence[str], source: BinaryIO, out: BinaryIO, *, seconds: float) -> bytes:
    """All that a program says about `source`. Raises subprocess.TimeoutExpired."""
    return subprocess.run(
        command,
        stdin=source,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[out.fileno()],
        env={},
        timeout=seconds,
    ).stdout


def started(command: Sequence[str], source: BinaryIO) -> "subprocess.Popen[bytes]":
    """A program that says what it finds in `source` line by line, while it is at it."""
    return subprocess.Popen(command, stdin=source, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={})
