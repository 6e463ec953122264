"""Running code of the tests in processes of their own, on the test's database."""

import os
import subprocess
import sys
from typing import Any
from urllib.parse import quote

from django.db import connection

from supplies.upkeep.roles import name_of

START = 77  # an advisory lock: the test holds it until every racer stands at the line


def environment(**more: str) -> dict[str, str]:
    """The environment that leads a child process to this test's database, as a worker."""
    settings = connection.settings_dict
    url = f"postgres://{name_of('worker')}@/{settings['NAME']}?host={quote(str(settings['HOST']))}"
    quiet = {"LOG_LEVEL": "ERROR"}  # nobody reads it while they run, and a full pipe holds them up
    return {**os.environ, **quiet, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "config.settings", **more}


def start(*arguments: str, **more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment(**more),
        stdin=subprocess.PIPE,  # a child that waits for a word is told it here, and by nobody else
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes: "subprocess.Popen[str]", within: float = 90) -> list[Any]:
    """What each printed, after all have ended well."""
    outputs = []
    for process in processes:
        out, err = process.communicate(timeout=within)
        assert process.returncode == 0, err
        outputs.append(out)
    return outputs
