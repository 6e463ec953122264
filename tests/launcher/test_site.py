"""The whole site as `./run` starts it, with its processes killed under it. One start serves the whole module."""

import os
import re
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from launcher.messages import CannotGoOn
from launcher.postgres import Postgres
from launcher.processes import wait_until
from launcher.programs import leftovers
from launcher.running import Card, Running
from launcher.state import ROOT, State
from launcher.valkey import Valkey

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

SECONDS_TO_START = 240
SECONDS_TO_RECOVER = 60
SECONDS_AFTER_A_DATABASE = 30
OF_THE_TESTS_THEMSELVES = re.compile(
    r"DATABASE_URL|BROKER_URL|CACHE_URL|SECRET_KEY|FIELD_KEYS|ALLOWED_HOSTS|EMBEDDED|STATE_DIR|DJANGO_.*|PYTEST_.*"
)


class Site:
    """One `./run` and what it says, on a state directory of its own."""

    def __init__(self, path: Path) -> None:
        self.state = State(path)
        self.said = path.parent / "said"
        inherited = {
            name: value for name, value in os.environ.items() if not OF_THE_TESTS_THEMSELVES.fullmatch(name)
        }
        self.environment = inherited | {"STATE_DIR": str(path), "PORT": "8600"}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.said.open("wb") as out:
            self.process = subprocess.Popen(
                [ROOT / "run"], env=self.environment, stdout=out, stderr=out, start_new_session=True
            )
        process = self.process
        wait_until(
            lambda: process.poll() is not None or "Tongzhou is at" in self.said.read_text(),
            seconds=SECONDS_TO_START,
        )
        assert "Tongzhou is at" in self.said.read_text(), self.said.read_text()

    def interrupt(self) -> int:
        """What Ctrl-C does; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=90)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "run", *arguments], env=self.environment, capture_output=True, text=True
        )

    @property
    def card(self) -> Card:
        card = Running(self.state).who()
        assert card is not None, self.said.read_text()
        return card

    def pid_of(self, child: str) -> int | None:
        return self.card.children[child]

    def family_of(self, child: str) -> set[int]:
        """The process of a child, and those it has forked."""
        pid = self.pid_of(child)
        assert pid is not None
        forked = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {pid, *map(int, forked)}

    def ask(self, sql: str) -> list[str]:
        """Rows of one column from its database; none while that is away."""
        try:
            return Postgres(self.state).query(sql).splitlines()
        except CannotGoOn:
            return []

    def answers(self) -> bool:
        """Does a page that reads the database come?"""
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"{self.card.url}api/v1/regions/", timeout=10) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with tempfile.TemporaryDirectory(prefix="tongzhou-") as place:
        site = Site(Path(place) / "state")
        try:
            site.start()
            yield site
        finally:
            site.run("stop")


@pytest.mark.parametrize("child", ["PostgreSQL", "Valkey", "worker", "web"])
def test_the_site_recovers_by_itself_when_a_process_is_killed(site: Site, child: str):
    assert wait_until(site.answers, seconds=SECONDS_TO_RECOVER)
    before = site.pid_of(child)
    assert before is not None

    os.kill(before, signal.SIGKILL)

    assert wait_until(lambda: site.pid_of(child) not in (None, before), seconds=SECONDS_TO_RECOVER)
    assert wait_until(site.answers, seconds=SECONDS_TO_RECOVER)


def immediate_stop(site: Site) -> None:
    pid = site.pid_of("PostgreSQL")
    assert pid is not None
    os.kill(pid, signal.SIGQUIT)


def kill_one_of_its_processes(site: Site) -> None:
    (pid,) = site.ask("SELECT pid FROM pg_stat_activity WHERE usename = 'tongzhou_web' LIMIT 1")
    os.kill(int(pid), signal.SIGKILL)


def end_all_connections(site: Site) -> None:
    site.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename ~ '^tongzhou_'")


@pytest.mark.parametrize("fault", [immediate_stop, kill_one_of_its_processes, end_all_connections])
def test_nobody_dies_with_the_database_and_all_find_it_again(site: Site, fault: Callable[[Site], None]):
    """Connections are looked at before they are used: CONN_HEALTH_CHECKS."""
    assert wait_until(site.answers, seconds=SECONDS_TO_RECOVER)
    before = {child: site.family_of(child) for child in ("web", "worker")}

    fault(site)

    assert wait_until(site.answers, seconds=SECONDS_AFTER_A_DATABASE)
    assert {child: site.family_of(child) for child in ("web", "worker")} == before


def test_the_worker_too_goes_on_where_its_database_was_interrupted(site: Site):
    """It is handed a notice that changes nothing."""
    before = site.pid_of("PostgreSQL")

    immediate_stop(site)

    assert wait_until(lambda: site.pid_of("PostgreSQL") not in (None, before), seconds=SECONDS_TO_RECOVER)
    (notice,) = site.ask(NOTICE)
    carried = f"SELECT done_at IS NOT NULL FROM supplies_outgoing WHERE id = {notice}"
    assert wait_until(lambda: site.ask(carried) == ["t"], seconds=SECONDS_TO_RECOVER)


NOTICE = """
WITH event AS (
    INSERT INTO supplies_event (kind, at, subject, subject_id, facts)
    VALUES ('need.withdrawn', now(), 'need', gen_random_uuid(), '{}') RETURNING id
)
INSERT INTO supplies_outgoing (event_id, listener, due_at, attempts, last_error)
SELECT id, 'matching.services.withdraw_for_need', now(), 0, '' FROM event RETURNING id
"""


def test_web_and_worker_are_not_the_owner_of_what_they_use(site: Site):
    assert wait_until(site.answers, seconds=SECONDS_TO_RECOVER)

    roles = set(
        site.ask(
            "SELECT usename FROM pg_stat_activity WHERE datname = 'tongzhou' AND pid <> pg_backend_pid()"
        )
    )

    assert "tongzhou_web" in roles
    assert roles <= {"tongzhou_web", "tongzhou_worker"}


def test_a_second_start_says_where_the_site_runs(site: Site):
    second = site.run()

    assert second.returncode == 1
    assert f"already running: {site.card.url}" in second.stderr


def test_status_names_every_process(site: Site):
    shown = site.run("status")

    assert shown.returncode == 0
    assert site.card.url in shown.stdout
    for name, pid in site.card.children.items():
        assert re.search(rf"{name}\s+process {pid}\b", shown.stdout)


def test_every_role_has_an_account_whose_password_is_its_owners_alone(site: Site):
    accounts = site.state.path / "accounts.json"

    assert accounts.stat().st_mode & 0o777 == 0o600
    assert (site.state.path / "secret_key").stat().st_mode & 0o777 == 0o600
    assert (site.state.path / "field_keys").stat().st_mode & 0o777 == 0o600


def test_ctrl_c_leaves_no_process_and_the_next_start_serves_the_same_database(site: Site):
    accounts = (site.state.path / "accounts.json").read_text()

    code = site.interrupt()

    assert code == 0
    assert list(leftovers(site.state.path)) == []
    assert [Postgres(site.state).pid, Valkey(site.state).pid] == [None, None]
    assert site.run("status").returncode == 3

    site.start()

    assert site.answers()
    assert (site.state.path / "accounts.json").read_text() == accounts


def test_a_killed_launcher_takes_its_programs_along_and_the_next_start_is_clean(site: Site):
    if Running(site.state).who() is None:
        site.start()
    launcher = site.card.pid

    os.kill(launcher, signal.SIGKILL)

    assert wait_until(lambda: not list(leftovers(site.state.path)), seconds=30)
    site.start()
    assert site.answers()


def test_a_management_command_works_beside_the_running_site(site: Site):
    database = site.pid_of("PostgreSQL")

    ran = site.run("manage", "check", "--database", "default")

    assert ran.returncode == 0, ran.stderr
    assert site.pid_of("PostgreSQL") == database
