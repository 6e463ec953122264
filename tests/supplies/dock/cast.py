"""A driver with a shipment of numbered parcels."""

from dataclasses import dataclass

from supplies.organisations.models import User
from supplies.shipments import packing
from supplies.shipments import services as moving
from supplies.shipments.gs1 import check_digit
from supplies.shipments.models import Shipment
from tests.makers import NOW, make_member, make_organisation, make_shipment


def sscc(serial: int) -> str:
    digits = f"0069012345{serial:07d}"
    return digits + check_digit(digits)


@dataclass(frozen=True)
class Cargo:
    driver: User
    shipment: Shipment
    parcels: tuple[str, ...]


def make_cargo(*, waybill: str = "", first: int = 1, parcels: int = 2, status: str = "booked") -> Cargo:
    """Booked with the driver's carrier; `status` in_transit or delivered lets it move on."""
    carrier = make_organisation("carrier")
    shipment = make_shipment()
    numbers = tuple(sscc(serial) for serial in range(first, first + parcels))
    contents = [{"line": shipment.lines.get(), "quantity": 10}]
    units = [{"kind": "parcel", "sscc": number, "contents": contents} for number in numbers]
    packing.pack(shipment, units=units, by=None, at=NOW)
    shipment = moving.book(shipment, carrier=carrier, waybill=waybill, by=None, at=NOW)
    if status in ("in_transit", "delivered"):
        shipment = moving.dispatch(shipment, by=None, at=NOW)
    if status == "delivered":
        shipment = moving.deliver(shipment, by=None, at=NOW)
    return Cargo(make_member("carrier", carrier), shipment, numbers)
