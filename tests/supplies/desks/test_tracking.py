from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from supplies.desks.tracking import track
from supplies.lanes.models import Lane
from supplies.needs import services as asking
from supplies.organisations import services as people
from supplies.receipts import services as receiving
from supplies.shipments import legs, sightings
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from supplies.shipments.tracking import TrackingCode
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
    make_region,
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


# What carriers write for a place, and the region that is told; None: nothing is.
PLACES = {
    "武昌区": "420106",
    "湖北省武昌区": "420106",
    "【湖北省】 武昌区": "420106",
    "420106": "420106",
    "Canary Lane 7": None,
    "武昌区长江路12号": None,
    "湖北省 张师傅 13900001234": None,
    "": None,
}


@pytest.mark.parametrize("place", PLACES)
def test_of_a_place_the_name_of_a_region_is_told_and_nothing_else(place: str) -> None:
    make_region("420106")
    shipment = make_shipment(status="in_transit")
    sightings.report(shipment, occurred_at=NOW, step="transporting", by=None, at=NOW, place=place)

    seen = [each for each in track(shipment.code).timeline if each.step == "transporting"]  # type: ignore[union-attr]

    assert [each.where and each.where.pk for each in seen] == [PLACES[place]]


def test_a_carrier_s_word_is_told_by_what_it_means() -> None:
    shipment = make_shipment(status="in_transit")
    TrackingCode.objects.get_or_create(
        vocabulary="drill", code="5", defaults={"label": "courier Canary", "status": "out_for_delivery"}
    )
    words = [
        sightings.Word(NOW, vocabulary="drill", code=code, label="Canary") for code in ("5", "unheard of")
    ]
    sightings.report_all([(shipment.pk, word) for word in words], by=None, at=NOW)

    told = [str(each.what) for each in track(shipment.code).timeline]  # type: ignore[union-attr]

    assert {"out for delivery", "Seen by the carrier"} <= set(told)
    assert not [words for words in told if "Canary" in words]


def test_a_shipment_sent_on_says_so_and_promises_no_day() -> None:
    shipment = make_shipment(status="in_transit")
    Shipment.objects.filter(pk=shipment.pk).update(rerouted_because="Canary is full")
    Lane.objects.create(
        from_region_id="420000",
        to_region_id="420000",
        journeys=17,
        fast_days=2,
        median_days=3,
        slow_days=4,
        observed_at=NOW,
    )

    found = track(shipment.code)

    assert found
    assert (found.expected, found.expected_on) == (None, None)
    assert "Canary" not in Client().get(f"/track/{shipment.code}/").content.decode()


# Where it stands, whether its way is known, the carrier's day; and what is expected: by the way or not, which day.
LEFT_ON = NOW.date()
DAYS: dict[str, tuple[str, bool, date | None, tuple[bool, date | None]]] = {
    "nothing is known": ("in_transit", False, None, (False, None)),
    "the carrier's day, for want of more": (
        "in_transit",
        False,
        date(2026, 12, 9),
        (False, date(2026, 12, 9)),
    ),
    "the way is known": ("in_transit", True, date(2026, 12, 9), (True, LEFT_ON + timedelta(days=3))),
    "not left yet": ("booked", True, date(2026, 12, 9), (True, date(2026, 12, 9))),
    "there already": ("delivered", True, None, (False, None)),
}


@pytest.mark.parametrize("name", DAYS)
def test_when_it_may_be_there(name: str) -> None:
    status, is_known, carriers_day, expected = DAYS[name]
    shipment = make_shipment(status=status)
    Shipment.objects.filter(pk=shipment.pk).update(expected_on=carriers_day)
    if is_known:
        Lane.objects.create(
            from_region_id="420000",
            to_region_id="420000",
            journeys=17,
            fast_days=2,
            median_days=3,
            slow_days=4,
            observed_at=NOW,
        )

    found = track(shipment.code)

    assert found
    assert (found.expected is not None, found.expected_on) == expected
    page = Client(HTTP_ACCEPT_LANGUAGE="en").get(f"/track/{shipment.code}/").content.decode()
    assert ("usually 2–4 days, from 17 journeys" in page) == expected[0]


def test_the_way_is_told_by_regions_and_hubs() -> None:
    shipment = make_shipment(status="booked")
    carrier, hub = shipment.carrier, make_region("430102", "芙蓉区")
    ends = (shipment.consignor.region, shipment.consignee.region)
    places = {"from_place": "Canary Lane 7", "to_place": "Canary Lane 7", "carrier": carrier}
    legs.plan(
        shipment,
        legs=[
            {"from_region": ends[0], "to_region": hub, **places},
            {"from_region": hub, "to_region": ends[1], **places},
        ],
        by=None,
        at=NOW,
    )
    shipment = moving.dispatch(shipment, by=None, at=NOW + timedelta(hours=1))
    legs.reach_hub(shipment, by=None, at=NOW + timedelta(hours=2))
    legs.leave_hub(shipment, by=None, at=NOW + timedelta(hours=3))

    found = track(shipment.code)

    assert found
    assert [stop.region for stop in found.route] == [ends[0], hub, ends[1]]
    assert [stop.at is not None for stop in found.route] == [True, True, False]
    assert [(seen.step, seen.where) for seen in found.timeline[-3:]] == [
        ("departing", None),
        ("at_hub", hub),
        ("left_hub", hub),
    ]
    assert "Canary" not in Speaker().get(f"track/{shipment.code}/").content.decode()


def test_a_paused_hospital_is_told_of_until_it_is_there() -> None:
    shipment = make_shipment(status="in_transit")
    people.pause(shipment.consignee, reason="full", by=None, at=NOW)
    assert track(shipment.code).is_paused  # type: ignore[union-attr]

    moving.deliver(shipment, by=None, at=NOW)
    assert not track(shipment.code).is_paused  # type: ignore[union-attr]


def test_a_page_has_the_code_short_and_whole_and_a_picture_of_its_link() -> None:
    shipment = make_shipment(status="in_transit")

    answer = Client(HTTP_ACCEPT_LANGUAGE="en").get(f"/track/{shipment.code}/")
    page = answer.content.decode()

    assert f"{shipment.code[:8]}…" in page
    assert f"/track/{shipment.code}/" in page
    assert "<svg" in page
    assert "style=" not in page
    assert answer["X-Robots-Tag"] == "noindex, nofollow"


def test_a_shipment_and_a_donation_of_many_are_followed_in_a_constant_number_of_queries(
    django_assert_max_num_queries: Any,
) -> None:
    need, offer = make_need(quantity=10_000), make_offer(quantity=10_000)
    for number in (1, 6):
        made = [make_allocation(10, need=need, offer=offer) for _each in range(number)]
        shipment = make_shipment(*made, status="in_transit")
        for hour in range(number):
            sightings.report(
                shipment, occurred_at=NOW + timedelta(minutes=hour % 9), step="transporting", by=None, at=NOW
            )
        with django_assert_max_num_queries(13):
            track(shipment.code)
        with django_assert_max_num_queries(7):
            track(offer.donation.code)
