"""R9: what the database has said is written stays written, however it is killed.

Clients report sightings under keys of their own and note which were acknowledged, while PostgreSQL is stopped at once, or
one of its processes is killed in the middle of a COMMIT. The control is the same with commits that do not wait for the
disk: there acknowledged writes have to be missing, or the drill could not have seen any.
"""

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drill.cells import Cell, Check, at_most, cell, equal, more_than, none_of
from drill.databases import kill_a_commit, stop_at_once
from drill.site import Site, own_site
from drill.stage import Stage
from launcher import processes

SECONDS_TO_START, SECONDS_TO_RECOVER = 180, 30
FLUSHES = ("fsync", "full_page_writes", "synchronous_commit")
CLIENTS = 4


@cell(
    "durability",
    of="R9, F10",
    injects="PostgreSQL killed 100 times: a process of it in the middle of a COMMIT, and all of it at once, in turn, while 4"
    " programs write",
    passes="no acknowledged write lost, none there twice after it was tried again; the control without flushing loses some",
    in_sample=True,
    is_many=True,
    has_own_site=True,
)
def durability(stage: Stage) -> list[Check]:
    kills = stage.size(100, 4)
    with own_site() as site:
        flushes = {name: site.postgres.query(f"SHOW {name}") for name in FLUSHES}
        shipments = site.run("-m", "drill.writing", "prepare", str(2 * CLIENTS)).split()
        found = _round(site, kills, shipments[:CLIENTS], [_kill_a_commit, _stop_at_once])
        site.postgres.query("ALTER SYSTEM SET wal_writer_delay = '10s'")
        site.postgres.query("ALTER DATABASE tongzhou SET synchronous_commit = off")
        site.postgres.query("SELECT pg_reload_conf()")
        control = _round(site, 2, shipments[CLIENTS:], [_stop_at_once])
    return [
        *(equal(name, value, "on") for name, value in flushes.items()),
        Check("kills", kills, "said, not judged", True),
        more_than("acknowledged writes", found["acknowledged"], kills),
        Check("tried again", found["tried_again"], "said, not judged", True),
        none_of("lost", found["lost"]),
        none_of("doubled", found["doubled"]),
        none_of("without a line in the journal", found["without_journal"]),
        none_of("faults of the journal's chain", found["faults_of_the_chain"]),
        at_most(
            "until every program wrote again", found["seconds_until_all_wrote_again"], SECONDS_TO_RECOVER
        ),
        equal("the ledger's invariants", found["invariants"], "hold"),
        more_than("lost with commits that do not wait for the disk (the control)", control["lost"], 0),
    ]


def _round(
    site: Site, kills: int, shipments: list[str], ways: list[Callable[[Site], None]]
) -> dict[str, Any]:
    journals = [site.folder / f"client-{number}" for number in range(len(shipments))]
    for journal in journals:
        journal.write_text("")
    writers = [
        site.start("-m", "drill.writing", "write", shipment, str(journal))
        for shipment, journal in zip(shipments, journals, strict=True)
    ]
    longest = 0.0
    try:
        _wait_until_all_write(journals, seconds=SECONDS_TO_START)
        for number in range(kills):
            ways[number % len(ways)](site)
            began = time.monotonic()
            site.postgres.start()
            _wait_until_all_write(journals)
            longest = max(longest, time.monotonic() - began)
    finally:
        for writer in writers:
            writer.send_signal(signal.SIGTERM)
        for writer in writers:
            writer.communicate(timeout=60)
    account = json.loads(site.run("-m", "drill.writing", "account", *map(str, journals)))
    return {**account, "seconds_until_all_wrote_again": round(longest, 1)}


def _wait_until_all_write(journals: list[Path], *, seconds: float = SECONDS_TO_RECOVER) -> None:
    """Every client has been told once more that something is written."""

    def acknowledged() -> list[int]:
        return [
            sum(not line.startswith("again") for line in file.read_text().splitlines()) for file in journals
        ]

    before = acknowledged()
    if not processes.wait_until(
        lambda: all(now > then for now, then in zip(acknowledged(), before, strict=True)),
        seconds=seconds,
    ):
        raise RuntimeError(f"Not every client could write within {seconds} s.")


def _stop_at_once(site: Site) -> None:
    stop_at_once(site.postgres)


def _kill_a_commit(site: Site) -> None:
    watch = site.connect()
    watch.autocommit = True
    with watch.cursor() as cursor:
        kill_a_commit(cursor)


CELLS: list[Cell] = [durability]
