"""Two at once: both want the last pieces of a line, the same label, the same shipment; only one can have them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum

from supplies.errors import Refused
from supplies.loads import services as loads
from supplies.loads.models import ConsolidatedLoad
from supplies.needs.models import Need
from supplies.shipments import packing, rearranging
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from supplies.shipments.units import HandlingUnit, UnitContent
from tests.at_once import behind, held, held_table
from tests.makers import (
    NOW,
    make_allocation,
    make_load,
    make_need,
    make_offer,
    make_organisation,
    make_shipment,
)

pytestmark = pytest.mark.django_db(transaction=True)
SAID: dict[str, Any] = {"by": None, "at": NOW}


def said(verb: Callable[..., Any], *rows: Any, **what: Any) -> Callable[[], str]:
    """A call for a thread: the code of its refusal, or nothing."""

    def call() -> str:
        try:
            verb(*rows, **what, **SAID)
        except Refused as refused:
            return refused.code
        return ""

    return call


def carton(shipment: Shipment, quantity: int, **fields: Any) -> list[dict[str, Any]]:
    contents = [{"line": shipment.lines.get(), "quantity": quantity}]
    return [{"kind": "carton", "contents": contents, **fields}]


def look_and_leap(shipment: Shipment, *, units: list[dict[str, Any]], by: Any, at: Any) -> None:
    """What a hurried programmer writes: no lock between looking and packing. The control that must overpack."""
    (given,) = units
    (part,) = given["contents"]
    with transaction.atomic():
        if packing.unpacked(shipment)[part["line"].pk] < part["quantity"]:
            raise Refused("nothing left")
        unit = HandlingUnit.objects.create(shipment=shipment, kind="carton", packed_at=at, packed_by=by)
        UnitContent.objects.create(unit=unit, line=part["line"], quantity=part["quantity"])


@pytest.mark.parametrize(
    ("verb", "packed"),
    [(packing.pack, 60), pytest.param(look_and_leap, 120, marks=pytest.mark.breaks_the_books)],
)
def test_two_who_pack_the_same_pieces_at_once(verb: Callable[..., Any], packed: int) -> None:
    shipment = make_shipment()
    calls = [said(verb, shipment, units=carton(shipment, 60)) for _one in range(2)]

    behind(held_table("supplies_handlingunit"), calls)

    assert UnitContent.objects.aggregate(all=Sum("quantity"))["all"] == packed


def test_one_label_is_stuck_on_one_of_two_cartons_packed_at_once() -> None:
    calls = [
        said(packing.pack, shipment, units=carton(shipment, 10, sscc="006141411234567890"))
        for shipment in (make_shipment(), make_shipment())
    ]

    codes = behind(held_table("supplies_handlingunit"), calls)

    assert sorted(codes) == ["", "sscc-taken"]


def test_numbers_made_at_once_are_all_different(settings: Any) -> None:
    settings.GS1_PREFIX = "9521234"
    shipments = [make_shipment() for _one in range(4)]

    behind(
        held_table("supplies_handlingunit"),
        [said(packing.pack, shipment, units=carton(shipment, 10) * 5) for shipment in shipments],
    )

    assert HandlingUnit.objects.values("sscc").distinct().count() == HandlingUnit.objects.count() == 20


def split_off(shipment: Shipment, quantity: int) -> Callable[[], str]:
    lines = [{"line": shipment.lines.get(), "quantity": quantity}]
    return said(rearranging.split, shipment, lines=lines, reason="race")


def test_of_two_who_split_off_more_than_half_one_gets_it() -> None:
    shipment = make_shipment()

    codes = behind(held(Need.objects.all()), [split_off(shipment, 60), split_off(shipment, 60)])

    assert sorted(codes) == ["", "not-enough-left"]


def test_what_is_split_off_while_it_departs_is_on_one_side_or_the_other() -> None:
    shipment = make_shipment(status="booked")

    codes = behind(held(Need.objects.all()), [split_off(shipment, 60), said(moving.dispatch, shipment)])

    shipment.refresh_from_db()
    shipped = shipment.lines.get().allocation.quantity
    assert (shipment.status, codes[1]) == ("in_transit", "")
    assert (codes[0], shipped) in [("", 40), ("move-refused", 100)]


def test_of_two_merges_in_opposite_directions_one_is_done() -> None:
    need, offer = make_need(), make_offer()
    one, other = (make_shipment(make_allocation(10, need=need, offer=offer)) for _row in range(2))
    calls = [
        said(rearranging.merge, one, other, reason="race"),
        said(rearranging.merge, other, one, reason="race"),
    ]

    codes = behind(held(Need.objects.all()), calls)

    assert sorted(codes) == ["", "move-refused"]
    left = Shipment.objects.exclude(status="cancelled").get()
    assert left.lines.count() == 2


def test_what_comes_on_board_while_it_departs_is_not_left_behind() -> None:
    need, offer = make_need(), make_offer()
    one, other = (make_shipment(make_allocation(10, need=need, offer=offer)) for _row in range(2))
    moving.book(one, carrier=make_organisation("carrier"), **SAID)
    calls = [said(rearranging.merge, one, other, reason="race"), said(moving.dispatch, one)]

    codes = behind(held(Need.objects.all()), calls)

    one.refresh_from_db()
    # The merge first: the departure, which locked less than is on board now, has to be asked for again.
    assert (codes, one.status) in [
        (["", "changed-meanwhile"], "booked"),
        (["move-refused", ""], "in_transit"),
    ]


def test_a_shipment_taken_off_while_the_load_leaves_is_on_it_or_not() -> None:
    load = make_load()
    shipment = load.places.get().shipment
    calls = [said(loads.dispatch, load), said(loads.remove, load, shipments=[shipment])]

    codes = behind(held(ConsolidatedLoad.objects.all()), calls)

    load.refresh_from_db()
    shipment.refresh_from_db()
    assert (codes, load.status, shipment.status) in [
        (["", "move-refused"], "in_transit", "in_transit"),
        (["empty-load", ""], "planned", "booked"),
    ]


def test_a_load_leaves_once() -> None:
    load = make_load()

    codes = behind(held(ConsolidatedLoad.objects.all()), [said(loads.dispatch, load)] * 3)

    assert sorted(codes) == ["", "move-refused", "move-refused"]
