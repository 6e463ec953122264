"""Photographs of all tables: what a request or a job has really changed, row by row, wherever it was written."""

import json
import re
from collections import Counter
from collections.abc import Collection
from typing import Any

from django.apps import apps
from django.db import connection

Photograph = dict[str, Counter[str]]
MOMENTS_OF_LOOKING = {
    "supplies_figure": "counted_at",
    "supplies_itemgap": "counted_at",
    "supplies_opencount": "counted_at",
    "supplies_openthere": "counted_at",
    "supplies_placecount": "counted_at",
}  # which move without anything having changed
ALL = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"


def photograph(*, without: Collection[str] = ()) -> Photograph:
    """Every row of every table as text."""
    with connection.cursor() as cursor:
        cursor.execute(ALL)
        tables = [name for (name,) in cursor.fetchall() if name not in without]
        every = " UNION ALL ".join(
            f"SELECT '{name}', (to_jsonb(x) - '{MOMENTS_OF_LOOKING.get(name, '')}')::text FROM \"{name}\" x"
            for name in tables
        )
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

WORD_OF_ITS_OWN = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|[2-9a-z]{26}"
)  # a UUID, a tracking code
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
Shape = dict[str, tuple[list[str], list[str]]]


def shape(before: Photograph, after: Photograph) -> Shape:
    """What changed, without keys, times, sealed bytes and durations of what is new: equal if the same was done."""
    mask = _Mask(before)
    found = {}
    for name in before.keys() | after.keys():
        gone, come = before[name] - after[name], after[name] - before[name]
        if gone or come:
            sides = [sorted(mask.row(name, row) for row in side.elements()) for side in (gone, come)]
            found[name] = (sides[0], sides[1])
    return found


class _Mask:
    """Knows what was there before; everything of its kind that was not is "new"."""

    def __init__(self, before: Photograph) -> None:
        rows = [(table, json.loads(row)) for table, rows in before.items() for row in rows]
        self.numbers = {(table, row["id"]) for table, row in rows if isinstance(row.get("id"), int)}
        self.words = {
            word for rows in before.values() for row in rows for word in WORD_OF_ITS_OWN.findall(row)
        }
        models = apps.get_models(include_auto_created=True)
        keys = [
            (model._meta.db_table, field) for model in models for field in model._meta.local_concrete_fields
        ]
        self.leads_to = {
            (table, field.column): (field.related_model or field.model)._meta.db_table
            for table, field in keys
            if field.is_relation or field.primary_key
        }

    def row(self, table: str, row: str) -> str:
        columns = json.loads(row).items()
        return json.dumps({name: self._value(table, name, value) for name, value in columns}, sort_keys=True)

    def _value(self, table: str, name: str, value: Any) -> Any:
        match value:
            case dict():
                return {key: self._value(table, key, inner) for key, inner in value.items()}
            case list():
                return [self._value(table, name, inner) for inner in value]
            case float():
                return "a duration"
            case int() if (table, name) in self.leads_to:
                return value if (self.leads_to[table, name], value) in self.numbers else "new"
            case str() if TIME.match(value):
                return "a time"
            case str() if value.startswith("\\x"):
                return "bytes"
            case str() if WORD_OF_ITS_OWN.fullmatch(value):
                return value if value in self.words else "new"
        return value
