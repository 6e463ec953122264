"""Guessing gets slow, for whoever guesses, and for nobody else."""

from typing import Any

import pytest
import time_machine
from django.core.cache import caches
from django.test import RequestFactory
from django.urls import reverse

from supplies.accounts.backoff import CODE, Counter, HeldUp, begin_try, within
from supplies.accounts.backoff import PASSWORD as WORD
from tests.makers import NOW, make_user
from tests.sign_in import sign_in
from tests.supplies.accounts.door import (
    ELSEWHERE,
    HOME,
    PASSWORD,
    browser,
    code_now,
    give_factor,
    is_in,
    type_code,
    type_password,
)
from tests.supplies.accounts.test_door import plain

pytestmark = pytest.mark.django_db
NUMBER, UNUSED = "482177302", "924070849"
GUESS = "not the right words"


def fail(name: str, network: str = HOME, *, secret: str = WORD) -> bool:
    """One wrong try; whether it was looked at."""
    try:
        begin_try(RequestFactory().post("/", REMOTE_ADDR=network), secret, name=name, user=None)
    except HeldUp:
        return False
    return True


def test_waiting_begins_with_the_fifth_failure_and_doubles_up_to_a_quarter_of_an_hour() -> None:
    counter = Counter("tries:x", free=5, memory=60)

    waits = [counter.wait_after(failed) for failed in range(1, 20)]

    assert waits[:4] == [0, 0, 0, 0]
    assert waits[4:13] == [2, 4, 8, 16, 32, 64, 128, 256, 512]
    assert set(waits[13:]) == {900}
    assert counter.wait_after(10_000) == 900


def test_whoever_is_held_up_is_told_the_same_whether_the_account_exists() -> None:
    make_user(NUMBER, password=PASSWORD)
    answers = []

    for name in (NUMBER, UNUSED):
        client = browser()
        for _ in range(5):
            assert type_password(client, name, GUESS).status_code == 200
        answers.append((name, type_password(client, name, GUESS)))
        answers.append((name, type_password(client, name, PASSWORD)))  # right, and not looked at

    assert {answer.status_code for _name, answer in answers} == {429}
    assert len({plain(answer, name) for name, answer in answers}) == 1
    assert all(0 < int(answer.headers["Retry-After"]) <= 4 for _name, answer in answers)
    assert "Wait 1 minute, then try again" in answers[0][1].content.decode()


def test_after_waiting_the_next_try_is_looked_at_and_a_failure_doubles_the_wait(settings: Any) -> None:
    settings.CACHES = {**settings.CACHES, "default": settings.CACHES["process"]}  # its clock can be moved
    with time_machine.travel(NOW, tick=False) as clock:
        assert [fail(NUMBER) for _ in range(6)] == [True] * 5 + [False]
        clock.shift(3)
        assert [fail(NUMBER) for _ in range(2)] == [True, False]
        clock.shift(3)
        assert not fail(NUMBER)
        clock.shift(2)
        assert fail(NUMBER)
        clock.shift(24 * 3600)
        assert [fail(NUMBER) for _ in range(6)] == [True] * 5 + [False]


def test_an_attacker_who_tries_a_thousand_times_holds_up_neither_a_known_browser_nor_a_new_one_elsewhere() -> (
    None
):
    make_user(NUMBER, password=PASSWORD)
    known = browser()
    type_password(known, NUMBER)
    known.post(reverse("sign-out"))

    looked_at = sum(fail(NUMBER, ELSEWHERE) for _ in range(1000))

    assert looked_at < 10
    assert type_password(known, NUMBER).status_code == 302
    assert type_password(browser("192.0.2.1"), NUMBER).status_code == 302
    assert type_password(browser(ELSEWHERE), NUMBER).status_code == 429


def test_an_attack_from_everywhere_leaves_each_network_one_try_and_its_victim_hers() -> None:
    make_user(NUMBER, password=PASSWORD)
    known = browser()
    type_password(known, NUMBER)
    known.post(reverse("sign-out"))

    for round_ in range(2):
        looked_at = [fail(NUMBER, f"10.{network}.0.{round_}") for network in range(60)]

    assert sum(looked_at) == 0  # by now every network has failed once, and all wait together
    assert type_password(known, NUMBER).status_code == 302
    assert type_password(browser("192.0.2.1"), NUMBER).status_code == 302


def test_a_known_browser_is_held_up_by_its_own_failures() -> None:
    make_user(NUMBER, password=PASSWORD)
    known = browser()
    type_password(known, NUMBER)
    known.post(reverse("sign-out"))

    codes = [type_password(known, NUMBER, GUESS).status_code for _ in range(6)]

    assert codes == [200] * 5 + [429]


def test_a_browser_known_at_one_account_is_a_stranger_at_another() -> None:
    make_user(NUMBER, password=PASSWORD)
    make_user(UNUSED, password=PASSWORD)
    attacker = browser(ELSEWHERE)
    type_password(attacker, UNUSED)
    attacker.post(reverse("sign-out"))
    for _ in range(5):
        type_password(attacker, NUMBER, GUESS)

    assert type_password(attacker, NUMBER).status_code == 429
    assert type_password(attacker, UNUSED).status_code == 302


def test_one_network_that_tries_many_accounts_is_held_up_too() -> None:
    looked_at = sum(fail(f"person{number}", ELSEWHERE) for number in range(80))

    assert 50 <= looked_at < 55
    assert not fail("somebody else", ELSEWHERE.replace(".7", ".9"))
    assert fail("somebody else", HOME)


def test_a_success_does_not_wipe_out_what_one_network_has_failed_at_other_accounts() -> None:
    make_user(NUMBER, password=PASSWORD)
    for number in range(48):
        fail(f"person{number}", ELSEWHERE)

    for number in range(5):
        client = browser(ELSEWHERE)
        client.cookies.clear()
        type_password(client, NUMBER)
        fail(f"another{number}", ELSEWHERE)

    assert not fail("and another", ELSEWHERE)


def test_codes_are_counted_apart_so_that_the_right_password_does_not_wipe_them_out() -> None:
    give_factor(make_user(NUMBER, password=PASSWORD))

    codes = []
    for _ in range(7):
        client = browser(ELSEWHERE)
        type_password(client, NUMBER)
        codes.append(type_code(client, "000000").status_code)

    assert codes == [200] * 5 + [429] * 2
    client = browser(ELSEWHERE)
    type_password(client, NUMBER)
    assert type_code(client, code_now()).status_code == 429
    assert not is_in(client)
    elsewhere = browser(HOME)
    type_password(elsewhere, NUMBER)
    type_code(elsewhere, code_now())
    assert is_in(elsewhere)


@pytest.mark.parametrize(("page", "field"), [("confirm", "password"), ("change-password", "oldpassword")])
def test_whoever_sits_at_somebody_s_session_cannot_guess_the_password_there(page: str, field: str) -> None:
    client = sign_in(browser(), make_user(NUMBER, password=PASSWORD))
    new = {"password1": "three other words", "password2": "three other words"}

    codes = [client.post(reverse(page), {field: GUESS, **new}).status_code for _ in range(6)]

    assert codes == [200] * 5 + [429]
    assert client.post(reverse(page), {field: PASSWORD, **new}).status_code == 429


def test_without_the_cache_signing_in_goes_on_and_guessing_stays_slow(settings: Any, caplog: Any) -> None:
    unreachable = {**settings.CACHES["default"], "LOCATION": "unix:///nowhere/valkey.sock"}
    settings.CACHES = {**settings.CACHES, "default": unreachable}
    make_user(NUMBER, password=PASSWORD)
    client = browser()

    codes = [type_password(client, NUMBER, GUESS).status_code for _ in range(6)]

    assert codes == [200] * 5 + [429]
    assert type_password(browser(ELSEWHERE), NUMBER).status_code == 302
    assert within(1, "thing")
    assert not within(1, "thing")
    assert "The cache does not answer" in caplog.text


def test_neither_names_nor_networks_are_kept_in_clear() -> None:
    fail("drill@example.org", ELSEWHERE, secret=CODE)

    mine = caches["default"].key_prefix
    keys = [key.decode() for key in caches["default"]._cache.get_client().keys(f"{mine}:*")]

    assert len(keys) == 3
    assert not [key for key in keys if "drill" in key or "198.51" in key]
