"""Files for spreadsheets: nothing in them is run by whoever opens them."""

import csv
import re
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.utils.html import format_html

from supplies import sheets

ROOT = Path(__file__).resolve().parents[2]
WRITES_CSV = re.compile(r"csv\.writer|DictWriter|import writer")
FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "\x00=1",
    "\ttext",
    "  =1",
    "　=1",
    "\ufeff=1",
    "\u200b@x",
    "\u202e=1",
    "＝1",
    "＋1",
    "－1",
    "＠x",
    '=HYPERLINK("https://evil.example","口罩")',
    "=cmd|' /C calc'!A0",
]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_begins_as_a_formula_does(text: str) -> None:
    assert sheets.safe(text) == f"'{text}"


@pytest.mark.parametrize("value", ["口罩", "a=1", "", "N95-1860", "'=1", -5, 7, Decimal("-0.5")])
def test_what_is_no_formula_stays_as_it_is(value: object) -> None:
    assert sheets.safe(value) == value


def test_every_cell_that_is_written_is_safe_and_can_be_read_back() -> None:
    rows = [[text, 5, f"a,{text}"] for text in FORMULAS]

    written = sheets.text_of(rows)

    read = list(csv.reader(StringIO(written, newline="")))
    assert read == [[f"'{text}", "5", f"a,{text}"] for text in FORMULAS]


def test_a_page_s_markup_is_no_part_of_a_cell() -> None:
    assert sheets.plain(format_html('<a href="/x">{}</a>', "=1 & <b>")) == "=1 & <b>"
    assert sheets.plain("<b>as it was written</b>") == "<b>as it was written</b>"


def test_csv_with_words_in_it_is_written_in_one_place_only() -> None:
    writing = {
        str(path.relative_to(ROOT))
        for part in ("config", "supplies", "matching", "launcher")
        for path in (ROOT / part).rglob("*.py")
        if WRITES_CSV.search(path.read_text())
    }

    # What a run matched is written as numbers and codes that nobody outside has typed, and read back to the last byte.
    assert writing == {"supplies/sheets.py", "matching/exchange.py"}
