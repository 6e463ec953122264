"""Any table of needs or gifts, read by a plan that says what each of its columns is.

A plan comes from a mapping that a volunteer confirmed, or from the table of known lists. It names columns by their
headings, so that a column that moved is still found.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from supplies.intake.files.opening import RawRow
from supplies.intake.formats.listed import Listed, ListedGoods
from supplies.intake.reading.contacts import read_contacts
from supplies.intake.reading.dates import Day, Says, day_of_link, newest, read_days
from supplies.intake.reading.findings import Finding, Unreadable, about, found
from supplies.intake.reading.items import GoodsList, pair_lists, read_goods, read_heading
from supplies.intake.reading.names import OrganisationName, read_name
from supplies.intake.reading.quantities import Kind, Quantity, read_quantity
from supplies.intake.reading.text import tidy, tidy_lines
from supplies.leaks import masked

HEAD = 30  # rows among which the header is looked for
NOTES, ROWS = "!", "!rows"  # in a raw row: what its reader found, and the rows of the same hospital under it
MOST_JOINED = 200  # rows of one hospital, one after the other


class Role(TextChoices):
    """What a column holds."""

    IGNORED = "ignored", _("not used")
    NAME = "name", _("name of the hospital or donor")
    PROVINCE = "province", _("province")
    CITY = "city", _("city")
    DISTRICT = "district", _("district or county")
    ADDRESS = "address", _("address")
    CONTACT = "contact", _("contact: name and telephone")
    CONTACT_NAME = "contact_name", _("name of a contact")
    PHONE = "phone", _("telephone")
    LINK = "link", _("link")
    REMARK = "remark", _("remark")
    PUBLISHED = "published", _("day it was published")
    UPDATED = "updated", _("day it was last confirmed")
    ITEM = "item", _("goods in the heading, quantities beneath")
    SPECIFICATION = "specification", _("standard or specification of the goods before it")
    GOODS = "goods", _("goods, one a row")
    QUANTITY = "quantity", _("quantity of the goods")
    UNIT = "unit", _("unit of the quantity")
    GOODS_LIST = "goods_list", _("list of goods as free text")
    REQUIREMENTS = "requirements", _("list of standards beside the list of goods")
    STATE = "state", _("state: open, delivered, closed")
    CERTIFICATE = "certificate", _("certificate")


class Means(TextChoices):
    """What a figure means that is no quantity."""

    UNLIMITED = "unlimited", _("wanted without a limit")
    UNKNOWN = "unknown", _("wanted, no number given")
    NOT_WANTED = "not_wanted", _("not needed")


_MEANT = {Means.UNLIMITED: Quantity(Kind.UNLIMITED), Means.UNKNOWN: Quantity(Kind.UNKNOWN)}
_SETTLED = re.compile(
    r"delivered|closed|cancell?ed|completed?|fulfilled|done|已(?:完成|送达|满足|关闭|结束|取消)|关闭|完成",
    re.I,
)
_TOTAL = re.compile(r"(?:合计|总计|小计|总共|共计|total|sum)s?[:：]?", re.I)
_PRIVATE = re.compile(r"(?:某|先生|女士|小姐|太太|同学|老师)$|^[\u4e00-\u9fff]某")
_STANDARD = re.compile(r"(?:GB|YY|EN|ISO|ASTM)\s*/?\s*T?\s*\d{3,6}[\d.]*(?:\s*[-—–]\s*\d{4})?", re.I)


@dataclass(frozen=True)
class Column:
    """One column of a plan.

    label          its heading, unique in its table
    specification  standard or brand that the header gives for all rows
    means          figures that are no quantities, as written: {"1": "unlimited"}
    fills          an empty cell takes what stands above it, as where a hospital is written once for all of its rows
    """

    label: str
    role: Role
    specification: str = ""
    means: Mapping[str, str] = field(default_factory=dict)
    fills: bool = False


@dataclass(frozen=True)
class Plan:
    """How a table is read.

    header_first, header_last   the rows that make up the headings, counted from 0
    header_rows                 how many rows stand above the first one of the list
    region                      code of the region that rows without a place belong to
    sheet                       the only sheet that is read; empty reads all that have these headings
    """

    source: str
    columns: tuple[Column, ...]
    header_first: int = 0
    header_last: int = 0
    header_rows: int = 1
    region: str = ""
    gives: bool = False
    sheet: str = ""

    def labels(self, *roles: Role) -> list[str]:
        if roles not in self._labels:  # asked some thirty times for every row
            self._labels[roles] = [column.label for column in self.columns if column.role in roles]
        return list(self._labels[roles])

    @cached_property
    def _labels(self) -> dict[tuple[Role, ...], list[str]]:
        return {}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Plan":
        """Raises ValueError, TypeError or KeyError for what is no plan."""
        columns = tuple(Column(**{**column, "role": Role(column["role"])}) for column in stored["columns"])
        return cls(**{**stored, "columns": columns})


# -- The header -------------------------------------------------------------------------------------------


def headings(rows: Sequence[Sequence[str]]) -> list[str]:
    """The heading of each column out of one or several rows: the lowest text that stands over it, told apart."""
    width = max(map(len, rows), default=0)
    written = [_lowest([row[column] for row in rows if column < len(row)]) for column in range(width)]
    labels: list[str] = []
    for position, text in enumerate(written, start=1):
        label = text or f"#{position}"
        times = sum(text == other for other in written[: position - 1]) + 1
        labels.append(f"{label} ({times})" if text and times > 1 else label)
    return labels


def _lowest(cells: Sequence[str]) -> str:
    texts = [" ".join(cell.split())[:200] for cell in cells if cell.strip()]
    return texts[-1] if texts else ""


_ABOUT_COLUMNS = re.compile(r"(?:标准|规格|推荐|品牌|型号|specifications?|standards?)", re.I)


def is_about_columns(row: Sequence[str]) -> bool:
    """Whether a row under the headings gives standards for the columns: 标准/推荐品牌, , YY 0469-2011, …"""
    first = next((cell for cell in row if cell), "")
    return bool(_ABOUT_COLUMNS.match(first)) and any(_STANDARD.search(cell) for cell in row)


def labels_by(plan: Plan, head: Sequence[Sequence[str]]) -> tuple[list[str], int]:
    """The headings of a table as the plan expects them, and how many rows stand above the list.

    Raises Unreadable when the table has other headings.
    """
    wanted = {column.label for column in plan.columns}
    places = [(plan.header_first, plan.header_last, plan.header_rows)]
    places += [
        (first, last, last + 1)
        for last in range(min(15, len(head)))
        for first in range(last, max(-1, last - 5), -1)
    ]
    best: tuple[float, list[str], int] = (0, [], 0)
    for first, last, rows in places:
        labels = headings([row for row in head[first : last + 1] if not is_about_columns(row)])
        share = len(wanted & set(labels)) / max(1, len(wanted))
        if share > best[0]:
            best = share, labels, rows
    names = set(plan.labels(Role.NAME))
    if best[0] < 0.5 or not names & set(best[1]):
        missing = "、".join(label for label in plan.labels(Role.NAME) or sorted(wanted)[:3])
        raise Unreadable("other-header", source=plan.source, missing=missing)
    return best[1], best[2]


def changes_of_header(plan: Plan, labels: Iterable[str]) -> tuple[Finding, ...]:
    """What a table has more or less than when its mapping was made."""
    known, seen = [column.label for column in plan.columns], list(labels)
    new = [label for label in seen if label not in known and not label.startswith("#")]
    gone = [label for label in known if label not in seen and not label.startswith("#")]
    findings = [found("new-columns", columns="、".join(new))] if new else []
    findings += [found("missing-columns", columns="、".join(gone))] if gone else []
    return tuple(findings)


# -- Rows -------------------------------------------------------------------------------------------------


def rows_by(plan: Plan, rows: Iterable[RawRow], findings: list[Finding]) -> Iterator[tuple[int, Any]]:
    """The rows of a list with their numbers, each as {heading: cell}; of every sheet that has the plan's headings.

    findings   what is to be said about the file is added to it
    Raises     Unreadable when no sheet has them
    """
    joined = _joined(plan, _labelled(plan, rows, findings))
    yield from joined


def _labelled(
    plan: Plan, rows: Iterable[RawRow], findings: list[Finding]
) -> Iterator[tuple[int, dict[str, Any]]]:
    read, refused = 0, None
    for sheet, of_sheet in _by_sheet(rows):
        head = list(islice(of_sheet, HEAD))
        if head and isinstance(head[0].raw, Mapping):
            yield from (_keyed(row) for row in _chain(head, of_sheet))
            read += 1
            continue
        try:
            labels, above = labels_by(plan, [_texts(row.raw) for row in head])
        except Unreadable as error:
            refused = refused or error
            if sheet:
                findings.append(found("sheet-skipped", sheet=sheet))
            continue
        read += 1
        findings += [change for change in changes_of_header(plan, labels) if change not in findings]
        named = (_named(row, labels) for row in _chain(head[above:], of_sheet) if not _is_header(row, labels))
        yield from _filled(plan, named)
    if not read:
        raise refused or Unreadable("no-rows")


def _chain(head: Iterable[RawRow], rest: Iterable[RawRow]) -> Iterator[RawRow]:
    yield from head
    yield from rest


def _by_sheet(rows: Iterable[RawRow]) -> Iterator[tuple[str, Iterator[RawRow]]]:
    """The rows of each sheet; what the caller leaves of one is passed over."""
    coming = iter(rows)
    first = next(coming, None)
    while first is not None:
        upcoming: list[RawRow] = []
        sheet = _sheet(first, coming, upcoming)
        yield first.sheet, sheet
        for _left in sheet:
            pass
        first = upcoming[0] if upcoming else None


def _sheet(first: RawRow, coming: Iterator[RawRow], upcoming: list[RawRow]) -> Iterator[RawRow]:
    yield first
    for row in coming:
        if row.sheet != first.sheet:
            upcoming.append(row)
            return
        yield row


def _texts(raw: Any) -> list[str]:
    cells = raw if isinstance(raw, list) else []
    return [cell if isinstance(cell, str) else "" for cell in cells]


def _is_header(row: RawRow, labels: Sequence[str]) -> bool:
    """A header that stands in the list once more, as when sheets were joined."""
    cells = {cell for cell in _texts(row.raw) if cell}
    return len(cells) > 1 and cells <= set(labels)


def _named(row: RawRow, labels: Sequence[str]) -> tuple[int, dict[str, Any]]:
    cells = _texts(row.raw)
    raw: dict[str, Any] = {label: cells[at] if at < len(cells) else "" for at, label in enumerate(labels)}
    notes = list(row.findings)
    beyond = {f"#{at + 1}": cells[at] for at in range(len(labels), len(cells)) if cells[at]}
    if beyond:
        notes.append(found("beyond-header", cells="、".join(beyond.values())))
    raw |= beyond
    return row.number, _noted(raw, notes, is_read=bool(cells))


def _filled(plan: Plan, rows: Iterator[tuple[int, dict[str, Any]]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """An empty cell of a column that the plan says is filled takes the one above it, and the row says so."""
    above: dict[str, str] = {column.label: "" for column in plan.columns if column.fills}
    for number, raw in rows:
        taken = [label for label, text in above.items() if label in raw and not raw[label] and text]
        raw |= {label: above[label] for label in taken}
        above |= {label: raw[label] for label in above if raw.get(label)}
        if taken:
            raw.setdefault(NOTES, []).append(found("as-above", columns="、".join(taken)).as_json())
        yield number, raw


def _keyed(row: RawRow) -> tuple[int, Any]:
    if not isinstance(row.raw, Mapping):
        return row.number, row.raw
    raw = {
        key: value if isinstance(value, str) else "" if value is None else str(value)
        for key, value in row.raw.items()
    }
    return row.number, _noted(raw, list(row.findings), is_read=True)


def _noted(raw: dict[str, Any], notes: list[Finding], *, is_read: bool) -> dict[str, Any]:
    if notes:
        raw[NOTES] = [note.as_json() for note in notes]
    return raw if is_read else {NOTES: raw[NOTES] if notes else []}


def _joined(plan: Plan, rows: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """Rows of one hospital that follow one another, one of its goods in each, as one row."""
    if not plan.labels(Role.GOODS):
        yield from rows
        return
    whose = plan.labels(Role.NAME, Role.PROVINCE, Role.CITY, Role.DISTRICT, Role.STATE)
    per_goods = plan.labels(Role.GOODS, Role.QUANTITY, Role.UNIT, Role.SPECIFICATION)
    held: tuple[int, dict[str, Any]] | None = None
    for number, raw in rows:
        if held and _is_same(held[1], raw, whose):
            held[1].setdefault(ROWS, []).append({label: raw.get(label, "") for label in per_goods})
            notes = held[1].get(NOTES, [])
            if notes := [*notes, *(note for note in raw.get(NOTES, []) if note not in notes)]:
                held[1][NOTES] = notes
            continue
        if held:
            yield held
        held = (number, raw) if isinstance(raw, dict) else None
        if held is None:
            yield number, raw
    if held:
        yield held


def _is_same(held: Mapping[str, Any], raw: Any, whose: Sequence[str]) -> bool:
    if not isinstance(raw, dict) or len(held.get(ROWS, ())) >= MOST_JOINED:
        return False
    named = [raw.get(label, "") for label in whose]
    return any(named) and named == [held.get(label, "") for label in whose]


# -- One row ----------------------------------------------------------------------------------------------


def read_by(plan: Plan, raw: Mapping[str, Any]) -> Listed:
    """A row of a table. Raises Unreadable, with the heading named, for one that cannot be used at all."""
    notes = tuple(Finding.from_json(note) for note in raw.get(NOTES, ()))
    if not set(raw) - {NOTES}:
        first = notes[0] if notes else found("no-rows")
        raise Unreadable(first.code, **first.words)
    _refuse_settled(plan, raw)
    name = _name(plan, raw)
    remark = _remark(plan, raw)
    link = _links(plan, raw)
    people = read_contacts(_contact_cells(plan, raw))
    goods, of_lists = _goods(plan, raw)
    published, updated = _days(plan, raw, remark)
    return Listed(
        name=name,
        place=(
            _first(plan, raw, Role.PROVINCE),
            _first(plan, raw, Role.CITY),
            _first(plan, raw, Role.DISTRICT),
        ),
        region=plan.region,
        address="\n".join(filter(None, (_lines(raw, label) for label in plan.labels(Role.ADDRESS)))),
        link=link,
        remark=remark,
        people=people.people,
        goods=tuple(goods),
        published_on=published or day_of_link(link),
        updated_on=updated,
        certificate=_first(plan, raw, Role.CERTIFICATE),
        findings=(
            *notes,
            *of_lists,
            *(finding.at("name") for finding in name.findings),
            *(finding.at("contacts") for finding in people.findings),
        ),
    )


def days_by(plan: Plan, raw: Mapping[str, Any]) -> tuple[date | None, date | None]:
    """The days `read_by` would find a row published and updated, at a fraction of its cost. Raises Unreadable."""
    published, updated = _days(plan, raw, _remark(plan, raw))
    return published or day_of_link(_links(plan, raw)), updated


def _remark(plan: Plan, raw: Mapping[str, Any]) -> str:
    return "\n".join(filter(None, (_lines(raw, label) for label in plan.labels(Role.REMARK))))


def _links(plan: Plan, raw: Mapping[str, Any]) -> str:
    links = [_link(raw, label) for label in plan.labels(Role.LINK)]
    return next(filter(None, links), "")


# Most cells of a list stand in it many times; what is longer is a remark, and stands there once.
_SHORT, _REMEMBERED = 60, 16_384


def _cell(raw: Mapping[str, Any], label: str, most: int = 500) -> str:
    cell = raw.get(label) or ""
    if not cell:
        return ""
    if isinstance(cell, str) and len(cell) <= _SHORT and (text := _tidied(cell)) is not None:
        return text
    with about(label):
        return tidy(cell, most=most).text


@lru_cache(_REMEMBERED)
def _tidied(cell: str) -> str | None:
    """A short cell as one line; None for one that cannot be read, of which `tidy` says why."""
    try:
        return tidy(cell).text
    except Unreadable:
        return None


@lru_cache(_REMEMBERED)
def _shown(short: str) -> str:
    return masked(short)


def _masked(text: str) -> str:
    return _shown(text) if len(text) <= _SHORT else masked(text)


def _lines(raw: Mapping[str, Any], label: str) -> str:
    with about(label):
        return tidy_lines(raw.get(label) or "").text


def _first(plan: Plan, raw: Mapping[str, Any], role: Role) -> str:
    return next(filter(None, (_cell(raw, label) for label in plan.labels(role))), "")


def _name(plan: Plan, raw: Mapping[str, Any]) -> OrganisationName:
    labels = plan.labels(Role.NAME)
    with about(labels[0] if labels else "name"):
        written = next(filter(None, (str(raw.get(label) or "") for label in labels)), "")
        if _TOTAL.fullmatch(written.strip()):
            raise Unreadable("total-row", cell=written)
        if plan.gives and _PRIVATE.search(written.strip()):
            raise Unreadable("private-person")
        name = read_name(masked(written))
        if not name.text:
            raise Unreadable("missing", field=labels[0] if labels else "name")
        return name


def _refuse_settled(plan: Plan, raw: Mapping[str, Any]) -> None:
    for label in plan.labels(Role.STATE):
        if _SETTLED.search(_cell(raw, label)):
            raise Unreadable("settled", state=_cell(raw, label)).at(label)


def _link(raw: Mapping[str, Any], label: str) -> str:
    """The address in a cell that may hold words before it."""
    text = _cell(raw, label, most=2000)
    match = re.search(r"https?://\S+", text)
    return match[0] if match else text


def _contact_cells(plan: Plan, raw: Mapping[str, Any]) -> list[Mapping[str, str]]:
    names = [part for label in plan.labels(Role.CONTACT_NAME) for part in _parts(raw, label)]
    phones = [part for label in plan.labels(Role.PHONE) for part in _parts(raw, label)]
    if len(names) != len(phones):
        names = ["、".join(names)] * len(phones) if len(names) == 1 else [""] * len(phones)
    cells = [{"name": name, "tel": phone} for name, phone in zip(names, phones, strict=True)]
    return [*cells, *({"name": "", "tel": _lines(raw, label)} for label in plan.labels(Role.CONTACT))]


def _parts(raw: Mapping[str, Any], label: str) -> list[str]:
    return [part.strip() for part in re.split(r"[、，;；\n]", _lines(raw, label)) if part.strip()]


def _days(plan: Plan, raw: Mapping[str, Any], remark: str) -> tuple[date | None, date | None]:
    days: dict[Says, list[Day]] = {says: [] for says in Says}
    for role, says in ((Role.PUBLISHED, Says.PUBLISHED), (Role.UPDATED, Says.UPDATED)):
        for label in plan.labels(role):
            days[says] += [Day(day.on, says) for day in _days_in(_cell(raw, label))]
    for day in _days_in(remark):
        days[day.says].append(day)
    return newest(days[Says.PUBLISHED]), newest(days[Says.UPDATED])


def _days_in(text: str) -> Sequence[Day]:
    return _days_in_short(text) if len(text) <= _SHORT else read_days(text)


@lru_cache(_REMEMBERED)
def _days_in_short(text: str) -> Sequence[Day]:
    return tuple(read_days(text))


# -- Goods ------------------------------------------------------------------------------------------------


def _goods(plan: Plan, raw: Mapping[str, Any]) -> tuple[list[ListedGoods], tuple[Finding, ...]]:
    goods = [line for column, beside in _item_columns(plan) if (line := _beneath(column, beside, raw))]
    for row in (raw, *raw.get(ROWS, ())):
        goods += _of_row(plan, row)
    listed, findings = _listed(plan, raw)
    return [*goods, *listed], findings


def _item_columns(plan: Plan) -> Iterator[tuple[Column, list[str]]]:
    """Columns with goods in their heading, each with the columns of specifications behind it."""
    for at, column in enumerate(plan.columns):
        if column.role is not Role.ITEM:
            continue
        beside: list[str] = []
        for following in plan.columns[at + 1 :]:
            if following.role is not Role.SPECIFICATION:
                break
            beside.append(following.label)
        yield column, beside


def _beneath(column: Column, beside: Sequence[str], raw: Mapping[str, Any]) -> ListedGoods | None:
    """The goods of one cell under a heading. An empty cell asks for nothing; neither does a specification alone."""
    written = _lines(raw, column.label)
    means = column.means.get(written)
    if not written or means == Means.NOT_WANTED:
        return None
    specified = [column.specification, *(_lines(raw, label) for label in beside)]
    specified += _STANDARD.findall(written)
    quantity, findings = (_MEANT[Means(means)], ()) if means else _quantity(written)
    return ListedGoods(
        _heading_of(column.label),
        masked("; ".join(dict.fromkeys(filter(None, specified)))),
        quantity,
        masked(written),
        masked(written),
        findings,
    )


@lru_cache(maxsize=2_048)
def _heading_of(label: str) -> tuple[str, ...]:
    """The names in a heading, without what tells two columns apart or says that numbers follow."""
    text = re.sub(r"\s*\(\d+\)$", "", label)
    text = re.sub(
        r"(?<=.)[\s_(（-]*(?:需求|所需)?(?:数量|数目|件数|qty|quantity|amount)[)）]?$", "", text, flags=re.I
    )
    return read_heading(text) or (label,)


def _quantity(written: str) -> tuple[Quantity | None, tuple[Finding, ...]]:
    return _short_quantity(written) if len(written) <= _SHORT else _read_quantity(written)


@lru_cache(_REMEMBERED)
def _short_quantity(written: str) -> tuple[Quantity | None, tuple[Finding, ...]]:
    return _read_quantity(written)


def _read_quantity(written: str) -> tuple[Quantity | None, tuple[Finding, ...]]:
    try:
        quantity = read_quantity(written)
    except Unreadable as error:
        return None, (error.finding,)
    return quantity, quantity.findings


def _of_row(plan: Plan, raw: Mapping[str, Any]) -> Iterator[ListedGoods]:
    """The goods of a row that names them in one column and counts them in another."""
    named = [label for label in plan.labels(Role.GOODS) if _cell(raw, label)]
    if not named:
        return
    column = next(iter(c for c in plan.columns if c.role is Role.QUANTITY), None)
    figure = _cell(raw, column.label) if column else ""
    unit = next(filter(None, (_cell(raw, label) for label in plan.labels(Role.UNIT))), "")
    means = column.means.get(figure) if column else None
    if means == Means.NOT_WANTED:
        return
    written = f"{figure}{unit}" if figure and figure[-1].isdigit() else figure
    quantity, findings = (_MEANT[Means(means)], ()) if means else _quantity(written)
    specified = "; ".join(filter(None, (_cell(raw, label) for label in plan.labels(Role.SPECIFICATION))))
    for label in named:
        names = _names_of(_cell(raw, label))
        if names:
            raw_cell = _masked(" ".join(filter(None, (_cell(raw, label), written, specified))))
            yield ListedGoods(names, _masked(specified), quantity, _masked(written), raw_cell, findings)


@lru_cache(_REMEMBERED)
def _names_of(cell: str) -> tuple[str, ...]:
    return read_heading(_words(cell))


def _words(code: str) -> str:
    """A name of goods that a program wrote: faceShields, face_shield."""
    if not re.fullmatch(r"[A-Za-z_0-9]+", code):
        return code
    return re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", code).strip()


def _listed(plan: Plan, raw: Mapping[str, Any]) -> tuple[list[ListedGoods], tuple[Finding, ...]]:
    """The goods of free text, with figures where the text has them; without one nobody knows how many."""
    goods: list[ListedGoods] = []
    findings: list[Finding] = []
    wishes = plan.labels(Role.REQUIREMENTS)
    for at, label in enumerate(plan.labels(Role.GOODS_LIST)):
        with about(label):
            listed = _read_list(raw, label, wishes[at] if at < len(wishes) else "")
        findings += [finding.at(label) for finding in listed.findings]
        for mention in listed.mentions:
            quantity, about_it = _quantity(mention.figure) if mention.figure else (Quantity(Kind.UNKNOWN), ())
            written = masked(
                " ".join(filter(None, ("/".join(mention.names), mention.figure, mention.requirement)))
            )
            goods.append(
                ListedGoods(
                    mention.names, masked(mention.requirement), quantity, mention.figure, written, about_it
                )
            )
    return goods, tuple(findings)


def _read_list(raw: Mapping[str, Any], label: str, wishes: str) -> GoodsList:
    if wishes and _cell(raw, wishes, most=2000):
        return pair_lists(raw.get(label) or "", raw.get(wishes) or "")
    return read_goods(raw.get(label) or "")
