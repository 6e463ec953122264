"""Tests use the database as the worker does, who owns no table. What takes the owner of the tables says so."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import DatabaseError, connection


@contextmanager
def as_owner() -> Iterator[None]:
    """Whoever made the test's tables, to the end of the block."""
    with _as("NONE"):
        yield


@contextmanager
def tampered(table: str) -> Iterator[Any]:
    """A cursor with which rows of the table are changed as nobody may: what somebody with the keys of the database could do."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@contextmanager
def as_role(name: str) -> Iterator[None]:
    with _as(connection.ops.quote_name(name)):
        yield


@contextmanager
def _as(role: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('role')")
        (before,) = cursor.fetchone()
        cursor.execute(f"SET ROLE {role}")
    try:
        yield
    except BaseException:
        with suppress(DatabaseError):  # where the transaction is lost, rolling back brings the role back too
            _take(before)
        raise
    _take(before)


def _take(role: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('role', %s, false)", [role])
