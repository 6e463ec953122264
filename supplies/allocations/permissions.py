from typing import Any

from supplies.allocations.models import Allocation
from supplies.organisations.permissions import acts_for, may_coordinate


def may_keep(user: Any, allocation: Allocation) -> bool:
    """Whether goods stay reserved for a facility that takes nothing: a volunteer or the region's coordinator decides."""
    return may_coordinate(user, allocation.need.appeal.facility)


def may_release(user: Any, allocation: Allocation) -> bool:
    """Either side may give a promise back before it is shipped; so may a volunteer or the region's coordinator."""
    return may_coordinate(user, allocation.need.appeal.facility) or (
        acts_for(user, allocation.offer.donation.organisation)
        or acts_for(user, allocation.need.appeal.facility.organisation)
        or (user.is_authenticated and allocation.offer.donation.posted_by_id == user.pk)
    )
