"""Every row of every table, to say what exactly a request has changed."""

import json
from collections.abc import Collection
from typing import Any

from django.db import connection

Rows = dict[str, dict[str, dict[str, Any]]]  # table -> a row's key -> its columns
NOT_READ = frozenset({"supplies_session", "django_migrations", "django_content_type", "auth_permission"})


def every_row(*, but: Collection[str] = NOT_READ) -> Rows:
    """What the database holds now, whatever the models say."""
    with connection.cursor() as cursor:
        tables = sorted(table for table in connection.introspection.table_names(cursor) if table not in but)
        return {table: _rows(cursor, table, version) for table, version in _versions(cursor, tables)}


_read: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}


def _versions(cursor: Any, tables: list[str]) -> list[tuple[str, str]]:
    """Which versions of its rows each table shows now: where each lies and which transaction wrote it there."""
    one = "SELECT '{0}', coalesce(md5(string_agg(ctid::text || xmin::text, ' ' ORDER BY ctid)), '') FROM \"{0}\""
    cursor.execute(" UNION ALL ".join(one.format(table) for table in tables))
    return list(cursor.fetchall())


def _rows(cursor: Any, table: str, version: str) -> dict[str, dict[str, Any]]:
    """The rows of a table, read only where another version of any of them has been written since they were read last."""
    if (table, version) not in _read:
        cursor.execute(f'SELECT ctid::text, to_jsonb(t) FROM "{table}" AS t')
        _read[table, version] = {
            str(row.get("id", row.get("code", place))): row for place, row in _parsed(cursor)
        }
    return _read[table, version]


def _parsed(cursor: Any) -> list[tuple[str, dict[str, Any]]]:
    return [(place, row if isinstance(row, dict) else json.loads(row)) for place, row in cursor.fetchall()]


def changes(before: Rows, after: Rows) -> dict[str, list[dict[str, Any]]]:
    """table -> what came, went or became different: for a new row its columns, for a changed one those that differ."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table in after:
        old, new = before.get(table, {}), after[table]
        if old is new:
            continue
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
