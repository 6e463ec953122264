"""A text made comparable place by place, so that what is read in it can be shown where it was written."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import opencc

from .text import refuse_long, refuse_unstorable

LONGEST = 20_000  # characters; a page of an announcement has two thousand
LONGEST_LINE = 1000  # characters; a longer one is read in pieces, since some readers look at a line from every place in it
BESIDE = 200  # characters around what is read, of the same line, that may say what it is
WIDEST_GAP = 60  # white characters in a row; more part nothing, and would only cost time
TAKEN = "\ue001"  # stands for every character that has been read
_UNSEEN = re.compile(
    "[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ue000-\uf8ff\x00-\x08\x0b\x0c\x0e-\x1f]"
)
_LINE_ENDS = re.compile("\r\n?|[\u0085\u2028\u2029]")


@dataclass(frozen=True)
class Plain:
    """`text` in half width, simplified characters and one kind of line end; `places[i]` is where its i-th character stood."""

    text: str
    places: Sequence[int]
    raw: str

    def written(self, start: int, end: int) -> str:
        """What was written where the plain text has [start, end)."""
        if start >= end:
            return ""
        return self.raw[self.places[start] : self.places[end - 1] + 1]


def plain_of(raw: str) -> Plain:
    """Raises Unreadable for what is too long or cannot be stored."""
    refuse_long(raw, LONGEST)
    refuse_unstorable(raw)
    ended = _LINE_ENDS.sub(lambda end: "\n" if len(end[0]) == 1 else " \n", raw)
    ended = re.sub("[0-9]\ufe0f?\u20e3", lambda key: "①".ljust(len(key[0])), ended)
    signs: list[str] = []
    places: list[int] = []
    gap = 0
    for place, sign in enumerate(ended):
        made = "" if _UNSEEN.match(sign) else _half_width(sign)
        gap = gap + 1 if made.isspace() else gap if not made else 0
        if gap > WIDEST_GAP:
            continue
        signs.append(made)
        places += [place] * len(made)
    text = "".join(signs)
    return Plain(_simplified(text), places, raw)


@cache
def _half_width(sign: str) -> str:
    if sign in "\n\t" or "①" <= sign <= "⒛" or "❶" <= sign <= "➓":
        return sign  # the number of a list: ① made plain would be a figure
    made = unicodedata.normalize("NFKC", sign)
    return " " if made.isspace() else made


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _simplified(text: str) -> str:
    """In simplified characters, one for one; a phrase that would change its length is converted sign by sign."""
    if text.isascii():
        return text
    simple: str = _converter().convert(text)
    if len(simple) == len(text):
        return simple
    return "".join(one if len(one := _converter().convert(sign)) == 1 else sign for sign in text)


_LONG_LINE = re.compile(rf"[^\n]{{{LONGEST_LINE}}}(?=[^\n])")


def _cut(piece: re.Match[str]) -> str:
    """With a line end in the place of its last sign that is neither letter nor figure, so that no number is cut in two."""
    words = piece[0]
    for parts in (str.isalnum, str.isdigit):
        for place in reversed(range(len(words))):
            if not parts(words[place]):
                return words[:place] + "\n" + words[place + 1 :]
    return "\n" + words[1:]  # a thousand figures in a row are no number


class Reading:
    """The plain text while it is read: who understands a stretch takes it, and the next reader no longer sees it."""

    def __init__(self, raw: str) -> None:
        self.plain = plain_of(raw)
        self.rest = _LONG_LINE.sub(_cut, self.plain.text)
        self.settled: list[tuple[int, int]] = []  # stretches whose figures no field has to hold

    def take(self, start: int, end: int) -> None:
        taken = "".join(sign if sign == "\n" else TAKEN for sign in self.rest[start:end])
        self.rest = self.rest[:start] + taken + self.rest[end:]

    def settle(self, start: int, end: int) -> None:
        """Take what is understood and kept nowhere on purpose."""
        self.take(start, end)
        self.settled.append((start, end))

    def take_all(self, pattern: re.Pattern[str]) -> list[re.Match[str]]:
        """Take every match that has not been read yet."""
        found = list(pattern.finditer(self.rest))
        for match in found:
            self.take(*match.span())
        return found

    def written(self, start: int, end: int) -> str:
        return self.plain.written(start, end)
