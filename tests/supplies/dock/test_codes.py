"""What a code at the dock names, and to whom it says so."""

import pytest
from django.core.exceptions import ValidationError

from supplies.dock.codes import find
from supplies.shipments import packing
from supplies.shipments import services as moving
from tests.makers import NOW, make_member
from tests.supplies.dock.cast import Cargo, make_cargo

pytestmark = pytest.mark.django_db


@pytest.fixture
def cargo() -> Cargo:
    return make_cargo(waybill="DEMO-112 30001")


@pytest.mark.parametrize(
    "written",
    [
        "{code}",
        "  {code}\n",
        "https://tongzhou.example/track/{code}/",
        "https://elsewhere.example/track/{code}?from=label",
    ],
)
def test_the_link_of_a_label_and_the_code_in_it_name_the_shipment(cargo: Cargo, written: str) -> None:
    found = find(written.format(code=cargo.shipment.code), user=cargo.driver)

    assert (found.shipments, found.sscc) == ([cargo.shipment], "")


def test_a_tracking_code_is_read_with_spaces_and_capitals(cargo: Cargo) -> None:
    code = cargo.shipment.code.upper()

    assert find(f"{code[:8]} {code[8:16]}-{code[16:]}", user=cargo.driver).shipments == [cargo.shipment]


@pytest.mark.parametrize("written", ["{0}", "(00){0}", "(00) {0}", "00{0}", "]C100{0}", "\x1d00{0}", " {0} "])
def test_the_number_of_a_parcel_names_its_shipment_and_the_parcel(cargo: Cargo, written: str) -> None:
    number = cargo.parcels[1]

    found = find(written.format(number), user=cargo.driver)

    assert (found.shipments, found.sscc) == ([cargo.shipment], number)


def test_a_waybill_number_names_the_shipment(cargo: Cargo) -> None:
    assert find("DEMO-112 30001", user=cargo.driver).shipments == [cargo.shipment]


@pytest.mark.parametrize("written", ["demo112700009", "DEMO 112700009", " Demo 1127 00009", "DEMO112700009"])
def test_a_waybill_number_is_read_in_small_letters_and_with_spaces(written: str) -> None:
    cargo = make_cargo(waybill="DEMO112700009")

    assert find(written, user=cargo.driver).shipments == [cargo.shipment]


def test_a_waybill_number_of_eighteen_digits_that_is_no_sscc_is_still_found() -> None:
    cargo = make_cargo(waybill="123456789012345678")

    assert find("123456789012345678", user=cargo.driver).shipments == [cargo.shipment]


def test_one_waybill_number_of_two_carriers_names_both_shipments_newest_first() -> None:
    one, other = make_cargo(waybill="W1"), make_cargo(waybill="W1", first=5)

    found = find("W1", user=make_member("volunteer"))

    assert {shipment.pk for shipment in found.shipments} == {one.shipment.pk, other.shipment.pk}


@pytest.mark.parametrize("written", ["{0}", "(00){0}", "]C100{0}"])
def test_a_mistyped_number_of_a_parcel_is_told_by_its_last_digit(cargo: Cargo, written: str) -> None:
    number = cargo.parcels[0]
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)

    with pytest.raises(ValidationError, match="last digit"):
        find(written.format(wrong), user=cargo.driver)


@pytest.mark.parametrize("text", ["", "   ", "(00)", "/track/", "nobody", "0" * 18, "９" * 18, "]C1", "\x1d"])
def test_what_names_nothing_is_nothing_or_is_told_as_mistyped(cargo: Cargo, text: str) -> None:
    try:
        found = find(text, user=cargo.driver).shipments
    except ValidationError:
        found = []

    assert found == []


def test_of_somebody_else_s_shipment_no_code_says_more_than_one_that_does_not_exist(cargo: Cargo) -> None:
    other = make_cargo(first=7).driver

    for text in (cargo.shipment.code, cargo.parcels[0], cargo.shipment.waybill, "nobody"):
        assert find(text, user=other).shipments == []


def test_a_parcel_that_was_unpacked_and_a_shipment_that_was_called_off_are_not_found(cargo: Cargo) -> None:
    first = cargo.shipment.units.live().get(sscc=cargo.parcels[0])
    packing.unpack(cargo.shipment, units=[first], by=None, at=NOW)
    assert find(cargo.parcels[0], user=cargo.driver).shipments == []

    moving.cancel(cargo.shipment, by=None, at=NOW)
    assert find(cargo.parcels[1], user=cargo.driver).shipments == []
    assert find(cargo.shipment.waybill, user=cargo.driver).shipments == []
