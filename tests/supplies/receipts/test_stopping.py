"""Stop sending: what is proposed, what is promised and what is on its way when a hospital takes nothing any more."""

import pytest

from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.errors import NotEligible, Refused
from supplies.journal.services import dispatch
from supplies.notices.sending import tell
from supplies.organisations import services as people
from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.shipments import services as moving
from tests.makers import NOW, make_allocation, make_member, make_shipment, with_address

pytestmark = pytest.mark.django_db


def test_what_is_reserved_for_it_is_kept_or_released_for_a_reason(volunteer: User) -> None:
    kept, released = make_allocation(10), make_allocation(10)
    with pytest.raises(NotEligible):
        ledger.keep(kept, reason="They open on Monday.", by=volunteer, at=NOW)
    for promise in (kept, released):
        people.pause(promise.need.appeal.facility, reason="full", by=None, at=NOW)
    assert set(Allocation.objects.to_decide()) == {kept, released}

    with pytest.raises(Refused):
        ledger.keep(kept, reason=" ", by=volunteer, at=NOW)
    ledger.keep(kept, reason="They open on Monday.", by=volunteer, at=NOW)
    ledger.release(released, reason="They are full.", by=volunteer, at=NOW)

    assert not Allocation.objects.to_decide().exists()
    kept.refresh_from_db()
    assert (kept.status, kept.kept_because) == ("reserved", "They open on Monday.")


def test_taking_goods_again_undoes_nothing_silently(volunteer: User) -> None:
    kept, released = make_allocation(10), make_allocation(10)
    for promise in (kept, released):
        people.pause(promise.need.appeal.facility, reason="full", by=None, at=NOW)
    ledger.keep(kept, reason="They open on Monday.", by=volunteer, at=NOW)
    ledger.release(released, reason="They are full.", by=volunteer, at=NOW)

    for promise in (kept, released):
        people.resume(promise.need.appeal.facility, by=None, at=NOW)

    kept.refresh_from_db()
    released.refresh_from_db()
    assert (kept.status, released.status) == ("reserved", "released")


def test_the_sender_and_the_carrier_of_what_is_on_its_way_are_warned(mailoutbox) -> None:
    shipment = make_shipment(status="in_transit")
    other = make_shipment(status="in_transit")
    readers = [make_member("donor", shipment.consignor), make_member("carrier", shipment.carrier)]
    others = make_member("donor", other.consignor)
    dispatch(at=NOW)  # what was before they had an address is not told by mail
    for reader in (*readers, others):
        with_address(reader)

    people.pause(shipment.consignee, reason="full", by=None, at=NOW)
    dispatch(at=NOW)
    tell(at=NOW)

    assert sorted(letter.to[0] for letter in mailoutbox) == sorted(reader.email for reader in readers)


def test_what_is_on_its_way_may_still_be_delivered_and_counted() -> None:
    shipment = make_shipment(status="in_transit")
    people.pause(shipment.consignee, reason="full", by=None, at=NOW)

    shipment = moving.deliver(shipment, by=None, at=NOW)
    counts = [{"line": shipment.lines.get(), "refused": 100, "refusal": "no_room"}]
    receiving.receive(shipment, counts=counts, by=None, at=NOW)

    shipment.refresh_from_db()
    assert shipment.status == "refused"
