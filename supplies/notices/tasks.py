from celery import shared_task
from django.utils import timezone

from supplies.notices import carrying, following, services


@shared_task(name="notices.carry")
def carry() -> None:
    carrying.carry()


@shared_task(name="notices.forget")
def forget() -> None:
    at = timezone.now()
    services.forget(at=at)
    following.forget(at=at)
