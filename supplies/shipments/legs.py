"""The verbs of a journey in parts: plan its legs, reach a hub, go on from there.

Of the shipment's carrier, waybill and mode these are the only ones to move from one leg to the next.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.catalogue.models import TransportMode
from supplies.errors import NotEligible, Refused
from supplies.journal.services import record
from supplies.organisations.models import Organisation, User, Verified
from supplies.regions.models import Region
from supplies.shipments.locking import locked, locked_before_departure
from supplies.shipments.models import Leg, Shipment, ShipmentStatus
from supplies.shipments.sightings import note_step
from supplies.shipments.tracking import Step

ON_A_LOAD = "on-a-load"
NUMBER_TAKEN = gettext_lazy("This carrier has a shipment with that waybill number already.")


@transaction.atomic
def plan(shipment: Shipment, *, legs: Sequence[Mapping[str, Any]], by: User | None, at: datetime) -> Shipment:
    """Lay down the legs of a journey before it begins, in place of those planned before; none: one leg from end to end.

    legs     in order: {"from_region", "from_place", "to_region", "to_place", "carrier", "mode", "waybill",
             "planned_departure_at", "planned_arrival_at"}; each begins where the one before ends
    Raises   ValidationError at "legs.0.waybill" for a number that the carrier uses for another shipment
    """
    (shipment,) = locked_before_departure(shipment)
    check_on_no_load(shipment)
    rows = [Leg(shipment=shipment, sequence=number, **given) for number, given in enumerate(legs, start=1)]
    for position, leg in enumerate(rows):
        _check(leg, rows[position - 1] if position else None, position)
    if rows and shipment.status == ShipmentStatus.BOOKED and rows[0].carrier_id != shipment.carrier_id:
        raise NotEligible(
            _("It is booked with %(name)s, who has to travel the first leg. Reassign it first.")
            % {"name": shipment.carrier},
            code="not-booked-with",
        )
    if rows and shipment.status == ShipmentStatus.BOOKED and not rows[0].waybill:
        # The number it was booked with is not lost for want of being typed again.
        rows[0].waybill = shipment.waybill
    gone = set(shipment.legs.values_list("carrier", flat=True)) - {row.carrier_id for row in rows}
    shipment.legs.all().delete()
    Leg.objects.bulk_create(rows)
    if rows and shipment.status == ShipmentStatus.BOOKED:
        hand_to(shipment, rows[0])
    record(shipment, "shipment.planned", by=by, at=at, legs=len(rows), before=_who_knew(shipment, gone))
    return shipment


def _who_knew(shipment: Shipment, carriers: Collection[UUID]) -> list[str]:
    """Of carriers without a leg now those who have to hear it: they saw the shipment once it was booked."""
    is_booked = shipment.status == ShipmentStatus.BOOKED
    return sorted(str(pk) for pk in carriers if is_booked and pk != shipment.carrier_id)


def _check(leg: Leg, before: Leg | None, position: int) -> None:
    where = f"legs.{position}"
    if before is not None and leg.from_region_id != before.to_region_id:
        raise ValidationError({f"{where}.from_region": _("A leg begins where the one before it ends.")})
    if not is_carrier(leg.carrier):
        raise ValidationError(
            {f"{where}.carrier": _("%(name)s is not a verified carrier.") % {"name": leg.carrier.name}}
        )
    if is_taken(leg.carrier, leg.waybill, shipment=leg.shipment):
        raise ValidationError({f"{where}.waybill": str(NUMBER_TAKEN)})
    departs, arrives = leg.planned_departure_at, leg.planned_arrival_at
    if departs and arrives and arrives < departs:
        raise ValidationError({f"{where}.planned_arrival_at": _("It cannot arrive before it departs.")})


def is_taken(carrier: Organisation, waybill: str, *, shipment: Shipment) -> bool:
    """Whether the carrier gave this waybill number to another shipment, or to a leg of one."""
    if not waybill:
        return False
    others = Shipment.objects.exclude(status=ShipmentStatus.CANCELLED).exclude(pk=shipment.pk)
    with_the_number = {"carrier": carrier, "waybill": waybill}
    travelled = Leg.objects.filter(shipment__in=others, **with_the_number)
    return others.filter(**with_the_number).exists() or travelled.exists()


def is_carrier(organisation: Organisation) -> bool:
    return organisation.kind == Organisation.Kind.CARRIER and organisation.status == Verified.VERIFIED


@transaction.atomic
def reach_hub(
    shipment: Shipment, *, by: User | None, at: datetime, occurred_at: datetime | None = None
) -> Shipment:
    """The leg under way ends, and another follows: from now on its carrier moves the shipment."""
    (shipment,) = locked([shipment])
    legs = _to_go(shipment)
    if shipment.status != ShipmentStatus.IN_TRANSIT or not legs or legs[0].departed_at is None:
        raise Refused(_("No leg of this shipment is under way."), code="move-refused")
    if len(legs) == 1:
        raise Refused(
            _("This leg ends at the facility, not at a hub: say that it arrived there."), code="last-leg"
        )
    _end(legs[0], at=occurred_at or at)
    try:
        hand_to(shipment, legs[1])
    except Refused:
        # Goods that stand at a hub are not held up by a number: the leg keeps it, and the shipment goes on without.
        carry(shipment, carrier=legs[1].carrier, waybill="", mode=legs[1].mode or shipment.mode)
    note_step(
        shipment,
        Step.ARRIVING,
        place=legs[0].where_to[:120],
        disposition="in_transit",
        by=by,
        at=at,
        occurred_at=occurred_at,
    )
    record(shipment, "shipment.at_hub", by=by, at=at, **_of(legs[0]))
    return shipment


@transaction.atomic
def leave_hub(
    shipment: Shipment, *, by: User | None, at: datetime, occurred_at: datetime | None = None
) -> Shipment:
    """The next leg begins."""
    (shipment,) = locked([shipment])
    legs = _to_go(shipment)
    if shipment.status != ShipmentStatus.IN_TRANSIT or not legs or legs[0].departed_at is not None:
        raise Refused(_("This shipment does not wait at a hub."), code="move-refused")
    begin(shipment, at=occurred_at or at)
    note_step(
        shipment,
        Step.DEPARTING,
        place=legs[0].where_from[:120],
        disposition="in_transit",
        by=by,
        at=at,
        occurred_at=occurred_at,
    )
    record(shipment, "shipment.left_hub", by=by, at=at, **_of(legs[0]))
    return shipment


# -- What the verbs of the whole journey do to its legs. The shipment is locked. -----------------------------


def first_of(shipment: Shipment) -> Leg | None:
    return shipment.legs.in_order().first()


def next_of(shipment: Shipment) -> Leg | None:
    """The leg under way, or else the next one."""
    return next(iter(_to_go(shipment)), None)


def begin(shipment: Shipment, *, at: datetime) -> None:
    """The next leg departs. A shipment without legs has none to depart."""
    leg = next_of(shipment)
    if leg is not None:
        leg.departed_at = at
        leg.save(update_fields=["departed_at"])


def check_on_no_load(shipment: Shipment) -> None:
    """Raises Refused while a consolidated load waits for it."""
    if shipment.legs.filter(is_shared=True, departed_at=None).exists():
        raise Refused(_("This travels with a consolidated load. Take it off the load first."), code=ON_A_LOAD)


def check_last(shipment: Shipment) -> None:
    """Raises Refused while more than one leg is still to be travelled."""
    legs = _to_go(shipment)
    if len(legs) > 1:
        raise Refused(
            _("The next leg is from %(hub)s on. Say that it reached the hub, and left it.")
            % {"hub": legs[1].where_from},
            code="legs-left",
        )


def end_last(shipment: Shipment, *, at: datetime) -> None:
    """The journey is over."""
    check_last(shipment)
    leg = next_of(shipment)
    if leg is not None:
        _end(leg, at=at)


def hand_to(shipment: Shipment, leg: Leg) -> None:
    carry(shipment, carrier=leg.carrier, waybill=leg.waybill, mode=leg.mode or shipment.mode)


def carry(shipment: Shipment, *, carrier: Organisation, waybill: str, mode: TransportMode | None) -> None:
    """Write down who has it now. Raises Refused for a waybill number the carrier uses already."""
    if is_taken(carrier, waybill, shipment=shipment):
        raise Refused(NUMBER_TAKEN, code="waybill-taken")
    shipment.carrier, shipment.waybill, shipment.mode = carrier, waybill, mode
    try:
        with transaction.atomic():
            shipment.save(update_fields=["status", "carrier", "waybill", "mode"])
    except IntegrityError as error:
        if "shipment_waybill_once" not in str(error):
            raise
        raise Refused(NUMBER_TAKEN, code="waybill-taken") from error


def append_shared(
    shipment: Shipment,
    *,
    hub_region: Region,
    hub_place: str,
    carrier: Organisation,
    mode: TransportMode | None,
    planned_departure_at: datetime | None,
) -> Leg:
    """Let it travel with others from a hub on. What it did as one leg so far becomes the leg to the hub.

    Raises   NotEligible when it is neither booked nor under way, or when its last leg ends elsewhere than at the hub
    """
    if shipment.status not in (ShipmentStatus.BOOKED, ShipmentStatus.IN_TRANSIT):
        raise NotEligible(
            _("%(shipment)s is %(now)s. Only what is booked or in transit can join a load.")
            % {"shipment": shipment, "now": shipment.get_status_display()}
        )
    legs = list(shipment.legs.in_order())
    starts_at_hub = shipment.status == ShipmentStatus.BOOKED and shipment.carrier_id == carrier.pk
    if legs and legs[-1].to_region_id != hub_region.pk:
        raise NotEligible(
            _("The last leg of %(shipment)s does not end at the hub. Plan its legs to the hub first.")
            % {"shipment": shipment},
            code="other-hub",
        )
    if not legs and not starts_at_hub:
        assert shipment.carrier is not None  # the database lets nothing be booked without
        legs = [
            Leg.objects.create(
                shipment=shipment,
                sequence=1,
                from_region=shipment.consignor.region,
                to_region=hub_region,
                to_place=hub_place,
                carrier=shipment.carrier,
                waybill=shipment.waybill,
                mode=shipment.mode,
                departed_at=shipment.departed_at,
            )
        ]
    leg = Leg.objects.create(
        shipment=shipment,
        sequence=len(legs) + 1,
        from_region=hub_region,
        from_place=hub_place,
        to_region=shipment.consignee.region,
        to_place=shipment.consignee.name[:120],
        carrier=carrier,
        mode=mode,
        waybill=shipment.waybill if not legs else "",
        is_shared=True,
        planned_departure_at=planned_departure_at,
    )
    if next_of(shipment) == leg:
        hand_to(shipment, leg)
    return leg


def _of(leg: Leg) -> dict[str, Any]:
    return {"leg": leg.sequence, "carrier": str(leg.carrier_id)}


def _to_go(shipment: Shipment) -> list[Leg]:
    return list(shipment.legs.to_go().with_names().in_order())


def _end(leg: Leg, *, at: datetime) -> None:
    leg.departed_at = leg.departed_at or at
    leg.arrived_at = max(at, leg.departed_at)  # clocks of two machines may differ
    leg.save(update_fields=["departed_at", "arrived_at"])
