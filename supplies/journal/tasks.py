from celery import shared_task
from django.utils import timezone

from supplies.journal import services


@shared_task(name="journal.dispatch")
def dispatch() -> None:
    services.dispatch(at=timezone.now())
