from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.errors import MoveRefused, NotEligible, NotEnoughLeft
from supplies.needs import services as asking
from supplies.needs.models import Need
from supplies.offers import services as giving
from supplies.offers.models import Offer
from supplies.organisations import services as people
from tests.makers import (
    NOW,
    make_allocation,
    make_emergency,
    make_facility,
    make_need,
    make_offer,
    make_region,
)

pytestmark = pytest.mark.django_db


def test_a_promise_reserves_both_sides() -> None:
    need, offer = make_need(quantity=300), make_offer(quantity=500)

    ledger.allocate(need, offer, 200, by=None, at=NOW)

    need.refresh_from_db()
    offer.refresh_from_db()
    assert (need.quantity_promised, need.quantity_outstanding) == (200, 100)
    assert (offer.quantity_allocated, offer.quantity_open) == (200, 300)


def test_more_than_an_offer_holds_is_refused_with_what_is_left() -> None:
    offer = make_offer(quantity=10)

    with pytest.raises(NotEnoughLeft) as refusal:
        make_allocation(11, offer=offer)

    assert "10" in str(refusal.value.detail)
    assert refusal.value.code == "not-enough-left"


def test_more_than_a_need_lacks_is_refused_and_leaves_the_offer_alone() -> None:
    need, offer = make_need(quantity=10), make_offer(quantity=100)

    with pytest.raises(NotEnoughLeft):
        make_allocation(11, need=need, offer=offer)

    offer.refresh_from_db()
    assert offer.quantity_allocated == 0


def test_the_database_refuses_an_oversold_offer_whatever_the_code_does() -> None:
    offer = make_offer(quantity=10)

    with pytest.raises(IntegrityError, match="offer_not_promised_beyond_what_it_holds"), transaction.atomic():
        Offer.objects.filter(pk=offer.pk).update(quantity_allocated=11)


def test_the_database_refuses_an_overfilled_need_whatever_the_code_does() -> None:
    need = make_need(quantity=10)

    with pytest.raises(IntegrityError, match="need_not_promised_beyond_what_it_asks"), transaction.atomic():
        Need.objects.filter(pk=need.pk).update(
            quantity_promised=5, quantity_in_transit=4, quantity_received=2
        )


def test_directed_goods_are_never_redirected() -> None:
    meant = make_facility()
    offer = make_offer(directed_facility=meant)

    with pytest.raises(NotEligible) as refusal:
        make_allocation(10, offer=offer)

    assert refusal.value.code == "directed-elsewhere"
    make_allocation(10, need=make_need(meant), offer=offer)


def test_goods_directed_to_a_region_stay_in_it() -> None:
    hubei, elsewhere = make_region().parent, make_region("310101", "演练区")
    offer = make_offer(directed_region=hubei)

    with pytest.raises(NotEligible):
        make_allocation(10, need=make_need(make_facility(region=elsewhere)), offer=offer)

    make_allocation(10, need=make_need(make_facility(region=make_region())), offer=offer)


def test_a_paused_facility_is_promised_nothing() -> None:
    need = make_need()
    people.pause(need.appeal.facility, reason="full", by=None, at=NOW)

    with pytest.raises(NotEligible) as refusal:
        make_allocation(10, need=need)

    assert refusal.value.code == "facility-paused"


def test_two_emergencies_do_not_share_goods() -> None:
    offer = make_offer(emergency=make_emergency("quake-2026"))

    with pytest.raises(NotEligible):
        make_allocation(10, offer=offer)


def test_a_withdrawn_offer_is_promised_to_nobody() -> None:
    offer = giving.withdraw_offer(make_offer(), by=None, at=NOW)

    with pytest.raises(NotEligible):
        make_allocation(10, offer=offer)


def test_releasing_gives_both_sides_back_and_opens_a_spent_offer_again() -> None:
    need, offer = make_need(quantity=500), make_offer(quantity=100)
    allocation = make_allocation(100, need=need, offer=offer)
    offer.refresh_from_db()
    assert offer.status == "spent"

    ledger.release(allocation, reason="the donor has nothing left", by=None, at=NOW)

    need.refresh_from_db()
    offer.refresh_from_db()
    assert (need.quantity_promised, offer.quantity_allocated, offer.status) == (0, 0, "open")


def test_what_was_released_cannot_be_released_again() -> None:
    allocation = make_allocation(10)
    ledger.release(allocation, reason="", by=None, at=NOW)

    with pytest.raises(MoveRefused):
        ledger.release(allocation, reason="", by=None, at=NOW)

    allocation.need.refresh_from_db()
    assert allocation.need.quantity_promised == 0


def test_a_promise_that_was_not_shipped_in_time_is_released() -> None:
    allocation = make_allocation(10)

    assert ledger.release_overdue(at=NOW + timedelta(days=6)) == 0
    assert ledger.release_overdue(at=NOW + timedelta(days=8)) == 1

    allocation.refresh_from_db()
    assert allocation.status == "released"


def test_a_split_promise_adds_up_to_the_whole() -> None:
    allocation = make_allocation(100)

    ledger.split(allocation, 30, by=None, at=NOW)

    assert sorted(Allocation.objects.values_list("quantity", flat=True)) == [30, 70]
    allocation.need.refresh_from_db()
    assert allocation.need.quantity_promised == 100


@pytest.mark.parametrize("quantity", [0, -1, 100, 101])
def test_a_split_leaves_something_on_both_parts(quantity: int) -> None:
    with pytest.raises(NotEnoughLeft):
        ledger.split(make_allocation(100), quantity, by=None, at=NOW)


def test_an_unlimited_need_takes_no_more_than_is_plausible() -> None:
    need = make_need(quantity=None, quantity_kind="unlimited")

    with pytest.raises(NotEnoughLeft):
        make_allocation(1_000_001, need=need, offer=make_offer(quantity=2_000_000))
    make_allocation(1_000_000, need=need, offer=make_offer(quantity=2_000_000))


def test_a_confirmed_unlimited_need_asks_for_the_assumed_quantity_anew() -> None:
    need = make_need(quantity=None, quantity_kind="unlimited")
    Need.objects.filter(pk=need.pk).update(quantity_received=9_000)
    need.refresh_from_db()
    assert need.quantity_outstanding == 1_000

    asking.confirm(need, by=None, at=NOW)

    need.refresh_from_db()
    assert need.quantity_outstanding == 10_000
