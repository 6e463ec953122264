"""PostgreSQL's own programs, of the server's version, pointed at the site's database."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from django.db import connection

CHUNK = 1 << 20


class NoProgram(Exception):
    """There is none of the version that is needed."""


def program(name: str) -> str:
    """The path of pg_dump or its like. Of the server's major version: an older one cannot read it, a newer one
    writes what it cannot read. Raises NoProgram with what was found instead."""
    wanted = connection.pg_version // 10_000  # type: ignore[attr-defined]
    found = []
    for folder in os.get_exec_path():
        path = shutil.which(name, path=folder)
        if path is None:
            continue
        version = _major(path)
        if version == wanted:
            return path
        found.append(f"{path} is of version {version}")
    said = "; ".join(found) or "there is none"
    raise NoProgram(
        f"{name} of PostgreSQL {wanted} is needed, which the server is, and has to be on the PATH: {said}."
    )


def _major(path: str) -> int:
    shown = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"\d+", shown)
    return int(number[0]) if number else 0


def environment() -> Mapping[str, str]:
    """What leads the program to the database; the password stands in no command line."""
    given = connection.settings_dict
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    names = {
        "PGHOST": "HOST",
        "PGPORT": "PORT",
        "PGUSER": "USER",
        "PGPASSWORD": "PASSWORD",  # pragma: allowlist secret
        "PGDATABASE": "NAME",
    }
    return kept | {name: str(given[key]) for name, key in names.items() if given[key]}


@dataclass(frozen=True)
class Ran:
    """How it ended, what it printed and what it complained of."""

    code: int
    printed: str
    said: str


def run_on(source: IO[bytes], name: str, *options: str) -> Ran:
    """Run a program that reads the source from its standard input, all of it or as much as it wants."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as said:
        command = [program(name), *options]
        process = subprocess.Popen(command, env=environment(), stdin=subprocess.PIPE, stdout=out, stderr=said)
        assert process.stdin is not None
        with suppress(
            BrokenPipeError
        ):  # it ended before it had read everything; its code says whether that is well
            shutil.copyfileobj(source, process.stdin, CHUNK)
            process.stdin.close()
        code = process.wait()
        return Ran(code, _text(out), _text(said))


def write_from(name: str, *options: str, to: Callable[[IO[bytes]], None]) -> Ran:
    """Run a program and hand what it prints to somebody who reads it to its end."""
    with tempfile.TemporaryFile() as said:
        command = [program(name), *options]
        with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=said) as process:
            assert process.stdout is not None
            to(process.stdout)
        return Ran(process.returncode, "", _text(said))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").strip()
