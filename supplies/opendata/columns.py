"""What a column of the open data is, and the columns that many files have: whence, which emergency, where, which goods."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supplies.leaks import masked
from supplies.opendata.rows import Goods, Place, Shelf


class Kind(StrEnum):
    """What a value is. In JSON all but numbers, yes and no, and lists is text."""

    CODE = "code"
    ID = "id"
    WORDS = "words"  # what people wrote; private numbers in it are masked
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    DAY = "date"
    MOMENT = "instant"  # ISO 8601, UTC
    CODES = "list of codes"


def moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _day(value: date) -> str:
    return value.isoformat()


WRITTEN: Mapping[Kind, Callable[[Any], Any]] = {
    Kind.ID: str,
    Kind.WORDS: masked,
    Kind.DAY: _day,
    Kind.MOMENT: moment,
    Kind.CODES: list,
}
Read = Callable[[Any, Shelf], Any]
Says = str | Promise


@dataclass(frozen=True)
class Column:
    """One column of one file; `read` takes the value from a row and the names that stand beside its codes."""

    name: str
    tag: str
    kind: Kind
    says: Says
    source: str
    example: Any
    read: Read
    unit: Says = ""

    def value(self, row: Any, shelf: Shelf) -> Any:
        """The value as JSON has it; None where there is nothing."""
        found = self.read(row, shelf)
        write = WRITTEN.get(self.kind)
        return found if found is None or write is None else write(found)


C, W, N, B = Kind.CODE, Kind.WORDS, Kind.NUMBER, Kind.BOOLEAN
BASE_UNITS = _("smallest counted unit of the item")
DEGREES = _("degrees")


def field(name: str) -> Read:
    get = attrgetter(name)
    return lambda row, shelf: get(row)


def column(
    name: str,
    tag: str,
    kind: Kind,
    says: Says,
    source: str,
    example: Any,
    *,
    of: str | Read = "",
    unit: Says = "",
) -> Column:
    """`of` is the row's attribute where it is not called like the column, or what reads it."""
    read = of if callable(of) else field(of or name)
    return Column(name, tag, kind, says, source, example, read, unit)


def figure(
    name: str, tag: str, says: Says, source: str, example: Any, *, kind: Kind = N, unit: Says = BASE_UNITS
) -> Column:
    """What was counted, under the column's own name."""
    return Column(name, tag, kind, says, source, example, lambda row, shelf: row.figures[name], unit)


# -- What many files have ------------------------------------------------------------------------------------

ORIGIN = column(
    "origin",
    "#meta+origin",
    C,
    _("The instance that published the row. Together with id it names the row everywhere."),
    "OPEN_DATA_INSTANCE",
    "https://tongzhou.example.org",
    of=lambda row, shelf: shelf.origin,
)
EMERGENCY = column("emergency", "#crisis+code", C, _("Code of the emergency."), "Emergency.code", "flu-2026")
UPDATED = column(
    "updated_at",
    "#date+updated",
    Kind.MOMENT,
    _("When the newest of what is counted here was posted, confirmed or seen."),
    "created_at, confirmed_at, departed_at",
    "2026-11-23T08:00:00Z",
)


def identity(says: Says, source: str, example: str, kind: Kind = Kind.ID, of: str = "id") -> Column:
    return column("id", "#meta+id", kind, says, source, example, of=of)


def middle(place: Callable[[Any, Shelf], Place]) -> list[Column]:
    """Where to draw it: the middle of a region, never a door."""
    return [
        column(
            "lat",
            "#geo+lat",
            Kind.DECIMAL,
            _("Latitude of the middle of the region, not of a building."),
            "Region.lat",
            30.55,
            of=lambda row, shelf: place(row, shelf).lat,
            unit=DEGREES,
        ),
        column(
            "lon",
            "#geo+lon",
            Kind.DECIMAL,
            _("Longitude of the middle of the region, not of a building."),
            "Region.lon",
            114.32,
            of=lambda row, shelf: place(row, shelf).lon,
            unit=DEGREES,
        ),
        column(
            "datum",
            "#geo+datum",
            C,
            _("What the coordinates refer to: WGS84, GCJ02 (moved by some hundred metres), or unstated."),
            "Region.datum",
            "WGS84",
            of=lambda row, shelf: place(row, shelf).datum,
        ),
    ]


PATH_LEVELS = (
    (1, "country", "#country", _("Country"), ("CN", "中国", "China")),
    (2, "adm1", "#adm1", _("Province or the like"), ("420000", "湖北省", "Hubei")),
    (3, "adm2", "#adm2", _("Prefecture or the like"), ("420100", "武汉市", "Wuhan")),
    (4, "adm3", "#adm3", _("District or the like"), ("420106", "武昌区", "Wuchang")),
)


def _level(
    depth: int, name: str, tag: str, says: Says, example: tuple[str, str, str], path: Read
) -> list[Column]:
    """A place above the row's: its code and its two names."""

    def above(row: Any, shelf: Shelf) -> Place:
        return shelf.above(path(row, shelf), depth)

    code = "+code+v_iso2" if depth == 1 else "+code"
    return [
        column(
            f"{name}_code", tag + code, C, says, "Region.code", example[0], of=lambda r, s: above(r, s).code
        ),
        column(
            f"{name}_zh",
            f"{tag}+name+i_zh",
            C,
            says,
            "Region.name_zh",
            example[1],
            of=lambda r, s: above(r, s).name_zh,
        ),
        column(
            f"{name}_en",
            f"{tag}+name+i_en",
            C,
            says,
            "Region.name_en",
            example[2],
            of=lambda r, s: above(r, s).name_en,
        ),
    ]


def where(path: Read, deepest: int) -> list[Column]:
    """Country down to the deepest level, the code of the region itself, and its middle."""
    levels = [
        level
        for depth, name, tag, says, example in PATH_LEVELS[:deepest]
        for level in _level(depth, name, tag, says, example, path)
    ]

    def own(row: Any, shelf: Shelf) -> Place:
        return shelf.at(path(row, shelf))

    region = column(
        "region",
        "#region+code",
        C,
        _("The narrowest region that is told, by its code; empty where it is not told."),
        "Region.code",
        "420106",
        of=lambda row, shelf: own(row, shelf).code,
    )
    return [*levels, region, *middle(own)]


def goods(item: str) -> list[Column]:
    code = attrgetter(item)

    def of(what: Callable[[Goods], Any]) -> Read:
        return lambda row, shelf: what(shelf.goods(code(row)))

    return [
        column("item", "#item+code", C, _("Code of the item."), "Item.code", "MASK_SURG", of=item),
        column(
            "item_zh",
            "#item+name+i_zh",
            C,
            _("The item in Chinese."),
            "Item.name_zh",
            "医用外科口罩",
            of=of(lambda goods: goods.name_zh),
        ),
        column(
            "item_en",
            "#item+name+i_en",
            C,
            _("The item in English."),
            "Item.name_en",
            "Surgical mask",
            of=of(lambda goods: goods.name_en),
        ),
        column(
            "category",
            "#item+type+code",
            C,
            _("Code of the item's category."),
            "Category.code",
            "ppe",
            of=of(lambda goods: goods.category),
        ),
        column(
            "unspsc",
            "#item+code+v_unspsc",
            C,
            _("UNSPSC code of the item, where there is one."),
            "Item.unspsc",
            "42131606",
            of=of(lambda goods: goods.unspsc),
        ),
        column(
            "unit",
            "#item+unit",
            C,
            _("What every quantity of the row counts: a piece, a single glove, a millilitre."),
            "Item.base_unit",
            "piece",
            of=of(lambda goods: goods.unit),
        ),
        column(
            "unit_rec20",
            "#item+unit+v_rec20",
            C,
            _("The same unit by UN/CEFACT Recommendation 20, where it has a code."),
            "Unit.rec20",
            "H87",
            of=of(lambda goods: goods.rec20),
        ),
    ]
