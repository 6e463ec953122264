"""The pages at the dock without JavaScript: a code is typed, a button is pressed."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from supplies.attachments.models import Attachment
from supplies.organisations.models import Facility
from supplies.shipments import legs
from supplies.shipments import services as moving
from tests.makers import NOW, make_member, make_organisation, make_shipment
from tests.page_client import reader
from tests.supplies.attachments.hostile import photograph
from tests.supplies.dock.cast import Cargo, make_cargo
from tests.supplies.shipments.test_legs import route

pytestmark = pytest.mark.django_db


@pytest.fixture
def cargo() -> Cargo:
    return make_cargo(waybill="W1")


def page_of(cargo: Cargo) -> str:
    return reverse("dock-shipment", args=[cargo.shipment.pk])


def press(cargo: Cargo, move: str, **fields: Any) -> Any:
    return reader(cargo.driver).post(page_of(cargo), {"move": move, **fields}, follow=True)


def test_a_typed_code_leads_to_its_shipment_and_a_parcel_s_to_the_parcel(cargo: Cargo) -> None:
    driver = reader(cargo.driver)

    assert driver.get(reverse("dock"), {"code": "W1"}).headers["Location"] == page_of(cargo)
    found = driver.get(reverse("dock"), {"code": f"(00){cargo.parcels[0]}"})
    assert found.headers["Location"] == f"{page_of(cargo)}#{cargo.parcels[0]}"


def test_an_empty_press_is_told_what_is_missing(cargo: Cargo) -> None:
    page = reader(cargo.driver).get(reverse("dock"), {"code": ""})

    assert page.status_code == 400
    assert "Type the number first." in page.content.decode()


def test_a_driver_reads_where_the_goods_are_brought(cargo: Cargo) -> None:
    Facility.objects.filter(pk=cargo.shipment.consignee_id).update(address="演练路 5 号东门")

    assert "演练路 5 号东门" in reader(cargo.driver).get(page_of(cargo)).content.decode()


def test_nobody_s_code_and_somebody_else_s_are_answered_alike(cargo: Cargo) -> None:
    other = reader(make_cargo(first=7).driver)

    answers = [
        other.get(reverse("dock"), {"code": code})
        for code in ("nobody", "W1", cargo.parcels[0], cargo.shipment.code)
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert len({str(answer.context["form"].errors) for answer in answers}) == 1
    assert "No shipment of yours has this code" in answers[1].content.decode()
    assert other.get(page_of(cargo)).status_code == 404
    assert other.post(page_of(cargo), {"move": "dispatch"}).status_code == 404


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("006901234500000019", "The last digit does not fit"),
        ("(00)123", "An SSCC has 18 digits"),
        ("", "Type the number first"),
        ("x" * 301, "at most 300"),
    ],
)
def test_a_code_that_cannot_be_is_told_so_beside_the_field(cargo: Cargo, code: str, words: str) -> None:
    answer = reader(cargo.driver).get(reverse("dock"), {"code": code})

    assert answer.status_code == 400
    assert words in answer.context["form"].errors["code"][0]


def test_a_volunteer_chooses_between_two_shipments_with_one_waybill_number(cargo: Cargo) -> None:
    other = make_cargo(waybill="W1", first=5)

    answer = reader(make_member("volunteer")).get(reverse("dock"), {"code": "W1"})

    assert answer.status_code == 200
    assert page_of(cargo) in answer.content.decode()
    assert page_of(other) in answer.content.decode()


def test_a_driver_says_that_it_left_and_then_that_it_stands_at_the_door(cargo: Cargo) -> None:
    assert [move.value for move in reader(cargo.driver).get(page_of(cargo)).context["moves"]] == ["dispatch"]

    left = press(cargo, "dispatch")

    assert "Written down: It leaves now." in left.content.decode()
    assert [move.value for move in left.context["moves"]] == ["arrive", "deliver"]
    press(cargo, "arrive")
    cargo.shipment.refresh_from_db()
    assert cargo.shipment.status == "at_the_door"


def test_what_is_not_the_next_move_is_refused_in_words_and_changes_nothing(cargo: Cargo) -> None:
    answer = press(cargo, "deliver")

    assert "error" in [message.tags for message in answer.context["messages"]]
    cargo.shipment.refresh_from_db()
    assert cargo.shipment.status == "booked"


def test_handing_over_keeps_the_photograph_and_the_signature_with_the_shipment(
    cargo: Cargo, private_root: Any
) -> None:
    moving.dispatch(cargo.shipment, by=None, at=NOW)

    press(
        cargo,
        "deliver",
        photo=SimpleUploadedFile("p.jpg", photograph()),
        signature=SimpleUploadedFile("s.png", photograph("PNG")),
    )

    assert {file.kind for file in Attachment.objects.about(cargo.shipment)} == {"photo", "signature"}
    cargo.shipment.refresh_from_db()
    assert cargo.shipment.status == "delivered"


def test_a_picture_that_is_none_is_told_so_and_nothing_is_handed_over_yet(cargo: Cargo) -> None:
    moving.dispatch(cargo.shipment, by=None, at=NOW)

    answer = press(cargo, "deliver", photo=SimpleUploadedFile("p.jpg", b"not a picture"))

    assert set(answer.context["proof"].errors) == {"photo"}
    cargo.shipment.refresh_from_db()
    assert cargo.shipment.status == "in_transit"


def test_what_was_pressed_without_a_network_happened_when_it_was_pressed(cargo: Cargo) -> None:
    pressed_at = timezone.now() - timedelta(hours=3)

    press(cargo, "dispatch", pressed_at=pressed_at.isoformat())

    cargo.shipment.refresh_from_db()
    event = cargo.shipment.events.get(step="departing")
    assert (cargo.shipment.departed_at, event.occurred_at) == (pressed_at, pressed_at)
    assert event.recorded_at - pressed_at >= timedelta(hours=3)


def test_a_clock_a_little_ahead_of_ours_says_nothing_of_the_future(cargo: Cargo) -> None:
    press(cargo, "dispatch", pressed_at=(timezone.now() + timedelta(minutes=5)).isoformat())

    cargo.shipment.refresh_from_db()
    assert cargo.shipment.departed_at is not None
    assert cargo.shipment.departed_at <= timezone.now()


@pytest.mark.parametrize("given", ["1970-01-01T00:00:00Z", "next week", "9999-12-31T23:59:59Z", "{week}"])
def test_an_impossible_time_is_refused_in_words(cargo: Cargo, given: str) -> None:
    week = (timezone.now() + timedelta(days=7)).isoformat()

    answer = press(cargo, "dispatch", pressed_at=given.format(week=week))

    assert answer.status_code == 400
    assert set(answer.context["move"].errors) == {"pressed_at"}
    cargo.shipment.refresh_from_db()
    assert cargo.shipment.status == "booked"


@pytest.mark.parametrize("move", ["", "cancel", "lose", "__init__"])
def test_there_are_no_other_moves(cargo: Cargo, move: str) -> None:
    assert press(cargo, move).status_code == 400


def test_a_button_that_is_sent_twice_moves_it_once(cargo: Cargo) -> None:
    driver, sent = reader(cargo.driver), {"move": "dispatch", "once": "a-word-of-random-letters"}

    answers = [driver.post(page_of(cargo), sent) for _ in range(2)]

    assert [answer.headers["Location"] for answer in answers] == [page_of(cargo)] * 2
    assert answers[1].headers["Idempotency-Replayed"] == "true"
    assert cargo.shipment.events.filter(step="departing").count() == 1


def test_a_driver_who_brought_it_to_the_hub_is_led_away_when_it_is_another_s() -> None:
    one, other = make_organisation("carrier"), make_organisation("carrier")
    shipment = legs.plan(make_shipment(carrier=one, status="booked"), legs=route(one, other), by=None, at=NOW)
    moving.dispatch(shipment, by=None, at=NOW)
    cargo = Cargo(make_member("carrier", one), shipment, ())

    answer = press(cargo, "reach-hub")

    assert answer.redirect_chain == [(reverse("dock"), 302)]
    assert "Written down: It has reached the hub." in answer.content.decode()
    assert [
        move.value for move in reader(make_member("carrier", other)).get(page_of(cargo)).context["moves"]
    ] == ["leave-hub"]


def test_the_hospital_moves_nothing_and_counts_what_was_delivered(cargo: Cargo) -> None:
    hospital = reader(make_member("hospital", cargo.shipment.consignee.organisation))
    before = hospital.get(page_of(cargo))
    assert before.context["moves"] == []
    assert hospital.post(page_of(cargo), {"move": "dispatch"}).status_code == 403

    moving.deliver(moving.dispatch(cargo.shipment, by=None, at=NOW), by=None, at=NOW)

    count = reverse("count-shipment", args=[cargo.shipment.pk])
    assert count in hospital.get(page_of(cargo)).content.decode()
    assert count not in reader(cargo.driver).get(page_of(cargo)).content.decode()


def test_the_hospital_says_that_it_has_the_goods_where_the_driver_said_nothing(cargo: Cargo) -> None:
    keeper = make_member("hospital", cargo.shipment.consignee.organisation)
    auditor = make_member("auditor", cargo.shipment.consignee.organisation)
    moving.dispatch(cargo.shipment, by=None, at=NOW)
    shipment = reverse("shipment", args=[cargo.shipment.pk])

    assert page_of(cargo) in reader(keeper).get(shipment).content.decode()
    assert [move.value for move in reader(keeper).get(page_of(cargo)).context["moves"]] == ["deliver"]
    assert reader(auditor).post(page_of(cargo), {"move": "deliver"}).status_code == 403
    answer = reader(keeper).post(page_of(cargo), {"move": "deliver"}, follow=True)

    cargo.shipment.refresh_from_db()
    assert cargo.shipment.status == "delivered"
    assert reverse("count-shipment", args=[cargo.shipment.pk]) in answer.content.decode()


def test_only_these_pages_may_ask_for_the_camera(cargo: Cargo) -> None:
    driver = reader(cargo.driver)

    allowed = {
        address: "camera=(self)" in driver.get(address).headers["Permissions-Policy"]
        for address in (
            reverse("dock"),
            page_of(cargo),
            "/mine/",
            reverse("shipment", args=[cargo.shipment.pk]),
        )
    }

    assert list(allowed.values()) == [True, True, False, False]


def test_the_page_of_many_parcels_takes_as_many_queries_as_that_of_two() -> None:
    few, many = make_cargo(), make_cargo(first=10, parcels=9)

    taken = []
    for cargo in (few, many):
        driver = reader(cargo.driver)
        driver.get(page_of(cargo))
        with CaptureQueriesContext(connection) as queries:
            driver.get(page_of(cargo))
        taken.append(len(queries))

    assert taken[0] == taken[1] <= 16
