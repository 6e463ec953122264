from celery import shared_task
from django.utils import timezone

from supplies.allocations.services import release_overdue
from supplies.needs.services import count_open
from supplies.needs.services import lapse as lapse_needs
from supplies.offers.services import lapse as lapse_offers
from supplies.organisations.services import erase_contacts


@shared_task(name="desks.end_what_is_over")
def end_what_is_over() -> None:
    at = timezone.now()
    lapse_needs(at=at)
    lapse_offers(at=at)
    release_overdue(at=at)
    erase_contacts(at=at)


@shared_task(name="desks.count_open_needs")
def count_open_needs() -> None:
    count_open(at=timezone.now())
