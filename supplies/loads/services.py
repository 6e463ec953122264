"""The verbs of a consolidated load: gather it at a hub, let it leave, arrive and deliver as one.

The load is locked first, then everything on its shipments in the order of supplies/allocations/services.py.
"""

from collections.abc import Sequence
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.catalogue.models import TransportMode
from supplies.errors import NotEligible, Refused
from supplies.journal.services import record
from supplies.loads.models import ConsolidatedLoad, LoadedShipment, LoadStatus
from supplies.organisations.models import Facility, Organisation, User
from supplies.regions.models import Region
from supplies.shipments import legs
from supplies.shipments import services as moving
from supplies.shipments.locking import locked
from supplies.shipments.models import Shipment, ShipmentStatus


@transaction.atomic
def gather(
    consignee: Facility,
    *,
    hub_region: Region,
    carrier: Organisation,
    by: User | None,
    at: datetime,
    hub_place: str = "",
    mode: TransportMode | None = None,
    planned_departure_at: datetime | None = None,
    shipments: Sequence[Shipment] = (),
) -> ConsolidatedLoad:
    """Plan a vehicle from a hub to a facility, with these shipments on it to begin with."""
    if not legs.is_carrier(carrier):
        raise NotEligible(
            _("%(name)s is not a verified carrier.") % {"name": carrier.name}, code="not-a-carrier"
        )
    load = ConsolidatedLoad.objects.create(
        consignee=consignee,
        hub_region=hub_region,
        hub_place=hub_place,
        carrier=carrier,
        mode=mode,
        planned_departure_at=planned_departure_at,
        created_at=at,
        created_by=by,
    )
    record(load, "load.made", by=by, at=at)
    return add(load, shipments=shipments, by=by, at=at) if shipments else load


@transaction.atomic
def add(
    load: ConsolidatedLoad, *, shipments: Sequence[Shipment], by: User | None, at: datetime
) -> ConsolidatedLoad:
    """Let shipments to the same facility travel with it. Before it leaves."""
    load = _gathering(load)
    rows = locked(_some(shipments))
    taken = {place.shipment_id: place.load_id for place in LoadedShipment.objects.filter(shipment__in=rows)}
    for shipment in rows:
        if shipment.consignee_id != load.consignee_id:
            raise NotEligible(
                _("%(shipment)s goes to another facility.") % {"shipment": shipment}, code="other-consignee"
            )
        if shipment.pk in taken:
            raise NotEligible(
                _("%(shipment)s is on a load already.") % {"shipment": shipment}, code=legs.ON_A_LOAD
            )
        leg = legs.append_shared(
            shipment,
            hub_region=load.hub_region,
            hub_place=load.hub_place,
            carrier=load.carrier,
            mode=load.mode,
            planned_departure_at=load.planned_departure_at,
        )
        LoadedShipment.objects.create(load=load, shipment=shipment, leg=leg)
    record(load, "load.filled", by=by, at=at, shipments=[str(row.pk) for row in rows])
    return load


@transaction.atomic
def remove(
    load: ConsolidatedLoad, *, shipments: Sequence[Shipment], by: User | None, at: datetime
) -> ConsolidatedLoad:
    """Let shipments travel by themselves after all. Before the load leaves."""
    load = _gathering(load)
    _take_off(load, locked(_some(shipments)))
    record(load, "load.emptied", by=by, at=at, shipments=[str(shipment.pk) for shipment in shipments])
    return load


@transaction.atomic
def dispatch(load: ConsolidatedLoad, *, by: User | None, at: datetime) -> ConsolidatedLoad:
    """It leaves the hub with everything on it. Raises Refused while a shipment has not reached the hub.

    Of what a driver's scan sent off from the hub already there is nothing left to say.
    """
    load = _locked(load)
    load.move_to(LoadStatus.IN_TRANSIT)
    rows = [row for row in _all_of(load) if row.status != ShipmentStatus.CANCELLED]
    legs_here = {place.shipment_id: place.leg for place in load.places.select_related("leg")}
    waiting = [row for row in rows if legs_here[row.pk].departed_at is None]
    late = [row for row in waiting if legs.next_of(row) != legs_here[row.pk]]
    if late or not rows:
        raise Refused(
            _("Not at the hub yet: %(shipments)s. Wait for them, or take them off the load.")
            % {"shipments": ", ".join(map(str, late))}
            if late
            else _("There is nothing on this load."),
            code="not-at-hub" if late else "empty-load",
        )
    for shipment in waiting:
        if shipment.status == ShipmentStatus.BOOKED:
            moving.dispatch(shipment, by=by, at=at)
        else:
            legs.leave_hub(shipment, by=by, at=at)
    load.departed_at = at
    load.save(update_fields=["status", "departed_at"])
    record(load, "load.departed", by=by, at=at, shipments=len(rows))
    return load


@transaction.atomic
def arrive(load: ConsolidatedLoad, *, by: User | None, at: datetime) -> ConsolidatedLoad:
    """It stands at the door with everything that is still on it."""
    load = _locked(load)
    load.move_to(LoadStatus.AT_THE_DOOR)
    for shipment in _on_it(load, ShipmentStatus.IN_TRANSIT):
        moving.arrive(shipment, by=by, at=at)
    load.save(update_fields=["status"])
    record(load, "load.arrived", by=by, at=at)
    return load


@transaction.atomic
def deliver(load: ConsolidatedLoad, *, by: User | None, at: datetime) -> ConsolidatedLoad:
    """Everything that is still on it was signed for. The hospital counts each donor's shipment by itself."""
    load = _locked(load)
    load.move_to(LoadStatus.DELIVERED)
    for shipment in _on_it(load, ShipmentStatus.IN_TRANSIT, ShipmentStatus.AT_THE_DOOR):
        moving.deliver(shipment, by=by, at=at)
    load.delivered_at = at
    load.save(update_fields=["status", "delivered_at"])
    record(load, "load.delivered", by=by, at=at)
    return load


@transaction.atomic
def cancel(load: ConsolidatedLoad, *, by: User | None, at: datetime) -> ConsolidatedLoad:
    """Call the vehicle off before it leaves: its shipments travel by themselves."""
    load = _locked(load)
    load.move_to(LoadStatus.CANCELLED)
    if rows := _all_of(load):
        _take_off(load, rows)
    load.save(update_fields=["status"])
    record(load, "load.cancelled", by=by, at=at)
    return load


def _locked(load: ConsolidatedLoad) -> ConsolidatedLoad:
    return (
        ConsolidatedLoad.objects.select_for_update(of=("self",))
        .select_related("hub_region", "carrier", "mode", "consignee")
        .get(pk=load.pk)
    )


def _gathering(load: ConsolidatedLoad) -> ConsolidatedLoad:
    load = _locked(load)
    if load.status != LoadStatus.PLANNED:
        raise Refused(
            _("This load is %(now)s; what is on it can be changed only before it leaves.")
            % {"now": load.get_status_display()},
            code="move-refused",
        )
    return load


def _some(shipments: Sequence[Shipment]) -> Sequence[Shipment]:
    if not shipments:
        raise ValidationError({"shipments": _("Name at least one shipment.")})
    return shipments


def _take_off(load: ConsolidatedLoad, shipments: Sequence[Shipment]) -> None:
    places = {place.shipment_id: place for place in load.places.select_related("leg")}
    for shipment in shipments:
        place = places.get(shipment.pk)
        if place is None:
            raise NotEligible(
                _("%(shipment)s is not on this load.") % {"shipment": shipment}, code="not-on-it"
            )
        place.delete()
        if place.leg.departed_at is None:
            place.leg.delete()
        else:  # a driver's scan sent it off before the load left: that happened, and stays written down
            place.leg.is_shared = False
            place.leg.save(update_fields=["is_shared"])


def _all_of(load: ConsolidatedLoad) -> list[Shipment]:
    """Locked, by primary key."""
    return locked(Shipment.objects.filter(place_on_load__load=load))


def _on_it(load: ConsolidatedLoad, *statuses: str) -> list[Shipment]:
    """Locked, by primary key. What was delivered, lost, sent back or sent on elsewhere meanwhile is left alone."""
    rows = locked(Shipment.objects.filter(place_on_load__load=load))
    return [row for row in rows if row.status in statuses and row.consignee_id == load.consignee_id]
