"""Is this process alive, and can it serve? For whoever starts, stops and routes to it; both answer in JSON."""

from collections.abc import Callable
from functools import cache as remembered

from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from config.celery import glance_at_broker


@require_safe
def live(request: HttpRequest) -> JsonResponse:
    """The process answers. Asks nobody, so that a database that is down restarts no web server."""
    return JsonResponse({"alive": True})


@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """503 while the database, its tables or the cache are missing. The broker is named only: it is a doorbell."""
    parts = {"database": _works(_database), "migrations": _works(_migrations), "cache": _works(_cache)}
    is_ready = all(parts.values())
    body = {"ready": is_ready, **parts, "broker": _works(_broker)}
    return JsonResponse(body, status=200 if is_ready else 503)


def _works(part: Callable[[], object]) -> bool:
    try:
        return bool(part())
    except Exception:  # whatever it is, the part does not work
        return False


def _database() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def _migrations() -> bool:
    if not _are_applied():
        _are_applied.cache_clear()
        return False
    return True


@remembered
def _are_applied() -> bool:
    """Once applied they stay so for this process, which was started for them."""
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def _cache() -> bool:
    cache.set("ready", 1, timeout=10)
    return bool(cache.get("ready") == 1)


def _broker() -> bool:
    with glance_at_broker() as broker:
        return broker.default_channel is not None
