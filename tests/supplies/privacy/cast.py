"""A match with a contact on each side and a carrier between them. Everyone is invented."""

from dataclasses import dataclass

from supplies.allocations.models import Allocation
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Facility, Organisation, User
from tests.makers import (
    NOW,
    make_allocation,
    make_facility,
    make_member,
    make_need,
    make_offer,
    make_organisation,
)


@dataclass(frozen=True)
class Match:
    allocation: Allocation
    site: Facility
    donor: Organisation
    carrier: Organisation
    hospital_contact: Contact
    donor_contact: Contact
    carrier_contact: Contact
    nurse: User
    giver: User
    driver: User


def make_match() -> Match:
    site, donor, carrier = make_facility(), make_organisation("donor"), make_organisation("carrier")
    nurse = make_member("hospital", site.organisation)
    giver = make_member("donor", donor)
    hospital_contact = people.keep_contact(
        site.organisation,
        facility=site,
        name="演练护士",
        phone="000-0001-0001",
        email="nurse@demo.invalid",
        post="设备科",
        at=NOW,
        by=nurse,
    )
    donor_contact = people.keep_contact(donor, name="演练捐方", phone="000-0002-0002", at=NOW, by=giver)
    carrier_contact = people.keep_contact(carrier, name="演练司机", phone="000-0003-0003", at=NOW)
    return Match(
        make_allocation(need=make_need(site), offer=make_offer(donor)),
        site,
        donor,
        carrier,
        hospital_contact,
        donor_contact,
        carrier_contact,
        nurse,
        giver,
        make_member("carrier", carrier),
    )
