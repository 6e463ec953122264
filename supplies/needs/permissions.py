from typing import Any

from supplies.needs.models import Appeal, ConfirmedBy, Need
from supplies.organisations.models import Facility
from supplies.organisations.permissions import acts_for, may_coordinate, may_watch_in


def may_change_appeal(user: Any, appeal: Appeal) -> bool:
    """Who posted it, who acts for the hospital, a volunteer, or a coordinator of its region."""
    return bool(user.is_authenticated) and (
        appeal.posted_by_id == user.pk
        or acts_for(user, appeal.facility.organisation)
        or may_coordinate(user, appeal.facility)
    )


def may_read_details(user: Any, appeal: Appeal) -> bool:
    """Where exactly to bring it and what was written in free words: not for the public, where lists are copied about."""
    return may_change_appeal(user, appeal) or may_watch_in(user, appeal.facility.region)


def may_change_need(user: Any, need: Need) -> bool:
    return may_change_appeal(user, need.appeal)


def speaks_as(user: Any, facility: Facility) -> ConfirmedBy:
    """As who somebody says that a hospital needs something. An administrator acts for all and is no hospital."""
    if user is None:
        return ConfirmedBy.SOURCE
    if not user.is_superuser and acts_for(user, facility.organisation):
        return ConfirmedBy.HOSPITAL
    return ConfirmedBy.VOLUNTEER if may_coordinate(user, facility) else ConfirmedBy.POSTER
