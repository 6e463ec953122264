from celery import shared_task
from django.utils import timezone

from supplies.carriers import polling, services


@shared_task(name="carriers.sweep")
def sweep() -> None:
    services.apply_parked(at=timezone.now())


@shared_task(name="carriers.forget")
def forget() -> None:
    at = timezone.now()
    services.give_up(at=at)
    services.forget(at=at)


@shared_task(name="carriers.poll")
def poll() -> None:
    polling.poll_all(at=timezone.now())
