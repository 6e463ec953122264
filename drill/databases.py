"""Ways in which a database goes away."""

import signal
import time
from typing import Any

from launcher import processes
from launcher.postgres import Postgres

IN_A_COMMIT = "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND query = 'COMMIT' AND datname = current_database() LIMIT 1"
SECONDS_TO_STOP = SECONDS_TO_BE_SEEN = 30


def stop_at_once(postgres: Postgres) -> None:
    pid = postgres.pid
    assert pid is not None
    processes.signal_quietly(pid, signal.SIGQUIT)  # PostgreSQL's word for immediate
    processes.wait_until(lambda: postgres.pid is None, seconds=SECONDS_TO_STOP)


def kill_a_commit(cursor: Any) -> None:
    """Kill the process of a client that waits for its COMMIT; PostgreSQL then starts all of them anew."""
    deadline = time.monotonic() + SECONDS_TO_BE_SEEN
    while time.monotonic() < deadline:
        cursor.execute(IN_A_COMMIT)
        found = cursor.fetchone()
        if found:
            processes.signal_quietly(found[0], signal.SIGKILL)
            return
    raise RuntimeError("Nobody was seen in a COMMIT.")
