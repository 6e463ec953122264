"""Loading a reference table in sets, and keeping what administrators correct."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models, transaction
from django.db.models import Field, ManyToManyField, Model

from supplies.editions.models import ReferenceEdition
from supplies.journal.services import record

LOADING = 7_304_119  # The advisory lock of those who load or edit reference tables: one at a time.


@dataclass(frozen=True)
class Loaded:
    """What loading one table did; `changed` counts rows and links between rows."""

    table: str
    rows: int
    changed: int
    version: int


def read_rows(*paths: Path) -> list[dict[str, str]]:
    """The rows of CSV files in UTF-8 with one header, in order."""
    rows: list[dict[str, str]] = []
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            rows += csv.DictReader(file)
    return rows


@transaction.atomic
def load_table(
    model: type[Model], rows: Sequence[Mapping[str, str]], *, key: Sequence[str], at: datetime
) -> Loaded:
    """Bring the table to what the rows say; rows an administrator edited stay as they are.

    rows     columns named like the model's fields; "|" between the members of a list, "yes" and "no" for
             facts, an empty cell for nothing; each foreign key is the code of its row
    key      the fields that tell rows apart, under a unique constraint of the model
    """
    one_at_a_time()
    fields = {field.name: field for field in [*model._meta.concrete_fields, *model._meta.many_to_many]}
    columns = [fields[name] for name in rows[0]]
    plain = [field for field in columns if not isinstance(field, ManyToManyField)]
    wanted = {_key_of(row, key): row for row in (_parsed(row, columns) for row in rows)}
    present = {_key_of(vars(row), key): row for row in model._default_manager.all()}
    open_keys = [k for k in wanted if k not in present or getattr(present[k], "edited_at", None) is None]

    stale = [k for k in open_keys if k not in present or _differs(present[k], wanted[k], plain)]
    model._default_manager.bulk_create(
        [model(**{field.attname: wanted[k][field.attname] for field in plain}) for k in stale],
        update_conflicts=True,
        unique_fields=key,
        update_fields=[field.name for field in plain if field.attname not in key and field.name not in key],
        batch_size=2000,
    )
    open_rows = [wanted[k] for k in open_keys]
    edited = {row.pk for k, row in present.items() if k in wanted.keys() - set(open_keys)}
    links = sum(_link(model, f, open_rows, edited) for f in columns if isinstance(f, ManyToManyField))
    changed = len(stale) + links
    version = bump(model, at=at, sha256=_checksum(rows)) if changed else version_of(model)
    return Loaded(table_of(model), len(rows), changed, version)


def table_of(model: type[Model]) -> str:
    """The name editions are kept under: "catalogue.item" for supplies.catalogue.models.Item."""
    return f"{model.__module__.split('.')[-2]}.{model._meta.model_name}"


def version_of(model: type[Model]) -> int:
    """The version in force; 0 before the first loading."""
    return ReferenceEdition.objects.versions().get(table_of(model), 0)


def bump(model: type[Model], *, at: datetime, sha256: str = "", note: str = "") -> int:
    """Make the next edition of a table, and say which it is."""
    version = version_of(model) + 1
    ReferenceEdition.objects.create(
        table=table_of(model), version=version, loaded_at=at, sha256=sha256, note=note
    )
    return version


@transaction.atomic
def keep_edit(row: Model, *, by: AbstractBaseUser | None, at: datetime) -> Model:
    """Save a row an administrator wrote or corrected: loading leaves it alone from now on."""
    one_at_a_time()
    row.edited_at = at  # type: ignore[attr-defined]
    row.save()
    version = bump(type(row), at=at, note=f"{row.pk}")
    record(row, "reference.edited", by=by, at=at, table=table_of(type(row)), version=version)
    return row


def one_at_a_time() -> None:
    """Wait until nobody else is changing reference tables; held to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOADING])


def _key_of(row: Mapping[str, Any], key: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] if name in row else row[f"{name}_id"] for name in key)


def _parsed(row: Mapping[str, str], columns: Iterable[Field[Any, Any]]) -> dict[str, Any]:
    return {field.attname: _value(field, row[field.name].strip()) for field in columns}


def _value(field: Field[Any, Any], cell: str) -> Any:
    if isinstance(field, ManyToManyField | ArrayField):
        return [part.strip() for part in cell.split("|") if part.strip()]
    if isinstance(field, models.BooleanField):
        return cell == "yes"
    if not cell and field.null:
        return None
    return field.to_python(cell)


def _differs(present: Model, wanted: Mapping[str, Any], columns: Iterable[Field[Any, Any]]) -> bool:
    return any(getattr(present, field.attname) != wanted[field.attname] for field in columns)


def _link(
    model: type[Model], field: ManyToManyField[Any, Any], rows: Sequence[Mapping[str, Any]], edited: set[Any]
) -> int:
    """Bring the links of these rows to what they say; how many were made or removed.

    A link both ways belongs to both rows, so one with an edited row is left as it is.
    """
    through: Any = field.remote_field.through
    names = (field.m2m_field_name(), field.m2m_reverse_field_name())
    near, far = (through._meta.get_field(name).attname for name in names)
    is_mutual = bool(field.remote_field.symmetrical)
    pk = model._meta.pk.attname

    wanted = {(row[pk], code) for row in rows for code in row[field.attname]}
    if is_mutual:
        wanted = {pair for a, b in wanted for pair in ((a, b), (b, a)) if edited.isdisjoint(pair)}
    links = through.objects.filter(**{f"{near}__in": [row[pk] for row in rows]})
    present = {(getattr(link, near), getattr(link, far)): link.pk for link in links}
    surplus = {p for p in present.keys() - wanted if not (is_mutual and p[1] in edited)}
    missing = wanted - present.keys()
    through.objects.filter(pk__in=[present[pair] for pair in surplus]).delete()
    through.objects.bulk_create(through(**{near: a, far: b}) for a, b in sorted(missing))
    return len(missing) + len(surplus)


def _checksum(rows: Sequence[Mapping[str, str]]) -> str:
    text = "\n".join("\x1f".join(f"{name}={cell}" for name, cell in row.items()) for row in rows)
    return hashlib.sha256(text.encode()).hexdigest()
