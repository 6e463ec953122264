"""Who to call: names and numbers out of cells that hold both, several, or half of one."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, NamedTuple

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

MAIL = re.compile(
    r"(?:(?:电子)?(?:邮箱|邮件)|e-?mail)?\s*[:：]?\s*(?P<mail>[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{0,128}[A-Za-z0-9])",
    re.IGNORECASE | re.ASCII,
)


class Line(StrEnum):
    MOBILE = "mobile"
    LANDLINE = "landline"
    SERVICE = "service"
    PARTIAL = "partial"
    MAIL = "mail"


@dataclass(frozen=True)
class Person:
    """One way to reach a facility, by a number or, without one, by mail alone.

    confidence    in percent: 95 whole number or address, 60 masked or without its area, 30 incomplete
    """

    name: str
    number: str
    line: Line
    confidence: int
    extension: str = ""
    raw: str = ""
    email: str = ""


class Reached(NamedTuple):
    """Somebody to call, and where in a text the number stands with its extension."""

    start: int
    end: int
    person: Person


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
            people.setdefault(person.number + person.extension or person.email, person)
    return People(tuple(people.values()), tuple(findings))


def _text(cell: object) -> object:
    """A number typed as a number is meant as text."""
    return str(cell) if isinstance(cell, int) and not isinstance(cell, bool) else cell


def _people_in(name: str, tel: str) -> list[Person]:
    mails = [match["mail"] for cell in (name, tel) for match in MAIL.finditer(cell)]
    name, tel = (MAIL.sub("", cell).strip() for cell in (name, tel))
    text = tel if _NUMBER.search(tel) else f"{name}\n{tel}"
    given = _name_in(_NUMBER.sub(" ", name)) if text == tel else ""
    people: list[Person] = []
    start = 0
    for reached in _numbers(text):
        name_before = _name_in(text[start : reached.start]) if reached.start >= start else people[-1].name
        people.append(replace(reached.person, name=name_before or given))
        start = reached.end
    if len(people) == 1 and not people[0].name:  # 139… 李老师: the name follows its number
        people[0] = replace(people[0], name=_name_in(text[start:]))
    if not people and mails:
        people.append(by_mail(_name_in(name) or _name_in(tel), mails.pop(0)))
    for at, mail in enumerate(mails):
        if at < len(people) and not people[at].email:
            people[at] = replace(people[at], email=mail)
        else:
            people.append(by_mail("", mail))
    return people


def by_mail(name: str, mail: str) -> Person:
    return Person(name, "", Line.MAIL, 95, raw=mail, email=mail)


def _numbers(text: str) -> Iterator[Reached]:
    """Every number: one behind a whole number has its area (027-5550 1234/5678 4321), and may have several extensions."""
    area, before = "", 0
    for match in _NUMBER.finditer(text):
        person, end = _person(match, ""), match.end()
        if whole := _AREA.match(person.number) if match["landline"] else None:
            area = whole[0]
        elif match["local"] and area and _SHARES_AREA.fullmatch(text, before, match.start()):
            person = replace(person, number=area + person.number)
        else:
            area = ""
        if not person.extension and (said := _EXTENSION.match(text, end)):
            person, end = replace(person, extension=said[1]), said.end()
        yield Reached(match.start(), end, person)
        while person.extension and (more := _ANOTHER_EXTENSION.match(text, end)):
            if len(more[1]) != len(person.extension):
                break
            yield Reached(match.start(), more.end(), replace(person, extension=more[1]))
            end = more.end()
        before = end


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


_AREA = re.compile(r"0?(?:10|2\d|[3-9]\d\d)(?=[2-8][\d*]{6,7}$)")
_SHARES_AREA = re.compile(r"\s*(?:[/、,;|]|或者?|和|及|or|and)?\s*")
_EXTENSION = re.compile(
    r"\s*[,、(]?\s*(?:(?:转|分机|ext(?:ension)?\.?)\s*:?\s*(?=\d)|x\s*(?=\d\d))(\d{1,6})(?!\d)", re.IGNORECASE
)
_ANOTHER_EXTENSION = re.compile(  # whose the one before is may stand behind it: 转801(王老师)或802(李老师)
    r"\s*(?:[(（][^()（）\d]{1,12}[)）]\s*)?(?:[/、,]|或者?|和|及|or|and)\s*(?:转|分机|ext\.?)?\s*(\d{2,6})(?![\d-]|\s*(?:[个只件套副双盒箱瓶]|[万千]))",
    re.IGNORECASE,
)
_SAYS_NUMBER = re.compile(
    r"(?:电话|热线|总机|座机|手机|联系|致电|拨打|tel|phone|call|转|专线|[:(/,、])[\s:]*$", re.IGNORECASE
)
_SAYS_CONTACTS = re.compile(
    r"\b(?:contacts?|phones?|tel) ?:[^.;]*$|联系(?:人|方式) ?:[^;。]*$", re.IGNORECASE
)
_SAYS_HOTLINE = re.compile(r"(?:电话|热线|专线|致电|拨打|tel|phone|call|hotline)[\s:]*$", re.IGNORECASE)
_IS_COUNT = re.compile(
    r"\s*(?:[万千百余多]|个|只|件|套|副|双|盒|箱|瓶|桶|包|台|支|%|ml|元|人|名|份)", re.IGNORECASE
)


def numbers_in(text: str) -> list[Reached]:
    """The numbers to call in a free text. What may as well be a count needs a word that says it is a number."""
    return [reached for reached in _numbers(text) if _is_said(text, reached)]


def _is_said(text: str, reached: Reached) -> bool:
    person, match = reached.person, _NUMBER.match(text, reached.start)
    assert match is not None
    lead = text[max(0, reached.start - 12) : reached.start]
    is_count = bool(_IS_COUNT.match(text, reached.end))
    if match["short"]:  # three figures are the police or an ambulance, whom everybody knows
        return len(person.number) == 5 and bool(_SAYS_HOTLINE.search(lead)) and not is_count
    if match["landline"]:
        return " " not in match["landline"] or not is_count
    if match["local"] and person.number != re.sub(r"\D", "", match["local"]):
        return not is_count  # it has the area of the number before it
    line = text[text.rfind("\n", 0, reached.start) + 1 : reached.start]
    if match["local"] and "-" in match["local"] and (person.extension or _SAYS_CONTACTS.search(line[-200:])):
        return not is_count
    if match["local"] or (match["partial"] and "*" not in match["partial"]):
        return bool(_SAYS_NUMBER.search(lead)) and not is_count
    return True
