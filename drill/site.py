"""A site of a drill's own: a PostgreSQL that flushes to disk as the real one does, and may be killed."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from launcher.postgres import DATABASE, ROLE, Postgres
from launcher.stack import Stack
from launcher.state import ROOT, State

OF_ANOTHER_SITE = ("DATABASE_URL", "BROKER_URL", "CACHE_URL", "SECRET_KEY", "FIELD_KEYS", "STATE_DIR")


class CannotMount(RuntimeError):
    """This machine gives nobody a disk of its own."""


@dataclass(frozen=True)
class Site:
    """postgres      its server
    environment   for programs that come as the owner of the tables
    stack         its servers and the environment of its own programs
    """

    postgres: Postgres
    environment: Mapping[str, str]
    folder: Path
    stack: Stack

    def url(self, database: str) -> str:
        return urlsplit(self.postgres.url)._replace(path=f"/{database}").geturl()

    def connect(self, database: str = DATABASE) -> Any:
        """A connection of the drill itself, as the owner."""
        return psycopg2.connect(host=str(self.postgres.sockets), user=ROLE, dbname=database)

    def start(self, *arguments: str, **more: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *arguments],
            env={**self.environment, **more},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )

    def try_to(self, *arguments: str, **more: str) -> tuple[int, str]:
        """Run a program of the site to its end: its exit code and what it printed."""
        process = self.start(*arguments, **more)
        printed, _nothing = process.communicate()
        return process.returncode, printed.strip()

    def run(self, *arguments: str, **more: str) -> str:
        code, printed = self.try_to(*arguments, **more)
        if code != 0:
            raise RuntimeError(f"{' '.join(arguments)} ended with {code}")
        return printed

    def manage(self, *arguments: str, **more: str) -> str:
        return self.run("manage.py", *arguments, **more)


@contextmanager
def small_disk(place: Path, mib: int) -> Iterator[None]:
    """A file system of so many MiB at this place. Raises CannotMount where this machine lets nobody make one."""
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=0700", "tmpfs", place], capture_output=True
    )
    if mounted.returncode != 0:
        raise CannotMount(mounted.stderr.decode().strip())
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def own_site(*, mib: int | None = None) -> Iterator[Site]:
    """With its tables and roles, and nothing in them.

    mib   its state lies on a disk of so many MiB; on the machine's if None
    """
    outside = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER_SITE}
    with ExitStack() as ending:
        place = ending.enter_context(tempfile.TemporaryDirectory(prefix="tongzhou-drill-"))
        if mib is not None:
            ending.enter_context(small_disk(Path(place) / "state", mib))
        stack = Stack(State(Path(place) / "state"), outside)
        postgres = stack.postgres
        assert postgres is not None
        postgres.start()
        try:
            environment = stack.environment_with_tools | {
                "DJANGO_SETTINGS_MODULE": "config.settings",
                "LOG_LEVEL": "ERROR",
            }
            site = Site(postgres, environment, Path(place), stack)
            site.manage("migrate", "--no-input", "--verbosity", "0")
            site.manage("database_roles")
            yield site
        finally:
            postgres.stop()
