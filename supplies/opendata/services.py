"""The one verb: publish what is public, as it is at one moment."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import connection, transaction

from supplies.opendata import dump
from supplies.opendata.dump import Dump
from supplies.opendata.signing import key_made_at_first_use

log = logging.getLogger(__name__)
PUBLISHING = 7_304_137  # advisory lock of the one who writes a dump


def publish(*, at: datetime) -> Dump | None:
    """Write the dump of this moment and remove old ones. None where somebody else is just writing one."""
    key = key_made_at_first_use(at=at)
    with _one_snapshot() as is_alone:
        if not is_alone:
            return None
        made = dump.write(key, at=at)
    dump.forget(at=at)
    log.info("open data was published", extra={"dump": made.name, "rows": sum(p.rows for p in made.parts)})
    return made


@contextmanager
def _one_snapshot() -> Iterator[bool]:
    """A view of the database that stays as it is, for one at a time."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")  # a slow disk is not idleness
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [PUBLISHING])
        yield bool(cursor.fetchone()[0])
