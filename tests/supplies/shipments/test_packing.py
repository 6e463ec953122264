"""What goes into parcels: never more than is on board, under numbers that are never given twice."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from supplies.allocations.models import Allocation
from supplies.catalogue.models import Item
from supplies.errors import MoveRefused, NotEligible, NotEnoughLeft, Refused
from supplies.shipments import care, gs1, packing, rerouting
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from supplies.shipments.units import HandlingUnit, UnitContent
from tests.makers import (
    NOW,
    make_allocation,
    make_item,
    make_need,
    make_offer,
    make_organisation,
    make_shipment,
)

pytestmark = pytest.mark.django_db
TYPED = "006141411234567890"  # the example of the GS1 General Specifications


def pack(shipment: Shipment, *quantities: int, **fields: Any) -> list[HandlingUnit]:
    """A carton for each quantity of the shipment's only line."""
    line = shipment.lines.get()
    units = [
        {"kind": "carton", "contents": [{"line": line, "quantity": quantity}], **fields}
        for quantity in quantities
    ]
    return packing.pack(shipment, units=units, by=None, at=NOW)


def shipment_of(*items: Item) -> Shipment:
    """From one donor to one hospital, a hundred of each."""
    need, offer = make_need(item=items[0]), make_offer(item=items[0])
    allocations = [make_allocation(100, need=need, offer=offer)]
    for item in items[1:]:
        other = make_need(need.appeal.facility, item=item)
        allocations.append(
            make_allocation(100, need=other, offer=make_offer(offer.donation.organisation, item=item))
        )
    return make_shipment(*allocations)


@pytest.mark.parametrize(
    ("digits", "last"),
    [("00614141123456789", "0"), ("629104150021", "3"), ("0950600013435", "2"), ("00000000000000000", "0")],
)
def test_the_check_digit_is_that_of_gs1(digits: str, last: str) -> None:
    assert gs1.check_digit(digits) == last


def test_every_single_wrong_digit_is_noticed() -> None:
    for place in range(18):
        for digit in "0123456789":
            typed = TYPED[:place] + digit + TYPED[place + 1 :]
            assert gs1.is_right(typed) == (typed == TYPED)


@pytest.mark.parametrize("typed", [TYPED, f"(00) {TYPED}", f"00{TYPED}", "0061 4141 1234 5678 90"])
def test_a_number_is_taken_as_it_is_typed_or_scanned(typed: str) -> None:
    (unit,) = pack(make_shipment(), 100, sscc=typed)

    assert unit.sscc == TYPED


@pytest.mark.parametrize(
    "typed", [TYPED[:-1] + "1", TYPED[:-1], TYPED + "1", "x" * 18, "００６１４１４１１２３４５６７８９０"]
)
def test_a_wrong_number_is_refused_by_its_field_and_no_digit_is_guessed(typed: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        pack(make_shipment(), 50, sscc=typed)

    assert list(refusal.value.message_dict) == ["units.0.sscc"]
    assert TYPED not in str(refusal.value)
    assert not HandlingUnit.objects.exists()


def test_our_numbers_are_right_and_all_different(settings: Any) -> None:
    settings.GS1_PREFIX = "9521234"

    units = pack(make_shipment(), *[10] * 10)

    numbers = {unit.sscc for unit in units}
    assert len(numbers) == 10
    assert all(gs1.is_right(number) and number[1:8] == "9521234" for number in numbers)


def test_a_serial_is_not_given_again_after_its_unit_was_unpacked_or_its_packing_failed(settings: Any) -> None:
    settings.GS1_PREFIX = "9521234"
    shipment = make_shipment()
    first = pack(shipment, 10)
    packing.unpack(shipment, units=first, by=None, at=NOW)
    with transaction.atomic():
        pack(shipment, 10)
        transaction.set_rollback(True)

    (again,) = pack(shipment, 10)

    assert again.pk >= first[0].pk + 2
    assert again.sscc != first[0].sscc


def test_serials_go_on_under_the_next_extension_digit_until_the_prefix_is_used_up(settings: Any) -> None:
    settings.GS1_PREFIX = "952123412345"

    assert gs1.make_sscc(9_999)[:-1] == "09521234123459999"
    assert gs1.make_sscc(10_000)[:-1] == "19521234123450000"
    with pytest.raises(Refused) as refusal:
        gs1.make_sscc(100_000)
    assert refusal.value.code == "sscc-used-up"


def test_without_a_prefix_a_unit_has_no_number() -> None:
    assert [unit.sscc for unit in pack(make_shipment(), 50, 50)] == ["", ""]


def test_nobody_types_a_number_that_we_have_not_given(settings: Any) -> None:
    settings.GS1_PREFIX = "9521234"

    with pytest.raises(ValidationError, match=r"units\.0\.sscc"):
        pack(make_shipment(), 10, sscc=gs1.make_sscc(10**6))


def test_a_number_is_on_one_unit_at_a_time() -> None:
    shipment = make_shipment()
    first = pack(shipment, 10, sscc=TYPED)
    with pytest.raises(Refused) as refusal:
        pack(make_shipment(), 10, sscc=TYPED)
    assert refusal.value.code == "sscc-taken"

    packing.unpack(shipment, units=first, by=None, at=NOW)

    assert pack(make_shipment(), 10, sscc=TYPED)[0].sscc == TYPED


def test_no_more_is_packed_than_is_on_board() -> None:
    shipment = make_shipment()
    pack(shipment, 60)

    with pytest.raises(NotEnoughLeft, match="40 are not packed"):
        pack(shipment, 41)
    with pytest.raises(NotEnoughLeft, match="20 are not packed"):
        pack(shipment, 20, 21)

    assert packing.unpacked(shipment) == {shipment.lines.get().pk: 40}


def test_what_is_unpacked_can_be_packed_again() -> None:
    shipment = make_shipment()
    packing.unpack(shipment, units=pack(shipment, 100), by=None, at=NOW)

    pack(shipment, 100)

    assert HandlingUnit.objects.live().count() == 1


@pytest.mark.parametrize(
    ("unit", "field"),
    [
        ({"contents": []}, "contents"),
        ({"kind": "elephant"}, "kind"),
        ({"length_mm": 400}, "width_mm"),
        ({"contents": [{"line": None, "quantity": 1}]}, "contents.0.line"),
    ],
)
def test_a_unit_that_makes_no_sense_is_refused_by_its_field(unit: dict[str, Any], field: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        pack(make_shipment(), 10, **unit)

    assert list(refusal.value.message_dict) == [f"units.0.{field}"]


def test_a_line_of_another_shipment_is_not_packed() -> None:
    other = make_shipment().lines.get()

    with pytest.raises(ValidationError, match="not on the shipment"):
        pack(make_shipment(), 10, contents=[{"line": other, "quantity": 10}])


def test_nothing_is_packed_once_it_has_left() -> None:
    with pytest.raises(MoveRefused):
        pack(make_shipment(status="in_transit"), 10)


def test_medicines_are_packed_apart() -> None:
    shipment = shipment_of(make_item(), make_item("MED", is_medicine=True))
    masks, pills = shipment.lines.order_by("pk")
    mixed = [{"line": masks, "quantity": 1}, {"line": pills, "quantity": 1}]

    with pytest.raises(NotEligible) as refusal:
        packing.pack(shipment, units=[{"kind": "carton", "contents": mixed}], by=None, at=NOW)
    apart = packing.pack(
        shipment, units=[{"kind": "carton", "contents": [part]} for part in mixed], by=None, at=NOW
    )

    assert refusal.value.code == "medicines-mixed"
    assert len(apart) == 2


def test_cartons_stand_on_one_pallet_and_a_pallet_on_none() -> None:
    shipment = make_shipment()
    cartons = pack(shipment, 50, 50)
    pallet = {"kind": "pallet", "holds": cartons}

    (standing,) = packing.pack(shipment, units=[pallet], by=None, at=NOW)

    assert list(standing.children.order_by("pk")) == cartons
    for held in (cartons[:1], [standing]):
        with pytest.raises(ValidationError, match="stands alone"):
            packing.pack(shipment, units=[{"kind": "pallet", "holds": held}], by=None, at=NOW)


def test_cartons_of_an_unpacked_pallet_stand_alone() -> None:
    shipment = make_shipment()
    cartons = pack(shipment, 50, 50)
    pallets = packing.pack(shipment, units=[{"kind": "pallet", "holds": cartons}], by=None, at=NOW)

    packing.unpack(shipment, units=pallets, by=None, at=NOW)

    assert list(HandlingUnit.objects.live().filter(parent=None).order_by("pk")) == cartons


def test_a_unit_is_unpacked_once() -> None:
    shipment = make_shipment()
    units = pack(shipment, 50)
    packing.unpack(shipment, units=units, by=None, at=NOW)

    with pytest.raises(ValidationError, match="not on the shipment"):
        packing.unpack(shipment, units=units, by=None, at=NOW)


def test_a_cancelled_shipment_holds_no_units() -> None:
    shipment = make_shipment()
    pack(shipment, 50, sscc=TYPED)

    moving.cancel(shipment, by=None, at=NOW)

    assert not HandlingUnit.objects.live().exists()


def test_what_came_back_is_sent_again_under_the_same_number() -> None:
    shipment = make_shipment()
    units = [{"kind": "carton", "sscc": TYPED, "contents": [{"line": shipment.lines.get(), "quantity": 5}]}]
    packing.pack(shipment, units=units, by=None, at=NOW)
    moving.book(shipment, carrier=make_organisation("carrier"), by=None, at=NOW)
    for verb in (moving.dispatch, moving.send_back, moving.come_back):
        verb(shipment, by=None, at=NOW)

    again = make_shipment()
    units[0]["contents"] = [{"line": again.lines.get(), "quantity": 5}]
    packing.pack(again, units=units, by=None, at=NOW)

    assert again.units.live().get().sscc == shipment.units.get().sscc == TYPED


def test_weight_and_volume_are_the_sum_of_the_outermost_units_unless_stated() -> None:
    shipment = make_shipment()
    cartons = pack(shipment, 50, 50, gross_weight_g=1_000, length_mm=101, width_mm=100, height_mm=100)
    units = list(shipment.units.live())
    assert (care.gross_weight(shipment, units), care.volume(shipment, units)) == (2_000, 2_020)

    packing.pack(
        shipment, units=[{"kind": "pallet", "holds": cartons, "gross_weight_g": 22_000}], by=None, at=NOW
    )
    units = list(shipment.units.live())
    assert (care.gross_weight(shipment, units), care.volume(shipment, units)) == (22_000, None)

    shipment = care.declare(shipment, stated_weight_g=23_000, stated_volume_cm3=9, by=None, at=NOW)
    assert (care.gross_weight(shipment, units), care.volume(shipment, units)) == (23_000, 9)


@pytest.mark.parametrize(("grams", "warned"), [(50_000, False), (50_001, True)])
def test_a_carton_that_nobody_can_lift_is_warned_of(grams: int, warned: bool) -> None:
    shipment = make_shipment()
    units = pack(shipment, 100, gross_weight_g=grams)

    codes = [one.code for one in care.cautions(shipment, list(shipment.lines.all()), units)]

    assert codes == (["too-heavy"] if warned else [])


@pytest.mark.parametrize(
    "wrong", [{"sscc": "123"}, {"kind": "elephant"}, {"length_mm": 4}, {"gross_weight_g": 0}]
)
def test_the_database_refuses_a_unit_that_makes_no_sense(wrong: dict[str, Any]) -> None:
    (unit,) = pack(make_shipment(), 10)

    with pytest.raises(IntegrityError), transaction.atomic():
        HandlingUnit.objects.filter(pk=unit.pk).update(**wrong)


def test_the_database_refuses_an_empty_content() -> None:
    pack(make_shipment(), 10)

    with pytest.raises(IntegrityError), transaction.atomic():
        UnitContent.objects.update(quantity=0)


def test_the_database_refuses_more_packed_than_is_promised() -> None:
    shipment = make_shipment()
    pack(shipment, 60)

    with pytest.raises(IntegrityError, match="allocation_not_over_packed"), transaction.atomic():
        Allocation.objects.filter(lines__shipment=shipment).update(quantity_packed=101)
    with pytest.raises(IntegrityError, match="allocation_not_over_packed"), transaction.atomic():
        Allocation.objects.filter(lines__shipment=shipment).update(quantity=59)


def test_what_is_packed_of_a_shipment_that_goes_elsewhere_or_nowhere_is_known() -> None:
    kept, ended = make_shipment(status="booked"), make_shipment()
    pack(kept, 60)
    pack(ended, 60)

    rerouting.reroute(
        kept, to=make_need(quantity=500).appeal.facility, reason="The road is cut.", by=None, at=NOW
    )
    moving.cancel(ended, by=None, at=NOW)

    packed = dict(Allocation.objects.values_list("status", "quantity_packed"))
    assert packed == {"booked": 60, "rerouted": 0, "reserved": 0}


def test_the_catalogue_says_how_goods_are_kept_and_carried() -> None:
    serum = make_item("SERUM", is_cold_chain=True, min_temp_c=2, max_temp_c=8)
    room = make_item("TEST_KIT", min_temp_c=4, max_temp_c=25)
    spirit = make_item("SPIRIT", is_dangerous=True, un_number="1170", hazard_class="3")

    shipment = shipment_of(serum, room, spirit)

    assert (shipment.min_temp_c, shipment.max_temp_c) == (4, 8)
    lines = shipment.lines.values_list("allocation__offer__item", "un_number", "hazard_class")
    assert set(lines) == {("SERUM", "", ""), ("TEST_KIT", "", ""), ("SPIRIT", "1170", "3")}


def test_goods_that_no_temperature_suits_are_not_put_together() -> None:
    frozen = make_item("FROZEN", is_cold_chain=True, max_temp_c=-18)
    serum = make_item("SERUM", is_cold_chain=True, min_temp_c=2, max_temp_c=8)

    with pytest.raises(NotEligible) as refusal:
        shipment_of(frozen, serum)

    assert refusal.value.code == "no-common-temperature"
    assert not Shipment.objects.exists()
