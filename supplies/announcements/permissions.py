from typing import Any

from django.db.models import QuerySet

from supplies.organisations.models import Organisation
from supplies.organisations.roles import Role
from supplies.regions.models import Region


def may_announce(user: Any) -> bool:
    return bool(user.is_authenticated) and user.has_role(Role.COORDINATOR, Role.ADMIN)


def may_announce_in(user: Any, region: Region | None) -> bool:
    """A coordinator speaks for her regions; to everywhere only an administrator."""
    if not may_announce(user):
        return False
    return bool(user.has_role(Role.ADMIN) or (region is not None and user.coordinates(region)))


def in_whose_name(user: Any) -> QuerySet[Organisation]:
    """The bodies this person may announce for: those she coordinates for; an administrator for every verified coordinator."""
    if user.has_role(Role.ADMIN):
        return (
            Organisation.objects.verified().filter(kind=Organisation.Kind.COORDINATOR).order_by("name", "pk")
        )
    return (
        Organisation.objects.filter(memberships__user=user, memberships__role=Role.COORDINATOR)
        .distinct()
        .order_by("name", "pk")
    )
