"""`python -m bench.taking FILE`: take a list in, in a process of its own, and say on a line of JSON how that went.

`take` is the one place that knows how a file is taken in.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import django

from bench.watched import peak_mib

MISSING = "there is no reader of files yet"


class Taken(NamedTuple):
    """`parser_mib` is the most memory that the limited process had in which strangers' files are opened."""

    rows: int
    findings: int
    parser_mib: float


def take(file: Path) -> Taken:
    """Read every row of a file. Raises ModuleNotFoundError where files cannot be read yet."""
    opening = import_module("supplies.intake.files.opening")
    rows = findings = 0
    with opening.read_rows(file) as opened:
        for row in opened:
            rows += 1
            findings += len(row.findings)
    return Taken(rows, findings, round(opened.peak / 2**20, 1))


def main(file: Path) -> None:
    began = time.perf_counter()
    try:
        taken = take(file)
    except ModuleNotFoundError as error:
        if not str(error.name).startswith("supplies.intake.files"):
            raise
        print(json.dumps({"missing": MISSING}))
        return
    seconds = time.perf_counter() - began
    print(json.dumps({**taken._asdict(), "seconds": round(seconds, 2), "peak_mib": peak_mib()}))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(Path(sys.argv[1]))
