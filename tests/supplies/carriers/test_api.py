"""The batch upload: each event judged by itself, sent twice done once, in a constant number of queries."""

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from supplies.carriers.models import ParkedEvent
from supplies.organisations.keys import Scope
from supplies.organisations.models import User
from supplies.organisations.services import issue_token
from supplies.shipments.tracking import TrackingEvent
from tests.api_client import Speaker
from tests.makers import NOW, make_member, make_organisation
from tests.supplies.carriers.telling import carried_by, event, make_words

pytestmark = pytest.mark.django_db
ROUTE = "tracking-events/"


@pytest.fixture(autouse=True)
def _now() -> Any:
    make_words()
    with time_machine.travel(NOW, tick=False):
        yield


def carrier_of(user: User) -> Any:
    return user.memberships.get().organisation


def with_key(key: str) -> Speaker:
    speaker = Speaker()
    speaker.client.credentials(HTTP_AUTHORIZATION=f"Token {key}")
    return speaker


def test_each_event_is_answered_by_what_became_of_it() -> None:
    driver = make_member("carrier")
    shipment = carried_by(carrier_of(driver), "W1")
    events = [
        event("W1", "a"),
        event(str(shipment.pk), "a"),
        event(shipment.code, "b", code="5", vocabulary="kuaidi100"),
        event("W9", "c"),
        event("W1", "d") | {"occurred_at": (NOW + timedelta(days=7)).isoformat()},
        event("W1", "e") | {"weather": "rain"},
        event("W1", ""),
    ]

    answer = Speaker(driver).post(ROUTE, {"events": events})

    assert answer.status_code == 200
    said = answer.json()
    assert [(each["status"], each["code"]) for each in said["results"]] == [
        ("created", ""),
        ("duplicate", ""),
        ("created", ""),
        ("parked", ""),
        ("refused", "time-impossible"),
        ("refused", "unknown-field"),
        ("refused", "external-id-missing"),
    ]
    assert [each["index"] for each in said["results"]] == list(range(7))
    assert {name: said[name] for name in ("created", "duplicate", "parked", "refused")} == {
        "created": 2,
        "duplicate": 1,
        "parked": 1,
        "refused": 3,
    }
    assert said["results"][0]["shipment"] == str(shipment.pk)


def test_the_same_batch_again_does_nothing_again() -> None:
    driver = make_member("carrier")
    carried_by(carrier_of(driver), "W1")
    batch = {"events": [event("W1", f"e{number}") for number in range(5)] + [event("W9")]}

    first, again = (Speaker(driver).post(ROUTE, batch).json() for _time in range(2))

    assert (first["created"], first["parked"], again["duplicate"]) == (5, 1, 6)
    assert TrackingEvent.objects.exclude(external_id="").count() == 5


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"events": []},
        {"events": {}},
        {"events": [5]},
        {"events": [event("W1", str(number)) for number in range(1_001)]},
        {"events": [event("W1")], "weather": "rain"},
        {"events": [event("W1")], "carrier": "00000000-0000-0000-0000-000000000001"},
    ],
    ids=str,
)
def test_a_batch_of_another_shape_is_400(body: dict[str, Any]) -> None:
    assert Speaker(make_member("carrier")).post(ROUTE, body).status_code == 400


@pytest.mark.parametrize("role", ["hospital", "donor", "volunteer"])
def test_only_a_carrier_reports(role: str) -> None:
    answer = Speaker(make_member(role)).post(ROUTE, {"events": [event("W1")]})

    assert (answer.status_code, answer.json()["code"]) == (403, "not-yours")


def test_who_reports_for_several_says_for_which() -> None:
    driver = make_member("carrier")
    second = make_organisation("carrier")
    second.memberships.create(user=driver, role="carrier")
    carried_by(second, "W1")

    without = Speaker(driver).post(ROUTE, {"events": [event("W1")]})
    named = Speaker(driver).post(ROUTE, {"events": [event("W1")], "carrier": str(second.pk)})

    assert (without.status_code, named.json()["created"]) == (400, 1)


def test_a_key_for_reading_alone_reports_nothing() -> None:
    driver = make_member("carrier")
    _token, key = issue_token(driver, name="演练", scopes=[Scope.READ], at=NOW)

    answer = with_key(key).post(ROUTE, {"events": [event("W1")]})

    assert answer.status_code == 403


def test_a_carriers_key_sees_and_moves_its_own_shipments_and_no_others() -> None:
    driver = make_member("carrier")
    mine, other = (
        carried_by(carrier_of(driver), "W1", "booked"),
        carried_by(make_organisation("carrier"), "W2", "booked"),
    )
    _token, key = issue_token(driver, name="演练", scopes=[Scope.READ, Scope.SHIPMENTS], at=NOW)
    speaker = with_key(key)

    seen = [row["id"] for row in speaker.get("shipments/").json()["results"]]
    moves = {
        verb: [speaker.post(f"shipments/{row.pk}/{verb}/", {}).status_code for row in (mine, other)]
        for verb in ("dispatch", "arrive", "deliver")
    }
    told = speaker.post(
        ROUTE, {"events": [event("W1", "a"), event("W2", "b"), event(str(other.pk), "c")]}
    ).json()

    assert seen == [str(mine.pk)]
    assert moves == {"dispatch": [200, 404], "arrive": [200, 404], "deliver": [200, 404]}
    assert [each["status"] for each in told["results"]] == ["created", "parked", "parked"]
    other.refresh_from_db()
    assert other.status == "booked"


def test_a_thousand_events_take_as_many_queries_as_forty_and_less_than_two_seconds_of_ours() -> None:
    driver = make_member("carrier")
    for number in range(20):
        carried_by(carrier_of(driver), f"W{number}")
    counts, seconds = [], 0.0

    for size in (40, 1_000):
        events = [event(f"W{number % 40}", f"{size}-{number}") for number in range(size)]
        with CaptureQueriesContext(connection) as queries:
            began = time.process_time()  # the bench looks at the clock, on a machine that does nothing else
            answer = Speaker(driver).post(ROUTE, {"events": events})
            seconds = time.process_time() - began
        assert answer.json()["created"] == answer.json()["parked"] == size // 2
        counts.append(len(queries))

    assert counts[0] == counts[1]
    assert seconds < 2
    assert ParkedEvent.objects.count() == 520
