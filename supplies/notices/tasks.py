from celery import shared_task
from django.utils import timezone

from supplies.notices import carrying, services


@shared_task(name="notices.carry")
def carry() -> None:
    carrying.carry()


@shared_task(name="notices.forget")
def forget() -> None:
    services.forget(at=timezone.now())
