"""Every scanner finds what is planted for it, and passes nothing it could not look at."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from launcher import supply
from launcher.supply import EXCEPTIONS, audit_verdict, habits, licence_faults, secrets_in, vulnerabilities

FAULT = {"id": "PYSEC-2026-1", "fix_versions": ["5.2.20"]}
SOUND = {"name": "rich", "version": "15.0.0", "vulns": []}
FAULTY = {"name": "django", "version": "5.2.19", "vulns": [FAULT]}
SKIPPED = {
    "name": "celery",
    "skip_reason": "Dependency not found on PyPI and could not be audited: celery (5.7.0)",
}


# --- Known faults ---


@pytest.mark.parametrize(
    ("packages", "passed"),
    [
        ([SOUND], True),
        ([SOUND, FAULTY], False),
        ([SKIPPED, FAULTY], False),
        ([SOUND, SKIPPED], None),
        ([SKIPPED], None),
        ([], None),
    ],
)
def test_only_an_audit_that_looked_everything_up_passes(packages: list[Any], passed: bool | None) -> None:
    assert audit_verdict({"dependencies": packages}).passed is passed


def test_a_known_fault_is_named_with_the_version_that_mends_it() -> None:
    assert audit_verdict({"dependencies": [FAULTY]}).said == "django 5.2.19: PYSEC-2026-1, mended in 5.2.20"


def test_nobody_to_ask_is_skipped_and_says_so() -> None:
    verdict = audit_verdict(None)

    assert verdict.passed is None
    assert "offline" in verdict.said


class Advisories(BaseHTTPRequestHandler):
    """An index of advisories that knows a fault of one package."""

    about = ""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = {
            "id": "PYSEC-2026-1",
            "modified": "2026-01-01T00:00:00Z",
            "affected": [],
            "summary": "planted",
        }
        body = json.dumps({"vulns": [known]} if asked["package"]["name"] == self.about else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[str, ...]]:
    """Options that lead pip-audit to an index of the test's own, for a lock of two packages."""
    monkeypatch.setattr(supply, "LOCK", tmp_path / "requirements.txt")
    digest = "--hash=sha256:" + "0" * 64
    supply.LOCK.write_text(f"amqp==5.4.2 \\\n    {digest}\ndjango==5.2.19 \\\n    {digest}\n")
    with HTTPServer(("127.0.0.1", 0), Advisories) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield "--vulnerability-service", "osv", "--osv-url", f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def test_a_fault_planted_in_the_index_is_found(
    index: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Advisories, "about", "django")
    direct = {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}

    verdict = vulnerabilities(direct, *index)

    assert verdict.passed is False
    assert verdict.said == "django 5.2.19: PYSEC-2026-1, mended in no version"


# --- Licences ---


@pytest.mark.parametrize(
    ("text", "is_fault"),
    [
        ("MIT", False),
        ("Apache-2.0 OR BSD-3-Clause", False),
        ("BSD-3-Clause AND 0BSD AND MIT AND Zlib AND CC0-1.0", False),
        ("GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", True),
        ("GNU Affero General Public License v3", True),
        ("UNKNOWN", True),
        ("", True),
    ],
)
def test_a_licence_that_is_not_allowed_is_found(text: str, is_fault: bool) -> None:
    assert list(licence_faults({"planted": text})) == ([f"planted comes under: {text}"] if is_fault else [])


def test_an_exception_holds_for_the_text_it_was_made_for_only() -> None:
    text, _reason = EXCEPTIONS["pycountry"]

    assert list(licence_faults({"pycountry": text})) == []
    assert list(licence_faults({"pycountry": "GPL-3.0-only"})) == ["pycountry comes under: GPL-3.0-only"]


# --- Secrets and habits ---


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(supply, "ROOT", tmp_path)
    (tmp_path / "tests").mkdir()
    return tmp_path


def test_a_key_in_a_file_is_found_wherever_it_lies(planted: Path) -> None:
    key = "AKIA" + "Q7XJ3M5N2P8R4T6V"
    for file in ("settings.py", "tests/test_planted.py", "notes.md"):
        (planted / file).write_text(f'first = 1\nkey = "{key}"\n')

    found = list(secrets_in(["settings.py", "tests/test_planted.py", "notes.md"]))

    assert {line.split(": ")[0] for line in found} == {
        "settings.py:2",
        "tests/test_planted.py:2",
        "notes.md:2",
    }


def test_a_password_is_found_in_the_product_and_a_placeholder_is_none(planted: Path) -> None:
    (planted / "a.py").write_text('password = "correct horse battery"\n')
    (planted / "b.md").write_text("postgres://user:password@host/name\n")
    (planted / "tests" / "c.py").write_text('password = "a long enough phrase"\n')

    assert list(secrets_in(["a.py", "b.md", "tests/c.py"])) == ["a.py:1: Secret Keyword"]


HABITS = {
    'cursor.execute(f"SELECT * FROM users WHERE name = {name}")': "B608",
    "subprocess.call(name, shell=True)": "B602",
    "pickle.loads(name)": "B301",
    "eval(name)": "B307",
}


def test_unsafe_habits_are_found(planted: Path) -> None:
    (planted / "pyproject.toml").write_text("")
    lines = "".join(f"    {line}\n" for line in HABITS)
    (planted / "planted.py").write_text(f"import pickle, subprocess\ndef f(cursor, name):\n{lines}")

    verdict = habits(os.environ, ["planted.py"])

    assert verdict.passed is False
    assert all(rule in verdict.said for rule in HABITS.values()), verdict.said
