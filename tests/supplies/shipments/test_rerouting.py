"""Sending goods under way on to another hospital."""

import pytest

from matching.books import faults
from supplies.errors import NotEligible, Refused
from supplies.journal.models import Event
from supplies.organisations import services as people
from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.shipments import rerouting
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_allocation, make_facility, make_item, make_need, make_offer, make_shipment

pytestmark = pytest.mark.django_db
WHY = "The first hospital is full."


def on_its_way(status: str = "in_transit") -> Shipment:
    return make_shipment(
        make_allocation(100, need=make_need(quantity=100), offer=make_offer(quantity=100)), status=status
    )


def send_on(shipment: Shipment, need) -> Shipment:
    return rerouting.reroute(shipment, to=need.appeal.facility, reason=WHY, by=None, at=NOW)


@pytest.mark.parametrize(
    ("status", "column"), [("booked", "quantity_promised"), ("in_transit", "quantity_in_transit")]
)
def test_goods_under_way_go_from_need_to_need_in_one_step(status: str, column: str) -> None:
    shipment, other = on_its_way(status), make_need(quantity=150)
    first = shipment.lines.get().allocation

    shipment = send_on(shipment, other)

    first.refresh_from_db()
    first.need.refresh_from_db()
    other.refresh_from_db()
    now = shipment.lines.get().allocation
    assert (first.status, first.need.lacking, getattr(first.need, column)) == ("rerouted", 100, 0)
    assert (now.need, other.lacking, getattr(other, column)) == (other, 50, 100)
    assert (shipment.consignee, shipment.rerouted_because) == (other.appeal.facility, WHY)
    assert Event.objects.get(kind="shipment.rerouted").facts == {
        "from": str(first.need.appeal.facility_id),
        "to": str(other.appeal.facility_id),
    }
    assert faults(at=NOW) == []


def test_what_was_sent_on_is_counted_where_it_arrives() -> None:
    other = make_need(quantity=100)
    shipment = moving.deliver(send_on(on_its_way(), other), by=None, at=NOW)

    counts = [{"line": shipment.lines.get(), "accepted": 100}]
    receiving.receive(shipment, counts=counts, by=None, at=NOW)

    other.refresh_from_db()
    assert (other.status, other.quantity_received) == ("met", 100)
    assert faults(at=NOW) == []


@pytest.mark.parametrize("lack", ["too few", "another item", "paused", "the same"])
def test_a_hospital_that_cannot_take_everything_is_refused_and_no_candidate(
    lack: str, volunteer: User
) -> None:
    shipment = on_its_way()
    need = {
        "too few": lambda: make_need(quantity=99),
        "another item": lambda: make_need(quantity=500, item=make_item("GOGGLES")),
        "paused": lambda: make_need(quantity=500),
        "the same": lambda: make_need(shipment.consignee, quantity=500, item=make_item("GOWN")),
    }[lack]()
    if lack == "paused":
        people.pause(need.appeal.facility, reason="full", by=None, at=NOW)

    with pytest.raises(NotEligible) as refusal:
        send_on(shipment, need)

    assert refusal.value.code == "not-lacking"
    assert rerouting.candidates(shipment, user=volunteer) == []
    shipment.refresh_from_db()
    assert shipment.lines.get().allocation.status == "shipped"
    assert faults(at=NOW) == []


def test_all_that_is_on_board_goes_there_or_nothing() -> None:
    facility = make_facility()
    masks, gowns = make_item("MASK_SURG"), make_item("GOWN_ISO")
    donor = make_offer().donation.organisation
    promises = [
        make_allocation(
            10,
            need=make_need(facility, item=item, quantity=10),
            offer=make_offer(donor, item=item, quantity=10),
        )
        for item in (masks, gowns)
    ]
    shipment = make_shipment(*promises, status="in_transit")
    only_masks = make_need(item=masks, quantity=10)

    with pytest.raises(NotEligible):
        send_on(shipment, only_masks)

    only_masks.refresh_from_db()
    assert only_masks.quantity_in_transit == 0
    assert faults(at=NOW) == []


def test_candidates_are_the_most_urgent_first_with_what_they_lack(volunteer: User) -> None:
    shipment = on_its_way()
    later, sooner = make_need(quantity=100, urgency=3), make_need(quantity=200, urgency=1)

    found = rerouting.candidates(shipment, user=volunteer)

    assert [one.facility for one in found] == [sooner.appeal.facility, later.appeal.facility]
    assert [one.lacks for one in found] == [[sooner], [later]]


@pytest.mark.parametrize("status", ["draft", "delivered"])
def test_what_is_not_under_way_goes_nowhere_else(status: str, volunteer: User) -> None:
    shipment, other = on_its_way(status), make_need(quantity=100)

    assert rerouting.candidates(shipment, user=volunteer) == []
    with pytest.raises(Refused):
        send_on(shipment, other)

    other.refresh_from_db()
    assert other.lacking == 100


def test_it_says_why() -> None:
    shipment, other = on_its_way(), make_need(quantity=100)

    with pytest.raises(Refused) as refusal:
        rerouting.reroute(shipment, to=other.appeal.facility, reason=" ", by=None, at=NOW)

    assert refusal.value.code == "reason-missing"
