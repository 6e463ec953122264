"""Several requests at once, each in a thread with a connection of its own, while the test holds what they wait for."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from launcher.processes import wait_until

SECONDS = 60


def waiting() -> int:
    """How many wait for a lock of this database just now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_stat_clear_snapshot()"
        )  # else a transaction goes on seeing who was there at first
        cursor.execute(
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted AND pid IN"
            " (SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
        )
        return int(cursor.fetchone()[0])


@contextmanager
def held(rows: QuerySet) -> Iterator[None]:
    """Lock rows, so that whoever comes for them stands in a queue."""
    with transaction.atomic():
        list(rows.select_for_update(of=("self",)))
        yield


@contextmanager
def held_table(name: str) -> Iterator[None]:
    """Whoever writes to this table stands in a queue; reading goes on."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")
        yield


def behind(lock: AbstractContextManager[None], calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """What each call returned, after all of them stood behind the lock at once."""
    with ThreadPoolExecutor(len(calls)) as threads:
        with lock:
            futures = [threads.submit(_with_own_connection, call) for call in calls]
            assert wait_until(lambda: waiting() >= len(calls), seconds=SECONDS), "they never met"
        return [future.result(timeout=SECONDS) for future in futures]


@contextmanager
def meanwhile(lock: AbstractContextManager[None], call: Callable[[], Any]) -> Iterator["Future[Any]"]:
    """While the call stands behind the lock. It goes on when the block ends."""
    with ThreadPoolExecutor(1) as threads, lock:
        future = threads.submit(_with_own_connection, call)
        assert wait_until(waiting, seconds=SECONDS), "it never came"
        yield future


def _with_own_connection(call: Callable[[], Any]) -> Any:
    try:
        return call()
    finally:
        connection.close()
