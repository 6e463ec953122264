"""E-mail addresses: added by a code, good for signing in and for a new password, and told to nobody who asks."""

import re
import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from supplies.accounts.models import Session
from supplies.organisations.models import User
from tests.makers import make_member, make_user
from tests.sign_in import sign_in
from tests.supplies.accounts.door import PASSWORD, browser, give_address, give_factor, is_in, type_password
from tests.supplies.accounts.test_door import plain

pytestmark = pytest.mark.django_db
ADDRESS, OTHER = "drill@example.org", "other@example.org"
NEW = {"password1": "three other words", "password2": "three other words"}


def add(client: Client, email: str) -> Any:
    return client.post(reverse("account_email"), {"email": email, "action_add": "yes"}, follow=True)


def code_in_mail() -> str:
    found = re.search(r"^[A-Z]{4}-[A-Z]{4}$", str(mail.outbox[-1].body), re.M)
    assert found, mail.outbox[-1].body
    return found.group()


def confirm(client: Client, code: str) -> Any:
    return client.post(reverse("account_email_verification_sent"), {"code": code}, follow=True)


def test_an_address_counts_once_the_code_sent_to_it_was_typed_in() -> None:
    user = make_user("her", password=PASSWORD)
    client = sign_in(browser(), user)

    add(client, "Drill@Example.org")
    assert not EmailAddress.objects.exists()
    assert type_password(browser(), ADDRESS).status_code == 200
    confirm(client, "AAAA-AAAA")
    assert not EmailAddress.objects.exists()
    page = confirm(client, code_in_mail().lower())

    assert "You can now sign in with this address too" in page.content.decode()
    assert mail.outbox[0].to == [ADDRESS]
    assert type_password(browser(), ADDRESS).status_code == 302


def test_after_three_wrong_codes_or_a_quarter_of_an_hour_one_asks_for_a_new_one() -> None:
    client = sign_in(browser(), make_user())
    add(client, ADDRESS)
    code = code_in_mail()
    for _ in range(3):
        confirm(client, "AAAA-AAAA")
    confirm(client, code)
    assert not EmailAddress.objects.exists()

    add(client, ADDRESS)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        confirm(client, code_in_mail())

    assert not EmailAddress.objects.exists()


def test_that_somebody_else_has_an_address_is_told_only_to_whoever_reads_its_mail() -> None:
    give_address(make_user(), ADDRESS)
    client = sign_in(browser(), make_user())

    taken, free = add(client, ADDRESS), add(sign_in(browser(), make_user()), OTHER)

    assert plain(taken, ADDRESS) == plain(free, OTHER)
    assert [len(message.body) for message in mail.outbox] == [len(mail.outbox[0].body)] * 2
    mail.outbox.pop()
    page = confirm(client, code_in_mail())
    assert "Another account uses this address" in page.content.decode()
    assert EmailAddress.objects.count() == 1


def test_a_new_address_takes_the_place_of_the_old_which_is_told() -> None:
    user = make_user("her", password=PASSWORD)
    give_address(user, ADDRESS)
    client = sign_in(browser(), user)

    add(client, OTHER)
    confirm(client, code_in_mail())

    assert [address.email for address in EmailAddress.objects.all()] == [OTHER]
    assert (mail.outbox[-1].to, mail.outbox[-1].subject) == ([ADDRESS], "Your e-mail address was changed")
    assert type_password(browser(), ADDRESS).status_code == 200


def test_an_address_is_removed_and_told_so() -> None:
    user = make_user()
    give_address(user, ADDRESS)
    client = sign_in(browser(), user)

    client.post(reverse("account_email"), {"email": ADDRESS, "action_remove": "yes"})

    assert not EmailAddress.objects.exists()
    assert mail.outbox[-1].subject == "Your e-mail address was removed"


def test_nobody_sends_codes_without_end() -> None:
    client = sign_in(browser(), make_user())

    for number in range(5):
        page = add(client, f"person{number}@example.org")

    assert len(mail.outbox) == 3
    assert "Try again later" in page.content.decode()


# --- A forgotten password ---


def ask(email: str, client: Client | None = None) -> Any:
    return (client or browser()).post(reverse("reset-password"), {"email": email}, follow=True)


def link_in_mail() -> str:
    found = re.search(r"http://testserver(/password/reset/\S+)", str(mail.outbox[-1].body))
    assert found, mail.outbox[-1].body
    return found.group(1)


def test_known_and_unknown_addresses_get_the_same_page_and_a_mail_each() -> None:
    give_address(make_user(password=PASSWORD), ADDRESS)
    give_address(make_user(password=PASSWORD, is_active=False), "closed@example.org")
    give_address(make_user(password=PASSWORD), "unconfirmed@example.org", verified=False)

    pages = {
        plain(ask(email), email)
        for email in (ADDRESS, "unknown@example.org", "closed@example.org", "unconfirmed@example.org")
    }

    assert len(pages) == 1
    assert [len(message.to) for message in mail.outbox] == [1] * 4
    assert len({message.subject for message in mail.outbox}) == 1
    assert ["/password/reset/" in str(message.body) for message in mail.outbox] == [True, False, False, False]


def test_a_link_gives_a_new_password_once_and_ends_every_session() -> None:
    user = make_user("her", password=PASSWORD)
    give_address(user, ADDRESS)
    inside = sign_in(browser(), user)
    ask(ADDRESS)
    link, client = link_in_mail(), browser()

    form = client.get(link, follow=True)
    answer = client.post(form.request["PATH_INFO"], NEW)

    assert "token" not in form.request["PATH_INFO"]
    assert link != form.request["PATH_INFO"]
    assert answer.url == reverse("sign-in")
    assert not is_in(inside)
    assert not is_in(client)
    assert not Session.objects.of(user).exists()
    assert browser().get(link).status_code == 404
    assert type_password(browser(), "her", NEW["password1"]).status_code == 302
    assert mail.outbox[-1].subject == "Your password was changed"


def test_a_new_password_does_not_skip_the_second_factor() -> None:
    user = make_member("volunteer", username="her", password=PASSWORD)
    give_address(user, ADDRESS)
    give_factor(user)
    ask(ADDRESS)
    client = browser()
    form = client.get(link_in_mail(), follow=True)
    client.post(form.request["PATH_INFO"], NEW)

    answer = type_password(client, "her", NEW["password1"])

    assert answer.url == reverse("second-factor")
    assert not is_in(client)


def test_a_link_that_is_too_old_damaged_or_for_nobody_is_answered_alike() -> None:
    give_address(make_user(password=PASSWORD), ADDRESS)
    ask(ADDRESS)
    link = link_in_mail()
    account, token = link.strip("/").split("/")[2:]

    answers = [
        browser().get(f"/password/reset/{account}/{token[:-1]}x/"),
        browser().get(f"/password/reset/zz/{token}/"),
    ]
    with time_machine.travel(time.time() + 61 * 60):
        answers.append(browser().get(link))

    assert [answer.status_code for answer in answers] == [404] * 3
    assert len({plain(answer, "nothing") for answer in answers}) == 1


def test_no_more_than_three_mails_an_hour_go_to_one_address_and_nobody_is_told() -> None:
    give_address(make_user(password=PASSWORD), ADDRESS)

    pages = {plain(ask(email), email) for email in [ADDRESS, "unknown@example.org"] * 5}

    assert len(pages) == 1
    assert len(mail.outbox) == 6


def test_the_old_address_does_not_open_a_link_that_was_sent_before_it_changed() -> None:
    user = make_user(password=PASSWORD)
    give_address(user, ADDRESS)
    ask(ADDRESS)
    link = link_in_mail()

    EmailAddress.objects.update(email=OTHER)

    assert browser().get(link).status_code == 404
    assert User.objects.get().check_password(PASSWORD)
