from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from supplies.errors import MoveRefused, NotEligible, Refused
from supplies.shipments import services as moving
from supplies.shipments import sightings
from supplies.shipments.models import Shipment
from supplies.shipments.tracking import TrackingCode
from tests.makers import (
    NOW,
    make_allocation,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_shipment,
)

pytestmark = pytest.mark.django_db


def test_departing_turns_promised_into_in_transit() -> None:
    need = make_need(quantity=100)

    make_shipment(make_allocation(100, need=need), status="in_transit")

    need.refresh_from_db()
    assert (need.quantity_promised, need.quantity_in_transit, need.quantity_received) == (0, 100, 0)


def test_a_cancelled_shipment_leaves_the_promise_for_another() -> None:
    allocation = make_allocation(100)
    moving.cancel(make_shipment(allocation, status="booked"), by=None, at=NOW)

    allocation.refresh_from_db()
    assert allocation.status == "reserved"
    assert make_shipment(allocation, status="booked").status == "booked"


def test_a_lost_shipment_opens_the_need_and_not_the_offer() -> None:
    need, offer = make_need(quantity=100), make_offer(quantity=100)
    moving.lose(
        make_shipment(make_allocation(100, need=need, offer=offer), status="in_transit"), by=None, at=NOW
    )

    need.refresh_from_db()
    offer.refresh_from_db()
    assert (need.quantity_outstanding, offer.quantity_open, offer.status) == (100, 0, "spent")


def test_a_returned_shipment_frees_both_sides() -> None:
    need, offer = make_need(quantity=100), make_offer(quantity=100)
    shipment = make_shipment(make_allocation(100, need=need, offer=offer), status="in_transit")

    moving.come_back(moving.send_back(shipment, by=None, at=NOW), by=None, at=NOW)

    need.refresh_from_db()
    offer.refresh_from_db()
    assert (need.quantity_outstanding, offer.quantity_open, offer.status) == (100, 100, "open")


def test_a_load_goes_from_one_donor_to_one_facility() -> None:
    with pytest.raises(NotEligible) as refusal:
        moving.put_together([make_allocation(10), make_allocation(10)], by=None, at=NOW)

    assert refusal.value.code == "mixed-load"


def test_an_allocation_is_on_one_shipment_only() -> None:
    allocation = make_allocation(10)
    make_shipment(allocation)

    with pytest.raises(NotEligible):
        make_shipment(allocation)


def test_only_a_carrier_carries() -> None:
    with pytest.raises(NotEligible):
        moving.book(make_shipment(), carrier=make_organisation("donor"), by=None, at=NOW)


def test_a_waybill_number_is_used_once_by_a_carrier() -> None:
    carrier = make_organisation("carrier")
    moving.book(make_shipment(), carrier=carrier, waybill="SF1", by=None, at=NOW)

    with pytest.raises(Refused) as refusal:
        moving.book(make_shipment(), carrier=carrier, waybill="SF1", by=None, at=NOW)

    assert refusal.value.code == "waybill-taken"


def test_a_cancelled_shipment_is_not_dispatched() -> None:
    shipment = moving.cancel(make_shipment(status="booked"), by=None, at=NOW)

    with pytest.raises(MoveRefused):
        moving.dispatch(shipment, by=None, at=NOW)


def test_the_same_event_is_written_once_and_the_last_word_is_the_latest() -> None:
    TrackingCode.objects.create(vocabulary="kuaidi100", code="5", label="派件", status="out_for_delivery")
    shipment = make_shipment(status="in_transit")

    def report(hours: int, code: str, external_id: str) -> None:
        sightings.report(
            shipment,
            occurred_at=NOW + timedelta(hours=hours),
            at=NOW + timedelta(hours=9),
            step="transporting",
            vocabulary="kuaidi100",
            code=code,
            external_id=external_id,
            by=None,
        )

    report(5, "5", "b")
    report(2, "0", "a")
    report(5, "5", "b")

    shipment.refresh_from_db()
    assert (shipment.sighting_code, shipment.sighting_label, shipment.sighted_at) == (
        "5",
        "派件",
        NOW + timedelta(hours=5),
    )
    assert shipment.events.exclude(external_id="").count() == 2


def test_an_event_from_the_future_is_refused() -> None:
    with pytest.raises(ValidationError, match="future"):
        sightings.report(
            make_shipment(status="in_transit"),
            occurred_at=NOW + timedelta(days=1),
            step="arriving",
            by=None,
            at=NOW,
        )


def test_a_carrier_sees_its_own_shipments_only() -> None:
    mine, other = make_organisation("carrier"), make_organisation("carrier")
    shipment = make_shipment(carrier=mine, status="booked")
    make_shipment(carrier=other, status="booked")

    assert list(Shipment.objects.visible_to(make_member("carrier", mine))) == [shipment]
