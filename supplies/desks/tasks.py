from celery import shared_task
from django.utils import timezone

from supplies.allocations.services import release_overdue
from supplies.attachments import services as attachments
from supplies.duplicates.services import find_duplicates
from supplies.intake.listing import match_listed
from supplies.lanes.services import observe
from supplies.needs.counting import count_open
from supplies.needs.reminders import remind
from supplies.needs.services import grey
from supplies.needs.services import lapse as lapse_needs
from supplies.offers.services import lapse as lapse_offers
from supplies.organisations.services import mark_to_check_again
from supplies.privacy.services import erase_expired
from supplies.receipts.services import remind as remind_senders


@shared_task(name="desks.end_what_is_over")
def end_what_is_over() -> None:
    at = timezone.now()
    remind(at=at)
    grey(at=at)
    lapse_needs(at=at)
    lapse_offers(at=at)
    release_overdue(at=at)
    erase_expired(at=at)


@shared_task(name="desks.once_a_day")
def once_a_day() -> None:
    at = timezone.now()
    mark_to_check_again(at=at)
    match_listed(at=at)
    find_duplicates(at=at)
    remind_senders(at=at)
    observe(at=at)
    attachments.erase_expired(at=at)
    attachments.sweep(at=at)


@shared_task(name="desks.count_open_needs")
def count_open_needs() -> None:
    count_open(at=timezone.now())
