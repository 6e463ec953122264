"""Sending what waits: taken under a lease in short transactions, sent by threads that touch no database, written down in sets.

Several workers share the work. One that is killed leaves leases that run out; what it held is sent again under the same id.
A lane is a few messages of one endpoint, sent one after the other. An endpoint has few lanes at a time, and one that is slow
a single message, so that it holds up nobody but itself.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from supplies.journal.services import ring
from supplies.notices.models import (
    ATTEMPTS,
    RETRIES,
    DeliveryStatus,
    Disabled,
    EndpointStatus,
    Problem,
    WebhookDelivery,
    WebhookEndpoint,
)
from supplies.notices.posting import Answer, post, seconds_asked_for
from supplies.notices.services import disable
from supplies.notices.signing import headers_of
from supplies.notices.telling import body_of

LANES = 32  # at a time, in one worker
A_LANE = 16  # messages
AT_ONCE = 64  # messages of one endpoint under way, in all workers together
LEASE = timedelta(minutes=2)  # far longer than a lane can take
LANE_SECONDS = 5.0  # after which a lane begins no other message
A_ROUND = 20.0  # seconds of one task; then others of the queue have their turn
LOOK_EVERY = 0.5  # seconds, for what came meanwhile
IS_SLOW_MS = 3_000
SLOW_FOR = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=24)  # that is granted to Retry-After
JITTER = 0.2  # of a wait, so that not all come back in the same second
GONE = 410
Clock = Callable[[], datetime]


@dataclass(frozen=True)
class Message:
    """A delivery, ready to be sent."""

    pk: UUID
    message_id: str
    url: str
    body: bytes
    keys: Sequence[bytes]


@dataclass(frozen=True)
class Outcome:
    """answer   None where the lane's time was over before it came to this message"""

    pk: UUID
    at: datetime
    answer: Answer | None


def carry(*, clock: Clock = timezone.now) -> int:
    """Send what is due, and what becomes due meanwhile, for about twenty seconds. Returns how many attempts were made."""
    ends, made = time.monotonic() + A_ROUND, 0
    running: set[Future[list[Outcome]]] = set()
    with ThreadPoolExecutor(LANES, thread_name_prefix="webhooks") as pool:
        while True:
            is_over = time.monotonic() >= ends
            lanes = [] if is_over else take(LANES - len(running), at=clock())
            running |= {pool.submit(run, lane, clock) for lane in lanes}
            if not running:
                break
            done, running = wait(running, LOOK_EVERY, FIRST_COMPLETED)
            made += note([outcome for lane in done for outcome in lane.result()], at=clock())
    if is_over:
        ring("notices.carry")
    return made


# -- Taking -----------------------------------------------------------------------------------------------


@transaction.atomic
def take(lanes: int, *, at: datetime) -> list[list[Message]]:
    """Up to so many lanes of what is due, leased: first of the endpoints with the least under way.

    Two workers that take in the same moment do not see each other's leases, and may go a lane above what an endpoint is to have.
    """
    if lanes <= 0:
        return []
    under_way = dict(
        WebhookDelivery.objects.leased(at).order_by().values_list("endpoint").annotate(Count("pk"))
    )
    due = WebhookDelivery.objects.due(at).filter(endpoint=OuterRef("pk")).order_by("next_at", "pk")
    waiting = WebhookEndpoint.objects.active().annotate(oldest=Subquery(due.values("next_at")[:1]))
    endpoints = sorted(
        waiting.filter(oldest__isnull=False),
        key=lambda endpoint: (under_way.get(endpoint.pk, 0), endpoint.oldest, endpoint.pk),
    )
    taken = []
    for endpoint in endpoints:
        room = _room(endpoint, under_way.get(endpoint.pk, 0), at)
        if room > 0 and (lane := _lease(endpoint, room, at=at)):
            taken.append(lane)
        if len(taken) == lanes:
            break
    return taken


def _room(endpoint: WebhookEndpoint, under_way: int, at: datetime) -> int:
    """How many messages a lane to this endpoint may have now."""
    if endpoint.slow_until and at < endpoint.slow_until:
        return 1 - under_way
    return min(A_LANE, AT_ONCE - under_way)


def _lease(endpoint: WebhookEndpoint, room: int, *, at: datetime) -> list[Message]:
    rows = list(
        WebhookDelivery.objects.due(at)
        .filter(endpoint=endpoint)
        .select_related("event")
        .select_for_update(skip_locked=True, of=("self",))
        .order_by("next_at", "pk")[:room]
    )
    WebhookDelivery.objects.filter(pk__in=[row.pk for row in rows]).update(lease_until=at + LEASE)
    keys = endpoint.keys(at)
    return [Message(row.pk, row.message_id, endpoint.url, body_of(row), keys) for row in rows]


# -- Sending ----------------------------------------------------------------------------------------------


def run(lane: Iterable[Message], clock: Clock) -> list[Outcome]:
    ends, outcomes = time.monotonic() + LANE_SECONDS, []
    for message in lane:
        answer = send(message, at=clock()) if time.monotonic() < ends else None
        outcomes.append(Outcome(message.pk, clock(), answer))
    return outcomes


def send(message: Message, *, at: datetime) -> Answer:
    signed = headers_of(message.message_id, int(at.timestamp()), message.body, message.keys)
    return post(message.url, message.body, signed)


# -- Writing down -----------------------------------------------------------------------------------------

WRITTEN = ("status", "attempts", "next_at", "lease_until", "tried_at", "took_ms", "http_status", "problem", "excerpt")  # fmt: skip


@transaction.atomic
def note(outcomes: Sequence[Outcome], *, at: datetime) -> int:
    """Write down how attempts went, and what follows. Returns how many were made."""
    if not outcomes:
        return 0
    keys = [outcome.pk for outcome in outcomes]
    concerned = WebhookDelivery.objects.filter(pk__in=keys).values("endpoint")
    endpoints = WebhookEndpoint.objects.filter(pk__in=concerned).order_by("pk")
    by_key = {endpoint.pk: endpoint for endpoint in endpoints.select_for_update(no_key=True)}
    # What was removed meanwhile is left as it is.
    rows = WebhookDelivery.objects.waiting().filter(pk__in=keys).order_by("pk").select_for_update()
    deliveries = {row.pk: row for row in rows}
    for outcome in outcomes:
        if outcome.pk in deliveries:
            delivery = deliveries[outcome.pk]
            _note(delivery, outcome, by_key[delivery.endpoint_id])
    # They are there, and locked. Put down as rows they take a tenth of what an UPDATE with a CASE for each would take.
    WebhookDelivery.objects.bulk_create(
        deliveries.values(), update_conflicts=True, unique_fields=["pk"], update_fields=WRITTEN
    )
    WebhookEndpoint.objects.bulk_update(by_key.values(), ["succeeded_at", "slow_until"])
    for endpoint in by_key.values():
        why = _to_be_disabled(
            endpoint, [row for row in deliveries.values() if row.endpoint_id == endpoint.pk]
        )
        if why and endpoint.status == EndpointStatus.ACTIVE:
            disable(endpoint, by=None, at=at, because=why)
    return sum(outcome.answer is not None for outcome in outcomes)


def _note(delivery: WebhookDelivery, outcome: Outcome, endpoint: WebhookEndpoint) -> None:
    delivery.lease_until = None
    answer, at = outcome.answer, outcome.at
    if answer is None:
        return
    delivery.attempts += 1
    delivery.tried_at, delivery.took_ms, delivery.http_status = at, answer.took_ms, answer.status
    delivery.problem, delivery.excerpt = answer.problem, answer.excerpt
    if answer.took_ms >= IS_SLOW_MS:
        endpoint.slow_until = at + SLOW_FOR
    if not answer.problem:
        delivery.move_to(DeliveryStatus.DELIVERED)
        endpoint.succeeded_at = at
    elif answer.status == GONE or delivery.attempts >= ATTEMPTS:
        delivery.move_to(DeliveryStatus.FAILED)
    else:
        delivery.next_at = at + wait_after(delivery.attempts, answer.retry_after, at=at)


def wait_after(attempts: int, retry_after: str, *, at: datetime) -> timedelta:
    """How long until the next attempt, after so many: the table's, a little more, or what the other side asks for."""
    ours = RETRIES[attempts - 1] * (1 + JITTER * random.random())  # nosec B311 # spreads load, guards nothing
    asked = timedelta(seconds=seconds_asked_for(retry_after, at=at))
    return max(ours, min(asked, LONGEST_WAIT))


def _to_be_disabled(endpoint: WebhookEndpoint, deliveries: Iterable[WebhookDelivery]) -> str:
    """Gone for good; or one message was given up, and no other has got through since it was first tried."""
    for delivery in deliveries:
        if delivery.status != DeliveryStatus.FAILED:
            continue
        if delivery.http_status == GONE and delivery.problem == Problem.STATUS:
            return Disabled.GONE
        if endpoint.succeeded_at is None or endpoint.succeeded_at < delivery.began_at:
            return Disabled.FAILING
    return ""
