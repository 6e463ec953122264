"""Databases for benches: copies of one with tables and reference data, filled by COPY."""

import json
import os
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime
from hashlib import sha256
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.db import connection, models
from psycopg2 import sql

TEMPLATE = "bench_template"
MADE_FROM = (
    "*/migrations/*.py",
    "*/*/reference/*.csv",
    "matching/demo/*.py",
    "bench/country.py",
    "bench/databases.py",
)
ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def make_template() -> None:
    """Tables and reference data as they are now; made anew for each call of the bench."""
    drop(TEMPLATE)
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
    use(TEMPLATE)
    call_command("migrate", verbosity=0)
    with open(os.devnull, "w") as nowhere:
        call_command("load_reference", stdout=nowhere)
    connection.close()


def make(name: str, of: str = TEMPLATE) -> None:
    """A copy of the template, or of another database, in use from now on."""
    connection.close()
    drop(name)
    _administer(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(of)
        )
    )
    use(name)


def drop(name: str) -> None:
    _administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def keep(name: str, fill: Callable[[], None]) -> None:
    """Have a database that takes long to fill; the one of an earlier bench does while what it was made from is the same."""
    made_from = sources()
    if _comment_on(name) != made_from:
        print(f"filling {name}; it is kept for the next time", flush=True)
        make_template()
        make(name)
        fill()
        connection.close()
        _administer(
            sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(name), sql.Literal(made_from))
        )


def sources() -> str:
    """A digest of the migrations, the reference data and the code that fills a database."""
    digest = sha256()
    for pattern in MADE_FROM:
        for file in sorted(settings.BASE_DIR.glob(pattern)):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _comment_on(name: str) -> str | None:
    asked = "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = {}"
    rows = _administer(sql.SQL(asked).format(sql.Literal(name)))
    return rows[0][0] if rows else None


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


def _administer(statement: sql.Composable) -> list[tuple[Any, ...]]:
    own = settings.DATABASES["default"]
    given = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"]}
    server = psycopg2.connect(dbname="postgres", **{key: value for key, value in given.items() if value})
    server.autocommit = True
    with server.cursor() as cursor:
        cursor.execute(statement)
        rows = cursor.fetchall() if cursor.description else []
    server.close()
    return rows


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
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False).translate(ESCAPED)
    if isinstance(value, list):
        return "{" + ",".join(map(str, value)) + "}"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    return str(value).translate(ESCAPED)
