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
    if user.has_role(Role.VOLUNTEER, Role.ADMIN):
        return True
    if not user.has_role(Role.COORDINATOR):
        return False
    regions = Membership.objects.filter(user=user, role=Role.COORDINATOR).values_list(
        "regions__path", flat=True
    )
    return any(path and region.path.startswith(path) for path in regions)


def may_pause(user: Any, facility: Facility) -> bool:
    """Who acts for the hospital, a volunteer, or a coordinator of its region."""
    return acts_for(user, facility.organisation) or may_coordinate(user, facility)


def may_read_dock(user: Any, facility: Facility, *, is_insider: bool) -> bool:
    """Where goods are unloaded: everyone signed in, if the body was verified and receives goods; else its own people."""
    return bool(user.is_authenticated) and (facility.organisation.is_reached_by_all or is_insider)


def may_watch(user: Any) -> bool:
    """May see everything, change nothing."""
    return bool(user.is_authenticated) and user.watches_over_all
