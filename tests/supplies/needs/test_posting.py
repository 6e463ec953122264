"""Posting an appeal in two minutes: items by any name, hints, what others ask for, once more, and drafts that are not lost."""

import json
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supplies.accounts import drafts
from supplies.accounts.models import Draft
from supplies.catalogue.shelf import Shelf
from supplies.needs.models import Appeal, Need
from supplies.privacy.services import copy_of, erase_number
from tests.makers import (
    NOW,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_standard,
    make_user,
)
from tests.page_client import reader
from tests.supplies.needs.test_views import sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def hospital():
    make_emergency()
    cache.clear()
    return make_facility()


@pytest.fixture
def officer(hospital):
    return make_member("hospital", hospital.organisation)


@pytest.fixture
def client(officer):
    return reader(officer)


@pytest.fixture
def form(hospital) -> str:
    return reverse("post-appeal", args=[hospital.pk])


# -- by any name ---------------------------------------------------------------------------------------------


def shelf_of_three() -> None:
    make_item("RESP", name_zh="医用防护口罩", name_en="Medical respirator", synonyms=["N95", "口罩"])
    make_item("MASK_SURG", name_zh="医用外科口罩", name_en="Surgical mask", synonyms=["外科口罩"])
    make_item("CHLORINE", name_zh="含氯消毒液", name_en="Chlorine disinfectant", synonyms=["84消毒液"])


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("N95", ["RESP"]),
        ("ｎ-95", ["RESP"]),
        ("口罩", ["RESP", "MASK_SURG"]),  # the whole name before a part of one
        ("84", ["CHLORINE"]),
        ("mask", ["MASK_SURG"]),
        ("xyzzy", []),
        ("  ", []),
    ],
)
def test_an_item_is_found_by_what_people_call_it(typed: str, codes: list[str]) -> None:
    shelf_of_three()

    assert [one.item.code for one in Shelf().suggest(typed)] == codes


def test_names_are_suggested_while_one_is_typed(client, form: str) -> None:
    shelf_of_three()

    page = client.get(form, {"line": "lines-0", "lines-0-called": "84"}).content.decode()

    assert 'data-value="CHLORINE"' in page
    assert "<html" not in page


def test_before_anything_is_typed_it_tells_what_others_like_this_hospital_ask_for(client, form: str) -> None:
    shelf_of_three()
    for item in ("RESP", "RESP", "CHLORINE"):
        make_need(item=make_item(item))

    page = client.get(form, {"line": "lines-0", "lines-0-called": ""}).content.decode()

    assert page.index('data-value="RESP"') < page.index('data-value="CHLORINE"')
    assert "Asked for now by hospitals like yours" in page


def test_without_javascript_the_button_puts_what_was_meant_first_and_chooses_it(client, form: str) -> None:
    shelf_of_three()

    page = client.post(form, sent({"item": "", "called": "84"}, find="lines-0")).content.decode()

    assert "Known as “84”" in page
    assert '<option value="CHLORINE" selected>' in page
    assert not Appeal.objects.exists()


def test_whoever_looks_up_another_name_chooses_anew(client, form: str) -> None:
    shelf_of_three()

    another = client.post(form, sent({"item": "RESP", "called": "84"}, find="lines-0")).content.decode()
    unknown = client.post(form, sent({"item": "RESP", "called": "zzz"}, find="lines-0")).content.decode()
    elsewhere = client.post(form, sent({"item": "RESP", "called": "84"}, find="lines-1")).content.decode()

    assert '<option value="CHLORINE" selected>' in another
    assert "We know nothing called “zzz”" in unknown
    assert '<option value="RESP" selected>' not in unknown
    assert '<option value="RESP" selected>' in elsewhere


def test_a_line_that_names_no_item_comes_back_with_what_may_be_meant(client, form: str) -> None:
    shelf_of_three()

    page = client.post(form, sent({"item": "", "called": "口罩"})).content.decode()

    assert "Known as “口罩”" in page
    assert "Nothing has been sent yet" in page


def test_a_chosen_item_explains_its_units_and_names_its_standards(client, form: str) -> None:
    item = make_item("RESP", name_en="Medical respirator")
    make_standard("GB19083-2010", [item])

    page = client.get(form, {"line": "lines-0", "lines-0-item": "RESP"}).content.decode()

    assert "Without another unit it is counted in" in page
    assert 'data-value="GB19083-2010"' in page


@pytest.mark.parametrize(
    "query", [{"line": "x" * 500, "x-item": "?"}, {"line": "lines-0", "lines-0-item": "no"}]
)
def test_nonsense_gets_no_help_and_no_fault(client, form: str, query: dict[str, str]) -> None:
    assert client.get(form, query).status_code == 200


def test_the_form_asks_as_little_for_many_lines_as_for_one(client, form: str) -> None:
    shelf_of_three()
    client.get(form)

    def queries(*rows: dict[str, str]) -> int:
        typed = sent(*rows, add="1")
        with CaptureQueriesContext(connection) as asked:
            assert client.post(form, typed).status_code == 200
        return len(asked)

    queries({"item": "RESP"})  # which reads the catalogue
    assert queries({"item": "RESP"}) == queries(
        *({"item": code} for code in ("RESP", "MASK_SURG", "CHLORINE"))
    )


def test_the_form_is_shown_with_few_queries_draft_and_all(client, form: str) -> None:
    kept_by(client, form)
    client.get(form)

    with CaptureQueriesContext(connection) as asked:
        client.get(form)

    assert len([query for query in asked if "SAVEPOINT" not in query["sql"]]) <= 12


# -- once more -----------------------------------------------------------------------------------------------


def test_the_last_appeal_is_posted_once_more_without_its_day(client, form: str, hospital) -> None:
    need = make_need(hospital, quantity=1500, urgency=2)

    page = client.get(form, {"copy": need.appeal_id})

    (line,) = page.context["lines"]
    assert (line["item"].value(), line["amount"].value(), line["urgency"].value()) == ("MASK_SURG", "1500", 2)
    assert line["needed_by"].value() is None


def test_a_line_of_a_copy_can_be_left_out(client, form: str) -> None:
    shelf_of_three()

    client.post(
        form, sent({"item": "RESP", "amount": "5"}, {"item": "CHLORINE", "amount": "x", "left_out": "on"})
    )

    assert [need.item_id for need in Appeal.objects.get().needs.all()] == ["RESP"]


@pytest.mark.parametrize("which", ["of another hospital", "no key"])
def test_what_is_not_ours_is_not_copied(client, form: str, which: str) -> None:
    key = str(make_need().appeal_id) if which == "of another hospital" else "nonsense"

    page = client.get(form, {"copy": key})

    assert page.status_code == 200
    assert page.context["lines"][0]["item"].value() is None


# -- drafts --------------------------------------------------------------------------------------------------


def kept_by(client, form: str, **fields: str) -> None:
    answer = client.post(form, sent(keep="1", **fields), headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "Kept at" in answer.content.decode()


def test_what_was_typed_is_there_again_on_any_device_with_the_telephone(client, form: str, officer) -> None:
    kept_by(client, form)

    page = reader(officer).get(form)

    assert page.context["lines"][0]["amount"].value() == "2000"
    assert page.context["form"]["contact_phone"].value() == "027-8123 4567"
    assert page.content.decode().count("and send it.") == 1
    assert "Start anew" in page.content.decode()
    assert not Appeal.objects.exists()


def test_a_draft_is_sealed_and_its_owner_s_alone(client, form: str, hospital) -> None:
    kept_by(client, form)

    assert "8123" not in bytes(Draft.objects.get().typed_sealed).decode(errors="replace")
    assert reader(make_member("hospital", hospital.organisation)).get(form).context["kept"] is None


def test_a_draft_ends_with_the_appeal_that_was_posted(client, form: str) -> None:
    kept_by(client, form)

    assert client.post(form, sent()).status_code == 302

    assert not Draft.objects.exists()
    assert Appeal.objects.count() == 1


def test_a_form_that_is_sent_back_keeps_the_draft(client, form: str) -> None:
    kept_by(client, form)

    client.post(form, sent({"amount": "-1"}))

    assert Draft.objects.count() == 1


def test_whoever_starts_anew_has_no_draft(client, form: str) -> None:
    kept_by(client, form)

    assert client.post(form, {"forget": "1"}).url == form

    assert client.get(form).context["kept"] is None


def test_without_javascript_a_button_keeps_it(client, form: str) -> None:
    assert client.post(form, sent(keep="1")).url == reverse("my-hospital")

    assert form in client.get(reverse("my-hospital")).content.decode()


def test_a_login_lost_in_the_middle_costs_nothing(officer, form: str) -> None:
    """Kept a while ago; changed since; the session ends; then Send. The number is the draft's, all else as sent."""
    kept_by(reader(officer), form)
    stranger = reader()

    led = stranger.post(form, sent({"amount": "700"}))
    assert led.url.startswith(reverse("sign-in"))
    stranger.force_login(officer, backend="django.contrib.auth.backends.ModelBackend")
    page = stranger.get(form)

    assert page.context["lines"][0]["amount"].value() == "700"
    assert page.context["form"]["contact_phone"].value() == "027-8123 4567"
    assert page.content.decode().count("and send it.") == 1
    assert "Start anew" in page.content.decode()


def test_a_draft_is_kept_for_a_week_and_the_oldest_makes_room(officer) -> None:
    for number in range(drafts.MOST_KEPT + 2):
        drafts.keep(_typed(), page=f"/{number}/", by=officer, at=NOW + timedelta(hours=number))

    assert set(Draft.objects.values_list("page", flat=True)) == {
        f"/{n}/" for n in range(2, drafts.MOST_KEPT + 2)
    }
    later = NOW + timedelta(days=7, hours=3)
    assert drafts.find(page="/2/", by=officer, at=later) is None
    assert drafts.drop_old(at=later) == 1


def test_nothing_longer_than_a_form_is_kept(officer) -> None:
    assert drafts.keep(_typed(remark="x" * drafts.LONGEST), page="/1/", by=officer, at=NOW) is None


def test_whoever_is_erased_stands_in_no_draft(officer) -> None:
    drafts.keep(_typed(contact_phone="13800138000", remark="call me"), page="/1/", by=officer, at=NOW)

    erase_number("13800138000", by=make_user("root", is_superuser=True), at=NOW)

    fields = drafts.fields_of(Draft.objects.get())
    assert (fields["contact_phone"], fields["remark"]) == ("••••", "call me")


def test_a_copy_of_one_s_data_holds_the_drafts(officer) -> None:
    drafts.keep(_typed(remark="call me"), page="/1/", by=officer, at=NOW)

    assert "call me" in json.dumps(copy_of(officer, at=NOW)["drafts"], default=str)


def _typed(**fields: str):
    from django.http import QueryDict

    typed = QueryDict(mutable=True)
    typed.update({"lines-0-amount": "5", "once": "a-word", **fields})
    return typed


# -- still needed --------------------------------------------------------------------------------------------


def test_all_lines_of_a_reminder_are_confirmed_with_one_press_and_none_by_looking(hospital, officer) -> None:
    from supplies.needs import reminders
    from supplies.needs.models import Reminded

    need = make_need(hospital)
    Need.objects.update(is_grey=True, reminded=Reminded.OF_GREY)
    link = reverse("still-needed", args=[reminders.link_for(need.appeal, officer)])

    page = reader().get(link).content.decode()
    assert Need.objects.grey().count() == 1
    assert 'type="checkbox"' not in page

    reader().post(link, {"all": "1"})
    assert Need.objects.grey().count() == 0
