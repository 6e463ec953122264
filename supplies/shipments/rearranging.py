"""The verbs of changing what was put together, before it leaves: split, merge, give it to another carrier."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.allocations import services as ledger
from supplies.catalogue.models import TransportMode
from supplies.errors import MoveRefused, NotEligible, NotEnoughLeft, Refused
from supplies.journal.services import record
from supplies.organisations.models import Organisation, User
from supplies.shipments import care, legs
from supplies.shipments.locking import locked_before_departure
from supplies.shipments.models import Rearrangement, Shipment, ShipmentLine, ShipmentStatus
from supplies.shipments.packing import chosen, unpacked
from supplies.shipments.units import HandlingUnit, UnitContent


@transaction.atomic
def split(
    shipment: Shipment,
    *,
    lines: Iterable[Mapping[str, Any]] = (),
    units: Iterable[HandlingUnit] = (),
    reason: str,
    by: User | None,
    at: datetime,
) -> Shipment:
    """Put loose pieces, or whole units with what is in them, on a shipment of their own. Returns the new one, a draft.

    lines    {"line": ShipmentLine, "quantity": pieces that are in no unit}
    Raises   NotEnoughLeft for more pieces than are loose; Refused when nothing would be left behind
    """
    reason = _stated(reason)
    (shipment,) = locked_before_departure(shipment)
    rows = {line.pk: line for line in shipment.lines.select_related("allocation").order_by("pk")}
    given = list(units)
    moving = _with_what_they_hold(chosen(shipment, given)) if given else []
    parts = _loose_parts(rows, unpacked(shipment), lines)
    packed: dict[int, int] = defaultdict(int)
    for content in UnitContent.objects.filter(unit__in=moving):
        parts[content.line_id] += content.quantity
        packed[content.line_id] += content.quantity
    if not parts:
        raise ValidationError({"lines": _("Name the pieces or the units that travel apart.")})
    if all(parts.get(key) == row.allocation.quantity for key, row in rows.items()):
        raise Refused(
            _("Nothing would be left of this shipment. Give it to another carrier instead."),
            code="nothing-left",
        )
    other = Shipment.objects.create(
        consignor=shipment.consignor,
        consignee=shipment.consignee,
        mode=shipment.mode,
        min_temp_c=shipment.min_temp_c,
        max_temp_c=shipment.max_temp_c,
        created_at=at,
        created_by=by,
    )
    for key, quantity in sorted(parts.items()):
        _move_pieces(rows[key], quantity, packed=packed[key], to=other, units=moving, by=by, at=at)
    HandlingUnit.objects.filter(pk__in=[unit.pk for unit in moving]).update(shipment=other)
    _forget_measures(shipment)
    _note(shipment, Rearrangement.Kind.SPLIT, other=other, reason=reason, by=by, at=at)
    record(shipment, "shipment.split", by=by, at=at, other=str(other.pk), lines=len(parts))
    record(other, "shipment.made", by=by, at=at, lines=len(parts))
    return other


def _loose_parts(
    rows: Mapping[int, ShipmentLine], loose: Mapping[int, int], lines: Iterable[Mapping[str, Any]]
) -> dict[int, int]:
    parts: dict[int, int] = defaultdict(int)
    for position, part in enumerate(lines):
        key = getattr(part.get("line"), "pk", None) or 0
        if key not in rows:
            raise ValidationError({f"lines.{position}.line": _("This line is not on the shipment.")})
        if part["quantity"] < 1:
            raise ValidationError({f"lines.{position}.quantity": _("Split off at least one piece.")})
        parts[key] += part["quantity"]
        if parts[key] > loose[key]:
            raise NotEnoughLeft(
                _("%(left)d of this line are in no unit; split off that many or fewer, or name whole units.")
                % {"left": loose[key]}
            )
    return parts


def _with_what_they_hold(units: list[HandlingUnit]) -> list[HandlingUnit]:
    """The units and those that stand on them. One that is taken off a pallet that stays stands alone."""
    keys = {unit.pk for unit in units}
    lifted = [unit.pk for unit in units if unit.parent_id not in {None, *keys}]
    HandlingUnit.objects.filter(pk__in=lifted).update(parent=None)
    held = HandlingUnit.objects.live().filter(parent__in=keys).exclude(pk__in=keys)
    return [*units, *held]


def _move_pieces(
    line: ShipmentLine,
    quantity: int,
    *,
    packed: int,
    to: Shipment,
    units: list[HandlingUnit],
    by: User | None,
    at: datetime,
) -> None:
    """A whole line is moved; of a part an allocation of its own is made, and the units that hold it are told."""
    if quantity == line.allocation.quantity:
        line.shipment = to
        line.save(update_fields=["shipment"])
        return
    apart = ShipmentLine.objects.create(
        shipment=to,
        allocation=ledger.part(line.allocation, quantity, packed=packed, by=by, at=at),
        un_number=line.un_number,
        hazard_class=line.hazard_class,
    )
    UnitContent.objects.filter(unit__in=units, line=line).update(line=apart)


@transaction.atomic
def merge(shipment: Shipment, other: Shipment, *, reason: str, by: User | None, at: datetime) -> Shipment:
    """Take what is on the other shipment into this one; the other is cancelled, and its code leads here (`travelling_as`).

    Both are of one route, and have not left.
    """
    reason = _stated(reason)
    if shipment.pk == other.pk:
        raise ValidationError({"other": _("Name another shipment than this one.")})
    shipment, other = locked_before_departure(shipment, other)
    if (shipment.consignor_id, shipment.consignee_id) != (other.consignor_id, other.consignee_id):
        raise NotEligible(
            _("A shipment goes from one donor to one facility; make one for each route."), code="mixed-load"
        )
    if other.legs.filter(is_shared=True).exists():
        raise Refused(
            _("The other one travels with a consolidated load. Take it off the load first."),
            code=legs.ON_A_LOAD,
        )
    shipment.min_temp_c, shipment.max_temp_c = care.common_temperatures([shipment, other])
    shipment.save(update_fields=["min_temp_c", "max_temp_c"])
    other.lines.update(shipment=shipment)
    other.units.live().update(shipment=shipment)
    _forget_measures(shipment)
    other.move_to(ShipmentStatus.CANCELLED)
    other.save(update_fields=["status"])
    _note(shipment, Rearrangement.Kind.MERGED, other=other, reason=reason, by=by, at=at)
    record(shipment, "shipment.merged", by=by, at=at, other=str(other.pk))
    record(other, "shipment.joined", by=by, at=at, into=str(shipment.pk))
    return shipment


def travelling_as(shipment: Shipment) -> Shipment:
    """The shipment that what was on this one travels with, where it was merged, and that again; else the same."""
    seen = {shipment.pk}
    while shipment.status == ShipmentStatus.CANCELLED:
        merged = Rearrangement.objects.filter(kind=Rearrangement.Kind.MERGED, other=shipment)
        into = merged.select_related("shipment").order_by("-at", "-pk").first()
        if into is None or into.shipment_id in seen:
            break
        shipment = into.shipment
        seen.add(shipment.pk)
    return shipment


@transaction.atomic
def merge_all(shipments: Sequence[Shipment], *, reason: str, by: User | None, at: datetime) -> Shipment:
    """Merge several into the first of them."""
    into, *others = shipments
    if not others:
        raise ValidationError({"other": _("Choose at least two shipments.")})
    locked_before_departure(*shipments)
    for other in others:
        into = merge(into, other, reason=reason, by=by, at=at)
    return into


@transaction.atomic
def reassign(
    shipment: Shipment,
    *,
    carrier: Organisation,
    reason: str,
    by: User | None,
    at: datetime,
    waybill: str = "",
    mode: TransportMode | None = None,
    expected_on: date | None = None,
) -> Shipment:
    """Give what is booked to another carrier before it leaves. The first one sees it no longer."""
    reason = _stated(reason)
    (shipment,) = locked_before_departure(shipment)
    if shipment.status != ShipmentStatus.BOOKED:
        raise MoveRefused(_("This is not booked with anybody yet. Book it."))
    if not legs.is_carrier(carrier):
        raise NotEligible(
            _("%(name)s is not a verified carrier.") % {"name": carrier.name}, code="not-a-carrier"
        )
    if carrier.pk == shipment.carrier_id:
        raise NotEligible(
            _("It is booked with %(name)s already.") % {"name": carrier.name}, code="carried-already"
        )
    first = legs.first_of(shipment)
    if first is not None and first.is_shared:
        raise Refused(
            _("This travels with a consolidated load. Take it off the load first."), code=legs.ON_A_LOAD
        )
    before = shipment.carrier
    legs.carry(shipment, carrier=carrier, waybill=waybill, mode=mode or shipment.mode)
    shipment.expected_on = expected_on or shipment.expected_on
    shipment.save(update_fields=["expected_on"])
    if first is not None:
        first.carrier, first.waybill, first.mode = carrier, waybill, shipment.mode
        first.save(update_fields=["carrier", "waybill", "mode"])
    _note(shipment, Rearrangement.Kind.REASSIGNED, carrier_before=before, reason=reason, by=by, at=at)
    record(
        shipment,
        "shipment.reassigned",
        by=by,
        at=at,
        carrier=str(carrier.pk),
        before=str(before.pk if before else ""),
    )
    return shipment


def _stated(reason: str) -> str:
    if not reason.strip():
        raise ValidationError({"reason": _("Say why.")})
    return reason.strip()[:300]


def _forget_measures(shipment: Shipment) -> None:
    """What was stated of weight and volume was stated of another load."""
    shipment.stated_weight_g = shipment.stated_volume_cm3 = None
    shipment.save(update_fields=["stated_weight_g", "stated_volume_cm3"])


def _note(shipment: Shipment, kind: str, *, reason: str, by: User | None, at: datetime, **what: Any) -> None:
    Rearrangement.objects.create(shipment=shipment, kind=kind, reason=reason, by=by, at=at, **what)
