from typing import Any

from supplies.offers.models import Donation
from supplies.organisations.permissions import acts_for, may_moderate


def may_certify(user: Any, donation: Donation) -> bool:
    """The donor herself, or a volunteer whom she asked."""
    return (
        may_moderate(user)
        or acts_for(user, donation.organisation)
        or (donation.posted_by_id is not None and donation.posted_by_id == user.pk)
    )
