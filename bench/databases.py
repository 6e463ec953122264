"""Databases for benches: copies of one with tables and reference data, filled by COPY."""

import os
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connection, models
from psycopg2 import sql

TEMPLATE = "bench_template"
ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def make_template() -> None:
    """Tables and reference data as they are now; made anew for each call of the bench."""
    _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(TEMPLATE)))
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    use(TEMPLATE)
    call_command("migrate", verbosity=0)
    with open(os.devnull, "w") as nowhere:
        call_command("load_reference", stdout=nowhere)
    connection.close()


def make(name: str) -> None:
    """An empty copy of the template, in use from now on."""
    connection.close()
    _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
    _administer(
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE))
    )
    use(name)


def use(name: str) -> None:
    """From now on Django speaks to this database."""
    connection.close()
    connection.settings_dict["NAME"] = name


def url(name: str) -> str:
    """DATABASE_URL for a process of its own."""
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def settle() -> None:
    """Leave the tables as autovacuum would, so that plans do not depend on when it comes by."""
    connection.close()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _administer(statement: sql.Composable) -> None:
    own = settings.DATABASES["default"]
    given = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"]}
    server = psycopg2.connect(dbname="postgres", **{key: value for key, value in given.items() if value})
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(statement)
    server.close()


def write(model: type[models.Model], rows: Iterable[models.Model]) -> None:
    """Store rows by COPY, ten times as fast as INSERT; what the model's defaults and constraints say holds all the same."""
    fields = [field for field in model._meta.local_concrete_fields if not field.generated]
    if isinstance(model._meta.pk, models.AutoField):
        fields.remove(model._meta.pk)
    with connection.cursor() as cursor:
        statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
            sql.Identifier(model._meta.db_table), sql.SQL(", ").join(sql.Identifier(f.column) for f in fields)
        )
        text = StringIO("".join(_lines(rows, [field.attname for field in fields])))
        cursor.cursor.copy_expert(statement.as_string(cursor.cursor), text)


def _lines(rows: Iterable[models.Model], columns: list[str]) -> Iterator[str]:
    for row in rows:
        yield "\t".join(_cell(getattr(row, column)) for column in columns) + "\n"


def _cell(value: Any) -> str:
    if value is None:
        return "\\N"
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, list):
        return "{" + ",".join(map(str, value)) + "}"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return str(value).translate(ESCAPED)
