"""Who may do what: coordinators outside their regions, auditors, strangers; and what nobody outside may read."""

from typing import Any

import pytest
from django.test import Client

from supplies.needs import services as asking
from supplies.organisations import services as people
from supplies.organisations.models import User
from tests.api_client import Speaker
from tests.desk import at_the_desk, choose
from tests.makers import (
    NOW,
    make_allocation,
    make_appeal,
    make_donation,
    make_facility,
    make_member,
    make_need,
    make_organisation,
    make_region,
    make_shipment,
    make_user,
)

pytestmark = pytest.mark.django_db


def coordinator_of(code: str) -> User:
    person = make_user()
    body = make_organisation("coordinator")
    people.enrol(person, body, "coordinator", by=None, at=NOW, regions=[make_region(code)])
    return person


@pytest.mark.parametrize(("where", "done"), [("420106", True), ("110101", False)])
def test_a_coordinator_acts_within_her_regions_only_at_the_desk(where: str, done: bool) -> None:
    client = at_the_desk(coordinator_of(where))
    appeal, donation = make_appeal(published=False), make_donation(published=False)
    allocation, shipment = make_allocation(), make_shipment()

    choose(client, "publish", appeal)
    choose(client, "publish", donation)
    choose(client, "release", allocation, reason="changed")
    choose(client, "cancel", shipment, answered="yes")

    moved = []
    for row, before in (
        (appeal, "waiting"),
        (donation, "waiting"),
        (allocation, "reserved"),
        (shipment, "draft"),
    ):
        row.refresh_from_db()
        moved.append(row.status != before)
    assert moved == [done] * 4


@pytest.mark.parametrize(
    ("where", "public", "private"), [("420106", 200, 200), ("110101", 403, 404)], ids=["inside", "outside"]
)
def test_a_coordinator_acts_within_her_regions_only_through_the_api(
    where: str, public: int, private: int
) -> None:
    """Outside them she may not change what everyone sees, and does not see what is not public."""
    speaker = Speaker(coordinator_of(where))
    need, allocation = make_need(), make_allocation()
    donation, shipment = make_donation(), make_shipment(status="in_transit")

    answers = [
        speaker.post(f"needs/{need.pk}/confirm/"),
        speaker.post(f"allocations/{allocation.pk}/release/", {"reason": "changed"}),
        speaker.post(f"donations/{donation.pk}/withdraw/"),
        speaker.post(f"shipments/{shipment.pk}/deliver/"),
        speaker.post(f"facilities/{need.appeal.facility_id}/pause/"),
    ]
    made = speaker.post("shipments/", {"allocations": [str(make_allocation().pk)]})

    assert [answer.status_code for answer in answers] == [public, private, private, private, public]
    assert made.status_code == (201 if public == 200 else 400)


def test_an_auditor_of_a_hospital_changes_nothing_of_it() -> None:
    hospital = make_facility()
    auditor = Speaker(make_member("auditor", hospital.organisation))
    need, shipment = make_need(hospital), make_shipment(status="delivered")
    shipment.consignee = hospital
    shipment.save()
    line = shipment.lines.get()

    answers = [
        auditor.post(f"needs/{need.pk}/not-needed/"),
        auditor.patch(f"needs/{need.pk}/", {"quantity": 5}),
        auditor.post(f"appeals/{need.appeal_id}/withdraw/"),
        auditor.post(f"facilities/{hospital.pk}/pause/"),
        auditor.post(f"shipments/{shipment.pk}/receive/", {"lines": [{"line": line.pk, "accepted": 1}]}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5


def test_what_was_withdrawn_before_a_volunteer_read_it_is_never_public() -> None:
    need = make_need(published=False)
    asking.withdraw(need.appeal, by=None, at=NOW)

    listed = Speaker().get("needs/", status="withdrawn").json()["results"]

    assert listed == []
    assert Speaker().get(f"needs/{need.pk}/").status_code == 404
    assert Speaker(make_user()).get(f"needs/{need.pk}/").status_code == 404


def test_nobody_posts_a_need_for_the_site_of_a_donor(stranger: User) -> None:
    site = make_facility(make_organisation("donor"))
    body = {
        "facility": str(site.pk),
        "emergency": "flu-2026",
        "lines": [{"item": "MASK_SURG", "quantity": 5}],
    }
    make_need()

    answer = Speaker(stranger).post("appeals/", body)

    assert answer.status_code in (400, 403)
    assert site.name not in answer.content.decode()


def test_an_appeal_that_has_closed_is_not_published_by_hand(volunteer: Any) -> None:
    need = make_need()
    asking.withdraw_need(need, by=None, at=NOW)

    choose(at_the_desk(volunteer), "publish", need.appeal)

    need.appeal.refresh_from_db()
    assert need.appeal.status == "closed"


@pytest.mark.parametrize(
    "path", ["/desk/login/?next=https://evil.example/", "/sign-in/?next=//evil.example/"]
)
def test_signing_in_leads_nowhere_else(path: str) -> None:
    make_user("root", is_staff=True, is_superuser=True)

    answer = Client().post(path, {"username": "root", "password": "a long enough phrase"})

    assert answer.status_code in (200, 302, 404)
    assert "evil" not in answer.headers.get("Location", "")


@pytest.mark.parametrize("key", ["abc", "a\0b", "9" * 50])
def test_a_row_chosen_at_the_desk_that_could_not_be_one_is_a_bad_request(volunteer: Any, key: str) -> None:
    make_appeal(published=False)
    form = {"action": "publish", "_selected_action": [key], "index": "0"}

    answer = at_the_desk(volunteer).post("/desk/supplies/appeal/", form)

    assert answer.status_code == 400
