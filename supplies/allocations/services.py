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
from uuid import UUID

from django.db import transaction
from django.db.models import F, Model
from django.utils.translation import gettext as _

from supplies.allocations.models import Allocation, AllocationStatus
from supplies.errors import NotEligible, NotEnoughLeft, Refused
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
    _check_may_go(need, offer)
    if offer.status != OfferStatus.OPEN:
        raise NotEligible(
            _("This offer is %(status)s; nothing of it can be promised.")
            % {"status": offer.get_status_display()}
        )


def _check_may_go(need: Need, offer: Offer) -> None:
    """Whether goods of this offer, on a shelf or on a lorry, may go there."""
    if need.status != NeedStatus.OPEN:
        raise NotEligible(
            _("This need is %(status)s; nothing can be promised to it.")
            % {"status": need.get_status_display()}
        )
    if need.appeal.emergency_id != offer.donation.emergency_id:
        raise NotEligible(_("The offer and the need belong to different emergencies."))
    if need.appeal.facility.is_paused:
        raise NotEligible(_("This hospital is not accepting goods for now."), code="facility-paused")
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
def keep(allocation: Allocation, *, reason: str, by: User | None, at: datetime) -> Allocation:
    """Leave what is reserved as it is though its facility is not accepting goods for now. Raises NotEligible if neither is so."""
    (allocation,) = lock([allocation])
    if not reason.strip():
        raise Refused(_("Say why it is kept."), code="reason-missing")
    if allocation.status != AllocationStatus.RESERVED or not allocation.need.appeal.facility.is_paused:
        raise NotEligible(
            _("Only what is reserved for a hospital that is not accepting goods for now has to be kept.")
        )
    allocation.kept_because = reason.strip()[:300]
    allocation.save(update_fields=["kept_because"])
    record(allocation, "allocation.kept", by=by, at=at)
    return allocation


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
def part(allocation: Allocation, quantity: int, *, packed: int, by: User | None, at: datetime) -> Allocation:
    """Take `quantity` off what is booked on a shipment, into an allocation of its own for another one, booked as well.

    packed   how many of these pieces are in units, which travel with them
    """
    (allocation,) = lock([allocation])
    if allocation.status != AllocationStatus.BOOKED:
        raise NotEligible(_("Only what has not left yet can be split off."))
    if not 0 < quantity < allocation.quantity:
        raise NotEnoughLeft(_("Between 1 and %(most)d can be split off.") % {"most": allocation.quantity - 1})
    return _divide(allocation, allocation.quantity - quantity, packed=packed, by=by, at=at)


def _divide(
    allocation: Allocation, kept: int, *, by: User | None, at: datetime, packed: int = 0
) -> Allocation:
    """Leave `kept` in it; the rest is an allocation like it, which is returned. Both sides stay promised as much."""
    rest = Allocation.objects.create(
        need_id=allocation.need_id,
        offer_id=allocation.offer_id,
        quantity=allocation.quantity - kept,
        quantity_packed=packed,
        status=allocation.status,
        because=allocation.because,
        created_at=at,
        created_by=by,
        due_at=allocation.due_at,
        split_from=allocation,
    )
    allocation.quantity = kept
    allocation.quantity_packed -= packed
    allocation.save(update_fields=["quantity", "quantity_packed"])
    record(allocation, "allocation.split", by=by, at=at, quantity=kept)
    return rest


@transaction.atomic
def book(allocations: Iterable[Allocation], *, by: User | None, at: datetime) -> list[Allocation]:
    """They are on a shipment; the quantities stay promised until it departs."""
    return _move(allocations, AllocationStatus.BOOKED, "allocation.booked", by=by, at=at)


@transaction.atomic
def unbook(allocations: Iterable[Allocation], *, by: User | None, at: datetime) -> list[Allocation]:
    """Their shipment was called off: its units are taken apart, and all of it is reserved again."""
    unbooked = _move(allocations, AllocationStatus.RESERVED, "allocation.unbooked", by=by, at=at)
    for allocation in unbooked:
        allocation.quantity_packed = 0
    Allocation.objects.bulk_update(unbooked, ["quantity_packed"])
    return unbooked


@transaction.atomic
def pack(pieces: Mapping[UUID, int]) -> None:
    """So many pieces more of each allocation are in units; fewer, where the number is negative. The caller has locked them."""
    rows = list(Allocation.objects.filter(pk__in=pieces).order_by("pk"))
    for allocation in rows:
        allocation.quantity_packed += pieces[allocation.pk]
    Allocation.objects.bulk_update(rows, ["quantity_packed"])


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
def recount(differences: Mapping[Allocation, int], *, by: User | None, at: datetime) -> list[Allocation]:
    """Their count was wrong: what was received moves by the differences, up or down.

    Raises   NotEnoughLeft where the need has been promised to others meanwhile, so that it cannot have received more
    """
    more = {allocation.pk: difference for allocation, difference in differences.items()}
    locked = lock(differences)
    by_need: dict[Any, int] = defaultdict(int)
    for allocation in locked:
        by_need[allocation.need_id] += more[allocation.pk]
    for need_id, difference in by_need.items():
        held = F("quantity_promised") + F("quantity_in_transit") + F("quantity_received") + difference
        rows = Need.objects.filter(pk=need_id, quantity_received__gte=-difference)
        if difference > 0:
            rows = rows.filter(ceiling__gte=held)
        if not rows.update(quantity_received=F("quantity_received") + difference):
            raise NotEnoughLeft(
                _(
                    "Others have promised what this count left open. Release some of that first, then correct it."
                )
            )
    record_all(locked, "allocation.recounted", by=by, at=at, facts=_facts)
    settle_needs(_needs(locked), by=by, at=at)
    return locked


@transaction.atomic
def credit(allocation: Allocation, quantity: int, *, by: User | None, at: datetime) -> Allocation:
    """Of what was counted, the donor has this many again, whole: her offer holds them again, to be promised anew."""
    (allocation,) = lock([allocation])
    if allocation.status != AllocationStatus.SETTLED:
        raise NotEligible(_("Only goods that have been counted can go back to the donor's stock."))
    if not 0 < quantity <= allocation.quantity - allocation.quantity_credited:
        raise NotEnoughLeft(_("Not more than was shipped can go back to the donor's stock."))
    allocation.quantity_credited += quantity
    allocation.save(update_fields=["quantity_credited"])
    Offer.objects.filter(pk=allocation.offer_id).update(quantity_allocated=F("quantity_allocated") - quantity)
    record(allocation, "allocation.credited", by=by, at=at, **{**_facts(allocation), "quantity": quantity})
    settle_offers(Offer.objects.filter(pk=allocation.offer_id), by=by, at=at)
    return allocation


@transaction.atomic
def redirect(onto: Mapping[Allocation, Need], *, by: User | None, at: datetime) -> dict[Any, Allocation]:
    """Goods under way go to another facility's needs: old allocation's key -> the allocation that follows it.

    Either all of them, or none: raises NotEligible for a need that may not have them, NotEnoughLeft for one that lacks
    fewer, MoveRefused for what is neither booked nor shipped.
    """
    goes_to = {allocation.pk: need.pk for allocation, need in onto.items()}
    _lock_rows(Need, {*goes_to.values(), *(allocation.need_id for allocation in onto)})
    locked = lock(onto)
    was = {allocation.pk: AllocationStatus(allocation.status) for allocation in locked}
    before = [allocation.need_id for allocation in locked]
    needs = Need.objects.select_related("appeal__facility__region", "appeal__emergency").in_bulk(
        goes_to.values()
    )
    for allocation in locked:
        allocation.move_to(AllocationStatus.REROUTED)
    followers = {}
    for allocation in locked:
        need, quantity = needs[goes_to[allocation.pk]], allocation.quantity
        _check_may_go(need, allocation.offer)
        is_shipped = was[allocation.pk] == AllocationStatus.SHIPPED
        column = "quantity_in_transit" if is_shipped else "quantity_promised"
        Need.objects.filter(pk=allocation.need_id).update(**{column: F(column) - quantity})
        held = F("quantity_promised") + F("quantity_in_transit") + F("quantity_received") + quantity
        if not Need.objects.filter(pk=need.pk, ceiling__gte=held).update(**{column: F(column) + quantity}):
            need.refresh_from_db()
            raise _too_much_for(need)
        followers[allocation.pk] = Allocation(
            need=need,
            offer_id=allocation.offer_id,
            quantity=quantity,
            quantity_packed=allocation.quantity_packed,
            status=was[allocation.pk],
            because={"rerouted_from": str(allocation.pk)},
            created_at=at,
            created_by=by,
            due_at=allocation.due_at,
        )
        allocation.quantity_packed = 0
    Allocation.objects.bulk_update(locked, ["status", "quantity_packed"])
    Allocation.objects.bulk_create(followers.values())
    record_all(
        locked,
        "allocation.rerouted",
        by=by,
        at=at,
        facts=lambda one: {
            **_facts(one),
            "need": str(goes_to[one.pk]),
            "offer": str(one.offer_id),
            "allocation": str(followers[one.pk].pk),
        },
    )
    settle_needs(Need.objects.filter(pk__in=[*before, *goes_to.values()]), by=by, at=at)
    return followers


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
