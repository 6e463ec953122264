"""No figure of an announcement is lost without a word: it stands in what was read, or in what is kept unread with its place."""

import re
from collections.abc import Iterator
from datetime import date

import pytest
from django.utils import translation

from bench.announcements import Labelled, labelled
from bench.intake import reader_of_announcements
from supplies.intake.announcements import Announcement
from supplies.intake.reading.plain import plain_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped_with_regions")]

# Bank accounts, "1 = wanted" and numbers of lists are understood and kept nowhere. Here other figures are left out on purpose.
LEFT_OUT = {
    "columns of a table that tell what is there, was planned or has come": (
        "forms-04 fresh-tables-01 fresh-tables-05 last-mixed-03 second-english-06 second-tables-02 second-tables-05"
    ),
    "the figure is worked out of several": (
        "fresh-english-06 fresh-messages-09 fresh-notices-10 fresh-tables-08 last-english-05 mended-lines-06 quantities-16 "
        "second-appeals-11 second-messages-06 second-tables-12"
    ),
    "a rate per day, kept in the smallest counted unit": "fresh-tables-07 last-appeals-09 quantities-06",
    "a correction names what stood there before": (
        "fresh-messages-08 fresh-notices-12 odd-18 quantities-11 second-appeals-09"
    ),
}

AS_OF = date(2020, 2, 3)


def test_every_figure_of_the_labelled_announcements_is_read_or_kept():
    read = reader_of_announcements()
    assert read is not None
    with translation.override("en"):
        lost = {row.id: list(lost_in(row, read(row.text, as_of=row.as_of))) for row in labelled()}

    known = set(" ".join(LEFT_OUT.values()).split())
    assert {id: figures for id, figures in lost.items() if figures and id not in known} == {}


def lost_in(row: Labelled, announcement: Announcement) -> Iterator[str]:
    held = figures_in(" ".join(words_of(announcement)))
    unread = [(one.start, one.end) for one in announcement.unread]
    for run in re.finditer(r"\d+", row.text):
        if any(start <= run.start() < end for start, end in unread):
            continue
        if figures_in(run[0]) <= held or is_settled(row.text, run):
            continue
        yield row.text[max(0, run.start() - 15) : run.end() + 10]


def words_of(announcement: Announcement) -> Iterator[str]:
    for line in announcement.lines:
        yield from (line.goods.as_written, *line.conditions, str(line.quantity), str(line.daily_use))
        yield from (str(word) for finding in line.findings for word in finding.words.values())
    for person in announcement.people:
        yield from (person.raw, person.extension, person.email)
    yield from (announcement.organisation, announcement.courier, announcement.handover)
    yield from (announcement.transport, announcement.link, *announcement.unwanted)
    days = (announcement.needed_by, announcement.published_on, announcement.updated_on)
    yield from (f"{on.year} {on.month} {on.day}" for on in days if on)


def figures_in(words: str) -> set[str]:
    return {run.lstrip("0") for run in re.findall(r"\d+", plain_of(words).text)} - {""}


def is_settled(text: str, run: re.Match[str]) -> bool:
    """A bank account (all begin with 6222 0000), a sentinel, the number of a list, the grade in a name."""
    before = text[text.rfind("\n", 0, run.start()) + 1 : run.start()]
    after = text[run.end() : run.end() + 24].split("\n")[0]
    is_account = re.search(
        r"6222[ -]?0000|6222[\d -]*$", before + run[0] + after[: 6 if run[0] == "6222" else 0]
    )
    is_number_of_list = re.match(r"[.、．)）:：\t ,，\ufe0f]", after) and not re.search(
        r"[^\s;；。，、:：(（]$", before
    )
    is_grade = re.search(r"(?<![A-Za-z])(?:K?N|KF|FFP|P)$", before, re.IGNORECASE)
    return bool(run[0] == "1" or is_account or is_number_of_list or is_grade)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("急需口罩20,30个", "30个"),
        ("其他需求：气管插管7.5# 30根", "7.5#"),
        ("防护服500套，每周用量口罩14000只", "14000"),
        ("急需防护服500套。电话：027-12345678", "12345678"),
        ("急需防护服500套，急诊拨打120", "120"),
        ("需过氧化氢（3%，500ml）2000瓶", "3%"),
    ],
)
def test_a_figure_that_no_field_holds_is_kept_unread(text: str, kept: str):
    read = reader_of_announcements()
    assert read is not None
    announcement = read(text, as_of=AS_OF)

    assert any(kept in one.text for one in announcement.unread)
    assert all(text[one.start : one.end] == one.text for one in announcement.unread)


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("急需防护包（口罩2只、手套1双、湿巾3片）500套", "口罩2只、手套1双、湿巾3片"),
        ("生活包（毛巾1、牙刷1、拖鞋1双）800份、口罩500只", "毛巾1、牙刷1、拖鞋1双"),
    ],
)
def test_what_a_kit_holds_is_kept_with_it(text: str, held: str):
    read = reader_of_announcements()
    assert read is not None
    kit = read(text, as_of=AS_OF).lines[0]

    assert kit.conditions == (held,)


@pytest.mark.parametrize("text", ["3 dozen face shields", "three dozen face shields needed"])
def test_dozens_are_counted(text: str):
    read = reader_of_announcements()
    assert read is not None

    assert [line.quantity for line in read(f"Needed: {text}", as_of=AS_OF).lines] == [36]


@pytest.mark.parametrize("text", ["20 gallons of hand sanitizer", "10 cases of surgical masks"])
def test_what_cannot_be_counted_out_is_kept_in_its_words(text: str):
    read = reader_of_announcements()
    assert read is not None
    (line,) = read(f"Needed: {text}", as_of=AS_OF).lines

    assert line.quantity is None
    assert line.goods.figure == " ".join(text.split()[:2])
