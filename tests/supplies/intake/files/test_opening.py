"""What a file really is, and its rows as they stood in it."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from supplies.intake.files.opening import RawRow, read_rows
from supplies.intake.reading.findings import Unreadable
from tests.supplies.intake.files.hostile import HEADER, ROWS, TABLE, repacked, with_sheet, workbook, write


def rows(folder: Path, name: str, content: bytes | str, encoding: str = "utf-8") -> list[RawRow]:
    with read_rows(write(folder, name, content, encoding)) as opened:
        return list(opened)


def cells(folder: Path, name: str, content: bytes | str) -> list[Any]:
    return [row.raw for row in rows(folder, name, content)]


def refusal(folder: Path, name: str, content: bytes | str) -> str:
    with pytest.raises(Unreadable) as refused:
        rows(folder, name, content)
    return refused.value.finding.code


# -- what it is -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "really"),
    [
        (TABLE, "csv"),
        (TABLE.replace(",", "\t"), "tsv"),
        (TABLE.replace(",", ";"), "semicolon"),
        (TABLE.replace(",", "|"), "bar"),
        (json.dumps([{"name": "演练医院"}]), "json"),
        ("- name: 演练医院\n  goods: N95\n- name: 演练二院\n", "yaml"),
        (workbook(HEADER, *ROWS), "xlsx"),
    ],
)
def test_what_can_be_read_is_known_by_its_content(tmp_path: Path, content: Any, really: str) -> None:
    with read_rows(write(tmp_path, "list", content)) as opened:
        count = len(list(opened))

    assert opened.really == really
    assert count > 0
    assert opened.is_whole
    assert len(opened.sha256) == 64


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.csv", b"", "is-empty"),
        ("a.csv", "\ufeff \n", "is-empty"),
        ("a.csv", b"%PDF-1.7\n%\xe2\xe3\n1 0 obj", "is-pdf"),
        ("a.xlsx", b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "is-picture"),
        ("a.xlsx", b"\xff\xd8\xff\xe0" + b"\0" * 40, "is-picture"),
        ("a.xls", "<html><body><table><tr><td>N95</td></tr></table></body></html>", "is-html"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le"), "is-xls"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "is-locked"),
        ("a.xlsx", TABLE, "is-csv"),
        ("a.csv", workbook(HEADER), "is-xlsx"),
        ("a.csv", '[{"name": "a"}]', "is-json"),
        ("a.json", TABLE, "is-csv"),
        ("a", "<?xml version='1.0'?><list/>", "is-xml"),
        ("a", b"MZ\x90\0\x03\0\0\0" + bytes(range(256)), "is-program"),
        ("a", bytes(range(256)) * 4, "is-binary"),
        ("a.xlsx", b"PK\x03\x04 cut off", "is-damaged-zip"),
    ],
)
def test_what_is_not_what_it_says_is_refused_with_what_it_is(
    tmp_path: Path, name: str, content: Any, code: str
) -> None:
    assert refusal(tmp_path, name, content) == code


def test_an_opendocument_sheet_and_a_zip_file_are_named(tmp_path: Path) -> None:
    ods = repacked(workbook(HEADER), mimetype=b"application/vnd.oasis.opendocument.spreadsheet")

    assert refusal(tmp_path, "a.xlsx", ods) == "is-ods"
    assert refusal(tmp_path, "a.csv", repacked(ods, mimetype=b"text/plain")) == "is-archive"
    with pytest.raises(Unreadable, match="cannot be opened"):
        read_rows(tmp_path / "absent.csv")


# -- text with separators ---------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_will_do(tmp_path: Path, end: str) -> None:
    assert cells(tmp_path, "a.csv", TABLE.replace("\n", end)) == [HEADER, ROWS[0], ROWS[1][:3]]


def test_a_row_has_the_number_of_its_line(tmp_path: Path) -> None:
    text = '说明\n\n"一行\n又一行",a\nb,c\n'

    assert [(row.number, row.raw) for row in rows(tmp_path, "a.csv", text)] == [
        (1, ["说明"]),
        (3, ["一行\n又一行", "a"]),
        (5, ["b", "c"]),
    ]


def test_a_quote_that_never_closes_costs_its_own_row_only(tmp_path: Path) -> None:
    found = rows(tmp_path, "a.csv", 'a,b\n"演练,500\n' + "c,d\n" * 300 + '"e ""f""",g\n')

    assert [finding.code for finding in found[1].findings] == ["unclosed-quote"]
    assert found[1].number == 2
    assert len(found) == 303
    assert found[-1].raw == ['e "f"', "g"]


def test_a_quote_in_the_middle_of_a_cell_is_a_letter(tmp_path: Path) -> None:
    assert cells(tmp_path, "a.csv", 'a,b\n5" pipe,c\nd,"e, f"\n') == [
        ["a", "b"],
        ['5" pipe', "c"],
        ["d", "e, f"],
    ]


def test_a_cell_of_ten_megabytes_and_sixteen_thousand_columns_cost_their_rows_only(tmp_path: Path) -> None:
    text = f"a,b\n{'长' * 3_400_000},1\n{','.join('1' for _ in range(16_384))}\n{'x' * 40_000},1\nc,d\n"

    found = rows(tmp_path, "a.csv", text)

    assert [[finding.code for finding in row.findings] for row in found] == [
        [],
        ["row-too-long"],
        ["too-many-columns"],
        ["too-long"],
        [],
    ]


# -- JSON and YAML ----------------------------------------------------------------------------------------


def test_a_list_that_was_cut_off_gives_no_row_at_all(tmp_path: Path) -> None:
    assert refusal(tmp_path, "a.json", '[{"name": "a"}, {"name": "b"}, {"na') == "bad-json"
    assert refusal(tmp_path, "a.json", "[" * 100_000) == "not-a-list"


def test_yaml_is_read_as_it_was_written(tmp_path: Path) -> None:
    text = "hospitals:\n- name: 演练医院\n\ttel: 0271234567\n\tneeds: no\n\tdate: 2020-01-25\n- name: ~\n"

    assert cells(tmp_path, "a.yaml", text) == [
        {"name": "演练医院", "tel": "0271234567", "needs": "no", "date": "2020-01-25"},
        {"name": None},
    ]


def test_several_documents_are_several_rows_and_a_key_twice_is_pointed_out(tmp_path: Path) -> None:
    found = rows(tmp_path, "a.yml", "---\nname: 甲医院\nN95: 5\nN95: 50\n---\nname: 乙医院\nN95: 7\n")

    assert [row.number for row in found] == [2, 6]
    assert [finding.code for finding in found[0].findings] == ["duplicate-key"]
    assert found[1].raw == {"name": "乙医院", "N95": "7"}


# -- workbooks --------------------------------------------------------------------------------------------


def test_days_numbers_and_texts_of_a_workbook_are_as_they_are_shown(tmp_path: Path) -> None:
    book = workbook(["a"], [date(2020, 2, 1), 5000, 1.5, "0271234567", 13800000001.0, True])

    assert cells(tmp_path, "a.xlsx", book)[1] == [
        "2020-02-01",
        "5000",
        "1.5",
        "0271234567",
        "13800000001",
        "TRUE",
    ]


def test_a_merged_hospital_stands_in_each_of_its_rows_and_a_number_is_never_repeated(tmp_path: Path) -> None:
    def merge(book: Any) -> None:
        for span in ("A1:B1", "A2:A3", "C2:C3"):
            book.active.merge_cells(span)

    book = workbook(
        ["防护", None, "数量"], ["演练医院", "N95口罩", 500], [None, "防护服", None], change=merge
    )

    assert cells(tmp_path, "a.xlsx", book) == [
        ["防护", "防护", "数量"],
        ["演练医院", "N95口罩", "500"],
        ["演练医院", "防护服"],
    ]


def test_hidden_rows_and_sheets_are_said(tmp_path: Path) -> None:
    def hide(book: Any) -> None:
        book.active.row_dimensions[2].hidden = True
        book.create_sheet("旧表").append(["x", "y"])
        book["旧表"].sheet_state = "hidden"
        book.create_sheet("第二页").append(["c", "d"])

    with read_rows(write(tmp_path, "a.xlsx", workbook(["a"], ["b"], change=hide))) as opened:
        found = list(opened)

    assert [(row.sheet, row.raw) for row in found][2] == ("第二页", ["c", "d"])
    assert [finding.code for finding in found[1].findings] == ["hidden-row"]
    assert [finding.words for finding in opened.findings] == [{"sheet": "旧表"}]


def test_a_formula_that_was_never_computed_and_an_error_are_said_with_their_cell(tmp_path: Path) -> None:
    book = with_sheet(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1"><f>1+1</f></c>'
        '<c r="C1"><f>1+2</f><v>3</v></c><c r="AA1" t="e"><v>#REF!</v></c></row>'
    )

    [row] = rows(tmp_path, "a.xlsx", book)

    assert row.raw == ["a", "", "3"]
    assert [(finding.code, finding.words["cell"]) for finding in row.findings] == [
        ("formula", "B1"),
        ("cell-error", "AA1"),
    ]
