"""Bringing a backup back, and showing that everything came."""

import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor

from supplies.journal import chain
from supplies.upkeep import archive, contents, roles
from supplies.upkeep.archive import Manifest, Reader, Unfit
from supplies.upkeep.programs import run_on
from supplies.upkeep.roles import quote


def restore(file: Path, *, files: Path | None) -> Manifest:
    """Bring a backup into an empty database, in one go, and prove it. Raises Unfit with every fault there is.

    files   where the private files go; None leaves them in the backup

    What makes the backup unfit is looked for before the database is touched. A database that does not prove itself
    afterwards stays for looking at, but no role besides its owner gets in.
    """
    with archive.reading(file) as backup:
        _refuse(*backup.faults())
        _refuse(*_what_is_missing_here(backup), *_what_is_in_the_way(backup, files))
        _bring_in(backup)
        _refuse(*proof_lacks(backup.manifest))
        if files is not None:
            backup.unpack(files)
    roles.grant()
    return backup.manifest


def _refuse(*faults: str) -> None:
    if faults:
        raise Unfit(*faults)


# --- Before ---


def _what_is_missing_here(backup: Reader) -> Iterator[str]:
    manifest = backup.manifest
    for key in sorted(set(manifest.keys) - {entry.partition(":")[0] for entry in settings.FIELD_KEYS}):
        yield f"FIELD_KEYS lacks the key {key}, with which something in the backup is sealed."
    files = MigrationExecutor(connection).loader.disk_migrations
    replaced = [key for migration in files.values() for key in migration.replaces]
    known = {f"{app}.{name}" for app, name in [*files, *replaced]}
    unknown = sorted(set(manifest.migrations) - known)
    if unknown:
        yield f"The backup was made by another release; this one does not know {', '.join(unknown)}."
    here = connection.pg_version // 10_000  # type: ignore[attr-defined]
    if manifest.postgresql > here:
        yield f"The backup was made by PostgreSQL {manifest.postgresql}; this is {here}, which may not read it."
    dumped = _tables_of_dump(backup)
    for table in sorted(manifest.tables.keys() - dumped):
        yield f"The backup lacks the table {table}."


def _tables_of_dump(backup: Reader) -> set[str]:
    """The tables whose rows are in the dump, by its table of contents."""
    with backup.open(archive.DATABASE) as dump:
        ran = run_on(dump, "pg_restore", "--list")
    return set(re.findall(r"^\d+; \d+ \d+ TABLE DATA \S+ (\S+)", ran.printed, re.M))


def _what_is_in_the_way(backup: Reader, files: Path | None) -> Iterator[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
             WHERE nspname !~ '^(pg_|information_schema$)' AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
               AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
             ORDER BY relname LIMIT 3
            """
        )
        present = [name for (name,) in cursor.fetchall()]
    if present:
        yield f"The database is not empty: it has {', '.join(present)}. Make a new one and restore into that."
    if backup.files and files is not None and files.is_dir() and any(files.iterdir()):
        yield f"{files} is not empty. Move away what is there."


# --- In one go ---


def _bring_in(backup: Reader) -> None:
    database = str(connection.settings_dict["NAME"])
    options = ("--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", "--no-comments")
    with backup.open(archive.DATABASE) as dump:
        ran = run_on(dump, "pg_restore", *options, "--dbname", database)
    if ran.code != 0:
        raise Unfit(f"pg_restore failed and has undone everything: {ran.said}")


# --- The proof ---


def proof_lacks(manifest: Manifest) -> Iterator[str]:
    """Everything in which the database differs from what the manifest says, or does not hold together."""
    yield from _tables_differ(manifest)
    if contents.migrations() != manifest.migrations:
        yield "The migrations are not those of the backup."
    yield from _sequences_behind()
    yield from contents.unopened()
    found = chain.verify(heads=[manifest.head] if manifest.head else [])
    for fault in found.faults:
        yield fault.says
    if _place(found.head) != _place(manifest.head):
        yield f"The chain of the journal ends at {_place(found.head)}; in the backup it was {_place(manifest.head)}."
    yield from _books_do_not_balance()


def _place(head: chain.Head | None) -> str:
    return f"seal {head.number}, {head.digest[:16]}…" if head else "no seal"


def _tables_differ(manifest: Manifest) -> Iterator[str]:
    with transaction.atomic():
        present = contents.all_tables()
    for name in sorted(manifest.tables.keys() | present.keys()):
        wanted, found = manifest.tables.get(name), present.get(name)
        if found is None:
            yield f"The table {name} is missing."
        elif wanted is None:
            yield f"There is a table {name}, which is not in the backup."
        elif found.rows != wanted.rows:
            yield f"{name} has {found.rows} rows; the backup says {wanted.rows}."
        elif found != wanted:
            yield f"The {found.rows} rows of {name} are not those of the backup."


def _sequences_behind() -> Iterator[str]:
    """A number that is given twice would refuse the next row."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT relname, attname, objid::regclass::text
              FROM pg_depend JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
                   JOIN pg_class ON pg_class.oid = refobjid
             WHERE classid = 'pg_class'::regclass AND deptype IN ('a', 'i')
               AND relnamespace = current_schema()::regnamespace
               AND (SELECT relkind FROM pg_class AS own WHERE own.oid = objid) = 'S'
            """
        )
        for table, column, sequence in cursor.fetchall():
            most = f"SELECT coalesce(max({quote(column)}), 0) FROM {quote(table)}"  # nosec B608 # names of our own tables and columns
            cursor.execute(f"SELECT ({most}) > last_value FROM {sequence}")  # nosec B608 # names of our own tables and columns
            if cursor.fetchone()[0]:
                yield f"The next number of {table}.{column} was given before."


def _books_do_not_balance() -> Iterator[str]:
    """What `check_invariants` says, once the tables are those of this release."""
    if pending_migrations():
        return
    out = StringIO()
    try:
        call_command("check_invariants", idle=True, stdout=out, stderr=out)
    except (CommandError, SystemExit) as error:
        if not isinstance(error, SystemExit) or error.code:
            yield f"check_invariants fails: {out.getvalue()}{error}"


def pending_migrations() -> list[str]:
    """Migrations of this release that the database has not had yet."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _backwards in plan]
