"""What is changed before it leaves: split, merged, given to another carrier; no piece is lost or doubled by it."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db.models import Sum

from supplies.allocations.models import Allocation
from supplies.errors import MoveRefused, NotEligible, NotEnoughLeft, Refused
from supplies.journal.models import Event
from supplies.receipts import services as receiving
from supplies.shipments import care, legs, packing, rearranging
from supplies.shipments import services as moving
from supplies.shipments.models import Rearrangement, Shipment
from tests.makers import (
    NOW,
    make_allocation,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_shipment,
)

pytestmark = pytest.mark.django_db
WHY = "The van is full."


def pieces(shipment: Shipment) -> list[int]:
    return list(shipment.lines.order_by("pk").values_list("allocation__quantity", flat=True))


def split(shipment: Shipment, quantity: int, **what: Any) -> Shipment:
    line = shipment.lines.order_by("pk").first()
    return rearranging.split(
        shipment, lines=[{"line": line, "quantity": quantity}], reason=WHY, by=None, at=NOW, **what
    )


def cartons(shipment: Shipment, *quantities: int) -> list[Any]:
    line = shipment.lines.get()
    units = [
        {"kind": "carton", "contents": [{"line": line, "quantity": quantity}]} for quantity in quantities
    ]
    return packing.pack(shipment, units=units, by=None, at=NOW)


def twin(shipment: Shipment, quantity: int = 30, **made: Any) -> Shipment:
    """Another one of the same donor to the same facility."""
    allocation = make_allocation(
        quantity, need=make_need(shipment.consignee), offer=make_offer(shipment.consignor)
    )
    return make_shipment(allocation, **made)


def test_a_part_of_a_line_travels_apart_and_stays_promised() -> None:
    need, offer = make_need(quantity=100), make_offer(quantity=100)
    shipment = make_shipment(make_allocation(100, need=need, offer=offer), status="booked")

    other = split(shipment, 30)

    shipment.refresh_from_db()
    need.refresh_from_db()
    offer.refresh_from_db()
    assert (pieces(shipment), pieces(other)) == ([70], [30])
    assert (shipment.status, other.status, other.carrier) == ("booked", "draft", None)
    assert (need.quantity_promised, offer.quantity_allocated) == (100, 100)
    assert set(Allocation.objects.values_list("status", flat=True)) == {"booked"}


def test_both_parts_arrive_and_the_need_is_met() -> None:
    need = make_need(quantity=100)
    shipment = make_shipment(make_allocation(100, need=need), status="booked")
    other = moving.book(split(shipment, 30), carrier=make_organisation("carrier"), by=None, at=NOW)

    for part, quantity in ((shipment, 70), (other, 30)):
        moving.dispatch(part, by=None, at=NOW)
        moving.deliver(part, by=None, at=NOW)
        counts = [{"line": part.lines.get(), "accepted": quantity}]
        receiving.receive(part, counts=counts, by=None, at=NOW)

    need.refresh_from_db()
    assert (need.status, need.quantity_received, need.quantity_in_transit) == ("met", 100, 0)


def test_whole_units_travel_apart_with_what_is_in_them() -> None:
    shipment = make_shipment()
    small, large = cartons(shipment, 20, 50)

    other = rearranging.split(shipment, units=[large], reason=WHY, by=None, at=NOW)

    assert (pieces(shipment), pieces(other)) == ([50], [50])
    assert other.units.get().contents.get().line == other.lines.get()
    assert list(shipment.units.all()) == [small]
    assert packing.unpacked(shipment) == {shipment.lines.get().pk: 30}
    assert packing.unpacked(other) == {other.lines.get().pk: 0}


def test_a_pallet_takes_its_cartons_along_and_a_carton_taken_off_stands_alone() -> None:
    shipment = make_shipment()
    first, second, third = cartons(shipment, 10, 10, 10)
    pallet = {"kind": "pallet", "holds": [first, second, third]}
    packing.pack(shipment, units=[pallet], by=None, at=NOW)

    alone = rearranging.split(shipment, units=[third], reason=WHY, by=None, at=NOW)
    whole = rearranging.split(
        shipment, units=[shipment.units.get(kind="pallet")], reason=WHY, by=None, at=NOW
    )

    assert alone.units.get().parent is None
    assert (whole.units.count(), pieces(whole)) == (3, [20])
    assert pieces(shipment) == [70]


def test_a_whole_line_is_moved_as_it_is() -> None:
    need, offer = make_need(), make_offer()
    other_need = make_need(need.appeal.facility, item=make_item("GLOVES"))
    other_offer = make_offer(offer.donation.organisation, item=make_item("GLOVES"))
    shipment = make_shipment(
        make_allocation(100, need=need, offer=offer),
        make_allocation(40, need=other_need, offer=other_offer),
    )
    line = shipment.lines.get(allocation__quantity=40)

    other = rearranging.split(shipment, lines=[{"line": line, "quantity": 40}], reason=WHY, by=None, at=NOW)

    assert other.lines.get() == line
    assert (pieces(shipment), Allocation.objects.count()) == ([100], 2)


@pytest.mark.parametrize("quantity", [81, 101])
def test_what_is_in_a_unit_is_not_split_off_piece_by_piece(quantity: int) -> None:
    shipment = make_shipment()
    cartons(shipment, 20)

    with pytest.raises(NotEnoughLeft, match="80"):
        split(shipment, quantity)

    assert (pieces(shipment), Shipment.objects.count()) == ([100], 1)


def test_something_stays_behind() -> None:
    shipment = make_shipment()

    with pytest.raises(Refused) as refusal:
        split(shipment, 100)

    assert refusal.value.code == "nothing-left"


@pytest.mark.parametrize("lines", [[], [{"line": None, "quantity": 1}]])
def test_what_travels_apart_is_named(lines: list[Any]) -> None:
    with pytest.raises(ValidationError):
        rearranging.split(make_shipment(), lines=lines, reason=WHY, by=None, at=NOW)


def test_two_shipments_of_one_route_become_one() -> None:
    shipment = make_shipment(status="booked")
    other = twin(shipment)
    (carton,) = cartons(other, 20)

    rearranging.merge(shipment, other, reason=WHY, by=None, at=NOW)

    other.refresh_from_db()
    assert (pieces(shipment), pieces(other), other.status) == ([100, 30], [], "cancelled")
    assert shipment.units.get() == carton
    assert set(Allocation.objects.values_list("status", flat=True)) == {"booked"}


def test_a_merged_shipment_departs_with_everything() -> None:
    shipment = make_shipment(status="booked")
    rearranging.merge(shipment, twin(shipment), reason=WHY, by=None, at=NOW)

    moving.dispatch(shipment, by=None, at=NOW)

    assert set(Allocation.objects.values_list("status", flat=True)) == {"shipped"}


def test_shipments_of_two_routes_stay_apart() -> None:
    with pytest.raises(NotEligible) as refusal:
        rearranging.merge(make_shipment(), make_shipment(), reason=WHY, by=None, at=NOW)

    assert refusal.value.code == "mixed-load"


def test_a_shipment_is_not_merged_with_itself() -> None:
    shipment = make_shipment()

    with pytest.raises(ValidationError):
        rearranging.merge(shipment, shipment, reason=WHY, by=None, at=NOW)


def test_merged_goods_are_kept_as_the_more_delicate_need() -> None:
    shipment = make_shipment()
    other = twin(shipment)
    care.declare(shipment, min_temp_c=0, max_temp_c=25, by=None, at=NOW)
    care.declare(other, min_temp_c=2, max_temp_c=8, by=None, at=NOW)

    merged = rearranging.merge(shipment, other, reason=WHY, by=None, at=NOW)

    assert (merged.min_temp_c, merged.max_temp_c) == (2, 8)


def test_frozen_goods_are_not_merged_with_chilled_ones() -> None:
    shipment = make_shipment()
    other = twin(shipment)
    care.declare(shipment, max_temp_c=-18, by=None, at=NOW)
    care.declare(other, min_temp_c=2, max_temp_c=8, by=None, at=NOW)

    with pytest.raises(NotEligible) as refusal:
        rearranging.merge(shipment, other, reason=WHY, by=None, at=NOW)

    assert refusal.value.code == "no-common-temperature"


def test_another_carrier_sees_it_and_the_first_one_no_longer() -> None:
    first, second = make_organisation("carrier"), make_organisation("carrier")
    shipment = make_shipment(carrier=first, status="booked")

    rearranging.reassign(shipment, carrier=second, waybill="SF2", reason=WHY, by=None, at=NOW)

    assert not Shipment.objects.visible_to(make_member("carrier", first)).exists()
    assert Shipment.objects.visible_to(make_member("carrier", second)).get().waybill == "SF2"


def test_a_reassigned_shipment_is_travelled_by_the_other_carrier_on_its_first_leg() -> None:
    first, second = make_organisation("carrier"), make_organisation("carrier")
    shipment = make_shipment(carrier=first, status="booked")
    region = make_region()
    leg = {"from_region": region, "to_region": region, "carrier": first}
    legs.plan(shipment, legs=[leg, leg], by=None, at=NOW)

    rearranging.reassign(shipment, carrier=second, reason=WHY, by=None, at=NOW)

    assert [leg.carrier for leg in shipment.legs.in_order()] == [second, first]


@pytest.mark.parametrize("kind", ["donor", "hospital"])
def test_only_a_carrier_is_given_it(kind: str) -> None:
    with pytest.raises(NotEligible) as refusal:
        rearranging.reassign(
            make_shipment(status="booked"), carrier=make_organisation(kind), reason=WHY, by=None, at=NOW
        )

    assert refusal.value.code == "not-a-carrier"


CHANGES: dict[str, Any] = {
    "split": lambda shipment, **why: rearranging.split(
        shipment, lines=[{"line": shipment.lines.first(), "quantity": 1}], **why
    ),
    "merge": lambda shipment, **why: rearranging.merge(shipment, twin(shipment), **why),
    "reassign": lambda shipment, **why: rearranging.reassign(
        shipment, carrier=make_organisation("carrier"), **why
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_changed_once_it_has_left(change: str) -> None:
    with pytest.raises(MoveRefused):
        CHANGES[change](make_shipment(status="in_transit"), reason=WHY, by=None, at=NOW)


@pytest.mark.parametrize("change", CHANGES)
def test_nothing_is_changed_without_a_reason(change: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        CHANGES[change](make_shipment(status="booked"), reason=" ", by=None, at=NOW)

    assert list(refusal.value.message_dict) == ["reason"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_written_down_with_who_and_why_and_the_journal_holds_no_words(
    change: str, volunteer: Any
) -> None:
    CHANGES[change](make_shipment(status="booked"), reason=WHY, by=volunteer, at=NOW)

    noted = Rearrangement.objects.get()
    assert (noted.reason, noted.by) == (WHY, volunteer)
    assert Event.objects.filter(kind=f"shipment.{noted.kind}", by=volunteer).exists()
    assert not any(WHY in str(event.facts) for event in Event.objects.all())


def test_what_was_stated_of_the_weight_is_forgotten_with_the_load_it_was_stated_of() -> None:
    shipment = make_shipment()
    care.declare(shipment, stated_weight_g=5_000, stated_volume_cm3=5_000, by=None, at=NOW)

    split(shipment, 10)

    shipment.refresh_from_db()
    assert (shipment.stated_weight_g, shipment.stated_volume_cm3) == (None, None)


def test_a_split_keeps_the_sum_of_what_is_promised() -> None:
    shipment = make_shipment(make_allocation(100))
    for quantity in (50, 25, 12, 6):
        split(shipment, quantity)

    assert Allocation.objects.aggregate(all=Sum("quantity"))["all"] == 100
    assert pieces(shipment) == [7]
