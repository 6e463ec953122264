"""Several processes promise the same goods at once. Each race has a control that must oversell, else it proves nothing."""

import pytest
from django.db import connection
from django.db.models import Sum

from supplies.needs.models import Need
from supplies.offers.models import Offer
from tests.makers import make_need, make_offer
from tests.processes import finish, start
from tests.supplies.allocations.racing import START

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
RACERS, TRIES = 4, 60


def run_race(how: str, need: Need, offer: Offer, *, quantity: int = 1) -> int:
    """Let all racers go at once; returns how many attempts were refused."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [START])
        racers = [
            start(
                "-m",
                "tests.supplies.allocations.racing",
                how,
                str(need.pk),
                str(offer.pk),
                str(quantity),
                str(TRIES),
            )
            for _ in range(RACERS)
        ]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n", racer.stderr and racer.stderr.read()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [START])
    return sum(int(out) for out in finish(*racers))


def promised(offer: Offer) -> int:
    return offer.allocations.aggregate(total=Sum("quantity"))["total"] or 0


def test_the_control_without_a_guard_oversells() -> None:
    need, offer = make_need(quantity=100_000), make_offer(quantity=100)

    run_race("naive", need, offer)

    assert promised(offer) > 100


def test_an_offer_is_never_promised_beyond_what_it_holds() -> None:
    need, offer = make_need(quantity=100_000), make_offer(quantity=100)

    refused = run_race("guarded", need, offer)

    offer.refresh_from_db()
    need.refresh_from_db()
    assert promised(offer) == offer.quantity_allocated == need.quantity_promised == 100
    assert refused == RACERS * TRIES - 100
    assert offer.status == "spent"


def test_a_need_is_never_promised_more_than_it_asked_for() -> None:
    need, offer = make_need(quantity=100), make_offer(quantity=100_000)

    refused = run_race("guarded", need, offer, quantity=3)

    need.refresh_from_db()
    offer.refresh_from_db()
    assert promised(offer) == offer.quantity_allocated == need.quantity_promised == 99
    assert refused == RACERS * TRIES - 33
