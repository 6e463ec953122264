import base64
from pathlib import Path

from launcher.state import LOG_KEPT, State, new_field_keys, new_secret_key


def test_a_secret_is_made_once_and_readable_by_its_owner_only(state: State):
    first = state.secret("secret_key", new_secret_key)

    assert state.secret("secret_key", new_secret_key) == first
    assert len(first) >= 64
    assert (state.path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_secret_someone_opened_to_others_is_closed_again(state: State):
    state.secret("secret_key", new_secret_key)
    (state.path / "secret_key").chmod(0o644)

    state.secret("secret_key", new_secret_key)

    assert (state.path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_field_key_is_an_id_and_32_bytes():
    name, _, key = new_field_keys().partition(":")

    assert name == "k1"
    assert len(base64.b64decode(key, validate=True)) == 32


def test_tests_and_benchmarks_have_a_state_of_their_own(tmp_path: Path):
    outside = {"STATE_DIR": str(tmp_path / "here")}

    assert State.of(outside=outside) == State(tmp_path / "here")
    assert State.of("-test", outside=outside) == State(tmp_path / "here-test", disposable=True)


def test_a_log_that_has_grown_large_is_set_aside(state: State):
    log = state.log("web")
    log.write_bytes(b"." * (LOG_KEPT + 1))

    state.log("web")

    assert not log.exists()
    assert (state.path / "log" / "web.log.1").stat().st_size > LOG_KEPT
