"""Numbers and codes on goods that are offered: what is odd is told and never refused; known counterfeits are held back."""

from datetime import date
from typing import Any

import pytest
from django.urls import reverse

from supplies.offers import services
from supplies.offers.models import Donation, Offer
from supplies.organisations.models import Organisation, User
from tests.api_client import Speaker
from tests.desk import at_the_desk, page_of
from tests.makers import (
    NOW,
    make_donation,
    make_emergency,
    make_item,
    make_member,
    make_mode,
    make_organisation,
)
from tests.page_client import reader
from tests.supplies.catalogue.test_counterfeits import make_counterfeit
from tests.supplies.offers.test_views import sent

pytestmark = pytest.mark.django_db
SCAN = "(01)06901234567892(17)310131(10)L7"


def posted(**line: Any) -> tuple[Offer, list[str]]:
    """The offer that was made of a form, and what its donor was told."""
    user = make_member("donor")
    answer = reader(user).post(reverse("post-donation"), sent(line), follow=True)
    return Offer.objects.get(), [str(message) for message in answer.context["messages"]]


def test_lot_and_expiry_are_taken_from_the_scanned_code() -> None:
    offer, told = posted(scanned=SCAN)

    assert (offer.lot_number, offer.expires_on) == ("L7", date(2031, 1, 31))
    assert told == []


def test_what_was_typed_stays_and_the_difference_is_told() -> None:
    offer, told = posted(scanned=SCAN, lot_number="L8", expires_on="2030-01-31")

    assert (offer.lot_number, offer.expires_on) == ("L8", date(2030, 1, 31))
    assert told == [
        "The lot is L8, but the code says L7.",
        "The expiry is 2030-01-31, but the code says 2031-01-31.",
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"registration_number": "国械注准20153640012"}, []),
        ({"registration_number": "国械注准20152640012"}, ["class III only"]),
        ({"registration_number": "ABC"}, ["has no form of a registration number"]),
        ({"scanned": "(01)06901234567893"}, ["The check digit is wrong"]),
        ({"scanned": "hello"}, ["was not understood"]),
    ],
)
def test_an_odd_number_is_told_and_not_refused(line: dict[str, str], words: list[str]) -> None:
    _offer, told = posted(**line)

    assert len(told) == len(words)
    assert all(word in sentence for word, sentence in zip(words, told, strict=True))


def test_a_known_counterfeit_is_told_to_the_donor_and_waits_like_every_offer() -> None:
    make_counterfeit(number="TC-84A-99999")

    offer, told = posted(registration_number="TC 84A-99999")

    assert offer.status == "waiting"
    assert any("list of known counterfeits (Exercise authority" in sentence for sentence in told)


def test_a_program_is_told_beside_the_answer() -> None:
    make_counterfeit(number="TC-84A-99999")
    make_mode()
    donor: Organisation = make_organisation("donor")
    body = {
        "organisation": str(donor.pk),
        "emergency": make_emergency().pk,
        "region": donor.region_id,
        "lines": [
            {"item": make_item().pk, "quantity": 10, "registration_number": "TC-84A-99999", "scanned": SCAN},
            {"item": make_item().pk, "quantity": 10},
        ],
    }

    answer = Speaker(make_member("donor", donor)).post("donations/", body, accept_language="en")

    assert answer.status_code == 201, answer.json()
    [warning] = answer.json()["warnings"]
    assert warning["field"] == "registration_number"
    assert "known counterfeits" in warning["detail"]
    assert set(Offer.objects.values_list("lot_number", "expires_on")) == {
        ("L7", date(2031, 1, 31)),
        ("", None),
    }


def test_an_imported_lot_with_the_very_number_of_a_counterfeit_waits_for_a_volunteer() -> None:
    make_counterfeit(number="TC-84A-99999")
    make_counterfeit(number_pattern="TC-84A-8*")
    held = make_donation(lines=[{"registration_number": "TC-84A-99999"}], published=False)
    alike = make_donation(lines=[{"registration_number": "TC-84A-8888"}], published=False)
    plain = make_donation(published=False)

    for donation in (held, alike, plain):
        services.publish_moderated(donation, at=NOW)

    statuses = dict(Donation.objects.values_list("pk", "status"))
    assert [statuses[d.pk] for d in (held, alike, plain)] == ["waiting", "published", "published"]


def test_the_desk_shows_the_warning_beside_the_line(volunteer: User) -> None:
    make_counterfeit(number="TC-84A-99999")
    donation = make_donation(lines=[{"registration_number": "TC-84A-99999"}, {}], published=False)

    shown = at_the_desk(volunteer).get(page_of(donation)).content.decode()

    assert shown.count("stands in a list of known counterfeits") == 1


def test_the_form_shows_the_field_for_a_scanner() -> None:
    make_emergency()

    shown = reader(make_member("donor")).get(reverse("post-donation")).content.decode()

    assert 'name="lines-0-scanned"' in shown
