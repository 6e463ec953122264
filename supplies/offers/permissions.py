from typing import Any

from supplies.attachments.models import Kind
from supplies.offers.models import Donation
from supplies.organisations.models import Organisation, OrganisationQuerySet
from supplies.organisations.permissions import acts_for, may_moderate_in


def may_change_donation(user: Any, donation: Donation) -> bool:
    """Who posted it, who acts for the donor, a volunteer, or a coordinator where the goods lie."""
    return may_answer_for_donor(user, donation) or may_moderate_in(user, donation.region)


def may_answer_for_donor(user: Any, donation: Donation) -> bool:
    """Only the donor says the donor's yes."""
    return bool(user.is_authenticated) and (
        donation.posted_by_id == user.pk or acts_for(user, donation.organisation)
    )


def own_donors(user: Any) -> OrganisationQuerySet:
    """In whose name this person may offer goods."""
    kinds = [Organisation.Kind.DONOR, Organisation.Kind.COORDINATOR]
    return Organisation.objects.of(user).filter(kind__in=kinds)


# What a hospital has to see of goods before it takes them. The rest is between the donor and the volunteers.
FOR_HOSPITALS = frozenset({Kind.QUALITY, Kind.BOX})
