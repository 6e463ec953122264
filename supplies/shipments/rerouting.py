"""Sending goods under way on to another facility that asks for the same: who could take them, and the verb."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.errors import MoveRefused, NotEligible, Refused
from supplies.journal.services import record
from supplies.needs.models import Need
from supplies.organisations.models import Facility, User
from supplies.shipments import legs
from supplies.shipments.models import Shipment, ShipmentLine, ShipmentStatus

UNDER_WAY = (ShipmentStatus.BOOKED, ShipmentStatus.IN_TRANSIT, ShipmentStatus.AT_THE_DOOR)
SHOWN = 20


@dataclass(frozen=True)
class Candidate:
    """A facility that lacks everything on board: the need that each allocation would go to, by the allocation's key."""

    facility: Facility
    needs: Mapping[UUID, Need]

    @property
    def lacks(self) -> list[Need]:
        """Each once, the most urgent first."""
        return list({need.pk: need for need in self.needs.values()}.values())


def candidates(shipment: Shipment, *, user: User) -> list[Candidate]:
    """Facilities that could take the whole shipment, the most urgent first; none where it is not under way."""
    if shipment.status not in UNDER_WAY:
        return []
    promises = _on_board(shipment)
    found = _open_needs(promises).exclude(site=shipment.consignee_id).visible_to(user)
    by_site: dict[UUID, list[Need]] = defaultdict(list)
    for need in found:
        by_site[need.appeal.facility_id].append(need)
    fits = [
        Candidate(rows[0].appeal.facility, needs)
        for rows in by_site.values()
        if (needs := _fit(promises, rows)) is not None
    ]
    return fits[:SHOWN]


@transaction.atomic
def reroute(shipment: Shipment, *, to: Facility, reason: str, by: User | None, at: datetime) -> Shipment:
    """Send what is under way to another facility, whole: its first needs are open again, the new ones have it in transit.

    Raises   Refused without a reason; MoveRefused for what is not under way; NotEligible and NotEnoughLeft where the
             facility takes nothing, was not meant by the donor, or lacks less than is on board; Refused for what is
             on a consolidated load that has not left yet
    """
    if not reason.strip():
        raise Refused(_("Say why it goes to another hospital."), code="reason-missing")
    promises = _on_board(shipment)
    needs = _fit(promises, list(_open_needs(promises).filter(site=to)))
    if to.pk == shipment.consignee_id or needs is None:
        raise NotEligible(
            _("%(name)s does not lack everything that is on board. Choose one of the hospitals that do.")
            % {"name": to.name},
            code="not-lacking",
        )
    followers = ledger.redirect({promise: needs[promise.pk] for promise in promises}, by=by, at=at)
    shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment.pk)
    legs.check_on_no_load(shipment)
    lines = list(shipment.lines.filter(is_live=True).order_by("pk"))
    if shipment.status not in UNDER_WAY or {line.allocation_id for line in lines} != set(followers):
        raise MoveRefused(
            _("A shipment that is %(status)s goes nowhere else.") % {"status": shipment.get_status_display()}
        )
    for line in lines:
        line.allocation = followers[line.allocation_id]
    ShipmentLine.objects.bulk_update(lines, ["allocation"])
    first, shipment.consignee = shipment.consignee_id, to
    shipment.rerouted_because, shipment.expected_on = reason.strip()[:300], None
    shipment.save(update_fields=["consignee", "rerouted_because", "expected_on"])
    record(shipment, "shipment.rerouted", by=by, at=at, **{"from": str(first), "to": str(to.pk)})
    return shipment


def _on_board(shipment: Shipment) -> list[Allocation]:
    rows = Allocation.objects.filter(lines__shipment=shipment, lines__is_live=True)
    return list(rows.select_related("offer__donation", "need").order_by("pk"))


def _open_needs(promises: Sequence[Allocation]):  # type: ignore[no-untyped-def]
    items = {promise.offer.item_id for promise in promises} | {promise.need.item_id for promise in promises}
    emergencies = {promise.offer.donation.emergency_id for promise in promises}
    rows = Need.objects.open().filter(
        item__in=items, appeal__emergency__in=emergencies, site__is_paused=False
    )
    return rows.select_related("item__display_unit", "appeal__facility__region").most_urgent_first()


def _fit(promises: Iterable[Allocation], needs: Sequence[Need]) -> dict[UUID, Need] | None:
    """Each allocation whole to the most urgent need of the same item that still lacks it; None where one finds none."""
    left = {need.pk: need.lacking for need in needs}
    found: dict[UUID, Need] = {}
    for promise in sorted(promises, key=lambda one: -one.quantity):
        same = (promise.offer.item_id, promise.need.item_id)
        need = next((one for one in needs if one.item_id in same and left[one.pk] >= promise.quantity), None)
        if need is None:
            return None
        left[need.pk] -= promise.quantity
        found[promise.pk] = need
    return found
