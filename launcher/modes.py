"""What `./run MODE` does, one function each. Each takes the remaining arguments and returns the exit code."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace

from launcher import checks, processes
from launcher.demo import PREPARED, Demo
from launcher.messages import CannotGoOn, say
from launcher.running import Running
from launcher.stack import Stack
from launcher.state import ROOT, State

NOT_RUNNING = 3  # exit code of `status`, as service scripts have it
BROWSER_PACKAGES = ("chromium", "fonts-wqy-zenhei")
TEST_PROCESSES = "2"
ONE_BUSY_CLIENT = {"LIMITS_TIMES": "10000"}  # tests and benches ask from one address for all the world


def demo(arguments: Sequence[str]) -> int:
    """Start the whole site on this machine and keep it running (also: ./run alone)."""
    if arguments:
        raise CannotGoOn(f"./run demo takes no arguments, and was given: {' '.join(arguments)}")
    return Demo(State.of()).run()


def test(arguments: Sequence[str]) -> int:
    """Every test, on a database of its own. Arguments go to pytest; --with-browser installs Chromium first."""
    given = [argument for argument in arguments if argument != "--with-browser"]
    if len(given) < len(arguments):
        _install_browser()
    state = State.of("-test")
    stack = Stack(state)
    # Browser tests drive Django from playwright's event loop, which Django would otherwise refuse.
    environment = stack.environment_with_tools | {"DJANGO_ALLOW_ASYNC_UNSAFE": "true"} | ONE_BUSY_CLIENT
    with Running(state).held("the tests"), stack.in_use():
        _drop_outdated_tables(stack)
        return processes.run_in_foreground([*_pytest(given), *given], environment=environment, cwd=ROOT)


def check(arguments: Sequence[str]) -> int:
    """Format, lint, types, import contracts, migrations, translations, lock file, API document."""
    stack = Stack(State.of("-test"))
    with stack.in_use():
        return checks.run(stack.environment, only=arguments)


def bench(arguments: Sequence[str]) -> int:
    """Measured comparisons; names choose among them."""
    command = [sys.executable, "-m", "bench", *arguments]
    if arguments[:1] in (["-h"], ["--help"]):
        return subprocess.call(command)  # which needs no servers
    return _in_stack(State.of("-bench"), command, **ONE_BUSY_CLIENT)


def drill(arguments: Sequence[str]) -> int:
    """Faults on purpose, on servers of their own; names choose among them, --small makes a sample of each."""
    state = replace(
        State.of("-drill"), disposable=False
    )  # what it proves has to hold where everything is flushed
    return _in_stack(state, [sys.executable, "-m", "drill", *arguments])


def manage(arguments: Sequence[str]) -> int:
    """Any management command of the site, inside the stack."""
    state = State.of()
    (state.path / PREPARED).unlink(missing_ok=True)  # it may change anything the next start relies on
    return _in_stack(state, [sys.executable, "manage.py", *arguments])


def stop(arguments: Sequence[str]) -> int:
    """Stop the running site and wait until it has."""
    state = State.of()
    stopped = Running(state).stop()
    Stack(state).stop_if_unused()
    say("Stopped." if stopped else "The site is not running.")
    return 0


def status(arguments: Sequence[str]) -> int:
    """What runs, with process numbers and address; exit code 3 when nothing does."""
    state = State.of()
    card = Running(state).who()
    if card is None:
        print("The site is not running.")
        for server in Stack(state).servers:
            if server.pid is not None:
                print(f"  {server.name:<12} process {server.pid}")
        return NOT_RUNNING
    print(f"Tongzhou is at {card.url}" if card.url else "Tongzhou is starting.")
    print(f"  {'launcher':<12} process {card.pid}")
    for name, pid in card.children.items():
        alive = pid is not None and processes.arguments_of(pid) is not None
        print(f"  {name:<12} {f'process {pid}' if alive else 'down, being started again'}")
    return 0


def lock(arguments: Sequence[str]) -> int:
    """Make requirements.txt anew from requirements.in, with the hash of every file."""
    options = "--universal --generate-hashes --no-emit-index-url --no-emit-find-links --python-version 3.11"
    command = [sys.executable, "-m", "uv", "pip", "compile", *options.split(), *arguments]
    return subprocess.run(
        [*command, "requirements.in", "-o", "requirements.txt"], cwd=ROOT, stdout=subprocess.DEVNULL
    ).returncode


def format(arguments: Sequence[str]) -> int:
    """Bring the code into its format and mend what the linter can mend."""
    ruff = [sys.executable, "-m", "ruff"]
    paths = arguments or ["."]
    mended = subprocess.run([*ruff, "check", "--fix", *paths], cwd=ROOT).returncode
    return subprocess.run([*ruff, "format", *paths], cwd=ROOT).returncode or mended


MODES: dict[str, Callable[[Sequence[str]], int]] = {
    mode.__name__: mode for mode in (demo, test, check, bench, drill, manage, stop, status, lock, format)
}


# --- Their parts ---


def _in_stack(state: State, command: Sequence[str], **more: str) -> int:
    stack = Stack(state)
    with stack.in_use():
        return processes.run_in_foreground(command, environment=stack.environment_with_tools | more, cwd=ROOT)


def _pytest(given: Sequence[str]) -> list[str]:
    """pytest on two processes, unless the arguments choose their number or need one process."""
    command = [sys.executable, "-m", "pytest"]
    own = ("-n", "--numprocesses", "--pdb", "--dist")
    if any(argument.startswith(own) for argument in given):
        return command
    return [*command, "-n", TEST_PROCESSES, "--dist", "loadfile"]


def _drop_outdated_tables(stack: Stack) -> None:
    """Test databases are kept between runs; they go when a migration has been added or rewritten."""
    digest = hashlib.sha256()
    for migration in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(migration.read_bytes())
    made_with = stack.state.path / "migrations"
    if stack.postgres is None or (made_with.exists() and made_with.read_text() == digest.hexdigest()):
        return
    for name in stack.postgres.query("SELECT datname FROM pg_database WHERE datname LIKE 'test\\_%'").split():
        stack.postgres.query(f'DROP DATABASE "{name}"')
    made_with.write_text(digest.hexdigest())


def _install_browser() -> None:
    """Chromium and a font with Chinese characters, by apt. Raises CannotGoOn unless root."""
    install = ["apt-get", "install", "-y", "--no-install-recommends", *BROWSER_PACKAGES]
    if os.getuid() != 0:
        raise CannotGoOn(f"Installing the browser takes root: sudo {' '.join(install)}")
    for command in (["apt-get", "update"], install):
        if subprocess.run(command, stdout=sys.stderr).returncode != 0:
            raise CannotGoOn(f"{' '.join(command)} failed")
