"""A text with what it names, and the words around the names."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise
from typing import TypeVar

from supplies.catalogue.dictionary import Dictionary, Mentioned, Quoted
from supplies.intake.figures import EITHER, HERE, as_either, blanked, tidied
from supplies.intake.mentions.drafts import Draft, Goods, Span
from supplies.intake.mentions.headings import ITEMS_LEAD, is_head_of_slashes
from supplies.intake.mentions.moods import NO_LIMIT, RUMOUR, SENTINEL, SIGN_MEANS, UNWANTED_SIGN
from supplies.intake.mentions.wording import (
    BLEACH,
    CLASS_IN_NAME,
    EDITION_BEFORE,
    ENUMERATED,
    FIGURE_SLASH,
    FORM,
    MODEL_OF_BRAND,
    NOT_GOODS,
    WHOLE_DAY,
)
from supplies.intake.reading.plain import Reading

Part = TypeVar("Part", Mentioned, Quoted)


class Scope:
    """What every part of the finder knows of the text."""

    def __init__(self, reading: Reading, dictionary: Dictionary) -> None:
        self.reading, self.dictionary = reading, dictionary
        self.text = ENUMERATED.sub(blanked, reading.rest)
        self.text = ITEMS_LEAD.sub(lambda lead: lead[0].replace("/", "、"), self.text)
        self.text = WHOLE_DAY.sub(blanked, self.text)
        self.text = EITHER.sub(as_either, self.text)
        self.text = EDITION_BEFORE.sub(_left_out, self.text)
        self.text = MODEL_OF_BRAND.sub(_left_out, self.text)
        self.text = self._with_legend(self.text)
        if not any(is_head_of_slashes(line) for line in self.text.split("\n")):
            self.text = FIGURE_SLASH.sub(lambda slash: slash[0].replace("/", "、"), self.text)
        self.sentinel = self._take_sentinel()
        self.mentions, self.quotes = self._named_and_quoted()
        self.goods = Goods([], [], [])
        self.taken: list[Span] = []
        self.columns: dict[str, int] = {}
        self.ignored: set[int] = set()  # columns of a table that say what is there, not what is wanted
        self.line_first = 0
        self.line_mood = ""
        self.is_of_before = False
        self.counted_lines: dict[int, bool] = {}
        self.is_rumour = bool(RUMOUR.search(self.text))
        self.last_list: list[Draft] = []

    def _within(self, start: int, end: int) -> list[Mentioned]:
        return _inside(self.mentions, start, end)

    def _end_of_line(self, start: int) -> int:
        end = self.text.find("\n", start)
        return end if end >= 0 else len(self.text)

    def _quoted(self, start: int, end: int) -> list[Quoted]:
        return _inside(self.quotes, start, end)

    def _of_class(self, quote: str, name: str) -> str:
        """KN95口罩 with GB 2626-2006 asks for class KN95 of it."""
        grade = CLASS_IN_NAME.search(name)
        return f"{grade[0]} {quote}" if grade and self.dictionary.quotations(quote) else quote

    def _quotes_in(self, clause: Span) -> bool:
        return bool(self._quoted(clause.start, clause.end))

    def _without_quotes(self, clause: Span) -> str:
        text = list(self.text[clause.start : clause.end])
        for start, end in self._quoted(clause.start, clause.end):
            text[start - clause.start : end - clause.start] = [" "] * (end - start)
        return "".join(text)

    def _without_names(self, part: Span, names: list[Mentioned]) -> str:
        """The piece with its names and standards blanked; a mark stands where the names stood."""
        text = list(self.text[part.start : part.end])
        for start, end in [*((one.start, one.end) for one in names), *self._quoted(part.start, part.end)]:
            if part.start <= start and end <= part.end:
                text[start - part.start : end - part.start] = [" "] * (end - start)
        end = names[-1].end
        if form := FORM.match(self.text, end, part.end):
            end = form.end()
            text[form.start() - part.start : end - part.start] = [HERE] * (end - form.start())
        text[names[0].start - part.start] = HERE
        for at in range(names[0].start - part.start + 1, end - part.start):
            text[at] = HERE if text[at] in " /|" else text[at]
        return "".join(text)

    def _leftover(self, cell: Span, mentions: list[Mentioned]) -> str:
        return tidied(self._without_names(cell, mentions))

    def _names(self, mentions: list[Mentioned], part: Span) -> tuple[str, ...]:
        names = [self.reading.plain.text[mentions[0].start : mentions[0].end]]
        for before, one in pairwise(mentions):
            word = self.reading.plain.text[one.start : one.end]
            if self.text[before.end : one.start].strip():
                names.append(word)
            else:
                names[-1] += word
        if form := FORM.match(self.text, mentions[-1].end, part.end):
            names[-1] += form[0]
        return tuple(dict.fromkeys(names))

    def _codes(self, mentions: list[Mentioned]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(item.code for one in mentions for item in one.items))

    def _without_limit(self, drafts: list[Draft]) -> None:
        for draft in drafts:
            draft.is_unlimited = draft.is_unlimited or not draft.figure

    def _with_legend(self, text: str) -> str:
        """“A＝急缺，不限量；C＝暂不需要”: where such a sign stands for the figure, what it means is put in its place."""
        meanings: dict[str, str] = {}
        for line in text.split("\n"):
            signs = list(SIGN_MEANS.finditer(line))
            if len(signs) > 1 and any(UNWANTED_SIGN.search(sign["says"]) for sign in signs):
                for sign in signs:
                    says = sign["says"]
                    word = "无" if UNWANTED_SIGN.search(says) else "∞" if NO_LIMIT.search(says) else "√"
                    meanings[sign["sign"]] = word
                text = text.replace(line, " " * len(line), 1)
        if not meanings:
            return text
        signs_at_end = "|".join(re.escape(sign) for sign in sorted(meanings, key=len, reverse=True))
        return re.sub(
            rf"(?<=[\s|])({signs_at_end})(?=\s*(?:[|(]|$))",
            lambda sign: meanings[sign[1]].ljust(len(sign[1])),
            text,
            flags=re.MULTILINE,
        )

    def _take_sentinel(self) -> bool | None:
        """What the writer says a 1 stands for: True for “without limit”, False for “wanted”; None if nothing is said."""
        said = SENTINEL.search(self.text)
        if said is None:
            return None
        line = self.text[said.start() :].split("\n")[0]
        self.text = self.text[: said.start()] + " " * len(said[0]) + self.text[said.end() :]
        self.reading.settle(*said.span())
        return bool(NO_LIMIT.search(line) or "无数量要求" in line)

    def _named_and_quoted(self) -> tuple[list[Mentioned], list[Quoted]]:
        """Names of goods and standards: of two that overlap wholly, the longer is what was meant (N95口罩, NIOSH N95)."""
        named, quoted = self.dictionary.mentions(self.text), self.dictionary.quotations(self.text)
        others = [Quoted(*match.span()) for match in NOT_GOODS.finditer(self.text)]
        named = [one for one in named if any(item.code != "OTHER" for item in one.items)]
        named = sorted([*named, *self._bleach(named, quoted)])
        names = [
            one for one in named if not any(_lies_in(one, other) for other in _around((quoted, others), one))
        ]
        return names, [
            one
            for one in quoted
            if not any(other.start <= one.start and one.end <= other.end for other in _around((names,), one))
            and self.text[one.start : one.end].upper()
            != "N95"  # a word for a grade, not a quotation of the American standard
        ]

    def _bleach(self, named: list[Mentioned], quoted: list[Quoted]) -> Iterator[Mentioned]:
        """A bare 84 among goods is the disinfectant; a figure with a unit behind it is a count."""
        bleach = self.dictionary.items.get("BLEACH84")
        if bleach is None or not named:
            return
        spans = [(one.start, one.end) for one in named] + [(one.start, one.end) for one in quoted]
        for match in BLEACH.finditer(self.text):
            if not any(start <= match.start() < end for start, end in spans):
                yield Mentioned(*match.span(), (bleach,))


def _inside(parts: list[Part], start: int, end: int) -> list[Part]:
    """Those of them, in their order, that lie between two places."""
    first = bisect_left(parts, start, key=_start)
    return [one for one in islice(parts, first, bisect_left(parts, end, key=_start)) if one.end <= end]


def _around(
    groups: Iterable[Sequence[Mentioned | Quoted]], part: Mentioned | Quoted
) -> Iterator[Mentioned | Quoted]:
    """Those that may reach around a part of the text: none is longer than a hundred signs."""
    for parts in groups:
        first = bisect_left(parts, part.start - 100, key=_start)
        yield from islice(parts, first, bisect_left(parts, part.end, key=_start))


def _start(part: Mentioned | Quoted) -> int:
    return part.start


def _left_out(match: re.Match[str]) -> str:
    """Gone, without making the wide gap that parts the cells of a table."""
    return "\u3000" * len(match[0])


def _lies_in(one: Mentioned | Quoted, other: Mentioned | Quoted) -> bool:
    inside = other.start <= one.start and one.end <= other.end
    return inside and one.end - one.start < other.end - other.start
