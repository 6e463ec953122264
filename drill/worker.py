"""The worker's Celery app as drills run it: with the points at which it can be killed or stopped.

celery -A drill.worker worker …
"""

import logging
import os
from pathlib import Path
from typing import Any

import django
from celery.signals import task_prerun

from config.celery import app

django.setup()

from drill import points  # noqa: E402  (once Django is set up)

__all__ = ["app"]

log = logging.getLogger(__name__)
points.install(Path(os.environ["STATE_DIR"]))


@task_prerun.connect
def say_what_is_delivered(task: Any, **_more: Any) -> None:
    log.warning(f"delivered {task.name}")  # the log keeps no values of others
