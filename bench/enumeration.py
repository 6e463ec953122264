"""Does the door tell by its time who has an account? Names that exist against names that do not, over real pages."""

import logging
import math
import time
from collections.abc import Callable
from random import Random
from statistics import median
from typing import Any
from uuid import uuid4

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from bench.databases import make, make_template
from bench.reporting import Report, Table
from supplies.accounts import services
from supplies.accounts.numbers import new_number
from supplies.organisations.models import User

CALLS, WARMING = 500, 10
WRONG = "not the right words"  # pragma: allowlist secret
PASSWORD = "a long enough phrase"  # pragma: allowlist secret
Call = Callable[[Client, str], Any]


class Subject:
    """One question at the door, asked with names that exist and with names that do not."""

    def __init__(self, title: str, call: Call, known: list[str], unknown: list[str]) -> None:
        self.title, self.call = title, call
        self.names = {"known": known, "unknown": unknown}
        self.times: dict[str, list[float]] = {kind: [] for kind in self.names}
        self.answers: set[tuple[int, int]] = set()

    def measure(self, chance: Random) -> None:
        """Both kinds in turn, in another order each time, so that a slow moment falls on both of them."""
        kinds = list(self.names)
        for position in range(CALLS):
            chance.shuffle(kinds)
            for kind in kinds:
                name = self.names[kind][position]
                network = f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.1"
                client = Client(SERVER_NAME="localhost", REMOTE_ADDR=network, HTTP_ACCEPT_LANGUAGE="en")
                began = time.perf_counter()
                answer = self.call(client, name)
                took = time.perf_counter() - began
                self.answers.add((answer.status_code, len(answer.content.replace(name.encode(), b""))))
                if position >= WARMING:
                    self.times[kind].append(took)

    def figures(self) -> dict[str, Any]:
        known, unknown = self.times["known"], self.times["unknown"]
        some, others = unknown[::2], unknown[1::2]
        return {
            "question": self.title,
            "known_ms": round(median(known) * 1000, 3),
            "unknown_ms": round(median(unknown) * 1000, 3),
            "difference_us": round((median(known) - median(unknown)) * 1e6, 1),
            "noise_us": round((median(others) - median(some)) * 1e6, 1),
            "slower": round(slower(known, unknown), 3),
            "slower_noise": round(slower(others, some), 3),
            "answers": len(self.answers),
        }


def slower(these: list[float], those: list[float]) -> float:
    """How often one of these takes longer than one of those: 0.5 where time tells nothing (Mann and Whitney 1947)."""
    ranked = sorted([(taken, 1) for taken in these] + [(taken, 0) for taken in those])
    ranks = sum(rank for rank, (_taken, is_this) in enumerate(ranked, 1) if is_this)
    return (ranks - len(these) * (len(these) + 1) / 2) / (len(these) * len(those))


def band(calls: int) -> float:
    """How far from 0.5 chance alone leads in 19 of 20 measurements."""
    return 1.96 * math.sqrt((2 * calls + 1) / (12 * calls * calls))


def sign_in(client: Client, name: str) -> Any:
    return client.post("/sign-in/", {"username": name, "password": WRONG})


def sign_in_rightly(client: Client, name: str) -> Any:
    return client.post("/sign-in/", {"username": name, "password": PASSWORD})


def reset(client: Client, name: str) -> Any:
    return client.post("/password/reset/", {"email": name})


def measure() -> Report:
    make_template()
    make("bench_enumeration")
    caches["default"].key_prefix = f"bench-{uuid4().hex}"
    plain = {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
    }  # nothing is collected for a bench
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}
    logging.getLogger("security").setLevel(logging.ERROR)
    services.is_password_of(None, PASSWORD)  # the hash of nobody is made once per process
    subjects = [
        Subject("sign-in with a number", sign_in, _accounts(), _numbers()),
        Subject("sign-in with an e-mail address", sign_in, _addresses(), _strangers()),
        Subject("sign-in to a closed account", sign_in_rightly, _accounts(is_active=False), _numbers()),
        Subject("asking for a new password", reset, _addresses(), _strangers()),
    ]
    chance = Random(7)
    for subject in subjects:
        subject.measure(chance)
    found = [subject.figures() for subject in subjects]
    limit = band(CALLS - WARMING)
    rows = [
        [
            one["question"],
            one["known_ms"],
            one["unknown_ms"],
            one["difference_us"],
            one["noise_us"],
            one["slower"],
            one["slower_noise"],
            "yes" if abs(one["slower"] - 0.5) <= limit and one["answers"] == 1 else "no",
        ]
        for one in found
    ]
    return Report(
        "enumeration",
        "What the door tells by its time",
        f"{CALLS} tries each with names that exist and with names that do not, each from a network and a browser of its own,"
        f" in turn, with real hashing, database and cache; the first {WARMING} are left out. *Noise* is the same between two"
        " halves of the names that do not exist. *Slower* is how often a known name took longer than an unknown one: 0.5"
        f" tells nothing, and chance alone keeps it within {0.5 - limit:.3f} and {0.5 + limit:.3f} in 19 of 20 measurements."
        " The last column says whether it lay within, and every answer had one status and one length.",
        [
            Table(
                [
                    "question",
                    "known ms",
                    "unknown ms",
                    "difference µs",
                    "noise µs",
                    "slower",
                    "slower, noise",
                    "tells nothing",
                ],
                rows,
            )
        ],
        {"calls": CALLS, "band": limit, "subjects": found},
    )


def _numbers() -> list[str]:
    return [new_number() for _ in range(CALLS)]


def _strangers() -> list[str]:
    return [f"person-{uuid4().hex}@example.org" for _ in range(CALLS)]


def _accounts(**fields: Any) -> list[str]:
    password = make_password(PASSWORD)
    numbers = _numbers()
    joined = timezone.now()
    User.objects.bulk_create(
        (User(username=number, password=password, date_joined=joined, **fields) for number in numbers),
        ignore_conflicts=True,
    )
    return numbers


def _addresses() -> list[str]:
    people = User.objects.filter(username__in=_accounts())
    made = EmailAddress.objects.bulk_create(
        EmailAddress(user=person, email=email, verified=True, primary=True)
        for person, email in zip(people, _strangers(), strict=False)
    )
    return [address.email for address in made] + _strangers()[: CALLS - len(made)]
