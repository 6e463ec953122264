"""One racer of the race tests: its own process, its own connection.

python -m tests.supplies.allocations.racing guarded|naive NEED OFFER QUANTITY TRIES
"""

import sys
from typing import Any

import django

django.setup()

from django.db import connection, transaction  # noqa: E402  (settings first)
from django.utils import timezone  # noqa: E402

from supplies.allocations.models import Allocation  # noqa: E402
from supplies.allocations.services import allocate  # noqa: E402
from supplies.errors import Refused  # noqa: E402
from supplies.needs.models import Need  # noqa: E402
from supplies.offers.models import Offer  # noqa: E402

START = 77  # an advisory lock: the test holds it until every racer stands at the line


def guarded(need: Need, offer: Offer, quantity: int) -> None:
    allocate(need, offer, quantity, by=None, at=timezone.now())


def naive(need: Need, offer: Offer, quantity: int) -> None:
    """What a hurried programmer writes: look, then leap. The control that must oversell."""
    with transaction.atomic():
        offer = Offer.objects.get(pk=offer.pk)
        if offer.quantity_open >= quantity:
            now = timezone.now()
            Allocation.objects.create(need=need, offer=offer, quantity=quantity, created_at=now, due_at=now)
            offer.quantity_allocated += quantity
            offer.save(update_fields=["quantity_allocated"])


def race(how: str, need_id: str, offer_id: str, quantity: int, tries: int) -> int:
    """How many attempts were refused."""
    need, offer = Need.objects.get(pk=need_id), Offer.objects.get(pk=offer_id)
    attempt: Any = {"guarded": guarded, "naive": naive}[how]
    print("ready", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [START])
    refused = 0
    for _ in range(tries):
        try:
            attempt(need, offer, quantity)
        except Refused:
            refused += 1
    return refused


if __name__ == "__main__":
    print(race(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
