"""Who to call: names and numbers out of cells that hold both, several, or half of one."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from .findings import Finding, found
from .text import tidy_lines

_LABEL = re.compile(
    r"^(?:联系(?:人|电话|方式)|电话|手机|座机|总机|热线|(?:医院)?(?:办公室|总值班)?电话|tel|phone|mobile)?[\s:：,，;；、/]*$",
    re.IGNORECASE,
)
_LABEL_BEFORE = re.compile(r"^(?:联系(?:人|电话|方式)|电话|手机|座机|tel|phone)\s*[:：]?\s*", re.IGNORECASE)
_DASH = "[-—–－ ]"
_NUMBER = re.compile(
    rf"""(?P<prefix>\+?86{_DASH}?)?(?:
      (?P<mobile>(?<![\d*])1[3-9]\d[-\s]?[\d*Xx]{{4}}[-\s]?[\d*Xx]{{4}}(?![\d*])|(?<![\d*])1(?:[ ]\d){{10}}(?![\d*]))
    | (?P<service>(?<![\d*])(?:400|800){_DASH}?\d{{3}}{_DASH}?\d{{4}}(?!\d))
    | (?P<landline>(?<![\d*A-Za-z])(?<![A-Za-z][ ])\(?0?\)?\(?(?:10|2\d|[3-9]\d{{2}})\)?{_DASH}{{0,3}}(?:[2-8][\dXx*]{{2,3}}[ -]?[\dXx*]{{4}})(?![\d*]))
    | (?P<local>(?<![\d*-])(?:[2-8]\d{{6,7}}|[2-9]\d{{2}}-\d{{4}})(?![\d*]))
    | (?P<short>(?<![\d*])(?:95\d{{3}}|1[12]\d|12[0-9]{{3}})(?![\d*]))
    | (?P<abroad>\+(?!86)[1-9](?:[ .\-()]{{0,2}}\d){{7,14}}(?!\d))
    | (?P<american>(?<![\d*])(?:\(\d{{3}}\)[ ]?|\d{{3}}-)\d{{3}}-\d{{4}}(?![\d*]))
    | (?P<partial>(?<![\d*])1[3-9]\d[\d*\s]{{3,12}}\d(?![\d*]))
    )(?:\s*(?:转|ext\.?|分机|[-—–－])\s*(?P<extension>\d{{2,5}})(?![\d*]))?""",
    re.VERBOSE,
)


class Line(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    SERVICE = "service"
    PARTIAL = "partial"


@dataclass(frozen=True)
class Person:
    """One way to reach a facility. `confidence` in percent: 95 whole number, 60 masked, 30 incomplete."""

    name: str
    number: str
    line: Line
    confidence: int
    extension: str = ""
    raw: str = ""


@dataclass(frozen=True)
class People:
    people: tuple[Person, ...]
    findings: tuple[Finding, ...] = ()


def read_contacts(cells: Iterable[Mapping[str, Any]]) -> People:
    """Every number in a row's contact cells, each with the name that stands with it.

    cells   {"name": …, "tel": …}; either may hold names, labels, several numbers or extensions
    """
    people: dict[str, Person] = {}
    findings = []
    for cell in cells:
        name, tel = (tidy_lines(_text(cell.get(part))).text for part in ("name", "tel"))
        reached = _people_in(name, tel)
        if not reached and (name or tel):
            findings.append(found("no-number-in-contact"))
        for person in reached:
            people.setdefault(person.number + person.extension, person)
    return People(tuple(people.values()), tuple(findings))


def _text(cell: object) -> object:
    """A number typed as a number is meant as text."""
    return str(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell


def _people_in(name: str, tel: str) -> list[Person]:
    text = tel if _NUMBER.search(tel) else f"{name}\n{tel}"
    given = _name_in(_NUMBER.sub(" ", name)) if text == tel else ""
    people, start = [], 0
    for match in _NUMBER.finditer(text):
        written_before = _name_in(text[start : match.start()])
        people.append(_person(match, written_before or given))
        start = match.end()
    if len(people) == 1 and not people[0].name:  # 139… 李老师: the name follows its number
        people[0] = Person(**{**vars(people[0]), "name": _name_in(text[start:])})
    return people


def _name_in(text: str) -> str:
    words = _LABEL_BEFORE.sub("", text.strip(" \n:：,，;；、/()（）"))
    return "" if _LABEL.match(words) else " ".join(words.split())[:80]


def _person(match: re.Match[str], name: str) -> Person:
    kind = next(
        kind
        for kind in ("mobile", "service", "landline", "local", "short", "abroad", "american", "partial")
        if match[kind]
    )
    number = re.sub("[Xx]", "*", re.sub(r"[\s()—–－-]", "", match[kind]))
    line = {
        "abroad": Line.LANDLINE,
        "american": Line.LANDLINE,
        "mobile": Line.MOBILE,
        "landline": Line.LANDLINE,
        "local": Line.LANDLINE,
        "partial": Line.PARTIAL,
    }
    masked = "*" in number
    confidence = 30 if kind == "partial" else 60 if masked or kind == "local" else 95
    return Person(
        name, number, line.get(kind, Line.SERVICE), confidence, match["extension"] or "", match[0].strip()
    )


_SAYS_NUMBER = re.compile(
    r"(?:电话|热线|总机|座机|手机|联系|致电|拨打|tel|phone|call|转|专线|[:(/,、])[\s:]*$", re.IGNORECASE
)
_IS_COUNT = re.compile(
    r"\s*(?:[万千百余多]|个|只|件|套|副|双|盒|箱|瓶|桶|包|台|支|%|ml|元|人|名|份)", re.IGNORECASE
)


def numbers_in(text: str) -> list[tuple[re.Match[str], Person]]:
    """The numbers to call in a free text. What may as well be a count needs a word that says it is a number."""
    found = []
    for match in _NUMBER.finditer(text):
        if match["landline"] and " " in match["landline"] and _IS_COUNT.match(text, match.end()):
            continue
        doubtful = match["local"] or match["short"] or (match["partial"] and "*" not in match["partial"])
        if doubtful and (
            not _SAYS_NUMBER.search(text[max(0, match.start() - 12) : match.start()])
            or _IS_COUNT.match(text, match.end())
        ):
            continue
        if match["short"]:  # a hotline everybody may call belongs to the rules of transport
            continue
        found.append((match, _person(match, "")))
    return found
