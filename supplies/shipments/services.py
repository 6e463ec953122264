"""The verbs of moving goods: put together, book, dispatch, deliver, count."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.catalogue.models import TransportMode
from supplies.errors import NotEligible, Refused
from supplies.journal.services import record
from supplies.organisations.models import Organisation, User, Verified
from supplies.shipments.models import (
    TROUBLED,
    Discrepancy,
    Receipt,
    ReceiptLine,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    Step,
)
from supplies.shipments.sightings import note_step


@transaction.atomic
def put_together(allocations: Sequence[Allocation], *, by: User | None, at: datetime) -> Shipment:
    """A shipment of promises from one donor to one facility. Raises NotEligible for a mixed load."""
    if not allocations:
        raise ValidationError({"allocations": _("Name at least one allocation to ship.")})
    rows = list(
        Allocation.objects.filter(pk__in=[a.pk for a in allocations])
        .select_related("need__appeal__facility", "offer__donation__organisation", "offer__mode")
        .order_by("pk")
    )
    routes = {(row.offer.donation.organisation_id, row.need.appeal.facility_id) for row in rows}
    if len(routes) != 1:
        raise NotEligible(
            _("A shipment goes from one donor to one facility; make one for each route."), code="mixed-load"
        )
    if any(row.status != AllocationStatus.RESERVED for row in rows):
        raise NotEligible(
            _("One of these allocations is on a shipment already, or has ended."), code="not-reserved"
        )
    shipment = Shipment.objects.create(
        consignor=rows[0].offer.donation.organisation,
        consignee=rows[0].need.appeal.facility,
        mode=rows[0].offer.mode,
        created_at=at,
        created_by=by,
    )
    ledger.book(rows, by=by, at=at)
    ShipmentLine.objects.bulk_create(ShipmentLine(shipment=shipment, allocation=row) for row in rows)
    record(shipment, "shipment.made", by=by, at=at, lines=len(rows))
    return shipment


@transaction.atomic
def book(
    shipment: Shipment,
    *,
    carrier: Organisation,
    by: User | None,
    at: datetime,
    waybill: str = "",
    mode: TransportMode | None = None,
    expected_on: date | None = None,
) -> Shipment:
    """Hand the order to a carrier. From here on the carrier sees the shipment and moves it."""
    if carrier.kind != Organisation.Kind.CARRIER or carrier.status != Verified.VERIFIED:
        raise NotEligible(
            _("%(name)s is not a verified carrier.") % {"name": carrier.name}, code="not-a-carrier"
        )
    shipment = _locked(shipment)
    shipment.move_to(ShipmentStatus.BOOKED)
    shipment.carrier, shipment.waybill, shipment.expected_on = carrier, waybill, expected_on
    shipment.mode = mode or shipment.mode
    try:
        with transaction.atomic():
            shipment.save(update_fields=["status", "carrier", "waybill", "mode", "expected_on"])
    except IntegrityError as error:
        if "shipment_waybill_once" not in str(error):
            raise
        raise Refused(
            _("This carrier has a shipment with that waybill number already."), code="waybill-taken"
        ) from error
    record(shipment, "shipment.booked", by=by, at=at)
    return shipment


@transaction.atomic
def dispatch(shipment: Shipment, *, by: User | None, at: datetime) -> Shipment:
    """Hand the shipment to its carrier. Raises MoveRefused unless it is booked."""
    shipment = _locked(shipment)
    shipment.move_to(ShipmentStatus.IN_TRANSIT)
    shipment.departed_at = at
    shipment.save(update_fields=["status", "departed_at"])
    ledger.ship(_allocations(shipment), by=by, at=at)
    note_step(shipment, Step.DEPARTING, by=by, at=at, disposition="in_transit")
    record(shipment, "shipment.departed", by=by, at=at)
    return shipment


@transaction.atomic
def arrive(shipment: Shipment, *, by: User | None, at: datetime) -> Shipment:
    """It stands at the door, not handed over yet."""
    return _step(shipment, ShipmentStatus.AT_THE_DOOR, Step.ARRIVING, "shipment.arrived", by=by, at=at)


@transaction.atomic
def deliver(shipment: Shipment, *, by: User | None, at: datetime) -> Shipment:
    """Signed for at the gate. What is in the boxes is not counted yet."""
    shipment = _step(shipment, ShipmentStatus.DELIVERED, Step.RECEIVING, "shipment.delivered", by=by, at=at)
    shipment.delivered_at = at
    shipment.save(update_fields=["delivered_at"])
    return shipment


@transaction.atomic
def send_back(shipment: Shipment, *, by: User | None, at: datetime, note: str = "") -> Shipment:
    """It could not be handed over and goes back to the donor."""
    return _step(
        shipment, ShipmentStatus.RETURNING, Step.RETURNING, "shipment.returning", by=by, at=at, note=note
    )


@transaction.atomic
def come_back(shipment: Shipment, *, by: User | None, at: datetime) -> Shipment:
    """The donor has it again: both sides are free."""
    locked = _step(shipment, ShipmentStatus.RETURNED, Step.RECEIVING, "shipment.returned", by=by, at=at)
    ledger.take_back(_allocations(locked), by=by, at=at)
    return locked


@transaction.atomic
def lose(shipment: Shipment, *, by: User | None, at: datetime, note: str = "") -> Shipment:
    """Given up as lost: the hospital's needs are open again."""
    locked = _step(shipment, ShipmentStatus.LOST, Step.HOLDING, "shipment.lost", by=by, at=at, note=note)
    ledger.lose(_allocations(locked), by=by, at=at)
    return locked


@transaction.atomic
def cancel(shipment: Shipment, *, by: User | None, at: datetime) -> Shipment:
    """Call it off before it leaves: its allocations are reserved again."""
    shipment = _step(
        shipment, ShipmentStatus.CANCELLED, Step.VOID_SHIPPING, "shipment.cancelled", by=by, at=at
    )
    ledger.unbook(_allocations(shipment), by=by, at=at)
    shipment.lines.update(is_live=False)
    return shipment


@transaction.atomic
def settle(shipment: Shipment, *, note: str, by: User, at: datetime) -> Shipment:
    """Somebody has talked over with the sender what went wrong; the shipment is no longer in trouble."""
    if not note.strip():
        raise Refused(_("Say how it was settled."), code="reason-missing")
    shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment.pk)
    if shipment.status not in TROUBLED or shipment.settled_at:
        raise Refused(_("There is nothing to settle about this shipment."), code="move-refused")
    shipment.settled_at, shipment.settlement = at, note.strip()[:300]
    shipment.save(update_fields=["settled_at", "settlement"])
    record(shipment, "shipment.settled", by=by, at=at)
    return shipment


@transaction.atomic
def receive(
    shipment: Shipment, *, counts: Iterable[Mapping[str, Any]], by: User | None, at: datetime, note: str = ""
) -> Receipt:
    """The hospital's count. Accepted goods are received; every other piece is a discrepancy, and needed again.

    counts   per line: {"line": ShipmentLine, "accepted": n, "damaged": n, "wrong_item": n, "expired": n}; what is absent
             is zero. Missing and surplus follow from what was shipped. Every line is counted, once.
    """
    shipment = _locked(shipment)
    lines = {line.pk: line for line in shipment.lines.select_related("allocation").order_by("pk")}
    rows = [_count(lines, position, given) for position, given in enumerate(counts)]
    if len({row.line_id for row in rows}) != len(rows) or len(rows) != len(lines):
        raise ValidationError({"lines": _("Count every line of the shipment, once.")})
    accepted = sum(min(row.accepted, row.shipped) for row in rows)
    whole = all(row.accepted >= row.shipped and row.counted == row.accepted for row in rows)
    shipment.move_to(
        ShipmentStatus.ACCEPTED
        if whole
        else ShipmentStatus.PARTLY_ACCEPTED
        if accepted
        else ShipmentStatus.REFUSED
    )
    shipment.save(update_fields=["status"])
    receipt = Receipt.objects.create(shipment=shipment, by=by, at=at, note=note)
    for row in rows:
        row.receipt = receipt
    ReceiptLine.objects.bulk_create(rows)
    Discrepancy.objects.bulk_create(
        Discrepancy(receipt_line=row, kind=kind, quantity=getattr(row, kind))
        for row in rows
        for kind in Discrepancy.Kind.values
        if getattr(row, kind)
    )
    ledger.count({row.line.allocation: min(row.accepted, row.shipped) for row in rows}, by=by, at=at)
    note_step(
        shipment,
        Step.ACCEPTING if accepted else Step.INSPECTING,
        by=by,
        at=at,
        disposition="completeness_verified" if whole else "mismatch_quantity",
    )
    record(shipment, f"shipment.{shipment.status}", by=by, at=at, accepted=accepted)
    return receipt


def _count(lines: Mapping[int, ShipmentLine], position: int, given: Mapping[str, Any]) -> ReceiptLine:
    line = lines.get(getattr(given.get("line"), "pk", None) or 0)
    if line is None:
        raise ValidationError({f"lines.{position}.line": _("This line is not on the shipment.")})
    parts = {kind: given.get(kind) or 0 for kind in ("accepted", "damaged", "wrong_item", "expired")}
    negative = [kind for kind, quantity in parts.items() if quantity < 0]
    if negative:
        raise ValidationError({f"lines.{position}.{negative[0]}": _("A count cannot be negative.")})
    counted, shipped = sum(parts.values()), line.allocation.quantity
    if counted > 10 * shipped + 100:
        raise ValidationError(
            {
                f"lines.{position}.accepted": _(
                    "%(counted)d counted where %(shipped)d were shipped: is a digit too many?"
                )
                % {"counted": counted, "shipped": shipped}
            }
        )
    return ReceiptLine(
        line=line,
        shipped=shipped,
        counted=counted,
        missing=max(0, shipped - counted),
        surplus=max(0, counted - shipped),
        **parts,
    )


def _locked(shipment: Shipment) -> Shipment:
    """Needs, offers and allocations are locked before the shipment, as everywhere."""
    ledger.lock(Allocation.objects.filter(lines__shipment=shipment, lines__is_live=True))
    return Shipment.objects.select_for_update(of=("self",)).get(pk=shipment.pk)


def _allocations(shipment: Shipment) -> list[Allocation]:
    return list(Allocation.objects.filter(lines__shipment=shipment, lines__is_live=True))


def _step(
    shipment: Shipment, status: str, step: str, kind: str, *, by: User | None, at: datetime, note: str = ""
) -> Shipment:
    shipment = _locked(shipment)
    shipment.move_to(status)
    shipment.save(update_fields=["status"])
    note_step(shipment, step, by=by, at=at, note=note)
    record(shipment, kind, by=by, at=at)
    return shipment
