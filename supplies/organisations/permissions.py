"""Who acts for whom, in one place for pages, API and admin."""

from typing import Any

from supplies.organisations.models import Facility, Membership, Organisation, Role
from supplies.regions.models import Region


def acts_for(user: Any, organisation: Organisation) -> bool:
    """A member of the organisation, unless only its auditor; an administrator for all."""
    if not user.is_authenticated:
        return False
    acting = Membership.objects.filter(user=user, organisation=organisation).exclude(role=Role.AUDITOR)
    return bool(user.is_superuser) or acting.exists()


def may_post_for(user: Any, facility: Facility) -> bool:
    """Anyone signed in may post for a hospital: wide in, strict out. A volunteer moderates every post."""
    return bool(user.is_authenticated) and facility.organisation.kind == Organisation.Kind.HOSPITAL


def may_moderate(user: Any) -> bool:
    return bool(user.is_authenticated) and user.has_role(Role.VOLUNTEER, Role.COORDINATOR, Role.ADMIN)


def may_coordinate(user: Any, facility: Facility) -> bool:
    return may_moderate_in(user, facility.region)


def may_moderate_in(user: Any, region: Region) -> bool:
    """A coordinator acts within the regions of the membership; a volunteer and an administrator everywhere."""
    if not user.is_authenticated:
        return False
    return bool(user.has_role(Role.VOLUNTEER, Role.ADMIN) or user.coordinates(region))


def may_pause(user: Any, facility: Facility) -> bool:
    """Who acts for the hospital, a volunteer, or a coordinator of its region."""
    return acts_for(user, facility.organisation) or may_coordinate(user, facility)


def may_watch(user: Any) -> bool:
    """May sit at the desk and read. Which rows: everything, or what lies in the regions of a coordinator."""
    return bool(user.is_authenticated) and (user.watches_over_all or user.has_role(Role.COORDINATOR))


def may_watch_in(user: Any, region: Region) -> bool:
    """May read what is not public of something that lies in this region."""
    return bool(user.is_authenticated) and (user.watches_over_all or user.coordinates(region))


def rights_of(user: Any) -> str:
    """Everything from which follows what an account may do, as one line: equal as long as nothing of it changes."""
    memberships = Membership.objects.filter(user=user).order_by("organisation", "role", "regions")
    acting = memberships.values_list("organisation", "role", "regions")
    desk = [name for name in ("is_superuser", "is_staff") if getattr(user, name)]
    return " ".join([*desk, *("/".join(map(str, row)) for row in acting)])
