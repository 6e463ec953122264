"""The donor's desk: what became of each gift, and what stands on the parcel."""

from typing import Any

import pytest
from django.urls import reverse

from supplies.allocations.models import Allocation, AllocationStatus
from supplies.desks.donor import Line
from supplies.offers.models import Donation
from supplies.receipts.models import Thanks
from tests.makers import (
    NOW,
    make_allocation,
    make_donation,
    make_facility,
    make_member,
    make_need,
    make_offer,
    make_shipment,
)
from tests.page_client import reader

pytestmark = pytest.mark.django_db
HERE = reverse("my-gifts")


@pytest.fixture
def donor() -> Any:
    return make_member("donor")


def gift_of(donor: Any, **line: Any) -> Any:
    return make_offer(donor.memberships.get().organisation, **line)


def test_a_gift_shows_what_became_of_each_line(donor: Any) -> None:
    offer = gift_of(donor, quantity=1000)
    make_allocation(400, need=make_need(quantity=400), offer=offer)

    page = reader(donor).get(HERE)

    ((gift, (line,)),) = page.context["gifts"]
    assert gift == offer.donation
    assert (line.quantity_promised, line.quantity_outstanding, line.quantity_received) == (400, 600, 0)
    assert "promised 400 pieces" in page.content.decode()
    assert "left 600 pieces" in page.content.decode()


def test_nobody_elses_gifts_are_there(donor: Any) -> None:
    other = make_offer().donation

    page = reader(donor).get(HERE)
    one = reader(donor).get(reverse("my-gift", args=[other.pk]))

    assert page.context["gifts"] == []
    assert "You have not offered anything yet." in page.content.decode()
    assert one.status_code == 404


def test_a_volunteer_sees_others_gifts_elsewhere_not_as_her_own() -> None:
    other = make_offer().donation

    assert reader(make_member("volunteer")).get(reverse("my-gift", args=[other.pk])).status_code == 404


def test_what_to_write_on_the_parcel_names_the_dock_and_no_person(donor: Any) -> None:
    facility = make_facility(name="Harbour hospital", address="Gate 3, ring 13800001234")
    offer = gift_of(donor, quantity=1000, lot_number="L7")
    make_allocation(400, need=make_need(facility, quantity=400), offer=offer)

    page = reader(donor).get(reverse("my-gift", args=[offer.donation_id]))

    (promise,) = page.context["promises"]
    words = "\n".join(promise.words)
    assert "Donated goods – not for sale" in words
    assert "Harbour hospital" in words
    assert "Gate 3" in words
    assert "lot L7" in words
    assert "13800001234" not in page.content.decode()
    assert promise.shipment is None


def test_the_label_is_there_once_the_transport_is_arranged(donor: Any) -> None:
    allocation = make_allocation(400, need=make_need(quantity=400), offer=gift_of(donor, quantity=1000))
    shipment = make_shipment(allocation)

    page = reader(donor).get(reverse("my-gift", args=[allocation.offer.donation_id]))

    assert reverse("shipment-paper", args=[shipment.pk, "labels"]) in page.content.decode()
    assert shipment.code in page.content.decode()


def test_once_it_has_arrived_the_thanks_stand_there_and_the_label_is_asked_for_no_more(donor: Any) -> None:
    allocation = make_allocation(400, need=make_need(quantity=400), offer=gift_of(donor, quantity=1000))
    shipment = make_shipment(allocation)
    Allocation.objects.update(status=AllocationStatus.SETTLED)
    Thanks.objects.create(shipment=shipment, words="All is well, call 13800001234", at=NOW)

    page = reader(donor).get(reverse("my-gift", args=[allocation.offer.donation_id])).content.decode()

    assert "All is well" in page
    assert "13800001234" not in page
    assert reverse("shipment-paper", args=[shipment.pk, "labels"]) not in page
    assert "What stands on the parcel" in page


def test_thanks_that_were_withheld_do_not_stand_there(donor: Any) -> None:
    allocation = make_allocation(400, need=make_need(quantity=400), offer=gift_of(donor, quantity=1000))
    thanks = {"withheld_at": NOW, "withheld_because": "an advertisement"}
    Thanks.objects.create(shipment=make_shipment(allocation), words="Buy here", at=NOW, **thanks)

    page = reader(donor).get(reverse("my-gift", args=[allocation.offer.donation_id]))

    assert "Buy here" not in page.content.decode()


@pytest.mark.parametrize("gifts", [1, 4])
def test_the_desk_asks_the_database_as_often_for_many_gifts(
    donor: Any, gifts: int, django_assert_num_queries: Any
) -> None:
    for _ in range(gifts):
        make_allocation(400, need=make_need(quantity=400), offer=gift_of(donor, quantity=1000))
    client = reader(donor)
    client.get(HERE)  # the session is written once in a while

    with django_assert_num_queries(8):
        client.get(HERE)


@pytest.mark.parametrize("promises", [1, 4])
def test_a_gift_asks_the_database_as_often_for_many_promises(
    donor: Any, promises: int, django_assert_max_num_queries: Any
) -> None:
    offer = gift_of(donor, quantity=1000)
    for _ in range(promises):
        make_shipment(make_allocation(100, need=make_need(quantity=100), offer=offer))
    client = reader(donor)
    client.get(HERE)  # the session is written once in a while

    with django_assert_max_num_queries(12):
        client.get(reverse("my-gift", args=[offer.donation_id]))


def test_what_was_lost_or_not_good_is_told_apart_from_what_was_received() -> None:
    line = Line(make_offer(quantity=1000), {"lost": 50, "settled": 300}, received=280, counted=300)

    assert (line.quantity_received, line.astray) == (280, 70)


def test_a_gift_that_was_sent_back_says_why(donor: Any) -> None:
    donation = make_donation(donor.memberships.get().organisation, published=False)
    Donation.objects.filter(pk=donation.pk).update(status="refused", refusal="The lot number is missing.")

    assert "The lot number is missing." in reader(donor).get(HERE).content.decode()
