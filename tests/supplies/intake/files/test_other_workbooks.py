"""Workbooks of other kinds (.xls, .ods), read as those of the usual kind are; and which sheet of any is read."""

from pathlib import Path
from typing import Any

import pytest

from supplies.intake.files.opening import RawRow, read_rows
from supplies.intake.reading.findings import Unreadable
from tests.supplies.intake.files.hostile import HEADER, ROWS, workbook, write
from tests.supplies.intake.files.spreadsheets import ods, ods_of, xls

LIST = [HEADER, *ROWS]
TWO: dict[str, list[list[Any]]] = {"说明": [["请填写第二页"]], "需求": LIST}


def two_sheets(book: Any) -> None:
    book.active.title = "说明"
    for row in [*LIST]:
        book["需求"].append(row) if "需求" in book.sheetnames else book.create_sheet("需求").append(row)


KINDS = {
    "a.xls": xls(TWO),
    "a.ods": ods(TWO),
    "a.xlsx": workbook(["请填写第二页"], change=two_sheets),
}


def rows(folder: Path, name: str, content: bytes, sheet: str = "") -> list[RawRow]:
    with read_rows(write(folder, name, content), sheet=sheet) as opened:
        return list(opened)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_workbook_gives_the_same_rows(tmp_path: Path, name: str) -> None:
    with read_rows(write(tmp_path, name, KINDS[name])) as opened:
        found = list(opened)

    assert [row.raw for row in found if row.sheet == "需求"] == [
        [cell for cell in row if cell] for row in LIST
    ]
    assert (opened.really, opened.sheets) == (name[2:], ("说明", "需求"))
    assert 0 < opened.peak < 100_000_000


@pytest.mark.parametrize("name", KINDS)
def test_of_several_sheets_one_may_be_read_alone(tmp_path: Path, name: str) -> None:
    alone = rows(tmp_path, name, KINDS[name], sheet="需求")

    assert {row.sheet for row in alone} == {"需求"}
    assert len(alone) == len(LIST)


@pytest.mark.parametrize("name", KINDS)
def test_a_sheet_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(Unreadable) as refused:
        rows(tmp_path, name, KINDS[name], sheet="三月")

    assert refused.value.finding.code == "no-such-sheet"
    assert "说明、需求" in str(refused.value)


@pytest.mark.parametrize("kind", [xls, ods])
def test_numbers_are_shown_as_they_were_typed(tmp_path: Path, kind: Any) -> None:
    [row] = rows(tmp_path, f"a.{kind.__name__}", kind({"a": [["口罩", 500, 2.5, 13800000000]]}))

    assert row.raw == ["口罩", "500", "2.5", "13800000000"]


def test_rows_keep_the_numbers_they_have_in_their_sheet(tmp_path: Path) -> None:
    table = [[], ["", "医院"], [], ["", "演练医院"]]

    for name, content in (("a.xls", xls({"a": table})), ("a.ods", ods({"a": table}))):
        assert [row.number for row in rows(tmp_path, name, content)] == [2, 4]


def test_a_merged_hospital_is_written_into_each_of_its_rows_and_a_merged_number_once(tmp_path: Path) -> None:
    table = [["医院", "口罩"], ["演练医院", 500], ["", ""], ["另一医院", 3]]
    content = xls({"a": [*table[:2], ["", "", "备注"], table[3]]}, merged=[(1, 2, 0, 0), (1, 2, 1, 1)])

    assert [row.raw for row in rows(tmp_path, "a.xls", content)] == [
        ["医院", "口罩"],
        ["演练医院", "500"],
        ["演练医院", "", "备注"],
        ["另一医院", "3"],
    ]


def test_a_hidden_sheet_is_not_read_and_that_is_said(tmp_path: Path) -> None:
    with read_rows(write(tmp_path, "a.xls", xls(TWO, hidden=["说明"]))) as opened:
        found = list(opened)

    assert {row.sheet for row in found} == {"需求"}
    assert [one.code for one in opened.findings] == ["hidden-sheet"]
    assert opened.sheets == ("需求",)


CELL = '<table:table-cell office:value-type="string"{0}><text:p>口罩</text:p></table:table-cell>'


def table_of(cells: str, repeated: int = 1) -> str:
    row = f'<table:table-row table:number-rows-repeated="{repeated}">{cells}</table:table-row>'
    return f'<table:table table:name="a">{row}</table:table>'


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        (
            "repeated.ods",
            ods_of(table_of(CELL.format(' table:number-columns-repeated="16000"'), 1_000_000)),
            "damaged-workbook",  # its reader wants no more than a hundred million cells
        ),
        (
            "memory.ods",
            ods_of(table_of(CELL.format(' table:number-columns-repeated="90"'), 1_000_000)),
            "too-hard",
        ),
        ("blanks.ods", ods_of(" " * 50_000_000), "bomb"),
        ("cut.ods", ods(TWO)[:-200], "is-damaged-zip"),
        ("cut.xls", xls(TWO)[:1500], "damaged-workbook"),
        ("a.csv", xls(TWO), "is-xls"),
        ("a.xlsx", ods(TWO), "is-ods"),
        ("a.xls", workbook(*LIST), "is-xlsx"),
    ],
)
def test_what_is_unsound_is_refused_with_what_it_is(
    tmp_path: Path, name: str, content: bytes, code: str
) -> None:
    with pytest.raises(Unreadable) as refused:
        list(read_rows(write(tmp_path, name, content)))

    assert refused.value.finding.code == code


def test_entities_of_an_ods_are_followed_nowhere(tmp_path: Path) -> None:
    head = '<!DOCTYPE a [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
    content = ods_of(table_of(CELL.format("").replace("口罩", "&secret;")), head)

    try:
        shown = str(rows(tmp_path, "a.ods", content))
    except Unreadable as refused:
        shown = str(refused)

    assert "root" not in shown
