"""What is measured, for Prometheus: counted where it happens, or looked up when it is collected.

With several processes each writes its counts into a file under PROMETHEUS_MULTIPROC_DIR, and any of them adds them up.
"""

import json
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Min, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import REGISTRY, Collector

from config.celery import glance_at_broker
from matching.models import FamilyRun, RunStatus
from supplies.journal.models import Outgoing

log = structlog.get_logger("config.metrics")
PROBE = "probe"  # the cache's name for when a worker last did the probe's task

REQUESTS = Counter("tongzhou_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "tongzhou_request_seconds",
    "How long requests took.",
    ["route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
LIMITED = Counter("tongzhou_limited", "Requests refused for coming too often.", ["limit", "who"])
REFUSALS = Counter("tongzhou_refusals", "What the domain refused, by its code.", ["code"])
TASKS = Counter("tongzhou_tasks", "Tasks done.", ["task", "outcome"])
TASK_SECONDS = Histogram("tongzhou_task_seconds", "How long tasks took.", ["task"])
TASK_WAITED = Histogram("tongzhou_task_waited_seconds", "How long tasks waited for a worker.", ["task"])


# -- Looked up when collected: one line each --------------------------------------------------------------

Reading = float | Mapping[str, float]


@dataclass(frozen=True)
class Gauge:
    """name    without "tongzhou_"
    read    a number, or numbers by the value of `label`
    """

    name: str
    help: str
    read: Callable[[], Reading]
    label: str = ""


GAUGES = [
    Gauge("outgoing_waiting", "Journal rows not yet delivered.", lambda: Outgoing.objects.waiting().count()),
    Gauge("outgoing_oldest_seconds", "Age of the oldest of them.", lambda: _age(Outgoing.objects.waiting(), "event__at")),
    Gauge("family_runs", "Families of goods being matched.", lambda: _by_status(FamilyRun.objects.unfinished()), "status"),
    Gauge("lease_age_seconds", "Since the longest silent lease was renewed.", lambda: _lease_age()),
    Gauge("families_failed", "Families whose matching failed, of the last hour's runs.", lambda: _failed()),
    Gauge("queue_length", "Messages no worker has taken yet.", lambda: _queue()[0]),
    Gauge("queue_oldest_seconds", "Age of the oldest of them.", lambda: _queue()[1]),
    Gauge("probe_age_seconds", "Since a worker last did the probe's task.", lambda: _probe_age()),
]  # fmt: skip


def _age(rows: QuerySet, since: str) -> float:
    """Seconds since the oldest of the rows; 0 where there are none."""
    oldest: datetime | None = rows.aggregate(oldest=Min(since))["oldest"]
    return max(0.0, (timezone.now() - oldest).total_seconds()) if oldest else 0.0


def _by_status(rows: QuerySet) -> dict[str, float]:
    counted = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    return {str(status): counted.get(status, 0) for status in (RunStatus.QUEUED, RunStatus.RUNNING)}


def _failed() -> float:
    recent = FamilyRun.objects.filter(run__created_at__gt=timezone.now() - timedelta(hours=1))
    return recent.filter(status=RunStatus.FAILED).count()


def _lease_age() -> float:
    running = FamilyRun.objects.filter(status=RunStatus.RUNNING)
    until = running.aggregate(first=Min("lease_until"))["first"]
    if until is None:
        return 0.0
    silent: timedelta = timezone.now() - until + timedelta(seconds=settings.MATCH_LEASE_SECONDS)
    return max(0.0, silent.total_seconds())


def _queue() -> tuple[float, float]:
    """How many messages wait, and how old the oldest is. RabbitMQ tells this itself: NaN here."""
    with glance_at_broker() as connection:
        if connection.transport.driver_type != "redis":
            return math.nan, math.nan
        client: Any = connection.default_channel.client  # type: ignore[attr-defined]  # redis' own
        name = current_app.conf.task_default_queue
        length, oldest = client.llen(name), client.lindex(name, -1)  # new ones are pushed on the left
    sent = json.loads(oldest)["headers"].get("sent_at") if oldest else None
    return float(length), max(0.0, time.time() - sent) if sent else 0.0


def _probe_age() -> float:
    done_at: float | None = cache.get(PROBE)
    return math.inf if done_at is None else max(0.0, time.time() - done_at)


class LookedUp(Collector):
    """What cannot be looked up just now is left out; "tongzhou_unreadable" names it, so that its silence is seen."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        unreadable = GaugeMetricFamily(
            "tongzhou_unreadable", "Gauges that could not be read.", labels=["gauge"]
        )
        for gauge in GAUGES:
            try:
                found = gauge.read()
            except Exception as error:
                log.warning("gauge not read", gauge=gauge.name, exc_info=error)
                unreadable.add_metric([gauge.name], 1)
                continue
            family = GaugeMetricFamily(
                f"tongzhou_{gauge.name}", gauge.help, labels=[gauge.label] if gauge.label else []
            )
            for value, number in found.items() if isinstance(found, Mapping) else [("", found)]:
                family.add_metric([value] if gauge.label else [], number)
            yield family
        yield unreadable


# -- Collecting -------------------------------------------------------------------------------------------


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """For the collector that knows METRICS_TOKEN; without such a token in the settings there is nothing here."""
    if not settings.METRICS_TOKEN:
        raise Http404
    if not constant_time_compare(
        request.headers.get("Authorization", ""), f"Bearer {settings.METRICS_TOKEN}"
    ):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        registry.register(cast(Collector, REGISTRY))
    registry.register(LookedUp())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
