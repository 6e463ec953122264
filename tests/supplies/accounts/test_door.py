"""Signing in, up and out: who gets in, and that nobody learns from the door who has an account."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from supplies.accounts.numbers import shown
from supplies.journal.models import Event
from supplies.organisations.models import User
from tests.makers import make_member, make_user
from tests.supplies.accounts.door import PASSWORD, browser, give_address, is_in, type_password

pytestmark = pytest.mark.django_db
NUMBER, UNUSED = "482177302", "924070849"


@pytest.mark.parametrize(
    "typed", [NUMBER, shown(NUMBER), " 4821 7730 2", "４８２１-7730-2", "Drill@Example.org"]
)
def test_one_signs_in_with_the_number_or_a_confirmed_address(typed: str) -> None:
    give_address(make_user(NUMBER, password=PASSWORD), "drill@example.org")
    client = browser()

    answer = type_password(client, typed, next="/needs/")

    assert (answer.status_code, answer.url) == (302, "/needs/")
    assert is_in(client)


def test_who_is_led_to_the_door_reads_why() -> None:
    led, by_herself = (
        browser().get(address, follow=True) for address in (reverse("inbox"), reverse("sign-in"))
    )

    assert "This step needs an account." in led.content.decode()
    assert "This step needs an account." not in by_herself.content.decode()


def test_the_session_gets_another_key_at_the_door_and_what_was_typed_waits_in_it() -> None:
    make_user(NUMBER, password=PASSWORD)
    client = browser()
    client.post(reverse("register-hospital"), {"name": "Harbour hospital"})
    before = client.session.session_key

    type_password(client, NUMBER)

    assert client.session.session_key != before
    assert "Harbour hospital" in client.get(reverse("register-hospital")).content.decode()


def plain(answer: Any, typed: str) -> str:
    """A page without what differs from one visit to the next, and without what was typed."""
    text = re.sub(r'name="(csrfmiddlewaretoken|next|once)" value="[^"]*"', "", answer.content.decode())
    return text.replace(typed, "TYPED")


class CountingHasher(MD5PasswordHasher):
    looked = 0

    def verify(self, password: str, encoded: str) -> bool:
        CountingHasher.looked += 1
        return super().verify(password, encoded)


def test_what_is_wrong_at_the_door_is_never_told_and_costs_the_same(settings: Any) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    make_user(NUMBER, password=PASSWORD)
    make_user("closed", password=PASSWORD, is_active=False)
    give_address(make_user("another", password=PASSWORD), "unconfirmed@example.org", verified=False)
    give_address(make_user("third", password=PASSWORD), "confirmed@example.org")
    type_password(browser(), "nobody")  # makes the hash of nobody, once per process
    seen = set()

    for name, password in [
        (UNUSED, "wrong words"),
        (NUMBER, "wrong words"),
        ("nobody", PASSWORD),
        ("closed", PASSWORD),
        ("unconfirmed@example.org", PASSWORD),
        ("confirmed@example.org", "wrong words"),
        ("unknown@example.org", PASSWORD),
    ]:
        before = CountingHasher.looked
        with CaptureQueriesContext(connection) as queries:
            answer = type_password(browser(), name, password)
        seen.add((answer.status_code, plain(answer, name), CountingHasher.looked - before, len(queries)))

    assert len(seen) == 1, [(status, hashes, queries) for status, _page, hashes, queries in seen]
    assert next(iter(seen))[2] == 1
    assert "Wrong account number or password" in next(iter(seen))[1]


def test_a_slip_in_the_number_is_told_since_nobody_can_have_that_number() -> None:
    answer = type_password(browser(), "4821-7730-3")

    assert "A digit of this number is wrong" in answer.content.decode()


def test_the_machinery_s_own_addresses_and_answers_are_not_there() -> None:
    client = browser()

    for path in (
        "accounts/login/",
        "accounts/signup/",
        "accounts/2fa/",
        "sign-in/code/",
        "account/inactive/",
    ):
        assert client.get(f"/{path}").status_code == 404, path
    answer = client.post(
        reverse("sign-in"), {"username": "x", "password": "y"}, headers={"accept": "application/json"}
    )
    assert answer.headers["Content-Type"].startswith("text/html")
    assert (
        client.post(reverse("reset-password"), {}, headers={"x-requested-with": "XMLHttpRequest"})
        .headers["Content-Type"]
        .startswith("text/html")
    )


# --- An account in a minute ---


def sign_up_form(client: Any, **fields: str) -> dict[str, str]:
    form = client.get(reverse("sign-up")).context["form"]
    return {"ticket": form["ticket"].value(), "password1": PASSWORD, "password2": PASSWORD, **fields}


def test_signing_up_takes_a_password_gives_a_number_and_goes_on() -> None:
    client = browser()
    client.post(reverse("register-hospital"), {"name": "Harbour hospital"})

    answer = client.post(reverse("sign-up"), sign_up_form(client, next="/donations/new/"), follow=True)

    user = User.objects.get()
    assert shown(user.username) in answer.content.decode()
    assert 'href="/donations/new/"' in answer.content.decode()
    assert (user.email, user.first_name, user.check_password(PASSWORD)) == ("", "", True)
    assert Event.objects.about(user).get().kind == "account.opened"
    assert is_in(client)
    assert "Harbour hospital" in client.get(reverse("register-hospital")).content.decode()


def test_signing_up_never_leads_to_another_site() -> None:
    client = browser()

    answer = client.post(reverse("sign-up"), sign_up_form(client, next="https://evil.example/"))

    assert parse_qs(urlsplit(answer.url).query)["next"] == [reverse("mine")]


@pytest.mark.parametrize("ticket", ["", "482177302", "forged:ticket:here", "\0"])
def test_only_a_number_that_was_drawn_here_can_be_taken(ticket: str) -> None:
    client = browser()

    answer = client.post(reverse("sign-up"), sign_up_form(client, ticket=ticket, username=NUMBER))

    assert answer.status_code == 200
    assert not User.objects.exists()
    fresh = answer.context["form"]
    again = {"ticket": fresh["ticket"].value(), "password1": PASSWORD, "password2": PASSWORD}
    assert client.post(reverse("sign-up"), again).status_code == 302
    assert shown(User.objects.get().username) == fresh["username"].value() != NUMBER


def test_a_number_that_was_taken_meanwhile_is_answered_like_a_form_that_waited_too_long() -> None:
    client = browser()
    form = sign_up_form(client)
    client.post(reverse("sign-up"), form)

    again = browser().post(reverse("sign-up"), form)
    forged = browser().post(reverse("sign-up"), {**form, "ticket": "forged"})

    def without_numbers(answer: Any) -> str:
        fields = answer.context["form"]
        return plain(answer, fields["ticket"].value()).replace(fields["username"].value(), "NUMBER")

    assert User.objects.count() == 1
    assert without_numbers(again) == without_numbers(forged)
    assert "Here is a new number" in again.content.decode()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"password1": "q7#k", "password2": "q7#k"}, "at least 10 characters"),
        ({"password1": "password12", "password2": "password12"}, "too common"),
        ({"password2": "different words"}, "not the same"),
        ({"password1": "", "password2": ""}, "required"),
    ],
)
def test_a_password_that_will_not_do_is_explained_and_no_account_is_made(
    fields: dict[str, str], words: str
) -> None:
    client = browser()

    answer = client.post(reverse("sign-up"), sign_up_form(client, **fields))

    assert words in answer.content.decode()
    assert not User.objects.exists()


def test_a_password_like_the_number_will_not_do() -> None:
    client = browser()
    form = client.get(reverse("sign-up")).context["form"]
    number = form["username"].value()
    fields = {"ticket": form["ticket"].value(), "password1": f"{number}x", "password2": f"{number}x"}

    answer = client.post(reverse("sign-up"), fields)

    assert "too similar" in answer.content.decode()
    assert not User.objects.exists()


def test_a_short_password_is_refused_in_the_readers_language() -> None:
    client = browser()

    answer = client.post(
        reverse("sign-up"),
        sign_up_form(client, password1="q7#k", password2="q7#k"),
        headers={"accept-language": "zh-hans"},
    )

    assert "至少需要 10 个字符" in answer.content.decode()


def test_signing_out_ends_the_session() -> None:
    make_user(NUMBER, password=PASSWORD)
    client = browser()
    type_password(client, NUMBER)

    client.post(reverse("sign-out"))

    assert not is_in(client)


def test_signing_in_opens_on_the_work_that_waits() -> None:
    volunteer, nurse = make_member("volunteer"), make_member("hospital")
    for user in (volunteer, nurse):
        user.set_password(PASSWORD)
        user.save()

    assert type_password(browser(), volunteer.username).url == reverse("admin:index")
    assert type_password(browser(), nurse.username).url == reverse("mine")
