"""How carriers did: what they carried, on time, how fast, what of it arrived broken or short, what was lost."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import (
    Aggregate,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
)
from django.db.models.functions import TruncDate
from django.utils import timezone

from supplies.organisations.models import Organisation
from supplies.receipts.models import Discrepancy, Receipt
from supplies.regions.models import Region
from supplies.shipments.models import ShipmentQuerySet, ShipmentStatus
from supplies.shipments.tracking import TrackingEvent

WINDOWS = (30, 90, 365)  # days
TOO_FEW = 10  # of which a share says nothing yet
MOST_LANES = 30
BAD = (Discrepancy.Kind.DAMAGED, Discrepancy.Kind.MISSING)


class Median(Aggregate):
    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    name = "Median"
    output_field = DurationField()


@dataclass(frozen=True)
class Share:
    """So many of so many. None per cent while there are too few to say."""

    part: int
    whole: int

    @property
    def percent(self) -> int | None:
        return round(100 * self.part / self.whole) if self.whole >= TOO_FEW else None


@dataclass(frozen=True)
class Lane:
    """From one region to another, with how long it took from the departure to the signature."""

    origin: str
    destination: str
    count: int
    days: float


@dataclass(frozen=True)
class Record:
    """One carrier in one window, of the shipments that left in it and that it carried last.

    on_time   of those with an expected day that were delivered or are overdue: signed for on that day or before
    bad       of those that were counted: something was damaged or missing, whoever's fault it was
    """

    carrier: Organisation
    days: int
    carried: int = 0
    delivered: int = 0
    on_time: Share = field(default_factory=lambda: Share(0, 0))
    bad: Share = field(default_factory=lambda: Share(0, 0))
    lost: int = 0
    sightings: int = 0
    median: timedelta | None = None

    @property
    def seen_each(self) -> float | None:
        return round(self.sightings / self.carried, 1) if self.carried else None

    @property
    def median_days(self) -> float | None:
        return in_days(self.median) if self.delivered >= TOO_FEW else None


def in_days(time: timedelta | None) -> float | None:
    return None if time is None else round(time / timedelta(days=1), 1)


def records(rows: ShipmentQuerySet, *, days: int, at: datetime) -> list[Record]:
    """Of every carrier of these shipments, the busiest first. Three statements."""
    left = _left(rows, days=days, at=at)
    standing = Receipt.objects.standing().filter(shipment=OuterRef("pk"))
    wrong = Discrepancy.objects.filter(
        receipt_line__receipt__shipment=OuterRef("pk"), receipt_line__receipt__correction=None, kind__in=BAD
    )
    arrived = Q(delivered_at__isnull=False)
    judged = Q(expected_on__isnull=False) & (arrived | Q(expected_on__lt=timezone.localdate(at)))
    told = (
        left.annotate(is_counted=Exists(standing), is_bad=Exists(wrong), day=TruncDate("delivered_at"))
        .values("carrier")
        .annotate(
            carried=Count("pk"),
            delivered=Count("pk", filter=arrived),
            judged=Count("pk", filter=judged),
            on_time=Count("pk", filter=judged & Q(day__lte=F("expected_on"))),
            counted=Count("pk", filter=Q(is_counted=True)),
            bad=Count("pk", filter=Q(is_counted=True, is_bad=True)),
            lost=Count("pk", filter=Q(status=ShipmentStatus.LOST)),
            median=Median(_travelled(), filter=arrived),
        )
    )
    seen = dict(
        TrackingEvent.objects.sightings()
        .filter(shipment__in=left.values("pk"))
        .order_by()
        .values("shipment__carrier")
        .annotate(count=Count("pk"))
        .values_list("shipment__carrier", "count")
    )
    found = list(told)
    carriers = Organisation.objects.in_bulk([row["carrier"] for row in found])
    made = [
        Record(
            carriers[row["carrier"]],
            days,
            carried=row["carried"],
            delivered=row["delivered"],
            on_time=Share(row["on_time"], row["judged"]),
            bad=Share(row["bad"], row["counted"]),
            lost=row["lost"],
            sightings=seen.get(row["carrier"], 0),
            median=row["median"],
        )
        for row in found
    ]
    return sorted(made, key=lambda record: (-record.carried, record.carrier.name, str(record.carrier.pk)))


def lanes(rows: ShipmentQuerySet, *, days: int, at: datetime) -> list[Lane]:
    """Of these shipments, region to region, the busiest first."""
    told = (
        _left(rows, days=days, at=at)
        .filter(delivered_at__isnull=False)
        .values("consignor__region", "consignee__region")
        .annotate(count=Count("pk"), median=Median(_travelled()))
        .order_by("-count", "consignor__region", "consignee__region")[:MOST_LANES]
    )
    found = list(told)
    ends = {row[end] for row in found for end in ("consignor__region", "consignee__region")}
    names = {pk: region.name for pk, region in Region.objects.in_bulk(ends).items()}
    return [
        Lane(
            names[row["consignor__region"]],
            names[row["consignee__region"]],
            row["count"],
            in_days(row["median"]) or 0.0,
        )
        for row in found
    ]


def _left(rows: ShipmentQuerySet, *, days: int, at: datetime) -> ShipmentQuerySet:
    since = at - timedelta(days=days)
    return rows.filter(carrier__isnull=False, departed_at__gt=since, departed_at__lte=at).order_by()


def _travelled() -> ExpressionWrapper:
    return ExpressionWrapper(F("delivered_at") - F("departed_at"), output_field=DurationField())
