"""What is public, what asks who you are, and what a key or a session opens."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from supplies.organisations import services as people
from supplies.organisations.keys import Scope
from tests.api_client import V1, Speaker, today  # noqa: F401
from tests.makers import (
    NOW,
    make_allocation,
    make_appeal,
    make_delivery,
    make_donation,
    make_facility,
    make_member,
    make_need,
    make_organisation,
    make_proposal,
    make_shipment,
    make_user,
)

pytestmark = pytest.mark.django_db


PUBLIC = ["announcements", "regions", "categories", "items", "standards", "emergencies", "organisations", "facilities",
          "listed-facilities", "appeals", "needs", "foreign-needs", "offers"]  # fmt: skip
PRIVATE = [
    "donations",
    "matching-runs",
    "proposals",
    "allocations",
    "shipments",
    "webhook-endpoints",
    "webhook-deliveries",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_can_be_read_without_login(name: str) -> None:
    assert Speaker().get(f"{name}/").status_code == 200


@pytest.mark.parametrize("name", PRIVATE)
def test_what_is_not_public_asks_who_you_are(name: str) -> None:
    assert Speaker().get(f"{name}/").status_code == 401


@pytest.mark.parametrize("name", PRIVATE)
def test_a_stranger_sees_an_empty_list_and_no_row_of_others(name: str, stranger: Any) -> None:
    shipment = make_shipment(make_allocation())
    proposal, delivery = make_proposal(), make_delivery()
    rows = {
        "donations": proposal.offer.donation,
        "matching-runs": proposal.family_run.run,
        "proposals": proposal,
        "allocations": shipment.lines.get().allocation,
        "shipments": shipment,
        "webhook-endpoints": delivery.endpoint,
        "webhook-deliveries": delivery,
    }

    assert Speaker(stranger).get(f"{name}/").json()["results"] == []
    assert Speaker(stranger).get(f"{name}/{rows[name].pk}/").status_code == 404


CANARIES = [
    "Zhang Canary",
    "13900001234",
    "canary@example.org",
    "Canary Lane 7",
    "the poster",
    "Canary Donors",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_no_public_answer_names_a_person_a_number_an_address_or_a_donor(name: str) -> None:
    poster = make_user("the poster", first_name="Zhang Canary")
    hospital = make_facility(address="Canary Lane 7")
    people.keep_contact(
        hospital.organisation, at=NOW, name="Zhang Canary", phone="13900001234", email="canary@example.org"
    )
    make_appeal(hospital, by=poster, courier_address="Canary Lane 7", remark="call 13900001234")
    donor = make_organisation("donor", name="Canary Donors")
    make_facility(donor)
    make_donation(donor, by=poster, address="Canary Lane 7", remark="Zhang Canary")

    for path in (f"{name}/", *(f"{name}/{row.get('id') or row['code']}/" for row in _rows(name))):
        answer = Speaker().get(path)
        assert answer.status_code == 200
        assert [word for word in CANARIES if word in answer.content.decode()] == []


def _rows(name: str) -> list[dict[str, Any]]:
    return list(Speaker().get(f"{name}/").json()["results"])


def test_a_token_works_within_its_scopes_only() -> None:
    facility = make_facility()
    member = make_member("hospital", facility.organisation)
    need = make_need(facility)
    client = Speaker().client

    def answered(*scopes: str, method: str = "post", path: str = f"needs/{need.pk}/confirm/") -> int:
        _token, secret = people.issue_token(member, name="program", scopes=scopes, at=NOW)
        client.credentials(HTTP_AUTHORIZATION=f"Token {secret}")
        return int(getattr(client, method)(V1 + path, format="json").status_code)

    assert answered(Scope.READ, method="get", path="donations/") == 200
    assert answered(method="get", path="donations/") == 403
    assert answered(Scope.READ) == 403
    assert answered(Scope.OFFERS) == 403
    assert answered(Scope.NEEDS) == 200


@pytest.mark.parametrize("secret", ["tz_wrong", "", "tz_\u00e9", "a b"])
def test_a_wrong_token_is_401_even_where_reading_is_public(secret: str) -> None:
    client = Speaker().client
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}".encode())

    assert client.get(f"{V1}needs/").status_code == 401


def test_a_browser_s_session_needs_its_csrf_token() -> None:
    member = make_member("hospital")
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(member)

    answer = client.post(f"{V1}appeals/", {}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (403, "permission-denied")


def test_another_s_row_and_a_missing_one_are_answered_alike(stranger: Any) -> None:
    theirs = make_donation()

    other, missing = (Speaker(stranger).get(f"donations/{pk}/") for pk in (theirs.pk, make_need().pk))

    assert (other.status_code, other.json()) == (missing.status_code, missing.json())
    assert other.status_code == 404
