"""Lists that are known by their headings: no one has to map them, and what is no list of needs is said to be so."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import chain, islice
from typing import Any

from supplies.intake.files.opening import RawRow
from supplies.intake.formats import wuhan2020
from supplies.intake.formats.announced import ANNOUNCEMENTS, is_announcement
from supplies.intake.formats.listed import Format
from supplies.intake.formats.sheet import (
    Column,
    Means,
    Plan,
    Role,
    days_by,
    headings,
    is_about_columns,
    read_by,
    rows_by,
)
from supplies.intake.reading.findings import Finding, Unreadable, found

US_SHORTAGE = (
    "covid-19-us",
    "美国新冠肺炎疫情",
    "COVID-19 outbreak in the United States",
    "US",
    date(2020, 1, 20),
)
_MARK = {"1": Means.UNLIMITED, "0": Means.NOT_WANTED, "-1": Means.NOT_WANTED}


def _columns(**labels: str) -> tuple[Column, ...]:
    """name="医院名称" or, for several columns of one role, phone="phone|mobiles"."""
    return tuple(Column(label, Role(role)) for role, names in labels.items() for label in names.split("|"))


_SHEET_ITEMS = {
    "普通医用口罩": "YY/T 0969-2013",
    "医用外科口罩": "YY 0469-2010",
    "医用防护口罩 | N95口罩": "GB 19083-2010, 建议3M 1860/1870/9123,防飞沫血液体液款",
    **dict.fromkeys(("防冲击眼罩/护目镜/防护眼镜", "防护面罩", "防护帽/医用帽/圆帽", "隔离衣"), ""),
    "防护服": "GB 19082-2003",
    "手术衣": "",
    "乳胶手套": "灭菌，GB 10213-2006",
    **dict.fromkeys(("长筒胶鞋/防污染靴", "防污染鞋套", "防污染靴套", "84消毒液", "过氧乙酸", "75%酒精"), ""),
    **dict.fromkeys(("手部皮肤消毒液", "活力碘", "床罩", "医用面罩式雾化器", "测体温设备"), ""),
    "空气消毒设备": "医疗器械注册证",
    "医用紫外线消毒车": "医疗器械注册证",
}
PLANS: dict[str, tuple[Plan, tuple[str, str, str, str, date]]] = {
    "wuhan2020-sheet": (
        Plan(
            "wuhan2020",
            (
                *_columns(district="区县", name="医院名称"),
                *(Column(label, Role.ITEM, wish, _MARK) for label, wish in _SHEET_ITEMS.items()),
                *_columns(link="官方链接", address="医院地址", contact="联系方式", remark="备注"),
                *_columns(ignored="审核状态|审核人"),
            ),
            header_first=1,
            header_last=4,
            header_rows=5,
            region="420000",
        ),
        wuhan2020.OUTBREAK,
    ),
    "wuhan2020-early": (
        Plan(
            "wuhan2020",
            (
                *_columns(city="省市", name="医院名称", address="医院地址", ignored="医院人员数量"),
                *_columns(goods_list="所需物资信息", link="官方链接", contact="联系方式", remark="备注"),
            ),
            region="420000",
        ),
        wuhan2020.OUTBREAK,
    ),
    "wuhan-support": (
        Plan(
            "wuhan.support",
            (
                *_columns(
                    province="province", city="city", district="suburb", name="name", address="address"
                ),
                *_columns(contact="phone", contact_name="contacts", phone="mobiles", goods_list="supplies"),
                *_columns(requirements="requirements", remark="note", ignored="id|contributor|title"),
            ),
            region="420000",
        ),
        wuhan2020.OUTBREAK,
    ),
    "redcross-hubei-in": (
        Plan(
            "湖北省红十字会",
            _columns(goods_list="物资", ignored="折算金额(万元)", name="来源", link="链接"),
            region="420000",
            gives=True,
        ),
        wuhan2020.OUTBREAK,
    ),
    "redcross-hubei-out": (
        Plan(
            "湖北省红十字会",
            _columns(name="捐赠方", goods_list="物资", ignored="折算金额(万元)", remark="流向", link="链接"),
            region="420000",
            gives=True,
        ),
        wuhan2020.OUTBREAK,
    ),
    "findthemasks": (
        Plan(
            "findthemasks",
            (
                *_columns(name="What is the name of the hospital or clinic?", address="Final Address"),
                *_columns(goods_list="What are they accepting?"),
                *_columns(
                    remark="Drop off instructions, eg curbside procedure or mailing address ATTN: instructions:"
                ),
                *_columns(published="Timestamp"),
            ),
            header_rows=3,
            region="US",
        ),
        US_SHORTAGE,
    ),
    "getusppe-requests": (
        Plan("GetUsPPE", _columns(name="rec_id", goods="ppe", quantity="qty", published="date"), region="US"),
        US_SHORTAGE,
    ),
    "getusppe-donors": (
        Plan(
            "GetUsPPE",
            _columns(name="don_id", goods="ppe", quantity="qty", published="date"),
            region="US",
            gives=True,
        ),
        US_SHORTAGE,
    ),
    "getusppe-offers": (
        Plan(
            "GetUsPPE",
            (
                *_columns(name="donorKey", goods="equipmentEnum", quantity="qty", published="datecreated"),
                *_columns(ignored="donationkey|dataSource", remark="stateprovince"),
            ),
            region="US",
            gives=True,
        ),
        US_SHORTAGE,
    ),
    "getusppe-matches": (
        Plan(
            "GetUsPPE",
            (
                *_columns(name="facilitykey", goods="enumcode", quantity="qty", published="matchCreated"),
                *_columns(state="matchstatus", ignored="matchkey|donorkey|matchsubstatus|closedOrDelivered"),
            ),
            region="US",
        ),
        US_SHORTAGE,
    ),
}


def by_plan(code: str, plan: Plan, emergency: tuple[str, str, str, str, date]) -> Format:
    """The format of the tables that a plan reads."""
    return Format(
        code,
        plan.source,
        plan.gives,
        partial(read_by, plan),
        emergency,
        partial(rows_by, plan),
        days=partial(days_by, plan),
    )


BY_HEADINGS = {code: by_plan(code, plan, emergency) for code, (plan, emergency) in PLANS.items()}

# Headings or names that only stand in lists of another kind, and the code of the sentence that says so.
_OTHER_KINDS: tuple[tuple[frozenset[str], str], ...] = (
    (frozenset({"allowPersonal", "orderUrl"}), "list-of-carriers"),
    (frozenset({"bankAccounts"}), "list-of-channels"),
    (frozenset({"abstract", "count"}), "list-of-gifts"),
    (frozenset({"sheetName", "cell", "err"}), "list-of-faults"),
    (frozenset({"code", "name", "provinceCode"}), "list-of-regions"),
    (frozenset({"enumcode", "description"}), "list-of-words"),
    (frozenset({"MONTH", "total_requests"}), "list-of-counts"),
    (frozenset({"TIME", "total_requests"}), "list-of-counts"),
)
_DIRECTORY = frozenset({"province", "city", "name", "address"})


def recognised(head: Sequence[RawRow]) -> Format | None:
    """The format of a list that is known by its headings. Raises Unreadable for one that is no list of needs."""
    first = head[0].raw if head else None
    if wuhan2020.is_row_of_cells(first):
        return wuhan2020.CELLS
    if is_announcement(first):
        return ANNOUNCEMENTS
    names = set(first) if isinstance(first, Mapping) else set()
    _refuse_other_kinds(head, names)
    if isinstance(first, Mapping) and isinstance(first.get("supplies"), list):
        return wuhan2020.MAKERS if "qualification" in first else wuhan2020.APPEALS
    rows = [row.raw for row in head if isinstance(row.raw, list)]
    for code, (plan, _emergency) in PLANS.items():
        wanted = {column.label for column in plan.columns}
        seen = names or _seen(plan, rows)
        if wanted <= {str(label).strip() for label in seen}:
            return BY_HEADINGS[code]
    return None


def _seen(plan: Plan, rows: Sequence[list[str]]) -> set[str]:
    return set(
        headings([row for row in rows[plan.header_first : plan.header_last + 1] if not is_about_columns(row)])
    )


def _refuse_other_kinds(head: Sequence[RawRow], names: set[str]) -> None:
    first_rows = [
        set(row.raw)
        for row in head[:3]
        if isinstance(row.raw, list) and all(isinstance(c, str) for c in row.raw)
    ]
    for seen in [names, *first_rows]:
        for wanted, code in _OTHER_KINDS:
            if wanted <= seen:
                raise Unreadable(code)
        if {"code", "name"} == seen:
            raise Unreadable("list-of-regions")
        if seen >= _DIRECTORY and "supplies" not in seen:
            raise Unreadable("list-of-hospitals")


def rows_of(rows: Iterable[RawRow], kind: Format, findings: list[Finding]) -> Iterator[tuple[int, Any]]:
    """The numbered rows of an opened file, as a format takes them. Raises Unreadable for a list of another kind."""
    coming = iter(rows)
    head = list(islice(coming, 30))
    recognised(head)
    yield from kind.rows(chain(head, coming), findings)


def needs_mapping(head: Sequence[RawRow]) -> Finding:
    """What to say about a table that nobody has mapped."""
    first: list[Any] = next((list(row.raw) for row in head if row.raw), [])
    return found("needs-mapping", columns="、".join(str(cell) for cell in first[:8] if cell))
