"""Intake: how well announcements are read, what becomes of the real lists, and how long a hundred thousand rows take."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone, translation

from bench import lists
from bench.announcements import (
    FIELDS,
    HELD_OUT,
    LATER,
    TUNING,
    Labelled,
    Reader,
    Scores,
    labelled,
    rows_in,
    score,
)
from bench.databases import make, make_template, url
from bench.reporting import Report, Table
from supplies.catalogue.dictionary import Dictionary
from supplies.intake.directory import Directory
from supplies.intake.formats import FORMATS, Format
from supplies.intake.goods import Line
from supplies.intake.goods import Reader as ReaderOfGoods
from supplies.intake.opening import rows_in as sheet_rows_in
from supplies.intake.reading.findings import Finding, Unreadable
from supplies.intake.services import import_appeals
from supplies.needs.models import QuantityKind
from supplies.regions.services import Places

DATABASE = "bench_intake"
ROWS, GOAL_SECONDS, GOAL_MIB = 100_000, 120, 300
GOALS = {"item": (0.98, 0.95), "standard": (0.98, 0.95), "quantity": (0.98, 0.95)}  # precision, recall
REAL_DATA = settings.BASE_DIR.parent / "shared" / "data" / "real"
# Which of the real lists a format reads, where they lie beside the checkout.
LISTS = {
    "wuhan2020": ("wuhan2020/published/*.json", "wuhan2020/snapshots/*.json"),
    "wuhan2020-cells": ("wuhan2020/cells/*.json",),
    "wuhan2020-makers": ("wuhan2020/other/factory.json",),
    "wuhan2020-early": ("wuhan2020-early/HOSPITAL.csv",),
    "wuhan2020-sheet": ("wuhan2020-sheet-gb18030/HOSPITAL.csv",),
    "wuhan-support": ("wuhan-support/hospitals.csv",),
    "redcross-hubei-in": ("redcross-hubei/hubei-inflow.csv",),
    "redcross-hubei-out": ("redcross-hubei/hubei-outflow.csv",),
    "findthemasks": ("findthemasks-us/requests_2020-03-27.csv",),
    "getusppe-requests": ("getusppe-ijoc/anon_recipients.csv",),
    "getusppe-donors": ("getusppe-ijoc/anon_donors.csv",),
    "getusppe-offers": ("getusppe-retrospective/all_offers.csv",),
    "getusppe-matches": ("getusppe-retrospective/all_matches.csv",),
}
# Rows. Longer lists are only read here, since entering one takes minutes; the tests do it with WHOLE=1.
MOST_ENTERED = 500
DOUBTS_ITEM = {"synonyms", "unsure-item"}
DOUBTS_QUANTITY = {"unusual-quantity", "second-figure", "approximate", "range", "at-least", "other-rate"}
READ, DOUBTFUL, UNREAD = "read", "doubtful", "unread"


def measure(rows: int = ROWS) -> Report:
    make_template()
    make(DATABASE)
    announcements = labelled()
    with translation.override("en"):
        read = _reading(announcements)
        real = _real_lists()
    long = _long_lists(rows, announcements)
    figures = {
        "announcements": read.pop("figures"),
        "real_lists": real.pop("figures"),
        "long_lists": long.pop("figures"),
    }
    return Report(
        "intake",
        "What comes in: announcements and lists",
        "\n\n".join([read["says"], real["says"], long["says"]]),
        [*read["tables"], *real["tables"], *long["tables"]],
        figures,
    )


def measure_announcements() -> Report:
    """Only how well announcements are read, which takes a minute."""
    make_template()
    make(DATABASE)
    with translation.override("en"):
        read = _reading(labelled())
    return Report(
        "announcements", "How well announcements are read", read["says"], read["tables"], read["figures"]
    )


# -- announcements ------------------------------------------------------------------------------------------


def reader_of_announcements() -> Reader | None:
    """The project's reader with one catalogue for all texts; None while there is none."""
    try:
        module = import_module("supplies.intake.announcements")
    except ModuleNotFoundError as error:
        if error.name != "supplies.intake.announcements":
            raise
        return None
    return partial(module.read_announcement, dictionary=Dictionary(), places=Places())


def _reading(rows: Sequence[Labelled]) -> dict[str, Any]:
    read = reader_of_announcements()
    parts = {name: list(rows_in(rows, name)) for name in (TUNING, HELD_OUT, *LATER)} | {"all": list(rows)}
    sizes = ", ".join(f"{len(part)} {name}" for name, part in parts.items() if name != "all")
    set_says = f"**Announcements.** {len(rows)} invented ones, labelled by hand ({sizes}), with {_goods(rows)} goods."
    if read is None:
        says = f"{set_says} There is no reader of announcements yet (`supplies/intake/announcements.py`)."
        return {"says": says, "tables": [], "figures": {"announcements": len(rows), "reader": None}}
    scores, seconds = {}, {}
    for name, part in parts.items():
        began = time.perf_counter()
        scores[name] = score(part, read)
        seconds[name] = time.perf_counter() - began
    both = scores["all"]
    says = (
        f"{set_says} Read at {len(rows) / seconds['all']:.0f} a second. Goals: {_goals()}; no quantity invented."
        f" {_verdict(both)} {_invented(both)} {_failed(both)} Precision / recall (and how often it stands there);"
        " the set's README says how labels are written."
    )
    return {
        "says": says,
        "tables": [_table(scores)],
        "figures": {
            "announcements": len(rows),
            "per_second": round(len(rows) / seconds["all"], 1),
            **{name: figures_of(found) for name, found in scores.items()},
            "invented": both.invented,
            "failed": both.failed,
            "faults": both.faults,
        },
    }


def _goods(rows: Sequence[Labelled]) -> int:
    return sum(len(row.goods) for row in rows)


def _goals() -> str:
    return ", ".join(f"{name} {precision} / {recall}" for name, (precision, recall) in GOALS.items())


def missed_goals(scores: Scores) -> list[str]:
    """The goals that are not reached, each with what was."""
    missed = [
        f"{name} {_share(scores[name].precision)} / {_share(scores[name].recall)}"
        for name, (precision, recall) in GOALS.items()
        if (scores[name].precision or 0) < precision or (scores[name].recall or 0) < recall
    ]
    return missed + [f"{len(scores.invented)} invented"] * bool(scores.invented)


def _verdict(scores: Scores) -> str:
    missed = missed_goals(scores)
    return f"**Missed: {', '.join(missed)}.**" if missed else "**All are reached.**"


def _invented(scores: Scores) -> str:
    by_id = Counter(id for id, _words, _number in scores.invented)
    listed = ", ".join(f"{id} ({times})" if times > 1 else id for id, times in sorted(by_id.items()))
    return f"Invented quantities: {len(scores.invented)}{': ' + listed if listed else ''}."


def _failed(scores: Scores) -> str:
    return f"The reader fell over {', '.join(id for id, _error in scores.failed)}." if scores.failed else ""


def _table(scores: Mapping[str, Scores]) -> Table:
    return Table(
        ["field", *scores],
        [
            [
                name,
                *(
                    f"{_share(s[name].precision)} / {_share(s[name].recall)} ({_there(s, name)})"
                    for s in scores.values()
                ),
            ]
            for name in FIELDS
        ],
    )


def _there(scores: Scores, name: str) -> int:
    return scores[name].right + scores[name].missed


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"


def figures_of(scores: Scores) -> dict[str, Any]:
    return {
        name: {
            "right": one.right,
            "wrong": one.wrong,
            "missed": one.missed,
            "precision": one.precision and round(one.precision, 4),
            "recall": one.recall and round(one.recall, 4),
        }
        for name, one in scores.fields.items()
    }


# -- the real lists -----------------------------------------------------------------------------------------


def _real_lists() -> dict[str, Any]:
    if not REAL_DATA.is_dir():
        says = "**Real lists.** Not measured: the published lists of 2020 are not beside the checkout."
        return {"says": says, "tables": [], "figures": None}
    found = [
        _real_list(FORMATS[code], files) for code in LISTS if code in FORMATS and (files := _files(code))
    ]
    fields = sorted({name for row in found for name, _grade in row["fields"]})
    head = [
        "list",
        "rows",
        "a second, read",
        "a second, entered",
        *(f"{name}: read, doubtful, unread" for name in fields),
    ]
    table = [
        [
            row["list"],
            row["rows"],
            row["read_per_second"],
            "–" if row["entered_per_second"] is None else row["entered_per_second"],
            *(_grades(row, name) for name in fields),
        ]
        for row in found
    ]
    says = (
        "**Real lists**, as published in 2020 (not part of the project). Doubtful: read, and a volunteer is told why she"
        " should look; unread: kept as written, without a value. A quantity that the list itself leaves open is unread."
    )
    figures = [
        {
            **row,
            "fields": {
                name: {grade: row["fields"][name, grade] for grade in (READ, DOUBTFUL, UNREAD)}
                for name in fields
            },
        }
        for row in found
    ]
    return {"says": says, "tables": [Table(head, table)], "figures": figures}


def _grades(row: Mapping[str, Any], name: str) -> str:
    return ", ".join(f"{row['fields'][name, grade]:,}" for grade in (READ, DOUBTFUL, UNREAD))


def _files(code: str) -> list[Path]:
    return sorted(file for pattern in LISTS[code] for file in REAL_DATA.glob(pattern))


def _real_list(kind: Format, files: Sequence[Path]) -> dict[str, Any]:
    """Every row read for its fields, and then the files entered as they would be."""
    at = timezone.now()
    fields: Counter[tuple[str, str]] = Counter()
    rows = [raw for file in files for raw in _raw_rows(file, kind)]
    began = time.perf_counter()
    for name, grade in _graded(kind, rows):
        fields[name, grade] += 1
    read = time.perf_counter() - began
    entered = _entered_per_second(kind, files, at=at) if len(rows) <= MOST_ENTERED else None
    return {
        "list": kind.code,
        "files": len(files),
        "rows": len(rows),
        "read_per_second": round(len(rows) / read),
        "entered_per_second": entered,
        "fields": fields,
    }


def _raw_rows(file: Path, kind: Format) -> list[Any]:
    with sheet_rows_in(file, kind) as opened:
        return [raw for _number, raw in opened.rows]


def _entered_per_second(kind: Format, files: Sequence[Path], *, at: datetime) -> float:
    began = time.perf_counter()
    report = import_appeals(files, kind.code, by=None, at=at)
    return round(report.rows / (time.perf_counter() - began), 1)


def _graded(kind: Format, rows: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Each field of each row, with how it was read."""
    directory = Directory(kind.source, None, timezone.now())
    reader = ReaderOfGoods(kind.emergency[4], kind.gives)
    for raw in rows:
        try:
            listed = kind.read(raw)
        except Unreadable:
            yield "row", UNREAD
            continue
        yield "row", READ
        region, findings = directory.region(listed)
        yield "region", UNREAD if region is None else DOUBTFUL if findings else READ
        for person in listed.people:
            yield "contact", READ if person.confidence >= 60 else DOUBTFUL
        for _finding in _of(listed.findings, {"no-number-in-contact"}):
            yield "contact", UNREAD
        for goods in listed.goods:
            yield from _graded_line(reader.read(goods))


def _graded_line(line: Line) -> Iterator[tuple[str, str]]:
    yield "item", UNREAD if line.item is None else DOUBTFUL if _of(line.findings, DOUBTS_ITEM) else READ
    if line.goods.specification:
        told = [
            f
            for f in line.findings
            if f.code.startswith("standard-") and f.code != "standard-class-not-stated"
        ]
        yield "standard", UNREAD if not line.standards else DOUBTFUL if told else READ
    is_open = line.kind == QuantityKind.UNKNOWN and line.daily_use is None
    yield "quantity", UNREAD if is_open else DOUBTFUL if _of(line.findings, DOUBTS_QUANTITY) else READ


def _of(findings: Sequence[Finding], codes: set[str]) -> list[Finding]:
    return [finding for finding in findings if finding.code in codes]


# -- long lists ---------------------------------------------------------------------------------------------


def _long_lists(rows: int, announcements: Sequence[Labelled]) -> dict[str, Any]:
    connection.close()
    found = {}
    with TemporaryDirectory() as folder:
        for kind, write in (("csv", lists.write_csv), ("xlsx", lists.write_xlsx)):
            file = Path(folder) / f"needs.{kind}"
            write(file, lists.rows(rows, announcements))
            found[kind] = {"megabytes": round(file.stat().st_size / 1e6, 1), **_taken(file)}
    says = (
        f"**Long lists.** {rows:,} rows of needs, generated from the words of the announcements, each file read and staged"
        f" (each row compared with what is known, and laid out to be looked through) by a process of its own. Rows of one"
        f" hospital that follow one another are staged as one. Goals: {GOAL_SECONDS} s and {GOAL_MIB} MiB. *Processor* is the"
        " time that process worked, without the one beside it that opens files of strangers in limits, whose memory is the"
        " last column."
    )
    head = [
        "file",
        "MB",
        "rows",
        "staged as",
        "seconds",
        "of them until read",
        "processor",
        "peak MiB",
        "peak MiB of the limited process",
    ]
    return {
        "says": says,
        "tables": [Table(head, [_long_row(*one) for one in found.items()])],
        "figures": found,
    }


def _taken(file: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.taking", str(file)],
        env={**os.environ, "DATABASE_URL": url(DATABASE), "LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def _long_row(kind: str, found: Mapping[str, Any]) -> list[Any]:
    counts = [f"{found[name]:,}" for name in ("rows", "staged")]
    measured = ("seconds", "reading", "processor", "peak_mib", "parser_mib")
    return [kind, found["megabytes"], *counts, *(found[name] for name in measured)]
