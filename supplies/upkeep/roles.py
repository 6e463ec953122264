"""Who may do what in the database. grants.csv says it for every table; here it is made so, and compared.

The owner makes and alters tables (migrations, `./run manage`). Four more roles get no more than they use:

web      what requests need       worker   the same, and to seal the journal
audit    reads the journal and its seals       reports   reads what holds nothing personal and nothing sealed
"""

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import connection, transaction

GRANTS = Path(__file__).with_name("grants.csv")
ROLES = ("web", "worker", "audit", "reports")
READERS = ("audit", "reports")
PUBLIC = "PUBLIC"  # PostgreSQL's word for every role there is
quote = connection.ops.quote_name


class Undecided(Exception):
    """A table grants.csv has no line for."""


class Right(NamedTuple):
    """One privilege of one role; on a whole table where no column is named."""

    role: str
    table: str
    privilege: str
    column: str = ""


def name_of(role: str) -> str:
    """What the role is called in the cluster: "tongzhou_web"."""
    return role if role == PUBLIC else f"{settings.DATABASE_ROLES}_{role}"


def wanted() -> set[Right]:
    """What grants.csv gives, on every table it names."""
    with GRANTS.open(encoding="utf-8", newline="") as file:
        return {right for row in csv.DictReader(file) for right in _rights_of(row)}


def _rights_of(row: Mapping[str, str]) -> Iterator[Right]:
    for role in ROLES:
        for privilege, columns in re.findall(r"(\w+)(?:\(([^)]*)\))?", row[role]):
            for column in columns.split() or [""]:
                yield Right(role, row["table"], privilege, column)


def actual() -> set[Right]:
    """What the database gives to the four roles, and to everybody."""
    by_name = {name_of(role): role for role in ROLES} | {None: PUBLIC}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rolname, relname, lower(privilege_type), ''
              FROM pg_class, aclexplode(relacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
             WHERE relnamespace = current_schema()::regnamespace AND relkind <> 'S'
             UNION ALL
            SELECT rolname, relname, lower(privilege_type), attname
              FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid,
                   aclexplode(attacl) LEFT JOIN pg_roles ON pg_roles.oid = grantee
             WHERE relnamespace = current_schema()::regnamespace AND NOT attisdropped
            """
        )
        return {Right(by_name[role], *right) for role, *right in cursor.fetchall() if role in by_name}


def tables() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')"
        )
        return {name for (name,) in cursor.fetchall()}


def differences() -> tuple[set[Right], set[Right]]:
    """What is missing, and what is too much. Raises Undecided for a table nobody has decided about."""
    present, right = tables(), wanted()
    undecided = sorted(present - {table for _role, table, *_what in right})
    if undecided:
        raise Undecided(", ".join(undecided))
    granted, right = actual(), {one for one in right if one.table in present}
    return right - granted, granted - right


@transaction.atomic
def grant() -> int:
    """Make the roles, and give each exactly what grants.csv says; as the owner of the tables. Returns how much changed.

    Run it after every migration: a new table is nobody's but the owner's until then.
    """
    for role in ROLES:
        _make(role)
    _let_the_worker_do_what_the_web_does()
    schema, database = quote(_schema()), quote(str(connection.settings_dict["NAME"]))
    everyone = ", ".join(map(_name, ROLES))
    _run(f"REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC")
    _run(f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC")
    _run(f"GRANT CONNECT ON DATABASE {database} TO {everyone}")
    _run(f"GRANT USAGE ON SCHEMA {schema} TO {everyone}")
    _missing, too_much = differences()
    for right in sorted(too_much):
        _run(f"REVOKE {_said(right)} ON {quote(right.table)} FROM {_name(right.role)}")
    missing, _too_much = differences()  # a privilege taken from a table is taken from its columns too
    for right in sorted(missing):
        _run(f"GRANT {_said(right)} ON {quote(right.table)} TO {_name(right.role)}")
    return len(too_much) + len(missing)


def powerful() -> list[str]:
    """Which of the roles could do more in the cluster than any grant says, or owns tables; should be none."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT rolname FROM pg_roles
             WHERE rolname = ANY(%s)
               AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
                    OR EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid))
             ORDER BY rolname
            """,
            [[name_of(role) for role in ROLES]],
        )
        return [name for (name,) in cursor.fetchall()]


def _make(role: str) -> None:
    """The role, if it is not there. It has no password until an administrator gives it one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_roles WHERE rolname = %s", [name_of(role)])
        if cursor.fetchone() is not None:
            return
    reading = f"ALTER ROLE {_name(role)} SET default_transaction_read_only = on;" if role in READERS else ""
    _run(  # two sites of one cluster may do this at the same time
        f"DO $$ BEGIN CREATE ROLE {_name(role)} LOGIN; {reading}"
        " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
    )


def _let_the_worker_do_what_the_web_does() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_has_role(%s, %s, 'USAGE')", [name_of("worker"), name_of("web")])
        (does,) = cursor.fetchone()
    if not does:
        _run(f"GRANT {_name('web')} TO {_name('worker')}")


def _said(right: Right) -> str:
    return f"{right.privilege} ({quote(right.column)})" if right.column else right.privilege


def _name(role: str) -> str:
    return PUBLIC if role == PUBLIC else quote(name_of(role))


def _schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
    return str(schema)


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def lines_to_add(undecided: Iterable[str]) -> str:
    """What to write into grants.csv for new tables; then take away what the table's verbs do not do."""
    return "\n".join(f"{table},select insert update," + "," * (len(READERS) - 1) for table in undecided)
