"""One file that holds the site as it was at one moment."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from supplies.journal import chain
from supplies.upkeep import archive, contents
from supplies.upkeep.archive import Manifest, Writer
from supplies.upkeep.programs import write_from


class BackupFailed(Exception):
    """Nothing was written."""


def private_files() -> Path:
    """Where attachments are kept."""
    return Path(getattr(settings, "PRIVATE_ROOT", settings.STATE_DIR / "private"))


def back_up(file: Path, *, at: datetime) -> Manifest:
    """Write database and private files into one file. The site goes on meanwhile; what it writes later is not in it.

    Dump, counts and digests are of one snapshot. Files are read after it was taken, so that none it names is missed.
    """
    with archive.writing(file) as writer, _one_snapshot() as snapshot:
        _dump(writer, snapshot)
        manifest = Manifest(
            made_at=at.isoformat(),
            postgresql=connection.pg_version // 10_000,  # type: ignore[attr-defined]
            migrations=contents.migrations(),
            tables=contents.all_tables(),
            keys=contents.keys_needed(),
            head=chain.head(),
        )
        _add_files(writer)
        writer.finish(manifest)
    return manifest


@contextmanager
def _one_snapshot() -> Iterator[str]:
    """A view of the database that stays as it is, by the name pg_dump takes it up with."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # pg_dump takes its time
        cursor.execute("SELECT pg_export_snapshot()")
        (snapshot,) = cursor.fetchone()
        yield snapshot


def _dump(writer: Writer, snapshot: str) -> None:
    options = ("--format=custom", f"--snapshot={snapshot}", "--no-owner", "--no-privileges")
    ran = write_from("pg_dump", *options, to=lambda dump: writer.add(archive.DATABASE, dump))
    if ran.code != 0:
        raise BackupFailed(f"pg_dump failed: {ran.said}")


def _add_files(writer: Writer) -> None:
    root = private_files()
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = Path(folder) / name
            with path.open("rb") as source:
                writer.add(f"{archive.FILES}{path.relative_to(root).as_posix()}", source)
