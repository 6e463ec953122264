"""The board: shipments that are not over, by what they wait for; how many, and which have waited longest."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, Exists, Min, OuterRef, Q, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from supplies.shipments.models import (
    IN_TROUBLE,
    NOT_OVER,
    WAITS_SINCE,
    Leg,
    Shipment,
    ShipmentQuerySet,
    ShipmentStatus,
)

CARDS = 5  # of a column; the rest are in the list


class State(TextChoices):
    """Every shipment that is not over is in one of these."""

    DRAFT = "draft", _("without a carrier")
    BOOKED = "booked", _("booked")
    MOVING = "moving", _("in transit")
    AT_HUB = "at_hub", _("at a hub")
    AT_THE_DOOR = "at_the_door", _("at the door")
    UNCOUNTED = "uncounted", _("delivered, not counted")
    TROUBLE = "trouble", pgettext_lazy("of shipments", "in trouble")


SINCE = {  # what its age is counted from
    State.DRAFT: pgettext_lazy("so long ago", "put together"),
    State.BOOKED: pgettext_lazy("so long ago", "put together"),
    State.UNCOUNTED: pgettext_lazy("so long ago", "delivered"),
}
_TO_GO = Leg.objects.filter(shipment=OuterRef("pk"), arrived_at=None)
WAITS_AT_HUB = Exists(_TO_GO.filter(departed_at=None)) & ~Exists(_TO_GO.filter(departed_at__isnull=False))
IN_STATE = {
    State.DRAFT: Q(status=ShipmentStatus.DRAFT),
    State.BOOKED: Q(status=ShipmentStatus.BOOKED),
    State.AT_HUB: Q(status=ShipmentStatus.IN_TRANSIT) & Q(WAITS_AT_HUB),
    State.MOVING: Q(status=ShipmentStatus.IN_TRANSIT) & ~Q(WAITS_AT_HUB),
    State.AT_THE_DOOR: Q(status=ShipmentStatus.AT_THE_DOOR),
    State.UNCOUNTED: Q(status=ShipmentStatus.DELIVERED),
    State.TROUBLE: IN_TROUBLE,
}


@dataclass(frozen=True)
class Column:
    """One state.

    oldest   since when the shipment that has waited longest waits; None in an empty column
    cards    the few that have waited longest, with `since`
    """

    state: State
    count: int = 0
    oldest: datetime | None = None
    cards: list[Shipment] = field(default_factory=list)

    @property
    def since(self) -> Any:
        return SINCE.get(self.state, pgettext_lazy("so long ago", "left"))

    @property
    def more(self) -> int:
        return self.count - len(self.cards)


def in_state(rows: ShipmentQuerySet, state: State) -> ShipmentQuerySet:
    """Those that have waited longest first."""
    return rows.filter(IN_STATE[state]).annotate(since=WAITS_SINCE).order_by("since", "pk")


def columns(rows: ShipmentQuerySet) -> list[Column]:
    """The states in their course. One statement for the counts, one for the cards of each."""
    state = Case(*(When(rule, then=Value(key.value)) for key, rule in IN_STATE.items()), default=Value(""))
    counts = {
        row["state"]: row
        for row in rows.filter(NOT_OVER)
        .order_by()
        .annotate(state=state)
        .values("state")
        .annotate(count=Count("pk"), oldest=Min(WAITS_SINCE))
    }
    none: dict[str, Any] = {"count": 0, "oldest": None}
    return [
        Column(
            key,
            (counted := counts.get(key.value, none))["count"],
            counted["oldest"],
            list(in_state(rows, key).select_related("consignor", "consignee", "carrier")[:CARDS]),
        )
        for key in State
    ]
