"""One racer for goods: its own process, its own connection.

python -m bench.racing guarded|naive SEED TRIES NEED,NEED,… OFFER,OFFER,…

Promises one unit of an offer to a need, both drawn by lot, so often; prints what came of it as JSON.
"""

import json
import random
import sys
import time

import django

django.setup()

from django.db import OperationalError, connection, transaction  # noqa: E402  (settings first)
from django.utils import timezone  # noqa: E402

from supplies.allocations.models import Allocation  # noqa: E402
from supplies.allocations.services import allocate  # noqa: E402
from supplies.errors import Refused  # noqa: E402
from supplies.needs.models import Need  # noqa: E402
from supplies.offers.models import Offer  # noqa: E402

START = 77  # an advisory lock: whoever lets them race holds it until every racer stands at the line


def wait_for_the_start() -> None:
    print("ready", flush=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [START])


def guarded(need: Need, offer: Offer) -> None:
    allocate(need, offer, 1, by=None, at=timezone.now())


def naive(need: Need, offer: Offer) -> None:
    """What a hurried programmer writes: look, then leap. The control that must oversell."""
    with transaction.atomic():
        offer = Offer.objects.get(pk=offer.pk)
        if offer.quantity_open < 1:
            raise Refused("nothing left")
        now = timezone.now()
        Allocation.objects.create(need=need, offer=offer, quantity=1, created_at=now, due_at=now)
        offer.quantity_allocated += 1
        offer.save(update_fields=["quantity_allocated"])


def race(how: str, seed: int, tries: int, needs: list[Need], offers: list[Offer]) -> dict[str, float]:
    attempt, chance = {"guarded": guarded, "naive": naive}[how], random.Random(seed)
    found = {"promised": 0, "refused": 0, "deadlocks": 0}
    wait_for_the_start()
    began = time.monotonic()
    for _ in range(tries):
        try:
            attempt(chance.choice(needs), chance.choice(offers))
            found["promised"] += 1
        except Refused:
            found["refused"] += 1
        except OperationalError as error:
            if "deadlock" not in str(error):
                raise
            found["deadlocks"] += 1
    return {**found, "seconds": time.monotonic() - began}


if __name__ == "__main__":
    how, seed, tries, *keys = sys.argv[1:]
    needs, offers = (each.split(",") for each in keys)
    rows = list(Need.objects.filter(pk__in=needs)), list(Offer.objects.filter(pk__in=offers))
    print(json.dumps(race(how, int(seed), int(tries), *rows)))
