"""The record of carriers, against a count by hand; and what it keeps to itself while there is too little to say."""

import random
from datetime import timedelta
from statistics import median
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from supplies.desks.carriers import TOO_FEW, lanes, records
from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.shipments.models import Shipment
from supplies.shipments.sightings import Word, report_all
from tests.api_client import Speaker
from tests.desk import at_the_desk
from tests.makers import NOW, make_member, make_organisation, make_shipment

pytestmark = pytest.mark.django_db
PAGE = "admin:supplies_organisation_carriers"
NOBODY = "00000000-0000-4000-8000-000000000000"


def carried(
    carrier: Any, *, left: int, took: int | None, expected: int | None = None, bad: int = 0
) -> Shipment:
    """Left so many days ago, signed for after so many hours, expected so many days after it left."""
    shipment = make_shipment(carrier=carrier, status="in_transit" if took is None else "delivered")
    departed = NOW - timedelta(days=left)
    if bad:
        counts = [{"line": shipment.lines.get(), "accepted": 100 - bad, "damaged": bad}]
        receiving.receive(shipment, counts=counts, by=None, at=NOW)
    Shipment.objects.filter(pk=shipment.pk).update(
        departed_at=departed,
        delivered_at=None if took is None else departed + timedelta(hours=took),
        expected_on=None if expected is None else timezone.localdate(departed + timedelta(days=expected)),
    )
    return shipment


def test_the_record_is_what_a_count_by_hand_gives() -> None:
    chance = random.Random(3)
    carrier = make_organisation("carrier")
    told = []
    for _ in range(TOO_FEW + 2):
        left, took, bad = chance.randint(8, 80), chance.randint(6, 150), chance.choice([0, 10])
        expected = chance.choice([1, 3])
        shipment = carried(carrier, left=left, took=took, expected=expected, bad=bad)
        if not bad:
            receiving.receive(
                shipment, counts=[{"line": shipment.lines.get(), "accepted": 100}], by=None, at=NOW
            )
        told.append((left, took, expected, bad))
    carried(carrier, left=20, took=None, expected=2)  # overdue
    carried(carrier, left=20, took=None)  # nobody said when
    carried(carrier, left=91, took=10)  # too long ago
    seen = carried(carrier, left=3, took=None)
    report_all(
        [(seen.pk, Word(NOW, "1", step="transporting")), (seen.pk, Word(NOW, "2", step="transporting"))],
        by=None,
        at=NOW,
    )
    on_time = [
        timezone.localdate(NOW - timedelta(days=left) + timedelta(hours=took))
        <= timezone.localdate(NOW - timedelta(days=left) + timedelta(days=expected))
        for left, took, expected, _bad in told
    ]

    (record,) = records(Shipment.objects.all(), days=90, at=NOW)

    assert (record.carrier, record.carried, record.delivered) == (carrier, TOO_FEW + 5, TOO_FEW + 2)
    assert (record.on_time.part, record.on_time.whole) == (sum(on_time), TOO_FEW + 3)
    assert (record.bad.part, record.bad.whole) == (sum(bad > 0 for *_rest, bad in told), TOO_FEW + 2)
    assert record.median_days == round(median(took for _left, took, *_rest in told) / 24, 1)
    assert record.sightings == 2
    (lane,) = lanes(Shipment.objects.all(), days=90, at=NOW)
    assert (lane.count, lane.days) == (record.delivered, record.median_days)


def test_of_too_few_no_share_is_stated() -> None:
    carrier = make_organisation("carrier")
    carried(carrier, left=5, took=20, expected=1)

    (record,) = records(Shipment.objects.all(), days=30, at=NOW)

    assert (record.on_time.part, record.on_time.whole, record.on_time.percent) == (1, 1, None)
    assert (record.median_days, record.bad.percent, record.seen_each) == (None, None, 0)


def test_the_page_asks_as_much_of_many_carriers_as_of_one(volunteer: User) -> None:
    client = at_the_desk(volunteer)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(reverse(PAGE)).status_code == 200
        return len(queries)

    make_shipment(status="in_transit")
    asked()
    few = asked()
    for _ in range(3):
        make_shipment(status="in_transit")

    assert asked() == few


def test_a_carrier_s_own_page_and_what_is_none(volunteer: User) -> None:
    shipment = make_shipment(status="delivered")
    Shipment.objects.update(departed_at=timezone.now() - timedelta(days=2), delivered_at=timezone.now())
    client = at_the_desk(volunteer)

    page = client.get(reverse(PAGE), {"carrier": str(shipment.carrier_id), "days": "x"})

    assert [(row.days, row.carried) for row in page.context["records"]] == [(30, 1), (90, 1), (365, 1)]
    assert len(page.context["lanes"]) == 1
    for wrong in ("1", str(shipment.consignor_id), "x" * 36):
        assert client.get(reverse(PAGE), {"carrier": wrong}).status_code == 404


def test_the_record_is_for_the_desk() -> None:
    assert at_the_desk(make_member("carrier")).get(reverse(PAGE)).status_code == 302


def test_programs_read_the_same_numbers_as_the_desk(volunteer: User) -> None:
    carrier = make_organisation("carrier")
    for left in (3, 40):
        carried(carrier, left=left, took=24, expected=3)

    with time_machine.travel(NOW):
        month = Speaker(volunteer).get("carrier-records/", days=30).json()
        alone = Speaker(volunteer).get("carrier-records/", carrier=str(carrier.pk)).json()

    assert [(row["carrier"]["id"], row["carried"]) for row in month["records"]] == [(str(carrier.pk), 1)]
    assert month["lanes"] == []
    assert [(row["days"], row["carried"]) for row in alone["records"]] == [(30, 1), (90, 2), (365, 2)]
    assert alone["records"][1]["on_time"] == {"part": 2, "whole": 2, "percent": None}
    assert [lane["delivered"] for lane in alone["lanes"]] == [2]


@pytest.mark.parametrize("role", ["hospital", "donor", "carrier"])
def test_only_who_watches_reads_the_record_of_carriers(role: str) -> None:
    assert Speaker(make_member(role)).get("carrier-records/").status_code == 403
    assert Speaker().get("carrier-records/").status_code == 401


@pytest.mark.parametrize(
    ("query", "status"),
    [({"days": "7"}, 400), ({"days": "x"}, 400), ({"carrier": "x"}, 400), ({"carrier": NOBODY}, 400)],
)
def test_a_window_or_a_carrier_there_is_not_is_said(
    volunteer: User, query: dict[str, str], status: int
) -> None:
    assert Speaker(volunteer).get("carrier-records/", **query).status_code == status
