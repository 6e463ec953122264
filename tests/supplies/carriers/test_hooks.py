"""Webhooks of carriers: signed as the carrier signs, kept as they came, done once, and answered when they are stored (F14)."""

import random
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from standardwebhooks import Webhook

from supplies.carriers import services
from supplies.carriers.models import CarrierHook, ParkedEvent
from supplies.receipts import services as receiving
from supplies.shipments import services as moving
from supplies.shipments.tracking import TrackingEvent
from tests.makers import NOW, make_organisation
from tests.supplies.carriers.telling import (
    OTHER,
    SECRET,
    carried_by,
    entry,
    event,
    make_account,
    pushed,
    send,
    signed,
    word,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


# -- who may speak ---------------------------------------------------------------------------------------------


def test_a_webhook_that_the_standardwebhooks_package_signs_is_taken() -> None:
    account = make_account()
    shipment = carried_by(account.carrier, "W1")
    body, headers = signed([event("W1")])
    headers["webhook-signature"] = Webhook(SECRET).sign("msg_1", NOW, body.decode())

    answer = send(account, body, headers)

    assert (answer.status_code, answer.json()["created"]) == (200, 1)
    assert shipment.events.get(external_id="e1").code == "transporting"
    assert CarrierHook.objects.get().body == body.decode()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"webhook-signature": "v1,AAAA"}, "wrong-signature"),
        ({"webhook-signature": "v1,演练".encode().decode("latin-1")}, "wrong-signature"),
        ({"webhook-id": "msg_2"}, "wrong-signature"),
        ({"webhook-timestamp": "1"}, "wrong-signature"),
        ({"webhook-timestamp": "now"}, "signature-missing"),
        ({"webhook-signature": ""}, "signature-missing"),
        ({"webhook-id": ""}, "signature-missing"),
    ],
)
def test_what_is_not_signed_is_refused_by_name_and_nothing_is_stored(
    change: dict[str, str], code: str
) -> None:
    account = make_account()
    carried_by(account.carrier, "W1")
    body, headers = signed([event("W1")])

    answer = send(account, body, headers | change)

    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert not CarrierHook.objects.exists()
    assert not TrackingEvent.objects.filter(external_id="e1").exists()


@pytest.mark.parametrize("minutes", [-6, 6])
def test_what_was_signed_long_ago_or_in_the_future_is_refused(minutes: int) -> None:
    account = make_account()

    answer = send(account, *signed([event("W1")], at=NOW + timedelta(minutes=minutes)))

    assert (answer.status_code, answer.json()["code"]) == (401, "too-old")


def test_two_secrets_are_live_while_they_rotate_and_then_one() -> None:
    account = make_account()
    account = services.rotate_secret(account, secret=OTHER, by=None, at=NOW, overlap=timedelta(days=1))

    both = [send(account, *signed([], secret=each, name=each)).status_code for each in (SECRET, OTHER)]
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        later = NOW + timedelta(days=2)
        after = [
            send(account, *signed([], secret=each, name=f"2{each}", at=later)).status_code
            for each in (SECRET, OTHER)
        ]

    assert (both, after) == ([200, 200], [401, 200])


def test_a_closed_account_and_one_there_is_not_are_answered_alike() -> None:
    account = make_account()
    services.close_account(account, by=None, at=NOW)
    closed = send(account, *signed([]))
    account.pk = make_organisation().pk

    assert (closed.status_code, send(account, *signed([])).status_code) == (404, 404)


def test_a_body_declared_as_ten_gigabytes_is_refused_before_it_is_read() -> None:
    account = make_account()

    answer = Client().generic(
        "POST",
        f"/hooks/carriers/{account.pk}/",
        b"",
        content_type="application/json",
        CONTENT_LENGTH="10000000000",
    )

    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"events": 5}', b"\xff\xfe", b'{"events": [1' + b"]" * 9])
def test_a_signed_body_that_cannot_be_read_is_400_and_never_500(body: bytes) -> None:
    assert send(make_account(), *signed(body)).status_code == 400


# -- once ------------------------------------------------------------------------------------------------------


def test_a_replay_is_answered_and_does_nothing() -> None:
    account = make_account()
    carried_by(account.carrier, "W1")
    sent = signed([event("W1")])

    answers = [send(account, *sent).json()["status"] for _time in range(3)]

    assert answers == ["taken", "duplicate", "duplicate"]
    assert TrackingEvent.objects.filter(external_id="e1").count() == 1


def test_one_wrong_event_loses_no_other() -> None:
    account = make_account()
    carried_by(account.carrier, "W1")
    events = [
        event("W1", "a", step="flying"),
        event("W1", "b") | {"occurred_at": "1970-01-01T00:00:00Z"},
        event("W1", "c") | {"occurred_at": (NOW + timedelta(days=7)).isoformat()},
        event("W1", "d") | {"occurred_at": "2026-11-23 08:00"},
        event("", "e"),
        5,
        event("W1", "g", vocabulary="kuaidi100", code="no-such"),
        event("W1", "h"),
    ]

    results = send(account, *signed(events)).json()["results"]

    assert [result["code"] for result in results] == [
        "unknown-step",
        "time-impossible",
        "time-impossible",
        "time-unreadable",
        "names-nothing",
        "unreadable",
        "",
        "",
    ]
    assert results[6]["flags"] == ["unknown-code"]
    kept = TrackingEvent.objects.get(external_id="g")
    assert (kept.vocabulary, kept.code, kept.status, kept.step) == ("kuaidi100", "no-such", "", "other")


# -- 快递100 ---------------------------------------------------------------------------------------------------


def test_a_push_of_kuaidi100_is_read_and_answered_as_it_wants() -> None:
    account = make_account("kuaidi100")
    shipment = carried_by(account.carrier, "YT1")
    body = pushed("YT1", [entry("2026-11-23 07:40:00", "5"), entry("2026-11-22 20:00:00", "1")], state="5")

    answer = send(account, body)

    assert answer.json() | {"results": []} == {
        **{"status": "taken", "created": 2, "duplicate": 0, "parked": 0, "refused": 0, "results": []},
        **{"result": True, "returnCode": "200", "message": "成功"},
    }
    shipment.refresh_from_db()
    assert (shipment.sighting_code, shipment.sighting_status, shipment.status) == (
        "5",
        "out_for_delivery",
        "in_transit",
    )
    assert f"{shipment.sighted_at:%H:%M}" == "23:40"


def test_the_next_push_holds_the_entries_before_it_and_they_are_written_once() -> None:
    account = make_account("kuaidi100")
    shipment = carried_by(account.carrier, "YT1")
    old, new = entry("2026-11-22 20:00:00", "1"), entry("2026-11-23 07:40:00", "5")
    send(account, pushed("YT1", [old]))

    answer = send(account, pushed("YT1", [new, old])).json()

    assert (answer["created"], answer["duplicate"]) == (1, 1)
    assert shipment.events.exclude(external_id="").count() == 2


def test_the_state_of_a_push_is_that_of_its_newest_entry_and_an_entry_without_code_is_no_word() -> None:
    account = make_account("kuaidi100")
    shipment = carried_by(account.carrier, "YT1")

    send(
        account,
        pushed("YT1", [entry("2026-11-23 07:40:00", None), entry("2026-11-22 20:00:00", None)], state="3"),
    )

    words = dict(shipment.events.exclude(external_id="").values_list("code", "step"))
    assert words == {"3": "receiving", "": "other"}


@pytest.mark.parametrize("salt", ["", "guessed"])
def test_a_push_signed_with_another_salt_is_refused(salt: str) -> None:
    account = make_account("kuaidi100")

    answer = send(account, pushed("YT1", [entry("2026-11-23 07:40:00")], salt=salt))

    assert (answer.status_code, answer.json()["code"]) == (401, "wrong-signature")


# -- F14 -------------------------------------------------------------------------------------------------------

STORY = [
    ("2026-11-22 20:00:00", "1"),
    ("2026-11-22 23:00:00", "0"),
    ("2026-11-23 06:00:00", "5"),
    ("2026-11-23 07:40:00", "3"),
]


@pytest.mark.parametrize("order", ["as it was", "reversed", "shuffled with duplicates"])
@pytest.mark.parametrize(
    "when", ["before it exists", "before it leaves", "on its way", "after it was delivered"]
)
def test_in_whatever_order_and_whenever_it_comes_the_end_is_the_same(order: str, when: str) -> None:
    account = make_account("kuaidi100")
    shipment = carried_by(
        account.carrier, "YT1", {"before it exists": "draft", "before it leaves": "booked"}.get(when, "")
    )
    if when == "after it was delivered":
        moving.deliver(shipment, by=None, at=NOW)
    pushes = [pushed("YT1", [entry(time, code)]) for time, code in STORY]
    if order == "reversed":
        pushes.reverse()
    elif order == "shuffled with duplicates":
        pushes = random.Random(14).sample(pushes * 3, 12)

    statuses = {send(account, body).status_code for body in pushes}
    if when == "before it exists":
        shipment = moving.book(shipment, carrier=account.carrier, waybill="YT1", by=None, at=NOW)
        services.apply_parked(at=NOW)

    shipment.refresh_from_db()
    assert statuses == {200}
    assert (shipment.sighting_code, shipment.sighting_status) == ("3", "delivered")
    assert shipment.events.exclude(external_id="").count() == 4
    assert not ParkedEvent.objects.waiting().exists()


def test_an_event_after_the_end_is_kept_and_flagged_and_the_end_stays() -> None:
    account = make_account()
    shipment = carried_by(account.carrier, "W1")
    moving.lose(shipment, by=None, at=NOW)

    answer = send(account, *signed([event("W1")])).json()

    assert answer["results"][0]["flags"] == ["after-end"]
    shipment.refresh_from_db()
    assert shipment.status == "lost"


@pytest.mark.parametrize(("hours", "is_flagged"), [(1, True), (-1, False)])
def test_what_happened_after_it_was_counted_is_flagged_and_what_is_told_late_is_not(
    hours: int, is_flagged: bool
) -> None:
    account = make_account()
    shipment = carried_by(account.carrier, "W1")
    moving.deliver(shipment, by=None, at=NOW)
    lines = [{"line": line, "accepted": line.allocation.quantity} for line in shipment.lines.all()]
    receiving.receive(shipment, counts=lines, by=None, at=NOW)
    told = [word("W1", "late", at=NOW + timedelta(hours=hours))]

    services.take_in(account.carrier, told, by=None, at=NOW + timedelta(hours=2))

    assert shipment.events.get(external_id="late").is_after_end == is_flagged


@pytest.mark.slow
def test_a_burst_of_ten_thousand_is_stored_to_the_last_and_once() -> None:
    account = make_account()
    shipments = [carried_by(account.carrier, f"W{number}") for number in range(5)]
    events = [event(f"W{number % 10}", f"e{number}") for number in range(10_000)]
    random.Random(14).shuffle(events)
    parts = [events[at : at + 500] for at in range(0, len(events), 500)]

    for part, each in enumerate([*parts, *parts[:5]]):
        assert send(account, *signed(each, name=f"m{part}")).status_code == 200

    assert TrackingEvent.objects.exclude(external_id="").count() == 5_000
    assert ParkedEvent.objects.waiting().count() == 5_000
    assert {shipment.events.exclude(external_id="").count() for shipment in shipments} == {1_000}


@pytest.mark.parametrize("interface", ["generic", "kuaidi100"])
def test_a_form_with_files_is_refused_like_any_body_that_is_not_the_carriers(interface: str) -> None:
    account = make_account(interface=interface)

    answer = Client().post(f"/hooks/carriers/{account.pk}/", {"param": "x", "once": "y"})  # multipart

    assert answer.status_code in (400, 401)
    assert answer.json()["code"]
    assert not CarrierHook.objects.exists()
