"""The lists of the wuhan2020 community (github.com/wuhan2020/wuhan2020, MIT), as published in February 2020.

A file is a JSON list of rows: province, city, district, name, supplies [{key, value, specification}], address, url,
remark, contacts [{name, tel}]; so are the older snapshots. The robot's own files ("cells") hold each row as a list of
cells {key, value, type, specification}, where 0 says that nothing is wanted. In the lists of needs the value 1 says "wanted, without an upper limit", in the list
of makers "makes this, capacity not known"; null is a cell that the volunteers' robot could not read.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from supplies.intake.files.opening import RawRow
from supplies.intake.formats.listed import Format, Listed, ListedGoods
from supplies.intake.reading.contacts import read_contacts
from supplies.intake.reading.dates import Says, day_of_link, newest, read_days
from supplies.intake.reading.findings import Finding, Unreadable, about, found
from supplies.intake.reading.items import read_heading
from supplies.intake.reading.names import OrganisationName, read_name
from supplies.intake.reading.quantities import Kind, Quantity, read_quantity
from supplies.intake.reading.text import as_written, tidy, tidy_lines
from supplies.leaks import masked

SENTINEL = Quantity(Kind.NUMBER, 1, 1)
OUTBREAK = (
    "covid-2019-hubei",
    "湖北新冠肺炎疫情",
    "COVID-19 outbreak in Hubei",
    "420000",
    date(2019, 12, 31),
)


def read_appeal(row: Mapping[str, Any]) -> Listed:
    """A hospital that asks. Raises Unreadable for a row that cannot be used at all."""
    return _read(row, sentinel=Quantity(Kind.UNLIMITED))


def read_maker(row: Mapping[str, Any]) -> Listed:
    """A maker and its daily capacity; the goods stand in the specification, the heading is a class of them."""
    listed = _read(row, sentinel=Quantity(Kind.UNKNOWN))
    goods = tuple(_made(line) for line in listed.goods)
    return replace(
        listed,
        goods=goods,
        published_on=_stamp(row.get("date")) or listed.published_on,
        certificate=_cell(row, "qualification", most=500),
    )


def _made(line: ListedGoods) -> ListedGoods:
    quantity = line.quantity and replace(line.quantity, is_per_day=line.quantity.kind is Kind.NUMBER)
    return replace(line, names=read_heading(line.specification) or line.names, quantity=quantity)


def _read(row: Mapping[str, Any], *, sentinel: Quantity) -> Listed:
    with about("contacts"):
        people = read_contacts(_list_of_objects(row, "contacts"))
    name = _named(row)
    remark = _lines(row, "remark")
    link = _cell(row, "url", most=2000)
    days = read_days(remark)
    published = [day for day in days if day.says is Says.PUBLISHED]
    updated = [day for day in days if day.says is Says.UPDATED]
    return Listed(
        name=name,
        place=(_cell(row, "province"), _cell(row, "city"), _cell(row, "district")),
        address=_lines(row, "address"),
        link=link,
        remark=remark,
        people=people.people,
        goods=tuple(_goods(cell, sentinel) for cell in _list_of_objects(row, "supplies")),
        published_on=newest(published) or day_of_link(link),
        updated_on=newest(updated),
        findings=(
            *(finding.at("name") for finding in name.findings),
            *(finding.at("contacts") for finding in people.findings),
        ),
    )


def _named(row: Mapping[str, Any]) -> OrganisationName:
    with about("name"):
        cell = row.get("name")
        name = read_name(masked(cell) if isinstance(cell, str) else cell)
        if not name.text:
            raise Unreadable("missing", field="name")
    return name


def _goods(cell: Mapping[str, Any], sentinel: Quantity) -> ListedGoods:
    findings: list[Finding] = []
    quantity: Quantity | None = None
    try:
        quantity = read_quantity(cell.get("value"))
        findings += quantity.findings
    except Unreadable as error:
        findings.append(error.finding)
    if quantity == SENTINEL:
        quantity = sentinel
    elif cell.get("value") is None:
        findings.append(found("unread-cell"))
    with about("supplies"):
        names = read_heading(cell.get("key"))
        if not names:
            raise Unreadable("missing", field="key")
    return ListedGoods(
        names,
        masked(_cell(cell, "specification")),
        quantity,
        masked(as_written(cell.get("value")).strip('"')),
        masked(as_written(cell)),
        tuple(findings),
    )


def _list_of_objects(row: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    cells = row.get(field) or []
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise Unreadable("not-a-list-of-cells", field=field).at(field)
    return cells


def _cell(row: Mapping[str, Any], field: str, most: int = 500) -> str:
    with about(field):
        return tidy(row.get(field), most=most).text


def _lines(row: Mapping[str, Any], field: str) -> str:
    with about(field):
        return tidy_lines(row.get(field)).text


def _stamp(cell: Any) -> date | None:
    """The Chinese day of an instant such as 2020-01-25T16:00:00.000Z."""
    try:
        instant = datetime.fromisoformat(str(cell))
    except ValueError:
        return None
    return (
        instant.astimezone(ZoneInfo("Asia/Shanghai")).date()
        if instant.tzinfo
        else instant.replace(tzinfo=UTC).date()
    )


# -- cells ------------------------------------------------------------------------------------------------

_FIELDS = {
    "区县": "district",
    "医院名称": "name",
    "官方链接": "url",
    "医院地址": "address",
    "联系人/联系方式": "contacts",
    "联系方式": "contacts",
    "备注": "remark",
}
_APPROVED = "审核状态"
PROVINCE = "湖北"  # the robot's files name districts only


def is_row_of_cells(raw: Any) -> bool:
    """Whether a row is a list of cells {key, value, type}; a cell that was empty in the sheet is null."""
    return isinstance(raw, list) and any(
        isinstance(cell, Mapping) and {"key", "value", "type"} <= set(cell) for cell in raw
    )


def rows_of_cells(rows: Iterable[RawRow], findings: list[Finding]) -> Iterator[tuple[int, Any]]:
    """Rows of cells as rows of the published form."""
    del findings
    yield from ((row.number, _of_cells(row.raw) if is_row_of_cells(row.raw) else row.raw) for row in rows)


def _of_cells(cells: list[Any]) -> dict[str, Any]:
    row: dict[str, Any] = {"province": PROVINCE, "supplies": [], "approved": ""}
    for cell in cells:
        if not isinstance(cell, Mapping):
            continue
        key, value = cell.get("key"), cell.get("value")
        if cell.get("type") == "supply":
            if value != 0:
                row["supplies"].append(
                    {name: cell[name] for name in ("key", "value", "specification") if name in cell}
                )
        elif key == _APPROVED:
            row["approved"] = value
        elif key in _FIELDS:
            row[_FIELDS[key]] = value
    return row


def read_cells(row: Mapping[str, Any]) -> Listed:
    """A hospital out of the robot's own file. Raises Unreadable for one that nobody there has approved."""
    listed = read_appeal(row)
    if row.get("approved") != "已审核":
        raise Unreadable("not-approved").at(_APPROVED)
    return listed


APPEALS = Format("wuhan2020", "wuhan2020", gives=False, read=read_appeal, emergency=OUTBREAK)
MAKERS = Format("wuhan2020-makers", "wuhan2020", gives=True, read=read_maker, emergency=OUTBREAK)
CELLS = Format(
    "wuhan2020-cells", "wuhan2020", gives=False, read=read_cells, emergency=OUTBREAK, rows=rows_of_cells
)
