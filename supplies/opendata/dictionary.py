"""The data dictionary: every column of every file, once. All writers write what stands here, and the page shows it.

tag     its HXL hashtag (HXL 1.1). #inneed, #reached and #affected count people, so that no goods bear them
source  where the value comes from, as Model.field
"""

from collections.abc import Mapping
from typing import Any

from django.utils import translation
from django.utils.translation import gettext_lazy as _

from supplies.opendata.columns import (
    BASE_UNITS,
    EMERGENCY,
    ORIGIN,
    UPDATED,
    B,
    C,
    Column,
    Kind,
    N,
    Says,
    W,
    column,
    field,
    figure,
    goods,
    identity,
    middle,
    where,
)
from supplies.opendata.rows import Place, Shelf

NEEDS = [
    ORIGIN,
    identity(_("Id of the need, which stays."), "Need.id", "7f7c6b1e-98d5-4f0c-8d2e-2b1d2f3c4a5b"),
    column("appeal", "#meta+id+appeal", Kind.ID, _("The appeal the need is a line of."), "Appeal.id", "0f0e0d0c-98d5-4f0c-8d2e-2b1d2f3c4a5b", of="appeal_id"),
    EMERGENCY,
    column("status", "#status+code", C, _("open, met, lapsed (not confirmed in time) or withdrawn."), "Need.status", "open"),
    column("facility", "#loc+id", Kind.ID, _("The site that asks."), "Facility.id", "1a2b3c4d-98d5-4f0c-8d2e-2b1d2f3c4a5b", of="site_id"),
    column("facility_name", "#loc+name", W, _("Its name."), "Facility.name", "演练医院东院区", of="site__name"),
    column("organisation", "#org+id+impl", Kind.ID, _("The hospital."), "Organisation.id", "5a6b7c8d-98d5-4f0c-8d2e-2b1d2f3c4a5b", of="site__organisation_id"),
    column("organisation_name", "#org+name+impl", W, _("Its name."), "Organisation.name", "演练医院", of="site__organisation__name"),
    *where(field("region_path"), 4),
    *goods("item_id"),
    column("quantity_kind", "#need+type", C, _("number, unlimited or unknown; where it is not a number, no quantity is told."), "Need.quantity_kind", "number"),
    column("quantity", "#need+num", N, _("Asked for."), "Need.quantity", 5000, unit=BASE_UNITS),
    column("promised", "#output+num+promised", N, _("Promised to it and not on its way yet."), "Need.quantity_promised", 1000, of="quantity_promised", unit=BASE_UNITS),
    column("in_transit", "#output+num+shipped", N, _("On its way to it."), "Need.quantity_in_transit", 500, of="quantity_in_transit", unit=BASE_UNITS),
    column("received", "#output+num+received", N, _("Counted and accepted by the hospital."), "Need.quantity_received", 200, of="quantity_received", unit=BASE_UNITS),
    column("outstanding", "#need+num+outstanding", N, _("What nobody has promised yet; of a need without a number, what is assumed for now."), "Need.quantity_outstanding", 3300, of="quantity_outstanding", unit=BASE_UNITS),
    column("standards", "#item+standard", Kind.CODES, _("Codes of the standards it accepts; none means any."), "Need.accepted_standards", ["YY0469-2011"]),
    column("medical_grade", "#item+grade+medical", B, _("Medical grade is asked for."), "Need.medical_grade", True),
    column("sterile", "#item+sterile", B, _("Sterile goods are asked for."), "Need.sterile", False),
    column("setting", "#need+setting", C, _("Where it is used."), "Need.setting", "icu"),
    column("substitutes_welcome", "#need+substitutes", B, _("Substitutes are welcome."), "Need.substitutes_welcome", True),
    column("ask_first", "#need+ask", B, _("Ask before sending."), "Need.ask_first", False),
    column("urgency", "#severity+code", N, _("1 runs out within a day, 2 within three days, 3 within a fortnight, 4 reserve."), "Need.urgency", 2),
    column("urgency_assumed", "#severity+assumed", B, _("The source states no urgency."), "Need.urgency_assumed", False),
    column("needed_by", "#date+due", Kind.DAY, _("Needed by this day."), "Need.needed_by", "2026-12-03"),
    column("needed_by_assumed", "#meta+due+assumed", B, _("The source states no day."), "Need.needed_by_assumed", False),
    column("deadline_at", "#date+due+end", Kind.MOMENT, _("The midnight that ends that day where the hospital is."), "Need.deadline_at", "2026-12-03T16:00:00Z"),
    column("min_lot", "#need+num+min", N, _("Less than this is of no use."), "Need.min_lot", 1, unit=BASE_UNITS),
    column("stock_on_hand", "#capacity+num+stock", N, _("In stock when it was counted."), "Need.stock_on_hand", 300, unit=BASE_UNITS),
    column("daily_use", "#need+num+daily", N, _("Used in a day."), "Need.daily_use", 150, unit=BASE_UNITS),
    column("counted_on", "#date+counted", Kind.DAY, _("Counted on."), "Need.counted_on", "2026-11-22"),
    column("confirmed_at", "#date+confirmed", Kind.MOMENT, _("When somebody last said that it still holds: the age of the row."), "Need.confirmed_at", "2026-11-23T08:00:00Z"),
    column("created_at", "#date+reported", Kind.MOMENT, _("When it was posted here."), "Need.created_at", "2026-11-20T08:00:00Z"),
    column("source_name", "#meta+source+name", W, _("The list it was taken from; empty for one that was posted here."), "Appeal.source_name", "wuhan2020"),
    column("source_url", "#meta+source+url", W, _("The public announcement."), "Appeal.source_url", "https://example.org/notice"),
    column("published_on", "#date+published", Kind.DAY, _("The day of the announcement."), "Appeal.published_on", "2026-11-19"),
]  # fmt: skip

FEW = _("Where fewer than three organisations give, the province they give from is not told.")


def _of_place(row: Any, shelf: Shelf) -> str:
    return shelf.place(row.place).path


OFFERS = [
    ORIGIN,
    identity(_("Emergency, region and item."), "-", "flu-2026/420000/MASK_SURG", C),
    EMERGENCY,
    *where(_of_place, 2),
    *goods("item"),
    figure("lots", "#capacity+num+lots", _("Offers behind the sums of the row."), "Offer", 12, unit=_("offers")),
    figure("offered", "#capacity+num", _("Offered in all, given or not."), "Offer.quantity", 90000),
    figure("promised", "#output+num+promised", _("Promised to hospitals."), "Offer.quantity_allocated", 20000),
    figure("left", "#capacity+num+left", _("Not promised yet."), "Offer.quantity_open", 70000),
    UPDATED,
]  # fmt: skip

GAPS = [
    ORIGIN,
    identity(_("Emergency, level, region and item."), "-", "flu-2026/province/420000/MASK_SURG", C),
    EMERGENCY,
    column("level", "#adm+level", C, _("Rows are told by province and again by prefecture: never add the two."), "-", "province"),
    *where(_of_place, 3),
    *goods("item"),
    figure("lines", "#need+num+lines", _("Needs that are open or met."), "Need", 40, unit=_("needs")),
    figure("lines_without_number", "#need+num+lines+unknown", _("Of these, needs that state no number; they are in no quantity of this row."), "Need.quantity_kind", 25, unit=_("needs")),
    figure("needed", "#need+num", _("Asked for."), "Need.quantity", 500000),
    figure("offered", "#capacity+num", _("Offered in the province and not promised yet; empty where it is not told."), "Offer.quantity_open", 70000),
    figure("promised", "#output+num+promised", _("Matched: promised and not on its way yet."), "Need.quantity_promised", 20000),
    figure("in_transit", "#output+num+shipped", _("On its way."), "Need.quantity_in_transit", 10000),
    figure("received", "#output+num+received", _("Counted and accepted by hospitals."), "Need.quantity_received", 30000),
    figure("gap", "#need+num+outstanding", _("What nobody has promised: needed, less promised, in transit and received."), "Need.quantity_outstanding", 440000),
    figure("coverage", "#indicator+coverage+pct", _("Promised, in transit and received, of what is needed."), "-", 12.0, kind=Kind.DECIMAL, unit=_("percent")),
    figure("age_days", "#meta+age", _("Days since the oldest of these needs was last confirmed."), "Need.confirmed_at", 3, unit=_("days")),
    column("oldest_at", "#date+confirmed+oldest", Kind.MOMENT, _("When the oldest of these needs was last confirmed."), "Need.confirmed_at", "2026-11-20T08:00:00Z", of=lambda row, shelf: row.figures["oldest_at"]),
    UPDATED,
]  # fmt: skip


def _origin_of_goods(row: Any, shelf: Shelf) -> Place:
    return shelf.place(row.came_from)


FLOWS = [
    ORIGIN,
    identity(_("Emergency, regions, item and month."), "-", "flu-2026/310000/420100/MASK_SURG/2026-11", C),
    EMERGENCY,
    column("month", "#date+start", Kind.DAY, _("First day of the month it left in."), "Shipment.departed_at", "2026-11-01"),
    column("from_code", "#adm1+code+origin", C, FEW, "Region.code", "310000", of=lambda row, shelf: _origin_of_goods(row, shelf).code),
    column("from_zh", "#adm1+name+origin+i_zh", C, FEW, "Region.name_zh", "上海市", of=lambda row, shelf: _origin_of_goods(row, shelf).name_zh),
    column("from_en", "#adm1+name+origin+i_en", C, FEW, "Region.name_en", "Shanghai", of=lambda row, shelf: _origin_of_goods(row, shelf).name_en),
    *where(_of_place, 3),
    *goods("item"),
    figure("lines", "#output+num+lines", _("Promises that left."), "ShipmentLine", 14, unit=_("promises")),
    figure("shipped", "#output+num+shipped", _("What left, whatever became of it."), "Allocation.quantity", 40000),
    figure("accepted", "#output+num+received", _("Of this, counted and accepted so far."), "ReceiptLine.accepted", 38000),
    UPDATED,
]  # fmt: skip

ORGANISATIONS = [
    ORIGIN,
    identity(_("Id of the organisation, which stays."), "Organisation.id", "5a6b7c8d-98d5-4f0c-8d2e-2b1d2f3c4a5b"),
    column("kind", "#org+type", C, _("hospital, carrier, coordinator or volunteers. Donors are not public."), "Organisation.kind", "hospital"),
    column("name", "#org+name", W, _("Its name."), "Organisation.name", "演练医院"),
    *where(lambda row, shelf: shelf.place(row.region_id).path, 4),
    column("verification", "#status+code", C, _("Only verified ones are public."), "Organisation.status", "verified", of="status"),
    column("verified_on", "#date+verified", Kind.DAY, _("Verified on."), "Organisation.verified_on", "2026-11-01"),
    column("recheck_on", "#date+verified+next", Kind.DAY, _("To be checked again on."), "Organisation.recheck_on", "2027-05-01"),
]  # fmt: skip

FACILITIES = [
    ORIGIN,
    identity(_("Id of the site, which stays."), "Facility.id", "1a2b3c4d-98d5-4f0c-8d2e-2b1d2f3c4a5b"),
    column("name", "#loc+name", W, _("Its name."), "Facility.name", "演练医院东院区"),
    column("organisation", "#org+id", Kind.ID, _("Whose site it is."), "Organisation.id", "5a6b7c8d-98d5-4f0c-8d2e-2b1d2f3c4a5b", of="organisation_id"),
    *where(lambda row, shelf: shelf.place(row.region_id).path, 4),
    column("timezone", "#loc+timezone", C, _("Its time zone."), "Facility.timezone", "Asia/Shanghai"),
    column("is_paused", "#status+paused", B, _("Not accepting goods for now."), "Facility.is_paused", False),
]  # fmt: skip

ITEMS = [
    ORIGIN,
    identity(_("Code of the item."), "Item.code", "MASK_SURG", C, of="code"),
    *goods("code"),
    column("display_unit", "#item+unit+shown", C, _("The unit people read."), "Item.display_unit", "piece", of="display_unit_id"),
    column("display_factor", "#item+unit+num", N, _("Smallest counted units in one of these."), "Item.display_factor", 1),
    column("hs6", "#item+code+v_hs", C, _("Heading of HS 2017."), "Item.hs6", "6307.90"),
    column("synonyms", "#item+name+alt", Kind.CODES, _("Other words for it."), "Item.synonyms", ["外科口罩"]),
    column("is_active", "#status+active", B, _("Can be asked for."), "Item.is_active", True),
    column("note_zh", "#description+note+i_zh", C, _("What to look out for, in Chinese."), "Item.note_zh", "冷链"),
    column("note_en", "#description+note+i_en", C, _("What to look out for, in English."), "Item.note", "cold chain", of="note"),
]  # fmt: skip

REGIONS = [
    ORIGIN,
    identity(_("Code of the region."), "Region.code", "420106", C, of="code"),
    column("parent", "#region+code+parent", C, _("The region it lies in."), "Region.parent", "420100", of="parent_id"),
    column("level", "#adm+level", C, _("country, province, prefecture or district."), "Region.level", "district"),
    column("scheme", "#meta+scheme", C, _("The list its code is from."), "Region.scheme", "GBT2260"),
    column("path", "#region+path", C, _("Codes from the country down."), "Region.path", "/CN/420000/420100/420106/"),
    column("name_zh", "#region+name+i_zh", C, _("Its name in Chinese."), "Region.name_zh", "武昌区"),
    column("name_en", "#region+name+i_en", C, _("Its name in English."), "Region.name_en", "Wuchang"),
    *middle(lambda row, shelf: row),
]  # fmt: skip

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
# May be narrowed; the others change seldom and are in the dump.
DOWNLOADS = ("needs", "offers", "gaps", "flows")


def in_both_languages(text: Says) -> dict[str, str]:
    said = {}
    for name, language in (("en", "en"), ("zh", "zh-hans")):
        with translation.override(language):
            said[name] = str(text)
    return said


def described() -> dict[str, list[dict[str, Any]]]:
    """Every file with its columns, in the order they are written."""
    return {kind: [_described(one) for one in columns] for kind, columns in COLUMNS.items()}


def _described(one: Column) -> dict[str, Any]:
    return {
        "name": one.name,
        "tag": one.tag,
        "kind": one.kind.value,
        "meaning": in_both_languages(one.says),
        "unit": in_both_languages(one.unit),
        "source": one.source,
        "example": one.example,
    }
