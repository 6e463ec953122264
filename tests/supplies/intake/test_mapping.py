"""What the columns of a table are: proposed, confirmed, remembered, and read so."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from supplies.catalogue.models import Item
from supplies.intake.files.opening import RawRow, read_rows
from supplies.intake.formats.sheet import Column, Means, Plan, Role, read_by, rows_by
from supplies.intake.forms import MappingForm
from supplies.intake.mapping import Proposal, format_of, propose_mapping, remember
from supplies.intake.models import SheetMapping
from supplies.intake.reading.findings import Finding, Unreadable
from supplies.intake.reading.quantities import Kind
from supplies.intake.services import import_appeals
from supplies.needs.models import Need
from supplies.organisations.models import Facility
from tests.makers import NOW
from tests.supplies.intake.files.hostile import workbook, write

OUTBREAK = ("drill", "演练", "Drill", "420000", date(2020, 1, 1))
NAMES = "演练第一医院", "演练第二医院"


def raw_rows(*rows: Sequence[str]) -> list[RawRow]:
    return [RawRow(number, list(row)) for number, row in enumerate(rows, start=1)]


def proposed(*rows: Sequence[str], source: str = "某群") -> Proposal:
    return propose_mapping(raw_rows(*rows), source=source)


def roles(proposal: Proposal) -> dict[str, str]:
    return {column.label: str(column.role) for column in proposal.plan.columns}


COLLECTED = [
    ["所需物资有数量要求直接填写数量，有需求但没有数量要求直接输入1。", "", "", "", "", ""],
    ["", "", "防护", "", "联系", ""],
    ["", "", "医用外科口罩", "乳胶手套", "联系方式", "备注"],
    ["标准/推荐品牌", "", "YY 0469-2011", "", "", ""],
    ["区县", "医院名称", "", "", "", ""],
    ["武昌区", NAMES[0], "1", "200", "02700000001", "请走东门"],
    ["江岸区", NAMES[1], "500", "", "", ""],
]


def test_several_header_rows_a_title_and_the_standards_are_told_apart(catalogue: dict[str, Item]) -> None:
    proposal = proposed(*COLLECTED)

    assert roles(proposal) == {
        "区县": "district",
        "医院名称": "name",
        "医用外科口罩": "item",
        "乳胶手套": "item",
        "联系方式": "contact",
        "备注": "remark",
    }
    assert proposal.plan.header_rows == 5
    assert proposal.plan.columns[2].specification == "YY 0469-2011"
    assert proposal.plan.columns[2].means == {"1": Means.UNLIMITED}
    assert "输入1" in proposal.notes[0]
    assert proposal.columns[1].samples == NAMES


def test_pairs_of_columns_and_rows_of_goods_are_told_apart(catalogue: dict[str, Item]) -> None:
    pairs = proposed(
        ["医院", "医用外科口罩", "规格", "乳胶手套", "规格"], [NAMES[0], "500", "YY0469", "20", "L"]
    )
    items = proposed(["单位名称", "物资名称", "数量", "计量单位"], [NAMES[0], "乳胶手套", "20", "双"])

    assert list(roles(pairs).values()) == ["name", "item", "specification", "item", "specification"]
    assert list(roles(items).values()) == ["name", "goods", "quantity", "unit"]


def test_headings_that_say_nothing_are_judged_by_what_stands_beneath(catalogue: dict[str, Item]) -> None:
    proposal = proposed(
        ["医院", "甲", "乙", "丙"],
        [NAMES[0], "https://example.org/1", "138****0001", "乳胶手套、医用外科口罩"],
        [NAMES[1], "https://example.org/2", "139****0001", "医用外科口罩、乳胶手套"],
    )

    assert list(roles(proposal).values())[1:] == ["link", "contact", "goods_list"]
    assert [column.confidence < 95 for column in proposal.columns] == [False, True, True, True]


def test_where_a_hospital_lies_is_an_address(catalogue: dict[str, Item]) -> None:
    proposal = proposed(["医院名称", "所在地", "所需物资"], [NAMES[0], "湖北省武汉市江岸区", "医用外科口罩"])

    assert list(roles(proposal).values())[1] == "address"


def test_nothing_private_is_shown_beneath_a_column(catalogue: dict[str, Item]) -> None:
    proposal = proposed(["医院名称", "医用外科口罩", "电话"], [NAMES[0], "5", "13800000001"])

    assert "13800000001" not in str(proposal.columns)


# -- reading by a plan ------------------------------------------------------------------------------------


def read(plan: Plan, *rows: Sequence[str]) -> tuple[list[Any], list[Finding]]:
    findings: list[Finding] = []
    return [read_by(plan, raw) for _number, raw in rows_by(plan, raw_rows(*rows), findings)], findings


def test_a_mark_is_never_a_quantity_and_an_empty_cell_never_a_need(catalogue: dict[str, Item]) -> None:
    listed, _findings = read(proposed(*COLLECTED).plan, *COLLECTED)

    first, second = (one.goods for one in listed)
    assert [(line.heading, line.quantity.kind, line.quantity.low) for line in first] == [
        ("医用外科口罩", Kind.UNLIMITED, None),
        ("乳胶手套", Kind.NUMBER, 200),
    ]
    assert first[0].specification == "YY 0469-2011"
    assert [(line.quantity.kind, line.quantity.low) for line in second] == [(Kind.NUMBER, 500)]


@pytest.mark.parametrize(
    ("cell", "kind"), [("0", Kind.UNLIMITED), ("-1", None), ("1", Kind.UNKNOWN), ("7", Kind.NUMBER)]
)
def test_each_column_says_what_its_figures_mean(cell: str, kind: Kind | None) -> None:
    means = {"0": Means.UNLIMITED, "-1": Means.NOT_WANTED, "1": Means.UNKNOWN}
    plan = Plan("某群", (Column("医院", Role.NAME), Column("口罩", Role.ITEM, "", means)))

    [listed], _findings = read(plan, ["医院", "口罩"], [NAMES[0], cell])

    assert [line.quantity.kind for line in listed.goods] == ([kind] if kind else [])


def test_rows_of_one_hospital_that_follow_one_another_are_one(catalogue: dict[str, Item]) -> None:
    table = [
        ["单位名称", "物资名称", "数量"],
        [NAMES[0], "乳胶手套", "20"],
        [NAMES[0], "医用外科口罩", "若干"],
        [NAMES[1], "医用外科口罩", "30"],
    ]

    listed, _findings = read(proposed(*table).plan, *table)

    assert [[line.heading for line in one.goods] for one in listed] == [
        ["乳胶手套", "医用外科口罩"],
        ["医用外科口罩"],
    ]
    assert listed[0].goods[1].quantity.kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (["合计", "500", ""], "total-row"),
        (["", "500", ""], "missing"),
        ([NAMES[0], "500", "已送达"], "settled"),
    ],
)
def test_a_row_that_is_no_need_says_why(row: list[str], code: str) -> None:
    columns = Column("医院", Role.NAME), Column("口罩", Role.ITEM), Column("状态", Role.STATE)

    with pytest.raises(Unreadable) as refused:
        read(Plan("某群", columns), ["医院", "口罩", "状态"], row)

    assert refused.value.finding.code == code


def test_a_private_person_who_gives_is_not_made_an_organisation() -> None:
    plan = Plan("某群", (Column("来源", Role.NAME), Column("口罩", Role.ITEM)), gives=True)

    with pytest.raises(Unreadable, match="private person"):
        read(plan, ["来源", "口罩"], ["演某", "500"])


def test_a_column_that_moved_is_found_and_a_header_twice_is_skipped() -> None:
    plan = Plan("某群", (Column("医院", Role.NAME), Column("口罩", Role.ITEM)))

    listed, findings = read(
        plan, ["口罩", "医院", "新列"], ["5", NAMES[0]], ["口罩", "医院", "新列"], ["6", NAMES[1]]
    )

    assert [(one.name.text, one.goods[0].figure) for one in listed] == [(NAMES[0], "5"), (NAMES[1], "6")]
    assert [finding.code for finding in findings] == ["new-columns"]


def test_only_the_sheet_with_the_headings_of_the_plan_is_read(tmp_path: Path) -> None:
    def more(book: Any) -> None:
        book.create_sheet("需求").append(["医院", "口罩"])
        book["需求"].append([NAMES[0], 5])

    plan = Plan("某群", (Column("医院", Role.NAME), Column("口罩", Role.ITEM)))
    book = workbook(["说明"], ["请看第二页"], change=more)

    with read_rows(write(tmp_path, "a.xlsx", book)) as opened:
        rows = list(rows_by(plan, opened, opened.findings))

    assert rows == [(2, {"医院": NAMES[0], "口罩": "5"})]
    assert [finding.code for finding in opened.findings] == ["sheet-skipped"]


# -- remembering ------------------------------------------------------------------------------------------


def test_a_mapping_is_remembered_for_its_source_and_its_headings(catalogue: dict[str, Item]) -> None:
    table = [["医院名称", "口罩甲", "医用外科口罩"], [NAMES[0], "5", "6"]]
    plan = proposed(*table).plan
    corrected = Plan("某群", (plan.columns[0], Column("口罩甲", Role.ITEM), plan.columns[2]), region="420000")
    remember(corrected, by=None, at=NOW)

    again = proposed(*table)
    changed = proposed(["医院名称", "口罩甲", "乳胶手套"], [NAMES[0], "5", "6"])

    assert again.mapping == SheetMapping.objects.get()
    assert again.plan == corrected
    assert again.findings == ()
    assert changed.mapping is None
    assert changed.plan.columns[1].role is Role.ITEM
    assert [finding.code for finding in changed.findings] == ["new-columns", "missing-columns"]
    assert proposed(*table, source="别的群").mapping is None


def test_a_plan_comes_back_out_of_storage_as_it_was(catalogue: dict[str, Item]) -> None:
    plan = proposed(*COLLECTED).plan

    assert Plan.from_json(remember(plan, by=None, at=NOW).plan) == plan


@pytest.mark.parametrize("columns", [(Column("口罩", Role.ITEM),), (Column("医院", Role.NAME),)])
def test_a_plan_without_a_name_or_goods_is_not_kept(db: None, columns: tuple[Column, ...]) -> None:
    with pytest.raises(Unreadable):
        remember(Plan("某群", columns), by=None, at=NOW)


def test_a_mapped_sheet_becomes_needs_and_a_second_time_changes_nothing(
    catalogue: dict[str, Item], tmp_path: Path
) -> None:
    plan = proposed(*COLLECTED).plan
    file = write(tmp_path, "表.xlsx", workbook(*COLLECTED))
    kind = format_of(plan, OUTBREAK)

    first = import_appeals([file], kind, by=None, at=NOW)
    second = import_appeals([file], kind, by=None, at=NOW)

    assert (first.created, first.failed, first.needs_by_kind) == (2, 0, {"unlimited": 1, "number": 2})
    assert (second.created, second.unchanged) == (0, 2)
    assert sorted(Facility.objects.values_list("name", flat=True)) == sorted(NAMES)
    assert sorted(Need.objects.exclude(quantity=None).values_list("quantity", flat=True)) == [400, 500]


# -- the form ---------------------------------------------------------------------------------------------


def answers(form: MappingForm, **changes: str) -> dict[str, Any]:
    return {**{name: form[name].initial or "" for name in form.fields}, **changes}


def test_a_form_confirmed_as_proposed_is_the_proposal(catalogue: dict[str, Item]) -> None:
    proposal = proposed(*COLLECTED)

    form = MappingForm(proposal, answers(MappingForm(proposal)))

    assert form.is_valid(), form.errors
    assert form.plan == proposal.plan


def test_a_form_takes_corrections_and_refuses_a_table_without_names(catalogue: dict[str, Item]) -> None:
    proposal = proposed(*COLLECTED)
    blank = MappingForm(proposal)

    corrected = MappingForm(proposal, answers(blank, **{"role-5": "address", "one-2": "unknown"}))
    nameless = MappingForm(proposal, answers(blank, **{"role-1": "ignored"}))
    odd = MappingForm(proposal, answers(blank, **{"role-1": "owner"}))

    assert corrected.is_valid()
    assert corrected.plan.columns[5].role is Role.ADDRESS
    assert corrected.plan.columns[2].means == {"1": "unknown"}
    assert not nameless.is_valid()
    assert not odd.is_valid()


# -- where the table is, and what is written once for several rows -----------------------------------------

WRITTEN_ONCE = [
    ["区县", "医院名称", "医用外科口罩", "备注"],
    ["武昌区", NAMES[0], "500", ""],
    ["", "", "20", "第二批"],
    ["江岸区", NAMES[1], "", "不用"],
]


def confirmed(proposal: Proposal, **changes: str) -> Plan:
    """As a volunteer confirms it, with what she changed on the form."""
    shown = MappingForm(proposal)
    given = {
        name: field.initial for name, field in shown.fields.items() if field.initial not in (None, False)
    }
    form = MappingForm(
        proposal, {**given, **{name.replace("_", "-"): value for name, value in changes.items()}}
    )
    assert form.is_valid(), form.errors
    return form.plan


def test_an_empty_cell_takes_the_one_above_only_where_the_mapping_says_so(catalogue: dict[str, Item]) -> None:
    proposal = proposed(*WRITTEN_ONCE)
    plan = confirmed(proposal, fills_0="on", fills_1="on")

    listed, _findings = read(plan, *WRITTEN_ONCE)

    assert [one.name.text for one in listed] == [NAMES[0], NAMES[0], NAMES[1]]
    assert [one.place[2] for one in listed] == ["武昌区", "武昌区", "江岸区"]
    assert ["as-above" in {note.code for note in one.findings} for one in listed] == [False, True, False]
    assert listed[2].goods == ()
    with pytest.raises(Unreadable, match="医院名称"):
        read(confirmed(proposal), *WRITTEN_ONCE)


def test_goods_and_figures_are_never_taken_from_above(catalogue: dict[str, Item]) -> None:
    fields = MappingForm(proposed(*WRITTEN_ONCE)).fields

    assert {name for name in fields if name.startswith("fills-")} == {"fills-0", "fills-1"}


def test_what_is_filled_is_remembered_for_the_source(catalogue: dict[str, Item]) -> None:
    remember(confirmed(proposed(*WRITTEN_ONCE), fills_1="on"), by=None, at=NOW)

    again = proposed(*WRITTEN_ONCE)

    assert [column.label for column in again.plan.columns if column.fills] == ["医院名称"]


ODD = [
    ["武汉市汇总", "", ""],
    ["填表说明：请填写", "单位", "数量"],
    ["甲", "乙", "丙"],
    [NAMES[0], "500", ""],
]


def test_somebody_may_say_where_the_headings_stand_and_that_is_remembered(catalogue: dict[str, Item]) -> None:
    said = propose_mapping(raw_rows(*ODD), source="某群", header=(2, 2))
    assert [column.label for column in said.plan.columns] == ["甲", "乙", "丙"]
    columns = (Column("甲", Role.NAME), Column("乙", Role.ITEM), Column("丙", Role.IGNORED))
    remember(Plan("某群", columns, 2, 2, 3), by=None, at=NOW)

    again = proposed(*ODD)

    assert again.mapping is not None
    assert (again.plan.header_first, again.plan.header_last, again.plan.header_rows) == (2, 2, 3)
    assert roles(again) == {"甲": "name", "乙": "item", "丙": "ignored"}


@pytest.mark.parametrize("header", [(3, 2), (0, 99), (-1, 0)])
def test_headings_where_no_row_is_are_looked_for_anew(
    catalogue: dict[str, Item], header: tuple[int, int]
) -> None:
    table = raw_rows(*WRITTEN_ONCE)

    assert propose_mapping(table, source="某群", header=header) == propose_mapping(table, source="某群")
