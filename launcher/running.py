"""Which launcher runs on a state directory: one at a time, known to the others by pid, URL and children."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

from launcher import processes
from launcher.messages import CannotGoOn
from launcher.state import State

SECONDS_TO_STOP = 90
SECONDS_OF_A_GLANCE = 0.3  # `./run status` holds the lock for a moment to see whether it is free


@dataclass
class Card:
    """What the running launcher tells the others."""

    pid: int
    what: str
    url: str = ""
    children: Mapping[str, int | None] = field(default_factory=dict)


class Running:
    """The one place on a state directory. Held through a file lock, so a killed holder frees it."""

    def __init__(self, state: State) -> None:
        self._file = state.open().path / "lock"
        self._lock: int | None = None
        self.card: Card | None = None

    @contextmanager
    def held(self, what: str) -> Iterator[None]:
        """Take the place. Raises CannotGoOn, saying who has it and where, when it is taken."""
        lock = self._open()
        try:
            if not processes.wait_until(lambda: _try_lock(lock), seconds=SECONDS_OF_A_GLANCE):
                raise CannotGoOn(f"already running: {_describe(self._read(lock), what)}")
            self._lock = lock
            self.tell(Card(os.getpid(), what))
            yield
        finally:
            if self._lock is not None:
                os.truncate(lock, 0)
            self._lock = None
            os.close(lock)

    def tell(self, card: Card) -> None:
        """Write down what runs, for `./run status`; only by the one who holds the place."""
        if self._lock is None:
            return
        self.card = card
        text = json.dumps(asdict(card)).encode()
        os.pwrite(self._lock, text + b"\n", 0)
        os.truncate(self._lock, len(text) + 1)

    def who(self) -> Card | None:
        """The card of the launcher that holds the place, None when nobody does."""
        lock = self._open()
        try:
            return None if _try_lock(lock) else self._read(lock)
        finally:
            os.close(lock)

    def is_free(self) -> bool:
        lock = self._open()
        try:
            return _try_lock(lock)
        finally:
            os.close(lock)

    def stop(self) -> bool:
        """Ask the running launcher to end and wait until it has. False when none was running."""
        card = self.who()
        if card is None:
            if self.is_free():
                return False
            raise CannotGoOn("a launcher is just starting; try again in a moment")
        if not processes.is_running(card.pid, with_argument="launcher"):
            raise CannotGoOn(
                f"The lock is held, but process {card.pid} is not a launcher; nothing was signalled."
            )
        processes.signal_quietly(card.pid, signal.SIGTERM)
        if not processes.wait_until(self.is_free, seconds=SECONDS_TO_STOP):
            raise CannotGoOn(f"Process {card.pid} was told to stop and is still there.")
        return True

    def _open(self) -> int:
        return os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)

    def _read(self, lock: int) -> Card | None:
        try:
            return Card(**json.loads(os.pread(lock, 65_536, 0)))
        except (ValueError, TypeError):
            return None  # taken a moment ago, not yet written


def _try_lock(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _describe(card: Card | None, what: str) -> str:
    if card is None:
        return what
    return card.url or f"{card.what} (process {card.pid})"
