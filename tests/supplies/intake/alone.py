"""A worker of intake in a process of its own, to be stopped in the middle.

python -m tests.supplies.intake.alone work|careless BATCH

careless   notes how far it came before it has come so far: what a worker that is stopped must not do
"""

import sys

import django

django.setup()

from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402  (settings first)

from supplies.intake import services  # noqa: E402
from supplies.intake.entering import enter_rows  # noqa: E402
from supplies.intake.models import Import, StagedRow  # noqa: E402
from supplies.intake.understanding import Run  # noqa: E402


def careless(batch_id: str) -> None:
    batch = Import.objects.get(pk=batch_id)
    rows = list(StagedRow.objects.to_enter(batch))
    Import.objects.filter(pk=batch_id).update(next_row=batch.rows_read + 1)
    with transaction.atomic():
        enter_rows(batch, Run.of(batch, at=timezone.now()), rows)


if __name__ == "__main__":
    how, batch_id = sys.argv[1:]
    if how == "careless":
        careless(batch_id)
    else:
        services.work(batch_id, at=timezone.now())
