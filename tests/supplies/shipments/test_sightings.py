"""The last sighting is the same for every order in which the same events arrive, and no event moves our status."""

import csv
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from supplies import shipments as shipped
from supplies.shipments import sightings
from supplies.shipments.models import Shipment
from supplies.shipments.tracking import (
    COURSE,
    LAST_FIRST,
    ORDERS,
    SightingStatus,
    Step,
    TrackingCode,
    TrackingEvent,
    last_sighting,
    sighting_status,
)
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
MEANINGS = {"a": "picked_up", "b": "in_transit", "c": "arrived_destination", "d": "arrived_destination"}
MEANINGS |= {"e": "arrived_destination", "f": "customs"}  # nobody knows "g"
LAST, MEANS = (
    "d",
    "arrived_destination",
)  # of the latest instant the latest step, and of those the sender's greatest id
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


def known(position: int) -> TrackingEvent:
    """As it is recorded: with what its code means."""
    event = JOURNEY[position]
    return TrackingEvent(**event, status=MEANINGS.get(event["code"], ""))


def word(shipment: Shipment) -> tuple[str, str, Any]:
    shipment.refresh_from_db()
    return shipment.sighting_code, shipment.sighting_status, shipment.sighted_at


@pytest.fixture
def _vocabulary() -> None:
    for code, status in MEANINGS.items():
        TrackingCode.objects.create(vocabulary="演练", code=code, label=code.upper(), status=status)


def arrive(shipment: Shipment, order: Sequence[int]) -> None:
    for position in order:
        sightings.report(shipment, by=None, at=LATER, **JOURNEY[position])


def test_every_step_has_its_place_in_the_course() -> None:
    assert sorted(COURSE) == sorted(Step.values)


@examples(1000)
@given(arrivals)
def test_a_thousand_orders_with_duplicates_have_one_last_sighting(order: list[int]) -> None:
    events = [known(position) for position in order]

    seen = last_sighting(events)

    assert seen is not None
    assert (seen.code, sighting_status(events)) == (LAST, MEANS)


def test_the_control_by_instant_and_arrival_alone_the_same_events_have_two_answers() -> None:
    told = {
        max(enumerate(order), key=lambda came: (JOURNEY[came[1]]["occurred_at"], came[0]))[1]
        for order in ([3, 4], [4, 3])
    }

    assert told == {3, 4}


@pytest.mark.usefixtures("_vocabulary")
@examples(8)
@given(arrivals)
@example([6, 5, 4, 3, 2, 1, 0, 0])
def test_reports_in_any_order_leave_the_same_word(order: list[int]) -> None:
    shipment = make_shipment(status="in_transit")

    arrive(shipment, order)

    assert word(shipment) == (LAST, MEANS, NOW + timedelta(hours=7))
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


def test_a_code_that_nobody_knows_is_the_last_word_and_changes_nothing_it_means() -> None:
    shipment = make_shipment(status="in_transit")
    TrackingCode.objects.create(vocabulary="演练", code="a", label="A", status="picked_up")

    arrive(shipment, [0])
    sightings.report(shipment, by=None, at=LATER, **event(9, "other", "no-such"))

    assert word(shipment) == ("no-such", "picked_up", NOW + timedelta(hours=9))
    assert [seen.flags for seen in shipment.events.filter(code="no-such")] == [["unknown-code"]]


def test_the_database_orders_events_as_the_fold_does() -> None:
    shipment = make_shipment(status="in_transit")
    stamps = [NOW, NOW + timedelta(hours=1)]
    rows = [
        TrackingEvent(
            shipment=shipment,
            recorded_at=NOW,
            occurred_at=at,
            step=step,
            status=status,
            external_id=name,
            code="x",
        )
        for at in stamps
        for step in ("other", "holding", "accepting")
        for status in ("", *SightingStatus.values[::4])
        for name in ("a", "B", "é", "演", "_", "10", "9")
    ]
    for number, row in enumerate(rows):
        row.external_id += f"/{number}"
    TrackingEvent.objects.bulk_create(rows)

    by_database = list(
        TrackingEvent.objects.raw(f"SELECT * FROM supplies_trackingevent ORDER BY {LAST_FIRST}", ORDERS)
    )

    assert by_database == sorted(by_database, key=lambda seen: seen.place_in_order, reverse=True)


@pytest.mark.parametrize("days", [-367, -20_000, 7])
def test_a_time_nobody_can_have_seen_it_at_is_refused(days: int) -> None:
    shipment = make_shipment(status="in_transit")

    with pytest.raises(ValidationError, match="When was it seen"):
        sightings.report(shipment, by=None, at=NOW, **event(24 * days, "holding", "x"))


def test_every_word_of_the_vocabularies_means_something_we_know() -> None:
    file = Path(shipped.__file__).parent / "reference" / "tracking_codes.csv"
    rows = list(csv.DictReader(file.open(encoding="utf-8")))

    assert {row["status"] for row in rows} <= set(SightingStatus.values)
    assert set(sightings.STEP_OF) == set(SightingStatus) - {SightingStatus.NOT_FOUND, SightingStatus.EXPIRED}
    generic = {row["code"] for row in rows if row["vocabulary"] == "generic"}
    assert generic == {*SightingStatus.values, *Step.values} - {"other"}
