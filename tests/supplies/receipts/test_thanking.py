"""Thanks: by whom, when, and who reads them."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from supplies.desks.tracking import track
from supplies.errors import MoveRefused, Refused
from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.receipts import thanking
from supplies.receipts.models import Thanks
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_allocation, make_member, make_shipment
from tests.page_client import reader

pytestmark = pytest.mark.django_db


@pytest.fixture
def counted() -> Shipment:
    shipment = make_shipment(make_allocation(100), status="delivered")
    receiving.receive(shipment, counts=[{"line": shipment.lines.get(), "accepted": 90}], by=None, at=NOW)
    return shipment


def donation_of(shipment: Shipment) -> str:
    return str(shipment.lines.get().allocation.offer.donation.code)


def test_thanks_stand_beside_the_shipment_and_the_donation(counted: Shipment) -> None:
    thanking.thank(counted, words=" They came in time. ", by=None, at=NOW)

    assert track(counted.code).thanks == "They came in time."  # type: ignore[union-attr]
    (parcel,) = track(donation_of(counted)).shipments  # type: ignore[union-attr]
    assert (parcel.thanks, parcel.code) == ("They came in time.", counted.code)
    assert (parcel.lines[0].gauges["shipped"], parcel.lines[0].gauges["accepted"]) == (100, 90)


def test_thanks_are_said_anew_in_the_place_of_what_was_said(counted: Shipment) -> None:
    thanking.thank(counted, words="Thanks.", by=None, at=NOW)
    thanking.thank(counted, words="Many thanks.", by=None, at=NOW)

    assert Thanks.objects.get().words == "Many thanks."


def test_nobody_says_thanks_before_the_count_or_with_no_word(counted: Shipment) -> None:
    with pytest.raises(Refused) as refusal:
        thanking.thank(make_shipment(status="delivered"), words="Thanks.", by=None, at=NOW)
    assert refusal.value.code == "not-counted"
    with pytest.raises(ValidationError):
        thanking.thank(counted, words=" ", by=None, at=NOW)


def test_what_a_volunteer_withholds_is_read_by_nobody_and_not_said_again(
    counted: Shipment, volunteer: User
) -> None:
    thanks = thanking.thank(counted, words="Call me.", by=None, at=NOW)
    with pytest.raises(Refused):
        thanking.withhold(thanks, because=" ", by=volunteer, at=NOW)

    thanking.withhold(thanks, because="An advertisement.", by=volunteer, at=NOW)

    found, given = track(counted.code), track(donation_of(counted))
    assert found
    assert given
    assert (found.thanks, given.shipments[0].thanks) == ("", "")
    assert "thanked" not in [seen.step for seen in found.timeline]
    with pytest.raises(MoveRefused):
        thanking.withhold(thanks, because="Again.", by=volunteer, at=NOW)
    with pytest.raises(MoveRefused):
        thanking.thank(counted, words="Call me, please.", by=None, at=NOW)


def test_the_hospital_says_thanks_on_its_page_and_others_do_not(counted: Shipment) -> None:
    page = f"/shipments/{counted.pk}/thanks/"
    hospital = reader(make_member("hospital", counted.consignee.organisation))
    donor = reader(make_member("donor", counted.consignor))

    assert donor.post(page, {"words": "Thanks to us."}).status_code == 403
    assert Client().post(page, {"words": "Thanks to us."}).status_code == 302
    answer = hospital.post(page, {"words": "Ring 13900001234, thanks."}, follow=True)

    assert Thanks.objects.get().words == "Ring 13900001234, thanks."
    assert "13900001234" not in answer.content.decode()
    public = Client(HTTP_ACCEPT_LANGUAGE="en").get(f"/track/{counted.code}/").content.decode()
    assert "thanks." in public
    assert "13900001234" not in public
