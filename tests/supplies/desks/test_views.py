import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from supplies.needs.counting import count_open
from supplies.needs.models import OpenCount
from supplies.needs.services import withdraw_need
from tests.makers import (
    NOW,
    make_appeal,
    make_donation,
    make_facility,
    make_member,
    make_need,
    make_organisation,
    make_shipment,
    make_user,
)
from tests.page_client import reader

pytestmark = pytest.mark.django_db


def test_the_first_page_shows_the_most_urgent_and_counts_by_category() -> None:
    make_need(make_facility(name="Can wait"), urgency=4)
    make_need(make_facility(name="Cannot wait"), urgency=1)
    count_open(at=NOW)

    answer = reader().get(reverse("home"))

    page = answer.content.decode()
    assert page.index("Cannot wait") < page.index("Can wait")
    assert {category.pk: lines for category, lines in answer.context["categories"]} == {"ppe": 2}
    assert [lines for _urgency, lines in answer.context["urgencies"]] == [1, 0, 0, 1]
    assert "Counted on 23 November 2026, 16:00; counted anew every minute." in page


def test_the_first_page_shows_no_numbers_before_anything_was_counted() -> None:
    make_need()

    page = reader().get(reverse("home")).content.decode()

    assert "Counted on" not in page
    assert "<b>" not in page


def test_what_is_not_open_any_more_is_not_counted_the_next_time() -> None:
    need, other = make_need(urgency=1), make_need(urgency=1)
    count_open(at=NOW)
    withdraw_need(need, by=None, at=NOW)
    assert _counted() == {1: 2}

    count_open(at=NOW)
    assert _counted() == {1: 1}

    withdraw_need(other, by=None, at=NOW)
    count_open(at=NOW)
    assert _counted() == {}


def _counted() -> dict[int, int]:
    return dict(OpenCount.objects.filter(lines__gt=0).values_list("urgency", "lines"))


def test_the_first_page_asks_as_little_for_many_needs_as_for_one() -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            reader().get(reverse("home"))
        return len(asked)

    make_need()
    one = queries()
    for _number in range(6):
        make_need()

    assert queries() == one <= 14


def test_a_code_is_found_as_people_copy_it() -> None:
    code = make_appeal().code
    written = f" {code[:13].upper()} {code[13:]} "

    answer = reader().get(reverse("find-code"), {"code": written}, follow=True)

    assert answer.status_code == 200
    assert "Published; its needs are being matched." in answer.content.decode()


@pytest.mark.parametrize("make", [make_appeal, make_donation, lambda: make_shipment(status="in_transit")])
def test_one_address_answers_for_all_three_and_is_not_passed_on(make) -> None:
    answer = reader().get(reverse("track", args=[make().code]))

    assert answer.status_code == 200
    assert answer["Referrer-Policy"] == "same-origin"
    assert "noindex" in answer["X-Robots-Tag"]
    assert 'content="noindex' in answer.content.decode()


@pytest.mark.parametrize("code", ["abc", "a" * 26, "…", "<b>"])
def test_an_unknown_code_says_what_a_code_looks_like(code: str) -> None:
    answer = reader().get(reverse("find-code"), {"code": code}, follow=True)

    assert answer.status_code in (200, 404)
    assert "26 letters and digits" in answer.content.decode()


def test_an_empty_box_asks_for_a_code_once_it_was_sent() -> None:
    sent, opened = (
        reader().get(reverse("find-code"), query).content.decode() for query in ({"code": " "}, {})
    )

    assert "Type the code you want to follow." in sent
    assert "Type the code you want to follow." not in opened


def test_a_followed_shipment_is_told_in_plain_words_without_its_donor() -> None:
    shipment = make_shipment(status="delivered")

    page = reader().get(reverse("track", args=[shipment.code])).content.decode()

    assert "Left the donor" in page
    assert "Handed over at the door" in page
    assert shipment.consignor.name not in page


def test_the_page_of_my_hospital_shows_what_is_mine_and_what_to_count() -> None:
    hospital = make_member("hospital")
    facility = make_facility(hospital.memberships.get().organisation)
    from tests.makers import make_allocation

    shipment = make_shipment(make_allocation(need=make_need(facility)), status="delivered")
    other = make_appeal()

    page = reader(hospital).get(reverse("my-hospital")).content.decode()

    assert reverse("count-shipment", args=[shipment.pk]) in page
    assert shipment.consignor.name in page
    assert other.code not in page


def test_a_carrier_s_page_opens_on_what_was_booked_with_it() -> None:
    carrier = make_organisation("carrier")
    shipment = make_shipment(carrier=carrier, status="booked")
    member = make_member("carrier", carrier)

    page = reader(member).get(reverse("mine")).content.decode()

    assert "Booked with you, not picked up" in page
    assert reverse("dock-shipment", args=[shipment.pk]) in page


def test_my_page_is_for_those_who_signed_in() -> None:
    assert reader().get(reverse("mine")).url.startswith(reverse("sign-in"))
    assert reader(make_user()).get(reverse("mine")).status_code == 200


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_mishaps_have_a_page_of_their_own(language: str, settings) -> None:
    client = reader(raise_request_exception=False)
    client.cookies["django_language"] = language

    missing = client.get("/nowhere/")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    too_long = client.post(reverse("sign-up"), {"username": "x" * 2000})

    assert missing.status_code == 404
    assert f'<html lang="{language}">' in missing.content.decode()
    assert too_long.status_code in (400, 413)
    assert "site.css" in too_long.content.decode() or too_long.status_code == 200


def test_a_form_without_its_token_is_explained() -> None:
    answer = reader(enforce_csrf_checks=True).post(reverse("sign-up"), {"username": "x"})

    assert answer.status_code == 403
    assert "open too long" in answer.content.decode()


def test_a_page_that_breaks_says_so_without_the_database(monkeypatch) -> None:
    from supplies.desks import views

    monkeypatch.setattr(views, "track", lambda code: 1 / 0)

    answer = reader(raise_request_exception=False).get(reverse("track", args=["abc"]))

    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


def test_the_code_of_a_withdrawn_need_claims_no_shortage() -> None:
    need = make_need(quantity=500)
    assert "still needed" in reader().get(reverse("track", args=[need.appeal.code])).content.decode()

    withdraw_need(need, by=None, at=timezone.now())

    assert "still needed" not in reader().get(reverse("track", args=[need.appeal.code])).content.decode()


@pytest.mark.parametrize(
    ("role", "sits"), [("volunteer", True), ("coordinator", True), ("auditor", True), ("donor", False)]
)
def test_the_head_of_a_page_leads_to_the_desk_whoever_sits_there(role: str, sits: bool) -> None:
    page = reader(make_member(role)).get(reverse("needs")).content.decode()

    assert (f'<a href="{reverse("admin:index")}">Desk</a>' in page) == sits


@pytest.mark.parametrize(("role", "is_last"), [("carrier", True), ("volunteer", True), (None, False)])
def test_registering_a_hospital_comes_last_for_those_who_act_for_something_else(
    role: str | None, is_last: bool
) -> None:
    page = reader(make_member(role) if role else make_user()).get(reverse("mine")).content.decode()

    assert (page.index("Register my hospital") > page.index("My data")) == is_last
    assert page.count("Register my hospital") == 1
