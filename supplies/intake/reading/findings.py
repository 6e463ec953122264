"""What a reader noticed: a code with its words, made into a sentence only when somebody reads it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext_lazy as _

from supplies.leaks import masked

SENTENCES: Mapping[str, Any] = {
    # text and encodings
    "encoding": _("The file is not readable as UTF-8, UTF-16 or GB18030 (first bad byte in line %(line)s)."),
    "damaged-utf8": _(
        "The file is UTF-8, but line %(line)s holds a damaged character; save it again as UTF-8."
    ),
    "nul": _(
        "The text holds a NUL character (line %(line)s); it may be a spreadsheet saved as text. Remove it."
    ),
    "surrogate": _("The text holds half a character (lone surrogate, line %(line)s); type it again."),
    "too-long": _("The text has %(length)s characters; at most %(most)s are read."),
    "not-text": _("A text was expected, not “%(cell)s”."),
    # quantities
    "not-a-quantity": _(
        "“%(cell)s” is not a quantity; write a whole number, “不限” (no limit) or leave it empty."
    ),
    "negative": _("The quantity %(cell)s is negative; write how many are wanted."),
    "zero": _("The quantity is zero; leave the line out if nothing is wanted."),
    "not-wanted": _("“%(cell)s” says that nothing is wanted."),
    "fraction": _("The quantity %(cell)s is not a whole number; goods are counted in whole pieces."),
    "huge": _("The quantity %(cell)s is more than %(most)s, the largest that can be asked for or given."),
    "ambiguous-number": _("“%(cell)s” can be read as two different numbers; write it without separators."),
    "backward-range": _("The range “%(cell)s” ends below its beginning."),
    "no-number": _("“%(cell)s” names no number; the quantity is taken as unknown."),
    "range": _("The text names a range, %(low)s to %(high)s; the lower figure is certain."),
    "at-least": _("The text says “at least %(low)s”; more is welcome."),
    "approximate": _("The figure in “%(cell)s” is approximate."),
    "second-figure": _("The cell also says “%(rest)s”; only the first figure is used."),
    "other-rate": _("“%(cell)s” is a rate per week, month or year; it is read as one quantity."),
    "standard-in-cell": _("The quantity cell also names the standard “%(standard)s”."),
    # items
    "synonyms": _("“%(cell)s” can mean several goods; it is read as %(item)s."),
    "repeated-item": _("“%(item)s” is named twice; it is counted once."),
    "and-so-on": _("The list ends with “等” (and so on): more may be wanted than is written."),
    "uneven-lists": _("There are %(items)s goods but %(standards)s requirements; the rest have none."),
    # people, places, dates
    "no-number-in-contact": _("A contact holds no telephone number that could be read."),
    "two-organisations": _("Two organisations in one name: “%(first)s” and “%(second)s”; the first is used."),
    "impossible-date": _("“%(cell)s” is not a date of the calendar."),
    # rows of a list
    "not-a-list": _("The file is not a list of rows; expected JSON as published, a list of objects."),
    "bad-json": _("The file is not readable JSON (line %(line)s): it may have been cut off."),
    "not-a-list-of-cells": _("“%(field)s” should be a list of objects."),
    "unread-cell": _("The list's own reader could not read this cell; the quantity is taken as unknown."),
    "row-not-an-object": _("The row is not an object with named fields."),
    "missing": _("“%(field)s” is missing."),
    "unknown-place": _("The place “%(place)s” is not in the table of regions."),
    "unsure-place": _("“%(place)s” does not agree with itself; it is read as %(region)s."),
    "place-of-city": _("The district “%(place)s” is not in the table of regions; the city is used."),
    "unknown-item": _("“%(item)s” is not in the catalogue."),
    "no-goods": _("The row names no goods that could be read."),
    "unusual-quantity": _(
        "%(quantity)s %(unit)s of %(item)s is outside the plausible %(low)s to %(high)s; a volunteer decides."
    ),
    "quantity-not-given": _("The list gives no quantity for %(item)s; a volunteer has to ask."),
    "not-countable": _("%(item)s: %(sentence)s The quantity is taken as unknown."),
    "unit-not-given": _(
        "%(item)s: %(quantity)s of what is not said, and a bottle can hold anything. The quantity is taken as unknown."
    ),
    "unsure-item": _("“%(cell)s” is perhaps %(item)s; a volunteer decides."),
    "no-certificate": _(
        "No certificate of the maker is given; a volunteer publishes the donation when it is shown."
    ),
    "standard-impossible": _("%(item)s: %(sentence)s"),
    "standard-withdrawn": _("%(item)s: %(sentence)s"),
    "standard-not-yet-in-force": _("%(item)s: %(sentence)s"),
    "standard-unverified": _("%(item)s: %(sentence)s"),
    "standard-wrong-item": _("%(item)s: %(sentence)s"),
    "standard-class-not-stated": _("%(item)s: %(sentence)s"),
    "standard-unknown": _("%(item)s: %(sentence)s"),
    "near-name": _("“%(name)s” is taken to be “%(known)s”, known in the same place."),
    "repeated-too-often": _("“%(name)s” stands in the list more than ninety-nine times."),
    "asked-already": _(
        "%(item)s is asked for by the same facility in another row already; it is counted once."
    ),
    "not-a-hospital": _(
        "“%(name)s” does not read like a hospital or a charity; it is kept as a receiving body."
    ),
    "address-several": _("The address names several places; the first is used."),
    "bad-link": _("The source link is not a web address; it is kept in the raw row only."),
    "leak-hidden": _("%(count)s telephone, bank or identity numbers were hidden in the public remark."),
    "goods-in-remark": _("The remark names more goods: %(goods)s. Ask whether they are needed."),
    "line-gone": _(
        "%(item)s was asked for before and is missing from the row now; it stays open until somebody asks."
    ),
    "line-changed": _("%(item)s is written differently now; what was entered stays until somebody asks."),
    "row-gone": _("%(count)s rows of an earlier list are missing from this one; they stay as they are."),
    "not-stored": _("The row could not be stored; the log of the server says why."),
    "too-big": _("The file has %(size)s megabytes; at most %(most)s are read."),
    "cannot-open": _("The file cannot be opened: %(reason)s."),
    "refused": _("%(sentence)s"),
    # review
    "corrected": _("A volunteer has said what “%(cell)s” means in lists of this source."),
    "not-goods": _("“%(cell)s” is left out: a volunteer has said that it is nothing that is wanted."),
    "file-lost": _("The file is no longer there. Hand it in again."),
    "format-unknown": _(
        "No format that is known here can read this file. Choose its format, or its columns."
    ),
}


@dataclass(frozen=True)
class Finding:
    """Something a volunteer should know about one cell. `field` is empty when it is about the whole row."""

    code: str
    words: Mapping[str, str] = field(default_factory=dict)
    field: str = ""

    @property
    def sentence(self) -> str:
        return str(SENTENCES[self.code]) % self.words

    def at(self, place: str) -> "Finding":
        """The same finding, said about a named field."""
        return replace(self, field=place)

    def as_json(self) -> dict[str, Any]:
        words = {name: masked(word) for name, word in self.words.items()}
        return {"code": self.code, "field": self.field, "words": words}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Finding":
        return cls(stored["code"], stored["words"], stored["field"])


def found(code: str, **words: object) -> Finding:
    """A finding with its words; long quotations are shortened so that a sentence stays a sentence."""
    return Finding(code, {name: shorten(str(word)) for name, word in words.items()})


def shorten(text: str, most: int = 120) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


class Unreadable(ValueError):
    """A cell or file that cannot be read; `finding` says which and why."""

    def __init__(self, code: str, **words: object) -> None:
        self.finding = found(code, **words)
        super().__init__(code)

    def __str__(self) -> str:
        return self.finding.sentence

    def at(self, place: str) -> "Unreadable":
        """The same refusal, said about a named field."""
        self.finding = self.finding.at(place)
        return self


@contextmanager
def about(field: str) -> Iterator[None]:
    """What is unreadable inside is said about this field."""
    try:
        yield
    except Unreadable as error:
        raise error.at(field) from None
