"""Verifying organisations, pausing sites, enrolling people and issuing keys at the desk."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from supplies.organisations import services
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import Organisation, User
from tests.desk import at_the_desk, choose, list_of, page_of, told, version
from tests.makers import (
    NOW,
    make_appeal,
    make_donation,
    make_facility,
    make_member,
    make_organisation,
    make_region,
    make_user,
)
from tests.supplies.organisations.verdicts import yes


@pytest.fixture
def administrator(db: None) -> User:
    return make_user("root", is_staff=True, is_superuser=True)


def test_the_list_begins_with_organisations_to_verify(volunteer: User) -> None:
    waiting = make_organisation("donor", verified=False)

    shown = at_the_desk(volunteer).get(list_of(Organisation)).context["cl"]

    assert list(shown.result_list) == [waiting]


BELIEVE = {"motive": "The switchboard knew them.", "public_note": "Called the register's number."}


def believe(client: Client, organisation: Organisation, **more: object) -> Any:
    return choose(client, "believe", organisation, **{**BELIEVE, "recheck_on": soon(), **more})


def soon() -> str:
    return str(timezone.localdate() + timedelta(days=30))


def test_a_volunteer_logs_a_call_and_believes_and_another_seconds_her(volunteer: User) -> None:
    organisation = make_organisation("hospital", verified=False)
    client, other = at_the_desk(volunteer), at_the_desk(make_member("volunteer"))

    choose(client, "call", organisation, number="register", outcome="confirmed", note="The front desk.")
    first = believe(client, organisation)
    one_of_two = client.get(list_of(Organisation), {"status": "unverified"}).content.decode()
    seconded = believe(other, organisation)

    organisation.refresh_from_db()
    logged, judgement = organisation.calls.get(), organisation.verifications.order_by("pk").first()
    assert "one of two" in one_of_two
    assert told(first)[-1].endswith("another volunteer has to say so too.")
    assert told(seconded)[-1].endswith("Verified: two have said yes.")
    assert organisation.status == "verified"
    assert (logged.origin, logged.outcome, logged.by) == ("register", "confirmed", volunteer)
    assert (judgement.motive, judgement.public_note) == (BELIEVE["motive"], BELIEVE["public_note"])  # type: ignore[union-attr]


def test_a_volunteer_refuses_and_says_what_has_to_change(volunteer: User) -> None:
    organisation = make_organisation("hospital", verified=False)

    choose(
        at_the_desk(volunteer), "refuse", organisation, motive="Nobody knows them.", public_note="A letter."
    )

    organisation.refresh_from_db()
    assert (organisation.status, organisation.public_note) == ("refused", "A letter.")


def test_what_the_desk_refuses_keeps_what_was_typed(volunteer: User) -> None:
    organisation = make_organisation("hospital", verified=False)

    page = believe(at_the_desk(volunteer), organisation)

    organisation.refresh_from_db()
    assert organisation.status == "unverified"
    assert "Log a call that confirmed it" in page.content.decode()
    assert page.context["form"]["motive"].value() == BELIEVE["motive"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"motive": ""}, "motive"),
        ({"public_note": "Ring 138 1234 5678."}, "public_note"),
        ({"recheck_on": "2020-01-01"}, "recheck_on"),
        ({"recheck_on": "tomorrow"}, "recheck_on"),
        ({"evidence": ["not-a-key"]}, "evidence"),
        ({"evidence": [str(uuid4())]}, "evidence"),
    ],
)
def test_a_faulty_verdict_is_explained_beside_its_field(
    volunteer: User, fields: dict[str, object], place: str
) -> None:
    organisation = make_organisation("hospital", verified=False)
    choose(at_the_desk(volunteer), "call", organisation, number="register", outcome="confirmed")

    page = believe(at_the_desk(volunteer), organisation, **fields)

    assert list(page.context["form"].errors) == [place]
    assert not organisation.verifications.exists()


@pytest.mark.parametrize("number", ["from the air", "", "00000000-0000-4000-8000-000000000000"])
def test_a_call_to_no_number_is_asked_for_again(volunteer: User, number: str) -> None:
    organisation = make_organisation("hospital", verified=False)

    page = choose(at_the_desk(volunteer), "call", organisation, number=number, outcome="confirmed")

    assert list(page.context["form"].errors) == ["number"]
    assert not organisation.calls.exists()


def test_no_outcome_of_a_call_is_chosen_beforehand(volunteer: User) -> None:
    organisation = make_organisation("hospital", verified=False)
    page = at_the_desk(volunteer).get(page_of(organisation))

    form = page.context["asked"]["call"]["form"]

    assert [form[name].subwidgets[0].data["value"] for name in ("number", "outcome")] == ["", ""]
    choose(at_the_desk(volunteer), "call", organisation, number="", outcome="")
    assert not organisation.calls.exists()


def test_a_call_to_a_kept_contact_counts_as_given(volunteer: User) -> None:
    organisation = make_organisation("hospital", verified=False)
    contact = services.keep_contact(organisation, at=NOW, phone="000-1234", post="设备科")
    client = at_the_desk(volunteer)

    page = client.get(page_of(organisation)).content.decode()
    choose(client, "call", organisation, number=str(contact.pk), outcome="confirmed")

    call = organisation.calls.get()
    assert f'value="{contact.pk}"' in page
    assert (call.origin, call.contact) == ("given", contact.pk)


def test_several_organisations_are_not_judged_at_once(volunteer: User) -> None:
    two = [make_organisation("hospital", verified=False) for _ in range(2)]

    answer = choose(at_the_desk(volunteer), "refuse", *two, motive="x", public_note="y")

    assert told(answer) == ["Choose one organisation at a time."]
    assert not Organisation.objects.filter(status="refused").exists()


def test_nobody_verifies_the_organisation_they_act_for(db: None) -> None:
    organisation = make_organisation("volunteers", verified=False)
    volunteer = make_member("volunteer", organisation)
    client = at_the_desk(volunteer)

    answer = believe(client, organisation)

    organisation.refresh_from_db()
    assert organisation.status == "unverified"
    assert "another volunteer has to verify it" in answer.content.decode()
    assert "believe" not in client.get(page_of(organisation)).context["asked"]


def test_one_yes_is_not_asked_for_twice_of_the_same_person(volunteer: User) -> None:
    organisation, client = make_organisation("hospital", verified=False), at_the_desk(volunteer)
    assert waiting_at(client) == [organisation]
    assert "believe" in client.get(page_of(organisation)).context["asked"]

    yes(organisation, volunteer)

    assert waiting_at(client) == []
    assert "believe" not in client.get(page_of(organisation)).context["asked"]
    assert waiting_at(at_the_desk(make_member("volunteer"))) == [organisation]


def waiting_at(client: Client) -> list[Organisation]:
    return list(client.get(list_of(Organisation)).context["cl"].result_list)


def test_who_keeps_most_waiting_is_checked_first(volunteer: User) -> None:
    none, asks, gives = (
        make_organisation(kind, verified=False) for kind in ("hospital", "hospital", "donor")
    )
    make_appeal(make_facility(asks), lines=[{}, {}, {}], published=False)
    make_donation(gives, lines=[{}])

    assert waiting_at(at_the_desk(volunteer)) == [asks, gives, none]


def test_after_a_verdict_comes_the_next_that_waits(volunteer: User) -> None:
    first, second = (make_organisation("hospital", verified=False) for _ in range(2))
    client, do = at_the_desk(volunteer), page_of(first).replace("/change/", "/do/refuse/")

    after_a_call = client.post(
        do.replace("refuse", "call"), {"answered": "yes", "number": "register", "outcome": "no_answer"}
    )
    after_a_fault = client.post(do, {"answered": "yes", "motive": "", "public_note": ""})
    after_a_verdict = client.post(do, {"answered": "yes", "motive": "x", "public_note": "y"})

    assert after_a_call.url == page_of(first)
    assert after_a_fault.status_code == 200
    assert after_a_verdict.url == page_of(second)
    assert f"{first} · Refuse" in told(after_a_verdict)
    assert told(after_a_verdict)[-1] == f"Shown now, the next to check: {second}"
    assert client.get(page_of(second).replace("/change/", "/next/")).url == list_of(Organisation)


def test_organisations_to_check_again_have_a_card_of_their_own(volunteer: User) -> None:
    services.mark_to_check_again(at=NOW + timedelta(days=90))
    due = make_organisation()
    Organisation.objects.filter(pk=due.pk).update(to_check_since=due.recheck_on)
    client = at_the_desk(volunteer)

    cards = {card.title: card for card in client.get(reverse("admin:index")).context["cards"]}

    card = cards["organisations to check again"]
    shown = client.get(card.url).context["cl"]
    assert card.count == len(shown.result_list)
    assert due in shown.result_list


@pytest.mark.parametrize(("where", "hers"), [("420106", True), ("110101", False)])
def test_a_coordinator_checks_in_her_regions_and_sees_no_other_page(db: None, where: str, hers: bool) -> None:
    organisation = make_organisation("hospital", verified=False)
    coordinator = make_member("coordinator")
    coordinator.memberships.get().regions.add(make_region(where))
    client = at_the_desk(coordinator)

    choose(client, "refuse", organisation, motive="x", public_note="y")

    organisation.refresh_from_db()
    page = client.get(page_of(organisation))
    assert (organisation.status == "refused") is hers
    assert page.status_code == (200 if hers else 302)
    assert bool(page.context and page.context["asked"] and page.context["file_form"]) is hers


def test_an_auditor_reads_the_page_and_is_asked_nothing(db: None) -> None:
    organisation = make_organisation("hospital", verified=False)
    yes(organisation)

    page = at_the_desk(make_member("auditor")).get(page_of(organisation))

    assert "The switchboard knew them." in page.content.decode()
    assert page.context["asked"] == {}
    assert page.context["file_form"] is None


def test_contacts_are_never_shown_in_clear(volunteer: User) -> None:
    organisation = make_organisation("hospital")
    services.keep_contact(
        organisation, at=NOW, name="欧阳演练", phone="13812345678", email="drill@example.org"
    )

    page = at_the_desk(volunteer).get(page_of(organisation)).content.decode()

    assert "138**" in page
    assert "欧**" in page
    for secret in ("欧阳演练", "13812345678", "drill@example.org"):
        assert secret not in page


def test_a_site_is_paused_with_a_reason_and_resumed(volunteer: User) -> None:
    facility, client = make_facility(), at_the_desk(volunteer)

    choose(client, "pause", facility, query="", reason="The store is full.")
    facility.refresh_from_db()
    assert (facility.is_paused, facility.pause_reason) == (True, "The store is full.")

    choose(client, "resume", facility, query="")
    facility.refresh_from_db()
    assert facility.is_paused is False


def line(number: int, **fields: object) -> dict[str, object]:
    return {f"memberships-{number}-{name}": value for name, value in fields.items()}


def account(user: User, **lines: object) -> dict[str, object]:
    """What the page of an account posts back unchanged."""
    return {
        "username": user.username,
        "first_name": "",
        "last_name": "",
        "email": "",
        "language": "",
        "is_active": "on",
        "memberships-MIN_NUM_FORMS": "0",
        "memberships-MAX_NUM_FORMS": "1000",
        **version(user),
        **lines,
    }


def test_enrolling_at_the_desk_opens_the_desk(administrator: User) -> None:
    person, group = make_user("newcomer"), make_organisation("volunteers")
    counts = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "0"}
    added = line(0, organisation=str(group.pk), role="volunteer", user=person.pk)

    answer = at_the_desk(administrator).post(page_of(person), account(person, **counts, **added))

    assert answer.status_code == 302
    person = User.objects.get(pk=person.pk)
    assert person.has_role("volunteer")
    assert person.is_staff
    assert person.groups.filter(name="volunteers").exists()
    assert at_the_desk(person).get(reverse("admin:index")).status_code == 200


def test_a_coordinator_gets_regions_and_keeps_the_role(administrator: User) -> None:
    person, region = make_member("coordinator"), make_region()
    membership = person.memberships.get()
    counts = {"memberships-TOTAL_FORMS": "1", "memberships-INITIAL_FORMS": "1"}
    changed = line(0, id=membership.pk, user=person.pk, role="volunteer", regions=[region.pk])

    answer = at_the_desk(administrator).post(page_of(person), account(person, **counts, **changed))

    assert answer.status_code == 302
    membership.refresh_from_db()
    assert list(membership.regions.all()) == [region]
    assert membership.role == "coordinator"


def test_a_volunteer_does_not_see_accounts(volunteer: User) -> None:
    assert at_the_desk(volunteer).get(list_of(User)).status_code == 403


def test_accounts_are_not_deleted(administrator: User) -> None:
    person = make_user()

    answer = at_the_desk(administrator).post(page_of(person).replace("/change/", "/delete/"), {"post": "yes"})

    assert answer.status_code == 403
    assert User.objects.filter(pk=person.pk).exists()


def issue(client: object, user: User, scopes: list[str]) -> object:
    form = {"user": user.pk, "name": "ward tablet", "scopes": scopes}
    return client.post(list_of(ApiToken) + "add/", form)  # type: ignore[attr-defined]


def test_a_secret_is_shown_once_and_works(administrator: User) -> None:
    person, client = make_member("carrier"), at_the_desk(administrator)

    issue(client, person, ["read", "shipments"])

    token = ApiToken.objects.get()
    listed = client.get(list_of(ApiToken)).content.decode()
    secret = re.search(r"tz_\w{49}", listed).group()  # type: ignore[union-attr]
    assert (token.user, token.scopes, token.digest) == (
        person,
        ["read", "shipments"],
        ApiToken.digest_of(secret),
    )
    assert secret not in client.get(list_of(ApiToken)).content.decode()
    assert secret not in client.get(page_of(token)).content.decode()


def test_a_volunteer_cannot_issue_a_key_that_acts_as_an_administrator(
    administrator: User, volunteer: User
) -> None:
    answer = issue(at_the_desk(volunteer), administrator, ["read"])

    assert answer.status_code == 200  # type: ignore[attr-defined]
    assert not ApiToken.objects.exists()


def test_a_key_of_somebody_else_is_neither_seen_nor_revoked_by_a_volunteer(
    administrator: User, volunteer: User
) -> None:
    token, _secret = services.issue_token(
        administrator, name="x", scopes=["read"], at=administrator.date_joined
    )
    client = at_the_desk(volunteer)

    choose(client, "revoke", token, query="", answered="yes")

    token.refresh_from_db()
    assert token.revoked_at is None
    assert client.post(page_of(token).replace("/change/", "/do/revoke/")).status_code == 404


def test_a_revoked_key_opens_nothing(administrator: User) -> None:
    token, _secret = services.issue_token(
        administrator, name="x", scopes=["read"], at=administrator.date_joined
    )

    choose(at_the_desk(administrator), "revoke", token, query="", answered="yes")

    token.refresh_from_db()
    assert token.revoked_at is not None
