"""A journey in parts: whoever has a leg to travel sees the shipment, and moves it when it is its turn."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from supplies.errors import MoveRefused, NotEligible, Refused
from supplies.organisations.models import Organisation
from supplies.shipments import legs
from supplies.shipments import services as moving
from supplies.shipments.models import Leg, Shipment
from supplies.shipments.permissions import may_move
from tests.makers import NOW, make_member, make_organisation, make_region, make_shipment

pytestmark = pytest.mark.django_db


def route(*carriers: Organisation, **fields: Any) -> list[dict[str, Any]]:
    """From region to region, a leg for each carrier."""
    regions = [make_region(f"42010{number}") for number in range(2, 3 + len(carriers))]
    return [
        {"from_region": regions[place], "to_region": regions[place + 1], "carrier": carrier, **fields}
        for place, carrier in enumerate(carriers)
    ]


@pytest.fixture
def trucker() -> Organisation:
    return make_organisation("carrier")


@pytest.fixture
def flyer() -> Organisation:
    return make_organisation("carrier")


@pytest.fixture
def shipment(trucker: Organisation, flyer: Organisation) -> Shipment:
    """Booked with the trucker up to the hub, and from there on with the flyer."""
    booked = make_shipment(carrier=trucker, status="booked")
    return legs.plan(booked, legs=route(trucker, flyer), by=None, at=NOW)


def moves(carrier: Organisation, shipment: Shipment) -> bool:
    """Whether its driver sees and may move it."""
    driver = make_member("carrier", carrier)
    found = Shipment.objects.visible_to(driver).filter(pk=shipment.pk).first()
    return found is not None and may_move(driver, found)


def sees(carrier: Organisation, shipment: Shipment) -> bool:
    return Shipment.objects.visible_to(make_member("carrier", carrier)).filter(pk=shipment.pk).exists()


def test_the_carrier_of_a_later_leg_sees_it_from_booking_on_and_does_not_move_it(
    shipment: Shipment, trucker: Organisation, flyer: Organisation
) -> None:
    assert (sees(trucker, shipment), moves(trucker, shipment)) == (True, True)
    assert (sees(flyer, shipment), moves(flyer, shipment)) == (True, False)


def test_at_the_hub_the_next_carrier_takes_over_and_the_first_one_sees_it_no_longer(
    shipment: Shipment, trucker: Organisation, flyer: Organisation
) -> None:
    moving.dispatch(shipment, by=None, at=NOW)

    shipment = legs.reach_hub(shipment, by=None, at=NOW + timedelta(hours=5))

    assert (shipment.status, shipment.carrier) == ("in_transit", flyer)
    assert (sees(trucker, shipment), moves(flyer, shipment)) == (False, True)


def test_a_draft_is_seen_by_no_carrier(flyer: Organisation) -> None:
    draft = legs.plan(make_shipment(), legs=route(flyer), by=None, at=NOW)

    assert not sees(flyer, draft)


def test_a_cancelled_journey_is_seen_by_no_later_carrier(shipment: Shipment, flyer: Organisation) -> None:
    moving.cancel(shipment, by=None, at=NOW)

    assert not sees(flyer, shipment)


def test_every_leg_departs_and_arrives_in_turn(shipment: Shipment) -> None:
    moving.dispatch(shipment, by=None, at=NOW)
    legs.reach_hub(shipment, by=None, at=NOW + timedelta(hours=1))
    legs.leave_hub(shipment, by=None, at=NOW + timedelta(hours=2))
    moving.arrive(shipment, by=None, at=NOW + timedelta(hours=3))
    moving.deliver(shipment, by=None, at=NOW + timedelta(hours=4))

    times = shipment.legs.in_order().values_list("departed_at", "arrived_at")
    assert list(times) == [
        (NOW, NOW + timedelta(hours=1)),
        (NOW + timedelta(hours=2), NOW + timedelta(hours=4)),
    ]
    assert list(shipment.events.order_by("pk").values_list("step", flat=True)) == [
        "departing",
        "arriving",
        "departing",
        "arriving",
        "receiving",
    ]


def numbered(trucker: Organisation, flyer: Organisation, number: str) -> list[dict[str, Any]]:
    """A journey of which the flight has this waybill number."""
    first, second = route(trucker, flyer)
    return [first, {**second, "waybill": number}]


def test_a_number_that_another_shipment_has_is_refused_at_the_leg(
    trucker: Organisation, flyer: Organisation
) -> None:
    moving.book(make_shipment(), carrier=flyer, waybill="AIR 1", by=None, at=NOW)
    shipment = make_shipment()

    with pytest.raises(ValidationError) as refusal:
        legs.plan(shipment, legs=numbered(trucker, flyer, "AIR 1"), by=None, at=NOW)

    assert set(refusal.value.message_dict) == {"legs.1.waybill"}
    assert not shipment.legs.exists()


def test_a_number_that_is_planned_for_a_leg_of_another_is_taken_too(
    trucker: Organisation, flyer: Organisation
) -> None:
    legs.plan(make_shipment(), legs=numbered(trucker, flyer, "AIR 1"), by=None, at=NOW)
    other = make_shipment()

    with pytest.raises(ValidationError):
        legs.plan(other, legs=numbered(trucker, flyer, "AIR 1"), by=None, at=NOW)
    with pytest.raises(Refused) as refusal:
        moving.book(other, carrier=flyer, waybill="AIR 1", by=None, at=NOW)

    assert refusal.value.code == "waybill-taken"


def test_a_carrier_travels_two_legs_of_one_shipment_with_one_number_and_may_plan_anew(
    trucker: Organisation,
) -> None:
    shipment = make_shipment()

    for _time in range(2):
        legs.plan(shipment, legs=route(trucker, trucker, waybill="ROAD 1"), by=None, at=NOW)

    assert list(shipment.legs.values_list("waybill", flat=True)) == ["ROAD 1", "ROAD 1"]


def test_goods_at_a_hub_go_on_though_the_number_of_the_next_leg_was_taken_meanwhile(
    trucker: Organisation, flyer: Organisation
) -> None:
    shipment = make_shipment(carrier=trucker, status="booked")
    legs.plan(shipment, legs=numbered(trucker, flyer, "AIR 1"), by=None, at=NOW)
    moving.dispatch(shipment, by=None, at=NOW)
    # As two that write at once may leave it: each looks before the other has written.
    other = make_shipment(carrier=flyer, status="booked")
    Shipment.objects.filter(pk=other.pk).update(waybill="AIR 1")

    shipment = legs.reach_hub(shipment, by=None, at=NOW)
    legs.leave_hub(shipment, by=None, at=NOW)

    shipment.refresh_from_db()
    assert (shipment.carrier, shipment.waybill) == (flyer, "")
    assert legs.next_of(shipment).waybill == "AIR 1"  # type: ignore[union-attr]


@pytest.mark.parametrize("verb", ["arrive", "deliver"])
def test_a_hub_is_not_passed_over_in_silence(shipment: Shipment, verb: str) -> None:
    moving.dispatch(shipment, by=None, at=NOW)

    with pytest.raises(Refused) as refusal:
        getattr(moving, verb)(shipment, by=None, at=NOW)

    shipment.refresh_from_db()
    assert (refusal.value.code, shipment.status) == ("legs-left", "in_transit")


def test_the_last_leg_ends_at_the_door(shipment: Shipment) -> None:
    moving.dispatch(shipment, by=None, at=NOW)
    legs.reach_hub(shipment, by=None, at=NOW)
    legs.leave_hub(shipment, by=None, at=NOW)

    with pytest.raises(Refused) as refusal:
        legs.reach_hub(shipment, by=None, at=NOW)

    assert refusal.value.code == "last-leg"


def test_a_hub_is_left_after_it_was_reached(shipment: Shipment) -> None:
    moving.dispatch(shipment, by=None, at=NOW)

    with pytest.raises(Refused, match="does not wait"):
        legs.leave_hub(shipment, by=None, at=NOW)
    legs.reach_hub(shipment, by=None, at=NOW)
    with pytest.raises(Refused, match="No leg"):
        legs.reach_hub(shipment, by=None, at=NOW)


def test_a_shipment_without_legs_reaches_no_hub() -> None:
    with pytest.raises(Refused, match="No leg"):
        legs.reach_hub(make_shipment(status="in_transit"), by=None, at=NOW)


def test_a_hub_is_reached_no_earlier_than_the_leg_departed(shipment: Shipment) -> None:
    moving.dispatch(shipment, by=None, at=NOW)

    legs.reach_hub(shipment, by=None, at=NOW - timedelta(minutes=1))

    assert shipment.legs.in_order()[0].arrived_at == NOW


def test_legs_are_planned_anew_and_given_up_before_it_leaves(
    shipment: Shipment, trucker: Organisation, flyer: Organisation
) -> None:
    legs.plan(shipment, legs=route(trucker, flyer, trucker), by=None, at=NOW)
    assert shipment.legs.count() == 3

    legs.plan(shipment, legs=[], by=None, at=NOW)
    assert not shipment.legs.exists()

    moving.dispatch(shipment, by=None, at=NOW)
    with pytest.raises(MoveRefused):
        legs.plan(shipment, legs=route(trucker), by=None, at=NOW)


def test_what_is_booked_with_one_carrier_does_not_begin_with_another(flyer: Organisation) -> None:
    with pytest.raises(NotEligible) as refusal:
        legs.plan(make_shipment(status="booked"), legs=route(flyer), by=None, at=NOW)

    assert refusal.value.code == "not-booked-with"


def test_a_planned_journey_is_booked_with_its_first_carrier(
    trucker: Organisation, flyer: Organisation
) -> None:
    draft = legs.plan(make_shipment(), legs=route(trucker, flyer), by=None, at=NOW)
    with pytest.raises(NotEligible) as refusal:
        moving.book(draft, carrier=flyer, by=None, at=NOW)

    booked = moving.book(draft, carrier=trucker, waybill="T1", by=None, at=NOW)

    assert refusal.value.code == "not-planned-with"
    assert (booked.carrier, booked.legs.in_order()[0].waybill) == (trucker, "T1")


def test_a_leg_begins_where_the_one_before_ends(trucker: Organisation, flyer: Organisation) -> None:
    first, second = route(trucker, flyer)

    with pytest.raises(ValidationError) as refusal:
        legs.plan(make_shipment(), legs=[second, first], by=None, at=NOW)

    assert list(refusal.value.message_dict) == ["legs.1.from_region"]


def test_only_carriers_travel_and_only_forward_in_time(trucker: Organisation) -> None:
    wrong = {
        "legs.0.carrier": route(make_organisation("donor")),
        "legs.0.planned_arrival_at": route(
            trucker, planned_departure_at=NOW, planned_arrival_at=NOW - timedelta(hours=1)
        ),
    }
    for field, planned in wrong.items():
        with pytest.raises(ValidationError) as refusal:
            legs.plan(make_shipment(), legs=planned, by=None, at=NOW)
        assert list(refusal.value.message_dict) == [field]


@pytest.mark.parametrize(
    "wrong",
    [
        {"arrived_at": NOW},
        {"departed_at": NOW, "arrived_at": NOW - timedelta(seconds=1)},
        {"planned_departure_at": NOW, "planned_arrival_at": NOW - timedelta(seconds=1)},
        {"sequence": 2},
    ],
)
def test_the_database_refuses_a_leg_that_makes_no_sense(shipment: Shipment, wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Leg.objects.filter(shipment=shipment, sequence=1).update(**wrong)


def test_the_database_knows_one_leg_under_way(shipment: Shipment) -> None:
    with pytest.raises(IntegrityError, match="leg_under_way_is_one"), transaction.atomic():
        Leg.objects.filter(shipment=shipment).update(departed_at=NOW)
