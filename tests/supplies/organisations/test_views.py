from typing import Any

import pytest
from django.urls import reverse

from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation, User
from supplies.wording import day
from tests.makers import NOW, make_facility, make_member, make_need, make_organisation, make_region, make_user
from tests.page_client import reader
from tests.supplies.organisations.verdicts import WORDS, no, verified, yes

pytestmark = pytest.mark.django_db


def test_the_language_is_kept_in_the_cookie_and_on_the_account() -> None:
    user = make_user(language="zh-hans")
    client = reader(user)

    client.post(reverse("language"), {"language": "en", "next": "/needs/"})
    answer = client.get(reverse("home"))

    user.refresh_from_db()
    assert user.language == "en"
    assert '<html lang="en">' in answer.content.decode()


def test_without_a_wish_the_pages_are_chinese() -> None:
    from django.test import Client

    assert '<html lang="zh-hans">' in Client().get(reverse("home")).content.decode()


HOSPITAL = {"name": "Harbour hospital", "province": "420000", "city": "420100", "district": "420106"}


def test_a_hospital_is_registered_with_its_dock_and_its_officer() -> None:
    make_region("420106")
    user = make_user()

    answer = reader(user).post(reverse("register-hospital"), {**HOSPITAL, "address": "Gate 3"})

    facility = Facility.objects.get()
    assert answer.url == reverse("hand-in-evidence", args=[facility.organisation_id])
    assert (facility.region_id, facility.address) == ("420106", "Gate 3")
    assert facility.organisation.status == "unverified"
    assert facility.organisation.memberships.get().user == user


def test_a_hospital_known_by_this_name_is_used_and_gives_no_membership() -> None:
    region = make_region("420106")
    facility = make_facility(make_organisation(region=region, name="Harbour  Hospital"), name="Harbour")
    user = make_user()

    answer = reader(user).post(reverse("register-hospital"), {**HOSPITAL, "address": "Gate 3"})

    assert answer.url == reverse("post-appeal", args=[facility.pk])
    assert not user.memberships.exists()


TYPED = {
    "name": "武汉枫林中医院",
    "province": "420000",
    "city": "420100",
    "district": "420105",
    "address": "演练路2号",
}


def make_maple(**fields: Any) -> Facility:
    make_region("420105", "汉阳区")
    return make_facility(make_organisation(region=make_region("420106"), **{"name": "枫林中医院", **fields}))


def test_a_hospital_of_another_district_is_shown_as_soon_as_name_and_city_are_typed() -> None:
    known = make_maple()
    client = reader(make_user())

    answer = client.post(
        reverse("register-hospital"), {**TYPED, "district": "", "address": "", "more": "yes"}
    )

    assert answer.context["form"].likely == [known]
    assert reverse("post-appeal", args=[known.pk]) in answer.content.decode()


def test_it_is_registered_once_more_only_by_who_says_that_it_is_another_one() -> None:
    make_maple()
    client = reader(make_user())

    asked = client.post(reverse("register-hospital"), TYPED)
    assert set(asked.context["form"].errors) == {"is_another"}
    assert Organisation.objects.count() == 1

    client.post(reverse("register-hospital"), {**TYPED, "is_another": "on"})
    assert Organisation.objects.filter(name=TYPED["name"], region="420105").exists()


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("梧桐中医院", "hospital", "verified"),
        ("枫林中医院", "coordinator", "verified"),
        ("枫林中医院", "hospital", "refused"),
    ],
)
def test_other_names_others_and_refused_ones_are_no_reason_to_ask(name: str, kind: str, status: str) -> None:
    make_maple(name=name, kind=kind, status=status)

    answer = reader(make_user()).post(reverse("register-hospital"), TYPED)

    assert answer.status_code == 302


def test_another_name_of_it_is_noticed_too() -> None:
    known = make_maple(name="演练第九医院")
    people.add_alias(known.organisation, name="武汉市枫林中医院", kind="old", by=None, at=NOW)

    answer = reader(make_user()).post(reverse("register-hospital"), TYPED)

    assert answer.context["form"].likely == [known]


@pytest.mark.parametrize("missing", ["name", "province", "city", "district", "address"])
def test_what_is_missing_of_a_hospital_is_said_beside_its_field(missing: str) -> None:
    make_region("420106")
    levels = ["province", "city", "district"]
    below = levels[levels.index(missing) :] if missing in levels else [missing]

    answer = reader(make_user()).post(
        reverse("register-hospital"), {**HOSPITAL, "address": "Gate 3", **dict.fromkeys(below, "")}
    )

    assert set(answer.context["form"].errors) == {missing}
    assert not Organisation.objects.exists()


def test_a_hospital_stops_everything_and_takes_goods_again() -> None:
    hospital = make_member("hospital")
    facility = make_facility(hospital.memberships.get().organisation)
    address = reverse("pause", args=[facility.pk])

    assert reader(make_user()).post(address).status_code == 403
    reader(hospital).post(address)
    facility.refresh_from_db()
    assert facility.is_paused
    reader(hospital).post(address)

    facility.refresh_from_db()
    assert not facility.is_paused


# -- An organisation's own page ---------------------------------------------------------------------------


def page(organisation: Organisation, user: User | None = None) -> str:
    return reader(user).get(reverse("organisation", args=[organisation.pk])).content.decode()


def test_everybody_reads_who_an_organisation_is_and_how_that_is_known() -> None:
    organisation = make_organisation(verified=False, name="演练第一医院")
    make_facility(organisation, name="演练东院", address="Gate 3")
    verified(organisation)

    shown = page(organisation)

    assert "by two people, one by one" in shown
    assert WORDS["public_note"] in shown
    assert "演练东院" in shown
    assert f"?organisation={organisation.pk}" in shown
    for secret in ("Gate 3", WORDS["motive"]):
        assert secret not in shown


def test_one_whose_day_has_come_says_so_and_stays_verified() -> None:
    organisation = verified(make_organisation(verified=False))
    Organisation.objects.filter(pk=organisation.pk).update(to_check_since=organisation.recheck_on)

    shown = page(organisation)

    assert "by two people" in shown
    assert f"To be checked again since {day(organisation.recheck_on)}" in shown


def test_one_of_a_list_says_that_it_is_taken_over() -> None:
    shown = page(make_organisation(source="wuhan2020"))

    assert "Verified by its source" in shown
    assert "wuhan2020" in shown


def test_one_that_waits_is_seen_by_its_own_people_who_are_asked_for_a_letter() -> None:
    organisation = make_organisation(verified=False)
    own = make_member("hospital", organisation)
    before = page(organisation, own)
    yes(organisation)

    after = page(organisation, own)

    assert "Two people of the volunteers" in before
    assert "One of two people has confirmed it" in after
    assert reverse("hand-in-evidence", args=[organisation.pk]) in after
    for other in (None, make_user()):
        assert reader(other).get(reverse("organisation", args=[organisation.pk])).status_code == 404


def test_one_that_was_refused_reads_what_has_to_change() -> None:
    organisation = make_organisation(verified=False)
    no(organisation)

    shown = page(organisation, make_member("hospital", organisation))

    assert "Hand in a letter with a seal." in shown
    assert "Nobody knows them." not in shown


@pytest.mark.parametrize("is_verified", [True, False])
def test_beside_the_name_of_a_hospital_stands_whether_it_is_verified(is_verified: bool) -> None:
    hospital = make_organisation(verified=is_verified)
    need = make_need(make_facility(hospital))
    link = reverse("organisation", args=[hospital.pk])

    for address in (reverse("needs"), reverse("appeal", args=[need.appeal_id])):
        shown = reader().get(address).content.decode()
        assert (link in shown) is is_verified
        assert ("not verified yet" in shown) is not is_verified
