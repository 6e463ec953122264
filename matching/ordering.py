"""Giving orders and ending them."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from matching.orders import Order, OrderKind
from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.journal.services import record
from supplies.offers.models import Offer
from supplies.organisations.models import Facility, User
from supplies.regions.models import Region


@transaction.atomic
def order(
    kind: str,
    *,
    emergency: Emergency,
    reason: str,
    until: datetime,
    by: User,
    at: datetime,
    item: Item | None = None,
    region: Region | None = None,
    facility: Facility | None = None,
    offer: Offer | None = None,
) -> Order:
    """Give an order that holds from the next run on, and for what is approved from now on. What is agreed stands.

    Raises   ValidationError with the field named; Refused("reason-missing"), Refused("directed-elsewhere")
    """
    if not reason.strip():
        raise Refused(_("Say why; whoever is held up by it reads the reason."), code="reason-missing")
    given = Order(
        kind=kind,
        emergency=emergency,
        item=item,
        region=region,
        facility=facility,
        offer=offer,
        reason=reason.strip()[:300],
        until_at=until,
        by=by,
        created_at=at,
    )
    given.full_clean(exclude=["by"])
    if kind == OrderKind.RESERVE:
        _check_direction(given)
    given.save(force_insert=True)
    record(given, "order.given", by=by, at=at, **_facts(given))
    return given


def _check_direction(order: Order) -> None:
    """What a donor gave for a place is not reserved for another."""
    assert order.offer is not None
    donation, place = order.offer.donation, order.site.region if order.site else order.region
    to, within = donation.directed_facility, donation.directed_region
    assert place is not None
    fits = (to is None or to == order.site) and (within is None or place.path.startswith(within.path))
    if not fits:
        raise Refused(
            _("The donor gave this for somebody else. Ask the donor before it is reserved."),
            code="directed-elsewhere",
        )


def _facts(order: Order) -> dict[str, Any]:
    sides = {name: getattr(order, f"{name}_id") for name in ("region", "facility", "offer")}
    return {"order": order.kind, **{name: str(key) for name, key in sides.items() if key}}


@transaction.atomic
def end(order: Order, *, by: User, at: datetime) -> Order:
    """End an order before it runs out. Raises Refused("ended-already")."""
    order = Order.objects.select_for_update(of=("self",)).with_sides().get(pk=order.pk)
    if order.ended_at is not None or order.until_at <= at:
        raise Refused(_("This order has ended already."), code="ended-already")
    order.ended_at, order.ended_by = at, by
    order.save(update_fields=["ended_at", "ended_by"])
    record(order, "order.ended", by=by, at=at, order=order.kind)
    return order
