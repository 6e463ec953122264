from typing import Any

import pytest

from supplies.organisations.models import Organisation
from supplies.receipts.models import Receipt
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.api_client import Speaker, speaker, today  # noqa: F401
from tests.makers import (
    NOW,
    make_allocation,
    make_facility,
    make_mode,
    make_need,
    make_offer,
    make_organisation,
    make_shipment,
)

pytestmark = pytest.mark.django_db
CAST = [
    "nobody",
    "a stranger",
    "the hospital",
    "another hospital",
    "the donor",
    "another donor",
    "the carrier",
    "another carrier",
    "a volunteer",
    "a coordinator",
    "an auditor",
    "the administrator",
]
DESK = {"a volunteer", "a coordinator", "the administrator"}
PARTIES = {"the hospital", "the donor", "the carrier", "an auditor"}


class Story:
    """A donor, a carrier and a hospital with one shipment between them."""

    def __init__(self, status: str = "draft") -> None:
        self.facility = make_facility()
        self.donor, self.carrier = make_organisation("donor"), make_organisation("carrier")
        self.allocation = make_allocation(100, need=make_need(self.facility), offer=make_offer(self.donor))
        self.shipment = make_shipment(self.allocation, carrier=self.carrier, status=status)
        self.path = f"shipments/{self.shipment.pk}/"

    def speaker(self, who: str) -> Speaker:
        return speaker(who, hospital=self.facility.organisation, donor=self.donor, carrier=self.carrier)

    @property
    def line(self) -> int:
        return int(self.shipment.lines.get().pk)


ACTIONS: dict[str, tuple[str, set[str], str]] = {
    # action: (the status it needs, who may do it, the status it leads to)
    "book": ("draft", DESK, "booked"),
    "dispatch": ("booked", DESK | {"the carrier"}, "in_transit"),
    "arrive": ("in_transit", DESK | {"the carrier"}, "at_the_door"),
    "deliver": ("in_transit", DESK | {"the carrier", "the hospital"}, "delivered"),
    "return": ("in_transit", DESK | {"the carrier"}, "returning"),
    "lose": ("in_transit", DESK | {"the carrier"}, "lost"),
    "cancel": ("booked", DESK | {"the carrier"}, "cancelled"),
    "receive": ("delivered", DESK | {"the hospital"}, "accepted"),
}


def body(action: str, story: Story) -> dict[str, Any]:
    bodies: dict[str, dict[str, Any]] = {
        "book": {"carrier": str(story.carrier.pk), "waybill": "W1", "expected_on": "2026-11-30"},
        "return": {"note": "gate closed"},
        "receive": {"lines": [{"line": story.line, "accepted": 100}]},
    }
    return bodies.get(action, {})


@pytest.mark.parametrize("who", CAST)
@pytest.mark.parametrize("action", ACTIONS)
def test_a_shipment_is_moved_by_those_who_may_and_nobody_else(action: str, who: str) -> None:
    needs, allowed, leads_to = ACTIONS[action]
    story = Story(needs)
    sees = DESK | PARTIES - ({"the carrier"} if needs == "draft" else set())

    answer = story.speaker(who).post(f"{story.path}{action}/", body(action, story))

    expected = 200 if who in allowed else 401 if who == "nobody" else 403 if who in sees else 404
    assert answer.status_code == expected, answer.json()
    story.shipment.refresh_from_db()
    assert story.shipment.status == (leads_to if expected == 200 else needs)


@pytest.mark.parametrize("who", CAST)
def test_only_volunteers_put_a_shipment_together(who: str) -> None:
    facility, donor = make_facility(), make_organisation("donor")
    allocation = make_allocation(need=make_need(facility), offer=make_offer(donor))

    answer = speaker(who, hospital=facility.organisation, donor=donor).post(
        "shipments/", {"allocations": [str(allocation.pk)]}
    )

    assert answer.status_code == (201 if who in DESK else 401 if who == "nobody" else 403), answer.json()
    assert Shipment.objects.exists() == (who in DESK)


def test_a_shipment_goes_the_whole_way_and_closes_the_need() -> None:
    story = Story()
    moving.cancel(story.shipment, by=None, at=NOW)
    volunteer, carrier, hospital = map(story.speaker, ("a volunteer", "the carrier", "the hospital"))

    made = volunteer.post("shipments/", {"allocations": [str(story.allocation.pk)]}).json()
    path = f"shipments/{made['id']}/"
    assert (
        volunteer.post(f"{path}book/", {"carrier": str(story.carrier.pk), "mode": make_mode().pk}).json()[
            "status"
        ]
        == "booked"
    )
    assert carrier.post(f"{path}dispatch/").json()["status"] == "in_transit"
    seen = {
        "occurred_at": "2026-11-23T07:00:00Z",
        "step": "transporting",
        "external_id": "e1",
        "place": "襄阳",
    }
    assert carrier.post(f"{path}events/", seen).status_code == 201
    assert carrier.post(f"{path}deliver/").json()["status"] == "delivered"
    count = {"lines": [{"line": made["lines"][0]["id"], "accepted": 60, "damaged": 30}]}
    counted = hospital.post(f"{path}receive/", count).json()

    assert counted["status"] == "partly_accepted"
    assert counted["receipt"]["lines"] == [
        {
            "line": made["lines"][0]["id"],
            "shipped": 100,
            "counted": 90,
            "accepted": 60,
            "damaged": 30,
            "wrong_item": 0,
            "expired": 0,
            "refused": 0,
            "refusal": "",
            "refusal_words": "",
            "missing": 10,
            "surplus": 0,
        }
    ]
    assert [event["step"] for event in counted["events"]] == [
        "transporting",
        "departing",
        "receiving",
        "accepting",
    ]
    need = Speaker().get(f"needs/{story.allocation.need_id}/").json()
    assert (need["gauges"]["received"], need["gauges"]["outstanding"]) == (60, 940)


def test_the_same_event_of_a_carrier_is_written_once() -> None:
    story = Story("in_transit")
    carrier = story.speaker("the carrier")
    seen = {"occurred_at": "2026-11-23T07:00:00+08:00", "step": "transporting", "external_id": "e1"}

    first, again = (carrier.post(f"{story.path}events/", seen) for _time in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    listed = carrier.get(f"{story.path}events/").json()["results"]
    assert [event["external_id"] for event in listed] == ["e1", ""]
    assert listed[0]["occurred_at"] == "2026-11-22T23:00:00Z"


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ({}, "occurred_at"),
        ({"occurred_at": "2026-11-23T07:00:00"}, "occurred_at"),
        ({"occurred_at": "2026-11-23"}, "occurred_at"),
        ({"occurred_at": "0001-01-01T00:00:00+14:00"}, "occurred_at"),
        ({"occurred_at": "9999-12-31T23:59:59-14:00"}, "occurred_at"),
        ({"occurred_at": "2030-01-01T00:00:00Z"}, "occurred_at"),
        ({"occurred_at": 1763884800}, "occurred_at"),
        ({"step": "flying"}, "step"),
        ({"place": "x" * 121}, "place"),
    ],
)
def test_a_bad_event_is_refused_by_name(event: dict[str, Any], field: str) -> None:
    story = Story("in_transit")
    good = {"occurred_at": "2026-11-23T07:00:00Z", "step": "transporting"}
    sent = {**good, **event} if event else {"step": "transporting"}

    answer = story.speaker("the carrier").post(f"{story.path}events/", sent)

    assert answer.status_code == 400, answer.json()
    assert list(answer.json()["fields"]) == [field]
    assert story.shipment.events.count() == 1


@pytest.mark.parametrize(
    ("lines", "field"),
    [
        ([], "lines"),
        ([{"line": 0, "accepted": 1}], "lines.0.line"),
        ([{"line": 2**70, "accepted": 1}], "lines.0.line"),
        ([{"line": "a", "accepted": 1}], "lines.0.line"),
        ([{"accepted": 1}], "lines.0.line"),
        ([{"line": ..., "accepted": -1}], "lines.0.accepted"),
        ([{"line": ..., "accepted": 1.5}], "lines.0.accepted"),
        ([{"line": ..., "accepted": 99999}], "lines.0.accepted"),
        ([{"line": ..., "missing": 5}], "lines.0.missing"),
        ([{"line": ..., "accepted": 1}, {"line": ..., "accepted": 2}], "lines"),
    ],
)
def test_a_bad_count_is_refused_by_name_and_nothing_is_received(
    lines: list[dict[str, Any]], field: str
) -> None:
    story = Story("delivered")
    sent = [{**line, **({"line": story.line} if line.get("line") is ... else {})} for line in lines]

    answer = story.speaker("the hospital").post(f"{story.path}receive/", {"lines": sent})

    assert answer.status_code == 400, answer.json()
    assert list(answer.json()["fields"]) == [field]
    assert not Receipt.objects.exists()


def test_a_mixed_load_is_refused_with_its_code() -> None:
    allocations = [str(make_allocation().pk) for _number in range(2)]

    answer = speaker("a volunteer").post("shipments/", {"allocations": allocations})

    assert (answer.status_code, answer.json()["code"]) == (409, "mixed-load")


@pytest.mark.parametrize("ids", [[], ["1"], ["00000000-0000-0000-0000-000000000000"], "all", [None]])
def test_a_shipment_of_nothing_we_know_is_400(ids: Any) -> None:
    answer = speaker("a volunteer").post("shipments/", {"allocations": ids})

    assert answer.status_code == 400
    assert next(iter(answer.json()["fields"])).startswith("allocations")


def test_only_a_carrier_is_booked() -> None:
    story = Story()

    answer = story.speaker("a volunteer").post(f"{story.path}book/", {"carrier": str(story.donor.pk)})

    assert (answer.status_code, answer.json()["code"]) == (409, "not-a-carrier")


def test_a_carrier_sees_its_own_shipments_only() -> None:
    story = Story("booked")
    Story("booked")
    assert Organisation.objects.filter(kind="carrier").count() == 2

    found = story.speaker("the carrier").get("shipments/").json()["results"]

    assert [row["id"] for row in found] == [str(story.shipment.pk)]
    assert found[0]["consignee"]["address"] == "演练路1号"
