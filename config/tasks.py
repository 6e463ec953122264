import time

from celery import shared_task
from django.core.cache import cache

from config.metrics import PROBE


@shared_task(name="site.probe")
def probe() -> None:
    """Shows that a worker takes tasks from the queue; the metric tells how long ago the last one did."""
    cache.set(PROBE, time.time(), timeout=None)
