from celery import shared_task
from django.utils import timezone

from supplies.journal import chain, mail, once, services


@shared_task(name="journal.dispatch")
def dispatch() -> None:
    services.take_bell_down()
    services.dispatch(at=timezone.now())


@shared_task(name="journal.carry_mail")
def carry_mail() -> None:
    mail.carry(at=timezone.now())


@shared_task(name="journal.forget")
def forget() -> None:
    at = timezone.now()
    once.forget(at=at)
    mail.forget(at=at)


@shared_task(name="journal.seal")
def seal() -> None:
    chain.seal(at=timezone.now())


@shared_task(name="journal.verify")
def verify() -> None:
    chain.check(at=timezone.now())
