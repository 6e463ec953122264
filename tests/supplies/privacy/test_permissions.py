"""Who may reach whom, at each step of a match."""

from datetime import timedelta

import pytest

from supplies.allocations import services as ledger
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.models import User
from supplies.privacy.models import Ground
from supplies.privacy.permissions import QUESTIONS_DAYS, reachable, standing
from supplies.receipts import services as receiving
from supplies.shipments import services as moving
from tests.makers import (
    NOW,
    make_facility,
    make_member,
    make_organisation,
    make_region,
    make_shipment,
    make_user,
)
from tests.supplies.privacy.cast import Match, make_match

pytestmark = pytest.mark.django_db


def ground(user: User, contact: Contact, at=NOW) -> Ground | None:  # type: ignore[no-untyped-def]
    found = standing(user, contact, at=at)
    return found.ground if found else None


def grounds(match: Match) -> dict[str, Ground | None]:
    return {
        "giver→hospital": ground(match.giver, match.hospital_contact),
        "nurse→donor": ground(match.nurse, match.donor_contact),
        "driver→hospital": ground(match.driver, match.hospital_contact),
        "driver→donor": ground(match.driver, match.donor_contact),
        "nurse→carrier": ground(match.nurse, match.carrier_contact),
        "giver→carrier": ground(match.giver, match.carrier_contact),
    }


MASKED, MATCH, DELIVERY = Ground.READER, Ground.MATCH, Ground.DELIVERY
SIDES = {"giver→hospital": MATCH, "nurse→donor": MATCH}
APART = {"giver→hospital": MASKED, "nurse→donor": None}
CARRIED = {
    "driver→hospital": DELIVERY,
    "driver→donor": None,
    "nurse→carrier": DELIVERY,
    "giver→carrier": DELIVERY,
}
NOT_CARRIED = {"driver→hospital": MASKED, "driver→donor": None, "nurse→carrier": None, "giver→carrier": None}


def test_both_sides_reach_each_other_from_the_promise_to_the_count_and_the_carrier_until_delivery() -> None:
    match = make_match()
    steps = [("reserved", grounds(match))]
    shipment = make_shipment(match.allocation)
    steps.append(("put together", grounds(match)))
    shipment = moving.book(shipment, carrier=match.carrier, by=None, at=NOW)
    steps.append(("booked", grounds(match)))
    shipment = moving.dispatch(shipment, by=None, at=NOW)
    steps.append(("on its way", grounds(match)))
    shipment = moving.deliver(shipment, by=None, at=NOW)
    steps.append(("delivered", grounds(match)))
    counts = [{"line": shipment.lines.get(), "accepted": 100}]
    receiving.receive(shipment, counts=counts, by=None, at=NOW)
    steps.append(("counted whole", grounds(match)))

    assert dict(steps) == {
        "reserved": SIDES | NOT_CARRIED,
        "put together": SIDES | NOT_CARRIED,
        "booked": SIDES | CARRIED,
        "on its way": SIDES | CARRIED,
        "delivered": SIDES | NOT_CARRIED,
        "counted whole": APART | NOT_CARRIED,
    }


def test_a_match_that_came_short_needs_both_sides_until_it_is_settled_or_a_fortnight_is_over() -> None:
    match = make_match()
    shipment = make_shipment(match.allocation, carrier=match.carrier, status="delivered")
    counts = [{"line": shipment.lines.get(), "accepted": 60}]
    receiving.receive(shipment, counts=counts, by=None, at=NOW)

    assert ground(match.giver, match.hospital_contact) is MATCH
    assert ground(match.giver, match.hospital_contact, NOW + timedelta(days=QUESTIONS_DAYS)) is MATCH
    assert (
        ground(match.giver, match.hospital_contact, NOW + timedelta(days=QUESTIONS_DAYS, hours=1)) is MASKED
    )

    moving.settle(shipment, note="talked over", by=match.nurse, at=NOW)
    assert ground(match.giver, match.hospital_contact) is MASKED


def test_a_promise_that_is_taken_back_takes_the_contact_back() -> None:
    match = make_match()

    ledger.release(match.allocation, reason="changed", by=None, at=NOW)

    assert grounds(match) == APART | NOT_CARRIED


def test_a_contact_of_another_site_of_the_hospital_is_no_part_of_the_match() -> None:
    match = make_match()
    other_site = make_facility(match.site.organisation, name="演练东院")
    house = people.keep_contact(match.site.organisation, phone="000-4", at=NOW)
    elsewhere = people.keep_contact(match.site.organisation, facility=other_site, phone="000-5", at=NOW)

    assert ground(match.giver, house) is MATCH
    assert ground(match.giver, elsewhere) is MASKED


def test_what_is_asked_about_has_to_be_the_match_itself() -> None:
    match, another = make_match(), make_match()

    assert standing(match.giver, match.hospital_contact, at=NOW, about=match.allocation)
    assert standing(match.giver, match.hospital_contact, at=NOW, about=another.allocation) is None
    assert standing(match.giver, another.hospital_contact, at=NOW, about=another.allocation) is None


def test_everyone_signed_in_sees_the_mask_of_a_verified_hospital_and_of_nobody_else(stranger: User) -> None:
    hospital, new, donor = make_organisation(), make_organisation(verified=False), make_organisation("donor")
    contacts = [people.keep_contact(one, phone="000-1", at=NOW) for one in (hospital, new, donor)]

    assert [ground(stranger, contact) for contact in contacts] == [MASKED, None, None]
    assert not standing(stranger, contacts[0], at=NOW).fields  # type: ignore[union-attr]
    stranger.is_active = False
    assert [ground(stranger, contact) for contact in contacts] == [None] * 3


@pytest.mark.parametrize(
    ("role", "where", "found"),
    [
        ("volunteer", "", Ground.DESK),
        ("coordinator", "420106", Ground.DESK),
        ("coordinator", "110101", None),
        ("auditor", "", None),
    ],
)
def test_the_desk_reaches_whom_it_works_for_and_an_auditor_nobody(
    role: str, where: str, found: Ground | None
) -> None:
    contact = people.keep_contact(make_organisation("donor"), phone="000-1", at=NOW)
    person = make_member(role)
    if where:
        person.memberships.get().regions.add(make_region(where))

    assert ground(person, contact) is found


def test_one_reaches_ones_own_organisation_and_what_one_entered_but_not_as_its_auditor(
    stranger: User,
) -> None:
    donor = make_organisation("donor")
    contact = people.keep_contact(donor, phone="000-1", at=NOW, by=stranger)

    assert ground(stranger, contact) is Ground.OWN
    assert ground(make_member("donor", donor), contact) is Ground.OWN
    assert ground(make_member("auditor", donor), contact) is None


def test_a_list_of_contacts_is_judged_in_one_query(django_assert_num_queries: object) -> None:
    match = make_match()
    for number in range(5):
        people.keep_contact(match.site.organisation, facility=match.site, phone=f"000-{number}", at=NOW)

    with django_assert_num_queries(2):  # type: ignore[operator]
        rows = list(reachable(Contact.objects.all(), match.giver, at=NOW))

    assert len(rows) == 7
    assert sum(row.is_match for row in rows) == 6  # type: ignore[attr-defined]


def test_nobody_reaches_anybody_without_an_account() -> None:
    from django.contrib.auth.models import AnonymousUser

    match = make_match()

    assert not reachable(Contact.objects.all(), AnonymousUser(), at=NOW).exists()
    assert ground(make_user(is_active=False), match.hospital_contact) is None
