"""Goods as a text names them, before anybody knows what they count in; and how a text is cut."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from supplies.intake.figures import CLOSING, OPENING, PACKAGE
from supplies.intake.reading.findings import Finding
from supplies.intake.reading.plain import TAKEN
from supplies.intake.reading.quantities import says_content


@dataclass
class Draft:
    """One kind of goods as a text names it. `figure` is text for `read_quantity`; spans are of the plain text."""

    names: tuple[str, ...]
    start: int
    end: int
    items: tuple[str, ...] = ()
    figure: str = ""
    content: str = ""  # what one package holds, where it is said apart from the figure
    size: str = ""  # 500 ml, said before the number of bottles
    daily: str = ""  # the figure of a rate per day
    requirements: list[str] = field(default_factory=list)
    is_joint: bool = False
    is_unlimited: bool = False
    told: "Span | None" = None  # the clause that tells how fast they are used up, where nobody asks for any
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_known(self) -> bool:
        return bool(self.items)

    @property
    def is_only_a_rate(self) -> bool:
        """“日消耗300套”: it tells, and asks for nothing."""
        return self.told is not None and not self.figure and not self.is_unlimited

    @property
    def counted(self) -> str:
        """The figure with what one package holds."""
        pack = re.search(rf"{PACKAGE}$", self.figure, re.IGNORECASE)
        if self.size and pack and not self.content:
            return f"{self.figure}({self.size}/{pack[0]})"
        return (
            f"{self.figure}({self.content})"
            if self.figure and self.content and not says_content(self.figure)
            else self.figure
        )


@dataclass
class Goods:
    drafts: list[Draft]
    unwanted: list[str]
    findings: list[Finding]


@dataclass(frozen=True)
class Span:
    start: int
    end: int


def split(text: str, start: int, end: int, separators: str) -> Iterator[Span]:
    """Cut outside brackets; a comma or point between digits belongs to the number, unless a new number begins."""
    depth, begun = 0, start
    for place in range(start, end):
        sign = text[place]
        depth += (sign in OPENING) - (sign in CLOSING and depth > 0)
        ends = sign in separators or (sign == "." and ";" in separators and _ends_sentence(text, place, end))
        if ends and (sign == TAKEN or (not depth and not _in_number(text, place, end))):
            if place > begun:
                yield Span(begun, place)
            begun, depth = place + 1, 0 if sign == TAKEN else depth
    if end > begun:
        yield Span(begun, end)


def _ends_sentence(text: str, place: int, end: int) -> bool:
    """A point before a gap, not after a number of a list or the short form of a word."""
    return bool(re.match(r"\.(?:\s|$)", text[place:end])) and bool(
        re.search(r"[A-Za-z]{3}$|\d\d$|\)$", text[:place][-4:])
    )


def _in_number(text: str, place: int, end: int) -> bool:
    return (
        text[place] == ","
        and text[place - 1 : place].isdigit()
        and bool(re.match(r"\d{3}(?!\d)", text[place + 1 : end]))
    )
