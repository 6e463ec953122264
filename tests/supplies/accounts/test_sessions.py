"""Sessions run out, are listed, and end with the password, with the account and when asked to."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from supplies.accounts import services
from supplies.accounts.models import Session
from supplies.accounts.sessions import browser_of
from supplies.journal.models import Event
from supplies.organisations import services as people
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import User
from tests.desk import at_the_desk, list_of, page_of, version
from tests.makers import make_facility, make_member, make_user
from tests.sign_in import sign_in
from tests.supplies.accounts.door import PASSWORD, browser, give_factor, is_in, type_password

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def opens(client: Client) -> bool:
    return client.get(reverse("mine")).status_code == 200


def visited(user: User, *after: timedelta) -> bool:
    """Whether a session is still good on the last of these visits, counted from its beginning."""
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        client = sign_in(browser(), user)
        assert opens(client)
        for wait in after:
            clock.move_to(began + wait)
            good = opens(client)
    return good


def minutes(*numbers: int) -> list[timedelta]:
    return [timedelta(minutes=number) for number in numbers]


def test_at_the_desk_half_an_hour_alone_or_half_a_day_in_all_ends_a_session() -> None:
    volunteer = make_member("volunteer")

    assert visited(volunteer, *minutes(29, 58))
    assert not visited(volunteer, *minutes(31))
    assert visited(volunteer, *minutes(*range(25, 720, 25)))
    assert not visited(volunteer, *minutes(*range(25, 720, 25), 721))


def test_others_are_signed_out_after_two_weeks_alone_or_a_month_in_all() -> None:
    days = [timedelta(days=number) for number in (13, 26)]

    assert visited(make_user(), *days, timedelta(days=29))
    assert not visited(make_user(), timedelta(days=15))
    assert not visited(make_user(), *days, timedelta(days=31))


def test_who_was_signed_out_is_told_and_what_was_typed_waits() -> None:
    with time_machine.travel(timezone.now() - timedelta(days=20)):
        client = sign_in(browser(), make_user())
        opens(client)

    led = client.post(reverse("register-hospital"), {"name": "Harbour hospital"})

    assert led.url.startswith(reverse("sign-in"))
    assert "You were signed out after a while" in client.get(led.url).content.decode()
    assert client.session["unsent"]["path"] == reverse("register-hospital")


def test_a_button_that_was_pressed_after_the_session_had_ended_can_be_pressed_again() -> None:
    member = make_member("hospital")
    client = browser()
    site = make_facility(member.memberships.get().organisation)
    address, page = reverse("pause", args=[site.pk]), "http://testserver/mine/hospital/?x=1"

    led = client.post(address, {"until": "", "once": "w" * 22}, headers={"referer": page})
    told = sign_in(client, member).get(led.url, follow=True)

    assert told.status_code == 405
    assert told["Allow"] == "POST"
    assert "Nothing was done yet" in told.content.decode()
    assert "/mine/hospital/?x=1" in told.content.decode()
    sent = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', told.content.decode()))
    assert sent.pop("csrfmiddlewaretoken")
    assert sent == {"until": "", "once": "w" * 22}
    assert client.post(address, sent).status_code == 302
    site.refresh_from_db()
    assert site.is_paused


def test_what_was_not_kept_whole_is_not_sent_again_and_a_strange_page_is_no_way_back() -> None:
    member = make_member("hospital")
    client = browser()
    address = reverse("pause", args=[make_facility().pk])

    client.post(address, {"contact_phone": "1"}, headers={"referer": "https://elsewhere.example/x"})
    told = sign_in(client, member).get(address, headers={"accept-language": "zh"})

    assert told.status_code == 405
    assert "<form method" not in told.content.decode()
    assert "elsewhere" not in told.content.decode()


def test_being_seen_is_written_once_a_minute(django_assert_num_queries: Any) -> None:
    client = sign_in(browser(), make_user())
    with time_machine.travel(timezone.now(), tick=False) as clock:
        client.get(reverse("home"))
        row = Session.objects.get()
        clock.shift(30)
        client.get(reverse("home"))
        assert Session.objects.get().seen_at == row.seen_at
        clock.shift(40)
        client.get(reverse("home"))
        assert Session.objects.get().seen_at == row.seen_at + timedelta(seconds=70)  # type: ignore[operator]


def test_the_account_page_lists_where_one_is_signed_in_and_ends_the_others() -> None:
    make_user("her", password=PASSWORD)
    phone, ward = browser(), browser()
    type_password(phone, "her")
    ward.post(reverse("sign-in"), {"username": "her", "password": PASSWORD}, headers={"user-agent": FIREFOX})
    strangers = sign_in(browser(), make_user())

    page = phone.get(reverse("account")).content.decode()
    phone.post(reverse("end-other-sessions"))

    assert "Firefox · Linux" in page
    assert page.count("last seen") == 2
    assert (opens(phone), opens(ward), opens(strangers)) == (True, False, True)


@pytest.mark.parametrize(
    ("user_agent", "kind"),
    [
        (FIREFOX, "Firefox · Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari · iPhone"),
        (
            "Mozilla/5.0 (Linux; Android 14) Chrome/140.0 Mobile Safari/537.36 MicroMessenger/8.0",
            "WeChat · Android",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge · Windows"),
        ("curl/8.0", ""),
        ("", ""),
    ],
)
def test_of_a_browser_only_its_kind_is_kept(user_agent: str, kind: str) -> None:
    assert browser_of(user_agent) == kind


def test_changing_the_password_ends_every_other_session_at_once() -> None:
    user = make_user("her", password=PASSWORD)
    here, there = sign_in(browser(), user), sign_in(browser(), user)
    key = here.session.session_key
    new = "three other words"

    answer = here.post(
        reverse("change-password"), {"oldpassword": PASSWORD, "password1": new, "password2": new}
    )

    assert answer.url == reverse("account")
    assert (opens(here), opens(there)) == (True, False)
    assert here.session.session_key != key
    assert Session.objects.of(user).count() == 1
    assert Event.objects.about(user).get().kind == "account.password_changed"


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"oldpassword": "not mine at all"}, "oldpassword"),
        ({"password1": "short", "password2": "short"}, "password1"),
        ({"password2": "and different"}, "password2"),
    ],
)
def test_a_new_password_that_will_not_do_changes_nothing(fields: dict[str, str], place: str) -> None:
    user = make_user(password=PASSWORD)
    client = sign_in(browser(), user)
    new = {"password1": "three other words", "password2": "three other words"}

    answer = client.post(reverse("change-password"), {"oldpassword": PASSWORD, **new, **fields})

    user.refresh_from_db()
    assert place in answer.context["form"].errors
    assert user.check_password(PASSWORD)
    assert opens(client)


@pytest.fixture
def administrator() -> User:
    return make_user("root", is_staff=True, is_superuser=True)


def account_form(user: User, **fields: object) -> dict[str, object]:
    counts = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    return {
        "username": user.username,
        "first_name": "",
        "last_name": "",
        "language": "",
        **counts,
        **version(user),
        **fields,
    }


def test_closing_an_account_ends_its_sessions_and_its_programs_at_once(administrator: User) -> None:
    person = make_member("carrier", username="her", password=PASSWORD)
    client = sign_in(browser(), person)
    token, _key = people.issue_token(person, name="x", scopes=["read"], at=timezone.now())

    at_the_desk(administrator).post(page_of(person), account_form(person))

    assert not opens(client)
    assert not Session.objects.of(person).exists()
    assert not ApiToken.objects.valid(timezone.now()).filter(pk=token.pk).exists()
    assert type_password(browser(), "her").status_code == 200
    assert Event.objects.about(person).get(kind="account.closed").by == administrator

    at_the_desk(administrator).post(page_of(person), account_form(person, is_active="on"))

    assert type_password(browser(), "her").status_code == 302
    assert not opens(client)
    assert not ApiToken.objects.valid(timezone.now()).filter(pk=token.pk).exists()


def test_an_administrator_cannot_lock_herself_out(administrator: User) -> None:
    at_the_desk(administrator).post(page_of(administrator), account_form(administrator))

    administrator.refresh_from_db()
    assert (administrator.is_active, administrator.is_superuser) == (True, True)


def test_a_password_given_at_the_desk_ends_every_session_and_does_not_skip_the_second_factor(
    administrator: User,
) -> None:
    person = make_member("volunteer", username="her", password=PASSWORD)
    give_factor(person)
    client = at_the_desk(person)
    address = page_of(person).replace("/change/", "/password/")
    new = {"password1": "three other words", "password2": "three other words", "usable_password": "true"}

    at_the_desk(administrator).post(address, new)

    assert not is_in(client)
    assert not Session.objects.of(person).exists()
    again = browser()
    assert type_password(again, "her", "three other words").url == reverse("second-factor")
    assert not is_in(again)


def test_changing_accounts_at_the_desk_wants_proof(administrator: User) -> None:
    with time_machine.travel(timezone.now() - timedelta(minutes=20)):
        client = at_the_desk(administrator)
    person = make_user()

    for address in (
        page_of(person),
        page_of(person).replace("/change/", "/password/"),
        list_of(User) + "add/",
    ):
        answer = client.post(address, account_form(person))
        assert answer.url.startswith(reverse("confirm")), address
    person.refresh_from_db()
    assert person.is_active


def test_an_administrator_s_account_has_a_name_with_letters(administrator: User) -> None:
    words = {"password1": "three other words", "password2": "three other words", "usable_password": "true"}
    client = at_the_desk(administrator)

    client.post(list_of(User) + "add/", {"username": "482177302", **words})
    assert not User.objects.filter(username="482177302").exists()
    client.post(list_of(User) + "add/", {"username": "night-shift", **words})

    assert User.objects.filter(username="night-shift").exists()


def test_sessions_that_have_run_out_are_cleared_away() -> None:
    sign_in(browser(), make_user())
    kept = sign_in(browser(), make_user()).session.session_key
    Session.objects.exclude(pk=kept).update(expire_date=timezone.now())

    services.end_what_has_run_out(at=timezone.now())

    assert [session.pk for session in Session.objects.all()] == [kept]
