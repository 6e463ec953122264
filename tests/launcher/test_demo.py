from pathlib import Path

import pytest

from launcher import demo
from launcher.demo import PREPARED, Demo, digest_of_sources
from launcher.state import State

MADE_READY = ["migrate", "database_roles", "collectstatic", "load_reference", "load_demo"]


@pytest.fixture
def sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with one source file."""
    monkeypatch.setattr(demo, "ROOT", tmp_path / "checkout")
    file = tmp_path / "checkout" / "supplies" / "models.py"
    file.parent.mkdir(parents=True)
    file.write_text("class Need: ...")
    for name in ("manage.py", "requirements.txt"):
        (tmp_path / "checkout" / name).write_text("")
    return file


@pytest.fixture
def site(state: State, sources: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """A site whose tables and static files are there; its commands are written down, not run."""
    for name in ("DATABASE_URL", "BROKER_URL", "CACHE_URL"):
        monkeypatch.delenv(name, raising=False)  # those of the database these tests run on
    site = Demo(state)
    site.commands = []
    (state.path / "static").mkdir()
    monkeypatch.setattr(Demo, "_is_still_there", lambda self: True)
    monkeypatch.setattr(
        Demo, "_manage", lambda self, name, *arguments, **options: self.commands.append(arguments[0])
    )
    return site


def test_the_first_start_makes_everything_ready_and_the_next_only_shows_the_accounts(site: Demo):
    site._prepare()
    site._prepare()

    assert site.commands == [*MADE_READY, "demo_accounts", "demo_accounts"]


def test_changed_sources_are_made_ready_again(site: Demo, sources: Path):
    site._prepare()
    sources.write_text("class Need: changed = True")

    site._prepare()

    assert site.commands == [*MADE_READY, "demo_accounts"] * 2


def test_a_management_command_has_everything_made_ready_again(site: Demo):
    site._prepare()
    (site.state.path / PREPARED).unlink()  # what ./run manage does

    site._prepare()

    assert site.commands == [*MADE_READY, "demo_accounts"] * 2


def test_no_demonstration_goes_into_a_database_given_from_outside(site: Demo):
    site.stack.postgres = None

    site._prepare()

    assert site.commands == ["migrate", "collectstatic", "load_reference"]


def test_what_python_compiles_is_no_source(sources: Path):
    before = digest_of_sources("k1:…")
    compiled = sources.parent / "__pycache__" / "models.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"compiled")

    assert digest_of_sources("k1:…") == before
