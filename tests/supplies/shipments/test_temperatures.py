"""What loggers tell: whatever is told in whatever order, the alarm is the one that a plain loop gives."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supplies.shipments.models import Shipment
from supplies.shipments.sightings import Word, report_all
from supplies.shipments.temperatures import exposures
from supplies.shipments.tracking import TrackingEvent
from tests.api_client import Speaker
from tests.makers import NOW, make_member, make_organisation, make_shipment
from tests.supplies.carriers.telling import carried_by, event

pytestmark = pytest.mark.django_db
Reading = tuple[int, int, str]  # minutes after the departure, tenths of a degree, logger


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def kept(least: int | None, most: int | None) -> Shipment:
    shipment = make_shipment(status="in_transit")
    Shipment.objects.filter(pk=shipment.pk).update(min_temp_c=least, max_temp_c=most)
    return Shipment.objects.get(pk=shipment.pk)


def when(minutes: int) -> datetime:
    return NOW - timedelta(days=2) + timedelta(minutes=minutes)


def tell(shipment: Shipment, readings: list[Reading]) -> None:
    words = [
        (
            shipment.pk,
            Word(when(minutes), step="transporting", temperature_c=Decimal(tenths) / 10, logger=logger),
        )
        for minutes, tenths, logger in readings
    ]
    report_all(words, by=None, at=NOW)


def looped(least: int | None, most: int | None, readings: list[Reading]) -> tuple[Any, ...]:
    """The same by hand: coldest, warmest, minutes outside, minute of the first reading outside."""

    def is_outside(tenths: int) -> bool:
        return (least is not None and tenths < least * 10) or (most is not None and tenths > most * 10)

    worst = 0
    for logger in {name for _minutes, _tenths, name in readings}:
        told = sorted((minutes, tenths) for minutes, tenths, name in readings if name == logger)
        worst = max(worst, sum(b[0] - a[0] for a, b in pairwise(told) if is_outside(a[1])))
    outside = [minutes for minutes, tenths, _name in readings if is_outside(tenths)]
    degrees = [Decimal(tenths) / 10 for _minutes, tenths, _name in readings]
    return min(degrees), max(degrees), worst, min(outside, default=None)


limit = st.none() | st.integers(0, 10)
reading = st.tuples(st.integers(0, 2000), st.integers(-50, 150), st.sampled_from(["", "A", "B"]))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(least=limit, most=limit, readings=st.lists(reading, min_size=1, max_size=25), cut=st.integers(0, 25))
def test_any_sequence_of_readings_gives_the_alarm_of_a_plain_loop(
    least: int | None, most: int | None, readings: list[Reading], cut: int
) -> None:
    if least is not None and most is not None and least > most:
        least, most = most, least
    with transaction.atomic():
        shipment = kept(least, most)

        tell(shipment, readings[:cut])  # in two parts, as they come
        tell(shipment, readings[cut:])

        coldest, warmest, minutes, first = looped(least, most, readings)
        shipment.refresh_from_db()
        told = exposures([shipment.pk])[shipment.pk]
        assert (told.coldest, told.warmest, told.readings) == (coldest, warmest, len(readings))
        assert told.outside == timedelta(minutes=minutes)
        assert told.outside_since == (None if first is None else when(first))
        assert (shipment.coldest_c, shipment.warmest_c) == (coldest, warmest)
        assert shipment.is_out_of_range == (first is not None)
        assert Shipment.objects.alarming().filter(pk=shipment.pk).exists() == (first is not None)
        transaction.set_rollback(True)


def test_what_was_counted_is_no_alarm_any_more() -> None:
    shipment = kept(2, 8)
    tell(shipment, [(0, 91, "A")])
    Shipment.objects.filter(pk=shipment.pk).update(status="accepted")

    assert not Shipment.objects.alarming().exists()


def test_the_database_takes_no_reading_that_cannot_be() -> None:
    shipment = make_shipment(status="in_transit")
    for wrong in ({"temperature_c": Decimal("100.1")}, {"temperature_c": -201}, {"logger": "A"}):
        with pytest.raises(IntegrityError, match="earthly"), transaction.atomic():
            TrackingEvent.objects.create(
                shipment=shipment, step="transporting", occurred_at=NOW, recorded_at=NOW, **wrong
            )


def test_a_driver_reports_a_reading_and_is_told_that_it_is_an_alarm() -> None:
    shipment = kept(2, 8)
    driver = make_member("carrier", shipment.carrier)
    at = {"occurred_at": NOW.isoformat(), "step": "transporting"}

    def report(**said: Any) -> Any:
        return Speaker(driver).post(f"shipments/{shipment.pk}/events/", {**at, **said})

    answer = report(temperature_c="9.4", logger="TL-1").json()
    assert (answer["temperature_c"], answer["logger"]) == ("9.4", "TL-1")
    assert "out-of-range" in answer["flags"]
    assert "out-of-range" not in report(temperature_c=5).json()["flags"]
    shown = Speaker(driver).get(f"shipments/{shipment.pk}/").json()
    assert (shown["coldest_c"], shown["warmest_c"], shown["is_out_of_range"]) == ("5.0", "9.4", True)


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"temperature_c": 101}, "temperature_c"),
        ({"temperature_c": "-200.1"}, "temperature_c"),
        ({"temperature_c": "4.25"}, "temperature_c"),
        ({"temperature_c": "NaN"}, "temperature_c"),
        ({"temperature_c": "warm"}, "temperature_c"),
        ({"logger": "TL-1"}, "temperature_c"),
        ({"temperature_c": 4, "logger": "x" * 41}, "logger"),
    ],
)
def test_a_reading_that_cannot_be_is_refused_with_its_field(said: dict[str, Any], field: str) -> None:
    shipment = kept(2, 8)
    driver = make_member("carrier", shipment.carrier)
    at = {"occurred_at": NOW.isoformat(), "step": "transporting"}

    answer = Speaker(driver).post(f"shipments/{shipment.pk}/events/", {**at, **said})

    assert answer.status_code == 400
    assert field in str(answer.json())


def test_a_batch_keeps_what_can_be_read_and_refuses_the_rest_one_by_one() -> None:
    carrier = make_organisation("carrier")
    shipment = carried_by(carrier, "W1")
    Shipment.objects.filter(pk=shipment.pk).update(min_temp_c=2, max_temp_c=8)
    events = [
        event("W1", "a") | {"temperature_c": 4.5, "logger": "TL-1"},
        event("W1", "b") | {"temperature_c": "11.0"},
        event("W1", "c") | {"temperature_c": 1e9},
        event("W1", "d") | {"temperature_c": True},
        event("W1", "e") | {"logger": "TL-1"},
        event("W1", "f") | {"temperature_c": [4]},
        event("W1", "b") | {"temperature_c": "11.0"},
    ]

    results = (
        Speaker(make_member("carrier", carrier))
        .post("tracking-events/", {"events": events})
        .json()["results"]
    )

    assert [row["status"] for row in results] == [
        "created",
        "created",
        "refused",
        "refused",
        "refused",
        "refused",
        "duplicate",
    ]
    assert [row["code"] for row in results[2:6]] == [
        "temperature-impossible",
        "temperature-impossible",
        "reads-nothing",
        "temperature-impossible",
    ]
    assert ["out-of-range" in row["flags"] for row in results] == [False, True, *[False] * 4, True]
