"""A number leaves only after it was written down who is shown it, for what; and not too many of them."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from rest_framework.test import APIClient

from supplies.errors import NotYours, Refused, TooMany
from supplies.journal.models import Event
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.models import User
from supplies.privacy.models import Reveal
from supplies.privacy.services import reveal
from tests.api_client import Speaker, today  # noqa: F401
from tests.makers import NOW, make_member, make_organisation, make_shipment, make_user
from tests.owner import as_owner
from tests.page_client import reader
from tests.supplies.privacy.cast import Match, make_match

pytestmark = pytest.mark.django_db


@pytest.fixture
def match() -> Match:
    return make_match()


def ask(user: User, contact: Contact, **body: Any) -> Any:
    return Speaker(user).post(f"contacts/{contact.pk}/reveal/", {"purpose": "deliver", **body})


def test_a_side_of_a_match_is_shown_the_other_and_the_log_says_so(match: Match) -> None:
    answer = ask(match.giver, match.hospital_contact, allocation=str(match.allocation.pk))

    row = Reveal.objects.get()
    told = answer.json()
    assert told.pop("at").startswith("2026-11-23T08:00:0")
    assert told == {
        "id": str(match.hospital_contact.pk),
        "name": "演练护士",
        "phone": "000-0001-0001",
        "email": "nurse@demo.invalid",
        "post": "设备科",
        "purpose": "deliver",
        "reveal": str(row.pk),
    }
    assert answer["Cache-Control"] == "private, no-store"
    assert (row.contact_id, row.by, row.whose, row.organisation, row.on_behalf_of) == (
        match.hospital_contact.pk,
        match.giver,
        match.nurse,
        match.site.organisation,
        match.donor,
    )
    assert (row.ground, row.purpose, row.subject, row.subject_id) == (
        "match",
        "deliver",
        "allocation",
        str(match.allocation.pk),
    )
    assert row.fields == ["name", "phone", "email"]
    assert Event.objects.get(kind="contact.revealed").facts == {"reveal": str(row.pk), "purpose": "deliver"}


def test_the_match_is_found_where_none_is_named(match: Match) -> None:
    ask(match.giver, match.hospital_contact)

    assert Reveal.objects.get().subject_id == str(match.allocation.pk)


def test_a_carrier_is_shown_name_and_number_of_the_door_and_no_more(match: Match) -> None:
    shipment = make_shipment(match.allocation, carrier=match.carrier, status="booked")

    answer = ask(match.driver, match.hospital_contact, shipment=str(shipment.pk)).json()

    assert (answer["phone"], answer["email"]) == ("000-0001-0001", "")
    assert Reveal.objects.get().fields == ["name", "phone"]


@pytest.mark.parametrize(
    ("who", "purpose", "status"),
    [
        ("stranger", "deliver", 403),
        ("giver", "verify", 403),
        ("giver", "own", 403),
        ("auditor", "verify", 403),
        ("nobody", "deliver", 401),
        ("giver", "because", 400),
    ],
)
def test_without_a_standing_for_the_purpose_nothing_is_shown_and_nothing_written(
    match: Match, who: str, purpose: str, status: int
) -> None:
    users = {"stranger": make_user(), "giver": match.giver, "auditor": make_member("auditor"), "nobody": None}

    answer = Speaker(users[who]).post(f"contacts/{match.hospital_contact.pk}/reveal/", {"purpose": purpose})

    assert answer.status_code == status
    assert "000-0001" not in answer.content.decode()
    assert not Reveal.objects.exists()


def test_a_contact_one_may_not_even_see_masked_is_answered_like_a_missing_one(match: Match) -> None:
    import uuid

    stranger = make_user()

    hidden = ask(stranger, match.donor_contact)
    missing = Speaker(stranger).post(f"contacts/{uuid.uuid4()}/reveal/", {"purpose": "deliver"})

    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)


@pytest.mark.parametrize(
    "given", [{"allocation": "x"}, {"allocation": None}, {"shipment": []}, {"why": "x"}, {"purpose": 5}]
)
def test_what_cannot_be_read_is_said_by_its_field(match: Match, given: dict[str, Any]) -> None:
    answer = ask(match.giver, match.hospital_contact, **given)

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == list(given)


def test_a_match_and_a_delivery_at_once_are_refused(match: Match) -> None:
    shipment = make_shipment(match.allocation, carrier=match.carrier, status="booked")

    answer = ask(
        match.giver, match.hospital_contact, allocation=str(match.allocation.pk), shipment=str(shipment.pk)
    )

    assert list(answer.json()["fields"]) == ["shipment"]


@pytest.fixture
def log_refuses() -> Iterator[None]:
    """A log that cannot be written."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'the log is full'; END $$;"
            "CREATE TRIGGER refuse BEFORE INSERT ON supplies_reveal FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    yield
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER refuse ON supplies_reveal; DROP FUNCTION refuse()")


def test_what_cannot_be_written_down_is_not_shown(
    match: Match, log_refuses: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr("supplies.sealing.unseal_bytes", lambda *args, **more: opened.append(args) or b"x")

    with pytest.raises(DatabaseError, match="the log is full"), transaction.atomic():
        reveal(match.hospital_contact, purpose="deliver", by=match.giver, at=NOW)

    assert opened == []


def test_as_many_rows_stand_in_the_log_as_contacts_were_shown(match: Match, volunteer: User) -> None:
    shown = [
        ask(match.giver, match.hospital_contact),
        ask(match.giver, match.hospital_contact),
        ask(match.nurse, match.donor_contact),
        ask(volunteer, match.carrier_contact, purpose="verify"),
        ask(match.nurse, match.hospital_contact, purpose="own"),
        ask(match.driver, match.hospital_contact),
    ]

    assert [answer.status_code for answer in shown] == [200] * 5 + [403]
    assert Reveal.objects.count() == 5 == Event.objects.filter(kind="contact.revealed").count()


def test_a_contact_that_was_erased_meanwhile_is_refused_with_a_code(match: Match) -> None:
    Contact.objects.filter(pk=match.hospital_contact.pk).delete()

    with pytest.raises(Refused) as refusal:
        reveal(match.hospital_contact, purpose="deliver", by=match.giver, at=NOW)

    assert refusal.value.code == "erased"


def test_a_key_of_a_program_needs_the_scope_for_it(match: Match) -> None:
    def status(*scopes: str) -> int:
        _token, secret = people.issue_token(
            match.giver, name="x", scopes=scopes, at=NOW, expires_at=NOW + timedelta(days=9)
        )
        client = APIClient(HTTP_AUTHORIZATION=f"Token {secret}")
        path = f"/api/v1/contacts/{match.hospital_contact.pk}/reveal/"
        return int(client.post(path, {"purpose": "deliver"}, format="json").status_code)

    assert (status("read", "offers", "shipments"), status("contacts")) == (403, 200)


# -- the quota ------------------------------------------------------------------------------------------------


@pytest.fixture
def five(settings: Any, volunteer: User) -> list[Contact]:
    settings.REVEALS_A_DAY_AT_THE_DESK = 4
    return [people.keep_contact(make_organisation(), phone=f"000-{n}", at=NOW) for n in range(5)]


def test_an_account_is_shown_so_many_numbers_a_day_and_administrators_are_told_before(
    five: list[Contact], volunteer: User, caplog: pytest.LogCaptureFixture
) -> None:
    for contact in five[:4]:
        reveal(contact, purpose="verify", by=volunteer, at=NOW)
    told = list(Event.objects.filter(kind__startswith="reveals.").order_by("pk").values_list("kind", "facts"))

    with caplog.at_level(logging.WARNING, "security"), pytest.raises(TooMany) as refusal:
        reveal(five[4], purpose="verify", by=volunteer, at=NOW + timedelta(hours=1))

    assert told == [("reveals.many", {"shown": 3}), ("reveals.quota-reached", {"shown": 4})]
    assert (refusal.value.code, refusal.value.wait) == ("reveal-quota", 23 * 3600 + 1)
    (line,) = [one.msg for one in caplog.records if one.name == "security"]
    assert isinstance(line, dict)
    assert (line["event"], line["code"], line["account"], line["quota"]) == (
        "refused",
        "reveal-quota",
        volunteer.pk,
        4,
    )
    assert Reveal.objects.count() == 4


def test_the_same_contact_again_and_ones_own_cost_nothing(five: list[Contact], volunteer: User) -> None:
    own = people.keep_contact(make_organisation(), phone="000-9", at=NOW, by=volunteer)
    for contact in (*five[:4], five[0], five[0]):
        reveal(contact, purpose="verify", by=volunteer, at=NOW)

    reveal(own, purpose="own", by=volunteer, at=NOW)

    assert Reveal.objects.count() == 7


def test_a_day_later_there_is_a_quota_again(five: list[Contact], volunteer: User) -> None:
    for contact in five[:4]:
        reveal(contact, purpose="verify", by=volunteer, at=NOW)

    reveal(five[4], purpose="verify", by=volunteer, at=NOW + timedelta(hours=24))

    assert Reveal.objects.count() == 5


def test_beyond_the_quota_the_api_says_429_and_when_to_ask_again(match: Match, settings: Any) -> None:
    settings.REVEALS_A_DAY = 0

    answer = ask(match.giver, match.hospital_contact)

    assert (answer.status_code, answer.json()["code"]) == (429, "reveal-quota")
    assert int(answer["Retry-After"]) > 0
    assert not Reveal.objects.exists()


# -- lists ------------------------------------------------------------------------------------------------------


def test_contacts_are_listed_masked_with_what_may_be_shown(match: Match) -> None:
    shipment = make_shipment(match.allocation, carrier=match.carrier, status="booked")

    def listed(user: User, **query: Any) -> dict[str, Any]:
        rows = Speaker(user).get("contacts/", **query).json()["results"]
        return {row["phone"]: row["may_be_shown"] for row in rows}

    everything = ["email", "name", "phone"]
    assert listed(match.giver, allocation=str(match.allocation.pk)) == {
        "000****01": everything,
        "000****02": everything,
    }
    assert listed(match.driver, shipment=str(shipment.pk)) == {
        "000****01": ["name", "phone"],
        "000****03": everything,
    }
    assert listed(make_user(), facility=str(match.site.pk)) == {"000****01": []}
    assert Speaker().get("contacts/").status_code == 401


def test_a_facility_tells_those_signed_in_its_dock_and_its_masked_number(
    match: Match, volunteer: User
) -> None:
    path = f"facilities/{match.site.pk}/"

    nobody, stranger = Speaker().get(path).json(), Speaker(make_user()).get(path).json()

    assert (nobody["dock"], nobody["details"], nobody["contacts"]) == (None, None, [])
    assert (stranger["dock"], stranger["details"]) == ("演练路1号", None)
    assert [row["phone"] for row in stranger["contacts"]] == ["000****01"]
    assert Speaker(match.nurse).get(path).json()["details"]["address"] == "演练路1号"


def test_a_person_reads_who_was_shown_what_she_entered_and_an_auditor_reads_all(match: Match) -> None:
    ask(match.giver, match.hospital_contact)

    def rows(user: User) -> list[Any]:
        return Speaker(user).get("reveals/").json()["results"]

    (row,) = rows(match.nurse)
    assert (row["on_behalf_of"]["name"], row["purpose"], row["contact_id"]) == (
        match.donor.name,
        "deliver",
        str(match.hospital_contact.pk),
    )
    assert len(rows(make_member("hospital", match.site.organisation))) == 1
    assert len(rows(make_member("auditor"))) == 1
    assert rows(match.giver) == rows(make_user()) == rows(make_member("volunteer")) == []


# -- pages ------------------------------------------------------------------------------------------------------


def test_the_page_of_a_match_shows_a_mask_and_after_the_button_the_number_once(match: Match) -> None:
    client = reader(match.giver)

    page = client.get(f"/promises/{match.allocation.pk}/").content.decode()
    shown = client.post(
        f"/contacts/{match.hospital_contact.pk}/reveal/",
        {"purpose": "deliver", "allocation": str(match.allocation.pk)},
    )

    assert "000****01" in page
    assert "0001-0001" not in page
    assert "000-0001-0001" in shown.content.decode()
    assert shown["Cache-Control"] == "private, no-store"
    assert Reveal.objects.count() == 1


@pytest.mark.parametrize(("purpose", "status"), [("", 400), ("verify", 403)])
def test_the_page_says_why_a_number_is_not_shown(match: Match, purpose: str, status: int) -> None:
    answer = reader(match.giver).post(f"/contacts/{match.hospital_contact.pk}/reveal/", {"purpose": purpose})

    assert answer.status_code == status
    assert "000-0001" not in answer.content.decode()


def test_the_pages_quota_is_said_with_429(match: Match, settings: Any) -> None:
    settings.REVEALS_A_DAY = 0

    answer = reader(match.giver).post(
        f"/contacts/{match.hospital_contact.pk}/reveal/", {"purpose": "deliver"}
    )

    assert answer.status_code == 429


def test_a_number_is_never_shown_for_an_address_that_is_only_opened(match: Match) -> None:
    assert reader(match.giver).get(f"/contacts/{match.hospital_contact.pk}/reveal/").status_code == 405


def test_the_carrier_finds_the_door_and_whom_to_call_on_its_shipment(match: Match) -> None:
    shipment = make_shipment(match.allocation, carrier=match.carrier, status="booked")
    address = f"/shipments/{shipment.pk}/"

    page = reader(match.driver).get(address).content.decode()

    assert "演练路1号" in page
    assert "000****01" in page
    assert "Show the number" in page
    assert "000****03" in reader(match.nurse).get(address).content.decode()


def test_a_site_has_a_page_with_its_dock_for_those_signed_in_and_of_the_verified_only(match: Match) -> None:
    address = f"/facilities/{match.site.pk}/"

    page = reader(make_user()).get(address).content.decode()

    assert "演练路1号" in page
    assert "000****01" in page
    assert "Show the number" not in page
    assert reader().get(address).status_code == 302


def test_an_appeal_shows_its_dock_and_mask_to_those_signed_in_and_asks_others_to_sign_in(
    match: Match,
) -> None:
    address = f"/appeals/{match.allocation.need.appeal_id}/"

    nobody, stranger = (reader(user).get(address).content.decode() for user in (None, make_user()))

    assert "演练路1号" not in nobody
    assert "000****" not in nobody
    assert "Whoever signs in sees where a verified hospital unloads goods" in nobody
    assert "演练路1号" in stranger
    assert "000****01" in stranger


def test_a_promise_of_others_is_missing(match: Match) -> None:
    assert reader(make_user()).get(f"/promises/{match.allocation.pk}/").status_code == 404


def test_who_has_no_part_is_refused_by_the_verb_itself(match: Match, stranger: User) -> None:
    with pytest.raises(NotYours):
        reveal(match.donor_contact, purpose="deliver", by=stranger, at=NOW)
