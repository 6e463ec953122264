"""No text takes the reader long: what is written again and again is read in a time that grows with it, not with its square."""

import time
from datetime import date
from itertools import pairwise
from typing import Any

import pytest

from supplies.catalogue.dictionary import Dictionary
from supplies.intake.announcements import read_announcement
from supplies.intake.reading.plain import LONGEST
from supplies.intake.reading.text import refuse_long
from supplies.regions.services import Places

pytestmark = pytest.mark.django_db
WORDS = [
    "按", "约", "1", "万", "、", "（", "）", "GB", "N95", "个/箱", "-", "~", ":", "，", ".", "\n", "口罩", "不", "各", "x",
    "500ml", "2月1日", "027-55501234", "海外", "电话", "张三 ", "账号", "医院", "by ", "L号10双、", "口罩1个、",
]  # fmt: skip
TIMES = 1000
AT_ONCE = 1.0  # seconds of the processor; what takes no longer is not looked at any closer
MOST_SECONDS = 5.0  # for the longest text
MUCH_LONGER = 3.5  # for twice the text; a square takes four times as long, a cube eight


@pytest.fixture
def dictionary(shipped: Any, db: None) -> Dictionary:
    dictionary = Dictionary()
    seconds("口罩10个，不收海外", dictionary)  # its patterns are made once
    return dictionary


def seconds(text: str, dictionary: Dictionary) -> float:
    refuse_long(text, LONGEST)
    began = time.process_time()
    read_announcement(text, as_of=date(2020, 2, 3), dictionary=dictionary, places=Places())
    return time.process_time() - began


def is_slow(words: str, dictionary: Dictionary) -> str:
    """What was seen if a text of these words again and again takes too long; of three times the best counts."""
    short, long = ((words * times)[:LONGEST] for times in (TIMES, 2 * TIMES))
    if (taken := seconds(long, dictionary)) < AT_ONCE:
        return ""
    taken = min(taken, *(seconds(long, dictionary) for _again in range(2)))
    half = min(seconds(short, dictionary) for _again in range(3))
    if taken < MOST_SECONDS and (taken < AT_ONCE or taken < MUCH_LONGER * half):
        return ""
    return f"{words!r}: {half:.2f} s, twice as long {taken:.2f} s"


def test_a_word_again_and_again_is_read_in_a_time_that_grows_with_the_text(dictionary: Dictionary):
    assert [seen for word in WORDS if (seen := is_slow(word, dictionary))] == []


def test_two_words_in_turn_are_read_in_a_time_that_grows_with_the_text(dictionary: Dictionary):
    assert [
        seen for pair in pairwise([*WORDS, WORDS[0]]) if (seen := is_slow("".join(pair), dictionary))
    ] == []


@pytest.mark.parametrize(
    "text", ["按1 " * 500, "手套" + "L号10双、" * 500, "口罩" + "\n1个" * 5000, "需" * LONGEST]
)
def test_a_text_that_once_took_minutes_takes_a_moment(text: str, dictionary: Dictionary):
    assert seconds(text, dictionary) < MOST_SECONDS
