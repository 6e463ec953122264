from typing import Any

from supplies.organisations.models import Role
from supplies.organisations.permissions import acts_for, may_moderate
from supplies.shipments.models import Shipment


def may_put_together(user: Any) -> bool:
    return may_moderate(user)


def may_move(user: Any, shipment: Shipment) -> bool:
    """Its carrier, or a volunteer."""
    return may_moderate(user) or (
        shipment.carrier is not None and user.has_role(Role.CARRIER) and acts_for(user, shipment.carrier)
    )


def may_count(user: Any, shipment: Shipment) -> bool:
    """Who receives counts: the hospital; or a volunteer who was told on the telephone."""
    return may_moderate(user) or acts_for(user, shipment.consignee.organisation)
