"""A telephone number that is wrong: nobody is led to it any more, it is kept, and the right one stands in its place."""

from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from supplies.change_requests import services
from supplies.change_requests.models import ChangeRequest
from supplies.errors import Refused
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Facility
from supplies.privacy.reaching import at_facility
from tests.desk import at_the_desk, choose
from tests.makers import NOW, make_appeal, make_facility, make_member
from tests.page_client import reader

pytestmark = pytest.mark.django_db
WRONG, RIGHT = "027-8123 4567", "027-8123 4599"


@pytest.fixture
def site() -> Facility:
    return make_facility()


def keep(site: Facility, phone: str = WRONG, **given: Any) -> Contact:
    return people.keep_contact(site.organisation, facility=site, name="王练习", phone=phone, at=NOW, **given)


def say_wrong(subject: Any) -> ChangeRequest:
    return services.report(subject, kind="wrong_telephone", by=None, at=NOW).change_request


def accept(request: ChangeRequest, **decision: Any) -> None:
    services.accept(request, by=make_member("volunteer"), at=NOW, **decision)


def shown(site: Facility) -> list[str]:
    return [one.contact.phone for one in at_facility(make_member("volunteer"), site, at=NOW)]


@pytest.mark.parametrize("of", ["appeal", "facility", "organisation"])
def test_the_only_number_is_the_wrong_one_and_is_kept_out_of_sight(site: Facility, of: str) -> None:
    wrong = keep(site)
    subject = {"appeal": make_appeal(site), "facility": site, "organisation": site.organisation}[of]
    request = say_wrong(subject)

    accept(request)

    wrong.refresh_from_db()
    assert (wrong.phone, wrong.found_wrong_at) == (WRONG, NOW)
    assert request.as_it_stood == {"contacts": [str(wrong.pk)]}
    assert shown(site) == []


def test_the_right_number_stands_in_its_place(site: Facility) -> None:
    keep(site, post="Equipment")

    accept(say_wrong(site), telephone=RIGHT)

    right = Contact.objects.right().get()
    assert (right.name, right.post, right.phone, right.facility) == ("王练习", "Equipment", RIGHT, site)
    assert shown(site) == [RIGHT]


def test_of_several_numbers_somebody_has_to_say_which(site: Facility) -> None:
    wrong, other = keep(site), keep(site, RIGHT)
    request = say_wrong(site)

    with pytest.raises(Refused) as refusal, transaction.atomic():
        accept(request)
    assert refusal.value.code == "which-number"
    accept(request, contact=wrong)

    assert list(Contact.objects.right()) == [other]


def test_where_no_number_is_known_the_right_one_is_kept(site: Facility) -> None:
    accept(say_wrong(site), telephone=RIGHT)

    assert shown(site) == [RIGHT]


def test_the_number_of_another_hospital_is_left_alone(site: Facility) -> None:
    foreign = keep(make_facility())

    accept(say_wrong(site), contact=foreign)

    assert list(Contact.objects.right()) == [foreign]


def test_a_number_that_is_given_again_is_right_again(site: Facility) -> None:
    keep(site)
    accept(say_wrong(site))

    keep(site)

    assert shown(site) == [WRONG]


def test_the_hospital_says_which_on_its_page_and_what_is_no_number_is_refused(site: Facility) -> None:
    keep(site)
    request, client = say_wrong(site), reader(make_member("hospital", site.organisation))
    page = client.get(reverse("change-requests")).content.decode()
    address = reverse("accept-change-request", args=[request.pk])

    refused = client.post(address, {"telephone": "ask me"}, follow=True).content.decode()
    client.post(address, {"contact": str(Contact.objects.get().pk), "telephone": RIGHT})

    assert ("027-****67" in page, WRONG in page) == (True, False)
    assert "Write a telephone number" in refused
    assert shown(site) == [RIGHT]


def test_a_volunteer_says_which_at_the_desk(site: Facility) -> None:
    wrong = keep(site)
    keep(site, "027-8123 4511")
    request = say_wrong(site)

    client = at_the_desk(make_member("volunteer"))
    choose(client, "accept", request, answer="Called.", contact=str(wrong.pk), telephone=RIGHT)

    request.refresh_from_db()
    assert (request.status, request.answer) == ("accepted", "Called.")
    assert sorted(shown(site)) == ["027-8123 4511", RIGHT]
