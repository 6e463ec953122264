"""The second factor: who needs one, that nothing goes without it, that a code opens once, and what happens when it is lost."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core import mail
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from rest_framework.test import APIClient

from config.requests import BEFORE_SECOND_FACTOR
from supplies.accounts import services
from supplies.accounts.models import SecondFactor
from supplies.errors import Refused
from supplies.journal.models import Event
from supplies.organisations import services as people
from supplies.organisations.keys import ApiToken
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import NOW, make_member, make_organisation, make_user
from tests.sign_in import sign_in
from tests.stored import everything_stored
from tests.supplies.accounts.door import (
    PASSWORD,
    SECRET,
    browser,
    code_now,
    give_address,
    give_factor,
    is_in,
    type_code,
    type_password,
)
from tests.supplies.organisations.verdicts import verified
from tests.test_project import routes

pytestmark = pytest.mark.django_db


def manager(kind: str = "hospital", *, verified: bool = True, **fields: Any) -> User:
    person = make_user(**fields)
    organisation = make_organisation(kind, verified=verified)
    people.enrol(person, organisation, kind, by=None, at=NOW, is_manager=True)
    return person


# --- Who needs one ---


@pytest.mark.parametrize(
    ("role", "needed"),
    [
        ("volunteer", True),
        ("coordinator", True),
        ("auditor", True),
        ("hospital", False),
        ("donor", False),
        ("carrier", False),
    ],
)
def test_roles_at_the_desk_need_a_second_factor(role: str, needed: bool) -> None:
    assert make_member(role).needs_second_factor is needed


def test_administrators_staff_and_who_manages_a_verified_organisation_need_one_and_nobody_else() -> None:
    assert make_user(is_superuser=True).needs_second_factor
    assert make_user(is_staff=True).needs_second_factor
    assert manager().needs_second_factor
    assert not manager(verified=False).needs_second_factor
    assert not make_user().needs_second_factor


def test_being_verified_makes_it_needed_from_the_next_page_on_and_what_was_typed_waits() -> None:
    person = manager(verified=False)
    client = sign_in(browser(), person, with_factor=False)
    assert client.get(reverse("mine")).status_code == 200

    verified(person.memberships.get().organisation)
    answer = client.post(reverse("register-hospital"), {"name": "Harbour hospital"})

    assert answer.url.startswith(reverse("second-factor"))
    assert client.session["unsent"]["path"] == reverse("register-hospital")


# --- Nothing goes without it ---


def test_without_it_every_page_leads_to_it_and_the_api_says_so() -> None:
    """Every route of the site, as a volunteer who has typed her password only; a later route is in by itself."""
    client = sign_in(Client(), make_member("volunteer"), with_factor=False)
    astray = []

    for path in sorted(set(routes())):
        name = resolve(f"/{path}").view_name
        if name in BEFORE_SECOND_FACTOR:
            continue
        answer = client.get(f"/{path}")
        if path.startswith("api/v1/"):
            led = answer.status_code == 403 and answer.json()["code"] == "second-factor-needed"
        else:
            led = answer.status_code == 302 and answer.url.startswith(reverse("second-factor"))
        if not led:
            astray.append((path, answer.status_code))

    assert astray == []


def test_the_test_above_finds_a_page_that_is_open() -> None:
    client = sign_in(Client(), make_member("volunteer"))

    assert client.get("/").status_code == 200
    assert client.get("/api/v1/needs/").status_code == 200


def test_a_writing_session_without_it_is_refused_by_the_api_and_a_program_with_a_key_needs_none() -> None:
    person = manager()
    session = sign_in(APIClient(enforce_csrf_checks=False), person, with_factor=False)
    _token, key = people.issue_token(person, name="x", scopes=["read"], at=timezone.now())

    refused = session.post("/api/v1/appeals/", {}, format="json")
    by_key = session.get("/api/v1/donations/", headers={"authorization": f"Token {key}"})
    by_nonsense = session.get("/api/v1/donations/", headers={"authorization": "Basic abc"})

    assert (refused.status_code, refused.json()["code"]) == (403, "second-factor-needed")
    assert by_key.status_code == 200
    assert by_nonsense.json()["code"] == "second-factor-needed"


def test_without_it_nobody_issues_a_key() -> None:
    person = make_member("volunteer")
    client = sign_in(Client(), person, with_factor=False)
    asked = {"user": person.pk, "name": "x", "scopes": ["read"], "expires_on": "2027-01-01"}

    answers = [client.post(address, asked) for address in (reverse("issue-key"), list_of(ApiToken) + "add/")]

    assert [answer.url.split("?")[0] for answer in answers] == [reverse("second-factor")] * 2
    assert not ApiToken.objects.exists()


def test_one_can_sign_out_and_choose_the_language_without_it() -> None:
    client = sign_in(Client(), make_member("volunteer"), with_factor=False)

    assert client.post(reverse("language"), {"language": "en"}).status_code == 302
    client.post(reverse("sign-out"))

    assert not is_in(client)


# --- Setting it up and using it ---


def secret_shown(page: Any) -> str:
    return page.context["secret"].replace(" ", "")  # type: ignore[no-any-return]


def test_a_new_volunteer_is_led_to_set_it_up_and_then_goes_on_where_she_was() -> None:
    make_member("volunteer", username="newcomer", password=PASSWORD)
    client = browser()
    desk = reverse("admin:index")
    type_password(client, "newcomer", next=desk)

    page = client.get(desk, follow=True)
    wrong = client.post(reverse("set-up-second-factor"), {"code": "000000"})
    codes = client.post(
        reverse("set-up-second-factor"), {"code": code_now(secret_shown(page)), "next": desk}, follow=True
    )

    assert page.request["PATH_INFO"] == reverse("set-up-second-factor")
    assert "data:image/svg+xml;base64," in page.content.decode()
    assert "This code is wrong" in wrong.content.decode()
    assert len(codes.context["codes"]) == 10
    saved = client.get(reverse("recovery-codes-file"))
    assert all(code in saved.content.decode() for code in codes.context["codes"])
    assert client.post(reverse("recovery-codes-kept"), {"next": desk}).url == desk
    assert client.get(desk).status_code == 200
    assert client.get(reverse("recovery-codes")).context["codes"] == []
    assert client.get(reverse("recovery-codes-file")).status_code == 404
    assert Event.objects.filter(kind="account.factor_set_up").count() == 1


def test_after_the_password_nobody_is_in_before_the_code() -> None:
    give_factor(make_member("volunteer", username="her", password=PASSWORD))
    client = browser()

    answer = type_password(client, "her", next="/needs/")
    before = is_in(client)
    wrong = type_code(client, "123456")
    right = type_code(client, code_now())

    assert answer.url == reverse("second-factor")
    assert not before
    assert wrong.status_code == 200
    assert (right.status_code, right.url) == (302, "/needs/")
    assert client.get(reverse("admin:index")).status_code == 200


def test_a_code_opens_once_and_so_do_the_codes_before_it() -> None:
    user = make_user()
    give_factor(user)
    at = timezone.now()
    before, now, after = (
        services.current_code(SECRET, at=at + timedelta(seconds=seconds)) for seconds in (-30, 0, 30)
    )

    services.use_code(user, now, at=at)

    for code in (now, before, "", "abcdef", "٠٠٠٠٠٠"):
        with pytest.raises(Refused, match="wrong or was used"):
            services.use_code(user, code, at=at)
    services.use_code(user, after, at=at)


@pytest.mark.parametrize(("seconds", "counts"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_a_clock_that_is_half_a_minute_off_does_no_harm(seconds: int, counts: bool) -> None:
    user = make_user()
    give_factor(user)
    code = services.current_code(SECRET, at=NOW + timedelta(seconds=seconds))

    if counts:
        assert services.use_code(user, code, at=NOW).type == services.TOTP
    else:
        with pytest.raises(Refused):
            services.use_code(user, code, at=NOW)


def test_a_recovery_code_opens_once_in_place_of_the_device() -> None:
    user = make_member("volunteer", username="her", password=PASSWORD)
    give_factor(user)
    code = services.recovery_codes_left(user)[3]
    first, second = browser(), browser()
    for client in (first, second):
        type_password(client, "her")

    type_code(first, f"{code[:4]} {code[4:]}")
    refused = type_code(second, code)

    assert is_in(first)
    assert "9 recovery codes are left" in first.get("/").content.decode()
    assert not is_in(second)
    assert refused.status_code == 200
    assert code not in services.recovery_codes_left(user)


def test_new_recovery_codes_take_the_place_of_the_old() -> None:
    user = make_user()
    give_factor(user)
    old = services.recovery_codes_left(user)
    client = sign_in(browser(), user)

    page = client.post(reverse("recovery-codes"), follow=True)

    assert len(set(page.context["codes"]) - set(old)) == 10
    with pytest.raises(Refused):
        services.use_code(user, old[0], at=timezone.now())


def test_another_device_takes_the_place_of_the_first_and_other_browsers_are_signed_out() -> None:
    user = make_user("her", password=PASSWORD)
    give_factor(user)
    give_address(user, "drill@example.org")
    other = sign_in(browser(), user)
    client = sign_in(browser(), user)
    secret = secret_shown(client.get(reverse("set-up-second-factor")))

    client.post(reverse("set-up-second-factor"), {"code": code_now(secret)})

    assert not is_in(other)
    assert is_in(client)
    with pytest.raises(Refused):
        services.use_code(user, code_now(SECRET), at=timezone.now())
    assert mail.outbox[0].subject == "Your second factor was set up"


def test_a_session_from_before_the_second_factor_neither_replaces_it_nor_sees_its_codes() -> None:
    user = make_user()
    old = sign_in(browser(), user, with_factor=False)
    give_factor(user)

    for page in ("set-up-second-factor", "recovery-codes"):
        assert old.get(reverse(page)).url == reverse("second-factor")
        assert old.post(reverse(page), {"code": "1"}).url == reverse("second-factor")
    type_code(old, code_now())

    assert old.get(reverse("recovery-codes")).status_code == 200


def test_secrets_and_recovery_codes_are_sealed_wherever_they_are_kept(settings: Any) -> None:
    user = make_user("her", password=PASSWORD)
    client = sign_in(browser(), user)
    secret = secret_shown(client.get(reverse("set-up-second-factor")))
    assert "her" in everything_stored()  # the search finds what is there in clear
    while_waiting = everything_stored()

    client.post(reverse("set-up-second-factor"), {"code": code_now(secret)})

    codes = services.recovery_codes_left(user)
    stored = everything_stored()
    assert secret not in while_waiting
    assert not [text for text in (secret, *codes) if text in stored]


def test_an_older_key_can_go_once_the_second_factors_are_sealed_anew(settings: Any) -> None:
    user = make_user()
    give_factor(user)
    codes = services.recovery_codes_left(user)
    newer = "k9:" + "b" * 43 + "="
    settings.FIELD_KEYS = [newer, *settings.FIELD_KEYS]

    changed = services.reseal_factors()
    settings.FIELD_KEYS = [newer]

    assert changed == 2
    assert services.reseal_factors() == 0
    assert services.recovery_codes_left(user) == codes
    assert services.use_code(user, code_now(), at=timezone.now())


# --- Losing it ---


@pytest.fixture
def administrator() -> User:
    return make_user("root", is_staff=True, is_superuser=True)


def test_an_administrator_takes_it_away_with_a_reason_and_the_person_sets_it_up_anew(
    administrator: User,
) -> None:
    person = make_member("volunteer", username="her", password=PASSWORD)
    give_factor(person)
    hers = at_the_desk(person)
    factor = SecondFactor.objects.get(user=person, type="totp")

    asked = choose(at_the_desk(administrator), "take_away", factor, query="")
    assert "Why?" in asked.content.decode()
    choose(at_the_desk(administrator), "take_away", factor, query="", reason="lost")

    event = Event.objects.about(person).get(kind="account.factor_taken_away")
    assert (event.by, event.facts) == (administrator, {"reason": "lost"})
    assert not SecondFactor.objects.filter(user=person).exists()
    assert not is_in(hers)
    client = browser()
    type_password(client, "her")
    assert client.get("/", follow=True).request["PATH_INFO"] == reverse("set-up-second-factor")


def test_nobody_takes_away_her_own_and_nobody_else_sees_the_list(administrator: User) -> None:
    give_factor(administrator)
    own = SecondFactor.objects.get(user=administrator, type="totp")

    answer = choose(at_the_desk(administrator), "take_away", own, query="", reason="lost")

    assert "Another administrator" in told(answer)[0]
    assert SecondFactor.objects.filter(pk=own.pk).exists()
    assert at_the_desk(make_member("volunteer")).get(list_of(SecondFactor)).status_code == 403
    page = at_the_desk(administrator).get(page_of(own)).content.decode()
    assert own.data["secret"] not in page


# --- Proving it once more ---


def test_what_is_grave_wants_proof_of_the_last_quarter_of_an_hour_and_leads_back(administrator: User) -> None:
    give_factor(make_member("volunteer", username="her"))
    factor = SecondFactor.objects.get(user__username="her", type="totp")
    administrator.set_password(PASSWORD)
    administrator.save()
    with time_machine.travel(timezone.now() - timedelta(minutes=16)):
        client = at_the_desk(administrator)

    with time_machine.travel(timezone.now(), tick=False):
        from_the_list = choose(client, "take_away", factor, query="q=her", reason="lost")
        from_the_row = client.post(page_of(factor).replace("/change/", "/do/take_away/"), {"reason": "lost"})
        led_to_keys = client.get(reverse("issue-key"))
        adding = client.get(list_of(ApiToken) + "add/")

        assert SecondFactor.objects.filter(pk=factor.pk).exists()
        assert [answer.status_code for answer in (from_the_list, from_the_row, led_to_keys, adding)] == [
            302
        ] * 4
        assert (
            from_the_list.url
            == f"/confirm/?next={re.sub('[?]', '%3F', list_of(SecondFactor))}%3Fq%3Dher".replace(
                list_of(SecondFactor), list_of(SecondFactor).replace("/", "%2F")
            )
        )
        confirmed = client.post(from_the_row.url, {"password": PASSWORD})
        assert confirmed.url == page_of(factor)
        choose(client, "take_away", factor, query="", reason="lost")
    assert not SecondFactor.objects.filter(pk=factor.pk).exists()


def test_a_quarter_of_an_hour_is_what_the_settings_say() -> None:
    assert timedelta(minutes=15) == settings.CONFIRMED_FOR
