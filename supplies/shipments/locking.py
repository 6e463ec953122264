"""Locking shipments with what is on board, in the order of supplies/allocations/services.py."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.errors import MoveRefused, Refused
from supplies.shipments.models import Shipment, ShipmentStatus

NOT_LEFT = (ShipmentStatus.DRAFT, ShipmentStatus.BOOKED)


def locked(shipments: Iterable[Shipment]) -> list[Shipment]:
    """The shipments as they are now, by primary key: their needs, offers and allocations are locked, and then they.

    Raises Refused when goods came on board between one lock and the next: the verb would lock them out of order.
    """
    ids = {shipment.pk for shipment in shipments}
    on_board = Allocation.objects.filter(lines__shipment__in=ids, lines__is_live=True)
    held = {allocation.pk for allocation in ledger.lock(on_board)}
    rows = list(
        Shipment.objects.select_for_update(of=("self",))
        .select_related("consignor", "consignee", "carrier")
        .filter(pk__in=ids)
        .order_by("pk")
    )
    if set(on_board.values_list("pk", flat=True)) - held:
        raise Refused(
            _("Somebody put more on this shipment just now. Look at it once more, and try again."),
            code="changed-meanwhile",
        )
    return rows


def locked_before_departure(*shipments: Shipment) -> list[Shipment]:
    """The same in the order they were given. Raises MoveRefused for one that has left or ended."""
    rows = {row.pk: row for row in locked(shipments)}
    for row in rows.values():
        if row.status not in NOT_LEFT:
            raise MoveRefused(
                _("This is %(now)s; it can be changed only before it leaves.")
                % {"now": row.get_status_display()}
            )
    return [rows[shipment.pk] for shipment in shipments]
