"""Which way a shipment goes next, and which verb says so."""

from collections.abc import Callable
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from supplies.shipments import legs, services
from supplies.shipments.models import Shipment
from supplies.shipments.models import ShipmentStatus as S
from supplies.shipments.permissions import may_move, may_sign_for


class Move(models.TextChoices):
    DISPATCH = "dispatch", _("It leaves now")
    REACH_HUB = "reach-hub", _("It has reached the hub")
    LEAVE_HUB = "leave-hub", _("It leaves the hub")
    ARRIVE = "arrive", _("It is at the door")
    DELIVER = "deliver", _("It has been handed over")


VERBS: dict[str, Callable[..., Shipment]] = {
    Move.DISPATCH: services.dispatch,
    Move.REACH_HUB: legs.reach_hub,
    Move.LEAVE_HUB: legs.leave_hub,
    Move.ARRIVE: services.arrive,
    Move.DELIVER: services.deliver,
}


def next_moves(shipment: Shipment) -> list[Move]:
    """In the usual course, those its verbs would not refuse; none once it was handed over or goes back."""
    match shipment.status:
        case S.BOOKED:
            return [Move.DISPATCH]
        case S.IN_TRANSIT:
            ahead: list[Any] = list(shipment.legs.to_go().in_order())
            if ahead and ahead[0].departed_at is None:
                return [Move.LEAVE_HUB]
            return [Move.REACH_HUB] if len(ahead) > 1 else [Move.ARRIVE, Move.DELIVER]
        case S.AT_THE_DOOR:
            return [Move.DELIVER]
        case _:
            return []


def may_say(user: Any, shipment: Shipment, move: str) -> bool:
    return may_sign_for(user, shipment) if move == Move.DELIVER else may_move(user, shipment)
