"""Where goods went and why, counted into rows for the page everybody reads (`supplies.opendata.models.Figure`).

What is asked for is told as it stands, since needs are public row by row. What tells of gifts is told only where at least
LEAST_GIVERS organisations stand behind it (docs/decisions/0022): the value of a smaller cell is left empty, and a day with
fewer is put together with the next. Counted are needs, promises and counts at the dock, never pieces: masks and ventilators
make no sum.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping
from datetime import date, datetime
from itertools import chain
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Avg, Count, F, FloatField, Min, Q
from django.db.models.functions import Cast, TruncDate

from matching.models import Shortfall
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.emergencies.models import Emergency
from supplies.opendata.models import Figure, Topic
from supplies.opendata.rows import LEAST_GIVERS, NUMBERED, PROVINCE, SENT, at_depth, public_needs
from supplies.receipts.models import Discrepancy, ReceiptLine

COUNTING = 7_304_139  # advisory lock of the one who counts
DAYS_SHOWN = 60
ENDED = (AllocationStatus.RELEASED, AllocationStatus.LOST, AllocationStatus.RETURNED)
AS_ASKED, STANDS_IN, AGREED, BY_HAND = "as-asked", "stands-in", "if-agreed", "by-hand"
NOT_STATED = ("standard_not_stated", "sterility_not_stated")  # the hospital had to agree to them
Row = tuple[Topic, str, str, int | None]  # topic, of what, measure, value


@transaction.atomic
def count(*, at: datetime) -> None:
    """Count every emergency anew. Two counts at once end the same."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [COUNTING])
    for emergency in Emergency.objects.order_by("pk"):
        Figure.objects.bulk_create(
            [
                Figure(emergency=emergency, topic=topic, key=key, measure=measure, value=value, counted_at=at)
                for topic, key, measure, value in _figures(emergency)
            ],
            update_conflicts=True,
            unique_fields=["emergency", "topic", "key", "measure"],
            update_fields=["value", "counted_at"],
        )
        Figure.objects.filter(emergency=emergency, counted_at__lt=at).delete()


def _figures(emergency: Emergency) -> Iterator[Row]:
    needs = public_needs().filter(appeal__emergency=emergency).order_by()
    promises = Allocation.objects.filter(need__in=needs).exclude(status__in=ENDED).order_by()
    counts = ReceiptLine.objects.standing().filter(line__allocation__need__in=needs).order_by()
    yield from _shares(Topic.URGENCY, needs.annotate(key=F("urgency")))
    yield from _shares(Topic.REGION, needs.annotate(key=at_depth("region_path", PROVINCE)))
    yield from _reasons(promises)
    yield from _shortfalls(needs)
    yield from _waiting(needs)
    yield from _discrepancies(counts)
    yield from _days(needs, promises, counts)


def _shares(topic: Topic, needs: Any) -> Iterator[Row]:
    """Of the needs of each key: how many there are, how many were promised something and received something, and how far they are met."""
    share = Cast(SENT, FloatField()) * 100 / F("quantity")
    found = needs.values("key").annotate(
        needs=Count("pk"),
        promised=Count(
            "pk",
            filter=Q(quantity_promised__gt=0) | Q(quantity_in_transit__gt=0) | Q(quantity_received__gt=0),
        ),
        received=Count("pk", filter=Q(quantity_received__gt=0)),
        met=Avg(share, filter=NUMBERED),
    )
    for row in found.order_by("key"):
        for measure in ("needs", "promised", "received"):
            yield topic, str(row["key"]), measure, row[measure]
        yield topic, str(row["key"]), "met_percent", None if row["met"] is None else round(row["met"])


def told(givers: Iterable[Hashable], value: int) -> int | None:
    """The value, if enough organisations stand behind it."""
    return value if len(set(givers)) >= LEAST_GIVERS else None


def _reasons(promises: Any) -> Iterator[Row]:
    givers: dict[str, list[Any]] = defaultdict(list)
    for because, giver in promises.values_list("because", "offer__donation__organisation"):
        givers[_reason(because)].append(giver)
    withheld = _withheld(givers)
    for reason, behind in sorted(givers.items()):
        yield Topic.REASON, reason, "promises", None if reason in withheld else len(behind)


def _withheld(givers: Mapping[str, list[Any]]) -> set[str]:
    """What is not told: what too few stand behind, and as much beside it that all of them less the told says no more."""
    withheld = {key for key, behind in givers.items() if told(behind, 1) is None}
    for key in sorted(givers, key=lambda key: (len(givers[key]), key)):
        if withheld and told(chain(*(givers[hidden] for hidden in withheld)), 1) is None:
            withheld.add(key)
    return withheld


def _reason(because: Mapping[str, Any]) -> str:
    """Why goods of their standard went to a need, by what its proposal said."""
    if "steps" not in because:
        return BY_HAND
    if because.get("reason") in NOT_STATED or because.get("condition"):
        return AGREED
    return STANDS_IN if because["steps"] else AS_ASKED


def _shortfalls(needs: Any) -> Iterator[Row]:
    causes = Shortfall.objects.current().filter(need__in=needs).order_by().values("cause")
    for row in causes.annotate(needs=Count("pk")).order_by("cause"):
        yield Topic.SHORTFALL, row["cause"], "needs", row["needs"]


def _waiting(needs: Any) -> Iterator[Row]:
    """Hours from publication to the first promise, and to the first count that holds."""
    ends = {
        "promise": ("allocations__created_at", Q(allocations__isnull=False)),
        "receipt": (
            "allocations__lines__receipt_lines__receipt__at",
            Q(allocations__lines__receipt_lines__receipt__correction=None),
        ),
    }
    for key, (moment, holds) in ends.items():
        ended = needs.annotate(first=Min(moment, filter=holds)).exclude(first=None)
        spans = ended.exclude(appeal__moderated_at=None).values_list("appeal__moderated_at", "first")
        hours = [max(0.0, (end - begin).total_seconds() / 3600) for begin, end in spans]
        givers = set(
            Allocation.objects.filter(need__in=ended.values("pk")).values_list(
                "offer__donation__organisation", flat=True
            )
        )
        for measure, percent in (("median_hours", 50), ("p90_hours", 90)):
            value = round(float(np.percentile(hours, percent))) if hours else 0
            yield Topic.WAITING, key, measure, told(givers, value) if hours else None
        yield Topic.WAITING, key, "needs", told(givers, len(hours)) if hours else 0


def _discrepancies(counts: Any) -> Iterator[Row]:
    donor = "line__allocation__offer__donation__organisation"
    behind = list(counts.values_list(donor, flat=True))
    yield Topic.DISCREPANCY, "counted", "lines", told(behind, len(behind)) if behind else 0
    givers: dict[str, list[Any]] = defaultdict(list)
    found = Discrepancy.objects.filter(receipt_line__in=counts).order_by()
    for kind, giver in found.values_list("kind", f"receipt_line__{donor}"):
        givers[kind].append(giver)
    for kind, of_kind in sorted(givers.items()):
        yield Topic.DISCREPANCY, kind, "lines", told(of_kind, len(of_kind))


def _days(needs: Any, promises: Any, counts: Any) -> Iterator[Row]:
    donor = "offer__donation__organisation"
    asked = Counter(
        needs.exclude(appeal__moderated_at=None)
        .annotate(day=TruncDate("appeal__moderated_at"))
        .values_list("day", flat=True)
    )
    promised = promises.annotate(day=TruncDate("created_at")).values_list("day", donor)
    received = counts.annotate(day=TruncDate("receipt__at")).values_list("day", f"line__allocation__{donor}")
    series: dict[str, Mapping[date, int]] = {
        "needs": asked,
        "promised": put_together(promised),
        "received": put_together(received),
    }
    days = sorted({day for values in series.values() for day in values})[-DAYS_SHOWN:]
    for day in days:
        for measure, values in series.items():
            yield Topic.DAY, day.isoformat(), measure, values.get(day, 0)


def put_together(rows: Iterable[tuple[date, Any]]) -> dict[date, int]:
    """How many rows fall on each day. Days behind which too few givers stand are added to the next, until enough do."""
    by_day: dict[date, list[Any]] = defaultdict(list)
    for day, giver in rows:
        by_day[day].append(giver)
    found: dict[date, int] = {}
    waiting: list[Any] = []
    for day in sorted(by_day):
        waiting += by_day[day]
        if told(waiting, 1):
            found[day] = len(waiting)
            waiting = []
    return found
