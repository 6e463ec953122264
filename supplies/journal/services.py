"""Writing the journal, and carrying what must leave to those who listen."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils.module_loading import import_string

from supplies.journal.models import Event, Outgoing

log = logging.getLogger(__name__)
BATCH = 200
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
    """`record` for many rows in two statements."""
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
            transaction.on_commit(lambda: ring("journal.dispatch"), robust=True)
    return events


def ring(task: str, *args: str) -> None:
    """Ask a worker to look now. A broker that is down costs nothing: a sweep comes every 15 seconds."""
    try:
        current_app.send_task(task, args, retry=False, ignore_result=True)
    except Exception as error:
        log.warning("The broker does not answer (%s); the sweep will do it instead.", type(error).__name__)


def dispatch(*, at: datetime) -> int:
    """Hand waiting events to their listeners, oldest first; returns how many were delivered.

    Events of one listener travel together, so that a thousand new needs are one call. A listener that fails is
    tried again later, longer each time, and holds up nobody else.
    """
    delivered = 0
    for listener in sorted(
        set(Outgoing.objects.waiting().filter(due_at__lte=at).values_list("listener", flat=True))
    ):
        while batch := _deliver(listener, at=at):
            delivered += batch
    return delivered


def _deliver(listener: str, *, at: datetime) -> int:
    with transaction.atomic():
        rows = list(
            Outgoing.objects.waiting()
            .filter(listener=listener, due_at__lte=at)
            .select_related("event")
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("pk")[:BATCH]
        )
        if not rows:
            return 0
        ids = [row.pk for row in rows]
        try:
            with transaction.atomic():
                import_string(listener)([row.event for row in rows], at=at)
        except Exception as error:
            log.exception("%s could not hear of %d events", listener, len(rows))
            wait = timedelta(seconds=min(600, 5 * 2 ** min(rows[0].attempts, 7)))
            Outgoing.objects.filter(pk__in=ids).update(
                attempts=models.F("attempts") + 1, due_at=at + wait, last_error=f"{type(error).__name__}"
            )
            return 0
        Outgoing.objects.filter(pk__in=ids).update(done_at=at, attempts=models.F("attempts") + 1)
        return len(rows)
