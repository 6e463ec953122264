"""With what the form of an appeal begins: what others of the same kind ask for, or an appeal that was posted before."""

from typing import Any

from django.core.cache import cache
from django.db.models import Count

from supplies.catalogue.models import Item
from supplies.needs.models import Appeal, Need
from supplies.organisations.models import Facility

KEPT_SECONDS = 600
MOST_SHOWN = 8
LARGE_BEDS = 500  # China's third-class hospitals have this many at least
COPIED = (
    "handover_point",
    "courier_address",
    "transport_instructions",
    "accepted_senders",
    "accepts_overseas",
    "receiving_body",
)


def usual_items(facility: Facility) -> list[str]:
    """Codes of what facilities like this one ask for now, the most often asked for first; counted anew every ten minutes.

    Alike are facilities of about its size: hospitals with many beds, with few, or of which nobody has said.
    """
    size = None if facility.beds is None else facility.beds >= LARGE_BEDS
    key = f"needs.usual-items.{size}"
    known: list[str] | None = cache.get(key)
    if known is None:
        known = _asked_for(size)
        cache.set(key, known, timeout=KEPT_SECONDS)
    return known


def _asked_for(is_large: bool | None) -> list[str]:
    alike = Need.objects.ours().open()
    if is_large is not None:
        alike = alike.filter(
            **({"site__beds__gte": LARGE_BEDS} if is_large else {"site__beds__lt": LARGE_BEDS})
        )
    counted = alike.order_by().values("item").annotate(sites=Count("site", distinct=True))
    return [row["item"] for row in counted.order_by("-sites", "item")[:MOST_SHOWN]]


def as_before(appeal: Appeal) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An appeal once more, as its form takes it: how to bring the goods, and its lines without their day and stock."""
    needs = appeal.needs.select_related("item__display_unit", "unit").prefetch_related("accepted_standards")
    return {name: getattr(appeal, name) for name in COPIED}, [_line(need) for need in needs.as_posted()]


def _line(need: Need) -> dict[str, Any]:
    item: Item = need.item
    names = ("quantity_kind", "setting", "medical_grade", "sterile", "substitutes_welcome", "ask_first")
    line = {name: getattr(need, name) for name in (*names, "requirements", "urgency")}
    line |= {"item": item.code, "standards": ", ".join(row.code for row in need.accepted_standards.all())}
    if need.urgency_assumed:
        line["urgency"] = ""
    if need.quantity is not None and need.unit_id and need.pack_content:
        line |= {"unit": need.unit_id, "pack_content": need.pack_content}
        line["amount"] = str(need.quantity // need.pack_content)
    elif need.quantity is not None:
        line["amount"] = item.written(need.quantity)
    if need.min_lot > 1:
        line["min_lot"] = item.written(need.min_lot)
    return line
