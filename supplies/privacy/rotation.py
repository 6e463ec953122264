"""Changing the field keys while the site writes: everything sealed with an older key is sealed anew with the newest.

A batch is one statement: killed at any moment, the next call goes on with what is left. What is left is told by the id at the
head of each value, so nothing has to be remembered.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models
from django.db.models import Q
from django.utils.module_loading import import_string

from supplies.sealing import Sealed, known_keys, newest_key, sealed_columns

BATCH = 500
Told = Callable[[str, int, int], None]  # table, rows done so far, rows there were to do


@dataclass(frozen=True)
class Face:
    """The sealed columns of one model."""

    model: type[models.Model]
    sealed: tuple[Sealed, ...]

    @property
    def columns(self) -> list[str]:
        return [column for face in self.sealed for column in face.columns]

    def older(self) -> Q:
        """Rows of which something is not sealed with the newest key, or not found by it."""
        head = f"{newest_key().name}:".encode()
        rows = Q(pk__in=[])
        for face in self.sealed:
            begins_so = Q(**{f"{face.column}__gte": head, f"{face.column}__lt": head[:-1] + b";"})
            rows |= ~Q(**{face.column: b""}) & ~begins_so
            if face.found_by:
                rows |= Q(**{f"{face.lookup_column}__0__lt": head.decode()})
                rows |= Q(**{f"{face.lookup_column}__0__gte": head.decode()[:-1] + ";"})
        return rows


def faces(registry: Any = apps) -> list[Face]:
    by_model: dict[type[models.Model], list[Sealed]] = {}
    for model, face in sealed_columns(registry):
        by_model.setdefault(model, []).append(face)
    return [Face(model, tuple(sealed)) for model, sealed in by_model.items()]


def rotate(*, told: Told = lambda table, done, all: None, registry: Any = apps) -> Counter[str]:
    """Seal anew whatever an older key has sealed; returns the rows done by table. Running it twice is harmless."""
    done: Counter[str] = Counter()
    for face in faces(registry):
        done[face.model._meta.db_table] = _rotate_model(face, told)
    for path in settings.SEALED_ELSEWHERE:
        done[path] = import_string(path).seal_anew()
    return done


def _rotate_model(face: Face, told: Told) -> int:
    table = face.model._meta.db_table
    rows = face.model._base_manager.filter(face.older()).order_by("pk")
    done, there_were = 0, rows.count()
    while rows.exists():  # again, until what was written meanwhile with an older key is done too
        after = rows
        while batch := list(after.values_list("pk", flat=True)[:BATCH]):
            done += _seal_anew(face, batch)
            after = rows.filter(pk__gt=batch[-1])
            told(table, done, max(done, there_were))
    return done


def _seal_anew(face: Face, batch: list[Any]) -> int:
    """Sealed anew beside the table, then put in the place of what was read: one statement, so that nobody waits longer.

    A row that somebody wrote to meanwhile is left for the next pass, and nothing that was written is lost.
    """
    rows = list(face.model._base_manager.filter(face.older(), pk__in=batch).only("pk", *face.columns))
    replaced = []
    for row in rows:
        before = [getattr(row, sealed.column) for sealed in face.sealed]
        for sealed in face.sealed:
            sealed.seal_into(row, sealed.__get__(row))
        replaced.append((row.pk, *before, *(getattr(row, column) for column in face.columns)))
    return _replace(face, replaced) if replaced else 0


def _replace(face: Face, rows: list[tuple[Any, ...]]) -> int:
    """Write the new values of rows whose old ones still stand: (key, old sealed values, new values of all columns)."""
    meta = face.model._meta
    kinds = {field.column: field.db_type(connection) for field in meta.local_concrete_fields}
    key, old = meta.pk.column, [sealed.column for sealed in face.sealed]
    names = [key, *(f"old_{column}" for column in old), *face.columns]
    types = [meta.pk.rel_db_type(connection), *(kinds[column] for column in [*old, *face.columns])]
    values = ", ".join(f"%s::{kind}" for kind in types)
    changed = ", ".join(f'"{column}" = v."{column}"' for column in face.columns)
    still = " AND ".join(f't."{column}" = v."old_{column}"' for column in old)
    listed = ", ".join(f'"{name}"' for name in names)
    statement = (
        f'UPDATE "{meta.db_table}" t SET {changed} FROM (VALUES {", ".join([f"({values})"] * len(rows))})'  # nosec B608 # names of our own tables and columns
        f' AS v ({listed}) WHERE t."{key}" = v."{key}" AND {still}'
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [value for row in rows for value in row])
        return int(cursor.rowcount)


def keys_in_use(registry: Any = apps) -> Iterator[tuple[str, str, int]]:
    """(key id, where, how many): which keys the values in the database begin with. Reads every sealed column once."""
    there = _columns()
    for face in faces(registry):
        table = face.model._meta.db_table
        for column in (sealed.column for sealed in face.sealed if (table, sealed.column) in there):
            with connection.cursor() as cursor:
                cursor.execute(
                    f'SELECT substring("{column}" FROM 1 FOR position(%s::bytea IN "{column}") - 1), count(*)'  # nosec B608 # names of our own tables and columns
                    f' FROM "{table}" WHERE "{column}" <> %s::bytea GROUP BY 1',
                    [b":", b""],
                )
                found = cursor.fetchall()
            yield from ((bytes(key).decode(), f"{table}.{column}", count) for key, count in found)
    for path in settings.SEALED_ELSEWHERE:
        yield from ((key, path, count) for key, count in sorted(import_string(path).keys_in_use().items()))


def _columns() -> set[tuple[str, str]]:
    """What the database has already: the check is made before a migration adds the rest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
        )
        return set(cursor.fetchall())


def lost_keys(registry: Any = apps) -> list[tuple[str, str, int]]:
    """What the database needs and FIELD_KEYS lacks: these values cannot be opened any more."""
    return [entry for entry in keys_in_use(registry) if entry[0] not in known_keys()]


def idle_keys(registry: Any = apps) -> list[str]:
    """The known keys but the newest that nothing is sealed with: they may be removed."""
    used = {key for key, _where, _count in keys_in_use(registry)}
    return [name for name in known_keys() if name not in used and name != newest_key().name]
