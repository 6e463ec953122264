"""The labelled announcements themselves: whole, invented, and speaking the catalogue's codes."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.conf import settings

from bench.announcements import FOLDER, HELD_OUT, TUNING, Goods, Labelled, digits, labelled, set_of
from supplies.needs.models import QuantityKind, SenderKind

ROWS = labelled()
REFERENCE = settings.BASE_DIR / "supplies/catalogue/reference"
REGIONS = settings.BASE_DIR / "supplies/regions/reference"
EXPECTED = {
    "organisation", "place", "goods", "not_wanted", "people", "handover", "courier", "address", "needed_by",
    "other_numbers", "published_on", "updated_on", "accepts_overseas", "senders", "accounts", "unread",
}  # fmt: skip
LATER = {
    "second": 60,
    "last": 50,
    "fresh": 40,
    "mended": 10,
}  # written after the others had been seen; at least so many
MOBILE = re.compile(r"(?<!\d)1[3-9]\d[\s-]?[\d*]{4}[\s-]?[\d*]{4}(?![\d*])")
LANDLINE = re.compile(r"(?<!\d)\(?0\d{2,3}[)\s—–-]*([2-9][\d* -]{5,8}\d)")
INVENTED_MOBILE = re.compile(r"138(?:00000|\*{4})\d+")
STANDARD = re.compile(
    r"(?:GB|YY|EN|NIOSH|ASTM)\s?(?:/T)?\s?[A-Z]?\d+(?:\.\d)?(?:\s?-\s?\d{4})?", re.IGNORECASE
)
ACCOUNT = re.compile(r"(?<![\d*])\d(?:[ -]?\d){11,}(?!\d)")
LINK = re.compile(r"https?://([^/\s]+)\S*")


def codes(name: str, folder: Path = REFERENCE) -> set[str]:
    with (folder / name).open(encoding="utf-8") as file:
        return {row["code"] for row in csv.DictReader(file)}


def goods() -> Iterator[tuple[Labelled, Goods]]:
    return ((row, one) for row in ROWS for one in row.goods)


def plain(text: str) -> str:
    """Full-width figures made plain."""
    return text.translate({0xFF10 + n: str(n) for n in range(10)})


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def test_there_are_enough_and_no_id_twice():
    assert len(ROWS) >= 150
    assert [id for id, times in Counter(row.id for row in ROWS).items() if times > 1] == []
    assert [row.id for row in ROWS if Counter(r.text for r in ROWS)[row.text] > 1] == []


def test_every_way_of_writing_needs_is_shown_at_least_five_times_in_both_parts():
    for part in (TUNING, HELD_OUT):
        shown = Counter(pattern for row in ROWS if row.set == part for pattern in row.patterns)
        assert {pattern: shown[pattern] for pattern in range(1, 21) if shown[pattern] < 2} == {}
    shown = Counter(pattern for row in ROWS for pattern in row.patterns)
    assert {pattern: shown[pattern] for pattern in range(1, 21) if shown[pattern] < 5} == {}
    assert set(shown) == set(range(1, 21))


def test_the_held_out_part_is_chosen_by_rule_and_every_theme_has_both():
    ruled = [row for row in ROWS if row.set not in LATER]
    assert [row.id for row in ruled if row.set != set_of(row.id)] == []
    for theme in {row.theme for row in ruled}:
        sets = Counter(row.set for row in ruled if row.theme == theme)
        assert 0.25 <= sets[HELD_OUT] / sets.total() <= 0.5, (theme, sets)


@pytest.mark.parametrize(("later", "least"), LATER.items())
def test_a_later_set_stands_in_files_of_its_own_and_borrows_no_text(later: str, least: int):
    rows = [row for row in ROWS if row.set == later]
    assert len(rows) >= least
    assert [row.id for row in ROWS if row.theme.startswith(f"{later}-") != (row.set == later)] == []
    seen = {line for row in ROWS if row.set != later for line in lines_of(row.text)}
    assert [(row.id, line) for row in rows for line in lines_of(row.text) if line in seen] == []


def test_labels_have_the_fields_that_the_readme_names():
    for row in ROWS:
        assert set(row.expect) <= EXPECTED, row.id
        assert isinstance(row.as_of, date), row.id
        for day in ("needed_by", "published_on", "updated_on"):
            assert isinstance(row.expect.get(day), date | None), row.id
        assert row.expect.get("accepts_overseas") in (None, True, False), row.id
        assert set(row.expect.get("senders", ())) <= set(SenderKind.values), row.id
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in EXPECTED if f"`{name}`" not in readme] == []


def test_what_is_labelled_stands_in_the_text():
    for row in ROWS:
        said = [
            *(one.words for one in row.goods),
            *(condition for one in row.goods for condition in one.conditions),
            *row.expect.get("not_wanted", ()),
            *row.expect.get("unread", ()),
            *filter(None, (row.expect.get(name) for name in ("handover", "courier", "address"))),
        ]
        assert [words for words in said if words not in row.text] == [], row.id
        written = re.sub(r"[^\d*]", "", plain(row.text).replace("X", "*"))
        numbers = [
            digits(p["number"])[-7:] for p in row.expect.get("people", ())
        ]  # the area may stand once for two
        assert [number for number in numbers if number not in written] == []


def test_codes_are_those_of_the_project():
    items, standards = codes("items.csv"), codes("standards.csv")
    for row, one in goods():
        assert {one.item, *one.may} <= items | {None}, (row.id, one)
        assert one.standards | one.standards_may <= standards, (row.id, one)
        assert one.warned <= {"impossible", "withdrawn", "wrong-item", "unknown"}, (row.id, one)
    places = codes("china.csv", REGIONS) | codes("countries.csv", REGIONS)
    assert {row.expect.get("place") for row in ROWS} <= places | {None}


def test_a_number_is_labelled_as_one_and_nothing_else_is():
    for row, one in goods():
        assert one.kind in QuantityKind.values, (row.id, one)
        assert (one.kind == QuantityKind.NUMBER) == (one.base is not None), (row.id, one)
        assert one.high is None or (one.base is not None and one.high > one.base), (row.id, one)
        assert one.item or one.base is one.per_day is None, (row.id, one)
        assert not one.may or one.item in one.may, (row.id, one)


def test_every_number_is_invented():
    for row in ROWS:
        text = STANDARD.sub(" ", LINK.sub(" ", plain(row.text)))
        for mobile in MOBILE.findall(text):
            assert INVENTED_MOBILE.fullmatch(re.sub(r"[\s-]", "", mobile)), (row.id, mobile)
        for local in LANDLINE.findall(text):
            assert local.startswith("555"), (row.id, local)
        for person in row.expect.get("people", ()):
            number = digits(person["number"])
            assert INVENTED_MOBILE.fullmatch(number) or "555" in number, (row.id, number)
        for account in ACCOUNT.findall(text):
            assert re.sub(r"\D", "", account).startswith(("62220000", "138", "86138", "0")), (row.id, account)


def test_every_link_leads_nowhere():
    hosts = {(row.id, host) for row in ROWS for host in LINK.findall(row.text)}

    assert {found for found in hosts if found[1] != "example.org"} == set()


@pytest.mark.realdata
def test_no_real_hospital_is_named(real_data: Path):
    names = set()
    for file in real_data.glob("wuhan2020/**/*.json"):
        rows = json.loads(file.read_text(encoding="utf-8"))
        names |= {row["name"].strip() for row in rows if isinstance(row, dict) and row.get("name")}
    for file in real_data.glob("wuhan-support/**/*.csv"):
        with file.open(encoding="utf-8-sig") as opened:
            names |= {
                cell.strip()
                for line in csv.reader(opened)
                for cell in line
                if re.search("医院|卫生院|中心$", cell)
            }
    names = {name for name in names if 5 <= len(name) <= 30}

    assert len(names) > 300
    assert {(row.id, name) for row in ROWS for name in names if name in row.text} == set()
