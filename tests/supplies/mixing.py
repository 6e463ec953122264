"""One racer of the mixed race: does any verb to any row, again and again, in its own process.

python -m tests.supplies.mixing SEED VERBS

A refusal is an answer; anything else, a deadlock above all, ends the process with an error.
"""

import random
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.db import connection, models, transaction  # noqa: E402  (settings first)

from bench.racing import START  # noqa: E402
from matching import running  # noqa: E402
from matching import services as matching  # noqa: E402
from matching.models import Proposal  # noqa: E402
from supplies.allocations import services as ledger  # noqa: E402
from supplies.allocations.models import Allocation  # noqa: E402
from supplies.errors import Refused  # noqa: E402
from supplies.journal.services import dispatch as carry  # noqa: E402
from supplies.loads import services as loads  # noqa: E402
from supplies.loads.models import ConsolidatedLoad  # noqa: E402
from supplies.needs import services as asking  # noqa: E402
from supplies.needs.models import Appeal, Need  # noqa: E402
from supplies.offers import services as giving  # noqa: E402
from supplies.offers.models import Donation, Offer  # noqa: E402
from supplies.organisations import services as people  # noqa: E402
from supplies.organisations.models import Facility, Organisation, User  # noqa: E402
from supplies.receipts import services as receiving  # noqa: E402
from supplies.receipts.models import DiscrepancyTicket  # noqa: E402
from supplies.shipments import packing, rearranging, rerouting  # noqa: E402
from supplies.shipments import services as moving  # noqa: E402
from supplies.shipments.models import Shipment  # noqa: E402
from tests.makers import NOW, make_appeal, make_donation, make_emergency  # noqa: E402

SAID: dict[str, Any] = {"by": None, "at": NOW}
LATER = NOW + timedelta(days=60)


LIVE: dict[type[models.Model], tuple[str, ...]] = {
    Proposal: ("open", "approved"),
    Need: ("open", "waiting"),
    Offer: ("open", "waiting"),
    Allocation: ("reserved",),
    ConsolidatedLoad: ("planned", "in_transit", "at_the_door"),
    Shipment: ("draft", "booked", "in_transit", "delivered", "returning"),
    Appeal: ("waiting", "published"),
    Donation: ("waiting", "published"),
}


def a(model: Any, chance: random.Random, **of: Any) -> Any:
    """Any row, mostly one that goes on. Raises Refused where there is none."""
    rows = model.objects.filter(**of)
    if chance.random() < 0.9:
        rows = rows.filter(status__in=LIVE[model])
    return one_of(rows, chance)


def one_of(rows: Any, chance: random.Random) -> Any:
    keys = list(rows.order_by("pk").values_list("pk", flat=True))
    if not keys:
        raise Refused("nothing there")
    return rows.model.objects.get(pk=chance.choice(keys))


def post(chance: random.Random) -> None:
    """More to do, from the same few hospitals and donors."""
    lines = [{"quantity": chance.randint(50, 400)} for _ in range(2)]
    make_appeal(a_facility(chance), lines=lines, published=chance.random() < 0.7)
    make_donation(a_donor(chance), lines=lines, published=chance.random() < 0.7)


def a_facility(chance: random.Random) -> Facility:
    return chance.choice(list(Facility.objects.order_by("pk")))


def a_donor(chance: random.Random) -> Organisation:
    return chance.choice(list(Organisation.objects.filter(kind="donor").order_by("pk")))


def allocate(chance: random.Random) -> None:
    need, offer = a(Need, chance), a(Offer, chance)
    ledger.allocate(need, offer, chance.choice([5, 20, offer.quantity_open or 1]), **SAID)


def change(chance: random.Random) -> None:
    asking.change(a(Need, chance), quantity=chance.randint(50, 400), **SAID)


def change_offer(chance: random.Random) -> None:
    giving.change(a(Offer, chance), quantity=chance.randint(50, 400), **SAID)


def match(_chance: random.Random) -> None:
    run = matching.start(make_emergency(), trigger="hand", by=None, at=NOW)
    for family in running.open_run(run.pk, at=NOW):
        running.solve_family(family.pk, clock=lambda: NOW)


def approve(chance: random.Random) -> None:
    matching.approve(a(Proposal, chance), reason="transport", **by_a_volunteer())


def agree(chance: random.Random) -> None:
    matching.agree_for_donor(a(Proposal, chance, status="approved"), **by_a_volunteer())


def decline(chance: random.Random) -> None:
    matching.decline(a(Proposal, chance), reason="race", **by_a_volunteer())


def by_hand(chance: random.Random) -> None:
    need, offer = a(Need, chance), a(Offer, chance)
    matching.allocate_by_hand(need, offer, 5, reason="transport", **by_a_volunteer())


def by_a_volunteer() -> dict[str, Any]:
    return {"by": User.objects.get(username="volunteer"), "at": NOW}


def split(chance: random.Random) -> None:
    allocation = a(Allocation, chance)
    ledger.split(allocation, max(1, allocation.quantity // 2), **SAID)


def release(chance: random.Random) -> None:
    ledger.release(a(Allocation, chance), reason="race", **SAID)


def release_overdue(chance: random.Random) -> None:
    ledger.release_overdue(at=LATER if chance.random() < 0.3 else NOW)


def put_together(chance: random.Random) -> None:
    first = a(Allocation, chance)
    route = Allocation.objects.reserved().filter(
        offer__donation__organisation=first.offer.donation.organisation_id,
        need__appeal__facility=first.need.appeal.facility_id,
    )
    moving.put_together(list(route.order_by("?")[:4]) or [first], **SAID)


def book(chance: random.Random) -> None:
    shipment = a(Shipment, chance, status="draft")
    moving.book(shipment, carrier=Organisation.objects.get(kind="carrier"), **SAID)


def dispatch(chance: random.Random) -> None:
    moving.dispatch(a(Shipment, chance, status="booked"), **SAID)


def deliver(chance: random.Random) -> None:
    moving.deliver(a(Shipment, chance, status="in_transit"), **SAID)


def pack(chance: random.Random) -> None:
    shipment = a(Shipment, chance, status=chance.choice(["draft", "booked"]))
    for line in shipment.lines.select_related("allocation"):
        contents = [{"line": line, "quantity": max(1, line.allocation.quantity // 2)}]
        packing.pack(shipment, units=[{"kind": "carton", "contents": contents}], **SAID)


def split_shipment(chance: random.Random) -> None:
    shipment = a(Shipment, chance, status=chance.choice(["draft", "booked"]))
    lines = [{"line": line, "quantity": chance.randint(1, 60)} for line in shipment.lines.order_by("?")[:1]]
    rearranging.split(shipment, lines=lines, reason="race", **SAID)


def merge(chance: random.Random) -> None:
    into = a(Shipment, chance, status=chance.choice(["draft", "booked"]))
    route = {"consignor": into.consignor_id, "consignee": into.consignee_id}
    other = Shipment.objects.filter(**route).exclude(pk=into.pk).order_by("?").first()
    if other is not None:
        rearranging.merge(into, other, reason="race", **SAID)


def gather(chance: random.Random) -> None:
    first = a(Shipment, chance, status="booked")
    together = first.consignee.shipments.filter(status="booked", place_on_load=None).order_by("?")[:3]
    loads.gather(
        first.consignee,
        hub_region=first.consignee.region,
        carrier=first.carrier,
        shipments=list(together) or [first],
        **SAID,
    )


def send_a_load(chance: random.Random) -> None:
    load = a(ConsolidatedLoad, chance)
    chance.choice([loads.dispatch, loads.dispatch, loads.arrive, loads.deliver, loads.cancel])(load, **SAID)


def receive(chance: random.Random) -> None:
    shipment = a(Shipment, chance, status="delivered")
    receiving.receive(shipment, counts=counted(shipment, chance), **SAID)


def correct(chance: random.Random) -> None:
    status = chance.choice(["accepted", "partly_accepted", "refused"])
    shipment = one_of(Shipment.objects.filter(status=status), chance)
    receiving.correct(shipment, counts=counted(shipment, chance), because="race", **SAID)


def counted(shipment: Shipment, chance: random.Random) -> list[dict[str, Any]]:
    lines = shipment.lines.select_related("allocation")
    return [{"line": line, "accepted": chance.randint(0, line.allocation.quantity)} for line in lines]


def answer(chance: random.Random) -> None:
    ticket = one_of(DiscrepancyTicket.objects.unsettled(), chance)
    proposed = chance.choice(["credited", "written_off"])
    receiving.answer(ticket, proposed=proposed, **by_a_volunteer())


def settle(chance: random.Random) -> None:
    ticket = one_of(DiscrepancyTicket.objects.unsettled(), chance)
    receiving.settle(ticket, outcome=ticket.proposed or "written_off", **by_a_volunteer())


def reroute(chance: random.Random) -> None:
    shipment = a(Shipment, chance, status="in_transit")
    rerouting.reroute(shipment, to=a_facility(chance), reason="race", **SAID)


def stop_for_a_while(chance: random.Random) -> None:
    facility = a_facility(chance)
    people.pause(facility, reason="race", **SAID)
    people.resume(facility, **SAID)


def of(model: type[models.Model], verb: Callable[..., Any]) -> Callable[[random.Random], None]:
    def do(chance: random.Random) -> None:
        verb(a(model, chance), **SAID)

    return do


OFTEN = [
    allocate,
    match,
    match,
    approve,
    approve,
    agree,
    agree,
    put_together,
    put_together,
    book,
    dispatch,
    deliver,
    receive,
]
SOMETIMES = [
    post,
    change,
    change_offer,
    decline,
    by_hand,
    lambda chance: carry(at=NOW),
    split,
    release,
    pack,
    split_shipment,
    merge,
    gather,
    send_a_load,
    correct,
    answer,
    settle,
    reroute,
    of(Shipment, moving.cancel),
    of(Shipment, moving.send_back),
    of(Shipment, moving.come_back),
    of(Shipment, moving.lose),
    of(Need, asking.confirm),
    of(Appeal, asking.publish),
    of(Donation, giving.publish),
]
SELDOM = [
    post,
    release_overdue,
    stop_for_a_while,
    of(Need, asking.withdraw_need),
    of(Offer, giving.withdraw_offer),
    of(Appeal, asking.withdraw),
    of(Donation, giving.withdraw),
    lambda chance: matching.expire(at=NOW + timedelta(hours=chance.choice([0, 49]))),
    lambda chance: asking.lapse(at=NOW + timedelta(days=chance.choice([0, 0, 11]))),
    lambda chance: giving.lapse(at=NOW),
]


def race(seed: int, verbs: int) -> int:
    """How many verbs were done: so many, unless twenty times as many tries were too few."""
    chance = random.Random(seed)
    print("ready", flush=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")  # the others may take long to start
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [START])
    done = 0
    for _ in range(20 * verbs):
        kind = chance.random()
        verb = chance.choice(OFTEN if kind < 0.65 else SOMETIMES if kind < 0.92 else SELDOM)
        try:
            verb(chance)
            done += 1
        except Refused:
            continue
        if done == verbs:
            break
    return done


if __name__ == "__main__":
    print(race(int(sys.argv[1]), int(sys.argv[2])))
