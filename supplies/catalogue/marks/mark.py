"""What is read from a number: its parts, what is odd about it, and whom to ask whether it exists."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.catalogue.dictionary import Warning

FORM_ONLY = gettext_lazy("the form of the number")
CHECK_DIGIT = gettext_lazy("the form of the number and its check digit")


class Part(NamedTuple):
    """What one piece of a number says, for people."""

    label: str | Promise
    says: str | Promise


class Register(NamedTuple):
    """Where somebody can ask whether a number exists."""

    name: str
    url: str


@dataclass(frozen=True)
class Mark:
    """One number or code that was found.

    kind        stable, for programs
    text        as it was written
    number      as it is compared: half width, without spaces and signs
    checked     what was looked at, as the object of a sentence
    region      the six digits of GB/T 2260 it names, or empty
    gtin …      what a scanned code holds; empty or None where it does not
    """

    kind: str
    text: str
    number: str
    title: str | Promise
    parts: tuple[Part, ...] = ()
    oddities: tuple[Warning, ...] = ()
    checked: str | Promise = FORM_ONLY
    register: Register | None = None
    region: str = ""
    gtin: str = ""
    lot: str = ""
    serial: str = ""
    expires_on: date | None = None
    made_on: date | None = None


def bare(text: str) -> str:
    """A number as compared: half width, upper case, letters and digits only."""
    return re.sub(r"[^0-9A-Z\u4e00-\u9fff]+", "", plain(text).upper())


TRADITIONAL = str.maketrans(
    "國準進許註備藥監號類產營經衛證蘇贛遼雲隴陝寧貴瓊閩晉滬〔〕【】",
    "国准进许注备药监号类产营经卫证苏赣辽云陇陕宁贵琼闽晋沪()()",
)
SEPARATORS = re.compile(r"<GS>|\{GS\}|\[GS\]|<FNC1>|\{FNC1\}|\[FNC1\]|\^\]|\\x1d|␝", re.IGNORECASE)


def plain(text: str) -> str:
    """Half width, in simplified signs where numbers use them; however a scanner writes the separator, it is one sign."""
    return SEPARATORS.sub("\x1d", unicodedata.normalize("NFKC", text)).translate(TRADITIONAL)


def odd_year(year: int, first: int, last: int) -> Iterator[Warning]:
    if not first <= year <= last:
        facts = {"year": year, "first": first, "last": last}
        text = _("The year %(year)d is odd: numbers of this form are of %(first)d to %(last)d.") % facts
        yield Warning("odd-year", text)


def wrong_check_digit() -> Warning:
    return Warning(
        "wrong-check-digit", _("The check digit is wrong: something was misread, mistyped or made up.")
    )
