"""The last sighting is the same for every order in which the same events arrive, and no event moves our status."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from supplies.shipments import sightings
from supplies.shipments.models import COURSE, Shipment, Step, TrackingEvent, last_sighting
from tests.makers import NOW, make_shipment

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=9)
FINAL = ["accepted", "partly_accepted", "refused", "returned", "lost"]


def event(hours: int, step: str, code: str, sender_s_id: str = "") -> dict[str, Any]:
    return {
        "occurred_at": NOW + timedelta(hours=hours),
        "step": step,
        "vocabulary": "演练",
        "code": code,
        "label": code.upper(),
        "external_id": sender_s_id,
    }


# Two at one instant, two at one instant in one step, one before the departure, one after the delivery.
JOURNEY = [
    event(-5, "loading", "a", "1"),
    event(2, "transporting", "b", "2"),
    event(2, "arriving", "c", "0"),
    event(7, "arriving", "d", "9"),
    event(7, "arriving", "e", "10"),
    event(7, "holding", "f", "99"),
    event(7, "transporting", "g"),
]
LAST = "d"  # of the latest instant the latest step, and of those the sender's greatest id
arrivals = st.tuples(
    st.permutations(range(len(JOURNEY))), st.lists(st.integers(0, len(JOURNEY) - 1), max_size=6)
).map(lambda both: [*both[0], *both[1]])


def examples(number: int) -> settings:
    return settings(
        max_examples=number,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )


def word(shipment: Shipment) -> tuple[str, Any]:
    shipment.refresh_from_db()
    return shipment.sighting_code, shipment.sighted_at


def arrive(shipment: Shipment, order: Sequence[int]) -> None:
    for position in order:
        sightings.report(shipment, by=None, at=LATER, **JOURNEY[position])


def test_every_step_has_its_place_in_the_course() -> None:
    assert sorted(COURSE) == sorted(Step.values)


@examples(1000)
@given(arrivals)
def test_a_thousand_orders_with_duplicates_have_one_last_sighting(order: list[int]) -> None:
    seen = last_sighting(TrackingEvent(**JOURNEY[position]) for position in order)

    assert seen is not None
    assert seen.code == LAST


def test_the_control_by_instant_and_arrival_alone_the_same_events_have_two_answers() -> None:
    told = {
        max(enumerate(order), key=lambda came: (JOURNEY[came[1]]["occurred_at"], came[0]))[1]
        for order in ([3, 4], [4, 3])
    }

    assert told == {3, 4}


@examples(8)
@given(arrivals)
@example([6, 5, 4, 3, 2, 1, 0, 0])
def test_reports_in_any_order_leave_the_same_word(order: list[int]) -> None:
    shipment = make_shipment(status="in_transit")

    arrive(shipment, order)

    assert word(shipment) == (LAST, NOW + timedelta(hours=7))
    named = [position for position in order if JOURNEY[position]["external_id"]]
    assert shipment.events.exclude(external_id="").count() == len(set(named))


@pytest.mark.parametrize("status", ["in_transit", "delivered", *FINAL])
def test_no_event_moves_our_status_least_of_all_a_final_one(status: str) -> None:
    shipment = make_shipment(status="in_transit")
    Shipment.objects.filter(pk=shipment.pk).update(status=status)

    for step in Step.values:
        sightings.report(shipment, by=None, at=LATER, **event(8, step, "x", step))

    shipment.refresh_from_db()
    assert shipment.status == status
    assert shipment.events.filter(code="x").count() == len(Step.values)
