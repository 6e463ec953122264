"""Somebody who is to be told of every run that is done, once."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from supplies.journal.models import Event

MAKE = "CREATE TABLE drill_noticed (run text)"


def take_notice(events: Sequence[Event], *, at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO drill_noticed SELECT unnest(%s::text[])", [[event.subject_id for event in events]]
        )


def make_table() -> None:
    with connection.cursor() as cursor:
        cursor.execute(MAKE)


def noticed(run: object) -> int:
    """How often it was told that this run is done."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM drill_noticed WHERE run = %s", [str(run)])
        return int(cursor.fetchone()[0])
