"""What stands here twice: one of the two goes on, and two organisations become a pair for somebody else to decide."""

from typing import Any

import pytest
from django.db import transaction

from supplies.change_requests import services
from supplies.change_requests.models import ChangeRequest
from supplies.duplicates.models import DuplicatePair
from supplies.errors import Refused
from supplies.needs import services as asking
from supplies.needs.models import Need
from tests.makers import NOW, make_facility, make_item, make_member, make_need, make_organisation

pytestmark = pytest.mark.django_db


def say_twice(subject: Any, other: str = "the other one") -> ChangeRequest:
    made = services.report(subject, kind="duplicate", duplicate_of=other, by=None, at=NOW)
    return made.change_request


def accept(request: ChangeRequest) -> None:
    services.accept(request, by=make_member("volunteer"), at=NOW)


def refused(request: ChangeRequest) -> str:
    with pytest.raises(Refused) as refusal, transaction.atomic():
        accept(request)
    request.refresh_from_db()
    assert request.status == "open"
    return str(refusal.value.code)


def two_of_one_hospital() -> tuple[Need, Need]:
    site, item = make_facility(), make_item()
    return make_need(site, item=item), make_need(site, item=item)


def test_of_two_needs_each_said_to_be_the_other_one_stays() -> None:
    one, other = two_of_one_hospital()
    first, second = say_twice(one), say_twice(other)

    accept(first)

    assert refused(second) == "no-other"
    assert sorted(Need.objects.values_list("status", flat=True)) == ["open", "withdrawn"]


def test_of_two_appeals_each_said_to_be_the_other_one_stays() -> None:
    one, other = two_of_one_hospital()
    first, second = say_twice(one.appeal), say_twice(other.appeal)

    accept(first)

    assert refused(second) == "no-other"
    assert sorted(Need.objects.values_list("status", flat=True)) == ["open", "withdrawn"]


def test_the_other_one_may_be_named_by_its_address_wherever_it_stands() -> None:
    item = make_item()
    here, there = make_need(item=item), make_need(item=item)

    assert refused(say_twice(here)) == "no-other"
    accept(say_twice(here, f"https://example.org/appeals/{there.appeal_id}/"))

    here.refresh_from_db()
    assert here.status == "withdrawn"


def test_what_asks_for_something_else_is_no_other_one() -> None:
    site = make_facility()
    need = make_need(site, item=make_item())
    make_need(site, item=make_item("GOWN"))

    assert refused(say_twice(need)) == "no-other"


def test_what_has_ended_meanwhile_needs_no_other_one() -> None:
    need = make_need()
    request = say_twice(need)
    asking.withdraw_need(need, by=None, at=NOW)

    accept(request)

    assert ChangeRequest.objects.get().status == "accepted"


@pytest.mark.parametrize("of", ["organisation", "facility"])
@pytest.mark.parametrize("said", ["by its name", "by its address", "by the address of a site"])
def test_two_entries_of_one_hospital_become_a_pair_that_another_person_decides(of: str, said: str) -> None:
    site = make_facility(make_organisation(name="演练第一医院"))
    twin = make_facility(make_organisation(name="演练一院"))
    named = {
        "by its name": "演练一院",
        "by its address": f"https://example.org/hospitals/{twin.organisation_id}/",
        "by the address of a site": f"/facilities/{twin.pk}/",
    }[said]

    accept(say_twice(site.organisation if of == "organisation" else site, named))

    pair = DuplicatePair.objects.get()
    assert {pair.one, pair.other} == {site.organisation, twin.organisation}
    assert (pair.status, pair.proposed_by is not None) == ("proposed", True)


def test_a_pair_that_is_known_is_not_proposed_again() -> None:
    site, twin = make_facility(), make_facility()
    named = str(twin.organisation_id)
    accept(say_twice(site, named))

    accept(say_twice(site.organisation, named))

    assert DuplicatePair.objects.count() == 1


@pytest.mark.parametrize("others", [0, 2])
def test_an_other_one_that_is_not_told_or_could_be_several_is_asked_for(others: int) -> None:
    site = make_facility()
    for _number in range(others):
        make_organisation(name=f"演练同名医院{_number}部")

    assert refused(say_twice(site.organisation, "演练同名医院")) == "other-unknown"


def test_a_second_site_of_the_same_hospital_makes_no_pair() -> None:
    site = make_facility()
    second = make_facility(site.organisation, name="East site")

    accept(say_twice(site, str(second.pk)))

    assert not DuplicatePair.objects.exists()
