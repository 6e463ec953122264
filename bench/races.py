"""Processes that want the same goods, and runs that want the same families, each beside a control that must go wrong."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Sum
from django.utils import timezone

from bench.country import populate
from bench.databases import make, make_template, url
from bench.racing import START
from bench.reporting import Report, Table
from matching.books import check
from matching.models import FamilyRun
from supplies.emergencies.models import Emergency
from supplies.needs.models import Need
from supplies.offers.models import Offer

RACERS, TRIES, SEEDS = 8, 200, 5
ROUNDS = 20
FIELDS = {"1 offer of 200": (1, 200), "50 offers of 20": (50, 20)}
DATABASE = "bench_races"


@dataclass(frozen=True)
class Outcome:
    """oversold  units promised beyond what the offers hold"""

    attempts: int
    promised: int
    refused: int
    deadlocks: int
    oversold: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.attempts / self.seconds


def race(
    how: str, needs: Sequence[Need], offers: Sequence[Offer], *, racers: int, tries: int, seed: int = 0
) -> Outcome:
    """Let processes promise one unit at a time, needs and offers drawn by lot, all released at once."""
    keys = [",".join(str(row.pk) for row in rows) for rows in (needs, offers)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [START])
        running = [
            start("bench.racing", how, str(seed * racers + number), str(tries), *keys)
            for number in range(racers)
        ]
        for racer in running:
            expect(racer, "ready")
        cursor.execute("SELECT pg_advisory_unlock(%s)", [START])
    found = [json.loads(finish(racer)) for racer in running]
    rows = Offer.objects.filter(pk__in=[offer.pk for offer in offers]).annotate(
        given=Sum("allocations__quantity", default=0)
    )
    return Outcome(
        attempts=racers * tries,
        promised=sum(each["promised"] for each in found),
        refused=sum(each["refused"] for each in found),
        deadlocks=sum(each["deadlocks"] for each in found),
        oversold=sum(max(0, row.given - row.quantity) for row in rows),
        seconds=max(each["seconds"] for each in found),
    )


@dataclass(frozen=True)
class Contest:
    """Two runs of the same families at once: how many leases were given, and how many of one family ran at a time."""

    families: int
    leases: int
    most_running: int


def contest(emergency: Emergency, *, rounds: int) -> list[Contest]:
    """Two processes start a run each at once and take every lease they can get. All rounds but the last are dry."""
    rivals = [start("bench.rival") for _ in range(2)]
    found = []
    for number in range(rounds):
        how = "dry" if number < rounds - 1 else "real"
        families = together(rivals, f"run {emergency.pk} {how}")
        leases = together(rivals, "lease")
        running = FamilyRun.objects.filter(status="running").values("emergency", "family")
        most = max(running.annotate(count=Count("pk")).values_list("count", flat=True), default=0)
        found.append(Contest(max(families), sum(leases), most))
        for step in ("store", "lease", "store"):  # who waited for the other comes second
            together(rivals, step)
    for rival in rivals:
        finish(rival)
    return found


@contextmanager
def without_the_index() -> Iterator[None]:
    """The control: nothing in the database keeps a family from being matched twice at once."""
    name = "family_runs_once_at_a_time"
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE indexname = %s", [name])
        ((definition,),) = cursor.fetchall()
        cursor.execute(f"DROP INDEX {name}")
        try:
            yield
        finally:
            cursor.execute(definition)


# --- processes ----------------------------------------------------------------------------------------------


def start(module: str, *arguments: str) -> "subprocess.Popen[str]":
    """A process on the database that this one uses now."""
    environment = {**os.environ, "DATABASE_URL": url(connection.settings_dict["NAME"]), "LOG_LEVEL": "ERROR"}
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={"DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def tell(process: "subprocess.Popen[str]", command: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{command}\n")
    process.stdin.flush()


def answer(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def together(processes: Sequence["subprocess.Popen[str]"], command: str) -> list[int]:
    """Tell all at once, then hear what each says."""
    for process in processes:
        tell(process, command)
    return [int(answer(process)) for process in processes]


def expect(process: "subprocess.Popen[str]", line: str) -> None:
    said = answer(process)
    if said != line:
        raise RuntimeError(f"A process said {said!r} instead of {line!r}.")


def finish(process: "subprocess.Popen[str]") -> str:
    """What it printed last. Raises RuntimeError unless it ended well."""
    out, _err = process.communicate(timeout=600)
    if process.returncode:
        raise RuntimeError(f"A process ended with {process.returncode}.")
    return out


# --- the bench ----------------------------------------------------------------------------------------------


def measure() -> Report:
    make_template()
    races = [
        {"field": field, "how": how, "seed": seed, **vars(outcome), "per_second": round(outcome.per_second)}
        for field in FIELDS
        for how, seeds in (("guarded", SEEDS), ("naive", 1))
        for seed, outcome in ((seed, _raced(how, field, seed)) for seed in range(seeds))
    ]
    contests, violations = _contests(ROUNDS)
    with_two, _ = _contests(2, indexed=False)
    return _report(races, contests, violations, with_two)


def _raced(how: str, field: str, seed: int) -> Outcome:
    emergency = _country(50)
    offers, each = FIELDS[field]
    Need.objects.update(quantity_kind="number", quantity=100_000, ceiling=100_000)
    Offer.objects.update(quantity=each, pack=1, min_lot=1)
    chosen = Offer.objects.in_emergency(emergency).order_by("pk")[:offers]
    outcome = race(how, list(Need.objects.all()), list(chosen), racers=RACERS, tries=TRIES, seed=seed)
    if how == "guarded":
        assert not violations_now()
    return outcome


def _contests(rounds: int, *, indexed: bool = True) -> tuple[list[Contest], int]:
    emergency = _country(200)
    if indexed:
        return contest(emergency, rounds=rounds), violations_now()
    with without_the_index():
        return contest(emergency, rounds=rounds), violations_now()


def _country(size: int) -> Emergency:
    make(DATABASE)
    return populate(size, size, at=timezone.now())


def violations_now() -> int:
    return sum(finding.violations for finding in check(at=timezone.now()))


def _report(
    races: list[dict[str, Any]], contests: list[Contest], violations: int, with_two: list[Contest]
) -> Report:
    rows = []
    for field in FIELDS:
        for how in ("guarded", "naive"):
            mine = [row for row in races if (row["field"], row["how"]) == (field, how)]
            rows.append(
                [
                    field,
                    how,
                    len(mine),
                    sum(row["attempts"] for row in mine),
                    sum(row["oversold"] for row in mine),
                    sum(row["deadlocks"] for row in mine),
                    sorted(row["per_second"] for row in mine)[len(mine) // 2],
                ]
            )
    runs = [
        ["as it is", len(contests), max(each.families for each in contests), _most(contests), violations],
        [
            "control without the index",
            len(with_two),
            max(each.families for each in with_two),
            _most(with_two),
            "–",
        ],
    ]
    return Report(
        "races",
        "Races for goods and for families",
        f"{RACERS} processes promise one unit at a time, {TRIES} times each, of offers drawn by lot to 50 needs; all start at"
        " once. The control looks and then leaps, as a hurried programmer writes it: it must oversell, else the race proves"
        " nothing. Below, two processes start a run of the same families at once and take every lease they can get; the"
        " control drops the unique index and must see two of one family at work. Goals: oversold 0, deadlocks 0, 500 a"
        " second; never two of one family, no violation of the equations of the ledger.",
        [
            Table(["goods", "how", "seeds", "attempts", "oversold", "deadlocks", "attempts a second"], rows),
            Table(["runs", "rounds", "families", "most of one family at once", "violations"], runs),
        ],
        {
            "races": races,
            "contests": [vars(each) for each in contests],
            "violations": violations,
            "control": [vars(each) for each in with_two],
        },
    )


def _most(contests: Sequence[Contest]) -> int:
    return max(each.most_running for each in contests)
