"""One line a task: which, how long it waited and ran, and what became of it; never what it was given.

The id of the request that rang travels along, so that one grep shows the request and all it set in motion.
"""

import time
from collections.abc import Mapping
from typing import Any

import structlog
from celery import Task, signals
from celery.app.trace import SUCCESS
from django.conf import settings

from config import metrics
from config.logs import configure

log = structlog.get_logger("config.tasks")


@signals.setup_logging.connect
def _as_the_site_does(**_more: Any) -> None:
    """Celery's own way of writing is not asked for."""
    configure(settings.LOGGING)


@signals.before_task_publish.connect
def _take_along(headers: dict[str, Any], **_more: Any) -> None:
    headers["sent_at"] = time.time()
    headers["request_id"] = structlog.contextvars.get_contextvars().get("request_id")


@signals.task_prerun.connect
def _begin(task_id: str, task: Task, **_more: Any) -> None:
    request: Any = task.request
    given: Mapping[str, Any] = request.get("headers") or vars(request)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(
        task=task.name, task_id=task_id, request_id=given.get("request_id")
    )
    request.began = time.perf_counter()
    if sent_at := given.get("sent_at"):
        request.waited = max(0.0, time.time() - sent_at)
        metrics.TASK_WAITED.labels(task.name).observe(request.waited)


@signals.task_postrun.connect
def _end(task: Task, state: str, **_more: Any) -> None:
    request: Any = task.request
    ran, waited = time.perf_counter() - request.began, request.get("waited")
    metrics.TASKS.labels(task.name, state.lower()).inc()
    metrics.TASK_SECONDS.labels(task.name).observe(ran)
    say = log.info if state == SUCCESS else log.error
    say("task", outcome=state.lower(), ms=round(ran * 1000), waited_ms=waited and round(waited * 1000))
    structlog.contextvars.clear_contextvars()
