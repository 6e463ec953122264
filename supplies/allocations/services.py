"""The ledger: promising a quantity of an offer to a need, and every way in which the promise ends.

Locks are taken in one order everywhere: needs, then offers, then allocations, then shipments or proposals, then
donations, then appeals; each by primary key, and never through a join. A donation and an appeal come last because what
becomes of their lines decides about them. A consolidated load comes before all: it says which shipments are meant.
The counters move by conditional updates, and the database refuses what they would not allow.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Model
from django.utils.translation import gettext as _

from supplies.allocations.models import Allocation, AllocationStatus
from supplies.errors import NotEligible, NotEnoughLeft
from supplies.journal.services import record, record_all
from supplies.needs.models import Need, NeedStatus
from supplies.needs.services import settle as settle_needs
from supplies.offers.models import Offer, OfferStatus
from supplies.offers.services import settle as settle_offers
from supplies.organisations.models import User


@transaction.atomic
def allocate(
    need: Need,
    offer: Offer,
    quantity: int,
    *,
    by: User | None,
    at: datetime,
    because: Mapping[str, Any] | None = None,
) -> Allocation:
    """Promise a quantity of an offer to a need. Reserves both sides.

    Raises   NotEligible for rows that are not open or not of one emergency, or directed elsewhere;
             NotEnoughLeft with the quantity that is left on the scarcer side
    """
    need = (
        Need.objects.select_for_update(of=("self",))
        .select_related("appeal__facility__region", "appeal__emergency")
        .get(pk=need.pk)
    )
    offer = (
        Offer.objects.select_for_update(of=("self",))
        .select_related("donation__directed_region")
        .get(pk=offer.pk)
    )
    _check_fit(need, offer)
    _take(need, offer, quantity)
    allocation = Allocation.objects.create(
        need=need,
        offer=offer,
        quantity=quantity,
        created_at=at,
        created_by=by,
        because=dict(because or {}),
        due_at=at + timedelta(days=need.appeal.emergency.ship_within_days),
    )
    record(
        allocation, "allocation.made", by=by, at=at, quantity=quantity, need=str(need.pk), offer=str(offer.pk)
    )
    settle_offers([offer], by=by, at=at)
    return allocation


def _check_fit(need: Need, offer: Offer) -> None:
    if need.status != NeedStatus.OPEN:
        raise NotEligible(
            _("This need is %(status)s; nothing can be promised to it.")
            % {"status": need.get_status_display()}
        )
    if offer.status != OfferStatus.OPEN:
        raise NotEligible(
            _("This offer is %(status)s; nothing of it can be promised.")
            % {"status": offer.get_status_display()}
        )
    if need.appeal.emergency_id != offer.donation.emergency_id:
        raise NotEligible(_("The offer and the need belong to different emergencies."))
    if need.appeal.facility.is_paused:
        raise NotEligible(_("This facility takes nothing for the time being."), code="facility-paused")
    donation = offer.donation
    if donation.directed_facility_id and donation.directed_facility_id != need.appeal.facility_id:
        raise NotEligible(
            _("The donor gave this for another facility. Ask the donor before it goes elsewhere."),
            code="directed-elsewhere",
        )
    if donation.directed_region and not donation.directed_region.contains(need.appeal.facility.region):
        raise NotEligible(
            _("The donor gave this for another region. Ask the donor before it goes elsewhere."),
            code="directed-elsewhere",
        )


def check(need: Need, offer: Offer, quantity: int) -> None:
    """Raise what `allocate` would raise, and promise nothing."""
    _check_fit(need, offer)
    if quantity > offer.quantity_open:
        raise _too_little_of(offer)
    if quantity > need.lacking:
        raise _too_much_for(need)


def _too_little_of(offer: Offer) -> NotEnoughLeft:
    return NotEnoughLeft(
        _("%(left)d of %(all)d are left of this offer; ask for %(left)d or fewer.")
        % {"left": offer.quantity_open, "all": offer.quantity}
    )


def _too_much_for(need: Need) -> NotEnoughLeft:
    return NotEnoughLeft(_("This need lacks %(left)d; promise that many or fewer.") % {"left": need.lacking})


def _take(need: Need, offer: Offer, quantity: int) -> None:
    """Move both counters, or raise NotEnoughLeft and move none."""
    promised = F("quantity_promised") + F("quantity_in_transit") + F("quantity_received")
    if not Offer.objects.filter(pk=offer.pk, quantity__gte=F("quantity_allocated") + quantity).update(
        quantity_allocated=F("quantity_allocated") + quantity
    ):
        raise _too_little_of(offer)
    if not Need.objects.filter(pk=need.pk, ceiling__gte=promised + quantity).update(
        quantity_promised=F("quantity_promised") + quantity
    ):
        raise _too_much_for(need)


@transaction.atomic
def release(allocation: Allocation, *, reason: str, by: User | None, at: datetime) -> Allocation:
    """Give both sides back what was promised but not shipped. Raises MoveRefused once it is on board."""
    (released,) = _end(
        [allocation],
        AllocationStatus.RELEASED,
        column="quantity_promised",
        to_offer=True,
        by=by,
        at=at,
        reason=reason,
    )
    return released


@transaction.atomic
def release_overdue(*, at: datetime) -> int:
    """Release what was promised and never shipped. Returns how many."""
    # Looked at again under the lock: whatever was booked or released meanwhile is not overdue any more.
    locked = lock(Allocation.objects.overdue(at))
    overdue = [row for row in locked if row.status == AllocationStatus.RESERVED]
    if overdue:
        _end(
            overdue,
            AllocationStatus.RELEASED,
            column="quantity_promised",
            to_offer=True,
            by=None,
            at=at,
            reason="overdue",
        )
    return len(overdue)


@transaction.atomic
def split(allocation: Allocation, quantity: int, *, by: User | None, at: datetime) -> Allocation:
    """Keep `quantity` in this allocation and put the rest in one of its own, e.g. for a second parcel."""
    (allocation,) = lock([allocation])
    if allocation.status != AllocationStatus.RESERVED:
        raise NotEligible(_("Only what is reserved and not booked yet can be split."))
    if not 0 < quantity < allocation.quantity:
        raise NotEnoughLeft(
            _("Between 1 and %(most)d can be sent ahead.") % {"most": allocation.quantity - 1}
        )
    _divide(allocation, quantity, by=by, at=at)
    return allocation


@transaction.atomic
def part(allocation: Allocation, quantity: int, *, by: User | None, at: datetime) -> Allocation:
    """Take `quantity` off what is booked on a shipment, into an allocation of its own for another one, booked as well."""
    (allocation,) = lock([allocation])
    if allocation.status != AllocationStatus.BOOKED:
        raise NotEligible(_("Only what has not left yet can be split off."))
    if not 0 < quantity < allocation.quantity:
        raise NotEnoughLeft(_("Between 1 and %(most)d can be split off.") % {"most": allocation.quantity - 1})
    return _divide(allocation, allocation.quantity - quantity, by=by, at=at)


def _divide(allocation: Allocation, kept: int, *, by: User | None, at: datetime) -> Allocation:
    """Leave `kept` in it; the rest is an allocation like it, which is returned. Both sides stay promised as much."""
    rest = Allocation.objects.create(
        need_id=allocation.need_id,
        offer_id=allocation.offer_id,
        quantity=allocation.quantity - kept,
        status=allocation.status,
        because=allocation.because,
        created_at=at,
        created_by=by,
        due_at=allocation.due_at,
        split_from=allocation,
    )
    allocation.quantity = kept
    allocation.save(update_fields=["quantity"])
    record(allocation, "allocation.split", by=by, at=at, quantity=kept)
    return rest


@transaction.atomic
def book(allocations: Iterable[Allocation], *, by: User | None, at: datetime) -> list[Allocation]:
    """They are on a shipment; the quantities stay promised until it departs."""
    return _move(allocations, AllocationStatus.BOOKED, "allocation.booked", by=by, at=at)


@transaction.atomic
def unbook(allocations: Iterable[Allocation], *, by: User | None, at: datetime) -> list[Allocation]:
    """Their shipment was called off: reserved again."""
    return _move(allocations, AllocationStatus.RESERVED, "allocation.unbooked", by=by, at=at)


@transaction.atomic
def ship(allocations: Iterable[Allocation], *, by: User | None, at: datetime) -> list[Allocation]:
    """They have left: promised becomes in transit."""
    locked = lock(allocations)
    for need_id, quantity in _per(locked, "need_id").items():
        Need.objects.filter(pk=need_id).update(
            quantity_promised=F("quantity_promised") - quantity,
            quantity_in_transit=F("quantity_in_transit") + quantity,
        )
    return _moved(locked, AllocationStatus.SHIPPED, "allocation.shipped", by=by, at=at)


@transaction.atomic
def count(accepted: Mapping[Allocation, int], *, by: User | None, at: datetime) -> list[Allocation]:
    """They have been counted on arrival: in transit becomes received as far as it was accepted, the rest is needed again."""
    good = {allocation.pk: quantity for allocation, quantity in accepted.items()}
    locked = lock(accepted)
    arrived: dict[Any, int] = defaultdict(int)
    for allocation in locked:
        arrived[allocation.need_id] += good[allocation.pk]
    for need_id, quantity in _per(locked, "need_id").items():
        Need.objects.filter(pk=need_id).update(
            quantity_in_transit=F("quantity_in_transit") - quantity,
            quantity_received=F("quantity_received") + arrived[need_id],
        )
    moved = _moved(locked, AllocationStatus.SETTLED, "allocation.settled", by=by, at=at)
    settle_needs(_needs(locked), by=by, at=at)
    return moved


@transaction.atomic
def lose(allocations: Iterable[Allocation], *, by: User | None, at: datetime) -> list[Allocation]:
    """They will never arrive: the needs are open again, the goods are gone."""
    return _end(
        allocations,
        AllocationStatus.LOST,
        column="quantity_in_transit",
        to_offer=False,
        by=by,
        at=at,
        reason="lost",
    )


@transaction.atomic
def take_back(allocations: Iterable[Allocation], *, by: User | None, at: datetime) -> list[Allocation]:
    """They came back to the donor: both sides are free again."""
    return _end(
        allocations,
        AllocationStatus.RETURNED,
        column="quantity_in_transit",
        to_offer=True,
        by=by,
        at=at,
        reason="returned",
    )


def lock(allocations: Iterable[Allocation]) -> list[Allocation]:
    """Lock needs, offers and allocations in the house's order; returns the allocations by primary key."""
    ids = [allocation.pk for allocation in allocations]
    rows = Allocation.objects.filter(pk__in=ids)
    _lock_rows(Need, rows.values("need"))
    _lock_rows(Offer, rows.values("offer"))
    return list(rows.select_related("offer__donation").select_for_update(of=("self",)).order_by("pk"))


def _lock_rows(model: type[Model], ids: Any) -> None:
    list(model._default_manager.filter(pk__in=ids).select_for_update().order_by("pk").values_list("pk"))


def _per(allocations: Iterable[Allocation], column: str) -> dict[Any, int]:
    total: dict[Any, int] = defaultdict(int)
    for allocation in allocations:
        total[getattr(allocation, column)] += allocation.quantity
    return total


def _move(
    allocations: Iterable[Allocation], status: str, kind: str, *, by: User | None, at: datetime
) -> list[Allocation]:
    return _moved(lock(allocations), status, kind, by=by, at=at)


def _moved(
    locked: list[Allocation], status: str, kind: str, *, by: User | None, at: datetime, reason: str = ""
) -> list[Allocation]:
    for allocation in locked:
        allocation.move_to(status)
        allocation.ended_because = reason[:300]
    Allocation.objects.bulk_update(locked, ["status", "ended_because"])
    record_all(locked, kind, by=by, at=at, facts=_facts)
    return locked


def _facts(allocation: Allocation) -> dict[str, Any]:
    """The quantity, and whose family is to be matched again when the goods are free."""
    offer = allocation.offer
    return {
        "quantity": allocation.quantity,
        "item": offer.item_id,
        "emergency": offer.donation.emergency_id,
    }


def _end(
    allocations: Iterable[Allocation],
    status: str,
    *,
    column: str,
    to_offer: bool,
    by: User | None,
    at: datetime,
    reason: str,
) -> list[Allocation]:
    """Take the quantities off their needs' counter, and off their offers' where the goods are there again."""
    locked = lock(allocations)
    moved = _moved(locked, status, f"allocation.{status}", by=by, at=at, reason=reason)
    for need_id, quantity in _per(locked, "need_id").items():
        Need.objects.filter(pk=need_id).update(**{column: F(column) - quantity})
    if to_offer:
        for offer_id, quantity in _per(locked, "offer_id").items():
            Offer.objects.filter(pk=offer_id).update(quantity_allocated=F("quantity_allocated") - quantity)
        settle_offers(Offer.objects.filter(allocations__in=locked), by=by, at=at)
    settle_needs(_needs(locked), by=by, at=at)
    return moved


def _needs(allocations: Iterable[Allocation]) -> Iterable[Need]:
    return Need.objects.filter(pk__in={allocation.need_id for allocation in allocations})
