"""The Celery app. The broker is only a doorbell: truth, leases and retries live in PostgreSQL."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("tongzhou")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["supplies.journal", "supplies.desks", "matching"])
