"""Logistics: what carriers tell, with a million events there already. Each part measures by itself and gives rows of one table."""

import os
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.utils import timezone

from bench import databases
from bench.country import CARRIER, populate
from bench.reporting import Report, Table
from bench.traffic import Ask, Site
from supplies.organisations import services as people
from supplies.organisations.keys import Scope
from supplies.organisations.models import Organisation, User
from supplies.shipments.models import Shipment, ShipmentStatus
from supplies.shipments.tracking import TrackingEvent

EVENTS = int(os.environ.get("LOGISTICS_EVENTS", "1000000"))
ROWS = 10_000  # needs, and as many offers
FEW, MANY, RUN = "bench_logistics_few", f"bench_logistics_{EVENTS}", "bench_logistics_run"
PROGRAMS, EVERY, SECONDS, ROUNDS = (
    10,
    0.1,
    20.0,
    3,
)  # ten programs, an event each tenth of a second: 100 a second
BATCH, BATCHES = 1_000, 7
V1 = "/api/v1/"


@dataclass
class Part:
    """rows      what was measured, the figure, the goal, whether it was met
    figures   for programs
    """

    says: str
    rows: list[Sequence[Any]]
    figures: dict[str, Any] = field(default_factory=dict)


def measure() -> Report:
    at = timezone.now()
    databases.keep(FEW, partial(populate, ROWS, ROWS, at=at))
    databases.keep(MANY, partial(_fill, at=at))
    wanted = os.environ.get("LOGISTICS_PARTS", ",".join(PARTS)).split(",")
    with override_settings(ALLOWED_HOSTS=[*settings.ALLOWED_HOSTS, "testserver"]):
        found = {name: PARTS[name]() for name in wanted}
    return Report(
        "logistics" if EVENTS == 1_000_000 and len(found) == len(PARTS) else "logistics_sample",
        "Logistics",
        "\n\n".join(part.says for part in found.values()),
        [Table(["what", "figure", "goal", "met"], [row for part in found.values() for row in part.rows])],
        {"events": EVENTS, **{name: part.figures for name, part in found.items()}},
    )


def _fill(*, at: Any) -> None:
    """The same country, and events of its shipments, evenly, over the last weeks."""
    populate(ROWS, ROWS, at=at)
    shipments = list(Shipment.objects.order_by("pk"))
    databases.write(TrackingEvent, (_event(shipments, number, at=at) for number in range(EVENTS)))
    databases.settle()


def _event(shipments: list[Shipment], number: int, *, at: Any) -> TrackingEvent:
    when = at - timedelta(days=20) + timedelta(seconds=number)
    return TrackingEvent(
        shipment=shipments[number % len(shipments)],
        external_id=f"bench-{number}",
        occurred_at=when,
        recorded_at=when,
        step="transporting",
        vocabulary="kuaidi100",
        code="0",
        label="在途",
        status="in_transit",
    )


def _key() -> dict[str, str]:
    """What the carrier's program says who it is with."""
    user, at = User.objects.get_or_create(username="bench-driver")[0], timezone.now()
    people.enrol(user, Organisation.objects.get(name=CARRIER), "carrier", by=None, at=at)
    _token, secret = people.issue_token(user, name="bench", scopes=[Scope.READ, Scope.SHIPMENTS], at=at)
    return {"Authorization": f"Token {secret}"}


def _moving() -> list[Any]:
    rows = Shipment.objects.filter(status=ShipmentStatus.IN_TRANSIT)
    return list(rows.order_by("pk").values_list("pk", flat=True))


# -- Events one by one -------------------------------------------------------------------------------------


def one_by_one() -> Part:
    """A hundred a second, an event in each request: what the processors have to do for every request is paid for every event."""
    return _events_in(
        f"**Events one by one.** {PROGRAMS} programs send {1 / EVERY:.0f} events a second each, every one in a request of its own,"
        f" to the site as it is served, for {SECONDS:g} s; the median of {ROUNDS} rounds.",
        _tell,
        at_once=1,
    )


def ten_at_once() -> Part:
    """A hundred a second as a carrier's program sends what its scanners have told it within a second."""
    return _events_in(
        f"**Ten events in a request.** The same {PROGRAMS} programs send what they have heard once a second.",
        _tell_ten,
        at_once=10,
    )


def _events_in(says: str, telling: Callable[..., Ask], *, at_once: int) -> Part:
    """A hundred a second for a while, few events in the table and many in turn: the ratio is what the machine does not bend."""
    call_command("collectstatic", interactive=False, verbosity=0)
    p95: dict[str, list[float]] = {}
    cost: dict[str, list[float]] = {}
    rates, bad = [], 0
    for number in range(ROUNDS):
        for base in (FEW, MANY):
            databases.make(RUN, base)
            key, shipments = _key(), _moving()
            connection.close()
            with Site(RUN).up() as site:
                tell = partial(telling, key, shipments)
                site.ask(tell, connections=PROGRAMS, seconds=2, seed=-1)
                heard = site.ask(
                    tell, connections=PROGRAMS, seconds=SECONDS, seed=number, every=EVERY * at_once
                )
            p95.setdefault(base, []).append(heard.ms(0.95))
            cost.setdefault(base, []).append(heard.busy_ms / at_once)
            bad += sum(heard.bad.values())
            if base == MANY:
                rates.append(heard.rate * at_once)
            print(
                f"  {base}: {heard.rate * at_once:.0f}/s, p95 {heard.ms(0.95):.0f} ms, {cost[base][-1]:.1f} ms each",
                flush=True,
            )
    databases.use(MANY)
    databases.drop(RUN)
    middle = {name: sorted(values)[len(values) // 2] for name, values in p95.items()}
    busy = {name: sorted(values)[len(values) // 2] for name, values in cost.items()}
    rate = sorted(rates)[len(rates) // 2]
    words = "one by one" if at_once == 1 else f"{at_once} in a request"
    return Part(
        says,
        [
            [f"events a second {words}, {EVENTS:,} in the table", f"{rate:.0f}", "100", _yes(rate >= 95)],
            [
                "p95 of a request",
                f"{middle[MANY]:.0f} ms",
                "150 ms",
                _yes(middle[MANY] < 150 and rate >= 95),
            ],
            [
                "processor time of an event, site, database and asking program",
                f"{busy[MANY]:.1f} ms",
                "",
                "",
            ],
            ["the same with none in the table", f"{busy[FEW]:.1f} ms", "", ""],
            ["ratio", f"{busy[MANY] / busy[FEW]:.2f}", "1.25", _yes(busy[MANY] / busy[FEW] <= 1.25)],
            ["answers that were no good ones", bad, "0", _yes(not bad)],
        ],
        {"p95_ms": p95, "processor_ms": cost, "rate": rates, "bad": bad},
    )


def _tell(key: dict[str, str], shipments: list[Any], luck: Random) -> Ask:
    seen = {
        "occurred_at": timezone.now().isoformat(),
        "step": "transporting",
        "external_id": uuid.uuid4().hex,
    }
    path = f"{V1}shipments/{luck.choice(shipments)}/events/"
    return Ask(path, "POST", seen, {**key, "Idempotency-Key": uuid.uuid4().hex})


def _tell_ten(key: dict[str, str], shipments: list[Any], luck: Random) -> Ask:
    events = [_of_batch(shipments, luck.randrange(len(shipments))) for _event in range(10)]
    return Ask(
        f"{V1}tracking-events/", "POST", {"events": events}, {**key, "Idempotency-Key": uuid.uuid4().hex}
    )


# -- A batch -----------------------------------------------------------------------------------------------


def batches() -> Part:
    """A thousand events of all the carrier's shipments in one request, in this process, few events and many in turn."""
    took: dict[str, list[float]] = {}
    queries: dict[str, int] = {}
    for base in (FEW, MANY):
        databases.make(RUN, base)
        key, shipments = _key(), _moving()
        client = Client(headers={"authorization": key["Authorization"]})
        for _number in range(BATCHES):
            events = [_of_batch(shipments, position) for position in range(BATCH)]
            began = time.perf_counter()
            with CaptureQueriesContext(connection) as seen:
                answer = client.post(
                    f"{V1}tracking-events/", {"events": events}, content_type="application/json"
                )
            took.setdefault(base, []).append(time.perf_counter() - began)
            assert answer.json()["created"] == BATCH, answer.content[:300]
            queries[base] = len(seen)
    databases.use(MANY)
    databases.drop(RUN)
    middle = {name: sorted(values)[len(values) // 2] for name, values in took.items()}
    worst = max(took[MANY])
    return Part(
        f"**Batches.** {BATCH:,} events of {len(shipments)} shipments in one request, {BATCHES} times, in the bench's own process.",
        [
            [
                f"a batch of {BATCH:,}, {EVENTS:,} in the table: median",
                f"{middle[MANY]:.2f} s",
                "3 s",
                _yes(middle[MANY] < 3),
            ],
            ["the slowest", f"{worst:.2f} s", "3 s", _yes(worst < 3)],
            ["the same with none in the table", f"{middle[FEW]:.2f} s", "", ""],
            [
                "queries of a batch",
                f"{queries[MANY]} and {queries[FEW]}",
                "as many",
                _yes(queries[MANY] == queries[FEW]),
            ],
        ],
        {"seconds": took, "queries": queries},
    )


def _of_batch(shipments: list[Any], position: int) -> dict[str, Any]:
    return {
        "names": str(shipments[position % len(shipments)]),
        "external_id": uuid.uuid4().hex,
        "occurred_at": timezone.now().isoformat(),
        "vocabulary": "kuaidi100",
        "code": "0",
    }


# -- The page of a shipment ----------------------------------------------------------------------------------


def page() -> Part:
    """The page of a shipment with few events and of one with thousands."""
    counts = {}
    for base in (FEW, MANY):
        databases.use(base)
        client = Client(headers={"accept-language": "en"})  # of whoever has the code
        shipment = Shipment.objects.filter(status=ShipmentStatus.IN_TRANSIT).order_by("pk")[0]
        client.get(f"/track/{shipment.code}/")
        with CaptureQueriesContext(connection) as seen:
            answer = client.get(f"/track/{shipment.code}/")
        assert answer.status_code == 200, answer.status_code
        counts[base] = len(seen)
    return Part(
        "**The page of a shipment**, followed by its code.",
        [
            [
                "queries, many events and few",
                f"{counts[MANY]} and {counts[FEW]}",
                "as many",
                _yes(counts[MANY] == counts[FEW]),
            ]
        ],
        {"queries": counts},
    )


def _yes(is_met: bool) -> str:
    return "yes" if is_met else "**no**"


PARTS: dict[str, Callable[[], Part]] = {
    "events": one_by_one,
    "tens": ten_at_once,
    "batches": batches,
    "page": page,
}
