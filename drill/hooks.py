"""F14: what carriers' systems send, over HTTP: early, reversed, twice, late, of nobody, in a burst, and into a dying process."""

import json
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.utils import timezone

from drill.cells import Cell, Check, cell, equal, none_of
from drill.points import KILL
from drill.scenes import is_quiet
from drill.stage import Answer, Stage, Web
from drill.worker_killed import SECONDS_TO_BE_QUIET
from launcher.processes import wait_until
from supplies.carriers.models import CarrierAccount, ParkedEvent
from supplies.shipments import services as moving
from supplies.shipments.tracking import TrackingEvent
from tests.makers import make_shipment
from tests.supplies.carriers.telling import carried_by, make_account, signed

STEPS = ("loading", "departing", "transporting", "arriving")
SENDERS = 4  # connections at once
HOOK = 500  # events in one webhook of the burst


def told(names: str, external_id: str, step: str, minutes_ago: int) -> dict[str, Any]:
    at = timezone.now() - timedelta(minutes=minutes_ago)
    return {"names": names, "external_id": external_id, "occurred_at": at.isoformat(), "step": step}


def journey(names: str) -> list[dict[str, Any]]:
    """The last step first."""
    steps = [told(names, f"{names}-{place}", step, 60 - place) for place, step in enumerate(STEPS)]
    return steps[::-1]


def send(web: Web, account: CarrierAccount, events: Sequence[dict[str, Any]], name: str) -> Answer:
    """Raises OSError if there is no answer."""
    _body, headers = signed(list(events), name=name, at=timezone.now())
    return web.ask("POST", f"/hooks/carriers/{account.pk}/", {"events": list(events)}, **headers)


def outcomes(answer: Answer) -> list[str]:
    return [result["status"] for result in json.loads(answer.body)["results"]]


def early(web: Web, account: CarrierAccount) -> list[Check]:
    """Four events in reverse before their shipment is booked, each sent twice."""
    draft = make_shipment()
    answers = [send(web, account, [each], each["external_id"]) for each in journey("EARLY") for _ in range(2)]
    shipment = moving.book(draft, carrier=account.carrier, waybill="EARLY", by=None, at=timezone.now())
    applied = wait_until(
        lambda: shipment.events.exclude(external_id="").count() == len(STEPS), seconds=SECONDS_TO_BE_QUIET
    )
    shipment.refresh_from_db()
    return [
        equal("early and reversed: answers", {answer.status for answer in answers}, {200}),
        equal("early and reversed: parked, then applied by itself once booked", applied, True),
        equal("early and reversed: the last sighting", shipment.sighting_code, STEPS[-1]),
    ]


def into_a_dying_process(stage: Stage, web: Web, account: CarrierAccount, when: str) -> list[Check]:
    """The carrier that has no answer sends the same again, until it has one."""
    shipment = carried_by(account.carrier, when)
    stage.arm(when, KILL)
    lost = 0
    try:
        send(web, account, journey(when), f"{when}-1")
    except OSError:
        lost = 1
    kept = shipment.events.exclude(external_id="").count()
    assert wait_until(web.answers, seconds=SECONDS_TO_BE_QUIET), "no web process came back"
    again = send(web, account, journey(when), f"{when}-1")
    return [
        equal(f"killed {when}: answers lost", lost, 1),
        equal(f"killed {when}: kept of what was not answered", kept, len(STEPS) * (when == "after-commit")),
        equal(f"killed {when}: answered in the end", again.status, 200),
        equal(
            f"killed {when}: events",
            shipment.events.exclude(external_id="").count(),
            len(STEPS),
        ),
    ]


def late(web: Web, account: CarrierAccount) -> list[Check]:
    """After it was delivered, and after it was given up as lost."""
    delivered, lost = carried_by(account.carrier, "DELIVERED"), carried_by(account.carrier, "LOST")
    moving.deliver(delivered, by=None, at=timezone.now())
    moving.lose(lost, by=None, at=timezone.now())
    answers = [send(web, account, journey(name), f"late-{name}") for name in ("DELIVERED", "LOST")]
    for shipment in (delivered, lost):
        shipment.refresh_from_db()
    return [
        equal("late: outcomes", {word for answer in answers for word in outcomes(answer)}, {"created"}),
        equal("late: where they stay", (delivered.status, lost.status), ("delivered", "lost")),
        equal("late: flagged as after the end", lost.events.filter(is_after_end=True).count(), len(STEPS)),
    ]


def burst(web: Web, account: CarrierAccount, size: int) -> list[Check]:
    """Half of them of shipments that nobody knows, from four connections, every fifth webhook twice."""
    shipments = [carried_by(account.carrier, f"B{number}") for number in range(5)]
    events = [
        told(f"B{number % 10}", f"burst-{number}", "transporting", 30 + number % 20) for number in range(size)
    ]
    hooks = [(f"burst-{start}", events[start : start + HOOK]) for start in range(0, size, HOOK)]
    waiting = [*hooks, *hooks[::5]]
    statuses: list[int] = []

    def sender(place: int) -> None:
        for name, part in waiting[place::SENDERS]:
            statuses.append(send(web, account, part, name).status)

    threads = [threading.Thread(target=sender, args=[place]) for place in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stored = TrackingEvent.objects.filter(shipment__in=shipments).exclude(external_id="")
    parked = ParkedEvent.objects.waiting().filter(names__startswith="B")
    return [
        equal("burst: answers", statuses, [200] * len(waiting)),
        equal("burst: events of known shipments, once", stored.count(), size // 2),
        equal("burst: events of unknown shipments, parked", parked.count(), size // 2),
    ]


@cell(
    "carrier-hooks",
    of="F14",
    injects="a carrier's webhooks: before their shipment is booked, reversed, each twice; into a web process that is killed"
    " -9 before it commits and before it answers; after the delivery and the end; a burst of 10,000 events, half of them of"
    " nobody's shipments",
    passes="what was answered with 200 is stored, everything once; what was early is applied by itself; the end stays",
    is_many=True,
)
def carrier_hooks(stage: Stage) -> list[Check]:
    account = make_account()
    stage.worker()
    web = stage.web()
    checks = [
        *early(web, account),
        *into_a_dying_process(stage, web, account, "hook-stored"),
        *into_a_dying_process(stage, web, account, "after-commit"),
        *late(web, account),
        *burst(web, account, stage.size(10_000, 1_000)),
    ]
    quiet = wait_until(is_quiet, seconds=SECONDS_TO_BE_QUIET)
    refused = ParkedEvent.objects.waiting().exclude(names__startswith="B").count()
    return [
        *checks,
        equal("everything was told by itself", quiet, True),
        none_of("events of known shipments that still wait", refused),
    ]


CELLS: list[Cell] = [carrier_hooks]
