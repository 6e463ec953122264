"""What is in the database, in figures: a backup says them, and what was restored has to come to the same."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from supplies.sealing import Sealed
from supplies.upkeep.roles import quote, tables

SAMPLE = 5  # rows opened per sealed column and key


@dataclass(frozen=True)
class Table:
    """Its rows, and the SHA-256 over them as COPY prints them, in the order of the primary key."""

    rows: int
    sha256: str


class _Hashing:
    """Takes what COPY writes, and keeps none of it."""

    def __init__(self) -> None:
        self.rows, self.hashed = 0, hashlib.sha256()

    def write(self, printed: bytes) -> None:
        self.rows += printed.count(b"\n")  # a newline inside a value is printed as \n
        self.hashed.update(printed)


def table_of(name: str) -> Table:
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL bytea_output = 'hex'"
        )
        printed = _Hashing()
        order = ", ".join(_order(name)) or "1"
        cursor.cursor.copy_expert(
            f"COPY (SELECT * FROM {quote(name)} ORDER BY {order}) TO STDOUT",  # nosec B608 # names of our own tables and columns
            printed,
        )
    return Table(printed.rows, printed.hashed.hexdigest())


def _order(table: str) -> list[str]:
    """The columns of the primary key; text byte by byte, since another server may sort it otherwise."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT quote_ident(attname) || CASE WHEN attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END
              FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
             WHERE indisprimary AND indrelid = %s::regclass ORDER BY array_position(indkey, attnum)
            """,
            [table],
        )
        return [column for (column,) in cursor.fetchall()]


def all_tables() -> dict[str, Table]:
    return {name: table_of(name) for name in sorted(tables())}


def migrations() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
        return [name for (name,) in cursor.fetchall()]


# --- What is sealed ---


def sealed_fields() -> Iterator[tuple[type[models.Model], str]]:
    """Every field of every model that is sealed at rest, as (model, name of its readable face)."""
    for model in apps.get_models():
        for name, face in vars(model).items():
            if isinstance(face, Sealed):
                yield model, name


def keys_needed() -> list[str]:
    """The ids of the keys that something in the database is sealed with."""
    return sorted({key for model, name in sealed_fields() for key in _keys_of(model, name)})


def _keys_of(model: type[models.Model], name: str) -> list[str]:
    column, table = quote(f"{name}_sealed"), quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT convert_from(substring({column} FOR position('\\x3a'::bytea IN {column}) - 1), 'UTF8')"  # nosec B608 # names of our own tables and columns
            f" FROM {table} WHERE length({column}) > 0"
        )
        return [key for (key,) in cursor.fetchall()]


def unopened() -> Iterator[str]:
    """Sealed values that do not open, among a few of each column and key; said without the value."""
    for model, name in sealed_fields():
        for key in _keys_of(model, name):
            for row in _sample(model, name, key):
                try:
                    getattr(row, name)
                except Exception as error:
                    yield (
                        f"{model._meta.db_table}.{name}_sealed of row {row.pk} does not open"
                        f" with key {key} ({type(error).__name__})."
                    )
                    break


def _sample(model: type[models.Model], name: str, key: str) -> Any:
    column = f"{name}_sealed"
    begins = models.Func(
        models.F(column),
        models.Value(len(key.encode()) + 1),
        function="substring",
        template="%(function)s(%(expressions)s)",
        arg_joiner=" FOR ",
        output_field=models.BinaryField(),
    )
    return model._default_manager.annotate(key=begins).filter(key=f"{key}:".encode()).order_by("pk")[:SAMPLE]
