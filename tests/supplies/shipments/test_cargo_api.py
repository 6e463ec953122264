"""Packing, planning, splitting and merging through the API: who may, what is wrong with what was sent, how often it asks."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from supplies.loads import services as loads
from supplies.shipments import legs, packing
from tests.api_client import Speaker, speaker, today  # noqa: F401
from tests.makers import NOW, make_load, make_member, make_organisation, make_region, make_shipment
from tests.supplies.shipments.test_api import CAST, DESK, Story

pytestmark = pytest.mark.django_db
WHY = {"reason": "The van is full."}


def carton(story: Story, quantity: int = 10, **fields: Any) -> dict[str, Any]:
    return {"kind": "carton", "contents": [{"line": story.line, "quantity": quantity}], **fields}


BODIES: dict[str, Any] = {
    "units": lambda story: {"units": [carton(story)]},
    "declare": lambda story: {"gross_weight_g": 5_000, "min_temp_c": 2, "max_temp_c": 8},
    "legs": lambda story: {"legs": []},
    "split": lambda story: {"lines": [{"line": story.line, "quantity": 1}], **WHY},
    "reassign": lambda story: {"carrier": str(make_organisation("carrier").pk), **WHY},
}
PACKERS = DESK | {"the donor", "the carrier"}
MAY = {"units": PACKERS, "declare": PACKERS, "legs": DESK, "split": DESK, "reassign": DESK}


@pytest.mark.parametrize("who", CAST)
@pytest.mark.parametrize("action", BODIES)
def test_who_may_change_a_shipment_before_it_leaves(action: str, who: str) -> None:
    story = Story("booked")

    answer = story.speaker(who).post(f"{story.path}{action}/", BODIES[action](story))

    if who in MAY[action]:
        assert answer.status_code in (200, 201), answer.json()
    else:
        assert answer.status_code in (401, 403, 404)


def test_a_packed_shipment_shows_its_units_its_lots_and_its_weight() -> None:
    story = Story()
    desk = story.speaker("a volunteer")

    desk.post(f"{story.path}units/", {"units": [carton(story, 100, gross_weight_g=51_000)]})

    shown = desk.get(story.path).json()
    (unit,) = shown["units"]
    assert unit["contents"] == [{"line": story.line, "quantity": 100}]
    assert (shown["gross_weight_g"], shown["volume_cm3"], shown["rec19"]) == (51_000, None, "")
    assert [caution["code"] for caution in shown["cautions"]] == ["too-heavy"]
    assert {"lot_number", "expires_on", "un_number", "hazard_class"} <= set(shown["lines"][0])


SSCC = "006141411234567891"  # its last digit should be 0
WRONG: dict[str, Any] = {
    "a wrong check digit": ("units", lambda story: {"units": [carton(story, sscc=SSCC)]}, "units.0.sscc"),
    "no units": ("units", lambda story: {"units": []}, "units"),
    "a unit without contents": ("units", lambda story: {"units": [{"kind": "carton"}]}, "units.0.contents"),
    "another's line": (
        "units",
        lambda story: {"units": [{"kind": "carton", "contents": [{"line": 10**9, "quantity": 1}]}]},
        "units.0.contents.0.line",
    ),
    "a line beyond every number": (
        "units",
        lambda story: {"units": [{"kind": "carton", "contents": [{"line": 10**30, "quantity": 1}]}]},
        "units.0.contents.0.line",
    ),
    "a unit there is not": ("unpack", lambda story: {"units": [10**9]}, "units.0"),
    "colder than cold": ("declare", lambda story: {"min_temp_c": -300}, "min_temp_c"),
    "upside down": ("declare", lambda story: {"min_temp_c": 8, "max_temp_c": 2}, "max_temp_c"),
    "half a danger": (
        "declare",
        lambda story: {"lines": [{"line": story.line, "un_number": "1170", "hazard_class": ""}]},
        "lines.0.hazard_class",
    ),
    "no number of the UN": (
        "declare",
        lambda story: {"lines": [{"line": story.line, "un_number": "١١٧٠", "hazard_class": "3"}]},
        "lines.0.un_number",
    ),
    "nothing to split": ("split", lambda story: WHY, "lines"),
    "no reason": ("split", lambda story: {"lines": [{"line": story.line, "quantity": 1}]}, "reason"),
    "itself": ("merge", lambda story: {"other": str(story.shipment.pk), **WHY}, "other"),
    "nobody's shipment": ("merge", lambda story: {"other": str(story.facility.pk), **WHY}, "other"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_makes_no_sense_is_refused_by_its_field(what: str) -> None:
    action, body, field = WRONG[what]
    story = Story("booked")

    answer = story.speaker("a volunteer").post(f"{story.path}{action}/", body(story))

    assert answer.status_code == 400, answer.json()
    assert field in answer.json()["fields"]


def test_more_than_is_left_is_a_conflict_with_a_code() -> None:
    story = Story()

    answer = story.speaker("a volunteer").post(f"{story.path}units/", {"units": [carton(story, 101)]})

    assert (answer.status_code, answer.json()["code"]) == (409, "not-enough-left")


def test_a_journey_in_legs_is_planned_and_travelled() -> None:
    story = Story("booked")
    other = make_organisation("carrier")
    start, hub, end = (make_region(f"42010{number}").pk for number in (2, 3, 4))
    plan = [
        {"from_region": start, "to_region": hub, "carrier": str(story.carrier.pk)},
        {"from_region": hub, "to_region": end, "carrier": str(other.pk), "waybill": "CA 1"},
    ]
    desk, driver = story.speaker("a volunteer"), story.speaker("the carrier")
    pilot = Speaker(make_member("carrier", other))
    assert desk.post(f"{story.path}legs/", {"legs": plan}).status_code == 200

    answers = [
        driver.post(f"{story.path}dispatch/"),
        driver.post(f"{story.path}reach-hub/"),
        pilot.post(f"{story.path}leave-hub/"),
        pilot.post(f"{story.path}deliver/"),
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200]
    assert driver.get(story.path).status_code == 404
    shown = answers[-1].json()
    assert (shown["status"], shown["carrier"]["id"], shown["waybill"]) == ("delivered", str(other.pk), "CA 1")
    assert all(leg["departed_at"] and leg["arrived_at"] for leg in shown["legs"])


@pytest.mark.parametrize("who", CAST)
def test_who_moves_a_load(who: str) -> None:
    story = Story("booked")
    load = make_load(story.shipment)

    answer = story.speaker(who).post(f"loads/{load.pk}/dispatch/")

    if who in DESK | {"the carrier"}:
        assert (answer.status_code, answer.json()["status"]) == (200, "in_transit")
    else:
        assert answer.status_code in (401, 403, 404)


@pytest.mark.parametrize("who", CAST)
def test_who_says_what_is_on_a_load(who: str) -> None:
    story = Story("booked")
    load = make_load(story.shipment)
    body = {"shipments": [str(story.shipment.pk)]}

    answer = story.speaker(who).post(f"loads/{load.pk}/remove/", body)

    if who in DESK:
        assert (answer.status_code, answer.json()["shipments"]) == (200, [])
    else:
        assert answer.status_code in (401, 403, 404)


def test_a_shipment_that_goes_elsewhere_joins_no_load() -> None:
    load = make_load()
    body = {"shipments": [str(make_shipment(status="booked").pk)]}

    answer = Speaker(make_member("volunteer")).post(f"loads/{load.pk}/add/", body)

    assert (answer.status_code, answer.json()["code"]) == (409, "other-consignee")


def full(cartons: int) -> str:
    """A shipment with so many cartons and legs, on a load."""
    story = Story("booked")
    packing.pack(
        story.shipment,
        units=[
            {"kind": "carton", "contents": [{"line": story.shipment.lines.get(), "quantity": 1}]}
            for _one in range(cartons)
        ],
        by=None,
        at=NOW,
    )
    region = make_region()
    leg = {"from_region": region, "to_region": region, "carrier": story.carrier}
    legs.plan(story.shipment, legs=[leg] * cartons, by=None, at=NOW)
    loads.gather(
        story.facility,
        hub_region=region,
        carrier=story.carrier,
        shipments=[story.shipment],
        by=None,
        at=NOW,
    )
    return story.path


@pytest.mark.parametrize("verb", ["get", "declare"])
def test_a_full_shipment_asks_the_database_as_often_as_a_small_one(verb: str) -> None:
    desk = Speaker(make_member("volunteer"))
    desk.get("shipments/")  # the first request of a key is noted
    counts = []
    for path in (full(2), full(20)):
        with CaptureQueriesContext(connection) as queries:
            answer = desk.get(path) if verb == "get" else desk.post(f"{path}declare/", {"max_temp_c": 8})
        assert answer.status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_forty_cartons_are_packed_with_as_many_queries_as_two() -> None:
    desk, counts = Speaker(make_member("volunteer")), []
    desk.get("shipments/")  # the first request of a key is noted
    for cartons in (2, 40):
        story = Story()
        body = {"units": [carton(story, 1) for _one in range(cartons)]}
        with CaptureQueriesContext(connection) as queries:
            assert desk.post(f"{story.path}units/", body).status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
