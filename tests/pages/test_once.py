"""A form that is sent twice is done once: every form has what that takes, and it works."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.contrib import admin
from django.contrib.admin import templates  # type: ignore[attr-defined]  # a folder
from django.contrib.auth import get_user
from django.test import Client
from django.urls import reverse

from launcher.processes import wait_until
from supplies.journal.models import Event, IdempotencyKey
from supplies.needs.models import Appeal, Need
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import Organisation, User
from tests.at_once import SECONDS, behind, held, waiting
from tests.config.test_admin_site import make_one_of_everything
from tests.desk import at_the_desk, list_of, page_of
from tests.makers import (
    make_appeal,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_user,
)
from tests.page_client import reader
from tests.pages.forms import shown, written
from tests.supplies.accounts.test_door import sign_up_form
from tests.supplies.needs.test_views import sent

TOKEN = "a-word-of-random-letters"
OURS = Path(site.BASE_DIR) / "templates"
STOCK = Path(next(iter(templates.__path__)))

# -- every form --------------------------------------------------------------------------------------------

WITHOUT = {
    "intake/read.html": "reading an announcement: nothing is stored, and the form it leads to says once",
    "405.html": "what was pressed before, with the word it was sent with",
    "base.html": "signing out and choosing a language: twice is as good as once",
    "admin/base_site.html": "the same at the desk",
    "privacy/_contacts.html": "each showing is written down, and the page that shows is kept by nobody",
    "accounts/sign_in.html": "signing in: twice is as good as once, and nothing is stored",
}
STOCK_WITHOUT = {
    "admin/base.html": "signing out",
    "admin/login.html": "signing in",
    "admin/delete_confirmation.html": "nothing is deleted at the desk",
    "admin/delete_selected_confirmation.html": "nothing is deleted at the desk",
    "registration/password_change_done.html": "signing out",
    "registration/password_change_form.html": "a password that is set twice is set",
    "registration/password_reset_confirm.html": "not in use",
    "registration/password_reset_form.html": "not in use",
}


def forgetful(folder: Path) -> set[str]:
    """The templates with a form that is posted and does not say once."""
    return {
        str(file.relative_to(folder))
        for file in folder.rglob("*.html")
        if any("{% once %}" not in form for form in written(file.read_text()))
    }


def test_every_form_says_once_or_why_not() -> None:
    assert forgetful(OURS) == set(WITHOUT)


def test_a_form_that_forgets_it_is_found(tmp_path: Path) -> None:
    (tmp_path / "good.html").write_text('<form method="post">{% csrf_token %}{% once %}</form><form></form>')
    (tmp_path / "bad.html").write_text('{% once %}<FORM class="a" method=POST>\n{% csrf_token %}</FORM>')

    assert forgetful(tmp_path) == {"bad.html"}


def test_every_form_django_brings_is_given_it_or_is_not_in_need_of_it() -> None:
    given = {
        name
        for name in forgetful(STOCK)
        if (OURS / name).exists() and "{% once %}" in (OURS / name).read_text()
    }

    assert forgetful(STOCK) - given == set(STOCK_WITHOUT)


@pytest.mark.django_db
def test_every_form_that_is_shown_at_the_desk_can_be_sent_twice() -> None:
    make_one_of_everything()
    make_need()
    root = make_user("root", is_staff=True, is_superuser=True)
    client = at_the_desk(root)
    addresses = [
        reverse("admin:matching_matchingrun_start"),
        reverse("admin:auth_user_password_change", args=[root.pk]),
    ]
    for model in one_of_each_kind():
        row = model._default_manager.first()
        addresses += [list_of(model), list_of(model) + "add/", *([page_of(row)] if row else [])]
    forms = 0

    for address in addresses:
        answer = client.get(address)
        if answer.status_code == 403 and address.endswith("add/"):
            continue
        assert answer.status_code == 200, address
        for action, fields in shown(answer.content.decode()):
            if action not in (reverse("language"), reverse("admin:logout")):
                assert {"once", "csrfmiddlewaretoken"} <= fields, (address, action)
                forms += 1

    assert forms > 10


def one_of_each_kind() -> list[Any]:
    """Desks by the templates they are shown with, one of each; one that may be edited rather than one that may not."""
    found: dict[Any, Any] = {}
    for model, desk in admin.site._registry.items():
        own = tuple(getattr(desk, f"{kind}_template") for kind in ("change_list", "change_form", "add_form"))
        is_edited = type(desk).has_change_permission is admin.ModelAdmin.has_change_permission
        found.setdefault((own, is_edited), model)
    return list(found.values())


@pytest.mark.django_db
def test_each_form_has_a_word_of_its_own_each_time() -> None:
    client = reader(make_member("hospital", make_facility().organisation))
    make_emergency()

    def words() -> list[str]:
        return re.findall(r'name="once" value="([\w-]{22})"', client.get("/mine/hospital/").content.decode())

    first, second = words(), words()
    assert len(first) == len(second) > 0
    assert len({*first, *second}) == len(first) + len(second)


# -- what it does ------------------------------------------------------------------------------------------


@pytest.fixture
def form(db: None) -> tuple[Client, str, dict[str, Any]]:
    """Somebody of a hospital with the form of an appeal filled in."""
    hospital = make_facility()
    member = make_member("hospital", hospital.organisation)
    return reader(member), reverse("post-appeal", args=[hospital.pk]), sent(once=TOKEN)


def test_a_form_that_is_sent_twice_is_done_once_and_leads_to_the_same_page(form: Any) -> None:
    client, address, filled_in = form

    first, second = client.post(address, filled_in), client.post(address, filled_in)

    assert first.status_code == second.status_code == 302
    assert first["Location"] == second["Location"]
    assert second["Idempotency-Replayed"] == "true"
    assert Appeal.objects.count() == 1
    assert Event.objects.filter(kind="appeal.posted").count() == 1


def test_the_control_without_the_word_it_is_done_twice(form: Any) -> None:
    client, address, filled_in = form
    del filled_in["once"]

    for _time in range(2):
        client.post(address, filled_in)

    assert Appeal.objects.count() == 2


def test_the_same_page_sent_again_with_another_content_is_another_wish(form: Any) -> None:
    """Back, change the number, send: nobody means the first one by that."""
    client, address, filled_in = form

    client.post(address, filled_in)
    client.post(address, {**filled_in, "lines-0-amount": "3000"})

    assert sorted(Need.objects.values_list("quantity", flat=True)) == [2000, 3000]


def test_a_form_with_errors_keeps_nothing(form: Any) -> None:
    client, address, filled_in = form

    sent_back = client.post(address, {**filled_in, "lines-0-amount": "-1"})

    assert sent_back.status_code == 200
    assert not IdempotencyKey.objects.exists()
    assert client.post(address, filled_in).status_code == 302


def test_the_word_is_its_owner_s(form: Any) -> None:
    client, address, filled_in = form
    client.post(address, filled_in)

    reader(make_member("hospital")).post(address, filled_in)

    assert Appeal.objects.count() == 2


@pytest.mark.parametrize("word", ["", "short", "x" * 65, "a word with spaces and more", "é" * 20])
def test_a_word_that_is_not_ours_is_no_word(form: Any, word: str) -> None:
    client, address, filled_in = form

    answers = [client.post(address, {**filled_in, "once": word}) for _again in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Appeal.objects.count() == 2


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("word", "appeals"), [({"once": TOKEN}, 1), ({}, 2)], ids=["with", "the control without"]
)
def test_two_simultaneous_posts_of_one_form(word: dict[str, str], appeals: int) -> None:
    hospital = make_facility()
    person = make_member("hospital", hospital.organisation)
    address, filled_in = reverse("post-appeal", args=[hospital.pk]), sent(**word)
    clients = [reader(person), reader(person)]

    answers = behind(
        held(Organisation.objects.filter(pk=hospital.organisation_id)),
        [lambda client=client: client.post(address, filled_in) for client in clients],  # type: ignore[misc]
    )

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Appeal.objects.count() == appeals
    assert len({answer["Location"] for answer in answers}) == appeals


@pytest.mark.django_db
def test_somebody_new_who_signs_up_twice_has_one_account_and_is_signed_in_by_either_answer() -> None:
    cookies = Client(enforce_csrf_checks=True)
    form = sign_up_form(cookies)
    page = cookies.get("/sign-up/").content.decode()
    token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[0]
    filled_in = {**form, "once": TOKEN, "csrfmiddlewaretoken": token}
    before = cookies.cookies.output(header="", sep=";")

    def click() -> Client:
        """With the cookies of the page, since the first answer may never have been read."""
        browser = Client(enforce_csrf_checks=True)
        browser.cookies.load(before)
        assert browser.post("/sign-up/", filled_in).status_code == 302
        return browser

    browsers = [click(), click()]

    person = User.objects.get()
    for browser in browsers:
        assert get_user(browser) == person  # type: ignore[arg-type]
    assert get_user(cookies).is_anonymous  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_form_whose_answer_was_erased_is_not_done_again_and_says_so(volunteer: User) -> None:
    appeal, client = make_appeal(published=False), at_the_desk(volunteer)
    form = {"action": "publish", "_selected_action": [str(appeal.pk)], "index": "0", "once": TOKEN}
    client.post(list_of(Appeal) + "?status=all", form)
    IdempotencyKey.objects.update(answer_sealed=b"")
    events = Event.objects.count()

    again = client.post(list_of(Appeal) + "?status=all", form)

    assert (again.status_code, again["Location"]) == (302, "/")
    assert any("has been erased since" in str(one) for one in client.get("/").context["messages"])
    assert Event.objects.count() == events


@pytest.mark.django_db
def test_an_action_at_the_desk_that_is_chosen_twice_is_done_once(volunteer: User) -> None:
    appeal, client = make_appeal(published=False), at_the_desk(volunteer)
    form = {"action": "publish", "_selected_action": [str(appeal.pk)], "index": "0", "once": TOKEN}

    answers = [client.post(list_of(Appeal) + "?status=all", form) for _again in range(2)]
    page = client.get(answers[1]["Location"])

    assert answers[0]["Location"] == answers[1]["Location"]
    assert [str(message) for message in page.context["messages"]] == ["Publish: done for 1."]


@pytest.mark.django_db
def test_the_page_that_asks_before_an_action_keeps_nothing_and_its_answer_is_done_once(
    volunteer: User,
) -> None:
    appeal, client = make_appeal(published=False), at_the_desk(volunteer)
    form = {"action": "refuse", "_selected_action": [str(appeal.pk)], "index": "0", "once": TOKEN}

    asked = client.post(list_of(Appeal) + "?status=all", form)
    assert (asked.status_code, IdempotencyKey.objects.count()) == (200, 0)
    answered = {**form, "answered": "yes", "reason": "nobody there", "once": f"{TOKEN}-2"}
    answers = [client.post(list_of(Appeal) + "?status=all", answered) for _again in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert Event.objects.filter(kind="appeal.refused").count() == 1


@pytest.mark.django_db
def test_a_row_that_is_added_twice_at_the_desk_is_added_once(volunteer: User) -> None:
    form = {"user": volunteer.pk, "name": "program", "scopes": ["read"], "once": TOKEN}
    client = at_the_desk(volunteer)

    answers = [client.post(list_of(ApiToken) + "add/", form) for _again in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert ApiToken.objects.count() == 1


# -- with a browser ----------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("has_word", "posted"), [(True, 1), (False, 2)], ids=["with", "the control without"])
def test_a_real_double_click_posts_one_appeal(
    browser: Any, live_server: Any, has_word: bool, posted: int
) -> None:
    """Both clicks reach the site: the first is held there until the second has come. The page's script is switched off."""
    hospital = make_facility()
    member = make_member("hospital", hospital.organisation)
    make_item()
    make_emergency()
    client = reader(member)
    context = browser.new_context(base_url=live_server.url, locale="en-GB")
    context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page = context.new_page()
    page.route("**/site.js", lambda route: route.abort())
    page.goto(reverse("post-appeal", args=[hospital.pk]))
    page.select_option("select[name=lines-0-item]", "MASK_SURG")
    page.fill("input[name=lines-0-amount]", "300")
    page.fill("input[name=contact_name]", "Practice person")
    page.fill("input[name=contact_phone]", "000-81234567")
    if not has_word:
        page.evaluate("document.querySelectorAll('input[name=once]').forEach(field => field.remove())")
    send = page.get_by_role("button", name="Send", exact=True)
    send.scroll_into_view_if_needed()
    box = send.bounding_box()
    place = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    with held(Organisation.objects.filter(pk=hospital.organisation_id)):
        page.mouse.click(*place)
        assert wait_until(lambda: waiting() == 1, seconds=SECONDS)
        page.mouse.click(*place)
        assert wait_until(lambda: waiting() == 2, seconds=SECONDS)

    page.wait_for_selector("text=Your appeal has been received")
    assert Appeal.objects.count() == posted
    assert Appeal.objects.order_by("created_at").last().code in page.content()
    context.close()
