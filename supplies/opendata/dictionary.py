"""The data dictionary: every column of every file, once. All writers write what stands here, and the page shows it.

tag     its HXL hashtag (HXL 1.1). #inneed, #reached and #affected count people, so that no goods bear them
source  where the value comes from, as Model.field
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import Any

from django.utils import translation
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


def _field(name: str) -> Read:
    get = attrgetter(name)
    return lambda row, shelf: get(row)


def _column(
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
    read = of if callable(of) else _field(of or name)
    return Column(name, tag, kind, says, source, example, read, unit)


def _figure(
    name: str, tag: str, says: Says, source: str, example: Any, *, kind: Kind = N, unit: Says = BASE_UNITS
) -> Column:
    return Column(name, tag, kind, says, source, example, lambda row, shelf: row.figures[name], unit)


# -- What many files have ------------------------------------------------------------------------------------

ORIGIN = _column(
    "origin",
    "#meta+origin",
    C,
    _("The instance that published the row. Together with id it names the row everywhere."),
    "OPEN_DATA_INSTANCE",
    "https://tongzhou.example.org",
    of=lambda row, shelf: shelf.origin,
)
EMERGENCY = _column("emergency", "#crisis+code", C, _("Code of the emergency."), "Emergency.code", "flu-2026")
UPDATED = _column(
    "updated_at",
    "#date+updated",
    Kind.MOMENT,
    _("When the newest of what is counted here was posted, confirmed or seen."),
    "created_at, confirmed_at, departed_at",
    "2026-11-23T08:00:00Z",
)


def _id(says: Says, source: str, example: str, kind: Kind = Kind.ID, of: str = "id") -> Column:
    return _column("id", "#meta+id", kind, says, source, example, of=of)


def _point(place: Callable[[Any, Shelf], Place]) -> list[Column]:
    """Where to draw it: the middle of a region, never a door."""
    return [
        _column(
            "lat",
            "#geo+lat",
            Kind.DECIMAL,
            _("Latitude of the middle of the region, not of a building."),
            "Region.lat",
            30.55,
            of=lambda row, shelf: place(row, shelf).lat,
            unit=DEGREES,
        ),
        _column(
            "lon",
            "#geo+lon",
            Kind.DECIMAL,
            _("Longitude of the middle of the region, not of a building."),
            "Region.lon",
            114.32,
            of=lambda row, shelf: place(row, shelf).lon,
            unit=DEGREES,
        ),
        _column(
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
        _column(
            f"{name}_code", tag + code, C, says, "Region.code", example[0], of=lambda r, s: above(r, s).code
        ),
        _column(
            f"{name}_zh",
            f"{tag}+name+i_zh",
            C,
            says,
            "Region.name_zh",
            example[1],
            of=lambda r, s: above(r, s).name_zh,
        ),
        _column(
            f"{name}_en",
            f"{tag}+name+i_en",
            C,
            says,
            "Region.name_en",
            example[2],
            of=lambda r, s: above(r, s).name_en,
        ),
    ]


def _place(path: Read, deepest: int) -> list[Column]:
    """Country down to the deepest level, the code of the region itself, and its middle."""
    levels = [
        column
        for depth, name, tag, says, example in PATH_LEVELS[:deepest]
        for column in _level(depth, name, tag, says, example, path)
    ]

    def own(row: Any, shelf: Shelf) -> Place:
        return shelf.at(path(row, shelf))

    region = _column(
        "region",
        "#region+code",
        C,
        _("The narrowest region that is told, by its code; empty where it is not told."),
        "Region.code",
        "420106",
        of=lambda row, shelf: own(row, shelf).code,
    )
    return [*levels, region, *_point(own)]


def _goods(item: str) -> list[Column]:
    code = attrgetter(item)

    def of(what: Callable[[Goods], Any]) -> Read:
        return lambda row, shelf: what(shelf.goods(code(row)))

    return [
        _column("item", "#item+code", C, _("Code of the item."), "Item.code", "MASK_SURG", of=item),
        _column(
            "item_zh",
            "#item+name+i_zh",
            C,
            _("The item in Chinese."),
            "Item.name_zh",
            "医用外科口罩",
            of=of(lambda goods: goods.name_zh),
        ),
        _column(
            "item_en",
            "#item+name+i_en",
            C,
            _("The item in English."),
            "Item.name_en",
            "Surgical mask",
            of=of(lambda goods: goods.name_en),
        ),
        _column(
            "category",
            "#item+type+code",
            C,
            _("Code of the item's category."),
            "Category.code",
            "ppe",
            of=of(lambda goods: goods.category),
        ),
        _column(
            "unspsc",
            "#item+code+v_unspsc",
            C,
            _("UNSPSC code of the item, where there is one."),
            "Item.unspsc",
            "42131606",
            of=of(lambda goods: goods.unspsc),
        ),
        _column(
            "unit",
            "#item+unit",
            C,
            _("What every quantity of the row counts: a piece, a single glove, a millilitre."),
            "Item.base_unit",
            "piece",
            of=of(lambda goods: goods.unit),
        ),
        _column(
            "unit_rec20",
            "#item+unit+v_rec20",
            C,
            _("The same unit by UN/CEFACT Recommendation 20, where it has a code."),
            "Unit.rec20",
            "H87",
            of=of(lambda goods: goods.rec20),
        ),
    ]


# -- The files -------------------------------------------------------------------------------------------------

NEEDS = [
    ORIGIN,
    _id(_("Id of the need, which stays."), "Need.id", "7f7c6b1e-98d5-4f0c-8d2e-2b1d2f3c4a5b"),
    _column(
        "appeal",
        "#meta+id+appeal",
        Kind.ID,
        _("The appeal the need is a line of."),
        "Appeal.id",
        "0f0e0d0c-98d5-4f0c-8d2e-2b1d2f3c4a5b",
        of="appeal_id",
    ),
    EMERGENCY,
    _column(
        "status",
        "#status+code",
        C,
        _("open, met, lapsed (not confirmed in time) or withdrawn."),
        "Need.status",
        "open",
    ),
    _column(
        "facility",
        "#loc+id",
        Kind.ID,
        _("The site that asks."),
        "Facility.id",
        "1a2b3c4d-98d5-4f0c-8d2e-2b1d2f3c4a5b",
        of="site_id",
    ),
    _column(
        "facility_name", "#loc+name", W, _("Its name."), "Facility.name", "演练医院东院区", of="site__name"
    ),
    _column(
        "organisation",
        "#org+id+impl",
        Kind.ID,
        _("The hospital."),
        "Organisation.id",
        "5a6b7c8d-98d5-4f0c-8d2e-2b1d2f3c4a5b",
        of="site__organisation_id",
    ),
    _column(
        "organisation_name",
        "#org+name+impl",
        W,
        _("Its name."),
        "Organisation.name",
        "演练医院",
        of="site__organisation__name",
    ),
    *_place(_field("region_path"), 4),
    *_goods("item_id"),
    _column(
        "quantity_kind",
        "#need+type",
        C,
        _("number, unlimited or unknown; where it is not a number, no quantity is told."),
        "Need.quantity_kind",
        "number",
    ),
    _column("quantity", "#need+num", N, _("Asked for."), "Need.quantity", 5000, unit=BASE_UNITS),
    _column(
        "promised",
        "#output+num+promised",
        N,
        _("Promised to it and not on its way yet."),
        "Need.quantity_promised",
        1000,
        of="quantity_promised",
        unit=BASE_UNITS,
    ),
    _column(
        "in_transit",
        "#output+num+shipped",
        N,
        _("On its way to it."),
        "Need.quantity_in_transit",
        500,
        of="quantity_in_transit",
        unit=BASE_UNITS,
    ),
    _column(
        "received",
        "#output+num+received",
        N,
        _("Counted and accepted by the hospital."),
        "Need.quantity_received",
        200,
        of="quantity_received",
        unit=BASE_UNITS,
    ),
    _column(
        "outstanding",
        "#need+num+outstanding",
        N,
        _("What nobody has promised yet; of a need without a number, what is assumed for now."),
        "Need.quantity_outstanding",
        3300,
        of="quantity_outstanding",
        unit=BASE_UNITS,
    ),
    _column(
        "standards",
        "#item+standard",
        Kind.CODES,
        _("Codes of the standards it accepts; none means any."),
        "Need.accepted_standards",
        ["YY0469-2011"],
    ),
    _column(
        "medical_grade",
        "#item+grade+medical",
        B,
        _("Medical grade is asked for."),
        "Need.medical_grade",
        True,
    ),
    _column("sterile", "#item+sterile", B, _("Sterile goods are asked for."), "Need.sterile", False),
    _column("setting", "#need+setting", C, _("Where it is used."), "Need.setting", "icu"),
    _column(
        "substitutes_welcome",
        "#need+substitutes",
        B,
        _("Substitutes are welcome."),
        "Need.substitutes_welcome",
        True,
    ),
    _column("ask_first", "#need+ask", B, _("Ask before sending."), "Need.ask_first", False),
    _column(
        "urgency",
        "#severity+code",
        N,
        _("1 runs out within a day, 2 within three days, 3 within a fortnight, 4 reserve."),
        "Need.urgency",
        2,
    ),
    _column(
        "urgency_assumed",
        "#severity+assumed",
        B,
        _("The source states no urgency."),
        "Need.urgency_assumed",
        False,
    ),
    _column("needed_by", "#date+due", Kind.DAY, _("Needed by this day."), "Need.needed_by", "2026-12-03"),
    _column(
        "needed_by_assumed",
        "#meta+due+assumed",
        B,
        _("The source states no day."),
        "Need.needed_by_assumed",
        False,
    ),
    _column(
        "deadline_at",
        "#date+due+end",
        Kind.MOMENT,
        _("The midnight that ends that day where the hospital is."),
        "Need.deadline_at",
        "2026-12-03T16:00:00Z",
    ),
    _column(
        "min_lot", "#need+num+min", N, _("Less than this is of no use."), "Need.min_lot", 1, unit=BASE_UNITS
    ),
    _column(
        "stock_on_hand",
        "#capacity+num+stock",
        N,
        _("In stock when it was counted."),
        "Need.stock_on_hand",
        300,
        unit=BASE_UNITS,
    ),
    _column("daily_use", "#need+num+daily", N, _("Used in a day."), "Need.daily_use", 150, unit=BASE_UNITS),
    _column("counted_on", "#date+counted", Kind.DAY, _("Counted on."), "Need.counted_on", "2026-11-22"),
    _column(
        "confirmed_at",
        "#date+confirmed",
        Kind.MOMENT,
        _("When somebody last said that it still holds: the age of the row."),
        "Need.confirmed_at",
        "2026-11-23T08:00:00Z",
    ),
    _column(
        "created_at",
        "#date+reported",
        Kind.MOMENT,
        _("When it was posted here."),
        "Need.created_at",
        "2026-11-20T08:00:00Z",
    ),
    _column(
        "source_name",
        "#meta+source+name",
        W,
        _("The list it was taken from; empty for one that was posted here."),
        "Appeal.source_name",
        "wuhan2020",
    ),
    _column(
        "source_url",
        "#meta+source+url",
        W,
        _("The public announcement."),
        "Appeal.source_url",
        "https://example.org/notice",
    ),
    _column(
        "published_on",
        "#date+published",
        Kind.DAY,
        _("The day of the announcement."),
        "Appeal.published_on",
        "2026-11-19",
    ),
]

FEW = _("Where fewer than three organisations give, the province they give from is not told.")


def _of_place(row: Any, shelf: Shelf) -> str:
    return shelf.place(row.place).path


OFFERS = [
    ORIGIN,
    _id(_("Emergency, region and item."), "-", "flu-2026/420000/MASK_SURG", C),
    EMERGENCY,
    *_place(_of_place, 2),
    *_goods("item"),
    _figure(
        "lots", "#capacity+num+lots", _("Offers behind the sums of the row."), "Offer", 12, unit=_("offers")
    ),
    _figure("offered", "#capacity+num", _("Offered in all, given or not."), "Offer.quantity", 90000),
    _figure(
        "promised",
        "#output+num+promised",
        _("Promised to hospitals."),
        "Offer.quantity_allocated",
        20000,
    ),
    _figure("left", "#capacity+num+left", _("Not promised yet."), "Offer.quantity_open", 70000),
    UPDATED,
]

GAPS = [
    ORIGIN,
    _id(_("Emergency, level, region and item."), "-", "flu-2026/province/420000/MASK_SURG", C),
    EMERGENCY,
    _column(
        "level",
        "#adm+level",
        C,
        _("Rows are told by province and again by prefecture: never add the two."),
        "-",
        "province",
    ),
    *_place(_of_place, 3),
    *_goods("item"),
    _figure("lines", "#need+num+lines", _("Needs that are open or met."), "Need", 40, unit=_("needs")),
    _figure(
        "lines_without_number",
        "#need+num+lines+unknown",
        _("Of these, needs that state no number; they are in no quantity of this row."),
        "Need.quantity_kind",
        25,
        unit=_("needs"),
    ),
    _figure("needed", "#need+num", _("Asked for."), "Need.quantity", 500000),
    _figure(
        "offered",
        "#capacity+num",
        _("Offered in the province and not promised yet; empty where it is not told."),
        "Offer.quantity_open",
        70000,
    ),
    _figure(
        "promised",
        "#output+num+promised",
        _("Matched: promised and not on its way yet."),
        "Need.quantity_promised",
        20000,
    ),
    _figure("in_transit", "#output+num+shipped", _("On its way."), "Need.quantity_in_transit", 10000),
    _figure(
        "received",
        "#output+num+received",
        _("Counted and accepted by hospitals."),
        "Need.quantity_received",
        30000,
    ),
    _figure(
        "gap",
        "#need+num+outstanding",
        _("What nobody has promised: needed, less promised, in transit and received."),
        "Need.quantity_outstanding",
        440000,
    ),
    _figure(
        "coverage",
        "#indicator+coverage+pct",
        _("Promised, in transit and received, of what is needed."),
        "-",
        12.0,
        kind=Kind.DECIMAL,
        unit=_("percent"),
    ),
    _figure(
        "age_days",
        "#meta+age",
        _("Days since the oldest of these needs was last confirmed."),
        "Need.confirmed_at",
        3,
        unit=_("days"),
    ),
    _column(
        "oldest_at",
        "#date+confirmed+oldest",
        Kind.MOMENT,
        _("When the oldest of these needs was last confirmed."),
        "Need.confirmed_at",
        "2026-11-20T08:00:00Z",
        of=lambda row, shelf: row.figures["oldest_at"],
    ),
    UPDATED,
]


def _origin_of_goods(row: Any, shelf: Shelf) -> Place:
    return shelf.place(row.came_from)


FLOWS = [
    ORIGIN,
    _id(_("Emergency, regions, item and month."), "-", "flu-2026/310000/420100/MASK_SURG/2026-11", C),
    EMERGENCY,
    _column(
        "month",
        "#date+start",
        Kind.DAY,
        _("First day of the month it left in."),
        "Shipment.departed_at",
        "2026-11-01",
    ),
    _column(
        "from_code",
        "#adm1+code+origin",
        C,
        FEW,
        "Region.code",
        "310000",
        of=lambda row, shelf: _origin_of_goods(row, shelf).code,
    ),
    _column(
        "from_zh",
        "#adm1+name+origin+i_zh",
        C,
        FEW,
        "Region.name_zh",
        "上海市",
        of=lambda row, shelf: _origin_of_goods(row, shelf).name_zh,
    ),
    _column(
        "from_en",
        "#adm1+name+origin+i_en",
        C,
        FEW,
        "Region.name_en",
        "Shanghai",
        of=lambda row, shelf: _origin_of_goods(row, shelf).name_en,
    ),
    *_place(_of_place, 3),
    *_goods("item"),
    _figure("lines", "#output+num+lines", _("Promises that left."), "ShipmentLine", 14, unit=_("promises")),
    _figure(
        "shipped",
        "#output+num+shipped",
        _("What left, whatever became of it."),
        "Allocation.quantity",
        40000,
    ),
    _figure(
        "accepted",
        "#output+num+received",
        _("Of this, counted and accepted so far."),
        "ReceiptLine.accepted",
        38000,
    ),
    UPDATED,
]

ORGANISATIONS = [
    ORIGIN,
    _id(_("Id of the organisation, which stays."), "Organisation.id", "5a6b7c8d-98d5-4f0c-8d2e-2b1d2f3c4a5b"),
    _column(
        "kind",
        "#org+type",
        C,
        _("hospital, carrier, coordinator or volunteers. Donors are not public."),
        "Organisation.kind",
        "hospital",
    ),
    _column("name", "#org+name", W, _("Its name."), "Organisation.name", "演练医院"),
    *_place(lambda row, shelf: shelf.place(row.region_id).path, 4),
    _column(
        "verification",
        "#status+code",
        C,
        _("Only verified ones are public."),
        "Organisation.status",
        "verified",
        of="status",
    ),
    _column(
        "verified_on", "#date+verified", Kind.DAY, _("Verified on."), "Organisation.verified_on", "2026-11-01"
    ),
    _column(
        "recheck_on",
        "#date+verified+next",
        Kind.DAY,
        _("To be checked again on."),
        "Organisation.recheck_on",
        "2027-05-01",
    ),
]

FACILITIES = [
    ORIGIN,
    _id(_("Id of the site, which stays."), "Facility.id", "1a2b3c4d-98d5-4f0c-8d2e-2b1d2f3c4a5b"),
    _column("name", "#loc+name", W, _("Its name."), "Facility.name", "演练医院东院区"),
    _column(
        "organisation",
        "#org+id",
        Kind.ID,
        _("Whose site it is."),
        "Organisation.id",
        "5a6b7c8d-98d5-4f0c-8d2e-2b1d2f3c4a5b",
        of="organisation_id",
    ),
    *_place(lambda row, shelf: shelf.place(row.region_id).path, 4),
    _column("timezone", "#loc+timezone", C, _("Its time zone."), "Facility.timezone", "Asia/Shanghai"),
    _column(
        "is_paused", "#status+paused", B, _("Takes nothing for the time being."), "Facility.is_paused", False
    ),
]

ITEMS = [
    ORIGIN,
    _id(_("Code of the item."), "Item.code", "MASK_SURG", C, of="code"),
    *_goods("code"),
    _column(
        "display_unit",
        "#item+unit+shown",
        C,
        _("The unit people read."),
        "Item.display_unit",
        "piece",
        of="display_unit_id",
    ),
    _column(
        "display_factor",
        "#item+unit+num",
        N,
        _("Smallest counted units in one of these."),
        "Item.display_factor",
        1,
    ),
    _column("hs6", "#item+code+v_hs", C, _("Heading of HS 2017."), "Item.hs6", "6307.90"),
    _column(
        "synonyms", "#item+name+alt", Kind.CODES, _("Other words for it."), "Item.synonyms", ["外科口罩"]
    ),
    _column("is_active", "#status+active", B, _("Can be asked for."), "Item.is_active", True),
    _column(
        "note_zh", "#description+note+i_zh", C, _("What to look out for, in Chinese."), "Item.note_zh", "冷链"
    ),
    _column(
        "note_en",
        "#description+note+i_en",
        C,
        _("What to look out for, in English."),
        "Item.note",
        "cold chain",
        of="note",
    ),
]

REGIONS = [
    ORIGIN,
    _id(_("Code of the region."), "Region.code", "420106", C, of="code"),
    _column(
        "parent",
        "#region+code+parent",
        C,
        _("The region it lies in."),
        "Region.parent",
        "420100",
        of="parent_id",
    ),
    _column(
        "level", "#adm+level", C, _("country, province, prefecture or district."), "Region.level", "district"
    ),
    _column("scheme", "#meta+scheme", C, _("The list its code is from."), "Region.scheme", "GBT2260"),
    _column(
        "path",
        "#region+path",
        C,
        _("Codes from the country down."),
        "Region.path",
        "/CN/420000/420100/420106/",
    ),
    _column("name_zh", "#region+name+i_zh", C, _("Its name in Chinese."), "Region.name_zh", "武昌区"),
    _column("name_en", "#region+name+i_en", C, _("Its name in English."), "Region.name_en", "Wuchang"),
    *_point(lambda row, shelf: row),
]

COLUMNS: Mapping[str, list[Column]] = {
    "needs": NEEDS,
    "offers": OFFERS,
    "gaps": GAPS,
    "flows": FLOWS,
    "organisations": ORGANISATIONS,
    "facilities": FACILITIES,
    "items": ITEMS,
    "regions": REGIONS,
}
DOWNLOADS = (
    "needs",
    "offers",
    "gaps",
    "flows",
)  # may be narrowed; the others change seldom and are in the dump


# -- The dictionary for programs -------------------------------------------------------------------------------


def in_both_languages(text: Says) -> dict[str, str]:
    said = {}
    for name, language in (("en", "en"), ("zh", "zh-hans")):
        with translation.override(language):
            said[name] = str(text)
    return said


def described() -> dict[str, list[dict[str, Any]]]:
    """Every file with its columns, in the order they are written."""
    return {kind: [_described(column) for column in columns] for kind, columns in COLUMNS.items()}


def _described(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "tag": column.tag,
        "kind": column.kind.value,
        "meaning": in_both_languages(column.says),
        "unit": in_both_languages(column.unit),
        "source": column.source,
        "example": column.example,
    }
