"""A worker of the tests: does one task after the other, each when it is told to, at the moment it is told.

python -m tests.doing

Reads lines of JSON, {"task": name, "args": [...], "at": moment}; answers "ready", waits for START, does it, answers "done".
"""

import json
import sys
from datetime import datetime
from typing import Any

import django

django.setup()

import time_machine  # noqa: E402  (settings first)
from django.db import connection  # noqa: E402

from config.celery import app  # noqa: E402
from supplies.journal.models import Outgoing  # noqa: E402
from supplies.journal.services import record  # noqa: E402
from tests.processes import START  # noqa: E402

app.loader.import_default_modules()


@app.task(name="planted.naive")
def naive() -> None:
    """What a hurried programmer writes: look, then leap. The control that must do it twice."""
    waiting = list(Outgoing.objects.waiting().select_related("event"))
    _line_up(START + 1)
    for outgoing in waiting:
        record(outgoing.event, "planted.heard", by=None, at=outgoing.due_at)
        Outgoing.objects.filter(pk=outgoing.pk).update(done_at=outgoing.due_at)


def _line_up(line: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [line])
        cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [line])


def do(order: dict[str, Any]) -> None:
    print("ready", flush=True)
    _line_up(START)
    with time_machine.travel(datetime.fromisoformat(order["at"]), tick=False):
        app.tasks[order["task"]](*order["args"])
    connection.close()
    print("done", flush=True)


if __name__ == "__main__":
    for line in sys.stdin:
        do(json.loads(line))
