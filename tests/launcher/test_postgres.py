import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from launcher import servant
from launcher.messages import CannotGoOn
from launcher.postgres import Postgres
from launcher.state import State

as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
Kill = Callable[[Postgres], int]


def test_a_killed_server_starts_again_with_everything_committed(postgres: Postgres, kill: Kill):
    postgres.query("CREATE TABLE boxes AS SELECT generate_series(1, 1000) AS number")
    kill(postgres)

    postgres.start()

    assert postgres.query("SELECT count(*) FROM boxes") == "1000"


def test_a_refused_statement_leaves_no_value_in_the_log(postgres: Postgres, state: State):
    postgres.query("CREATE TABLE boxes (label text PRIMARY KEY)")
    for sql in ("INSERT INTO boxes VALUES ('canary'), ('canary')", "SELECT 'canary'::uuid"):
        with pytest.raises(CannotGoOn):
            postgres.query(sql)

    log = state.log("postgres").read_text()

    assert "canary" not in log
    assert "ready to accept connections" in log


@pytest.mark.parametrize("setting", ["fsync", "full_page_writes", "synchronous_commit"])
def test_what_the_site_is_told_is_written_has_reached_the_disk(postgres: Postgres, setting: str):
    assert postgres.query(f"SHOW {setting}") == "on"


def test_a_second_launcher_uses_the_server_that_runs(postgres: Postgres, state: State):
    second = Postgres(state)

    second.start()

    assert second.pid == postgres.pid
    assert second.query("SELECT 1") == "1"


def test_a_stale_pid_file_never_gets_an_unrelated_process_signalled(postgres: Postgres, kill: Kill):
    kill(postgres)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as unrelated:
        (postgres.data / "postmaster.pid").write_text(f"{unrelated.pid}\n{postgres.data}\n")

        assert postgres.pid is None
        postgres.stop()
        postgres.start()

        assert unrelated.poll() is None
        assert postgres.query("SELECT 1") == "1"
        unrelated.kill()


def test_a_zombie_in_the_pid_file_is_not_taken_for_a_server(postgres: Postgres, kill: Kill):
    kill(postgres)
    zombie = subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE)
    assert zombie.stdout is not None
    zombie.stdout.read()  # until it has ended; nobody has waited for it yet
    (postgres.data / "postmaster.pid").write_text(f"{zombie.pid}\n")

    postgres.start()

    assert postgres.query("SELECT 1") == "1"
    zombie.wait()


def test_variables_of_the_shell_do_not_lead_it_elsewhere(state: State, monkeypatch: pytest.MonkeyPatch):
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGDATA", "PGOPTIONS", "LC_ALL"):
        monkeypatch.setenv(name, "nonsense")
    server = Postgres(state)

    server.start()

    assert server.query("SHOW data_directory") == str(server.data)
    server.stop()


def test_text_search_knows_chinese_characters(postgres: Postgres):
    assert postgres.query("SELECT array_length(show_trgm('外科口罩'), 1) > 2") == "t"


def test_nothing_listens_on_the_network(postgres: Postgres):
    assert postgres.query("SHOW listen_addresses") == ""
    assert postgres.sockets.stat().st_mode & 0o077 == 0


def test_a_path_too_long_or_too_odd_for_a_socket_gets_a_short_private_one(tmp_path: Path):
    state = State(tmp_path / ("很长的 目录" * 12) / "state").open()
    server = Postgres(state)

    server.start()

    assert server.query("SELECT 1") == "1"
    assert not server.sockets.is_relative_to(state.path)
    assert server.sockets.stat().st_mode & 0o077 == 0
    server.stop()
    shutil.rmtree(server.sockets)


def test_a_short_directory_someone_else_opened_is_refused(tmp_path: Path):
    state = State(tmp_path / ("long" * 30)).open()
    made = state.socket_directory()
    made.chmod(0o755)

    with pytest.raises(CannotGoOn, match="not a private directory"):
        state.socket_directory()

    made.rmdir()


def test_torn_data_are_made_anew_where_they_are_disposable(tmp_path: Path):
    server = Postgres(State(tmp_path / "state", disposable=True).open())
    server.start()
    server.stop()
    (server.data / "global" / "pg_control").write_bytes(b"torn")

    server.start()

    assert server.query("SHOW fsync") == "off"  # which is why they may be torn

    assert server.query("SELECT 1") == "1"
    server.stop()


def test_torn_data_are_left_alone_and_told_of_where_they_matter(postgres: Postgres):
    postgres.stop()
    control = postgres.data / "global" / "pg_control"
    whole = control.read_bytes()
    control.write_bytes(b"torn")

    with pytest.raises(CannotGoOn, match="did not start"):
        postgres.start()

    assert (postgres.data / "base").is_dir()
    control.write_bytes(whole)


def test_data_of_a_version_that_is_not_installed_are_refused(postgres: Postgres):
    postgres.stop()
    (postgres.data / "PG_VERSION").write_text("9\n")

    with pytest.raises(CannotGoOn, match="need PostgreSQL 9"):
        postgres.start()


@pytest.mark.skipif(
    not any(Path("/usr/lib/postgresql").glob("*/bin/initdb")), reason="needs Debian's postgresql"
)
def test_the_systems_programs_serve_where_the_wheels_are_missing(
    state: State, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    server = Postgres(state)

    server.start()

    assert server.query("SELECT array_length(show_trgm('外科口罩'), 1) > 2") == "t"
    assert server._programs().is_relative_to("/usr/lib/postgresql")
    server.stop()


@as_root
def test_root_takes_over_data_made_by_a_user(state: State):
    first = Postgres(state)
    first.start()
    first.stop()
    for folder, _, files in os.walk(state.path):
        for name in (".", *files):
            os.chown(os.path.join(folder, name), 1234, 1234)

    second = Postgres(state)
    second.start()

    assert second.query("SELECT 1") == "1"
    second.stop()


@as_root
def test_without_user_namespaces_root_lets_nobody_run_it(
    state: State, open_place: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(servant, "PLACE_FOR_NOBODY", open_place)
    monkeypatch.setattr(servant, "IN_NAMESPACE", ("false",))
    server = Postgres(state)

    server.start()

    assert server.data.stat().st_uid == server.run_by.owner != 0
    assert server.query("SELECT current_user") == "tongzhou"
    stranger = subprocess.run(
        [server._client(), "-h", server.sockets, "-U", "tongzhou", "-w", "-c", "SELECT 1"],
        user=server.run_by.owner,
        capture_output=True,
        cwd="/",
        text=True,
    )
    assert "Peer authentication failed" in stranger.stderr
    server.stop()
