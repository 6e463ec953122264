"""What is said of goods before they are offered."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from supplies.offers.models import Donation
from tests.makers import (
    make_emergency,
    make_facility,
    make_member,
    make_mode,
    make_need,
    make_region,
    make_standard,
)
from tests.page_client import lines, reader
from tests.supplies.catalogue.conftest import shipped  # noqa: F401

pytestmark = pytest.mark.django_db
HERE = reverse("check-offer")


@pytest.fixture
def donor() -> Any:
    make_mode()
    make_region("420106")
    return make_member("donor")


def asked(*rows: dict[str, Any], **fields: Any) -> dict[str, Any]:
    said = {"emergency": make_emergency().pk, "sender_kind": "company", "direction": "most_needed"}
    said |= {"province": "420000", "city": "420100", "mode": "road"}
    return lines(
        *({"item": "MASK_SURG", "amount": "500", **row} for row in rows or ({},)), **{**said, **fields}
    )


def said_of(user: Any, *rows: dict[str, Any], **fields: Any) -> Any:
    answer = reader(user).post(HERE, asked(*rows, **fields), HTTP_HX_REQUEST="true")
    assert answer.status_code == 200
    assert "<html" not in answer.content.decode()
    return [advice for _line, advice, _sections in answer.context["lines"]]


def test_open_needs_are_counted_by_urgency_with_the_nearest_places(donor: Any) -> None:
    make_need(urgency=1)
    make_need(urgency=1)
    make_need(urgency=3)

    (advice,) = said_of(donor)

    assert advice.fitting == 3
    assert [(urgency.value, needs) for urgency, needs in advice.by_urgency] == [(1, 2), (3, 1)]
    ((town, _km, needs),) = advice.nearest
    assert (town.pk, needs) == ("420100", 3)


def test_nothing_is_stored_and_no_hospital_is_named(donor: Any) -> None:
    make_need(make_facility(name="Harbour hospital"))

    answer = reader(donor).post(HERE, asked(), HTTP_HX_REQUEST="true")

    assert "1 open need would take it" in answer.content.decode()
    assert "Harbour" not in answer.content.decode()
    assert not Donation.objects.exists()


def test_a_gift_for_one_hospital_is_held_against_its_needs_alone(donor: Any) -> None:
    make_need(make_facility(name="Harbour hospital"))
    make_need(make_facility(name="Hill hospital"))

    (advice,) = said_of(donor, direction="hospital", hospital="Harbour hospital")

    assert advice.fitting == 1
    assert [needs for needs, _why in advice.obstacles] == [1]


def test_a_gift_for_one_region_does_not_reach_another(donor: Any) -> None:
    make_need()
    make_region("310101", "黄浦区")

    (advice,) = said_of(donor, direction="region", **{"to-province": "310000"})

    assert advice.fitting == 0


def test_goods_that_have_expired_are_told_so_before_they_are_posted(donor: Any) -> None:
    make_need()
    yesterday = timezone.localdate() - timedelta(days=1)

    (advice,) = said_of(donor, {"expires_on": yesterday.isoformat()})

    assert advice.case.shelf_life.verdict == "expired"
    assert advice.fitting == 0


def test_goods_that_are_too_old_are_told_that_alone(donor: Any) -> None:
    make_need()
    yesterday = timezone.localdate() - timedelta(days=1)

    page = reader(donor).post(HERE, asked({"expires_on": yesterday.isoformat()}), HTTP_HX_REQUEST="true")

    assert "They expired on" in page.content.decode()
    assert "Offer it all the same" not in page.content.decode()


@pytest.mark.usefixtures("shipped")
@pytest.mark.parametrize(
    ("item", "medical"),
    [
        ("MASK_CIVIL", "Medical protective respirator"),
        ("COVERALL_IND", "Medical disposable protective coverall"),
    ],
)
def test_goods_that_are_not_medical_are_told_what_they_may_not_replace(
    donor: Any, item: str, medical: str
) -> None:
    page = reader(donor).post(HERE, asked({"item": item}), HTTP_HX_REQUEST="true").content.decode()

    said = page.partition("These are not medical goods and may not replace: ")[2]
    assert medical in said.partition("</strong>")[0]


@pytest.mark.usefixtures("shipped")
def test_medical_goods_are_not_called_others(donor: Any) -> None:
    (advice,) = said_of(donor)

    assert advice.may_not_replace == ""


def test_it_leads_to_the_needs_that_were_counted(donor: Any) -> None:
    need = make_need()
    page = reader(donor).post(HERE, asked(), HTTP_HX_REQUEST="true").content.decode()
    address = reverse("needs") + "?have=MASK_SURG"

    assert f'href="{address}"' in page
    assert need.appeal.facility.name in reader(donor).get(address).content.decode()


def test_needs_that_it_does_not_reach_are_not_nobody(donor: Any) -> None:
    make_need(make_facility(name="Harbour hospital"))
    make_facility(name="Hill hospital")

    page = (
        reader(donor)
        .post(HERE, asked(direction="hospital", hospital="Hill hospital"), HTTP_HX_REQUEST="true")
        .content.decode()
    )

    assert "No open need can take it as you offer it." in page
    assert "Nobody asks" not in page


def test_without_a_place_the_needs_are_counted_and_no_way_is_guessed(donor: Any) -> None:
    make_need()

    (advice,) = said_of(donor, province="", city="")

    assert (advice.fitting, advice.nearest) == (1, ())


def test_a_line_that_cannot_be_understood_says_what_is_missing(donor: Any) -> None:
    answer = reader(donor).post(HERE, asked({"amount": "many"}), HTTP_HX_REQUEST="true")

    assert "is not a number" in answer.content.decode()


@pytest.mark.parametrize("fields", [{}, {"emergency": "7"}, {"mode": "balloon"}, {"lines-TOTAL_FORMS": "x"}])
def test_a_form_that_is_empty_or_odd_is_answered_all_the_same(donor: Any, fields: dict[str, Any]) -> None:
    assert reader(donor).post(HERE, {**asked(), **fields}).status_code == 200


@pytest.mark.parametrize("needs", [1, 5])
def test_it_asks_as_often_for_many_lines_and_needs(
    donor: Any, needs: int, django_assert_max_num_queries: Any
) -> None:
    make_standard()
    for _ in range(needs):
        make_need()
    client, body = reader(donor), asked(*[{} for _ in range(needs)])

    with django_assert_max_num_queries(40):
        client.post(HERE, body, HTTP_HX_REQUEST="true")
