"""Every row of every table, to say what exactly a request has changed."""

import json
from collections.abc import Collection
from typing import Any

from django.db import connection

Rows = dict[str, dict[str, dict[str, Any]]]  # table -> a row's key -> its columns
NOT_READ = frozenset({"supplies_session", "django_migrations", "django_content_type", "auth_permission"})


def every_row(*, but: Collection[str] = NOT_READ) -> Rows:
    """What the database holds now, read in one statement a table, whatever the models say."""
    with connection.cursor() as cursor:
        tables = [table for table in connection.introspection.table_names(cursor) if table not in but]
        found: Rows = {}
        for table in sorted(tables):
            cursor.execute(f'SELECT ctid::text, to_jsonb(t) FROM "{table}" AS t')
            found[table] = {str(row.get("id", row.get("code", place))): row for place, row in _parsed(cursor)}
    return found


def _parsed(cursor: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(place, row if isinstance(row, dict) else json.loads(row)) for place, row in cursor.fetchall()]


def changes(before: Rows, after: Rows) -> dict[str, list[dict[str, Any]]]:
    """table -> what came, went or became different: for a new row its columns, for a changed one those that differ."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in after:
        old, new = before.get(table, {}), after[table]
        rows = [{"gone": key} for key in sorted(set(old) - set(new))]
        rows += [{"new": new[key]} for key in sorted(set(new) - set(old))]
        rows += [
            {
                "row": key,
                **{column: value for column, value in new[key].items() if old[key].get(column) != value},
            }
            for key in sorted(set(old) & set(new))
            if old[key] != new[key]
        ]
        if rows:
            found[table] = rows
    return found
