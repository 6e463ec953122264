from celery import shared_task
from django.utils import timezone

from supplies.intake import services


@shared_task(name="intake.work")
def work(batch_id: str) -> None:
    services.work(batch_id, at=timezone.now())


@shared_task(name="intake.sweep")
def sweep() -> None:
    services.sweep(at=timezone.now())
