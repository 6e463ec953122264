import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from launcher.messages import CannotGoOn
from launcher.programs import COUNTS, HOST, answers, first_port, forget_counts


@pytest.fixture
def taken() -> Iterator[int]:
    """A port somebody listens on, and does not answer."""
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_is_taken_is_told_and_another_one_used(taken: int, capsys: pytest.CaptureFixture[str]):
    port = first_port(str(taken))

    assert port > taken
    assert f"port {taken} is taken" in capsys.readouterr().err


def test_a_port_that_is_no_number_is_refused():
    with pytest.raises(CannotGoOn, match="PORT is a number"):
        first_port("http")


def test_a_site_nobody_serves_does_not_answer():
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]

    assert not answers(f"http://{HOST}:{port}/")


def test_what_processes_counted_before_is_forgotten_when_they_start_anew(tmp_path: Path):
    forget_counts(tmp_path)
    (tmp_path / COUNTS / "counter_1.db").write_bytes(b"")

    forget_counts(tmp_path)

    assert list((tmp_path / COUNTS).iterdir()) == []
