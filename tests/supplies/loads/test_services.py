"""Shipments of several donors that travel to one hospital together: all of them, or none."""

from datetime import timedelta
from typing import Any

import pytest

from supplies.errors import MoveRefused, NotEligible, Refused
from supplies.lifecycle import Lifecycle
from supplies.loads import services as loads
from supplies.loads.models import LOAD_LIFECYCLE, ConsolidatedLoad, LoadStatus
from supplies.organisations.models import Facility, Organisation
from supplies.receipts import services as receiving
from supplies.shipments import legs, rearranging, rerouting
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.makers import (
    NOW,
    make_allocation,
    make_facility,
    make_load,
    make_member,
    make_need,
    make_organisation,
    make_region,
    make_shipment,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def hospital() -> Facility:
    return make_facility()


@pytest.fixture
def trunk() -> Organisation:
    """The carrier from the hub on."""
    return make_organisation("carrier")


def from_a_donor(hospital: Facility, carrier: Organisation | None = None, status: str = "booked") -> Shipment:
    return make_shipment(make_allocation(need=make_need(hospital)), carrier=carrier, status=status)


def gather(hospital: Facility, trunk: Organisation, *shipments: Shipment) -> ConsolidatedLoad:
    return loads.gather(
        hospital, hub_region=make_region(), carrier=trunk, shipments=shipments, by=None, at=NOW
    )


def statuses(*shipments: Shipment) -> list[str]:
    for shipment in shipments:
        shipment.refresh_from_db()
    return [shipment.status for shipment in shipments]


def test_several_donors_shipments_leave_arrive_and_are_delivered_as_one(
    hospital: Facility, trunk: Organisation
) -> None:
    at_hub = from_a_donor(hospital, trunk)
    brought = from_a_donor(hospital, status="in_transit")
    load = gather(hospital, trunk, at_hub, brought)
    legs.reach_hub(brought, by=None, at=NOW)

    seen = []
    for verb in (loads.dispatch, loads.arrive, loads.deliver):
        load = verb(load, by=None, at=NOW)
        seen.append((load.status, *statuses(at_hub, brought)))

    assert seen == [(status,) * 3 for status in ("in_transit", "at_the_door", "delivered")]
    assert at_hub.delivered_at == brought.delivered_at == load.delivered_at
    assert [shipment.carrier for shipment in (at_hub, brought)] == [trunk, trunk]


def test_each_donor_s_shipment_is_counted_by_itself(hospital: Facility, trunk: Organisation) -> None:
    one, other = from_a_donor(hospital, trunk), from_a_donor(hospital, trunk)
    load = loads.dispatch(gather(hospital, trunk, one, other), by=None, at=NOW)
    loads.deliver(load, by=None, at=NOW)

    receiving.receive(one, counts=[{"line": one.lines.get(), "accepted": 100}], by=None, at=NOW)

    assert statuses(one, other) == ["accepted", "delivered"]


def test_nothing_leaves_while_a_shipment_has_not_reached_the_hub(
    hospital: Facility, trunk: Organisation
) -> None:
    at_hub, late = from_a_donor(hospital, trunk), from_a_donor(hospital, status="in_transit")
    load = gather(hospital, trunk, at_hub, late)

    with pytest.raises(Refused) as refusal:
        loads.dispatch(load, by=None, at=NOW)

    load.refresh_from_db()
    assert (refusal.value.code, load.status) == ("not-at-hub", "planned")
    assert statuses(at_hub, late) == ["booked", "in_transit"]


def test_what_was_brought_to_the_hub_becomes_a_leg_of_its_own(
    hospital: Facility, trunk: Organisation
) -> None:
    feeder = make_organisation("carrier")
    brought = from_a_donor(hospital, feeder, status="in_transit")

    gather(hospital, trunk, brought)

    found = brought.legs.in_order().values_list("carrier", "departed_at", "is_shared")
    assert list(found) == [(feeder.pk, NOW, False), (trunk.pk, None, True)]


def test_the_carrier_of_the_load_sees_what_will_be_on_it(hospital: Facility, trunk: Organisation) -> None:
    brought = from_a_donor(hospital, status="in_transit")
    driver = make_member("carrier", trunk)
    assert not Shipment.objects.visible_to(driver).exists()

    load = gather(hospital, trunk, brought)

    assert Shipment.objects.visible_to(driver).get() == brought
    assert ConsolidatedLoad.objects.visible_to(driver).get() == load


def test_a_donor_does_not_see_what_else_is_on_the_load(hospital: Facility, trunk: Organisation) -> None:
    shipment = from_a_donor(hospital, trunk)
    gather(hospital, trunk, shipment)

    donor = make_member("donor", shipment.consignor)
    assert not ConsolidatedLoad.objects.visible_to(donor).exists()


def test_a_load_goes_to_one_facility(hospital: Facility, trunk: Organisation) -> None:
    with pytest.raises(NotEligible) as refusal:
        gather(hospital, trunk, from_a_donor(make_facility(), trunk))

    assert refusal.value.code == "other-consignee"


def test_a_shipment_is_on_one_load(hospital: Facility, trunk: Organisation) -> None:
    shipment = from_a_donor(hospital, trunk)
    gather(hospital, trunk, shipment)

    with pytest.raises(NotEligible) as refusal:
        gather(hospital, trunk, shipment)

    assert refusal.value.code == "on-a-load"


@pytest.mark.parametrize("status", ["draft", "delivered"])
def test_what_is_not_on_its_way_joins_no_load(hospital: Facility, trunk: Organisation, status: str) -> None:
    with pytest.raises(NotEligible):
        gather(hospital, trunk, from_a_donor(hospital, status=status))

    assert not ConsolidatedLoad.objects.exists()


def test_legs_that_end_elsewhere_lead_to_no_hub(hospital: Facility, trunk: Organisation) -> None:
    shipment = from_a_donor(hospital)
    elsewhere = make_region("420107")
    leg = {"from_region": elsewhere, "to_region": elsewhere, "carrier": shipment.carrier}
    legs.plan(shipment, legs=[leg], by=None, at=NOW)

    with pytest.raises(NotEligible) as refusal:
        gather(hospital, trunk, shipment)

    assert refusal.value.code == "other-hub"


def test_what_is_taken_off_travels_by_itself_and_may_join_another(
    hospital: Facility, trunk: Organisation
) -> None:
    one, other = from_a_donor(hospital, trunk), from_a_donor(hospital, trunk)
    load = gather(hospital, trunk, one, other)

    loads.remove(load, shipments=[one], by=None, at=NOW)
    gather(hospital, trunk, one)
    loads.dispatch(load, by=None, at=NOW)

    assert statuses(one, other) == ["booked", "in_transit"]


def test_what_is_not_on_it_is_not_taken_off(hospital: Facility, trunk: Organisation) -> None:
    load = gather(hospital, trunk, from_a_donor(hospital, trunk))

    with pytest.raises(NotEligible) as refusal:
        loads.remove(load, shipments=[from_a_donor(hospital, trunk)], by=None, at=NOW)

    assert refusal.value.code == "not-on-it"


def test_what_is_on_it_is_changed_only_before_it_leaves(hospital: Facility, trunk: Organisation) -> None:
    shipment = from_a_donor(hospital, trunk)
    load = loads.dispatch(gather(hospital, trunk, shipment), by=None, at=NOW)

    for verb, what in ((loads.add, from_a_donor(hospital, trunk)), (loads.remove, shipment)):
        with pytest.raises(Refused, match="before it leaves"):
            verb(load, shipments=[what], by=None, at=NOW)


def test_an_empty_load_does_not_leave(hospital: Facility, trunk: Organisation) -> None:
    shipment = from_a_donor(hospital, trunk)
    load = gather(hospital, trunk, shipment)
    moving.cancel(shipment, by=None, at=NOW)

    with pytest.raises(Refused) as refusal:
        loads.dispatch(load, by=None, at=NOW)

    assert refusal.value.code == "empty-load"


def test_a_load_that_is_called_off_lets_its_shipments_go(hospital: Facility, trunk: Organisation) -> None:
    shipment = from_a_donor(hospital, trunk)

    loads.cancel(gather(hospital, trunk, shipment), by=None, at=NOW)

    assert not shipment.legs.exists()
    assert gather(hospital, trunk, shipment).places.count() == 1


def test_what_was_lost_on_the_way_is_not_delivered_with_the_others(
    hospital: Facility, trunk: Organisation
) -> None:
    one, lost = from_a_donor(hospital, trunk), from_a_donor(hospital, trunk)
    load = loads.dispatch(gather(hospital, trunk, one, lost), by=None, at=NOW)
    moving.lose(lost, by=None, at=NOW)

    loads.deliver(load, by=None, at=NOW)

    assert statuses(one, lost) == ["delivered", "lost"]


def test_what_was_sent_on_to_another_hospital_is_not_delivered_with_the_others(
    hospital: Facility, trunk: Organisation
) -> None:
    one, other = from_a_donor(hospital, trunk), from_a_donor(hospital, trunk)
    load = loads.dispatch(gather(hospital, trunk, one, other), by=None, at=NOW)
    rerouting.reroute(other, to=make_need().appeal.facility, reason="x", by=None, at=NOW)

    loads.deliver(load, by=None, at=NOW)

    assert statuses(one, other) == ["delivered", "in_transit"]


def scanned(hospital: Facility, trunk: Organisation, how: str) -> Shipment:
    """A shipment on the load of the test, which a driver's scan sends off from the hub before the load leaves."""
    if how == "begins there":
        return from_a_donor(hospital, trunk)
    return from_a_donor(hospital, status="in_transit")


def send_off_by_scan(shipment: Shipment, how: str) -> None:
    if how == "begins there":
        moving.dispatch(shipment, by=None, at=NOW)
    else:
        legs.reach_hub(shipment, by=None, at=NOW)
        legs.leave_hub(shipment, by=None, at=NOW)


@pytest.mark.parametrize("how", ["begins there", "was brought"])
def test_a_load_leaves_though_a_scan_has_sent_one_of_its_shipments_off_already(
    hospital: Facility, trunk: Organisation, how: str
) -> None:
    other, scan = from_a_donor(hospital, trunk), scanned(hospital, trunk, how)
    load = gather(hospital, trunk, other, scan)
    send_off_by_scan(scan, how)

    loads.dispatch(load, by=None, at=NOW + timedelta(hours=1))

    assert statuses(other, scan) == ["in_transit", "in_transit"]
    departed = [row.legs.in_order().last().departed_at for row in (other, scan)]  # type: ignore[union-attr]
    assert departed == [NOW + timedelta(hours=1), NOW]


def test_a_load_leaves_though_one_was_even_delivered_by_scan(hospital: Facility, trunk: Organisation) -> None:
    other, scan = from_a_donor(hospital, trunk), from_a_donor(hospital, trunk)
    load = gather(hospital, trunk, other, scan)
    send_off_by_scan(scan, "begins there")
    moving.deliver(scan, by=None, at=NOW)

    load = loads.deliver(loads.dispatch(load, by=None, at=NOW), by=None, at=NOW)

    assert statuses(other, scan) == ["delivered", "delivered"]


@pytest.mark.parametrize("verb", ["cancel", "remove"])
@pytest.mark.parametrize("how", ["begins there", "was brought"])
def test_what_a_scan_sent_off_stays_written_down_when_it_is_off_the_load(
    hospital: Facility, trunk: Organisation, how: str, verb: str
) -> None:
    shipment = scanned(hospital, trunk, how)
    load = gather(hospital, trunk, shipment)
    send_off_by_scan(shipment, how)
    before = list(shipment.legs.in_order().values_list("carrier", "departed_at"))

    if verb == "cancel":
        loads.cancel(load, by=None, at=NOW)
    else:
        loads.remove(load, shipments=[shipment], by=None, at=NOW)

    assert list(shipment.legs.in_order().values_list("carrier", "departed_at")) == before
    assert not shipment.legs.filter(is_shared=True).exists()
    assert moving.deliver(shipment, by=None, at=NOW).status == "delivered"


@pytest.mark.parametrize(
    "change",
    [
        lambda shipment: legs.plan(shipment, legs=[], by=None, at=NOW),
        lambda shipment: rearranging.reassign(
            shipment, carrier=make_organisation("carrier"), reason="x", by=None, at=NOW
        ),
        lambda shipment: rerouting.reroute(
            shipment, to=make_need().appeal.facility, reason="x", by=None, at=NOW
        ),
    ],
    ids=["plan", "reassign", "reroute"],
)
def test_the_leg_of_a_load_is_changed_through_the_load(change: Any) -> None:
    load = make_load()

    with pytest.raises(Refused) as refusal:
        change(load.places.get().shipment)

    assert refusal.value.code == "on-a-load"


MOVES = {"dispatch": "in_transit", "arrive": "at_the_door", "deliver": "delivered", "cancel": "cancelled"}


@pytest.mark.parametrize("status", LoadStatus.values)
@pytest.mark.parametrize("verb", MOVES)
def test_a_load_moves_along_its_lifecycle_only(verb: str, status: str) -> None:
    load = make_load()
    way = {"planned": [], "in_transit": ["dispatch"], "at_the_door": ["dispatch", "arrive"]}
    way |= {"delivered": ["dispatch", "deliver"], "cancelled": ["cancel"]}
    for step in way[status]:
        load = getattr(loads, step)(load, by=None, at=NOW)

    if LOAD_LIFECYCLE.allows(status, MOVES[verb]):
        assert getattr(loads, verb)(load, by=None, at=NOW).status == MOVES[verb]
    else:
        with pytest.raises(MoveRefused):
            getattr(loads, verb)(load, by=None, at=NOW)


def test_the_lifecycle_has_a_line_for_every_status() -> None:
    assert isinstance(LOAD_LIFECYCLE, Lifecycle)
    assert set(LOAD_LIFECYCLE.moves) == set(LoadStatus.values)
