"""The public API with a thousand and with a hundred thousand needs: does a long list make it slower?"""

import gc
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from random import Random
from typing import Any

from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from bench.country import populate
from bench.databases import make, make_template, use
from bench.reporting import Report, Table
from supplies.needs.models import Need
from supplies.organisations.models import User

SIZES = (1_000, 100_000)
ROUNDS, CALLS, WARMING = 5, 30, 3
GOAL = 1.5
V1 = "/api/v1/"


@dataclass
class Found:
    """Of one call: rows on a page, numbers of queries seen, and the sorted times of each round in seconds."""

    rows: int = 0
    queries: set[int] = field(default_factory=set)
    rounds: list[list[float]] = field(default_factory=list)

    def median_ms(self, share: float) -> float:
        """The median over the rounds of what `share` of the calls stay below, in milliseconds."""
        marks = sorted(times[int(len(times) * share)] for times in self.rounds)
        return round(marks[len(marks) // 2] * 1000, 2)


class Caller:
    """Speaks to the API of one database."""

    def __init__(self, database: str, size: int) -> None:
        self.size, self.database = size, database
        self.chance = Random(size)
        self.needs: list[Any] = []
        self.found: dict[str, Found] = defaultdict(Found)

    def prepare(self) -> None:
        make(self.database)
        populate(self.size, self.size // 2, at=timezone.now())
        self.remember()

    def remember(self) -> None:
        """What will be asked for."""
        some = Need.objects.order_by("pk").values_list("pk", "appeal", "appeal__facility")
        chosen = list(some[:: max(1, self.size // 500)])
        self.needs, self.appeals, self.facilities = map(list, zip(*chosen, strict=True))
        self.client, self.member = APIClient(SERVER_NAME="localhost"), APIClient(SERVER_NAME="localhost")
        self.member.force_authenticate(User.objects.get(username="bench-volunteer"))
        page = self.client.get(f"{V1}needs/").json()
        self.second_page = page["next"].removeprefix("http://localhost")

    @cached_property
    def calls(self) -> dict[str, Callable[[], Any]]:
        lists = {
            "needs": "needs/",
            "needs of a province": "needs/?region=420000",
            "needs of a city": "needs/?region=420100",
            "needs of a district": "needs/?region=420106&page_size=10",
            "needs of a category": "needs/?category=ppe",
            "needs of an item": "needs/?item=MASK_SURG",
            "critical needs": "needs/?urgency=1&status=open",
            "needs about 防护服": "needs/?q=防护服",
            "needs about a district's hospitals": "needs/?q=武昌区演练&page_size=10",
            "needs about a word in every name": "needs/?q=医院",
            "needs about nothing there is": "needs/?q=没有这样的医院",
            "offers of a city": "offers/?region=420100",
            "appeals of a city": "appeals/?region=420100",
            "facilities of a name": "facilities/?q=传染病&page_size=10",
            "appeals": "appeals/",
            "offers": "offers/",
            "facilities": "facilities/",
            "organisations": "organisations/",
        }
        return {
            **{f"list: {name}": self._getter(path) for name, path in lists.items()},
            "list: needs, next page": lambda: self.client.get(self.second_page),
            "detail: need": lambda: self.client.get(f"{V1}needs/{self.chance.choice(self.needs)}/"),
            "detail: appeal": lambda: self.client.get(f"{V1}appeals/{self.chance.choice(self.appeals)}/"),
            "create: appeal of two lines": self._create,
        }

    def _getter(self, path: str) -> Callable[[], Any]:
        return lambda: self.client.get(V1 + path)

    def _create(self) -> Any:
        day = (timezone.localdate() + timedelta(days=9)).isoformat()
        lines = [
            {"item": "MASK_SURG", "quantity": 5000, "urgency": 2, "needed_by": day},
            {"item": "GLOVE_EXAM", "quantity": 100, "unit": "双", "urgency": 3, "needed_by": day},
        ]
        body = {"facility": str(self.chance.choice(self.facilities)), "emergency": "bench", "lines": lines}
        return self.member.post(f"{V1}appeals/", body, format="json")

    def measure(self, name: str) -> None:
        """One round of one call: its number of queries, and the times of CALLS calls after a few to warm up."""
        use(self.database)
        call = self.calls[name]
        for _again in range(WARMING):
            answer = call()
            if answer.status_code not in (200, 201):
                raise RuntimeError(f"{name}: {answer.status_code} {answer.content[:300]!r}")
        with _queries() as count:
            answer = call()
        found = self.found[name]
        found.queries.add(count[0])
        found.rows = len(answer.json().get("results", [0]))
        found.rounds.append(sorted(_timed(call) for _call in range(CALLS)))


def _timed(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@contextmanager
def _queries() -> Iterator[list[int]]:
    count = [0]

    def counting(execute: Any, *arguments: Any) -> Any:
        count[0] += 1
        return execute(*arguments)

    with connection.execute_wrapper(counting):
        yield count


def measure() -> Report:
    make_template()
    callers = [Caller(f"bench_api_{size}", size) for size in SIZES]
    for caller in callers:
        caller.prepare()
    table, figures = compared(callers)
    return Report(
        "api",
        "The API with 1,000 and with 100,000 needs",
        f"In process, without a network: Django's test client against PostgreSQL. p95 of {CALLS} calls, the median of {ROUNDS}"
        " rounds in which the two databases take turns call by call. There are half as many offers and an eighth as many"
        f" hospitals as needs. Goal: a ratio of at most {GOAL}, and one number of queries. Where the small database"
        " holds fewer rows than a page of 50, pages of ten are asked for; the rows on the page are given for both.",
        [table],
        figures,
    )


def compared(callers: Sequence[Caller]) -> tuple[Table, dict[str, Any]]:
    """Every call to the small and to the large database in turn."""
    small, large = callers
    gc.disable()  # a collection in the midst of a call is noise here; each round ends with one
    for _round in range(ROUNDS):
        for name in small.calls:
            for caller in callers:
                caller.measure(name)
            gc.collect()
    gc.enable()
    figures = {name: _compare(small.found[name], large.found[name]) for name in small.calls}
    rows = [
        [
            name,
            *(f"{p95:.1f}" for p95 in found["p95_ms"]),
            f"{found['p95_ratio']:.2f}",
            "yes" if found["p95_ratio"] <= GOAL else "**no**",
            f"{found['median_ratio']:.2f}",
            "/".join(map(str, found["rows"])),
            "/".join(map(str, found["queries"])),
        ]
        for name, found in figures.items()
    ]
    head = [
        "call",
        f"{small.size:,}: p95 ms",
        f"{large.size:,}: p95 ms",
        "ratio",
        "goal met",
        "ratio of medians",
        "rows",
        "queries",
    ]
    return Table(head, rows), {"sizes": [small.size, large.size], "calls": figures}


def _compare(small: Found, large: Found) -> dict[str, Any]:
    p95 = [found.median_ms(0.95) for found in (small, large)]
    median = [found.median_ms(0.5) for found in (small, large)]
    return {
        "p95_ms": p95,
        "p95_ratio": round(p95[1] / p95[0], 2),
        "median_ms": median,
        "median_ratio": round(median[1] / median[0], 2),
        "rows": [small.rows, large.rows],
        "queries": sorted(small.queries | large.queries),
    }
