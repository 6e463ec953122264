"""The Celery app. The broker is only a doorbell: truth, leases and retries live in PostgreSQL."""

import os

from celery import Celery
from kombu import Connection

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tongzhou")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    [
        *("config", "supplies.journal", "supplies.desks", "supplies.intake", "supplies.opendata"),
        *("supplies.carriers", "supplies.federation", "supplies.notices", "matching"),
    ]
)


def glance_at_broker() -> Connection:
    """A connection that gives up within a second or two: to look at the broker, never to work with it."""
    quickly = {"socket_connect_timeout": 1, "socket_timeout": 1, "max_retries": 1, "interval_start": 0}
    return app.connection_for_read(connect_timeout=1, transport_options=quickly)
