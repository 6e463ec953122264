"""Moderating donations at the desk."""

from supplies.offers.models import Donation
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import make_donation, make_member, make_offer


def test_the_list_begins_with_the_donations_that_wait(volunteer: User) -> None:
    waiting, _published = make_donation(published=False), make_donation()

    shown = at_the_desk(volunteer).get(list_of(Donation)).context["cl"]

    assert list(shown.result_list) == [waiting]


def test_a_volunteer_publishes_a_donation(volunteer: User) -> None:
    donation = make_donation(published=False)

    choose(at_the_desk(volunteer), "publish", donation)

    donation.refresh_from_db()
    assert (donation.status, donation.moderated_by) == ("published", volunteer)
    assert donation.offers.get().status == "open"


def test_who_posted_a_donation_does_not_publish_it(volunteer: User) -> None:
    donation = make_donation(published=False, by=volunteer)

    answer = choose(at_the_desk(volunteer), "publish", donation)

    donation.refresh_from_db()
    assert donation.status == "waiting"
    assert "another volunteer has to publish it" in told(answer)[0]


def test_refusing_a_donation_keeps_the_reason(volunteer: User) -> None:
    donation = make_donation(published=False)

    choose(at_the_desk(volunteer), "refuse", donation, reason="No expiry date on the carton.")

    donation.refresh_from_db()
    assert (donation.status, donation.refusal) == ("refused", "No expiry date on the carton.")


def test_an_offer_is_withdrawn_for_its_donor(volunteer: User) -> None:
    offer = make_offer()

    choose(at_the_desk(volunteer), "withdraw", offer, answered="yes")

    offer.refresh_from_db()
    assert offer.status == "withdrawn"


def test_the_page_shows_what_the_donor_wrote_beside_what_was_read(volunteer: User) -> None:
    donation = make_donation(published=False, lines=[{"as_written": "外科口罩 两千只", "quantity": 2000}])

    page = at_the_desk(volunteer).get(page_of(donation)).content.decode()

    assert "外科口罩 两千只" in page
    assert "2,000" in page


def test_a_donor_does_not_get_to_the_desk(db: None) -> None:
    donor = make_member("donor")
    donation = make_donation(published=False, by=donor)

    answer = choose(at_the_desk(donor), "publish", donation)

    donation.refresh_from_db()
    assert answer.status_code == 302
    assert donation.status == "waiting"
