from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError

from supplies.errors import NotEligible, Refused
from supplies.journal.models import Event
from supplies.offers import services as giving
from supplies.offers.models import Donation, Offer
from tests.makers import (
    NOW,
    TODAY,
    make_allocation,
    make_donation,
    make_facility,
    make_need,
    make_offer,
    make_region,
    make_user,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": -5}, "quantity"),
        ({"quantity": 10**14}, "quantity"),
        ({"expires_on": TODAY}, "expires_on"),
        ({"pack": 2_000}, "pack"),
        ({"min_lot": 2_000}, "min_lot"),
        ({"available_from": TODAY + timedelta(days=5), "available_until": TODAY}, "available_until"),
    ],
)
def test_a_faulty_line_is_refused_by_its_field_and_nothing_is_stored(line: dict, field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        make_offer(**line)

    assert list(refusal.value.message_dict) == [f"lines.0.{field}"]
    assert Donation.objects.count() == Offer.objects.count() == 0


def test_goods_are_directed_to_a_facility_or_a_region_but_not_both() -> None:
    with pytest.raises(ValidationError, match="one facility"):
        make_donation(directed_facility=make_facility(), directed_region=make_region())


def test_a_donation_waits_until_a_volunteer_has_read_it(volunteer) -> None:
    donation = make_donation(published=False)
    assert donation.offers.get().status == "waiting"

    giving.publish(donation, by=volunteer, at=NOW)

    assert donation.offers.get().status == "open"


def test_who_posted_a_donation_does_not_publish_it(volunteer) -> None:
    with pytest.raises(NotEligible):
        giving.publish(make_donation(published=False, by=volunteer), by=volunteer, at=NOW)


def test_a_refusal_says_why(volunteer) -> None:
    with pytest.raises(Refused):
        giving.refuse(make_donation(published=False), reason="", by=volunteer, at=NOW)


def test_withdrawing_leaves_what_is_promised() -> None:
    offer = make_offer(quantity=100)
    allocation = make_allocation(60, offer=offer)

    giving.withdraw_offer(offer, by=None, at=NOW)

    allocation.refresh_from_db()
    offer.refresh_from_db()
    assert (allocation.status, offer.status, offer.quantity_allocated) == ("reserved", "withdrawn", 60)


def test_an_expired_offer_lapses() -> None:
    make_offer(expires_on=TODAY + timedelta(days=3))

    assert giving.lapse(at=NOW + timedelta(days=2)) == 0
    assert giving.lapse(at=NOW + timedelta(days=3)) == 1


def test_who_gives_is_not_public() -> None:
    giver, stranger = make_user(), make_user()
    donation = make_donation(by=giver)

    assert not Donation.objects.visible_to(stranger).exists()
    assert Donation.objects.visible_to(giver).get() == donation
    assert Offer.objects.visible_to(stranger).exists()


def test_a_donation_whose_goods_are_all_promised_is_closed() -> None:
    offer = make_offer(quantity=100)

    make_allocation(100, offer=offer, need=make_need(quantity=100))

    assert Donation.objects.get().status == "closed"


# --- changing a lot


def test_a_lot_is_changed_and_the_journal_says_what() -> None:
    offer = make_offer(quantity=100)

    changed = giving.change(
        offer, quantity=80, min_lot=20, available_until=TODAY + timedelta(days=3), by=None, at=NOW
    )

    assert (changed.quantity, changed.quantity_open, changed.min_lot) == (80, 80, 20)
    event = Event.objects.about(offer).get(kind="offer.changed")
    assert event.facts["changed"] == ["available_until", "min_lot", "quantity"]
    assert event.facts["item"] == offer.item_id


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 10**14}, "quantity"),
        ({"quantity": 40}, "pack"),
        ({"min_lot": 101}, "min_lot"),
        ({"min_lot": 0}, "min_lot"),
        ({"available_until": TODAY - timedelta(days=1)}, "available_until"),
        (
            {"available_from": TODAY + timedelta(days=9), "available_until": TODAY + timedelta(days=5)},
            "available_until",
        ),
        ({"max_km": -1}, "max_km"),
    ],
)
def test_a_faulty_change_is_refused_by_its_field_and_changes_nothing(change: dict, field: str) -> None:
    offer = make_offer(quantity=100, pack=50)

    with pytest.raises(ValidationError) as refusal:
        giving.change(offer, by=None, at=NOW, **change)

    assert list(refusal.value.message_dict) == [field]
    offer.refresh_from_db()
    assert (offer.quantity, offer.min_lot, offer.available_until, offer.max_km) == (100, 1, None, None)


def test_the_first_day_is_not_moved_beyond_the_last() -> None:
    offer = make_offer(available_until=TODAY + timedelta(days=5))

    with pytest.raises(ValidationError) as refusal:
        giving.change(offer, available_from=TODAY + timedelta(days=9), by=None, at=NOW)

    assert list(refusal.value.message_dict) == ["available_from"]


def test_a_lot_does_not_shrink_below_what_is_promised_of_it() -> None:
    offer = make_offer(quantity=100)
    make_allocation(60, offer=offer)

    with pytest.raises(Refused) as refusal:
        giving.change(offer, quantity=59, by=None, at=NOW)
    assert refusal.value.code == "below-what-is-promised"
    assert "60" in str(refusal.value.detail)

    assert giving.change(offer, quantity=60, by=None, at=NOW).status == "spent"


def test_a_lot_that_was_given_away_and_grows_is_open_again() -> None:
    offer = make_offer(quantity=100)
    make_allocation(100, offer=offer, need=make_need(quantity=100))
    assert Donation.objects.get().status == "closed"

    changed = giving.change(offer, quantity=130, by=None, at=NOW)

    assert (changed.status, changed.quantity_open) == ("open", 30)
    assert Donation.objects.get().status == "published"


def test_what_the_goods_are_is_not_changed_behind_the_volunteers_back() -> None:
    with pytest.raises(TypeError):
        giving.change(make_offer(), expires_on=TODAY, by=None, at=NOW)


def test_an_offer_that_is_over_is_not_changed() -> None:
    offer = giving.withdraw_offer(make_offer(), by=None, at=NOW)

    with pytest.raises(Refused) as refusal:
        giving.change(offer, quantity=5, by=None, at=NOW)

    assert refusal.value.code == "move-refused"
