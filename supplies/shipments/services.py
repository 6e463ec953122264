"""The verbs of moving goods: put together, book, dispatch, deliver."""

from collections.abc import Sequence
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.catalogue.models import TransportMode
from supplies.errors import MoveRefused, NotEligible, Refused
from supplies.journal.services import record
from supplies.organisations.models import Organisation, User
from supplies.shipments import care, legs
from supplies.shipments.locking import locked
from supplies.shipments.models import OUTCOMES, TROUBLED, Shipment, ShipmentLine, ShipmentStatus
from supplies.shipments.sightings import note_step
from supplies.shipments.tracking import Step


@transaction.atomic
def put_together(allocations: Sequence[Allocation], *, by: User | None, at: datetime) -> Shipment:
    """A shipment of promises from one donor to one facility. Raises NotEligible for a mixed load."""
    if not allocations:
        raise ValidationError({"allocations": _("Name at least one allocation to ship.")})
    rows = list(
        Allocation.objects.filter(pk__in=[a.pk for a in allocations])
        .select_related(
            "need__appeal__facility", "offer__donation__organisation", "offer__mode", "offer__item"
        )
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
    shipment = Shipment(
        consignor=rows[0].offer.donation.organisation,
        consignee=rows[0].need.appeal.facility,
        mode=rows[0].offer.mode,
        created_at=at,
        created_by=by,
    )
    lines = [ShipmentLine(shipment=shipment, allocation=row) for row in rows]
    care.propose(shipment, lines)
    shipment.save(force_insert=True)
    ledger.book(rows, by=by, at=at)
    ShipmentLine.objects.bulk_create(lines)
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
    if not legs.is_carrier(carrier):
        raise NotEligible(
            _("%(name)s is not a verified carrier.") % {"name": carrier.name}, code="not-a-carrier"
        )
    shipment = _locked(shipment)
    first = legs.first_of(shipment)
    if first is not None and first.carrier_id != carrier.pk:
        raise NotEligible(
            _("The first leg is planned with %(name)s. Book it with them, or plan the legs anew.")
            % {"name": first.carrier.name},
            code="not-planned-with",
        )
    shipment.move_to(ShipmentStatus.BOOKED)
    shipment.expected_on = expected_on
    legs.carry(shipment, carrier=carrier, waybill=waybill, mode=mode or shipment.mode)
    shipment.save(update_fields=["expected_on"])
    if first is not None:
        first.waybill, first.mode = waybill, mode or first.mode
        first.save(update_fields=["waybill", "mode"])
    record(shipment, "shipment.booked", by=by, at=at)
    return shipment


@transaction.atomic
def dispatch(
    shipment: Shipment, *, by: User | None, at: datetime, occurred_at: datetime | None = None
) -> Shipment:
    """Hand the shipment to its carrier. Raises MoveRefused unless it is booked.

    occurred_at   when it happened, where that was before it was told; so in the verbs below
    """
    shipment = _locked(shipment)
    shipment.move_to(ShipmentStatus.IN_TRANSIT)
    shipment.departed_at = occurred_at or at
    shipment.save(update_fields=["status", "departed_at"])
    ledger.ship(_allocations(shipment), by=by, at=at)
    legs.begin(shipment, at=occurred_at or at)
    note_step(shipment, Step.DEPARTING, by=by, at=at, occurred_at=occurred_at, disposition="in_transit")
    record(shipment, "shipment.departed", by=by, at=at)
    return shipment


@transaction.atomic
def arrive(
    shipment: Shipment, *, by: User | None, at: datetime, occurred_at: datetime | None = None
) -> Shipment:
    """It stands at the door, not handed over yet."""
    shipment = _step(
        shipment,
        ShipmentStatus.AT_THE_DOOR,
        Step.ARRIVING,
        "shipment.arrived",
        by=by,
        at=at,
        occurred_at=occurred_at,
    )
    legs.check_last(shipment)
    return shipment


@transaction.atomic
def deliver(
    shipment: Shipment, *, by: User | None, at: datetime, occurred_at: datetime | None = None
) -> Shipment:
    """Signed for at the gate. What is in the boxes is not counted yet."""
    shipment = _step(
        shipment,
        ShipmentStatus.DELIVERED,
        Step.RECEIVING,
        "shipment.delivered",
        by=by,
        at=at,
        occurred_at=occurred_at,
    )
    legs.end_last(shipment, at=occurred_at or at)
    # Clocks of two machines may differ: it was not delivered before it left.
    shipment.delivered_at = max(filter(None, [occurred_at or at, shipment.departed_at]))
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
    locked.units.update(is_live=False)  # sent again, they may carry the same numbers
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
    shipment.units.update(is_live=False)
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
def counted(
    shipment: Shipment,
    outcome: ShipmentStatus,
    *,
    disposition: str,
    by: User | None,
    at: datetime,
    accepted: int,
) -> Shipment:
    """The hospital has counted it: accepted, accepted in part, or refused. What was counted is a receipt's matter.

    accepted   pieces, in their items' smallest counted units
    Raises     MoveRefused for one that was counted before: the arrows between outcomes are a correction's
    """
    shipment = _locked(shipment)
    if shipment.status in OUTCOMES:
        raise MoveRefused(_("It has been counted already. Correct that count if something in it is wrong."))
    shipment.move_to(outcome)
    shipment.save(update_fields=["status"])
    note_step(
        shipment,
        Step.ACCEPTING if accepted else Step.INSPECTING,
        by=by,
        at=at,
        disposition=disposition,
    )
    record(shipment, f"shipment.{shipment.status}", by=by, at=at, accepted=accepted)
    return shipment


@transaction.atomic
def recounted(
    shipment: Shipment, outcome: ShipmentStatus, *, by: User | None, at: datetime, accepted: int
) -> Shipment:
    """Its count was wrong: it stands as the new one says, and what was settled about it has to be looked at again."""
    shipment = _locked(shipment)
    if shipment.status != outcome:
        shipment.move_to(outcome)
        shipment.settled_at, shipment.settlement = None, ""
        shipment.save(update_fields=["status", "settled_at", "settlement"])
    record(shipment, "shipment.recounted", by=by, at=at, accepted=accepted)
    return shipment


def _locked(shipment: Shipment) -> Shipment:
    (row,) = locked([shipment])
    return row


def _allocations(shipment: Shipment) -> list[Allocation]:
    return list(Allocation.objects.filter(lines__shipment=shipment, lines__is_live=True))


def _step(
    shipment: Shipment,
    status: str,
    step: str,
    kind: str,
    *,
    by: User | None,
    at: datetime,
    occurred_at: datetime | None = None,
    note: str = "",
) -> Shipment:
    shipment = _locked(shipment)
    shipment.move_to(status)
    shipment.save(update_fields=["status"])
    note_step(shipment, step, by=by, at=at, occurred_at=occurred_at, note=note)
    record(shipment, kind, by=by, at=at)
    return shipment
