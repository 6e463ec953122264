"""What of the database goes out: only rows everybody may read, and of those who give only sums.

Of a gift that may be read on the site without its donor, a list with places, days and quantities would still tell who gave it.
So offers and flows leave as sums by province, item and emergency; and where fewer than LEAST_GIVERS organisations stand behind
a sum, the province they give from is not told.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser
from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    CharField,
    Count,
    F,
    Func,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Greatest, NullIf, TruncMonth

from supplies.catalogue.models import Item
from supplies.needs.models import AppealStatus, Need, NeedStatus, QuantityKind
from supplies.offers.models import Offer
from supplies.organisations.models import Facility, Organisation
from supplies.regions.models import Region, RegionLevel
from supplies.shipments.models import ShipmentLine

EVERYBODY = AnonymousUser()
LEAST_GIVERS = 3
AT_ONCE = 2_000  # rows fetched at a time
NOT_TOLD = "-"  # stands for a place in the id of a sum


# -- Needs, organisations, places, goods: rows as they are ----------------------------------------------------


def public_needs() -> QuerySet[Need]:
    """Those of our own hospitals: what another instance tells goes out from there, however it is matched here."""
    return Need.objects.ours().visible_to(EVERYBODY)


NEED_COLUMNS = (
    "id", "appeal_id", "status", "site_id", "site__name", "site__organisation_id", "site__organisation__name",
    "region_path", "item_id", "quantity_kind", "quantity", "quantity_promised", "quantity_in_transit",
    "quantity_received", "quantity_outstanding", "medical_grade", "sterile", "setting", "substitutes_welcome",
    "ask_first", "urgency", "urgency_assumed", "needed_by", "needed_by_assumed", "deadline_at", "min_lot",
    "stock_on_hand", "daily_use", "counted_on", "confirmed_at", "created_at",
)  # fmt: skip


def needs(narrowed: QuerySet[Need], *, order: tuple[str, ...] = ("pk",)) -> QuerySet[Need, Any]:
    """Named tuples of what is told of a need."""
    # What was withdrawn is no page any more, so where it came from is not told.
    is_shown = Q(appeal__status__in=[AppealStatus.PUBLISHED, AppealStatus.CLOSED])
    accepted = Need.accepted_standards.through.objects.filter(need=OuterRef("pk")).order_by("standard")
    told = narrowed.annotate(
        emergency=F("appeal__emergency_id"),
        standards=ArraySubquery(accepted.values("standard")),
        source_name=_where(is_shown & Q(appeal__posted_by=None), "appeal__source_name"),
        source_url=_where(is_shown, "appeal__source_url"),
        published_on=Case(When(is_shown, then=F("appeal__published_on"))),
        updated_at=Greatest("created_at", "confirmed_at"),
    )
    beside = ("emergency", "standards", "source_name", "source_url", "published_on", "updated_at")
    return told.order_by(*order).values_list(*NEED_COLUMNS, *beside, named=True)


def _where(condition: Q, column: str) -> Case:
    return Case(When(condition, then=F(column)), default=Value(""), output_field=CharField())


def organisations() -> Iterator[Organisation]:
    rows = Organisation.objects.visible_to(EVERYBODY).order_by("pk")
    return rows.only("id", "kind", "name", "region", "status", "verified_on", "recheck_on").iterator(AT_ONCE)


def facilities() -> Iterator[Facility]:
    rows = Facility.objects.visible_to(EVERYBODY).order_by("pk")
    return rows.only("id", "name", "organisation", "region", "timezone", "is_paused").iterator(AT_ONCE)


def items() -> Iterator[Item]:
    return Item.objects.select_related("base_unit", "display_unit").order_by("pk").iterator(AT_ONCE)


def regions() -> Iterator[Region]:
    return Region.objects.order_by("pk").iterator(AT_ONCE)


# -- Sums ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Cell:
    """A sum of one emergency, place and item.

    place   the code of a region; empty where it is not told
    came_from, month   of flows only
    figures   by name, base units or counts
    """

    emergency: str
    place: str
    item: str
    figures: Mapping[str, Any]
    updated_at: datetime | None = None
    level: str = ""
    came_from: str = ""
    month: date | None = None

    @property
    def id(self) -> str:
        parts = [self.emergency, self.level, self.place or NOT_TOLD, self.item]
        if self.month is not None:
            parts = [self.emergency, self.came_from or NOT_TOLD, self.place, self.item, f"{self.month:%Y-%m}"]
        return "/".join(part for part in parts if part)


def at_depth(path: str, depth: int) -> Any:
    """The code at a depth of a path, or the deepest there is above it: "/CN/420000/420100/" at 2 is 420000."""
    found = [NullIf(_part(path, level), Value("")) for level in range(depth, 0, -1)]
    return Coalesce(*found, Value(""))


def _part(path: str, level: int) -> Func:
    return Func(F(path), Value("/"), Value(level + 1), function="split_part", output_field=CharField())


PROVINCE, PREFECTURE = 2, 3  # depths of a path


def offers(narrowed: QuerySet[Offer]) -> list[Cell]:
    """What is offered, by province and item. `narrowed` may only be narrowed by emergency and goods: see the module."""
    sums = (
        narrowed.order_by()
        .annotate(emergency=F("donation__emergency_id"), place=at_depth("region_path", PROVINCE))
        .values("emergency", "place", "item_id")
        .annotate(
            givers=Count("donation__organisation_id", distinct=True),
            lots=Count("pk"),
            offered=Sum("quantity"),
            promised=Sum("quantity_allocated"),
            left=Sum("quantity_open"),
            updated_at=Max("created_at"),
        )
    )
    figures = ("lots", "offered", "promised", "left")
    return _told([_cell_of(row, figures) for row in sums], [row["givers"] for row in sums], "place")


def flows(narrowed: QuerySet[ShipmentLine]) -> list[Cell]:
    """What left, month by month, from province to prefecture."""
    sums = (
        narrowed.filter(is_live=True, shipment__departed_at__isnull=False)
        .filter(receipt_lines__receipt__correction=None)  # not counted yet, or by the count that holds
        .order_by()
        .annotate(
            emergency=F("allocation__need__appeal__emergency_id"),
            came_from=at_depth("allocation__offer__region_path", PROVINCE),
            place=at_depth("allocation__need__region_path", PREFECTURE),
            month=TruncMonth("shipment__departed_at"),
        )
        .values("emergency", "came_from", "place", "month", "allocation__need__item_id")
        .annotate(
            item_id=F("allocation__need__item_id"),
            givers=Count("shipment__consignor_id", distinct=True),
            lines=Count("pk"),
            shipped=Sum("allocation__quantity"),
            accepted=Coalesce(Sum("receipt_lines__accepted"), 0),
            updated_at=Greatest(
                Max("shipment__departed_at"), Max("shipment__delivered_at"), Max("receipt_lines__receipt__at")
            ),
        )
    )
    figures = ("lines", "shipped", "accepted")
    cells = [
        replace(_cell_of(row, figures), came_from=row["came_from"], month=row["month"].date()) for row in sums
    ]
    return _told(cells, [row["givers"] for row in sums], "came_from")


def _cell_of(row: Mapping[str, Any], figures: Iterable[str]) -> Cell:
    return Cell(
        emergency=row["emergency"],
        place=row["place"],
        item=row["item_id"],
        figures={name: row[name] for name in figures},
        updated_at=row["updated_at"],
    )


def _told(cells: list[Cell], givers: list[int], where: str) -> list[Cell]:
    """The sums with what few gave put together as of a place that is not told, in the order of their ids."""
    told: dict[str, Cell] = {}
    for cell, behind in zip(cells, givers, strict=True):
        if behind < LEAST_GIVERS:
            hidden: dict[str, Any] = {where: ""}
            cell = replace(cell, **hidden)
        known = told.get(cell.id)
        told[cell.id] = cell if known is None else _added(known, cell)
    return sorted(told.values(), key=lambda cell: cell.id)


def _added(one: Cell, other: Cell) -> Cell:
    moments = [moment for moment in (one.updated_at, other.updated_at) if moment is not None]
    figures = {name: value + other.figures[name] for name, value in one.figures.items()}
    return replace(one, figures=figures, updated_at=max(moments, default=None))


NUMBERED = Q(quantity_kind=QuantityKind.NUMBER)
SENT = F("quantity_promised") + F("quantity_in_transit") + F("quantity_received")


def gaps(narrowed: QuerySet[Need], offered: Iterable[Cell], *, at: datetime) -> Iterator[Cell]:
    """Needed, promised, on its way, received and lacking, by province, then by prefecture.

    offered   the sums of what is offered: told beside provinces only, since a prefecture's would tell who gives
    """
    left = {(cell.emergency, cell.place, cell.item): cell.figures["left"] for cell in offered}
    for level, depth in ((RegionLevel.PROVINCE, PROVINCE), (RegionLevel.PREFECTURE, PREFECTURE)):
        for row in _sums_of_needs(narrowed, depth):
            beside = left.get((row["emergency"], row["place"], row["item_id"]))
            figures = {
                "offered": beside if level == RegionLevel.PROVINCE else None,
                "coverage": _percent(row["sent"], row["needed"]),
                "age_days": (at - row["oldest_at"]).days,
                "oldest_at": row["oldest_at"],
            }
            told = ("lines", "lines_without_number", "needed", "promised", "in_transit", "received", "gap")
            cell = _cell_of(row, told)
            yield replace(cell, level=level.value, figures={**cell.figures, **figures})


def _sums_of_needs(narrowed: QuerySet[Need], depth: int) -> Iterator[Mapping[str, Any]]:
    sums = (
        narrowed.filter(status__in=[NeedStatus.OPEN, NeedStatus.MET])
        .order_by()
        .annotate(emergency=F("appeal__emergency_id"), place=at_depth("region_path", depth))
        .values("emergency", "place", "item_id")
        .annotate(
            lines=Count("pk"),
            lines_without_number=Count("pk", filter=~NUMBERED),
            needed=_sum("quantity"),
            promised=_sum("quantity_promised"),
            in_transit=_sum("quantity_in_transit"),
            received=_sum("quantity_received"),
            sent=_sum(SENT),
            gap=_sum("quantity_outstanding"),
            oldest_at=Min("confirmed_at"),
            updated_at=Max("confirmed_at"),
        )
    )
    return sums.order_by("emergency", "place", "item_id").iterator(AT_ONCE)


def _sum(what: Any) -> Coalesce:
    return Coalesce(Sum(what, filter=NUMBERED), 0)


def _percent(part: int, whole: int) -> float | None:
    """With one decimal; None of nothing."""
    return round(100 * part / whole, 1) if whole else None


# -- Names that stand beside codes ------------------------------------------------------------------------------


class Place(NamedTuple):
    code: str
    path: str
    name_zh: str
    name_en: str
    lat: float | None
    lon: float | None
    datum: str


class Goods(NamedTuple):
    code: str
    name_zh: str
    name_en: str
    category: str
    unspsc: str
    unit: str
    rec20: str


NOWHERE = Place("", "", "", "", None, None, "")


class Shelf:
    """Regions and items by their codes, read once: a join for each of a million rows would cost more than they do."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self._chains: dict[str, tuple[Place, ...]] = {}

    @cached_property
    def _places(self) -> dict[str, Place]:
        columns = ("code", "path", "name_zh", "name_en", "lat", "lon", "datum")
        return {row[0]: Place(*row) for row in Region.objects.values_list(*columns)}

    @cached_property
    def _goods(self) -> dict[str, Goods]:
        columns = ("code", "name_zh", "name_en", "category_id", "unspsc", "base_unit_id", "base_unit__rec20")
        return {row[0]: Goods(*row) for row in Item.objects.values_list(*columns)}

    def place(self, code: str) -> Place:
        return self._places.get(code, NOWHERE)

    def goods(self, code: str) -> Goods:
        return self._goods[code]

    def above(self, path: str, depth: int) -> Place:
        """The place at a depth of a path, 1 for the country; nowhere for what lies higher than that."""
        places = self._chain(path)
        return places[depth - 1] if len(places) >= depth else NOWHERE

    def at(self, path: str) -> Place:
        """The place at the end of a path."""
        places = self._chain(path)
        return places[-1] if places else NOWHERE

    def _chain(self, path: str) -> tuple[Place, ...]:
        """The places of a path from the country down, worked out once for each there is."""
        known = self._chains.get(path)
        if known is None:
            known = self._chains[path] = tuple(self.place(code) for code in path.split("/")[1:-1])
        return known
