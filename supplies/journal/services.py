"""Writing the journal, and carrying what must leave to those who listen."""

import logging
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache
from django.db import connection, models, transaction
from django.utils.module_loading import import_string

from supplies.errors import is_busy_or_away
from supplies.journal.models import Event, Outgoing

log = logging.getLogger(__name__)
BATCH = 200
SWEPT_EVERY = 15.0  # seconds; see the timetable
ONCE_MORE = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
}  # a broker that has just been restarted
BELL, BELL_LOST_AFTER = "journal:bell", 2  # seconds, after which it is rung again
_left_alone = {"broker": 0.0, "store": 0.0}  # until when, in monotonic seconds
_is_heard = ContextVar("is_heard", default=True)


@contextmanager
def unheard() -> Iterator[None]:
    """What happens inside is written down and counts as told, but nobody is: for loading what only plays."""
    token = _is_heard.set(False)
    try:
        yield
    finally:
        _is_heard.reset(token)


def record(row: models.Model, kind: str, *, by: AbstractBaseUser | None, at: datetime, **facts: Any) -> Event:
    """Write down what happened to a row, and who must hear of it. Call inside the verb's transaction.

    facts    ids and numbers; anything JSON can hold, never personal data
    """
    return record_all([row], kind, by=by, at=at, facts=lambda _row: facts)[0]


def record_all(
    rows: Iterable[models.Model],
    kind: str,
    *,
    by: AbstractBaseUser | None,
    at: datetime,
    facts: Any = lambda row: {},
) -> list[Event]:
    """`record` for many rows in two statements. What follows from it at once is done before it returns."""
    events = Event.objects.bulk_create(
        Event(kind=kind, at=at, by=by, subject=row._meta.model_name, subject_id=str(row.pk), facts=facts(row))  # type: ignore[misc]
        for row in rows
    )
    listeners = settings.JOURNAL_LISTENERS.get(kind, [])
    if listeners and events:
        is_heard = _is_heard.get()
        done_at = None if is_heard else at
        Outgoing.objects.bulk_create(
            Outgoing(event=event, listener=listener, due_at=at, done_at=done_at)
            for event in events
            for listener in listeners
        )
        if is_heard:
            _ring_on_commit()
    if events and _is_heard.get():
        for follower in settings.JOURNAL_FOLLOWERS.get(kind, []):
            import_string(follower)(events, at=at)
    return events


def _ring_on_commit() -> None:
    """Once a transaction, however many events it writes: a bell that waits is lost only together with what rang it after."""
    if not any(waiting[1] is _dispatch for waiting in connection.run_on_commit):
        transaction.on_commit(_dispatch, robust=True)


def _dispatch() -> None:
    """One bell that waits is enough for everybody: who hears it takes it down first, and then sees all that was committed."""
    if not _waits():
        ring("journal.dispatch")


def _waits() -> bool:
    """A store that is away may be the broker, and `ring` says so; where it is not, one bell too many does no harm."""
    if _is_left_alone("store"):
        return False
    try:
        return not cache.add(BELL, True, timeout=BELL_LOST_AFTER)
    except Exception:
        _leave_alone("store")
        return False


def take_bell_down() -> None:
    """Before looking at what waits, so that whatever is committed from now on rings again."""
    with suppress(Exception):  # it falls down by itself
        cache.delete(BELL)


def ring(task: str, *args: str) -> None:
    """Ask a worker to look now. A broker that is down costs next to nothing: a sweep comes every 15 seconds.

    One that did not answer is left alone for as long, so that it holds up one request of a process and not each of them.
    """
    if _is_left_alone("broker"):
        return
    try:
        current_app.send_task(task, args, retry=True, retry_policy=ONCE_MORE, ignore_result=True)
    except Exception as error:
        _leave_alone("broker")
        log.warning("The broker does not answer (%s); the sweep will do it instead.", type(error).__name__)


def _is_left_alone(name: str) -> bool:
    return time.monotonic() < _left_alone[name]


def _leave_alone(name: str) -> None:
    _left_alone[name] = time.monotonic() + SWEPT_EVERY


def dispatch(*, at: datetime) -> int:
    """Hand waiting events to their listeners, oldest first; returns how many were delivered.

    Events of one listener travel together, so that a thousand new needs are one call. What a listener does and that it
    is done commit together, so each event has its effect once. One it fails on is tried again later, longer each time,
    and holds up neither other listeners nor other events.
    """
    delivered = 0
    due = Outgoing.objects.waiting().filter(due_at__lte=at)
    for listener in sorted(set(due.values_list("listener", flat=True))):
        while (done := _deliver(listener, at=at)) is not None:
            delivered += done
    return delivered


@transaction.atomic
def _deliver(listener: str, *, at: datetime) -> int | None:
    """Tell a listener of its next events. How many it has heard, the others being put off; None where none waits."""
    rows = list(
        Outgoing.objects.waiting()
        .filter(listener=listener, due_at__lte=at)
        .select_related("event")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("pk")[:BATCH]
    )
    if not rows:
        return None
    failures = _tell(listener, rows, at=at)
    put_off = [row for row in rows if row.pk in failures]
    for row in put_off:
        row.last_error = failures[row.pk]
        row.due_at = at + timedelta(seconds=min(600, 5 * 2 ** min(row.attempts, 7)))
        row.attempts += 1
    Outgoing.objects.bulk_update(put_off, ["last_error", "due_at", "attempts"])
    heard = Outgoing.objects.filter(pk__in=[row.pk for row in rows if row.pk not in failures])
    return heard.update(done_at=at, last_error="", attempts=models.F("attempts") + 1)


def _tell(listener: str, rows: list[Outgoing], *, at: datetime) -> dict[int, str]:
    """What the listener fails on: row to kind of error. Told in halves what it fails on, it hears all but the poisonous."""
    try:
        hear = import_string(listener)
        with transaction.atomic():
            hear([row.event for row in rows], at=at)
    except Exception as error:
        if isinstance(error, ImportError) or is_busy_or_away(error):
            # Nothing is wrong with these events: there is nobody to hear them, or a lock was not granted.
            log.warning("%s hears of nothing just now (%s)", listener, type(error).__name__)
            return dict.fromkeys([row.pk for row in rows], type(error).__name__)
        if len(rows) == 1:
            log.exception("%s could not hear of event %d", listener, rows[0].event_id)
            return {rows[0].pk: type(error).__name__}
        half = len(rows) // 2
        return _tell(listener, rows[:half], at=at) | _tell(listener, rows[half:], at=at)
    return {}
