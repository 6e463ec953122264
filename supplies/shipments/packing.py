"""The verbs of packing: so many pieces of a line into a parcel or carton, cartons onto a pallet."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from supplies.allocations import services as ledger
from supplies.errors import NotEligible, NotEnoughLeft, Refused
from supplies.journal.services import record
from supplies.organisations.models import User
from supplies.shipments import gs1
from supplies.shipments.locking import locked_before_departure
from supplies.shipments.models import Shipment, ShipmentLine
from supplies.shipments.units import HandlingUnit, UnitContent, UnitKind

MEASURES = ("gross_weight_g", "volume_cm3", "length_mm", "width_mm", "height_mm")


@transaction.atomic
def pack(
    shipment: Shipment, *, units: Sequence[Mapping[str, Any]], by: User | None, at: datetime
) -> list[HandlingUnit]:
    """Make handling units before the shipment leaves.

    units    each {"kind": UnitKind, "sscc": as typed, or "" for one of ours, "gross_weight_g", "volume_cm3",
             "length_mm", "width_mm", "height_mm", "contents": [{"line": ShipmentLine, "quantity": pieces}],
             "holds": [HandlingUnit of the shipment that is put on this one]}
    Raises   ValidationError naming the unit and field; NotEnoughLeft for more pieces of a line than are not packed yet;
             NotEligible for medicines among other goods
    """
    (shipment,) = locked_before_departure(shipment)
    lines = {line.pk: line for line in shipment.lines.select_related("allocation__offer__item")}
    standing = {unit.pk: unit for unit in shipment.units.live()}
    if not units:
        raise ValidationError({"units": _("Name at least one unit to pack.")})
    loose = unpacked(shipment)
    made: list[HandlingUnit] = []
    contents: list[UnitContent] = []
    onto: list[HandlingUnit] = []
    for position, given in enumerate(units):
        where = f"units.{position}"
        unit = _unit(shipment, given, where, by=by, at=at)
        inside = _contents(unit, given.get("contents") or (), lines, loose, where)
        held = _held(unit, given.get("holds") or (), standing, where)
        if not inside and not held:
            raise ValidationError({f"{where}.contents": _("Say what is in it, or what stands on it.")})
        made.append(unit)
        contents += inside
        onto += held
    _store(made)
    UnitContent.objects.bulk_create(contents)
    ledger.pack(_pieces(contents))
    HandlingUnit.objects.bulk_update(onto, ["parent"])
    record(shipment, "shipment.packed", by=by, at=at, units=len(made))
    return made


@transaction.atomic
def unpack(shipment: Shipment, *, units: Iterable[HandlingUnit], by: User | None, at: datetime) -> Shipment:
    """Take units apart before the shipment leaves: their pieces are loose again, and what stood on them stands alone."""
    (shipment,) = locked_before_departure(shipment)
    named = chosen(shipment, units)
    contents = UnitContent.objects.filter(unit__in=named).select_related("line")
    ledger.pack({key: -quantity for key, quantity in _pieces(contents).items()})
    HandlingUnit.objects.filter(parent__in=named).update(parent=None)
    HandlingUnit.objects.filter(pk__in=[unit.pk for unit in named]).update(is_live=False, parent=None)
    record(shipment, "shipment.unpacked", by=by, at=at, units=len(named))
    return shipment


def chosen(shipment: Shipment, units: Iterable[HandlingUnit]) -> list[HandlingUnit]:
    """The units as they are now. Raises ValidationError for one that is not on the shipment any more."""
    ids = [unit.pk for unit in units]
    known = {unit.pk: unit for unit in shipment.units.live().in_order()}
    for position, key in enumerate(ids):
        if key not in known or key in ids[:position]:
            raise ValidationError(
                {f"units.{position}": _("This unit is not on the shipment, or it is named twice.")}
            )
    if not ids:
        raise ValidationError({"units": _("Name at least one unit.")})
    return [known[key] for key in ids]


def unpacked(shipment: Shipment) -> dict[int, int]:
    """Per line, how many pieces are in no unit yet."""
    left = F("allocation__quantity") - F("allocation__quantity_packed")
    return dict(shipment.lines.filter(is_live=True).values_list("pk", left))


def _pieces(contents: Iterable[UnitContent]) -> dict[UUID, int]:
    """By allocation."""
    pieces: dict[UUID, int] = defaultdict(int)
    for content in contents:
        pieces[content.line.allocation_id] += content.quantity
    return pieces


def _unit(
    shipment: Shipment, given: Mapping[str, Any], where: str, *, by: User | None, at: datetime
) -> HandlingUnit:
    unit = HandlingUnit(
        shipment=shipment,
        kind=given.get("kind", ""),
        packed_at=at,
        packed_by=by,
        **{name: given.get(name) for name in MEASURES},
    )
    if unit.kind not in UnitKind.values:
        raise ValidationError({f"{where}.kind": _("There is no such kind of unit.")})
    sides = [name for name in ("length_mm", "width_mm", "height_mm") if getattr(unit, name) is None]
    if 0 < len(sides) < 3:
        raise ValidationError({f"{where}.{sides[0]}": _("Give all three sides, or none.")})
    if given.get("sscc"):
        try:
            unit.sscc = gs1.read_sscc(given["sscc"])
        except ValidationError as error:
            raise ValidationError({f"{where}.sscc": error.messages}) from error
        if gs1.is_ours(unit.sscc) and not HandlingUnit.objects.filter(sscc=unit.sscc).exists():
            raise ValidationError(
                {
                    f"{where}.sscc": _(
                        "Only this site gives numbers that begin so. Leave it empty for the next."
                    )
                }
            )
    return unit


def _contents(
    unit: HandlingUnit,
    given: Sequence[Mapping[str, Any]],
    lines: Mapping[int, ShipmentLine],
    loose: dict[int, int],
    where: str,
) -> list[UnitContent]:
    pieces: dict[int, int] = defaultdict(int)
    for position, part in enumerate(given):
        line = lines.get(getattr(part.get("line"), "pk", None) or 0)
        if line is None:
            raise ValidationError(
                {f"{where}.contents.{position}.line": _("This line is not on the shipment.")}
            )
        if part["quantity"] < 1:
            raise ValidationError({f"{where}.contents.{position}.quantity": _("Pack at least one piece.")})
        pieces[line.pk] += part["quantity"]
    for key, quantity in pieces.items():
        if quantity > loose[key]:
            item = lines[key].allocation.offer.item
            raise NotEnoughLeft(
                _("%(item)s: %(left)d are not packed yet; pack that many or fewer.")
                % {"item": item.name, "left": loose[key]}
            )
        loose[key] -= quantity
    # WHO, Guidelines for Medicine Donations: a carton of medicines holds nothing else.
    if len({lines[key].allocation.offer.item.is_medicine for key in pieces}) > 1:
        raise NotEligible(
            _("Medicines are packed apart from other goods: make a unit of their own."),
            code="medicines-mixed",
        )
    return [UnitContent(unit=unit, line=lines[key], quantity=quantity) for key, quantity in pieces.items()]


def _held(
    unit: HandlingUnit, given: Sequence[HandlingUnit], standing: Mapping[int, HandlingUnit], where: str
) -> list[HandlingUnit]:
    if given and unit.kind != UnitKind.PALLET:
        raise ValidationError({f"{where}.holds": _("Only a pallet holds other units.")})
    held = []
    for position, other in enumerate(given):
        known = standing.get(other.pk)
        if known is None or known.parent is not None or known.kind == UnitKind.PALLET:
            raise ValidationError(
                {f"{where}.holds.{position}": _("This is not a unit of the shipment that stands alone.")}
            )
        known.parent = unit
        held.append(known)
    return held


def _store(units: list[HandlingUnit]) -> None:
    """Store them, and number those that have no number: each by its own key, so that none is given twice."""
    try:
        with transaction.atomic():
            HandlingUnit.objects.bulk_create(units)
            ours = [unit for unit in units if not unit.sscc]
            for unit in ours:
                unit.sscc = gs1.make_sscc(unit.pk)
            HandlingUnit.objects.bulk_update(ours, ["sscc"])
    except IntegrityError as error:
        if "unit_sscc_once" not in str(error):
            raise
        raise Refused(
            _("A unit on its way carries this SSCC already. Read the label once more."), code="sscc-taken"
        ) from error
