"""R20: what a backup holds can be brought back, and one that lacks something cannot.

python -m drill.restore [--rows 100000]

Fills a database, backs it up and restores it into another one, and compares the two besides the proof that `restore` makes
itself. The same backup cut short, and without its key, has to be refused.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from drill.site import Site, own_site
from launcher.postgres import DATABASE

RESTORED = "restored"
KEY = "k9:" + "A" * 43 + "="


def restore(rows: int = 100_000) -> dict[str, Any]:
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
        return {
            "passed": all(refused.values()) and same_rows and same_head and files_back == FILES,
            "rows": filled,
            "megabytes": round(backup.stat().st_size / 1e6, 1),
            "seconds": {name: round(value, 1) for name, value in seconds.items()},
            "refused": refused,
            "same_counts": same_rows,
            "same_head": same_head,
            "files": files_back,
            "verified": whole.splitlines()[0],
        }


FILES = 10


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


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--rows", type=int, default=100_000)
    outcome = restore(options.parse_args().rows)
    print(json.dumps(outcome, indent=1))
    sys.exit(not outcome["passed"])
