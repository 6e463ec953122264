"""The verbs of counting what arrived."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.organisations.models import User
from supplies.receipts.models import Discrepancy, Receipt, ReceiptLine
from supplies.shipments import services as shipments
from supplies.shipments.models import Shipment, ShipmentLine
from supplies.shipments.models import ShipmentStatus as S


@transaction.atomic
def receive(
    shipment: Shipment, *, counts: Iterable[Mapping[str, Any]], by: User | None, at: datetime, note: str = ""
) -> Receipt:
    """The hospital's count. Accepted goods are received; every other piece is a discrepancy, and needed again.

    counts   per line: {"line": ShipmentLine, "accepted": n, "damaged": n, "wrong_item": n, "expired": n}; what is absent
             is zero. Missing and surplus follow from what was shipped. Every line is counted, once.
    """
    # Needs, offers and allocations are locked before the shipment, as everywhere.
    ledger.lock(Allocation.objects.filter(lines__shipment=shipment, lines__is_live=True))
    lines = {line.pk: line for line in shipment.lines.select_related("allocation").order_by("pk")}
    rows = [_count(lines, position, given) for position, given in enumerate(counts)]
    if len({row.line_id for row in rows}) != len(rows) or len(rows) != len(lines):
        raise ValidationError({"lines": _("Count every line of the shipment, once.")})
    accepted = sum(min(row.accepted, row.shipped) for row in rows)
    whole = all(row.accepted >= row.shipped and row.counted == row.accepted for row in rows)
    shipment = shipments.counted(
        shipment,
        S.ACCEPTED if whole else S.PARTLY_ACCEPTED if accepted else S.REFUSED,
        disposition="completeness_verified" if whole else "mismatch_quantity",
        accepted=accepted,
        by=by,
        at=at,
    )
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
