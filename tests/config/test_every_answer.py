"""What holds for every answer of every route, asked under the settings of production."""

import re
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from config.headers import HEADERS
from tests.config.crawl import faults_of
from tests.makers import make_item, make_user
from tests.processes import environment
from tests.whole import WHOLE


def in_production(place: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """A program of the tests on the test's database, with every setting production wants and no embedded default."""
    given = environment(
        ALLOWED_HOSTS="supplies.example.org",
        SECRET_KEY=secrets.token_urlsafe(64),
        STATE_DIR=str(place),
        MAIL_URL=f"filemail:///{place}",
        LOG_LEVEL="CRITICAL",
    )
    for name in ("EMBEDDED", "DJANGO_ALLOW_ASYNC_UNSAFE"):
        given.pop(name, None)
    return subprocess.run(
        [sys.executable, *arguments], env=given, capture_output=True, text=True, check=False
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.django_db
def test_every_route_answers_with_its_headers_changes_nothing_by_reading_and_nothing_without_a_token(
    tmp_path: Path,
) -> None:
    """WHOLE=1 asks the desk as every role, and HEAD and OPTIONS everywhere."""
    ran = in_production(tmp_path, "-m", "tests.config.crawl", *(["--every-cell"] if WHOLE else []))

    assert ran.returncode == 0, ran.stderr
    found = ran.stdout.splitlines()
    for planted in PLANTED:
        assert [line for line in found if re.search(planted, line)], f"{planted} was not found"
    left = [line for line in found if not re.search("|".join(PLANTED), line)]
    assert not left, "\n".join(left)


PLANTED = [
    "get planted-lax as nobody: the policy allows",
    "planted-lax as",
    "get planted-changes as nobody: changed rows of supplies_user",
    "planted-(changes|open) as .*: changed rows of supplies_user",
    "(post|put|patch|delete) planted-open without a token: is 200",
]


GOOD = {
    **HEADERS,
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "Cache-Control": "private, no-store",
    "X-Request-ID": "f00",
}


def answer(**changes: Any) -> HttpResponse:
    return HttpResponse("", headers={name: value for name, value in {**GOOD, **changes}.items() if value})


def test_the_crawler_finds_nothing_where_nothing_is_wrong() -> None:
    assert list(faults_of(answer())) == []


@pytest.mark.parametrize("name", sorted(GOOD))
def test_the_crawler_finds_every_header_that_is_missing(name: str) -> None:
    assert list(faults_of(answer(**{name: ""}))) != []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Security-Policy", GOOD["Content-Security-Policy"] + "; img-src *"),
        ("Content-Security-Policy", GOOD["Content-Security-Policy"] + "; script-src-elem 'unsafe-inline'"),
        ("Strict-Transport-Security", "max-age=300"),
        ("Cache-Control", "public, max-age=60"),
        ("Referrer-Policy", "unsafe-url"),
        ("Referrer-Policy", "no-referrer"),  # forms would be sent without their origin, and refused
    ],
)
def test_the_crawler_finds_a_header_that_is_weak(name: str, value: str) -> None:
    assert list(faults_of(answer(**{name: value}))) != []


@pytest.mark.parametrize(
    "fault", [{"secure": False}, {"httponly": False}, {"samesite": "None"}, {"domain": "a.org"}]
)
def test_the_crawler_finds_a_cookie_that_is_weak(fault: dict[str, Any]) -> None:
    good, weak = answer(), answer()
    strict: dict[str, Any] = {"secure": True, "httponly": True, "samesite": "Lax"}

    good.set_cookie("__Host-sessionid", "x", **strict)
    weak.set_cookie("__Host-sessionid", "x", **{**strict, **fault})

    assert list(faults_of(good)) == []
    assert list(faults_of(weak)) != []


# -- who may keep an answer -------------------------------------------------------------------------------

LISTED, ONE = "/api/v1/items/", "/api/v1/items/MASK_SURG/"


@pytest.mark.django_db
@pytest.mark.parametrize("path", [LISTED, ONE])
def test_reference_data_may_be_kept_when_a_stranger_asked(path: str) -> None:
    make_item()

    kept = Client().get(path)

    assert kept.headers["Cache-Control"] == "public, max-age=300"
    assert {"Accept-Language", "Authorization", "Cookie"} <= set(kept.headers["Vary"].split(", "))


@pytest.mark.django_db
def test_what_somebody_signed_in_is_answered_is_kept_by_nobody() -> None:
    member = Client()
    member.force_login(make_user())

    answers = [
        member.get(LISTED),
        Client(headers={"authorization": "Token tz_wrong"}).get(LISTED),
        Client(headers={"cookie": "django_language=en"}).get(LISTED),
        Client().get("/"),
        Client().get("/api/v1/organisations/"),
        Client().get("/api/v1/items/NONE/"),
        Client().post(LISTED),
    ]

    assert {answer.headers["Cache-Control"] for answer in answers} == {"private, no-store"}
