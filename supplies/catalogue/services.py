"""Loading the catalogue, correcting it, and asking it."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import NamedTuple

from django.apps import apps
from django.db import transaction
from django.db.models import Model
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from supplies.catalogue.dictionary import Dictionary, Found, StandardReading
from supplies.catalogue.marks.mark import bare
from supplies.catalogue.marks.reading import Reading, read_marks
from supplies.catalogue.models import (
    Category,
    CounterfeitMark,
    Item,
    Standard,
    Substitution,
    TransportMode,
    Unit,
    UnitRule,
)
from supplies.editions.services import Loaded, load_table, read_rows

MOST_SCANNED = 200
REFERENCE = Path(__file__).parent / "reference"
SUPPLIES = Path(__file__).parent.parent
TABLES: list[tuple[type[Model], str, list[str]]] = [
    (Category, "categories.csv", ["code"]),
    (Unit, "units.csv", ["code"]),
    (Item, "items.csv", ["code"]),
    (UnitRule, "unit_rules.csv", ["code"]),
    (Standard, "standards.csv", ["code"]),
    (Substitution, "substitutions.csv", ["offered", "satisfies", "item", "jurisdiction"]),
    (TransportMode, "transport_modes.csv", ["code"]),
]


@transaction.atomic
def load_reference(*, at: datetime) -> list[Loaded]:
    """Load the catalogue and the tracking codes. Loading twice changes nothing; edited rows stay."""
    loaded = [load_table(model, read_rows(REFERENCE / name), key=key, at=at) for model, name, key in TABLES]
    # Shipments build on the catalogue, so their table is asked for by name rather than imported.
    codes = read_rows(SUPPLIES / "shipments" / "reference" / "tracking_codes.csv")
    tracking = apps.get_model("supplies", "TrackingCode")
    return [*loaded, load_table(tracking, codes, key=["vocabulary", "code"], at=at)]


def find_items(text: str) -> list[Found]:
    """`Dictionary.find_items` for a single text."""
    return Dictionary().find_items(text)


def read_standard(text: str, item: Item | None = None, *, on: date) -> StandardReading:
    """`Dictionary.read_standard` for a single text."""
    return Dictionary().read_standard(text, item, on=on)


def to_base(
    item: Item, quantity: int | Decimal | Fraction, unit_text: str = "", pack_content: int | None = None
) -> int:
    """`Dictionary.to_base` for a single quantity."""
    return Dictionary().to_base(item, quantity, unit_text, pack_content)


# -- Sources -----------------------------------------------------------------------------------------------


class Citation(NamedTuple):
    """Where a rule was read. What an administrator wrote as a source has no address."""

    key: str
    citation: str
    url: str = ""


def citations(source: str) -> list[Citation]:
    """What the keys of a row's source stand for, in the reader's language."""
    keys = [key for part in source.split(";") if (key := part.strip())]
    known = _sources((get_language() or "").startswith("zh"))
    return [known.get(key, Citation(key, key)) for key in keys]


@cache
def _sources(in_chinese: bool) -> dict[str, Citation]:
    rows = read_rows(REFERENCE / "sources.csv")
    column = "citation_zh" if in_chinese else "citation"
    return {row["key"]: Citation(row["key"], row[column] or row["citation"], row["url"]) for row in rows}


# -- Known counterfeits ------------------------------------------------------------------------------------


class Hit(NamedTuple):
    """A row of the list that these goods are like; `is_exact` where a whole number of it is printed on them."""

    mark: CounterfeitMark
    is_exact: bool

    @property
    def sentence(self) -> str:
        facts = {
            "mark": str(self.mark),
            "source": self.mark.source,
            "day": self.mark.stated_on,
            "wrong": self.mark.warning,
        }
        return (
            _(
                "“%(mark)s” stands in a list of known counterfeits (%(source)s, %(day)s): compare the package. %(wrong)s"
            )
            % facts
        )


class Counterfeits:
    """The list of known counterfeits as it stands, read once for everything one request holds."""

    def __init__(self) -> None:
        self.marks = list(CounterfeitMark.objects.active().latest_first())

    def like(self, text: str, reading: Reading, *, lot: str = "") -> list[Hit]:
        """The rows that a text is like, with the marks that were read in it and the lot that is printed beside."""
        numbers = {*map(bare, reading.numbers), bare(text)}
        lots = {*map(bare, reading.lots), bare(lot)} - {""}
        hits = (self._hit(mark, bare(text), numbers, reading.gtins) for mark in self.marks)
        return [hit for hit in hits if hit is not None and _has_lot(hit.mark, lots)]

    @staticmethod
    def _hit(mark: CounterfeitMark, text: str, numbers: set[str], gtins: set[str]) -> Hit | None:
        if mark.number and bare(mark.number) in numbers:
            return Hit(mark, True)
        if mark.gtin and mark.gtin.zfill(14) in gtins:
            return Hit(mark, True)
        pattern = re.sub(r"[^0-9A-Z*?\u4e00-\u9fff]", "", mark.number_pattern.upper())
        if pattern and any(fnmatchcase(number, pattern) for number in numbers):
            return Hit(mark, False)
        names = [bare(mark.maker), bare(mark.model)]
        return Hit(mark, False) if all(names) and all(name in text for name in names) else None


class Printed(NamedTuple):
    """What is printed on goods that are offered.

    remarks    what is odd, as the field it is about and a sentence; nothing is refused for it
    """

    lot_number: str
    expires_on: date | None
    remarks: list[tuple[str, str]]


def read_package(
    *,
    registration_number: str,
    scanned: str,
    lot_number: str,
    expires_on: date | None,
    counterfeits: Counterfeits,
    on: date,
) -> Printed:
    """Lot and expiry, from the scanned code where nobody typed them, and what is odd about numbers and codes."""
    number, code = read_marks(registration_number, on=on), read_marks(scanned, on=on)
    remarks = [("scanned", str(w.text)) for mark in code.marks for w in mark.oddities]
    remarks += [("registration_number", str(w.text)) for mark in number.marks for w in mark.oddities]
    if registration_number and not number.marks:
        text = _("“%(number)s” has no form of a registration number that is known here.")
        remarks.append(("registration_number", text % {"number": registration_number}))
    if scanned and not code.marks:
        remarks.append(
            ("scanned", _("The scanned code was not understood: “%(text)s”.") % {"text": scanned[:60]})
        )
    if len({*map(bare, code.lots), *([bare(lot_number)] if lot_number else [])}) > 1:
        facts = {"typed": lot_number, "scanned": ", ".join(sorted(code.lots))}
        remarks.append(("lot_number", _("The lot is %(typed)s, but the code says %(scanned)s.") % facts))
    if expires_on and code.expiries - {expires_on}:
        facts = {"typed": str(expires_on), "scanned": str(min(code.expiries))}
        remarks.append(("expires_on", _("The expiry is %(typed)s, but the code says %(scanned)s.") % facts))
    lot = lot_number or min(code.lots, default="")
    for text, reading, field in (
        (registration_number, number, "registration_number"),
        (scanned, code, "scanned"),
    ):
        remarks += (
            [(field, hit.sentence) for hit in counterfeits.like(text, reading, lot=lot)] if text else []
        )
    return Printed(lot, expires_on or min(code.expiries, default=None), list(dict.fromkeys(remarks)))


def _has_lot(mark: CounterfeitMark, lots: set[str]) -> bool:
    """Whether it may be one of these lots; where no lot is known, it may."""
    if not mark.lot_from or not lots:
        return True
    first, last = bare(mark.lot_from), bare(mark.lot_to)
    return any((len(first), first) <= (len(lot), lot) <= (len(last), last) for lot in lots)
