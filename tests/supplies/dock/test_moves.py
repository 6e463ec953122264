"""The buttons are the verbs that would not refuse: each that is offered works, and nothing else is offered."""

from collections.abc import Callable

import pytest

from supplies.dock.moves import VERBS, Move, next_moves
from supplies.errors import Refused
from supplies.shipments import legs
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_organisation, make_shipment
from tests.supplies.shipments.test_legs import route

pytestmark = pytest.mark.django_db


def in_two_legs(*verbs: Callable[..., Shipment]) -> Shipment:
    one, other = make_organisation("carrier"), make_organisation("carrier")
    shipment = legs.plan(make_shipment(carrier=one, status="booked"), legs=route(one, other), by=None, at=NOW)
    for verb in verbs:
        shipment = verb(shipment, by=None, at=NOW)
    return shipment


def at_the_door() -> Shipment:
    return moving.arrive(make_shipment(status="in_transit"), by=None, at=NOW)


STANDS: dict[str, tuple[Callable[[], Shipment], set[Move]]] = {
    "being put together": (make_shipment, set()),
    "booked": (lambda: make_shipment(status="booked"), {Move.DISPATCH}),
    "on its only leg": (lambda: make_shipment(status="in_transit"), {Move.ARRIVE, Move.DELIVER}),
    "at the door": (at_the_door, {Move.DELIVER}),
    "delivered": (lambda: make_shipment(status="delivered"), set()),
    "called off": (lambda: moving.cancel(make_shipment(), by=None, at=NOW), set()),
    "returning": (lambda: moving.send_back(at_the_door(), by=None, at=NOW), set()),
    "on the way to a hub": (lambda: in_two_legs(moving.dispatch), {Move.REACH_HUB}),
    "at the hub": (lambda: in_two_legs(moving.dispatch, legs.reach_hub), {Move.LEAVE_HUB}),
    "on its last leg": (
        lambda: in_two_legs(moving.dispatch, legs.reach_hub, legs.leave_hub),
        {Move.ARRIVE, Move.DELIVER},
    ),
}
# A verb would take it, from whoever forgot to say that it left the hub; a driver who stands there is not asked.
LEFT_OUT = {("at the hub", Move.ARRIVE), ("at the hub", Move.DELIVER)}


@pytest.mark.parametrize("where", STANDS)
@pytest.mark.parametrize("move", Move)
def test_a_button_is_there_where_its_verb_would_not_refuse(where: str, move: Move) -> None:
    make, expected = STANDS[where]
    shipment = make()

    assert set(next_moves(shipment)) == expected

    try:
        VERBS[move](shipment, by=None, at=NOW)
    except Refused:
        assert move not in expected
    else:
        assert move in expected or (where, move) in LEFT_OUT
