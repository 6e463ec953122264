from typing import Any

from supplies.allocations.models import Allocation
from supplies.organisations.permissions import acts_for, may_coordinate, may_moderate
from supplies.organisations.roles import Role
from supplies.shipments.models import Shipment


def may_put_together(user: Any) -> bool:
    return may_moderate(user)


def may_load(user: Any, allocation: Allocation) -> bool:
    """A volunteer; a coordinator what is for her regions."""
    return may_coordinate(user, allocation.need.appeal.facility)


def may_book(user: Any, shipment: Shipment) -> bool:
    return may_coordinate(user, shipment.consignee)


def may_move(user: Any, shipment: Shipment) -> bool:
    """Its carrier, a volunteer, or a coordinator of where it goes."""
    is_carrier = user.is_authenticated and user.has_role(Role.CARRIER)
    return (
        is_carrier and shipment.carrier_id is not None and acts_for(user, shipment.carrier_id)
    ) or may_coordinate(user, shipment.consignee)


def may_pack(user: Any, shipment: Shipment) -> bool:
    """Who has it in hands before it leaves: the donor; and whoever may move it."""
    return may_move(user, shipment) or acts_for(user, shipment.consignor)


def may_count(user: Any, shipment: Shipment) -> bool:
    """Who receives counts: the hospital; or a volunteer or coordinator who was told on the telephone."""
    return may_coordinate(user, shipment.consignee) or acts_for(user, shipment.consignee.organisation)


def may_sign_for(user: Any, shipment: Shipment) -> bool:
    """That it was handed over says who brought it; and who has it, where the driver said nothing."""
    return may_move(user, shipment) or may_count(user, shipment)
