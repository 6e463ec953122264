from typing import Any

from supplies.loads.models import ConsolidatedLoad
from supplies.organisations.models import Facility
from supplies.organisations.permissions import acts_for, may_coordinate
from supplies.organisations.roles import Role


def may_gather(user: Any, consignee: Facility) -> bool:
    """A volunteer; a coordinator for the facilities of her regions."""
    return may_coordinate(user, consignee)


def may_drive(user: Any, load: ConsolidatedLoad) -> bool:
    """Its carrier, a volunteer, or a coordinator of where it goes."""
    return may_coordinate(user, load.consignee) or (
        user.has_role(Role.CARRIER) and acts_for(user, load.carrier)
    )
