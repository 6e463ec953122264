"""Every row of every table, to say what exactly a request has changed."""

import json
from collections.abc import Iterable
from typing import Any

from django.db import connection

Rows = dict[str, dict[str, dict[str, Any]]]  # table -> a row's key -> its columns
NOT_READ = frozenset({"supplies_session", "django_migrations", "django_content_type", "auth_permission"})


def written() -> dict[str, int]:
    """How many rows this transaction has written to each table, as PostgreSQL counts them: also what was undone since."""
    return {table: count for table, count in counted() if table not in NOT_READ}


def counted() -> list[tuple[str, int]]:
    """Of the view pg_stat_xact_user_tables what is asked of it: that also reads every index, for ten times as long."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)"
            " + pg_stat_get_xact_tuples_deleted(oid)"
            " FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"
        )
        return list(cursor.fetchall())


def rows_of(tables: Iterable[str]) -> Rows:
    """What these tables hold now, whatever the models say."""
    with connection.cursor() as cursor:
        return {table: _rows(cursor, table) for table in tables}


def every_row() -> Rows:
    return rows_of(sorted(written()))


def _rows(cursor: Any, table: str) -> dict[str, dict[str, Any]]:
    cursor.execute(f'SELECT ctid::text, to_jsonb(t) FROM "{table}" AS t')
    return {str(row.get("id", row.get("code", place))): row for place, row in _parsed(cursor)}


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
