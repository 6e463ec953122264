"""Production refuses to start on what only a machine of one's own may use."""

import base64
import os
import subprocess
import sys

import pytest

GOOD = {
    "SECRET_KEY": "k" * 24 + "0123456789abcdefghijklmnop",
    "FIELD_KEYS": "k1:" + base64.b64encode(bytes(range(32))).decode(),
    "ALLOWED_HOSTS": "supplies.example.org",
    "DATABASE_URL": "postgres://tongzhou:secret@db.example.org:5433/tongzhou",
    "BROKER_URL": "redis://broker.example.org/0",
    "CACHE_URL": "redis://broker.example.org/1",
    "MAIL_URL": "smtp+tls://tongzhou:se%40cret@mail.example.org:587",
}


SHOW = "import config.settings as s; d = s.DATABASES['default']; print(d['HOST'], d['PORT'], d['NAME'], s.DEBUG, s.SESSION_COOKIE_SECURE)"


def started(show: str = SHOW, **changes: str) -> "subprocess.CompletedProcess[str]":
    environment = {
        "PATH": os.environ["PATH"],
        **{key: value for key, value in {**GOOD, **changes}.items() if value},
    }
    return subprocess.run(
        [sys.executable, "-c", show], env=environment, capture_output=True, text=True, check=False
    )


def test_the_address_of_the_mail_server_is_read_in_all_its_parts() -> None:
    show = "import config.settings as s; print(s.MAIL_CARRIER, s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_HOST_PASSWORD, s.EMAIL_USE_TLS)"

    parts = started(show).stdout.split()

    assert parts == [
        "django.core.mail.backends.smtp.EmailBackend",
        "mail.example.org",
        "587",
        "se@cret",
        "True",
    ]


def test_production_starts_on_settings_of_its_own() -> None:
    result = started()

    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["db.example.org", "5433", "tongzhou", "False", "True"]


@pytest.mark.parametrize("name", sorted(GOOD))
def test_production_does_not_start_without(name: str) -> None:
    result = started(**{name: ""})

    assert result.returncode != 0
    assert name in result.stderr


@pytest.mark.parametrize(
    "changes",
    [
        {"DEBUG": "true"},
        {"SECRET_KEY": "django-insecure-0123456789012345678901234567890123"},
        {"SECRET_KEY": "changeme-0123456789012345678901234567890123456789"},
        {"SECRET_KEY": "short"},
        {"DATABASE_URL": "sqlite:///db.sqlite3"},
        {"LIMIT_BROWSE": "600/minute"},
        {"LIMIT_SIGN_IN": "1/minute,2/minute,many"},
    ],
    ids=str,
)
def test_production_refuses_weak_settings(changes: dict[str, str]) -> None:
    assert "ImproperlyConfigured" in started(**changes).stderr


LIMITS = "import config.settings as s; print(s.LIMITS['sign-in']['stranger'], s.LIMITS['browse']['token'], s.LIMITS_TIMES)"


def test_limits_are_set_by_the_environment_and_never_switched_off() -> None:
    changes = {"LIMIT_SIGN_IN": "7/hour,8/hour,9/hour", "LIMITS_TIMES": "0"}

    result = started(show=LIMITS, **changes)

    assert result.stdout.split() == ["7/hour", "1200/minute", "1"], result.stderr
