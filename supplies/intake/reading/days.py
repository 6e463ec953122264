"""The days an announcement names for itself, and by which it wants its goods."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

import cn2an

from .plain import BESIDE, TAKEN, Reading

_MONTHS = {
    name: at
    for at, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], start=1
    )
}
_MONTH = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*\.?"
_CHINESE_DIGIT = "〇零○一二三四五六七八九"
_DAY = (
    r"(?P<y>20\d\d)\s*(?:年|[-./])\s*(?P<m>\d{1,2})\s*(?:月|[-./])\s*(?P<d>\d{1,2})\s*(?:日|号|(?!\d))"
    rf"|(?P<y7>[{_CHINESE_DIGIT}]{{4}})年(?P<m7>[{_CHINESE_DIGIT}十]{{1,2}})月(?P<d7>[{_CHINESE_DIGIT}十]{{1,3}})[日号]"
    r"|(?P<m2>\d{1,2})\s*月\s*(?P<d2>\d{1,2})\s*(?:日|号)"
    rf"|(?P<d3>\d{{1,2}})(?:st|nd|rd|th)?\s+(?P<m3>{_MONTH})(?:,?\s+(?P<y3>20\d\d))?"
    r"|(?<=更新)\s*:?(?P<m5>\d{1,2})\.(?P<d5>\d{1,2})(?!\d)|(?<=[Uu]pdated )(?P<m6>\d{1,2})\.(?P<d6>\d{1,2})(?!\d)"
    rf"|(?P<m4>{_MONTH})\s+(?P<d4>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s+(?P<y4>20\d\d))?"
)
_CLOCK = r"(?:\s*(?:上午|下午|中午|晚上?)?\s*\d{1,2}\s*(?:[:时点]\s*(?:\d{1,2})?(?:分|:\d{2})?(?:许|整)?))?"
_PUBLISHED = re.compile(
    r"(?:发布|公告|公布|发稿|来源|发文|刊发|填\s*表(?:\s*日)?|填报|上报|制表|first sent|published|posted|issued|dated?)(?:日期|时间|于|on)?\s*:?\s*(?:on\s*)?$|(?:^|\s)(?:日期|时间|date)\s*:\s*$",
    re.IGNORECASE,
)
_UPDATED = re.compile(
    r"(?:更新|修改|更正|updated?|revised|last update)(?:\s*(?:mon|tues|wednes|thurs|fri|satur|sun)day)?(?:日期|时间|于|至|on)?[\s:(]*(?:on\s*)?$",
    re.IGNORECASE,
)
_UPDATED_AFTER = re.compile(
    r"^\s*[,)]?\s*(?:更新|更改|修改|更正|确认|核实|统计|update(?!\w*\s*:))", re.IGNORECASE
)
_PUBLISHED_AFTER = re.compile(r"^\s*(?:发布|公布|公告|印发|讯|(?:published|posted)(?!\s*:))", re.IGNORECASE)
_UNTIL_BEFORE = re.compile(
    r"(?:截止(?:日期|时间|到|至)?|有效期至|最迟(?:于|在)?|期限|务必(?:于|在)|请(?:务必)?(?:于|在)|须于|需于|需要时间|需求时间|(?:希望|争取|力争)(?:于|在)|before|by|until|no later than|needed by|deadline(?: [a-z ]{0,30})?)\s*:?\s*(?:the\s+)?$",
    re.IGNORECASE,
)
_UNTIL_AFTER = re.compile(
    r"^[\s)]*(?:之?前|以前|为止|止|截止(?!\s*[:到至]))(?:\s*(?:务必|必须|能|需要?)?\s*(?:送达|到位|送到|到货|运抵|寄到|使用|急需|收到|提供))?",
    re.IGNORECASE,
)
_WITHIN = re.compile(
    r"(?:(?:最好|务必|必须|需在?|在|请在?|希望(?:在)?|争取)?\s*(?P<n>\d{1,3}|[一二两三四五六七八九十]{1,5}|半)\s*个?\s*(?P<unit>天|日|周|星期|小时|月)\s*(?:之内|以?内)(?!告罄|用完|断|耗尽)(?:\s*(?:务必|必须|能)?(?:送达|到位|送到|到货|需要|急需|用))?"
    r"|within\s+(?:the next\s+)?(?P<n2>\d{1,3}|one|two|three|four|five|six|seven|a|ten)\s+(?P<unit2>hours?|days?|weeks?))",
    re.IGNORECASE,
)
_WORDS_OF_NUMBERS = {
    "one": 1,
    "a": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "ten": 10,
    "半": 0.5,
}


@dataclass(frozen=True)
class Days:
    published_on: date | None = None
    updated_on: date | None = None
    needed_by: date | None = None


def take_days(reading: Reading, as_of: date) -> Days:
    """The days an announcement names for itself and for its goods. A day without a year is the one nearest to `as_of`."""
    published: list[date] = []
    updated: list[date] = []
    until: list[date] = []
    for match in list(re.finditer(rf"(?<![\d.])(?:{_DAY})", reading.rest, re.IGNORECASE)):
        on = _date(match, as_of)
        if on is None:
            continue
        line = reading.rest.rfind("\n", 0, match.start()) + 1
        line = max(line, match.start() - BESIDE)
        before = reading.rest[line : match.start()]
        after = reading.rest[match.end() : match.end() + BESIDE].split("\n")[0]
        start, end, kept = match.start(), match.end(), None
        if led := _UNTIL_BEFORE.search(before):
            start, kept = line + led.start(), until
            end += _length(re.match(_CLOCK, after))
            end += _length(_UNTIL_AFTER.match(reading.rest[end : end + BESIDE]))
        elif closed := _UNTIL_AFTER.match(after[_length(re.match(_CLOCK, after)) :]):
            end += _length(re.match(_CLOCK, after)) + closed.end()
            kept = until
        elif led := _UPDATED.search(before):
            start, kept = line + led.start(), updated
        elif led := _PUBLISHED.search(before):
            start, kept = line + led.start(), published
        elif closed := _UPDATED_AFTER.match(after[(clock := _length(re.match(_CLOCK, after))) :]):
            end, kept = end + clock + closed.end(), updated
        elif closed := _PUBLISHED_AFTER.match(after):
            end, kept = end + closed.end(), published
        elif not re.search(r"\w", before.replace(TAKEN, "")) and not re.search(
            r"\w", after.replace(TAKEN, "")
        ):
            kept = published  # a line that is nothing but a day is the signature's
        elif re.search(r"[。.!;\s]$", before) and not re.search(r"\w", after):
            kept = published  # at the end of the last sentence
        if kept is not None:
            kept.append(on)
            reading.take(start, end)
    for match in list(_WITHIN.finditer(reading.rest)):
        if span := _span_of(match):
            until.append(as_of + span)
            reading.take(*match.span())
    return Days(max(published, default=None), max(updated, default=None), min(until, default=None))


def _length(match: re.Match[str] | None) -> int:
    return match.end() if match else 0


def _date(match: re.Match[str], as_of: date) -> date | None:
    part = {name: value for name, value in match.groupdict().items() if value}
    if "y7" in part:
        return _in_chinese(part["y7"], part["m7"], part["d7"])
    year = next((int(part[name]) for name in ("y", "y3", "y4") if name in part), None)
    month = next((part[name] for name in ("m", "m2", "m3", "m4", "m5", "m6") if name in part), "")
    day = next((int(part[name]) for name in ("d", "d2", "d3", "d4", "d5", "d6") if name in part), 0)
    number = int(month) if month.isdigit() else _MONTHS[month[:3].lower()]
    years = [year] if year else [as_of.year, as_of.year + 1, as_of.year - 1]
    days = []
    for one in years:
        try:
            days.append(date(one, number, day))
        except ValueError:
            continue
    return min(days, key=lambda on: abs((on - as_of).days), default=None)


def _in_chinese(year: str, month: str, day: str) -> date | None:
    """二〇二〇年一月二十七日."""
    digits = {sign: max(0, at - 2) for at, sign in enumerate(_CHINESE_DIGIT)}

    def value(words: str) -> int:
        tens, ten, ones = words.rpartition("十")
        if not ten:
            return digits.get(words, 0)
        return 10 * (digits.get(tens, 0) if tens else 1) + digits.get(ones, 0)

    try:
        return date(int("".join(str(digits[sign]) for sign in year)), value(month), value(day))
    except ValueError:
        return None


def _span_of(match: re.Match[str]) -> timedelta | None:
    number, unit = match["n"] or match["n2"], (match["unit"] or match["unit2"]).lower()
    count = _WORDS_OF_NUMBERS.get(number.lower())
    if count is None:
        count = int(number) if number.isdigit() else int(cn2an.cn2an(number.replace("两", "二"), "smart"))
    if unit.startswith(("小时", "hour")):
        return timedelta(days=max(1, round(count / 24)))
    if unit.startswith(("周", "星期", "week")):
        return timedelta(days=round(count * 7))
    return timedelta(days=round(count * (30 if unit == "月" else 1)))
