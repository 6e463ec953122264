from celery import shared_task
from django.utils import timezone

from supplies.notices import carrying, following, reminding, sending, services


@shared_task(name="notices.carry")
def carry() -> None:
    carrying.carry()


@shared_task(name="notices.forget")
def forget() -> None:
    at = timezone.now()
    services.forget(at=at)
    following.forget(at=at)
    sending.forget(at=at)


@shared_task(name="notices.tell")
def tell() -> None:
    sending.tell(at=timezone.now())


@shared_task(name="notices.remind")
def remind() -> None:
    reminding.remind(at=timezone.now())
