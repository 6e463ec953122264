"""What every test shares: the database as the worker may use it, the cast, and the browser where there is one."""

import fcntl
import gc
import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.core.management.commands import flush
from django.db import connection, transaction
from django.db.backends.signals import connection_created
from django.test import override_settings
from django.utils import timezone, translation
from rest_framework.test import APIClient

from matching.books import faults
from matching.models import MatchingPolicy
from supplies.organisations.models import User
from supplies.upkeep import roles
from tests.makers import NOW, make_member, make_user
from tests.owner import as_owner
from tests.whole import WHOLE

# What a migration brings and an emptied table lacks.
brought = import_module("matching.migrations.0001_first_release")
POLICIES, WAITING = brought.POLICIES, brought.WAITING
REAL_DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "real"
DJANGO_S_OWN = ("django_content_type", "auth_permission")  # follows from the models, and no test changes it
TEMPLATE = "test_template"  # goes with the other test databases when a migration changes
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
BROWSER_HINT = "no Chromium: apt-get install --no-install-recommends chromium fonts-wqy-zenhei"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("odd requests to every operation of the API (tests/hostile)")
    group.addoption(
        "--hostile-examples", default="300" if WHOLE else "3", metavar="N", help="how many to each operation"
    )
    group.addoption(
        "--hostile-roles",
        default="all" if WHOLE else "anonymous,hospital,admin",
        metavar="ROLES",
        help="as whom; all for everybody",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    """What is imported by the end of it stays: nobody looks for garbage in it, neither meanwhile nor with every test."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(10_000)
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "browser" in item.keywords and CHROMIUM is None and os.environ.get("REQUIRE_BROWSER") != "1":
            item.add_marker(pytest.mark.skip(reason=BROWSER_HINT))
        if "realdata" in item.keywords and not REAL_DATA.is_dir():
            item.add_marker(
                pytest.mark.skip(reason="the published lists of 2020 are not beside the checkout")
            )


@pytest.fixture(scope="session")
def _turn_to_migrate(django_db_modify_db_settings: None, django_db_blocker: Any) -> Iterator[Any]:
    """Migrating takes some seconds, copying what was migrated none: one process does it, the others wait and copy."""
    with (site.STATE_DIR / "template.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        with django_db_blocker.unblock():
            _copy_database(TEMPLATE, connection.creation._get_test_db_name())
        yield turn


def _copy_database(given: str, new: str) -> None:
    """Nothing happens where there is nothing to copy, or the copy there already."""
    with connection._nodb_cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname IN (%s, %s)", [given, new])
        if [name for (name,) in cursor] == [given]:
            cursor.execute(f'CREATE DATABASE "{new}" TEMPLATE "{given}"')


@pytest.fixture(scope="session")
def django_db_setup(_turn_to_migrate: Any, django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Everything a test does in the database it may do in production: it comes as the worker, not as the owner."""

    def come_as_the_worker(connection: Any, **_signal: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET ROLE {roles.name_of('worker')}")

    with django_db_blocker.unblock():
        connection.close()
        _copy_database(site.DATABASES["default"]["NAME"], TEMPLATE)
        fcntl.flock(_turn_to_migrate, fcntl.LOCK_UN)
        roles.grant()
        connection.close()
        connection_created.connect(come_as_the_worker)
        yield
        connection_created.disconnect(come_as_the_worker)
        connection.close()


@pytest.fixture(scope="session", autouse=True)
def _each_process_publishes_for_itself() -> None:
    """Two that stand still at the same instant would write one dump."""
    site.OPEN_DATA_DIR = site.OPEN_DATA_DIR / os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture(scope="session", autouse=True)
def _quick_and_plain() -> Iterator[None]:
    """Pages are tested without collectstatic, and signing in without the second that a good hash takes."""
    static = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with override_settings(
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        STORAGES={**site.STORAGES, "staticfiles": static},
    ):
        yield


@pytest.fixture(scope="session", autouse=True)
def _tables_are_emptied_by_their_owner() -> Iterator[None]:
    """Between tests that commit; nobody else may."""

    def handle(self: flush.Command, **_options: Any) -> None:
        with as_owner(), transaction.atomic():
            _delete_all_rows()
            MatchingPolicy.objects.bulk_create(MatchingPolicy(**given, **WAITING) for given in POLICIES)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(flush.Command, "handle", handle)
        yield


def _delete_all_rows() -> None:
    """Where there are any: to truncate every table, and make anew what Django puts into its own, takes half a second."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    looks = (
        f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names if name not in DJANGO_S_OWN
    )
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger or foreign key minds
        # Who still writes, a page in another thread for one, is waited for, as truncating would.
        cursor.execute(f"LOCK TABLE {', '.join(names)} IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(" UNION ALL ".join(looks))
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {name}")
        cursor.execute("SET LOCAL session_replication_role = origin")


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
def _the_books_are_right_after_every_race(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever processes did to each other, the equations of the ledger hold; a control that has to break them says so."""
    database = request.node.get_closest_marker("django_db")
    if database is None or not database.kwargs.get("transaction"):
        yield
        return
    request.getfixturevalue("transactional_db")
    yield
    wrong = faults(at=min(NOW, timezone.now()))
    if request.node.get_closest_marker("breaks_the_books"):
        assert wrong, "a control that leaves the books right controls nothing"
    else:
        assert wrong == []


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
