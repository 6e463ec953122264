"""What wrong passwords and codes cost: waiting, longer each time, which nobody can inflict on somebody else.

A try is counted as failed before it is looked at, so that a hundred at once are not a hundred for free; one that succeeds
is taken off again. While a counter is held, tries are neither looked at nor counted, and the answer is the same whether
the account exists: what is counted is the name that was typed.

A browser that has signed in to the account before is counted alone. Everybody else is counted by account and network, by
network over all accounts, and by account over all networks. The last of these holds only networks that have failed at this
account already; every other one keeps its first try, so an attack from everywhere does not lock its victim out.
"""

import logging
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.module_loading import import_string
from django.utils.translation import ngettext
from redis.exceptions import RedisError

from supplies.accounts.devices import known_browser
from supplies.errors import Refused
from supplies.organisations.models import User

log = logging.getLogger(__name__)
FIRST_WAIT, LONGEST_WAIT = 2, 15 * 60  # seconds
HOUR, DAY = 3600, 24 * 3600
PASSWORD, CODE = "password", "code"  # counted apart: the right password must not wipe out wrong codes


class HeldUp(Refused):
    """Too many tries have failed; the next one is looked at in so many seconds."""

    code = "held-up"

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        minutes = -(-seconds // 60)
        super().__init__(
            ngettext(
                "Too many tries have failed. Wait %(minutes)d minute, then try again.",
                "Too many tries have failed. Wait %(minutes)d minutes, then try again.",
                minutes,
            )
            % {"minutes": minutes}
        )


@dataclass(frozen=True)
class Counter:
    """A place where tries are counted.

    free     how many may fail before waiting begins
    memory   for how many seconds they are remembered
    """

    key: str
    free: int
    memory: int

    @property
    def gate(self) -> str:
        """While this is there, the next try has to wait. Holds the second at which it ends."""
        return f"{self.key}:held"

    def wait_after(self, failed: int) -> int:
        """2, 4, 8 … seconds from the last free one on, at most a quarter of an hour."""
        beyond = failed - self.free
        return min(FIRST_WAIT << min(beyond, 10), LONGEST_WAIT) if beyond >= 0 else 0


@dataclass
class Try:
    """One try that may be made, counted as failed until it is said to have succeeded."""

    store: Any
    own: Counter
    counted: list[Counter] = field(default_factory=list)
    gates_shut: list[str] = field(default_factory=list)

    def succeeded(self) -> None:
        """Take it off the counters. What failed from elsewhere, or at other accounts, still stands there."""
        try:
            self.take_back()
            self.store.delete_many([self.own.key, self.own.gate])
        except RedisError:
            log.warning("A try that succeeded stays counted: the cache does not answer.")

    def take_back(self) -> None:
        for counter in self.counted:
            _count_down(self.store, counter)
        self.store.delete_many(self.gates_shut)


def begin_try(request: HttpRequest, secret: str, *, name: str, user: User | None) -> Try:
    """Let a client try one secret of one account, or raise HeldUp.

    secret   PASSWORD or CODE
    name     what was typed, whether there is such an account or not
    user     the account it leads to, if any: only to see whether this browser is known there
    """
    browser = known_browser(request, user)
    if browser:
        own, shared = Counter(_key(secret, name, "browser", browser), free=5, memory=DAY), []
    else:
        network = import_string(settings.CLIENT_NETWORK)(request, ipv4=24)
        own = Counter(_key(secret, name, "network", network), free=5, memory=DAY)
        shared = [
            Counter(_key(secret, "network", network), free=50, memory=HOUR),
            Counter(_key(secret, name, "everywhere"), free=20, memory=DAY),
        ]
    try:
        return _begin(caches["default"], own, shared)
    except RedisError:
        # The same by what this process alone has seen: signing in goes on, and guessing stays slow.
        log.warning("The cache does not answer; each process counts tries for itself.")
        return _begin(caches["process"], own, shared)


def within(most: int, *what: str) -> bool:
    """Count something, and say whether it has happened at most so often in an hour."""
    counter = Counter(_key("within", *what), free=most, memory=HOUR)
    try:
        return _count_up(caches["default"], counter) <= most
    except RedisError:
        return _count_up(caches["process"], counter) <= most


def _begin(store: Any, own: Counter, shared: list[Counter]) -> Try:
    now = int(time.time())
    has_failed_here = bool(store.get(own.key))
    holding = [own, *(shared if has_failed_here else shared[:1])]
    if held := store.get_many([counter.gate for counter in holding]):
        raise HeldUp(max(1, max(held.values()) - now))
    this = Try(store, own)
    for counter in [own, *shared]:
        wait = counter.wait_after(_count_up(store, counter))
        this.counted.append(counter)
        if wait and store.add(counter.gate, now + wait, wait):
            this.gates_shut.append(counter.gate)
        elif wait and counter in holding:  # another try of the same moment has shut it
            this.take_back()
            raise HeldUp(wait)
    return this


def _key(*parts: str) -> str:
    """Neither names nor networks are kept in clear."""
    return f"tries:{salted_hmac(__name__, chr(0).join(parts), algorithm='sha256').hexdigest()[:40]}"


def _count_up(store: Any, counter: Counter) -> int:
    """One more. Adding and counting up are atomic; a counter that runs out between the two is begun anew."""
    while True:
        store.add(counter.key, 0, counter.memory)
        try:
            count = int(store.incr(counter.key))
        except ValueError:
            continue
        if count == 1:
            store.touch(counter.key, counter.memory)  # counting up may have made it, and then for ever
        return count


def _count_down(store: Any, counter: Counter) -> None:
    with suppress(ValueError):  # forgotten meanwhile
        store.decr(counter.key)
