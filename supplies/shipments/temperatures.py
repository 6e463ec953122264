"""What loggers told of goods that have to be kept cold: how cold, how warm, and for how long outside what was stated."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import connection
from django.utils.translation import ngettext


@dataclass(frozen=True)
class Exposure:
    """All readings of one shipment.

    coldest, warmest   °C
    outside            how long it was outside its range: a reading holds until the next of the same logger, and the last
                       of a logger for no time at all; of several loggers, the longest. A lower bound.
    outside_since      the first reading outside; None where there was none
    """

    readings: int
    coldest: Decimal
    warmest: Decimal
    outside: timedelta
    outside_since: datetime | None


def exposures(shipments: Collection[UUID]) -> dict[UUID, Exposure]:
    """By shipment, of those that have readings. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH reading AS (
                SELECT event.shipment_id, event.logger, event.temperature_c, event.occurred_at,
                       lead(event.occurred_at) OVER (
                           PARTITION BY event.shipment_id, event.logger
                           ORDER BY event.occurred_at, event.temperature_c, event.id
                       ) - event.occurred_at AS holds,
                       coalesce(event.temperature_c < shipment.min_temp_c, false)
                       OR coalesce(event.temperature_c > shipment.max_temp_c, false) AS is_outside
                  FROM supplies_trackingevent AS event
                  JOIN supplies_shipment AS shipment ON shipment.id = event.shipment_id
                 WHERE event.shipment_id = ANY(%s) AND event.temperature_c IS NOT NULL
            ), by_logger AS (
                SELECT shipment_id, count(*) AS readings, min(temperature_c) AS coldest, max(temperature_c) AS warmest,
                       coalesce(sum(holds) FILTER (WHERE is_outside), interval '0') AS outside,
                       min(occurred_at) FILTER (WHERE is_outside) AS outside_since
                  FROM reading
                 GROUP BY shipment_id, logger
            )
            SELECT shipment_id, sum(readings)::bigint, min(coldest), max(warmest), max(outside), min(outside_since)
              FROM by_logger
             GROUP BY shipment_id
            """,
            [list(shipments)],
        )
        return {pk: Exposure(*told) for pk, *told in cursor.fetchall()}


def lasting(time: timedelta) -> str:
    """In minutes up to two hours, then in hours, rounded down."""
    minutes = int(time.total_seconds() // 60)
    if minutes < 120:
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = minutes // 60
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
