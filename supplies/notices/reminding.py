"""What somebody is reminded of, and when: one table. A step is told once, and not at all once the thing is done.

That it was told stands in the journal, in the transaction that tells it; nothing else keeps count. Of needs that nobody has
confirmed (`supplies.needs.reminders`) and of questions to senders (`supplies.receipts`) the verbs there know when.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import CharField, Exists, OuterRef, QuerySet
from django.db.models.functions import Cast
from django.utils.module_loading import import_string

from supplies.allocations.models import Allocation
from supplies.journal.models import Event
from supplies.journal.services import record_all
from supplies.needs.models import Appeal, AppealStatus
from supplies.offers.models import Donation, DonationStatus
from supplies.shipments.models import Shipment, ShipmentStatus

AT_ONCE = 500  # rows of a step in one transaction
REMINDING = 7_304_128  # the advisory lock of those who remind
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Step:
    """The number-th reminder of this kind.

    due    the rows for which it is time and which are not done yet
    """

    kind: str
    number: int
    due: Callable[[datetime], QuerySet[Any]]


def promised(before: timedelta, at: datetime) -> QuerySet[Any]:
    """Promised, on no shipment yet, and so shortly before the day by which it is to be shipped."""
    return Allocation.objects.reserved().filter(due_at__gt=at, due_at__lte=at + before)


def booked(for_: timedelta, at: datetime) -> QuerySet[Any]:
    return Shipment.objects.filter(status=ShipmentStatus.BOOKED, created_at__lte=at - for_)


def uncounted(for_: timedelta, at: datetime) -> QuerySet[Any]:
    return Shipment.objects.filter(status=ShipmentStatus.DELIVERED, delivered_at__lte=at - for_)


def silent(at: datetime) -> QuerySet[Any]:
    return Shipment.objects.unseen_since(at - timedelta(days=settings.SILENT_DAYS))


def unread(for_: timedelta, at: datetime) -> QuerySet[Any]:
    return Appeal.objects.filter(status=AppealStatus.WAITING, created_at__lte=at - for_)


def unread_gifts(for_: timedelta, at: datetime) -> QuerySet[Any]:
    return Donation.objects.filter(status=DonationStatus.WAITING, created_at__lte=at - for_)


STEPS = (
    Step("allocation.to_hand_over", 1, partial(promised, 2 * DAY)),
    Step("shipment.to_hand_over", 1, partial(booked, 2 * DAY)),
    Step("shipment.to_hand_over", 2, partial(booked, 5 * DAY)),
    Step("shipment.to_count", 1, partial(uncounted, DAY)),
    Step("shipment.to_count", 2, partial(uncounted, 3 * DAY)),
    Step("shipment.fell_silent", 1, silent),
    Step("appeal.waits", 1, partial(unread, timedelta(hours=6))),
    Step("donation.waits", 1, partial(unread_gifts, timedelta(hours=12))),
)


def steps() -> Iterable[Step]:
    """Those of this table, and those of higher concepts, which settings.REMINDERS names with the way to what is due."""
    yield from STEPS
    for kind, due in settings.REMINDERS.items():
        yield Step(kind, 1, import_string(due))


def remind(*, at: datetime) -> int:
    """Tell of every step whose time has come. Returns how many rows were told of."""
    return sum(_tell(step, at=at) for step in steps())


@transaction.atomic
def _tell(step: Step, *, at: datetime) -> int:
    with connection.cursor() as cursor:  # two that look at the same moment would both see it untold
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [REMINDING])
    rows = step.due(at)
    told = Event.objects.filter(
        kind=step.kind,
        subject=rows.model._meta.model_name,
        subject_id=Cast(OuterRef("pk"), CharField()),
        facts__step=step.number,
    )
    waiting = rows.filter(~Exists(told)).select_for_update(of=("self",))
    due = list(waiting.order_by("pk")[:AT_ONCE])
    record_all(due, step.kind, by=None, at=at, facts=lambda _row: {"step": step.number})
    return len(due)


def is_over(kind: str, rows: Iterable[str], *, at: datetime) -> bool:
    """Whether what a reminder asks for is done for all of its rows: then it is not sent any more."""
    due = [step.due for step in steps() if step.kind == kind]
    return bool(due) and not any(each(at).filter(pk__in=list(rows)).exists() for each in due)
