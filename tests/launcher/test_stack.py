import pytest

from launcher.postgres import WEB, WORKER
from launcher.programs import web, worker
from launcher.stack import Stack
from launcher.state import State


def test_a_database_given_from_outside_replaces_the_embedded_one(state: State):
    stack = Stack(state, {"DATABASE_URL": "postgres://someone@elsewhere/supplies"})

    assert stack.postgres is None
    assert stack.valkey is not None
    assert stack.environment["DATABASE_URL"] == "postgres://someone@elsewhere/supplies"


def test_valkey_is_started_unless_broker_and_cache_are_both_given(state: State):
    only_broker = Stack(state, {"BROKER_URL": "amqp://elsewhere"})
    both = Stack(state, {"BROKER_URL": "amqp://elsewhere", "CACHE_URL": "redis://elsewhere"})

    assert only_broker.valkey is not None
    assert only_broker.environment["BROKER_URL"] == "amqp://elsewhere"
    assert only_broker.environment["CACHE_URL"] == only_broker.valkey.cache_url
    assert both.valkey is None


def test_the_sites_programs_come_to_the_database_as_lesser_roles(state: State):
    stack = Stack(state, {})

    assert "//tongzhou@/" in stack.environment["DATABASE_URL"]
    assert "//tongzhou_web@/" in stack.environment_as(WEB)["DATABASE_URL"]
    assert web(stack, 8000).environment["DATABASE_URL"] == stack.environment_as(WEB)["DATABASE_URL"]
    assert worker(stack).environment["DATABASE_URL"] == stack.environment_as(WORKER)["DATABASE_URL"]


def test_a_database_given_from_outside_is_used_as_it_was_given(state: State):
    stack = Stack(state, {"DATABASE_URL": "postgres://someone@elsewhere/supplies", "PATH": "/bin"})

    assert stack.environment_as(WEB) == stack.environment == stack.environment_with_tools


def test_tools_are_of_the_version_of_the_server(state: State):
    stack = Stack(state, {"PATH": "/bin"})

    assert stack.postgres is not None
    assert stack.environment_with_tools["PATH"] == f"{stack.postgres.programs}:/bin"
    assert (stack.postgres.programs / "pg_dump").exists()


@pytest.mark.parametrize("name", ["SECRET_KEY", "FIELD_KEYS", "ALLOWED_HOSTS"])
def test_what_a_person_has_set_counts(state: State, name: str):
    assert Stack(state, {name: "their own"}).environment[name] == "their own"
    assert Stack(state, {name: ""}).environment[name] != ""


def test_a_secret_given_from_outside_is_not_written_down(state: State):
    Stack(state, {"SECRET_KEY": "their own", "FIELD_KEYS": "their:own"})

    assert not (state.path / "secret_key").exists()
    assert not (state.path / "field_keys").exists()


def test_another_sites_settings_do_not_leak_in(state: State):
    environment = Stack(state, {"DJANGO_SETTINGS_MODULE": "blog.settings", "PGHOST": "elsewhere"}).environment

    assert "DJANGO_SETTINGS_MODULE" not in environment
    assert "PGHOST" not in environment


def test_who_leaves_last_stops_the_servers(state: State):
    first, second = Stack(state, {}), Stack(state, {})

    with first.in_use():
        with second.in_use():
            assert all(server.pid for server in second.servers)
        assert all(server.pid for server in first.servers)

    assert [server.pid for server in first.servers] == [None, None]


def test_servers_of_a_killed_launcher_are_stopped_by_stop(state: State):
    orphaned = Stack(state, {})
    for server in orphaned.servers:
        server.start()

    Stack(state, {}).stop_if_unused()

    assert [server.pid for server in orphaned.servers] == [None, None]
