from datetime import timedelta
from typing import Any

import pytest

from supplies.catalogue.models import UnitRule
from supplies.needs.models import Appeal, Need
from tests.api_client import Speaker, speaker, today  # noqa: F401
from tests.makers import (
    NOW,
    TODAY,
    make_allocation,
    make_appeal,
    make_category,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_organisation,
    make_region,
    make_standard,
    make_unit,
    make_user,
)

pytestmark = pytest.mark.django_db
EVERYBODY = {
    "nobody": 401,
    "a stranger": 403,
    "the hospital": 200,
    "another hospital": 403,
    "a donor": 403,
    "a carrier": 403,
    "a volunteer": 200,
    "a coordinator": 200,
    "an auditor": 403,
    "the administrator": 200,
}


def body(facility: Any, **line: Any) -> dict[str, Any]:
    line = {"item": make_item().pk, "quantity": 500, **line}
    return {
        "facility": str(facility.pk),
        "emergency": make_emergency().pk,
        "lines": [{key: value for key, value in line.items() if value is not ...}],
    }


# -- posting ----------------------------------------------------------------------------------------------


def test_an_appeal_is_posted_with_its_lines_and_waits_for_a_volunteer() -> None:
    facility = make_facility()
    posting = body(facility, urgency=1, needed_by="2026-12-01", accepted_standards=[make_standard().pk])

    answer = speaker("the hospital", hospital=facility.organisation).post("appeals/", posting)

    assert answer.status_code == 201, answer.json()
    appeal = answer.json()
    assert appeal["status"] == "waiting"
    assert appeal["details"]["code"] == Appeal.objects.get().code
    (need,) = appeal["needs"]
    assert (need["quantity"], need["unit"], need["urgency"]) == (500, "piece", 1)
    assert (need["status"], need["urgency_assumed"]) == ("waiting", False)
    assert need["accepted_standards"] == [make_standard().pk]
    assert need["gauges"] == {
        "requested": 500,
        "proposed": 0,
        "promised": 0,
        "in_transit": 0,
        "received": 0,
        "outstanding": 500,
    }


@pytest.mark.parametrize("who", EVERYBODY)
def test_anyone_signed_in_may_post_an_appeal(who: str) -> None:
    facility = make_facility()

    answer = speaker(who, hospital=facility.organisation).post("appeals/", body(facility))

    assert answer.status_code == (401 if who == "nobody" else 201)


def test_a_facility_that_cannot_be_seen_cannot_be_posted_for() -> None:
    hidden = make_facility(make_organisation("hospital", verified=False))

    answer = speaker("a stranger").post("appeals/", body(hidden))

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["facility"]


def test_an_unlimited_need_is_posted_without_a_number() -> None:
    facility = make_facility()

    answer = speaker("a stranger").post("appeals/", body(facility, quantity_kind="unlimited", quantity=...))

    assert answer.status_code == 201, answer.json()
    (need,) = answer.json()["needs"]
    assert (need["quantity"], need["shown"], need["quantity_assumed"]) == (None, None, 10_000)


def test_an_appeal_for_an_emergency_that_is_over_is_refused() -> None:
    posting = {**body(make_facility()), "emergency": make_emergency("old", status="over").pk}

    answer = speaker("a stranger").post("appeals/", posting)

    assert (answer.status_code, answer.json()["code"]) == (409, "emergency-over")


# -- units ------------------------------------------------------------------------------------------------


def make_gloves() -> Any:
    pair = make_unit("pair", name_zh="双", name_en="pair")
    return make_item("GLOVE_EXAM", display_unit=pair, display_factor=2)


def make_box() -> None:
    box = make_unit("box", name_zh="盒", name_en="box", kind="package")
    UnitRule.objects.create(code="box", spoken=["盒", "箱", "box"], unit=box, is_package=True)
    UnitRule.objects.create(
        code="pair", spoken=["双"], unit=make_unit("pair"), numerator=2, denominator=1
    ).items.add(make_gloves())


@pytest.mark.parametrize(
    ("line", "base"),
    [
        ({"quantity": 50}, 50),
        ({"quantity": 50, "unit": ""}, 50),
        ({"quantity": 50, "unit": "piece"}, 50),
        ({"quantity": 50, "unit": "pair"}, 100),
        ({"quantity": 50, "unit": "双"}, 100),
        ({"quantity": 2, "unit": "百双"}, 400),
        ({"quantity": 3, "unit": "盒", "pack_content": 100}, 300),
        ({"quantity": 3, "unit": "100双/盒"}, 600),
    ],
)
def test_a_quantity_may_be_said_in_the_unit_people_use(line: dict[str, Any], base: int) -> None:
    make_box()
    facility = make_facility()

    answer = speaker("a stranger").post("appeals/", body(facility, item=make_gloves().pk, **line))

    assert answer.status_code == 201, answer.json()
    (need,) = answer.json()["needs"]
    assert (need["quantity"], need["unit"]) == (base, "piece")
    assert (need["shown"], need["shown_unit"]) == (str(base // 2), "pair")


@pytest.mark.parametrize("unit", ["盒", "箱", "box"])
def test_a_pack_without_its_content_is_asked_about(unit: str) -> None:
    make_box()

    answer = speaker("a stranger").post("appeals/", body(make_facility(), unit=unit))

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["lines.0.pack_content"]
    assert not Appeal.objects.exists()


# -- browsing ---------------------------------------------------------------------------------------------


def shown(**query: Any) -> set[str]:
    answer = Speaker().get("needs/", **query)
    assert answer.status_code == 200, answer.json()
    return {row["id"] for row in answer.json()["results"]}


def test_needs_are_narrowed_by_every_filter() -> None:
    here = make_facility(region=make_region("420106"), name="武昌医院")
    gloves = make_item("GLOVE", category=make_category("gloves"), name_zh="手套", name_en="Glove")
    mine = make_need(here, item=gloves, urgency=1, needed_by=TODAY + timedelta(days=3))
    make_need(
        make_facility(region=make_region("440103", "荔湾区")), urgency=3, emergency=make_emergency("flood")
    )

    for query in (
        {"region": "420106"},
        {"region": "420000"},
        {"category": "gloves"},
        {"item": "GLOVE"},
        {"organisation": str(here.organisation_id)},
        {"emergency": "flu-2026"},
        {"urgency": "1"},
        {"needed_by_before": (TODAY + timedelta(days=3)).isoformat()},
        {"q": "手套"},
        {"q": "武昌医"},
        {"region": "420000", "urgency": "1", "q": "Glove"},
    ):
        assert shown(**query) == {str(mine.pk)}, query
    assert shown(region="CN", status="open") == {str(pk) for pk in Need.objects.values_list("pk", flat=True)}
    assert shown(needed_by_after=(TODAY + timedelta(days=4)).isoformat()) == shown() - {str(mine.pk)}
    assert shown(status="met") == set()


def test_a_need_that_waits_for_a_volunteer_is_seen_by_its_own_people_only() -> None:
    facility = make_facility()
    poster = make_user()
    waiting = make_need(facility, published=False, by=poster)

    def status(one: Speaker) -> int:
        return int(one.get(f"needs/{waiting.pk}/").status_code)

    assert status(Speaker()) == 404
    assert status(speaker("a stranger")) == 404
    assert status(Speaker(poster)) == 200
    assert status(speaker("the hospital", hospital=facility.organisation)) == 200
    assert status(speaker("a volunteer")) == 200


def test_what_is_not_public_of_an_appeal_is_told_to_its_own_people_only() -> None:
    facility = make_facility()
    appeal = make_appeal(facility, courier_address="演练路1号")

    def details(who: str) -> Any:
        return speaker(who, hospital=facility.organisation).get(f"appeals/{appeal.pk}/").json()["details"]

    assert details("nobody") is None
    assert details("another hospital") is None
    assert details("a carrier") is None
    assert details("the hospital")["courier_address"] == "演练路1号"
    assert details("an auditor")["courier_address"] == "演练路1号"


# -- changing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", EVERYBODY)
@pytest.mark.parametrize("verb", ["not-needed", "confirm", "change", "withdraw the appeal"])
def test_only_the_hospital_and_volunteers_change_a_need(verb: str, who: str) -> None:
    facility = make_facility()
    need = make_need(facility)
    person = speaker(who, hospital=facility.organisation)

    if verb == "change":
        answer = person.patch(f"needs/{need.pk}/", {"quantity": 900})
    elif verb == "withdraw the appeal":
        answer = person.post(f"appeals/{need.appeal_id}/withdraw/")
    else:
        answer = person.post(f"needs/{need.pk}/{verb}/")

    before = need.quantity, need.status, need.confirmed_at
    assert answer.status_code == EVERYBODY[who], answer.json()
    need.refresh_from_db()
    changed = (need.quantity, need.status, need.confirmed_at) != before
    assert changed == (answer.status_code == 200)


def test_who_posted_an_appeal_may_take_it_back() -> None:
    poster = make_user()
    appeal = make_appeal(by=poster)

    answer = Speaker(poster).post(f"appeals/{appeal.pk}/withdraw/")

    assert answer.json()["status"] == "withdrawn"
    assert [need["status"] for need in answer.json()["needs"]] == ["withdrawn"]


def test_a_need_is_changed_and_answers_its_new_gauges() -> None:
    facility = make_facility()
    need = make_need(facility, quantity=1000)
    make_allocation(300, need=need)
    hospital = speaker("the hospital", hospital=facility.organisation)

    changed = hospital.patch(f"needs/{need.pk}/", {"quantity": 400, "urgency": 1})
    too_low = hospital.patch(f"needs/{need.pk}/", {"quantity": 200})

    assert changed.json()["gauges"]["outstanding"] == 100
    assert (too_low.status_code, too_low.json()["code"]) == (409, "below-what-is-promised")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 10**9}, "quantity"),
        ({"quantity": None}, "quantity"),
        ({"needed_by": "2020-01-01"}, "needed_by"),
        ({"needed_by": None}, "needed_by"),
        ({"urgency": None}, "urgency"),
        ({"status": "met"}, "status"),
        ({"item": "MASK_SURG"}, "item"),
        ({"daily_use": -1}, "daily_use"),
        ({"min_lot": 0}, "min_lot"),
    ],
)
def test_a_bad_change_is_refused_by_name_and_changes_nothing(change: dict[str, Any], field: str) -> None:
    facility = make_facility()
    need = make_need(facility)
    before = Need.objects.values().get(pk=need.pk)

    answer = speaker("the hospital", hospital=facility.organisation).patch(f"needs/{need.pk}/", change)

    assert answer.status_code == 400, answer.json()
    assert list(answer.json()["fields"]) == [field]
    assert Need.objects.values().get(pk=need.pk) == before


def test_confirming_is_refused_once_a_need_is_withdrawn() -> None:
    facility = make_facility()
    need = make_need(facility)
    member = make_member("hospital", facility.organisation)
    assert Speaker(member).post(f"needs/{need.pk}/not-needed/").json()["status"] == "withdrawn"

    answer = Speaker(member).post(f"needs/{need.pk}/confirm/")

    assert (answer.status_code, answer.json()["code"]) == (409, "move-refused")
    assert need.confirmed_at == NOW
