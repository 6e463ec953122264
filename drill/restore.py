"""R20: what a backup holds can be brought back, and one that lacks something cannot."""

import os
import time
from pathlib import Path

from drill.cells import Cell, Check, at_most, cell, equal, more_than
from drill.site import Site, own_site
from drill.stage import Stage
from launcher.postgres import DATABASE

RESTORED = "restored"
KEY = "k9:" + "A" * 43 + "="
FILES = 10
MOST_SECONDS = 900  # backup and restore together


@cell(
    "restore",
    of="R20",
    injects="a database of 100,000 rows is backed up and restored into another one; the same backup cut short, and without"
    " its key",
    passes="rows, head of the chain and files are the same, besides the proof `restore` makes itself; the other two are"
    " refused",
    in_sample=True,
    is_many=True,
    has_own_site=True,
)
def restore(stage: Stage) -> list[Check]:
    rows = stage.size(100_000, 2_000)
    with own_site() as site:
        began = time.monotonic()
        site.manage("load_reference")
        filled = int(site.run("-m", "drill.filling", str(rows)).splitlines()[-1])
        _files(site)
        seconds = {"filling": time.monotonic() - began}
        backup = site.folder / "site.backup"
        head = site.manage("audit_head")

        began = time.monotonic()
        site.manage("backup", str(backup))
        seconds["backup"] = time.monotonic() - began

        site.postgres.query(f"CREATE DATABASE {RESTORED} TEMPLATE template0", database="postgres")
        began = time.monotonic()
        files = site.folder / "files"
        refused = _refusals(site, backup)
        seconds["refusals"] = time.monotonic() - began
        began = time.monotonic()
        site.manage("restore", str(backup), "--into", site.url(RESTORED), "--files", str(files))
        seconds["restore"] = time.monotonic() - began

        there = {"DATABASE_URL": site.url(RESTORED)}
        same_rows = _counts(site, DATABASE) == _counts(site, RESTORED)
        same_head = head == site.manage("audit_head", **there)
        whole = site.manage("verify_audit", **there)
        files_back = sum(file.is_file() for file in files.rglob("*"))
        code, books = site.try_to("manage.py", "check_invariants", **there)
        return [
            more_than("rows", filled, rows // 2),
            *(
                equal(f"a backup {what} was refused", is_refused, True)
                for what, is_refused in refused.items()
            ),
            equal("tables have the same counts", same_rows, True),
            equal("the head of the chain is the same", same_head, True),
            equal("files", files_back, FILES),
            at_most("backup and restore", seconds["backup"] + seconds["restore"], MOST_SECONDS),
            Check(
                "the chain", whole.splitlines()[0], "said, not judged: a broken one ends the command", True
            ),
            Check("seconds", _words(seconds), "said, not judged", True),
            Check("megabytes", round(backup.stat().st_size / 1e6, 1), "said, not judged", True),
            equal(
                "the ledger's invariants in what was restored", _words_of(books) if code else "hold", "hold"
            ),
        ]


def _words_of(books: str) -> str:
    """Which equations are broken."""
    return "; ".join(line for line in books.splitlines() if line.endswith("violations"))


def _words(seconds: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.1f}" for name, value in seconds.items())


def _counts(site: Site, database: str) -> dict[str, int]:
    with site.connect(database) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        )
        counts = {}
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}"')  # nosec B608 # names of our own tables and columns
            counts[table] = cursor.fetchone()[0]
        return counts


def _files(site: Site) -> None:
    folder = Path(site.environment["STATE_DIR"]) / "private"
    folder.mkdir(exist_ok=True)
    for number in range(FILES):
        (folder / f"{number}").write_bytes(os.urandom(100_000))


def _refusals(site: Site, backup: Path) -> dict[str, bool]:
    """Backups that lack something, and whether each was refused."""
    short = site.folder / "short.backup"
    short.write_bytes(backup.read_bytes()[:-1_000])
    command = ("manage.py", "restore", "--into", site.url(RESTORED))
    return {
        "cut short": site.try_to(*command, str(short))[0] == 1,
        "without its key": site.try_to(*command, str(backup), FIELD_KEYS=KEY)[0] == 1,
    }


CELLS: list[Cell] = [restore]
