"""The reader of announcements against the whole labelled set: the goals, and what it reached beyond them.

Set by set they are told by `./run bench announcements` and docs/intake.md.
"""

from datetime import date
from functools import cache

import pytest
from django.utils import translation

from bench.announcements import Scores, labelled, score
from bench.intake import GOALS, reader_of_announcements
from supplies.intake.announcements import read_announcement

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped_with_regions")]
# Precision and recall over all sets, a little below what was measured: no change makes it worse unseen.
REACHED = {"item": (0.99, 0.98), "standard": (0.99, 0.98), "quantity": (0.995, 0.97)}
SHOWN = 40  # faults


@cache
def scores() -> Scores:
    read = reader_of_announcements()
    assert read is not None
    with translation.override("en"):
        return score(labelled(), read)


def faults(field: str) -> str:
    shown = [f"{id}: {meant} | {read}" for id, name, meant, read in scores().faults if name == field][:SHOWN]
    return "\n".join(["", *shown])


@pytest.mark.parametrize("field", GOALS)
def test_the_goals_are_reached_for_what_is_read_and_for_what_is_missed(field: str):
    found, goals = scores()[field], zip(GOALS[field], REACHED[field], strict=True)
    precision, recall = (max(goal, reached) for goal, reached in goals)

    assert (found.precision or 0) >= precision, f"{field}: {found}{faults(field)}"
    assert (found.recall or 0) >= recall, f"{field}: {found}{faults(field)}"


def test_no_number_is_read_that_the_label_does_not_have():
    assert scores().invented == []


def test_every_bank_account_is_found_and_hidden():
    assert scores()["account hidden"].missed == 0, faults("account hidden")


def test_no_announcement_is_too_much_for_the_reader():
    assert scores().failed == []


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("演练第二医院（武汉市江岸区）急需口罩2000个", "演练第二医院（武汉市江岸区）"),
        ("帮武汉市演练第二医院问一下：口罩2000个", "武汉市演练第二医院"),
    ],
)
def test_a_place_begins_a_name_and_does_not_where_it_stands_in_brackets(text: str, name: str):
    read = read_announcement(text, as_of=date(2020, 2, 3))

    assert (read.organisation, read.region and read.region.path.startswith("/CN/420000/420100/")) == (
        name,
        True,
    )
