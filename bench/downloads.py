"""Downloads and the nightly dump with few and with a million needs: how long, and does their memory grow?"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.country import populate
from bench.databases import make, make_template, settle, url
from bench.downloading import PAGES
from bench.reporting import Report, Table
from supplies.needs.models import Appeal, Need

DATABASE = "bench_downloads"
Measured = dict[str, dict[str, Any]]  # by form
ROWS, COPIES = 1_000_000, 10
FORMS = ("csv", "jsonl", "geojson", "xlsx", "atom", "dump")
NOT_LONGER = ("xlsx",)  # than a tenth of the rows
GROWN = 1.2  # times the memory of a tenth of the rows; more is growth


def measure(arguments: Sequence[str] = ()) -> Report:
    parser = argparse.ArgumentParser(prog="./run bench downloads")
    parser.add_argument("--rows", type=int, default=ROWS, help="needs; a tenth of them is measured first")
    parser.add_argument("--form", action="append", choices=FORMS, help="only these; may be given again")
    chosen = parser.parse_args(arguments)
    forms = tuple(chosen.form or FORMS)
    make_template()
    make(DATABASE)
    populate(chosen.rows // COPIES, 1_000, at=timezone.now())
    few = _all(forms)
    multiply()
    rows = Need.objects.count()
    return report(few, _all([form for form in forms if form not in NOT_LONGER]), rows)


def report(few: Measured, many: Measured, rows: int) -> Report:
    """What was measured of a tenth of the rows, and of all of them."""
    table = [
        [form, f"{count:,}", *(found[form].get(name, "") for name in _COLUMNS)]
        for form in few
        for count, found in ((rows // COPIES, few), (rows, many))
        if form in found
    ]
    grown = [form for form in many if many[form]["peak_mib"] > GROWN * few[form]["peak_mib"]]
    return Report(
        "downloads",
        "Open data at size",
        f"Every public need in each form through `/open/needs.*`, and the nightly dump of everything, each by a process of its"
        f" own; memory is its greatest resident size, Python and the site included. Of the Atom feed {PAGES} pages of 200 are"
        f" read, the newest first. A workbook of more than a hundred thousand rows takes longer than a download may, and is not"
        f" offered by default. Needs are those of `bench/country.py`, {COPIES} times over."
        f" {'**Memory grows: ' + ', '.join(grown) + '.**' if grown else f'No memory is more than {GROWN} times that of a tenth of the rows.'}",
        [
            Table(
                ["form", "needs", "seconds", "of the processor", "first piece after", "MB", "peak MiB"], table
            )
        ],
        {"few": few, "many": many, "rows": rows},
    )


_COLUMNS = ("seconds", "processor", "first_piece", "megabytes", "peak_mib")


def _all(forms: Sequence[str]) -> Measured:
    connection.close()
    with TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": url(DATABASE),
            "LOG_LEVEL": "ERROR",
            "OPEN_DATA_DIR": folder,
        }
        return {form: _taken(form, environment) for form in forms}


def _taken(form: str, environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.downloading", form],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(form, said, flush=True)
    return said


def multiply() -> None:
    """Every appeal with its needs COPIES times: by the database, in a tenth of the time that drawing them takes."""
    appeals, needs = _columns(Appeal, without={"id", "code"}), _columns(Need, without={"id"})
    of_need = ", ".join("made.id" if name == "appeal_id" else f"need.{name}" for name in needs)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE made AS SELECT gen_random_uuid() AS id, id AS of"
            f" FROM supplies_appeal, generate_series(2, {COPIES})"  # nosec B608 # a number of ours
        )
        cursor.execute(
            f"INSERT INTO supplies_appeal (id, code, {', '.join(appeals)})"  # nosec B608 # names of our own columns
            f" SELECT made.id, replace(made.id::text, '-', ''), {', '.join(f'appeal.{name}' for name in appeals)}"
            " FROM made JOIN supplies_appeal appeal ON appeal.id = made.of"
        )
        cursor.execute(
            f"INSERT INTO supplies_need (id, {', '.join(needs)})"  # nosec B608 # names of our own columns
            f" SELECT gen_random_uuid(), {of_need}"
            " FROM made JOIN supplies_need need ON need.appeal_id = made.of"
        )
        cursor.execute("DROP TABLE made")
    settle()


def _columns(model: Any, *, without: set[str]) -> list[str]:
    fields = [field for field in model._meta.local_concrete_fields if not field.generated]
    return [field.column for field in fields if field.column not in without]
