"""Days named in remarks and links: when a list was published, when somebody last confirmed it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from .text import tidy_lines

_DAY = re.compile(r"(?<!\d)(20\d\d)\s*(?:年|[-./])\s*(\d{1,2})\s*(?:月|[-./])\s*(\d{1,2})(?:日|号|(?!\d))")
_PUBLISHED_BEFORE = re.compile(
    r"(?:发布(?:日期|时间|于)?|公告(?:于)?|公布|published|posted)\s*[:：]?\s*$", re.IGNORECASE
)
_UPDATED_BEFORE = re.compile(r"(?:更新(?:日期|时间|于)?|修改|updated)\s*[:：]?\s*$", re.IGNORECASE)
_UPDATED_AFTER = re.compile(r"^\s*(?:更新|更改|修改|改|确认|核实|update)", re.IGNORECASE)
_LINK = re.compile(r"https?://\S+")
_DAY_IN_LINK = (
    re.compile(r"/t(20\d\d)(\d\d)(\d\d)_"),
    re.compile(r"/(20\d\d)/?(\d\d)(\d\d)/"),
    re.compile(r"/(20\d\d)[-/](\d{1,2})[-/](\d{1,2})/"),
)


class Says(StrEnum):
    PUBLISHED = "published"
    UPDATED = "updated"
    MENTIONED = "mentioned"


@dataclass(frozen=True)
class Day:
    on: date
    says: Says


def read_days(text: object) -> list[Day]:
    """The days a remark names, in its order, with what it says about them. Impossible days are left out."""
    plain = _LINK.sub(" ", tidy_lines(text).text)
    days = []
    for match in _DAY.finditer(plain):
        if on := _day(match.groups()):
            days.append(Day(on, _what(plain[: match.start()], plain[match.end() :])))
    return days


def day_of_link(link: str) -> date | None:
    """The day in the address of an announcement (…/t20200124_322489.html, …/2020/1/27/…), if it has one."""
    for pattern in _DAY_IN_LINK:
        if (match := pattern.search(link)) and (on := _day(match.groups())):
            return on
    return None


def newest(days: Iterable[Day]) -> date | None:
    """The newest of the days that are not merely mentioned; a mentioned day may be an opening or a delivery."""
    return max((day.on for day in days if day.says is not Says.MENTIONED), default=None)


def _what(before: str, after: str) -> Says:
    if _PUBLISHED_BEFORE.search(before):
        return Says.PUBLISHED
    if _UPDATED_BEFORE.search(before) or _UPDATED_AFTER.search(after):
        return Says.UPDATED
    return Says.MENTIONED


def _day(numbers: Iterable[str]) -> date | None:
    try:
        return date(*map(int, numbers))
    except ValueError:
        return None
