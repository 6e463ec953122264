import pytest
from django.urls import reverse

from supplies.organisations.models import Facility, Organisation
from tests.makers import make_facility, make_member, make_organisation, make_region, make_user
from tests.page_client import reader

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
    assert answer.url == reverse("post-appeal", args=[facility.pk])
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
