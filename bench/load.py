"""A million needs and a million offers: how much the site serves, and whether it is slower than with ten thousand."""

import argparse
import os
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.management import call_command, get_commands
from django.db import connection
from django.test import Client
from django.utils import timezone

from bench import databases
from bench.api import Caller, compared
from bench.country import CARRIER, populate
from bench.reporting import Report, Table
from bench.traffic import Ask, Chance, Heard, Site
from supplies.needs.counting import count_open
from supplies.needs.models import Appeal, Need
from supplies.offers.models import Donation
from supplies.organisations import services as people
from supplies.organisations.keys import Scope
from supplies.organisations.models import Facility, Organisation, User
from supplies.regions.models import Region
from supplies.shipments.models import Shipment, ShipmentStatus

ROWS, SMALL = 1_000_000, 10_000
RUN = "bench_load_run"
CONNECTIONS, ROUNDS, SECONDS = 4, 5, 8.0
CROWD, CROWD_SECONDS = 64, 30.0
SAMPLE = 500
V1 = "/api/v1/"
WORDS = ("口罩", "N95", "防护服", "武昌区演练", "没有这样的医院")
SLOWEST_ACCEPTED_MS, SECONDS_TO_RECOVER = 2000, 30.0


@dataclass(frozen=True)
class Kind:
    """Something people do, and the goal for it: answers a second, and what 95 of 100 stay below, in milliseconds."""

    name: str
    per_second: int
    p95_ms: int
    ask: Chance


# -- What there is to ask for -----------------------------------------------------------------------------


class Visitors:
    """Who asks, with a token or a session of their own, and what of a database in use they ask for."""

    def __init__(self) -> None:
        at = timezone.now()
        self.needs = _some(Need.objects.open())
        self.appeals = _some(Appeal.objects.all())
        self.codes = [
            *_some(Appeal.objects.all(), "code"),
            *_some(Donation.objects.all(), "code"),
            *_some(Shipment.objects.all(), "code"),
        ]
        self.sites = list(Facility.objects.order_by("pk").values_list("pk", "organisation", "name")[:SAMPLE])
        self.shipments = _some(Shipment.objects.filter(status=ShipmentStatus.IN_TRANSIT))
        self.places = list(Region.objects.filter(path__startswith="/CN/42").values_list("pk", flat=True))
        self.donor = Organisation.objects.filter(kind="donor").order_by("pk")[0]
        carrier = Organisation.objects.get(name=CARRIER)
        hospital = Organisation.objects.get(pk=self.sites[0][1])
        self.hospital = _program("hospital", hospital, Scope.NEEDS, at=at)
        self.giver = _program("donor", self.donor, Scope.OFFERS, at=at)
        self.carrier = _program("carrier", carrier, Scope.SHIPMENTS, at=at)
        self.session = _session(User.objects.get(username="bench-hospital"))
        connection.close()

    @property
    def kinds(self) -> list[Kind]:
        return [
            Kind("browse: lists of needs and offers", 80, 100, self._browse),
            Kind("browse: the page of needs", 80, 100, self._browse_page),
            Kind("browse: the first page", 80, 100, lambda luck: self._page("/")),
            Kind("detail: a need, an appeal", 100, 80, self._detail),
            Kind("tracking by code", 100, 80, lambda luck: self._read(f"track/{luck.choice(self.codes)}/")),
            Kind("search: goods, a hospital, nothing", 20, 300, self._search),
            Kind("post an appeal of two lines", 60, 150, self._post_appeal),
            Kind("post a donation of two lots", 60, 150, self._post_donation),
            Kind("a carrier's event", 100, 150, self._report),
        ]

    def _read(self, path: str) -> Ask:
        return Ask(V1 + path, headers=self.hospital)

    def _page(self, path: str) -> Ask:
        return Ask(path, headers={"Cookie": f"{settings.SESSION_COOKIE_NAME}={self.session}"})

    def _filter(self, luck: Random) -> str:
        return luck.choice(
            ("", "urgency=1", "category=ppe", "item=MASK_SURG", f"region={luck.choice(self.places)}")
        )

    def _browse(self, luck: Random) -> Ask:
        rows = "offers" if luck.random() < 0.3 else "needs"
        query = self._filter(luck)
        return self._read(f"{rows}/?{'' if rows == 'offers' and 'urgency' in query else query}")

    def _browse_page(self, luck: Random) -> Ask:
        return self._page(f"/needs/?{luck.choice(('', 'urgency=1', 'category=ppe', 'province=420000'))}")

    def _detail(self, luck: Random) -> Ask:
        if luck.random() < 0.5:
            return self._read(f"needs/{luck.choice(self.needs)}/")
        return self._read(f"appeals/{luck.choice(self.appeals)}/")

    def _search(self, luck: Random) -> Ask:
        return Ask(
            f"{V1}needs/?q={quote(luck.choice((*WORDS, luck.choice(self.sites)[2])))}", headers=self.hospital
        )

    def _post_appeal(self, luck: Random) -> Ask:
        body = {"facility": str(luck.choice(self.sites)[0]), "emergency": "bench", "lines": _asked()}
        return Ask(f"{V1}appeals/", "POST", body, {**self.hospital, **_once()})

    def _post_donation(self, luck: Random) -> Ask:
        lots = [{"item": item, "quantity": 1000, "pack": 10} for item in ("MASK_SURG", "GLOVE_EXAM")]
        body = {
            "organisation": str(self.donor.pk),
            "emergency": "bench",
            "region": self.donor.region_id,
            "lines": lots,
        }
        return Ask(f"{V1}donations/", "POST", body, {**self.giver, **_once()})

    def _report(self, luck: Random) -> Ask:
        seen = {
            "occurred_at": timezone.now().isoformat(),
            "step": "transporting",
            "external_id": uuid.uuid4().hex,
        }
        return Ask(
            f"{V1}shipments/{luck.choice(self.shipments)}/events/", "POST", seen, {**self.carrier, **_once()}
        )


def _some(rows: Any, column: str = "pk") -> list[Any]:
    return list(rows.order_by("pk").values_list(column, flat=True)[:SAMPLE])


def _program(role: str, organisation: Organisation, scope: str, *, at: Any) -> dict[str, str]:
    """What a program of this organisation sends to say who it is."""
    user = User.objects.get_or_create(username=f"bench-{role}")[0]
    people.enrol(user, organisation, role, by=None, at=at)
    _token, secret = people.issue_token(user, name="bench", scopes=[scope], at=at)
    return {"Authorization": f"Token {secret}"}


def _session(user: User) -> str:
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _once() -> dict[str, str]:
    return {"Idempotency-Key": uuid.uuid4().hex}


def _asked() -> list[dict[str, Any]]:
    day = (timezone.localdate() + timedelta(days=9)).isoformat()
    return [
        {"item": "MASK_SURG", "quantity": 5000, "urgency": 2, "needed_by": day},
        {"item": "GLOVE_EXAM", "quantity": 100, "unit": "双", "urgency": 3, "needed_by": day},
    ]


# -- Measuring --------------------------------------------------------------------------------------------


def measure(arguments: Sequence[str] = ()) -> Report:
    options = _options(arguments)
    large, small = (f"bench_load_{rows}" for rows in (options.rows, min(options.rows, SMALL)))
    for name, rows in ((small, min(options.rows, SMALL)), (large, options.rows)):
        databases.keep(name, partial(populate, rows, rows, at=timezone.now()))
    databases.make(RUN, large)
    try:
        return _measured(options, large=large, small=small)
    finally:
        databases.use(large)
        databases.drop(RUN)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("./run bench load")
    parser.add_argument("--rows", type=int, default=ROWS, help="needs, and as many offers")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each kind in each round")
    parser.add_argument("--soak", type=float, default=0, metavar="MINUTES", help="go on at half of the load")
    parser.add_argument("--overload", action="store_true", help=f"let {CROWD} ask at once")
    return parser.parse_args(arguments)


def _measured(options: argparse.Namespace, *, large: str, small: str) -> Report:
    call_command("collectstatic", interactive=False, verbosity=0)
    visitors = Visitors()
    tables, figures = [], {"rows": options.rows, "connections": CONNECTIONS, "rounds": options.rounds}
    with Site(RUN).up() as site:
        served = _serve(site, visitors.kinds, options)
        tables.append(_served_table(visitors.kinds, served))
        figures["served"] = {kind.name: _figures(served[kind.name]) for kind in visitors.kinds}
        if options.overload:
            table, figures["overload"] = _overload(site, visitors)
            tables.append(table)
        if options.soak:
            table, figures["soak"] = _soak(site, visitors, served, minutes=options.soak)
            tables.append(table)
    if options.rows > SMALL:
        table, figures["compared"] = _compare(large=large, small=small)
        tables.append(table)
    table, figures["commands"] = _commands()
    tables.append(table)
    return Report(
        "load" if options.rows == ROWS else "load_sample",
        f"{options.rows:,} needs and as many offers",
        f"Gunicorn with 2 workers of 4 threads, PostgreSQL with its commits flushed to disk, and {CONNECTIONS} programs that"
        " ask one thing after the other, all on one machine. Programs bring a token, pages a session; roles, scopes and"
        f" the journal are on. The median of {options.rounds} rounds of {options.seconds:g} s for each kind. “Load” is"
        " what the machine had to do besides: its load average over a minute before the round. “Processor ms each” is what"
        " an answer cost the site, the database and the asking program together, and “at most a second” what all cores"
        " could answer if they did nothing else: of the figures here, the ones that a busy machine distorts least.",
        tables,
        figures,
    )


@dataclass
class Served:
    """What came of one kind over all rounds, with the load average before each."""

    rounds: list[Heard]
    loads: list[float]

    def median(self, of: Callable[[Heard], float]) -> float:
        return sorted(map(of, self.rounds))[len(self.rounds) // 2]


def _serve(site: Site, kinds: Sequence[Kind], options: argparse.Namespace) -> dict[str, Served]:
    served = {kind.name: Served([], []) for kind in kinds}
    for kind in kinds:
        site.ask(kind.ask, connections=CONNECTIONS, seconds=min(2, options.seconds), seed=-1)
    for number in range(options.rounds):
        for kind in kinds:
            served[kind.name].loads.append(os.getloadavg()[0])
            heard = site.ask(kind.ask, connections=CONNECTIONS, seconds=options.seconds, seed=number)
            served[kind.name].rounds.append(heard)
            print(
                f"  {number + 1}: {kind.name}: {heard.rate:.0f}/s, p95 {heard.ms(0.95):.0f} ms {_told(heard)}",
                flush=True,
            )
    return served


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def _told(heard: Heard) -> str:
    return ", ".join(f"{number} times {status or 'no answer'}" for status, number in heard.bad.items())


def _served_table(kinds: Sequence[Kind], served: dict[str, Served]) -> Table:
    rows = []
    for kind in kinds:
        one = served[kind.name]
        rate, p50, p95 = (
            one.median(lambda h: h.rate),
            one.median(lambda h: h.ms(0.5)),
            one.median(lambda h: h.ms(0.95)),
        )
        busy = one.median(lambda h: h.busy_ms)
        rows.append(
            [
                kind.name,
                f"{rate:.0f}",
                f"{kind.per_second}",
                f"{p50:.0f}",
                f"{p95:.0f}",
                f"{kind.p95_ms}",
                "yes" if rate >= kind.per_second and p95 <= kind.p95_ms else "**no**",
                f"{busy:.1f}",
                f"{1000 * _cores() / busy:.0f}",
                sum(sum(heard.bad.values()) for heard in one.rounds),
                f"{min(one.loads):.1f} to {max(one.loads):.1f}",
            ]
        )
    return Table(
        [
            "what",
            "a second",
            "goal",
            "p50 ms",
            "p95 ms",
            "goal",
            "met",
            "processor ms each",
            "at most a second",
            "not answered well",
            "load",
        ],
        rows,
    )


def _figures(served: Served) -> dict[str, Any]:
    return {
        "rate": [round(heard.rate, 1) for heard in served.rounds],
        "p50_ms": [round(heard.ms(0.5), 1) for heard in served.rounds],
        "p95_ms": [round(heard.ms(0.95), 1) for heard in served.rounds],
        "processor_ms": [round(heard.busy_ms, 2) for heard in served.rounds],
        "statuses": [dict(heard.statuses) for heard in served.rounds],
        "load_average": [round(load, 1) for load in served.loads],
    }


def _compare(*, large: str, small: str) -> tuple[Table, dict[str, Any]]:
    """The same calls with few and with many rows, in process, in turn."""
    callers = [Caller(small, SMALL), Caller(large, ROWS)]
    for caller in callers:
        copy = f"{RUN}_{caller.size}"
        databases.make(copy, caller.database)
        caller.database = copy
        caller.remember()
    try:
        return compared(callers)
    finally:
        databases.use(large)
        for caller in callers:
            databases.drop(caller.database)


def _commands() -> tuple[Table, dict[str, float]]:
    """How long those commands take that look at every row."""
    databases.use(RUN)
    commands: dict[str, Callable[[], object]] = {
        name: partial(call_command, name, verbosity=0)
        for name in ("check_invariants", "verify_audit")
        if name in get_commands()
    }
    seconds = {}
    for name, run in {"count_open": partial(count_open, at=timezone.now()), **commands}.items():
        began = time.perf_counter()
        run()
        seconds[name] = round(time.perf_counter() - began, 2)
    return Table(["looks at every row", "seconds"], list(seconds.items())), seconds


# -- By option --------------------------------------------------------------------------------------------


def _overload(site: Site, visitors: Visitors) -> tuple[Table, dict[str, Any]]:
    """Sixteen times as many as usual ask as fast as they can; then, is it soon as before?"""
    usual = site.ask(visitors._browse, connections=CONNECTIONS, seconds=5, seed=98)
    crowd = site.ask(visitors._browse, connections=CROWD, seconds=CROWD_SECONDS, seed=99)
    over = time.perf_counter()
    while True:
        after = site.ask(visitors._browse, connections=CONNECTIONS, seconds=2, seed=100)
        recovered = time.perf_counter() - over
        if after.ms(0.95) <= 1.5 * usual.ms(0.95) or recovered > 2 * SECONDS_TO_RECOVER:
            break
    refused = {status: crowd.statuses[status] for status in (429, 503)}
    worse = {status: number for status, number in crowd.bad.items() if status not in refused}
    rows = [
        ["answers a second to the crowd", f"{crowd.rate:.0f}", ""],
        ["p95 of what was accepted, ms", f"{crowd.ms(0.95):.0f}", SLOWEST_ACCEPTED_MS],
        ["refused with 429 or 503", sum(refused.values()), "with Retry-After"],
        ["of these with Retry-After", crowd.said_when, ""],
        ["any other failure", sum(worse.values()), 0],
        ["seconds until as quick as before", f"{recovered:.0f}", f"{SECONDS_TO_RECOVER:.0f}"],
    ]
    figures = {"statuses": dict(crowd.statuses), "p95_ms": crowd.ms(0.95), "recovered_s": recovered}
    return Table([f"{CROWD} ask at once", "seen", "goal"], rows), figures


def _soak(
    site: Site, visitors: Visitors, served: dict[str, Served], *, minutes: float
) -> tuple[Table, dict[str, Any]]:
    """Half of what it can, of everything in turn, for long."""
    kinds = visitors.kinds
    usual = sum(served[kind.name].median(lambda heard: heard.ms(0.5)) for kind in kinds) / len(kinds) / 1000

    def anything(luck: Random) -> Ask:
        return luck.choice(kinds).ask(luck)

    memory, idle, heard = [site.resident_mib()], 0, []
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        heard.append(
            site.ask(
                anything,
                connections=CONNECTIONS,
                seconds=min(60, 60 * minutes),
                seed=len(heard),
                every=2 * usual,
            )
        )
        memory.append(site.resident_mib())
        idle = max(idle, _idle_in_transaction())
    failed = sum(
        number for one in heard for status, number in one.bad.items() if status == 0 or status >= 500
    )
    # The first minute fills caches and connection pools; growth is counted from its end.
    growth = memory[-1] / memory[1] - 1
    rows = [
        ["answers", sum(len(one.took) for one in heard), ""],
        ["5xx or no answer", failed, 0],
        ["growth of the processes' memory", f"{growth:.1%}", "10 %"],
        ["most connections idle in a transaction", idle, 0],
    ]
    figures = {"memory_mib": [round(one, 1) for one in memory], "failed": failed, "idle_in_transaction": idle}
    return Table([f"{minutes:g} minutes at half of the load", "seen", "goal"], rows), figures


def _idle_in_transaction() -> int:
    """Connections that have held a transaction open for more than a second without doing anything."""
    databases.use(RUN)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state LIKE 'idle in transaction%%'"
            " AND state_change < now() - interval '1 second'",
            [RUN],
        )
        (number,) = cursor.fetchone()
    return int(number)
