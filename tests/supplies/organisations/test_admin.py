"""Verifying organisations, pausing sites, enrolling people and issuing keys at the desk."""

import re

import pytest
from django.urls import reverse

from supplies.organisations import services
from supplies.organisations.models import ApiToken, Organisation, User
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import NOW, make_facility, make_member, make_organisation, make_region, make_user


@pytest.fixture
def administrator(db: None) -> User:
    return make_user("root", is_staff=True, is_superuser=True)


def test_the_list_begins_with_organisations_to_verify(volunteer: User) -> None:
    waiting = make_organisation("donor", verified=False)

    shown = at_the_desk(volunteer).get(list_of(Organisation)).context["cl"]

    assert list(shown.result_list) == [waiting]


@pytest.mark.parametrize(("action", "verdict"), [("verify", "verified"), ("refuse", "refused")])
def test_a_volunteer_judges_an_organisation_and_says_how_it_is_known(
    volunteer: User, action: str, verdict: str
) -> None:
    organisation = make_organisation("hospital", verified=False)

    choose(at_the_desk(volunteer), action, organisation, note="Called the switchboard.")

    organisation.refresh_from_db()
    judgement = organisation.verifications.get()
    assert organisation.status == verdict
    assert (judgement.verdict, judgement.note, judgement.by) == (
        verdict,
        "Called the switchboard.",
        volunteer,
    )


def test_without_a_note_nothing_is_verified(volunteer: User) -> None:
    organisation = make_organisation("hospital", verified=False)

    page = choose(at_the_desk(volunteer), "verify", organisation)

    organisation.refresh_from_db()
    assert organisation.status == "unverified"
    assert "note" in page.context["form"].fields


def test_nobody_verifies_the_organisation_they_act_for(db: None) -> None:
    organisation = make_organisation("volunteers", verified=False)
    volunteer = make_member("volunteer", organisation)

    answer = choose(at_the_desk(volunteer), "verify", organisation, note="We are who we are.")

    organisation.refresh_from_db()
    assert organisation.status == "unverified"
    assert "another volunteer has to verify it" in told(answer)[0]


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

    answer = issue(client, person, ["read", "shipments"])

    token = ApiToken.objects.get()
    secret = re.search(r"tz_[\w-]+", " ".join(told(answer))).group()  # type: ignore[union-attr]
    assert (token.user, token.scopes, token.digest) == (
        person,
        ["read", "shipments"],
        ApiToken.digest_of(secret),
    )
    client.get(list_of(ApiToken))  # shows the message, once
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

    choose(client, "revoke", token, query="")

    token.refresh_from_db()
    assert token.revoked_at is None
    assert client.post(page_of(token).replace("/change/", "/do/revoke/")).status_code == 404


def test_a_revoked_key_opens_nothing(administrator: User) -> None:
    token, _secret = services.issue_token(
        administrator, name="x", scopes=["read"], at=administrator.date_joined
    )

    choose(at_the_desk(administrator), "revoke", token, query="")

    token.refresh_from_db()
    assert token.revoked_at is not None
