"""Whatever is packed, split, merged and called off, in any order: no piece is lost, none is doubled."""

import random
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from matching.books import faults
from supplies.allocations.models import Allocation
from supplies.errors import Refused
from supplies.shipments import packing, rearranging
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment, ShipmentLine
from supplies.shipments.units import HandlingUnit, UnitContent
from tests.makers import NOW, make_allocation, make_item, make_need, make_offer, make_organisation

pytestmark = pytest.mark.django_db
SAID: dict[str, Any] = {"by": None, "at": NOW}
ALL = {"MASK_SURG": 100, "GLOVES": 60}


class Desk:
    """Two items of one donor for one hospital, and somebody who keeps changing her mind."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        need, offer = make_need(), make_offer()
        self.carrier = make_organisation("carrier")
        gloves = make_item("GLOVES")
        make_allocation(ALL["MASK_SURG"], need=need, offer=offer)
        make_allocation(
            ALL["GLOVES"],
            need=make_need(need.appeal.facility, item=gloves),
            offer=make_offer(offer.donation.organisation, item=gloves),
        )
        self.put_together()

    def any_of(self, rows: Any) -> Any:
        found = list(rows.order_by("pk"))
        if not found:
            raise Refused("nothing there")
        return self.chance.choice(found)

    def shipment(self) -> Shipment:
        shipment: Shipment = self.any_of(Shipment.objects.exclude(status="cancelled"))
        return shipment

    def quantity(self) -> int:
        return self.chance.choice([1, 7, 20, 60])

    def put_together(self) -> None:
        moving.put_together(list(Allocation.objects.reserved()), **SAID)

    def book(self) -> None:
        moving.book(self.shipment(), carrier=self.carrier, **SAID)

    def pack(self) -> None:
        shipment = self.shipment()
        contents = [{"line": self.any_of(shipment.lines.all()), "quantity": self.quantity()}]
        packing.pack(shipment, units=[{"kind": "carton", "contents": contents}], **SAID)

    def stack(self) -> None:
        carton = self.any_of(HandlingUnit.objects.live().filter(parent=None).exclude(kind="pallet"))
        packing.pack(carton.shipment, units=[{"kind": "pallet", "holds": [carton]}], **SAID)

    def unpack(self) -> None:
        unit = self.any_of(HandlingUnit.objects.live())
        packing.unpack(unit.shipment, units=[unit], **SAID)

    def split(self) -> None:
        shipment = self.shipment()
        lines = [{"line": self.any_of(shipment.lines.all()), "quantity": self.quantity()}]
        rearranging.split(shipment, lines=lines, reason="x", **SAID)

    def split_units(self) -> None:
        unit = self.any_of(HandlingUnit.objects.live())
        rearranging.split(unit.shipment, units=[unit], reason="x", **SAID)

    def merge(self) -> None:
        rearranging.merge(self.shipment(), self.shipment(), reason="x", **SAID)

    def cancel(self) -> None:
        moving.cancel(self.shipment(), **SAID)

    def depart(self) -> None:
        moving.dispatch(self.shipment(), **SAID)


VERBS = ["put_together", "book", "pack", "pack", "stack", "unpack", "split", "split_units", "merge", "cancel"]


def check() -> None:
    """The ledger adds up, every promise is on board once, and every unit holds what its own shipment carries."""
    promised = Allocation.objects.values_list("offer__item").annotate(all=Sum("quantity"))
    assert dict(promised) == ALL
    live = ShipmentLine.objects.filter(is_live=True).exclude(shipment__status="cancelled")
    on_board = Allocation.objects.exclude(status="reserved").values_list("pk", flat=True)
    assert sorted(live.values_list("allocation", flat=True)) == sorted(on_board)
    packed = UnitContent.objects.filter(unit__is_live=True)
    assert not packed.exclude(line__shipment=F("unit__shipment")).exists()
    assert (
        not HandlingUnit.objects.live()
        .exclude(parent=None)
        .exclude(parent__shipment=F("shipment"), parent__is_live=True)
        .exists()
    )
    sums = packed.values_list("line").annotate(all=Sum("quantity"))
    for line, quantity in sums:
        assert quantity <= ShipmentLine.objects.get(pk=line).allocation.quantity
    for shipment in Shipment.objects.all():
        assert all(left >= 0 for left in packing.unpacked(shipment).values())


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(
    seed=st.integers(0, 2**32), steps=st.lists(st.sampled_from([*VERBS, "depart"]), min_size=5, max_size=25)
)
def test_no_piece_is_lost_or_doubled(seed: int, steps: list[str]) -> None:
    with transaction.atomic():
        desk = Desk(seed)
        for step in steps:
            try:
                with transaction.atomic():
                    getattr(desk, step)()
            except (Refused, ValidationError):
                continue
            check()
        assert faults(at=NOW) == []
        transaction.set_rollback(True)


def test_the_steps_are_really_done_and_not_only_refused() -> None:
    done: set[str] = set()
    for seed in range(4):
        with transaction.atomic():
            desk = Desk(seed)
            for _turn in range(30):
                step = desk.chance.choice(VERBS)
                try:
                    with transaction.atomic():
                        getattr(desk, step)()
                except (Refused, ValidationError):
                    continue
                done.add(step)
            transaction.set_rollback(True)

    assert done == set(VERBS)
