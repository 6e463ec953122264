"""What the columns of a table are: proposed from its headings and its cells, confirmed by somebody, remembered."""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from django.db import transaction

from supplies.catalogue.dictionary import SURE, Dictionary
from supplies.emergencies.models import Emergency
from supplies.intake.files.opening import RawRow
from supplies.intake.formats import FORMATS, Format, by_plan
from supplies.intake.formats.sheet import (
    Column,
    Means,
    Plan,
    Role,
    changes_of_header,
    headings,
    is_about_columns,
)
from supplies.intake.models import Import, SheetMapping
from supplies.intake.reading.findings import Finding, Unreadable
from supplies.intake.reading.items import read_heading
from supplies.intake.reading.text import refuse_long
from supplies.journal.services import record
from supplies.leaks import masked
from supplies.organisations.models import User

LONGEST_SOURCE = 24  # characters; it stands in the key of every row
SHEET = "sheet:"  # before the source, in the code of a mapped sheet's format
SAMPLES = 3  # cells shown beneath a heading
_DEEPEST_HEADER = 15  # rows; below it nobody writes headings
_LONGEST_HEADING = 60  # characters
CERTAIN, LIKELY, PERHAPS = 95, 75, 50

# Whole headings, the first that fits; 医院地址 is an address and not a hospital.
_HEADINGS: tuple[tuple[Role, str], ...] = (
    (Role.IGNORED, r"序号|编号|id|no\.?|#\d+|审核人|contributor|timestamp.*id"),
    (Role.PROVINCE, r"省|省份|所在省|province|state\??"),
    (Role.CITY, r"市|城市|省市|地市|所在市|所在城市|city"),
    (Role.DISTRICT, r"区|区县|县|县区|县市区|所在区县|district|county|suburb"),
    (Role.ADDRESS, r"(?:.*(?:地址|地点|所在地区?|位置))|.*address.*|location|where"),
    (Role.NAME, r"(?:医院|单位|机构|医疗机构|受赠方|受赠单位|受捐单位|需求方|需求单位|捐赠方|企业|厂家|公司)(?:名称|全称|名)?|名称|来源"),
    (Role.NAME, r"(?:hospital|facility|organi[sz]ation|clinic|donor)(?:[\s_]*name)?|name(?: of .*)?|what is the name.*"),
    (Role.CONTACT_NAME, r"(?:联系人|负责人|接收人|收件人)(?:姓名)?|contacts?[\s_]*(?:name|person)?s?"),
    (Role.PHONE, r".*(?:电话|手机|座机|号码)|(?:tele)?phone.*|tel\.?|mobiles?"),
    (Role.CONTACT, r"联系方式|联系人.*(?:电话|方式)|contact(?: details| info)?"),
    (Role.LINK, r".*(?:链接|网址|公告)|url|links?|source"),
    (Role.PUBLISHED, r"(?:发布|公告|填报|提交|登记)?(?:日期|时间)|date|published.*|timestamp"),
    (Role.UPDATED, r"(?:更新|核实|确认)(?:日期|时间)?|updated.*|last confirmed.*"),
    (Role.STATE, r"状态|进度|完成情况|status|state of.*"),
    (Role.CERTIFICATE, r".*(?:注册证|资质|证书).*|certificate.*|qualification"),
    (Role.REQUIREMENTS, r"requirements|(?:物资)?要求|标准要求"),
    (Role.SPECIFICATION, r".*(?:规格|型号|标准|品牌)(?:[/、].*)?(?: \(\d+\))?|specs?|specification.*|standards?|brand"),
    (Role.UNIT, r"单位|计量单位|units?|uom"),
    (Role.QUANTITY, r"(?:需求|所需|需要|捐赠)?(?:数量|数目|件数)|qty|quantity|amount|number"),
    (Role.GOODS_LIST, r"(?:所需|急需|需求|捐赠)?物资(?:信息|清单|需求|列表)|supplies|what are they accepting\??|needs|needed"),
    (Role.GOODS, r"(?:所需|急需|捐赠)?(?:物资|物品|货物|产品|品目|耗材)(?:名称|品名)?|品名|items?|goods|ppe|equipment.*|product"),
    (Role.REMARK, r"备注|说明|其他|其它|留言|remarks?|notes?|comments?"),
)  # fmt: skip
_PATTERNS = [(role, re.compile(pattern, re.I)) for role, pattern in _HEADINGS]
_ONE_MEANS_WANTED = re.compile(r"(?:输入|填写?|写)\s*[“\"']?1|\b1\s*(?:=|means)\s*(?:needed|wanted)", re.I)
_ZERO_MEANS_UNLIMITED = re.compile(r"0\s*(?:=|表示|代表|为)\s*(?:不限|无上限|unlimited)", re.I)


@dataclass(frozen=True)
class ProposedColumn:
    """A column with what it may be. `confidence` in percent; `samples` are its first cells, nothing private in them."""

    column: Column
    confidence: int
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """What a table seems to be.

    plan       as it would be read now
    columns    in the order of the table
    notes      what stands above the headings: a title, instructions
    findings   headings that changed since the source was mapped
    mapping    the mapping that was remembered for exactly these headings, if there is one
    head       the first rows, each with its number in the file: among them are the headings
    sheets     those of a workbook, and `sheet` the one that is shown
    """

    plan: Plan
    columns: tuple[ProposedColumn, ...]
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    mapping: SheetMapping | None = None
    head: tuple[tuple[int, str], ...] = ()
    sheets: tuple[str, ...] = ()
    sheet: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether it names somebody and goods."""
        roles = {column.role for column in self.plan.columns}
        return Role.NAME in roles and bool(roles & {Role.ITEM, Role.GOODS, Role.GOODS_LIST})


# -- Proposing --------------------------------------------------------------------------------------------


def propose_mapping(
    table: Sequence[RawRow],
    *,
    source: str,
    gives: bool = False,
    dictionary: Dictionary | None = None,
    header: tuple[int, int] | None = None,
) -> Proposal:
    """What the columns of a table are, as far as its headings and cells tell.

    table    its first rows, thirty or so; rows of JSON or YAML, which name their fields, will do as well
    source   whose table it is: what was confirmed for it before goes first
    header   the first and the last row of the headings, counted from 0, where somebody said so
    """
    words = _Words(dictionary or Dictionary())
    rows = _rows(table)
    first, last, above = _said(header, rows) or _header_before(rows, source) or _header(rows, words)
    wishes = next((row for row in rows[first : last + 1] if is_about_columns(row)), [])
    labels = headings([row for row in rows[first : last + 1] if not is_about_columns(row)] or rows[:1])
    notes = tuple(text for row in rows[:first] if (text := " ".join(dict.fromkeys(filter(None, row)))))
    beneath = [[row[at] if at < len(row) else "" for row in rows[above:]] for at in range(len(labels))]
    guesses = [words.guess(label, cells) for label, cells in zip(labels, beneath, strict=True)]
    columns = _settled(labels, guesses, wishes, _means(notes))
    plan = Plan(source, tuple(columns), first, last, above, gives=gives)
    shown = tuple(
        ProposedColumn(column, confidence, tuple(masked(cell)[:80] for cell in cells if cell)[:SAMPLES])
        for column, (_role, confidence), cells in zip(columns, guesses, beneath, strict=True)
    )
    head = tuple((row.number, _in_short(row.raw)) for row in table if isinstance(row.raw, list) and row.raw)
    return _as_remembered(Proposal(plan, shown, notes, head=head), labels)


def _in_short(cells: Sequence[Any]) -> str:
    written = list(dict.fromkeys(masked(str(cell))[:20] for cell in cells if cell))
    return " · ".join(written[:6])


def _rows(table: Sequence[RawRow]) -> list[list[str]]:
    keyed = [row.raw for row in table if isinstance(row.raw, Mapping)]
    if not keyed:
        return [[str(cell) for cell in row.raw] for row in table if isinstance(row.raw, list) and row.raw]
    names = list(dict.fromkeys(name for raw in keyed for name in raw))
    return [names, *([str(raw.get(name) or "") for name in names] for raw in keyed)]


def _said(header: tuple[int, int] | None, rows: Sequence[Sequence[str]]) -> tuple[int, int, int] | None:
    if header is None or not 0 <= header[0] <= header[1] < len(rows):
        return None
    first, last = header
    return first, last, last + 1


def _header_before(rows: Sequence[Sequence[str]], source: str) -> tuple[int, int, int] | None:
    """Where somebody said that this source's headings stand, if exactly those stand there again."""
    for known in SheetMapping.objects.filter(source=source).newest_first():
        plan = Plan.from_json(known.plan)
        there = [row for row in rows[plan.header_first : plan.header_last + 1] if not is_about_columns(row)]
        if signature_of(headings(there)) == known.signature:
            return plan.header_first, plan.header_last, plan.header_rows
    return None


def _header(rows: Sequence[Sequence[str]], words: "_Words") -> tuple[int, int, int]:
    """The first and the last row of the headings, and how many rows stand above the list.

    A row is one of headings when at least two of its texts are known as such, or half of them; what gives standards
    for the columns belongs to the headings between which it stands.
    """
    known = [words.is_header(row) for row in rows[:_DEEPEST_HEADER]]
    if True not in known:
        return 0, 0, 1
    first = last = known.index(True)
    for at in range(first + 1, min(len(known), first + 6)):
        if known[at]:
            last = at
        elif not is_about_columns(rows[at]):
            break
    return first, last, last + 1


def _settled(
    labels: Sequence[str],
    guesses: Sequence[tuple[Role, int]],
    wishes: Sequence[str],
    means: Mapping[str, str],
) -> list[Column]:
    """Columns out of guesses: a specification belongs to goods before it, a unit or a quantity to named goods."""
    columns: list[Column] = []
    has_goods = any(role is Role.GOODS for role, _sure in guesses)
    for at, (label, (role, _sure)) in enumerate(zip(labels, guesses, strict=True)):
        before = columns[-1].role if columns else Role.IGNORED
        if role is Role.SPECIFICATION and not has_goods and before not in {Role.ITEM, Role.SPECIFICATION}:
            role = Role.REMARK
        if role in {Role.QUANTITY, Role.UNIT} and not has_goods:
            role = Role.IGNORED
        is_counted = role in {Role.ITEM, Role.QUANTITY}
        wish = wishes[at] if role is Role.ITEM and at < len(wishes) else ""
        columns.append(Column(label, role, wish, dict(means) if is_counted else {}))
    return columns


def _means(notes: Iterable[str]) -> dict[str, str]:
    """Figures that the instructions above a table declare to be none."""
    text = " ".join(notes)
    means: dict[str, str] = {}
    if _ONE_MEANS_WANTED.search(text):
        means["1"] = Means.UNLIMITED
    if _ZERO_MEANS_UNLIMITED.search(text):
        means |= {"0": Means.UNLIMITED, "-1": Means.NOT_WANTED}
    return means


class _Words:
    """What headings and cells are known to mean."""

    def __init__(self, dictionary: Dictionary) -> None:
        self.dictionary = dictionary

    def is_item(self, text: str) -> bool:
        """Whether a text is the name of goods, or names joined, with nothing else."""
        text = re.sub(r"\s*\(\d+\)$|[\s(（]*(?:需求)?(?:数量|qty)[)）]?$", "", text, flags=re.I)
        if not text or len(text) > _LONGEST_HEADING or text.isdigit():
            return False
        return any(map(self._is_whole, read_heading(text)))

    def _is_whole(self, name: str) -> bool:
        """Known as it stands, be it the name of one item or of several."""
        found = self.dictionary.find_items(name)
        return bool(found) and sum(one.confidence for one in found) > SURE - 0.05

    def role_of(self, label: str) -> Role | None:
        plain = re.sub(r"\s+", " ", label).strip()
        return next((role for role, pattern in _PATTERNS if pattern.fullmatch(plain)), None)

    def is_header(self, row: Sequence[str]) -> bool:
        texts = {cell for cell in row if cell}
        if len(texts) < 2 or any(re.fullmatch(r"[\d.,]+", text) for text in texts):
            return False
        known = sum(
            len(text) <= _LONGEST_HEADING and (self.role_of(text) is not None or self.is_item(text))
            for text in texts
        )
        return known >= 2 and known >= len(texts) * 0.3

    def guess(self, label: str, cells: Sequence[str]) -> tuple[Role, int]:
        """What a column may be, and how sure that is, in percent."""
        by_heading = self.role_of(label)
        written = [cell for cell in cells if cell]
        if by_heading is Role.GOODS and self._share(written, self._is_list) > 0.5:
            return Role.GOODS_LIST, LIKELY
        if by_heading is not None:
            return by_heading, CERTAIN
        if self.is_item(label):
            return Role.ITEM, CERTAIN
        if any(self.dictionary.find_items(name) for name in read_heading(label)[:3]) and self._counts(
            written
        ):
            return Role.ITEM, LIKELY
        return self._by_content(written)

    def _by_content(self, written: Sequence[str]) -> tuple[Role, int]:
        tests: tuple[tuple[Role, Callable[[str], object]], ...] = (
            (Role.LINK, re.compile(r".{0,30}https?://").match),
            (Role.NAME, re.compile(r".{2,40}(?:医院|卫生院|红十字会|保健院|Hospital)\W*$").match),
            (Role.CONTACT, re.compile(r".*1[3-9]\d[\d*\s-]{8}|.*0\d{2,3}-?\d{7}").search),
            (Role.PUBLISHED, re.compile(r"20\d\d[-./年]\d{1,2}[-./月]\d{1,2}").match),
            (Role.GOODS_LIST, self._is_list),
            (Role.GOODS, self.is_item),
        )
        for role, test in tests:
            if self._share(written, test) > 0.6:
                return role, PERHAPS
        return Role.IGNORED, 0

    def _is_list(self, cell: str) -> bool:
        parts = [part for part in re.split(r"[、,，;；\n]", cell) if part.strip()]
        return len(parts) > 1 and any(self.is_item(part.strip()) for part in parts[:5])

    @staticmethod
    def _counts(written: Sequence[str]) -> bool:
        return not written or _Words._share(written, re.compile(r"-?\d").match) > 0.5

    @staticmethod
    def _share(written: Sequence[str], test: Callable[[str], object]) -> float:
        return sum(bool(test(cell)) for cell in written) / len(written) if written else 0.0


# -- Remembering ------------------------------------------------------------------------------------------


def signature_of(labels: Iterable[str]) -> str:
    """The same for the same headings in any order: a column that moved is still the same column."""
    return hashlib.sha256("\n".join(sorted(labels)).encode()).hexdigest()


def _as_remembered(proposal: Proposal, labels: Sequence[str]) -> Proposal:
    """As it was confirmed for this source; of a source with other headings what is still the same."""
    known = SheetMapping.objects.filter(source=proposal.plan.source).newest_first()
    same = next((one for one in known if one.signature == signature_of(labels)), None)
    before = same or known.first()
    if before is None:
        return proposal
    remembered = Plan.from_json(before.plan)
    by_label = {column.label: column for column in remembered.columns}
    columns = tuple(by_label.get(column.label, column) for column in proposal.plan.columns)
    plan = replace(proposal.plan, columns=columns, region=remembered.region, gives=remembered.gives)
    shown = tuple(
        replace(one, column=column, confidence=100 if column.label in by_label else one.confidence)
        for one, column in zip(proposal.columns, columns, strict=True)
    )
    return replace(
        proposal, plan=plan, columns=shown, findings=changes_of_header(remembered, labels), mapping=same
    )


def sheets_before(source: str) -> list[str]:
    """The sheets that somebody chose from this source's workbooks, the newest choice first."""
    known = SheetMapping.objects.filter(source=source).newest_first()
    return [sheet for plan in known.values_list("plan", flat=True) if (sheet := plan.get("sheet", ""))]


@transaction.atomic
def remember(plan: Plan, *, by: User | None, at: datetime) -> SheetMapping:
    """Keep what somebody confirmed, for the next time this source sends this table.

    Raises Unreadable for a plan that names nobody or no goods.
    """
    refuse_long(plan.source, LONGEST_SOURCE)
    roles = {column.role for column in plan.columns}
    if Role.NAME not in roles:
        raise Unreadable("no-name-column")
    if not roles & {Role.ITEM, Role.GOODS, Role.GOODS_LIST}:
        raise Unreadable("no-goods-column")
    mapping, _made = SheetMapping.objects.update_or_create(
        source=plan.source,
        signature=signature_of(column.label for column in plan.columns),
        defaults={"plan": plan.as_json(), "by": by, "remembered_at": at},
    )
    record(mapping, "sheet_mapping.confirmed", by=by, at=at, columns=len(plan.columns))
    return mapping


def format_of(plan: Plan, emergency: tuple[str, str, str, str, date]) -> Format:
    """How tables of this plan are imported: `import_appeals(files, format_of(…))`."""
    return replace(by_plan(f"{SHEET}{plan.source}", plan, emergency), plan=plan.as_json())


def format_of_batch(batch: Import) -> Format:
    """The format of a batch: one that is known by its headings, or the sheet whose plan the batch keeps."""
    if batch.plan is None:
        return FORMATS[batch.format]
    return format_of(plan_from(batch.plan), emergency_of(batch.emergency))


def source_of(code: str) -> str:
    """Whose lists those of a format are."""
    return FORMATS[code].source if code in FORMATS else code.removeprefix(SHEET)


def emergency_of(emergency: Emergency) -> tuple[str, str, str, str, date]:
    """An emergency as formats name theirs."""
    region = emergency.regions.first()
    return (
        emergency.code,
        emergency.name_zh,
        emergency.name_en,
        region.code if region else "",
        emergency.began_on or date.min,
    )


def plan_from(stored: Any) -> Plan:
    """A plan out of a file of JSON. Raises Unreadable for what is none."""
    try:
        return Plan.from_json(stored)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Unreadable("no-plan") from None
