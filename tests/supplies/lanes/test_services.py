"""How long goods took from province to province, and what that tells of the next journey."""

from datetime import timedelta

import pytest

from supplies.lanes.models import Lane
from supplies.lanes.services import lane_of, observe, province_of
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_mode, make_region, make_shipment

pytestmark = pytest.mark.django_db


@pytest.fixture
def shipment() -> Shipment:
    return make_shipment(status="in_transit")


def travelled(like: Shipment, *days: int, **fields: object) -> None:
    """Journeys the same way, each delivered today after so many days."""
    for each in days:
        Shipment.objects.create(
            consignor=like.consignor,
            consignee=like.consignee,
            carrier=like.carrier,
            status="delivered",
            created_at=NOW,
            departed_at=NOW - timedelta(days=each),
            delivered_at=NOW,
            **fields,
        )


# Days of past journeys, and what is said of the next: journeys, from, middle, to.
CASES = {
    "nothing travelled": ((), None),
    "too few to say anything": ((2, 3, 4, 5), None),
    "the fewest that say something": ((2, 3, 4, 5, 6), (5, 2, 4, 6)),
    "all the same": ((3,) * 6, (6, 3, 3, 3)),
    "on the day it left": ((0,) * 5, (5, 0, 0, 0)),
    "one that took long is one of ten": ((2, 2, 2, 3, 3, 3, 3, 4, 4, 30), (10, 2, 3, 4)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_past_journeys_tell_of_the_next(name: str, shipment: Shipment) -> None:
    days, told = CASES[name]
    travelled(shipment, *days)

    observe(at=NOW)

    lane = lane_of(shipment)
    assert (lane and (lane.journeys, lane.fast_days, lane.median_days, lane.slow_days)) == told


def test_its_own_way_of_travelling_comes_before_all_ways_together(shipment: Shipment) -> None:
    by_air, by_rail = make_mode("air"), make_mode("rail")
    travelled(shipment, *(1,) * 5, mode=by_air)
    travelled(shipment, *(9,) * 4, mode=by_rail)
    observe(at=NOW)

    shipment.mode = by_air
    assert lane_of(shipment).median_days == 1  # type: ignore[union-attr]
    shipment.mode = by_rail  # four journeys: too few, so all nine speak
    assert lane_of(shipment).journeys == 9  # type: ignore[union-attr]


def test_old_journeys_those_sent_elsewhere_and_those_still_under_way_do_not_count(shipment: Shipment) -> None:
    travelled(shipment, *(2,) * 5)
    travelled(shipment, 8, rerouted_because="full")
    Shipment.objects.filter(status="delivered", departed_at=NOW - timedelta(days=2)).update(
        delivered_at=NOW - timedelta(days=366), departed_at=NOW - timedelta(days=368)
    )

    assert observe(at=NOW) == 0
    assert lane_of(shipment) is None


def test_lanes_are_counted_anew_each_time_and_those_of_old_go(shipment: Shipment) -> None:
    travelled(shipment, *(2,) * 5)
    observe(at=NOW)
    first = Lane.objects.get()

    observe(at=NOW + timedelta(days=1))
    assert Lane.objects.get().pk == first.pk
    observe(at=NOW + timedelta(days=400))
    assert not Lane.objects.exists()


def test_a_lane_joins_provinces() -> None:
    district = make_region("420106")

    assert province_of(district) == "420000"
    assert province_of(make_region("420000")) == "420000"
    assert province_of(make_region("CN")) == "CN"
