"""R9: what the database has said is written stays written, however it is killed.

python -m drill.durability [--kills 100] [--clients 4]

Clients report sightings under keys of their own and note which were acknowledged, while PostgreSQL is stopped at once, or
one of its processes is killed in the middle of a COMMIT. The control is the same with commits that do not wait for the
disk: there acknowledged writes have to be missing, or the drill could not have seen any.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from drill.site import Site, own_site
from launcher import processes

IN_A_COMMIT = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = 'COMMIT' AND datname = current_database() LIMIT 1"
SECONDS_TO_START, SECONDS_TO_RECOVER = 180, 30
FLUSHES = ("fsync", "full_page_writes", "synchronous_commit")


def durability(kills: int = 100, clients: int = 4) -> dict[str, Any]:
    """Kill as often as that; what was lost and doubled, in the drill and in its control."""
    with own_site() as site:
        flushes = {name: site.postgres.query(f"SHOW {name}") for name in FLUSHES}
        found = _round(site, kills, clients, [_kill_a_commit, _stop_at_once])
    with own_site() as site:
        site.postgres.query("ALTER SYSTEM SET wal_writer_delay = '10s'")
        site.postgres.query("ALTER DATABASE tongzhou SET synchronous_commit = off")
        site.postgres.query("SELECT pg_reload_conf()")
        control = _round(site, 2, clients, [_stop_at_once])
    sound = found["lost"] == found["doubled"] == found["without_journal"] == found["faults_of_the_chain"] == 0
    passed = sound and set(flushes.values()) == {"on"} and control["lost"] > 0
    return {"passed": passed, "kills": kills, **found, "flushes": flushes, "control": control}


def _round(site: Site, kills: int, clients: int, ways: list[Callable[[Site], None]]) -> dict[str, Any]:
    shipments = site.run("-m", "drill.writing", "prepare", str(clients)).split()
    journals = [site.folder / f"client-{number}" for number in range(clients)]
    for journal in journals:
        journal.touch()
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
    pid = site.postgres.pid
    assert pid is not None
    processes.signal_quietly(pid, signal.SIGQUIT)  # PostgreSQL's word for immediate
    processes.wait_until(lambda: site.postgres.pid is None, seconds=SECONDS_TO_RECOVER)


def _kill_a_commit(site: Site) -> None:
    """Kill the process of a client that waits for its COMMIT; PostgreSQL then starts all of them anew."""
    watch = site.connect()
    watch.autocommit = True
    deadline = time.monotonic() + SECONDS_TO_RECOVER
    with watch.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(IN_A_COMMIT)
            found = cursor.fetchone()
            if found:
                processes.signal_quietly(found[0], signal.SIGKILL)
                return
    raise RuntimeError("Nobody was seen in a COMMIT.")


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--clients", type=int, default=4)
    given = options.parse_args()
    outcome = durability(given.kills, given.clients)
    print(json.dumps(outcome, indent=1))
    sys.exit(not outcome["passed"])
