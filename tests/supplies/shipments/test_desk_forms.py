"""Packing, taking apart, stating and planning at the desk: what is filled in is done, and what is wrong stands beside its field."""

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from supplies.organisations.models import User
from supplies.shipments import packing
from supplies.shipments.models import Shipment
from supplies.shipments.units import HandlingUnit
from tests.desk import at_the_desk, choose, page_of
from tests.makers import NOW, make_allocation, make_offer, make_organisation, make_region, make_shipment

OWN_NUMBER = "376104250021234569"  # GS1 General Specifications: the example of an SSCC


@pytest.fixture
def shipment(db: None) -> Shipment:
    return make_shipment(make_allocation(100, offer=make_offer(quantity=100)))


@pytest.fixture
def desk(volunteer: User) -> Client:
    return at_the_desk(volunteer)


def line_of(shipment: Shipment) -> str:
    return f"line_{shipment.lines.get().pk}"


def errors(answer: Any) -> dict[str, list[str]]:
    return {name: list(said) for name, said in answer.context["form"].errors.items()}


def test_several_cartons_that_are_alike_are_packed_at_once(
    desk: Client, shipment: Shipment, settings: Any
) -> None:
    settings.GS1_PREFIX = "9521234"
    sides = {"length": "40", "width": "30", "height": "20"}

    choose(
        desk, "pack", shipment, kind="carton", alike="4", weight="2.5", **sides, **{line_of(shipment): "25"}
    )

    units = shipment.units.live()
    assert units.count() == 4
    assert len({unit.sscc for unit in units}) == 4
    assert {(unit.gross_weight_g, unit.volume, unit.contents.get().quantity) for unit in units} == {
        (2500, 24_000, 25)
    }
    assert packing.unpacked(shipment) == {shipment.lines.get().pk: 0}


def test_cartons_are_put_on_a_pallet_and_taken_apart(desk: Client, shipment: Shipment) -> None:
    choose(desk, "pack", shipment, kind="carton", alike="2", **{line_of(shipment): "50"})
    cartons = [str(unit.pk) for unit in shipment.units.live()]

    choose(desk, "pack", shipment, kind="pallet", alike="1", holds=cartons)
    pallet = shipment.units.live().get(kind="pallet")
    assert pallet.children.count() == 2
    choose(desk, "unpack", shipment, units=[str(pallet.pk), cartons[0]])

    assert [str(unit.pk) for unit in shipment.units.live()] == cartons[1:]
    assert packing.unpacked(shipment) == {shipment.lines.get().pk: 50}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"sscc": "376104250021234568"}, "sscc"),
        ({"sscc": OWN_NUMBER, "alike": "2"}, "sscc"),
        ({"length": "40"}, "width"),
        ({"line": "101"}, "line"),
        ({"line": ""}, "__all__"),
        ({"line": "60", "alike": "2"}, "__all__"),
        ({"kind": "sack"}, "kind"),
        ({"weight": "1" + "0" * 14}, "weight"),
        ({"length": "9" * 12, "width": "1", "height": "1"}, "length"),
    ],
)
def test_what_is_wrong_with_a_unit_stands_beside_its_field_and_what_was_typed_is_still_there(
    desk: Client, shipment: Shipment, typed: dict[str, str], field: str
) -> None:
    given = {"kind": "carton", "alike": "1", "weight": "2.5", "line": "10", **typed}
    given[line_of(shipment)] = given.pop("line")

    answer = choose(desk, "pack", shipment, **given)

    assert list(errors(answer)) == [line_of(shipment) if field == "line" else field]
    assert f'value="{given["weight"]}"' in answer.content.decode()
    assert not HandlingUnit.objects.exists()


def test_the_number_of_the_sender_is_kept(desk: Client, shipment: Shipment) -> None:
    choose(desk, "pack", shipment, kind="parcel", alike="1", sscc=OWN_NUMBER, **{line_of(shipment): "100"})

    assert shipment.units.get().sscc == OWN_NUMBER


def test_temperature_weight_and_dangerous_goods_are_stated(desk: Client, shipment: Shipment) -> None:
    line = shipment.lines.get()
    stated = {f"un_number_{line.pk}": "1170", f"hazard_class_{line.pk}": "3"}

    choose(desk, "declare", shipment, min_temp_c="2", max_temp_c="8", weight="12.5", volume="60", **stated)

    shipment.refresh_from_db()
    line.refresh_from_db()
    assert (shipment.min_temp_c, shipment.max_temp_c) == (2, 8)
    assert (shipment.stated_weight_g, shipment.stated_volume_cm3) == (12_500, 60_000)
    assert (line.un_number, line.hazard_class) == ("1170", "3")
    form = choose(desk, "declare", shipment).context["form"]
    assert (form["weight"].value(), form[f"un_number_{line.pk}"].value()) == (Decimal("12.5"), "1170")


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"min_temp_c": "8", "max_temp_c": "2"}, "max_temp_c"),
        ({"min_temp_c": "-9" + "9" * 12}, "min_temp_c"),
        ({"un_number": "1170"}, "hazard_class"),
        ({"volume": "1" + "0" * 14}, "volume"),
    ],
)
def test_what_cannot_be_so_stands_beside_its_field(
    desk: Client, shipment: Shipment, typed: dict[str, str], field: str
) -> None:
    line = shipment.lines.get()

    def named(name: str) -> str:
        return f"{name}_{line.pk}" if name in ("un_number", "hazard_class") else name

    answer = choose(
        desk, "declare", shipment, **{named(name): value for name, value in typed.items()}, weight=""
    )

    assert list(errors(answer)) == [named(field)]


def test_legs_are_planned_changed_and_taken_away(desk: Client, shipment: Shipment) -> None:
    near, far = make_organisation("carrier"), make_organisation("carrier")
    hub, end = make_region("420102"), make_region("420106")
    plan = {
        "from_region": shipment.consignor.region_id,
        "to_region_0": hub.code,
        "to_place_0": "East station",
        "carrier_0": str(near.pk),
        "planned_departure_at_0": "2026-11-28T08:00",
        "to_region_1": end.code,
        "carrier_1": str(far.pk),
        "waybill_1": "SF100",
    }

    choose(desk, "plan", shipment, **plan)

    assert [
        (leg.from_region_id, leg.to_region_id, leg.to_place, leg.carrier, leg.waybill)
        for leg in shipment.legs.in_order()
    ] == [
        (shipment.consignor.region_id, hub.pk, "East station", near, ""),
        (hub.pk, end.pk, "", far, "SF100"),
    ]
    form = choose(desk, "plan", shipment).context["form"]
    assert (form["carrier_1"].value(), form["to_region_0"].value()) == (far.pk, hub.pk)
    choose(desk, "plan", shipment, from_region=plan["from_region"])
    assert not shipment.legs.exists()


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ({"to_region_0": "420102"}, ["carrier_0"]),
        ({"carrier_0": "x"}, ["carrier_0"]),
        ({"to_region_0": "Atlantis", "carrier_0": "known"}, ["to_region_0"]),
        ({"to_region_1": "420102", "carrier_1": "known"}, ["to_region_1"]),
        (
            {
                "to_region_0": "420102",
                "carrier_0": "known",
                "planned_departure_at_0": "2026-11-28T08:00",
                "planned_arrival_at_0": "2026-11-27T08:00",
            },
            ["planned_arrival_at_0"],
        ),
    ],
)
def test_a_plan_that_leads_nowhere_stands_beside_its_field(
    desk: Client, shipment: Shipment, typed: dict[str, str], fields: list[str]
) -> None:
    make_region("420102")
    carrier = str(make_organisation("carrier").pk)
    given = {name: carrier if value == "known" else value for name, value in typed.items()}

    answer = choose(desk, "plan", shipment, from_region=shipment.consignor.region_id, **given)

    assert list(errors(answer)) == fields
    assert not shipment.legs.exists()


def test_the_first_leg_begins_with_what_was_booked_and_its_number_is_not_lost(desk: Client) -> None:
    shipment = make_shipment(status="booked")
    Shipment.objects.filter(pk=shipment.pk).update(waybill="SF100200300")
    form = choose(desk, "plan", shipment).context["form"]
    assert (form.initial["carrier_0"], form.initial["waybill_0"]) == (shipment.carrier_id, "SF100200300")
    leg = {"to_region_0": make_region("420106").pk, "carrier_0": str(shipment.carrier_id), "waybill_0": ""}

    choose(desk, "plan", shipment, from_region=shipment.consignor.region_id, **leg)

    shipment.refresh_from_db()
    assert (shipment.waybill, shipment.legs.get().waybill) == ("SF100200300", "SF100200300")


def test_legs_that_few_journeys_have_are_folded_until_something_stands_in_them(
    desk: Client, shipment: Shipment
) -> None:
    page = choose(desk, "plan", shipment)
    assert [is_open for _title, _fields, is_open in page.context["form"].folded()] == [False] * 3
    assert page.content.decode().count("<details>") >= 3

    wrong = choose(desk, "plan", shipment, from_region=shipment.consignor.region_id, to_region_3="Atlantis")

    assert [is_open for _title, _fields, is_open in wrong.context["form"].folded()] == [False, True, False]


def test_what_has_left_is_packed_and_planned_no_more(desk: Client) -> None:
    shipment = make_shipment(status="in_transit")

    answer = choose(desk, "pack", shipment, kind="carton", alike="1", **{line_of(shipment): "1"})

    assert "can be changed only before it leaves" in " ".join(errors(answer)["__all__"])
    packing_again = shipment.units.filter(packed_at__gte=NOW, is_live=True)
    assert not packing_again.exists()


def test_what_is_packed_is_counted_in_one_unit_that_is_named(desk: Client, shipment: Shipment) -> None:
    item = shipment.lines.get().allocation.offer.item
    form = choose(desk, "pack", shipment).context["form"]

    told = form.fields[line_of(shipment)].help_text

    assert told.startswith(f"Type {item.base_unit} in each. Not packed yet: 100 {item.base_unit}, which is ")


def test_a_unit_that_was_not_measured_shows_a_dash(desk: Client, shipment: Shipment) -> None:
    choose(desk, "pack", shipment, kind="carton", alike="1", **{line_of(shipment): "50"})

    shown = desk.get(page_of(shipment)).content.decode()

    assert '<td class="field-volume"><p>–</p></td>' in shown
