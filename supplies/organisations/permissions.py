"""Who acts for whom, in one place for pages, API and admin."""

from typing import Any

from supplies.organisations.models import Facility, Membership, Organisation, Role


def acts_for(user: Any, organisation: Organisation) -> bool:
    return bool(user.is_authenticated) and (
        user.is_superuser or Membership.objects.filter(user=user, organisation=organisation).exists()
    )


def may_post_for(user: Any, facility: Facility) -> bool:
    """Anyone signed in may post for a hospital: wide in, strict out. A volunteer moderates every post."""
    return bool(user.is_authenticated)


def may_moderate(user: Any) -> bool:
    return bool(user.is_authenticated) and user.has_role(Role.VOLUNTEER, Role.COORDINATOR, Role.ADMIN)


def may_coordinate(user: Any, facility: Facility) -> bool:
    """A coordinator acts within the regions of the membership; a volunteer and an administrator everywhere."""
    if user.has_role(Role.VOLUNTEER, Role.ADMIN):
        return True
    if not user.has_role(Role.COORDINATOR):
        return False
    regions = Membership.objects.filter(user=user, role=Role.COORDINATOR).values_list(
        "regions__path", flat=True
    )
    return any(path and facility.region.path.startswith(path) for path in regions)


def may_pause(user: Any, facility: Facility) -> bool:
    """Who acts for the hospital, a volunteer, or a coordinator of its region."""
    return acts_for(user, facility.organisation) or (
        bool(user.is_authenticated) and may_coordinate(user, facility)
    )


def may_watch(user: Any) -> bool:
    """May see everything, change nothing."""
    return bool(user.is_authenticated) and user.watches_over_all
