import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from launcher import bootstrap
from launcher.state import ROOT


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that is not there yet, with the lock it is to be made from."""
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv" / "bin" / "python")
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / ".venv" / "installed-for")
    monkeypatch.setattr(bootstrap, "LOCK", tmp_path / "requirements.txt")
    bootstrap.LOCK.write_text("amqp==5.4.2\n")
    return tmp_path / ".venv"


@pytest.fixture
def steps(environment: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the bootstrap does, written down; the environment it makes is this test's own interpreter."""
    done: list[str] = []

    def create() -> None:
        done.append("create")
        shutil.rmtree(environment, ignore_errors=True)
        (environment / "bin").mkdir(parents=True)
        bootstrap.PYTHON.symlink_to(sys.executable)

    monkeypatch.setattr(bootstrap, "create_environment", create)
    monkeypatch.setattr(bootstrap, "install", lambda: done.append("install"))
    return done


def test_the_first_start_makes_the_environment_and_the_second_leaves_it(steps: list[str]):
    bootstrap.make_environment()
    bootstrap.make_environment()

    assert steps == ["create", "install"]


def test_another_lock_is_installed_into_the_same_environment(steps: list[str]):
    bootstrap.make_environment()
    bootstrap.LOCK.write_text("amqp==5.4.3\n")

    bootstrap.make_environment()

    assert steps == ["create", "install", "install"]


def test_an_environment_whose_python_has_gone_is_made_anew(steps: list[str]):
    bootstrap.make_environment()
    bootstrap.PYTHON.unlink()

    bootstrap.make_environment()

    assert steps == ["create", "install", "create", "install"]


def test_an_installation_cut_short_is_taken_up_again(steps: list[str], monkeypatch: pytest.MonkeyPatch):
    def cut_short() -> None:
        raise KeyboardInterrupt

    installs = bootstrap.install
    monkeypatch.setattr(bootstrap, "install", cut_short)
    with pytest.raises(KeyboardInterrupt):
        bootstrap.make_environment()

    monkeypatch.setattr(bootstrap, "install", installs)
    bootstrap.make_environment()

    assert steps == ["create", "install"]


def test_an_unknown_mode_is_told_with_those_there_are():
    ran = subprocess.run([ROOT / "run", "dance"], capture_output=True, text=True)

    assert ran.returncode == 2
    assert "does not know 'dance'" in ran.stderr
    assert "./run manage" in ran.stderr


def test_bytecode_that_is_not_wanted_beside_the_sources_is_kept_in_the_environment(tmp_path: Path):
    shutil.copytree(ROOT / "launcher", tmp_path / "launcher", ignore=shutil.ignore_patterns("__pycache__"))
    told = "from launcher import bootstrap; bootstrap.keep_bytecode_out_of_the_sources();"
    run = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import launcher.messages'], check=True)"

    wishes = {name: value for name, value in os.environ.items() if name != "PYTHONPYCACHEPREFIX"}
    subprocess.run(
        [sys.executable, "-c", told + run],
        cwd=tmp_path,
        env=wishes | {"PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )

    assert list((tmp_path / ".venv" / "bytecode").rglob("launcher/messages.*.pyc"))
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_foreign_python_environment_does_not_leak_in():
    leaks = dict.fromkeys(("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "PIP_TARGET"), "/nonsense")

    ran = subprocess.run([ROOT / "run", "help"], env=os.environ | leaks, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stderr
    assert "./run test" in ran.stdout
