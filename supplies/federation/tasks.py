from celery import shared_task
from django.utils import timezone

from supplies.federation.services import pull_all


@shared_task(name="federation.pull")
def pull() -> None:
    pull_all(at=timezone.now())
