"""Photographs of all tables: what a request or a job has really changed, row by row, wherever it was written."""

from collections import Counter
from collections.abc import Collection

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
