from celery import shared_task
from django.utils import timezone

from supplies.allocations.services import release_overdue
from supplies.needs.services import lapse as lapse_needs
from supplies.offers.services import lapse as lapse_offers
from supplies.privacy.services import erase_expired


@shared_task(name="desks.end_what_is_over")
def end_what_is_over() -> None:
    at = timezone.now()
    lapse_needs(at=at)
    lapse_offers(at=at)
    release_overdue(at=at)
    erase_expired(at=at)
