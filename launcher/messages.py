"""What the launcher says to the person in front of the terminal; results go to standard output, this does not."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class CannotGoOn(Exception):
    """Something the person has to know or do; its text is shown instead of a traceback."""


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Show one step of a start with the seconds it took, once it is done."""
    began = time.monotonic()
    yield
    say(f"  {name:<34} {time.monotonic() - began:5.1f} s")
