"""Counting how long past journeys took, and asking what the next may take."""

from datetime import datetime, timedelta

from django.db import connection, transaction

from supplies.lanes.models import Lane
from supplies.regions.models import Region
from supplies.shipments.models import Shipment

LOOKED_BACK = timedelta(days=365)
# The days are those of the calendar where it arrives. What was sent on to another hospital did not travel one lane.
_OBSERVE = """
WITH journey AS (
    SELECT COALESCE(NULLIF(split_part(origin.path, '/', 3), ''), split_part(origin.path, '/', 2)) AS from_region,
           COALESCE(NULLIF(split_part(target.path, '/', 3), ''), split_part(target.path, '/', 2)) AS to_region,
           shipment.mode_id AS mode,
           GREATEST(0, (shipment.delivered_at AT TIME ZONE facility.timezone)::date
                     - (shipment.departed_at AT TIME ZONE facility.timezone)::date) AS days
    FROM supplies_shipment AS shipment
    JOIN supplies_organisation AS consignor ON consignor.id = shipment.consignor_id
    JOIN supplies_region AS origin ON origin.code = consignor.region_id
    JOIN supplies_facility AS facility ON facility.id = shipment.consignee_id
    JOIN supplies_region AS target ON target.code = facility.region_id
    WHERE shipment.delivered_at >= %(since)s AND shipment.departed_at IS NOT NULL AND shipment.rerouted_because = ''
)
INSERT INTO supplies_lane
    (from_region_id, to_region_id, mode_id, journeys, fast_days, median_days, slow_days, observed_at)
SELECT from_region, to_region, mode, count(*),
       percentile_disc(0.1) WITHIN GROUP (ORDER BY days),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY days),
       percentile_disc(0.9) WITHIN GROUP (ORDER BY days),
       %(at)s
FROM journey
GROUP BY GROUPING SETS ((from_region, to_region, mode), (from_region, to_region))
HAVING GROUPING(mode) = 1 OR mode IS NOT NULL
ON CONFLICT (from_region_id, to_region_id, mode_id) DO UPDATE SET
    journeys = EXCLUDED.journeys, fast_days = EXCLUDED.fast_days, median_days = EXCLUDED.median_days,
    slow_days = EXCLUDED.slow_days, observed_at = EXCLUDED.observed_at
"""


@transaction.atomic
def observe(*, at: datetime) -> int:
    """Count the lanes anew from the journeys of the last year, in one statement. Returns how many lanes there are."""
    with connection.cursor() as cursor:
        cursor.execute(_OBSERVE, {"since": at - LOOKED_BACK, "at": at})
        counted: int = cursor.rowcount
    Lane.objects.filter(observed_at__lt=at).delete()
    return counted


def lane_of(shipment: Shipment) -> Lane | None:
    """What its way usually takes, by the way it travels or else by any; None where too few have gone it.

    The shipment comes with the regions of its consignor and its consignee.
    """
    lanes = Lane.objects.known().filter(
        from_region=province_of(shipment.consignor.region), to_region=province_of(shipment.consignee.region)
    )
    either = lanes.filter(mode=None) | lanes.filter(mode=shipment.mode_id)
    return either.best_first().first()


def province_of(region: Region) -> str:
    """The code of the province a region lies in; of the country, for one that lies in none."""
    codes = region.path.strip("/").split("/")
    return codes[min(1, len(codes) - 1)]
