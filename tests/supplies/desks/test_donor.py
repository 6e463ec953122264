"""The donor's desk: what became of each gift, and what stands on the parcel."""

from itertools import permutations
from typing import Any

import pytest
from django.urls import reverse

from supplies.allocations.models import Allocation, AllocationStatus
from supplies.desks.donor import Line
from supplies.journal.models import Event
from supplies.offers.models import Donation, Offer
from supplies.organisations.roles import Role
from supplies.organisations.services import enrol
from supplies.receipts.models import Thanks
from tests.makers import (
    NOW,
    make_allocation,
    make_donation,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_shipment,
    make_user,
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


def test_goods_that_are_all_being_matched_are_not_called_open(donor: Any) -> None:
    offer = gift_of(donor, quantity=1000)
    Offer.objects.filter(pk=offer.pk).update(quantity_proposed=1000)

    page = reader(donor).get(HERE).content.decode()

    assert '<span class="tag">all of it matched</span>' in page
    assert '<span class="tag ">open</span>' not in page


def test_a_gift_is_called_after_its_goods(donor: Any) -> None:
    goods = [
        make_item(code, name_en=code.title(), name_zh=code) for code in ("CAPS", "GOWNS", "SOAP", "WIPES")
    ]
    gift = make_donation(
        donor.memberships.get().organisation, lines=[{"item": item} for item in (*goods, goods[0])]
    )

    pages = [reader(donor).get(at).content.decode() for at in (HERE, reverse("my-gift", args=[gift.pk]))]

    named = {", ".join(three) + "…" for three in permutations(("Caps", "Gowns", "Soap", "Wipes"), 3)}
    for page in pages:
        assert any(f"{names} · " in page for names in named)


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

    (sending,) = page.context["sendings"]
    words = sending.text
    assert "Donated goods – not for sale" in words
    assert "Harbour hospital" in words
    assert "Gate 3" in words
    assert "lot L7" in words
    assert "13800001234" not in page.content.decode()
    assert sending.shipment is None


def test_what_goes_in_one_shipment_has_one_address_and_one_label(donor: Any) -> None:
    gift = make_donation(
        donor.memberships.get().organisation, lines=[{"lot_number": lot} for lot in ("L1", "L2", "L3")]
    )
    facility = make_facility(name="Harbour hospital", address="Gate 3")
    promised = [
        make_allocation(100, need=make_need(facility, quantity=100), offer=offer)
        for offer in gift.offers.all()
    ]
    shipment = make_shipment(*promised[:2])

    page = reader(donor).get(reverse("my-gift", args=[gift.pk]))

    sendings = page.context["sendings"]
    assert {frozenset(one.promises): one.shipment for one in sendings} == {
        frozenset(promised[:2]): shipment,
        frozenset(promised[2:]): None,
    }
    assert [one.text.count("Gate 3") for one in sendings] == [1, 1]
    assert page.content.decode().count(reverse("shipment-paper", args=[shipment.pk, "labels"])) == 1
    assert page.content.decode().count("data-copy=") == 2


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

    with django_assert_num_queries(10):
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


# -- Standing consent --------------------------------------------------------------------------------------


def agree(donor: Any, agreed: str, house: Any = None) -> Any:
    house = house or donor.memberships.get().organisation
    return reader(donor).post(reverse("standing-consent", args=[house.pk]), {"agreed": agreed})


def test_a_donor_agrees_once_and_the_next_offer_is_agreed_in_advance(donor: Any) -> None:
    house = donor.memberships.get().organisation
    before = gift_of(donor).donation

    assert "Agree in advance" in reader(donor).get(HERE).content.decode()
    agree(donor, "yes")

    form = reader(donor).get(reverse("post-donation")).context["form"]
    assert form["allocates_for_me"].value()
    assert gift_of(donor).donation.allocates_for_me
    before.refresh_from_db()
    assert not before.allocates_for_me
    assert Event.objects.get(kind="organisation.consented").subject_id == str(house.pk)
    agree(donor, "yes")
    assert Event.objects.filter(kind="organisation.consented").count() == 1


def test_who_takes_her_consent_back_is_asked_about_all_that_is_not_promised_yet(donor: Any) -> None:
    house = donor.memberships.get().organisation
    agree(donor, "yes")
    gift, over = gift_of(donor).donation, gift_of(donor).donation
    Donation.objects.filter(pk=over.pk).update(status="withdrawn")
    another = make_offer(allocates_for_me=True).donation

    agree(donor, "no")

    agreed = Donation.objects.filter(allocates_for_me=True)
    assert set(agreed) == {over, another}
    house.refresh_from_db()
    assert not house.allocates_for_me
    assert Event.objects.get(kind="donation.asked_each_time").subject_id == str(gift.pk)
    assert "Ask me each time" not in reader(donor).get(HERE).content.decode()


def test_one_gift_that_was_agreed_in_advance_can_be_asked_about_again(donor: Any) -> None:
    gift = gift_of(donor, allocates_for_me=True).donation

    assert "Ask me each time" in reader(donor).get(HERE).content.decode()
    agree(donor, "no")

    gift.refresh_from_db()
    assert not gift.allocates_for_me


def test_nobody_agrees_for_others(donor: Any) -> None:
    assert agree(donor, "yes", make_member("donor").memberships.get().organisation).status_code == 404
    auditor = make_user()
    house = donor.memberships.get().organisation
    enrol(auditor, house, Role.AUDITOR, by=None, at=NOW)
    assert agree(auditor, "yes", house).status_code in (403, 404)
