"""Privacy at the desk: numbers for a purpose, the log, the alarm, forgetting a person."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from supplies.needs.models import Appeal
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Membership, Organisation, User
from supplies.privacy.models import Erasure, Reveal
from tests.desk import at_the_desk, choose, list_of, page_of, told, version
from tests.makers import NOW, make_appeal, make_member, make_organisation, make_region, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def administrator(db: None) -> User:
    return make_user("root", is_staff=True, is_superuser=True)


@pytest.fixture
def reached() -> Organisation:
    organisation = make_organisation("donor")
    people.keep_contact(organisation, at=NOW, name="欧阳演练", phone="000-0001-0001", post="设备科")
    people.keep_contact(organisation, at=NOW, name="演练者", phone="000-0001-0002")
    return organisation


def test_a_volunteer_says_why_and_is_shown_the_numbers_on_a_page_of_their_own(
    volunteer: User, reached: Organisation
) -> None:
    client = at_the_desk(volunteer)

    asked = choose(client, "reveal", reached)
    answer = choose(client, "reveal", reached, purpose="ask_donor")

    assert "000-0001" not in asked.content.decode()
    page = answer.content.decode()
    assert "000-0001-0001" in page
    assert "000-0001-0002" in page
    assert "no-store" in answer["Cache-Control"]
    assert set(Reveal.objects.values_list("purpose", "by")) == {("ask_donor", volunteer.pk)}
    assert Reveal.objects.count() == 2
    assert "000-0001" not in client.get(list_of(Organisation)).content.decode()  # no message waits anywhere


def test_a_coordinator_elsewhere_and_an_auditor_are_shown_nothing(reached: Organisation) -> None:
    elsewhere, auditor = make_member("coordinator"), make_member("auditor")
    elsewhere.memberships.get().regions.add(make_region("110101"))

    for person in (elsewhere, auditor):
        answer = choose(at_the_desk(person), "reveal", reached, purpose="verify")
        assert "000-0001" not in answer.content.decode()

    assert not Reveal.objects.exists()


def test_beyond_the_quota_the_desk_says_so_and_shows_what_was_within(
    volunteer: User, reached: Organisation, settings: Any
) -> None:
    settings.REVEALS_A_DAY_AT_THE_DESK = 1

    answer = choose(at_the_desk(volunteer), "reveal", reached, purpose="verify")

    assert Reveal.objects.count() == 1
    assert any("as many as an account may be" in sentence for sentence in told(answer))


def test_the_page_of_an_organisation_shows_masks_to_those_who_may_ask_and_none_to_an_auditor(
    volunteer: User, reached: Organisation
) -> None:
    shown = at_the_desk(volunteer).get(page_of(reached)).content.decode()
    audited = at_the_desk(make_member("auditor")).get(page_of(reached)).content.decode()

    assert "000****01" in shown
    assert "欧**" in shown
    assert "欧阳演练" not in shown
    assert "000****" not in audited


def test_the_log_is_for_auditors_and_administrators(
    volunteer: User, administrator: User, reached: Organisation
) -> None:
    choose(at_the_desk(volunteer), "reveal", reached, purpose="verify")

    statuses = [
        at_the_desk(person).get(list_of(Reveal)).status_code
        for person in (make_member("auditor"), administrator, volunteer)
    ]

    assert statuses == [200, 200, 403]


def test_administrators_find_a_card_when_an_account_was_shown_many(
    volunteer: User, administrator: User, reached: Organisation, settings: Any
) -> None:
    index = reverse("admin:index")
    settings.REVEALS_A_DAY_AT_THE_DESK = 2

    def cards(person: User) -> dict[str, int]:
        return {card.title: card.count for card in at_the_desk(person).get(index).context["cards"]}

    title = "accounts that were shown many numbers within a day"
    assert cards(administrator)[title] == 0
    choose(at_the_desk(volunteer), "reveal", reached, purpose="verify")

    assert cards(administrator)[title] > 0
    assert title not in cards(volunteer)
    listed = at_the_desk(administrator).get(list_of(Reveal) + "?many=yes").context["cl"].result_list
    assert {row.by for row in listed} == {volunteer}


# -- forgetting --------------------------------------------------------------------------------------------------

ERASE = reverse("admin:supplies_erasure_erase")


def test_an_administrator_forgets_a_person_by_her_number(administrator: User, reached: Organisation) -> None:
    client = at_the_desk(administrator)

    asked = client.get(ERASE)
    answer = client.post(ERASE, {"phone": "０００－０００１－０００１", "answered": "yes"})

    assert asked.status_code == 200
    assert answer.status_code == 302
    assert [contact.phone for contact in Contact.objects.all()] == ["000-0001-0002"]
    assert Erasure.objects.get().counts == {"supplies.contact": 1}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"phone": "nobody"},
        {"account": "999999"},
        {"account": "x"},
        {"phone": "000-1234567", "account": "ROOT"},
    ],
)
def test_what_names_nobody_erases_nothing_and_says_so(administrator: User, given: dict[str, str]) -> None:
    given = {name: str(administrator.pk) if value == "ROOT" else value for name, value in given.items()}

    answer = at_the_desk(administrator).post(ERASE, {**given, "answered": "yes"})

    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not Erasure.objects.exists()


def test_an_administrator_erases_an_account_but_never_the_last_administrator(
    administrator: User, stranger: User
) -> None:
    client = at_the_desk(administrator)

    client.post(ERASE, {"account": stranger.pk, "answered": "yes"})
    answer = client.post(ERASE, {"account": administrator.pk, "answered": "yes"})

    stranger.refresh_from_db()
    assert stranger.username == f"erased-{stranger.pk}"
    assert "only administrator" in str(answer.context["form"].errors)


@pytest.mark.parametrize("role", ["volunteer", "coordinator", "auditor"])
def test_only_administrators_forget(role: str) -> None:
    client = at_the_desk(make_member(role))

    assert client.get(ERASE).status_code == 403
    assert client.post(ERASE, {"phone": "000-0001-0001"}).status_code == 403


# -- free words ---------------------------------------------------------------------------------------------------

REMARK = "送到东门，找13800001234"


def test_a_remark_is_read_as_written_by_who_moderates_and_masked_by_who_watches(volunteer: User) -> None:
    appeal = make_appeal(published=False, remark=REMARK)
    elsewhere = make_member("coordinator")
    elsewhere.memberships.get().regions.add(make_region("110101"))

    shown = {
        name: at_the_desk(person).get(page_of(appeal)).content.decode()
        for name, person in {
            "volunteer": volunteer,
            "elsewhere": elsewhere,
            "auditor": make_member("auditor"),
        }.items()
    }

    assert {name: "13800001234" in page for name, page in shown.items()} == {
        "volunteer": True,
        "elsewhere": False,
        "auditor": False,
    }
    assert "138****1234" in shown["auditor"]


def test_who_writes_a_number_into_a_reason_at_the_desk_is_told(volunteer: User) -> None:
    appeal = make_appeal(published=False)

    answer = choose(at_the_desk(volunteer), "refuse", appeal, reason=REMARK)

    assert any("“Reason” holds a telephone number" in sentence for sentence in told(answer))
    assert Appeal.objects.get().refusal == REMARK


# -- what Django writes down itself ---------------------------------------------------------------------------------


def test_djangos_own_log_names_nobody(administrator: User) -> None:
    client = at_the_desk(administrator)
    person = make_user("canary-name", first_name="演练姓", last_name="演练名", email="canary@demo.invalid")
    organisation = make_organisation("donor", name="演练某私人")
    fields = {
        **version(person),
        "first_name": "演练改",
        "last_name": "演练名",
        "email": "renamed@demo.invalid",
        "language": "",
        "is_active": "on",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-organisation": str(organisation.pk),
        "memberships-0-role": "donor",
    }

    client.post(page_of(person), fields)
    client.post(
        reverse("admin:supplies_apitoken_add"),
        {
            "user": administrator.pk,
            "name": "canary-key",
            "scopes": ["read"],
            "expires_at_0": "2027-01-01",
            "expires_at_1": "00:00:00",
        },
    )

    person.refresh_from_db()
    assert person.first_name == "演练改"
    assert Membership.objects.filter(user=person).exists()
    log = " ".join(f"{row.object_repr} {row.change_message}" for row in LogEntry.objects.all())
    assert LogEntry.objects.count() >= 1
    assert not [word for word in ("canary", "演练", "demo.invalid") if word in log]


def test_from_the_numbers_one_goes_back_to_the_organisation_whose_page_names_no_pair(volunteer: User) -> None:
    organisation = make_organisation("hospital")
    client = at_the_desk(volunteer)

    shown = client.post(
        page_of(organisation).replace("/change/", "/do/reveal/"), {"answered": "yes", "purpose": "verify"}
    )

    assert f'<a href="{page_of(organisation)}">← Back</a>' in shown.content.decode()
    offered = client.get(page_of(organisation)).context["offered"]
    assert "same" not in {url.split("/")[-2] for url, *_more in offered}
