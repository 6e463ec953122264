"""Several processes promise the same goods at once. Each race has a control that must oversell, else it proves nothing.

`./run bench races` runs the same races at full size.
"""

import pytest

from bench.races import Outcome, race
from supplies.needs.models import Need
from supplies.offers.models import Offer
from tests.makers import make_need, make_offer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
RACERS, TRIES = 4, 60


def run_race(how: str, need: Need, offer: Offer) -> Outcome:
    return race(how, [need], [offer], racers=RACERS, tries=TRIES)


@pytest.mark.breaks_the_books
def test_the_control_without_a_guard_oversells() -> None:
    outcome = run_race("naive", make_need(quantity=100_000), make_offer(quantity=100))

    assert outcome.oversold > 0


def test_an_offer_is_never_promised_beyond_what_it_holds() -> None:
    need, offer = make_need(quantity=100_000), make_offer(quantity=100)

    outcome = run_race("guarded", need, offer)

    offer.refresh_from_db()
    need.refresh_from_db()
    assert outcome.promised == offer.quantity_allocated == need.quantity_promised == 100
    assert (outcome.oversold, outcome.deadlocks, outcome.refused) == (0, 0, RACERS * TRIES - 100)
    assert offer.status == "spent"


def test_a_need_is_never_promised_more_than_it_asked_for() -> None:
    need, offer = make_need(quantity=100), make_offer(quantity=100_000)

    outcome = run_race("guarded", need, offer)

    need.refresh_from_db()
    offer.refresh_from_db()
    assert outcome.promised == offer.quantity_allocated == need.quantity_promised == 100
    assert (outcome.deadlocks, outcome.refused) == (0, RACERS * TRIES - 100)
