"""What every test shares: the clock's stand-in, the cast, and the browser where there is one."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation
from rest_framework.test import APIClient

from supplies.organisations.models import User
from tests.makers import make_member, make_user

REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER_HINT = "no Chromium: apt-get install --no-install-recommends chromium fonts-wqy-zenhei"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.keywords and CHROMIUM is None and os.environ.get("REQUIRE_BROWSER") != "1":
            item.add_marker(pytest.mark.skip(reason=BROWSER_HINT))
        if "realdata" in item.keywords and not REAL_DATA.is_dir():
            item.add_marker(
                pytest.mark.skip(reason="the published lists of 2020 are not beside the checkout")
            )


@pytest.fixture
def real_data() -> Path:
    return REAL_DATA


@pytest.fixture
def stranger(db: None) -> User:
    return make_user("stranger")


@pytest.fixture
def volunteer(db: None) -> User:
    return make_member("volunteer", username="volunteer")


@pytest.fixture
def api() -> APIClient:
    return APIClient()


@pytest.fixture
def private_root(settings: Any, tmp_path: Path) -> Path:
    """A disk of the test's own for private files."""
    settings.PRIVATE_ROOT = tmp_path / "private"
    return tmp_path / "private"


@pytest.fixture(autouse=True)
def _sentences_in_english() -> Iterator[None]:
    """Verbs called without a request speak English; pages and the API choose the reader's language themselves."""
    with translation.override("en"):
        yield


@pytest.fixture(autouse=True)
def _quick_and_plain(settings: Any) -> None:
    """Pages are tested without collectstatic, and signing in without the second that a good hash takes."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright. Absent: skipped with a hint, or failed where REQUIRE_BROWSER=1."""
    from playwright.sync_api import sync_playwright

    assert CHROMIUM, BROWSER_HINT
    quiet = [
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
    ]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*quiet, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
        )
        yield chromium
        chromium.close()
