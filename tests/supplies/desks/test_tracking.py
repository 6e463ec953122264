from datetime import UTC, datetime
from typing import Any

import pytest

from supplies.desks.tracking import track
from supplies.needs import services as asking
from supplies.receipts import services as receiving
from supplies.shipments import sightings
from tests.api_client import Speaker, today  # noqa: F401
from tests.makers import (
    NOW,
    make_allocation,
    make_appeal,
    make_donation,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_shipment,
    make_unit,
    make_user,
)

pytestmark = pytest.mark.django_db


def test_an_appeal_is_followed_from_posting_to_publishing() -> None:
    appeal = make_appeal()

    found = track(appeal.code)

    assert found
    assert (found.kind, found.status, found.to) == ("appeal", "published", appeal.facility)
    assert [sighting.step for sighting in found.timeline] == ["posted", "published"]


def test_an_appeal_that_was_sent_back_says_why() -> None:
    appeal = make_appeal(published=False)
    asking.refuse(appeal, reason="no source link", by=make_member("volunteer"), at=NOW)

    found = track(appeal.code)

    assert found
    assert (found.status, found.refusal) == ("refused", "no source link")
    assert found.timeline[-1].step == "refused"


def test_a_line_shows_its_gauges_in_the_unit_people_use() -> None:
    pair = make_unit("pair", name_zh="双", name_en="pair")
    gloves = make_item("GLOVE_EXAM", display_unit=pair, display_factor=2)
    need, offer = make_need(item=gloves, quantity=1000), make_offer(item=gloves, quantity=400)
    make_allocation(300, need=need, offer=offer)

    (asked,) = track(need.appeal.code).lines  # type: ignore[union-attr]
    (given,) = track(offer.donation.code).lines  # type: ignore[union-attr]

    assert asked.gauges == {
        "requested": 1000,
        "proposed": 0,
        "promised": 300,
        "in_transit": 0,
        "received": 0,
        "outstanding": 700,
    }
    assert asked.shown("outstanding") == 350
    assert given.gauges == {"offered": 400, "proposed": 0, "promised": 300, "left": 100}


def test_a_shipment_is_followed_to_the_count() -> None:
    shipment = make_shipment(make_allocation(100), status="delivered")
    line = shipment.lines.get()
    receiving.receive(shipment, counts=[{"line": line, "accepted": 90, "damaged": 10}], by=None, at=NOW)

    found = track(shipment.code)

    assert found
    assert (found.kind, found.status) == ("shipment", "partly_accepted")
    assert [sighting.step for sighting in found.timeline] == [
        "need_posted",
        "need_published",
        "promised",
        "made",
        "booked",
        "departing",
        "receiving",
        "accepting",
    ]
    assert found.lines[0].gauges["shipped"] == 100
    assert found.lines[0].gauges["damaged"] == 10


def codes() -> dict[str, str]:
    poster = make_user("Poster Canary", first_name="Zhang Canary")
    donor = make_organisation("donor", name="Canary Donors")
    facility = make_facility(address="Canary Lane 7")
    appeal = make_appeal(facility, by=poster, courier_address="Canary Lane 7", remark="call 13900001234")
    donation = make_donation(donor, by=poster, address="Canary Lane 7", remark="Zhang Canary")
    allocation = make_allocation(need=appeal.needs.get(), offer=donation.offers.get())
    shipment = make_shipment(allocation, carrier=make_organisation("carrier"), status="in_transit")
    sightings.report(
        shipment,
        occurred_at=datetime(2026, 11, 23, 7, tzinfo=UTC),
        step="transporting",
        by=poster,
        at=NOW,
        place="Canary Lane 7",
        label="courier Zhang Canary 13900001234",
        note="Zhang Canary",
    )
    return {"appeal": appeal.code, "donation": donation.code, "shipment": shipment.code}


@pytest.mark.parametrize("kind", ["appeal", "donation", "shipment"])
def test_the_public_follows_a_code_without_reading_a_name_a_number_or_an_address(kind: str) -> None:
    code = codes()[kind]

    answer = Speaker().get(f"track/{code}/")

    assert answer.status_code == 200
    assert (answer.json()["kind"], answer.json()["code"]) == (kind, code)
    assert answer.json()["timeline"]
    assert "Canary" not in answer.content.decode()
    assert "13900001234" not in answer.content.decode()
    assert answer["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    "code", ["2" * 26, "short", "x" * 500, "ABCDEFGHJKMNPQRS" + "TUVWXYZ234", "2" * 25 + "1'", "２" * 26]
)
def test_an_unknown_code_and_a_malformed_one_are_answered_alike(code: str) -> None:
    unknown, this = Speaker().get(f"track/{'3' * 26}/"), Speaker().get(f"track/{code}/")

    assert (this.status_code, this.json()) == (404, unknown.json())


def test_following_asks_the_database_as_often_for_thirty_lines_as_for_three(
    django_assert_max_num_queries: Any,
) -> None:
    for number in (3, 30):
        appeal, donation = make_appeal(lines=[{}] * number), make_donation(lines=[{}] * number)
        with django_assert_max_num_queries(5):
            assert len(track(appeal.code).lines) == number  # type: ignore[union-attr]
        with django_assert_max_num_queries(5):
            assert len(track(donation.code).lines) == number  # type: ignore[union-attr]
