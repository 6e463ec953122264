"""Photographs of all tables: what a request or a job has really changed, row by row, wherever it was written."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator
from typing import Any

from django.db import connection

Photograph = dict[str, Counter[str]]
ALL = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"


def photograph(*, without: Collection[str] = ()) -> Photograph:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        cursor.execute(ALL)
        tables = [name for (name,) in cursor.fetchall() if name not in without]
        every = " UNION ALL ".join(f"SELECT '{name}', to_jsonb(x)::text FROM \"{name}\" x" for name in tables)
        cursor.execute(every)
        shot: Photograph = {name: Counter() for name in tables}
        for name, row in cursor.fetchall():
            shot[name][row] += 1
    return shot


def changes(before: Photograph, after: Photograph) -> dict[str, tuple[int, int]]:
    """Per table that differs: how many rows went, and how many came. A row that changed did both."""
    found = {}
    for name in before.keys() | after.keys():
        gone, come = before[name] - after[name], after[name] - before[name]
        if gone or come:
            found[name] = (gone.total(), come.total())
    return found


# -- Two photographs of what happened twice, compared but for what is new each time -----------------------------------

UUID_SHAPE = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
TIME_SHAPE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
Shape = dict[str, tuple[list[str], list[str]]]


def shape(before: Photograph, after: Photograph) -> Shape:
    """What changed, without keys, times, sealed bytes and durations of what is new: equal if the same was done."""
    known = {
        json.dumps(value) for rows in before.values() for row in rows for value in _keys(json.loads(row))
    }
    found = {}
    for name in before.keys() | after.keys():
        gone, come = before[name] - after[name], after[name] - before[name]
        if gone or come:
            sides = (sorted(_masked(row, known) for row in side.elements()) for side in (gone, come))
            found[name] = next(sides), next(sides)
    return found


def _keys(row: dict[str, Any]) -> Iterator[Any]:
    for name, value in row.items():
        if name == "id" or name.endswith("_id") or (isinstance(value, str) and UUID_SHAPE.fullmatch(value)):
            yield value


def _masked(row: str, known: set[str]) -> str:
    def mask(name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: mask(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [mask(name, inner) for inner in value]
        if isinstance(value, float):
            return "a duration"
        if isinstance(value, str) and (TIME_SHAPE.match(value) or value.startswith("\\x")):
            return "a time" if TIME_SHAPE.match(value) else "bytes"
        is_key = (
            name == "id" or name.endswith("_id") or (isinstance(value, str) and UUID_SHAPE.fullmatch(value))
        )
        return "new" if is_key and value is not None and json.dumps(value) not in known else value

    return json.dumps({name: mask(name, value) for name, value in json.loads(row).items()}, sort_keys=True)
