"""From a cell that names goods to a line that a need or an offer can be made of."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError

from supplies.catalogue.dictionary import (
    LIKE,
    SURE,
    Dictionary,
    Found,
    StandardReading,
    Warning,
    within_most,
)
from supplies.catalogue.models import Item, Standard, Unit
from supplies.intake.confidence import Confidence, confidence
from supplies.intake.corrections import Corrections, counted
from supplies.intake.formats.listed import ListedGoods
from supplies.intake.models import Correction
from supplies.intake.reading.findings import Finding, found
from supplies.intake.reading.items import read_goods
from supplies.intake.reading.quantities import Kind, Quantity
from supplies.leaks import masked
from supplies.needs.models import QuantityKind

_STERILE = re.compile(
    r"(?<![非未不])(?:已?灭菌|无菌)(?!型?优先|更佳|为佳|最好)|(?<!non-)(?<!non )(?<!not )\bsterile\b(?! preferred)",
    re.IGNORECASE,
)
_LONGEST_NAME_IN_REMARK = 20
_ANY_MASK = re.compile(r"口罩|(?:(?:medical|protective|disposable) )*(?:face ?)?masks?", re.IGNORECASE)
_MASKS = {"RESP_MED", "RESP_PART", "MASK_SURG", "MASK_DISP", "MASK_CIVIL"}
REMEMBERED = 20_000  # cells whose item or standard is known; a list says the same again and again


@dataclass(frozen=True)
class Line:
    """A cell understood. `waits` when a volunteer has to see it first; it is then in no match.

    quantity    in base units; None unless the kind is a number
    daily_use   in base units, from a rate per day
    conditions  what the writer demands of the goods, in the writer's words
    """

    goods: ListedGoods
    item: Item | None
    kind: str
    quantity: int | None = None
    daily_use: int | None = None
    unit: Unit | None = None
    standards: tuple[Standard, ...] = ()
    is_sterile: bool = False
    waits: bool = False
    findings: tuple[Finding, ...] = ()
    conditions: tuple[str, ...] = ()

    @property
    def confidence(self) -> Confidence:
        return confidence(self.findings, waits=self.waits)


@dataclass
class Reader:
    """Reads the goods of one import: one catalogue, one day for which editions are judged, what volunteers said before."""

    as_of: date
    gives: bool
    corrections: Corrections = field(default_factory=Corrections)
    dictionary: Dictionary = field(default_factory=Dictionary)
    _known: dict[tuple[tuple[str, ...], str], tuple[Item | None, tuple[Finding, ...]]] = field(
        default_factory=dict
    )

    def read(self, goods: ListedGoods, row: str = "") -> Line:
        """`row` is the key of the row the goods stand in, by which a correction of this very cell is found."""
        item, findings = self._item_of(goods)
        standards, about_standards = self._standards(goods, item)
        said = self.corrections.quantity(goods, row)
        if said is not None:  # what the cell's own reading complained of is settled with it
            goods = replace(goods, findings=())
        count = _said(said) if said is not None else self._count(goods, item)
        every = (*goods.findings, *findings, *about_standards, *count.findings)
        return Line(
            goods=goods,
            item=item,
            kind=count.kind,
            quantity=count.quantity,
            daily_use=count.daily_use,
            unit=count.unit,
            standards=standards,
            is_sterile=bool(_STERILE.search(f"{' '.join(goods.names)} {goods.specification}")),
            waits=count.waits or item is None or any(finding.code == "unsure-item" for finding in findings),
            findings=tuple(finding.at(finding.field or goods.heading) for finding in every),
            conditions=goods.requirements,
        )

    def forget(self) -> None:
        """What was found out about words before somebody may have said otherwise."""
        self._known.clear()
        self._quoted.clear()

    def goods_in(self, remark: str, listed: Iterable[Line]) -> list[str]:
        """Names of goods a remark asks for beside the listed ones."""
        items = {line.item.code for line in listed if line.item}
        names = []
        for mention in read_goods(remark).mentions:
            name = mention.names[0]
            if len(name) > _LONGEST_NAME_IN_REMARK or re.search(r"\d{5}|https?$", name):
                continue
            meant = self.dictionary.find_items(name)
            if meant and not _is_guess(meant) and not items & {one.item.code for one in meant}:
                names.append(f"{name}{mention.figure}")
        return names

    # -- which item ---------------------------------------------------------------------------------------

    def _item_of(self, goods: ListedGoods) -> tuple[Item | None, tuple[Finding, ...]]:
        key = (goods.names, goods.specification)
        if key not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[key] = self._find_item(goods)
        return self._known[key]

    def _find_item(self, goods: ListedGoods) -> tuple[Item | None, tuple[Finding, ...]]:
        heading = " | ".join(goods.names)
        if said := self.corrections.item(goods):
            return said, (found("corrected", cell=heading),)
        if specified := self._specified(goods.specification):
            return specified, ()
        meanings = [meant for name in goods.names if (meant := self.dictionary.find_items(name))]
        if not meanings:
            return None, (found("unknown-item", item=heading),)
        best = _agreed(meanings)
        if all(map(_is_any_mask, goods.names)) and (mask := self._mask_of(goods.specification)):
            return mask, ()
        if all(map(_is_guess, meanings)):
            return best[0].item, (found("unsure-item", cell=heading, item=best[0].item.name),)
        if len(best) == 1 and not any(one.is_ambiguous for meant in meanings for one in meant):
            return best[0].item, ()
        return self._by_standard(best, goods, heading)

    def _specified(self, specification: str) -> Item | None:
        """“Thermometers”, specified as “thermal camera”: the narrower word counts, if it is exactly a name."""
        meant = self.dictionary.find_items(specification) if specification else []
        sure = [one for one in meant if one.confidence == SURE and not one.is_ambiguous]
        return sure[0].item if sure else None

    def _mask_of(self, specification: str) -> Item | None:
        """Which mask somebody means who says only “mask”: the one whose standard is quoted."""
        if "民用" in specification and "MASK_CIVIL" in self.dictionary.items:
            return self.dictionary.items["MASK_CIVIL"]
        for reading in self.dictionary.read_standards(specification, on=self.as_of) if specification else []:
            is_number = reading.quoted is not None and re.search(r"\d{3}|FFP|KN|NIOSH", reading.text)
            for code in (
                self.dictionary.items_of.get(reading.quoted.code, ()) if is_number and reading.quoted else ()
            ):
                if code in _MASKS and code in self.dictionary.items:
                    return self.dictionary.items[code]
        return None

    def _by_standard(
        self, meant: list[Found], goods: ListedGoods, heading: str
    ) -> tuple[Item, tuple[Finding, ...]]:
        """Of several items the one whose standard the specification quotes; else the likeliest, with a finding."""
        quoted = {
            reading.quoted.code
            for reading in self.dictionary.read_standards(goods.specification, on=self.as_of)
            if reading.quoted
        }
        for one in meant:
            if quoted & self._standards_of(one.item):
                return one.item, ()
        return meant[0].item, (found("synonyms", cell=heading, item=meant[0].item.name),)

    def _standards_of(self, item: Item) -> set[str]:
        if item.code not in self._codes:
            self._codes[item.code] = set(item.standards.values_list("code", flat=True))
        return self._codes[item.code]

    def __post_init__(self) -> None:
        self._codes: dict[str, set[str]] = {}
        self._quoted: dict[tuple[str, str], tuple[tuple[Standard, ...], list[Finding]]] = {}

    # -- which standards ----------------------------------------------------------------------------------

    def _standards(self, goods: ListedGoods, item: Item | None) -> tuple[tuple[Standard, ...], list[Finding]]:
        if not goods.specification or item is None:
            return (), []
        key = (goods.specification, item.code)
        if key not in self._quoted:
            if len(self._quoted) >= REMEMBERED:
                self._quoted.clear()
            self._quoted[key] = self._find_standards(goods, item)
        return self._quoted[key]

    def _find_standards(self, goods: ListedGoods, item: Item) -> tuple[tuple[Standard, ...], list[Finding]]:
        readings = self.dictionary.read_standards(goods.specification, item, on=self.as_of)
        standards = {reading.standard.code: reading.standard for reading in readings if reading.standard}
        findings = [
            found(f"standard-{warning.code}", item=item.name, sentence=warning.text)
            for reading in readings
            for warning in _telling(reading)
        ]
        return tuple(standards.values()), findings

    # -- how many -----------------------------------------------------------------------------------------

    def _count(self, goods: ListedGoods, item: Item | None) -> "_Count":
        quantity = goods.quantity
        if quantity is None:
            return _Count(QuantityKind.UNKNOWN, waits=True)
        if item is None or quantity.low is None:
            return self._without_number(quantity, item)
        if not quantity.unit and item.needs_pack_content:
            unsaid = found("unit-not-given", item=item.name, quantity=f"{quantity.low:,}")
            return _Count(QuantityKind.UNKNOWN, waits=self.gives, findings=(unsaid,))
        try:
            base, unit, words = self._in_base_units(goods, quantity, item)
        except ValidationError as error:
            uncounted = found("not-countable", item=item.name, sentence=" ".join(error.messages))
            return _Count(QuantityKind.UNKNOWN, waits=self.gives, findings=(uncounted,))
        said = (found("corrected", cell=words),) if words else ()
        if quantity.is_per_day and not self.gives:
            return _Count(QuantityKind.UNKNOWN, daily_use=base, unit=unit, findings=said)
        count = _plausible(base, unit, item)
        return replace(count, findings=(*said, *count.findings))

    def _without_number(self, quantity: Quantity, item: Item | None) -> "_Count":
        kind = QuantityKind.UNLIMITED if quantity.kind is Kind.UNLIMITED else QuantityKind.UNKNOWN
        if self.gives and item is not None:
            return _Count(kind, waits=True, findings=(found("quantity-not-given", item=item.name),))
        return _Count(kind, waits=self.gives)

    def _in_base_units(
        self, goods: ListedGoods, quantity: Quantity, item: Item
    ) -> tuple[int, Unit | None, str]:
        """With the unit to show it in, and the word of the cell of which somebody has said what it means."""
        content = None
        if quantity.pack:
            content = self.dictionary.to_base(item, quantity.pack.content, quantity.pack.unit)
        said, times = self.corrections.unit(goods, quantity.unit) or (None, 1)
        if times > 1 and quantity.pack:  # the cell itself says what its packs hold
            said, times = None, 1
        count = (quantity.low or 0) * times
        if said and said.pk == item.base_unit_id:
            return within_most(count), said, quantity.unit
        word = said.name_zh if said else quantity.unit
        base = self.dictionary.to_base(item, count, word, content)
        rule = self.dictionary.unit_rule(item, word) if word else None
        return base, rule.unit if rule else item.display_unit, quantity.unit if said else ""


def _telling(reading: StandardReading) -> list[Warning]:
    """Of a standard that belongs to other goods only that is said, not which class of it was meant."""
    wrong = [warning for warning in reading.warnings if warning.code == "wrong-item"]
    return wrong or list(reading.warnings)


@dataclass(frozen=True)
class _Count:
    kind: str
    quantity: int | None = None
    daily_use: int | None = None
    unit: Unit | None = None
    waits: bool = False
    findings: tuple[Finding, ...] = ()


def _said(said: Correction) -> _Count:
    kind, quantity = counted(said)
    return _Count(kind, quantity, findings=(found("corrected", cell=said.as_written),))


def _plausible(base: int, unit: Unit | None, item: Item) -> _Count:
    if item.is_plausible(base):
        return _Count(QuantityKind.NUMBER, base, unit=unit)
    outlier = found(
        "unusual-quantity",
        quantity=f"{base:,}",
        unit=item.base_unit.name,
        item=item.name,
        low=f"{item.plausible_min:,}",
        high=f"{item.plausible_max:,}",
    )
    return _Count(QuantityKind.NUMBER, base, unit=unit, waits=True, findings=(outlier,))


def _is_any_mask(name: str) -> bool:
    return _ANY_MASK.fullmatch(name.strip()) is not None


def _is_guess(meant: list[Found]) -> bool:
    """Found by likeness alone; every other way of finding shares one certainty out among the items."""
    certainty = sum(one.confidence for one in meant)
    return certainty <= LIKE or certainty > SURE + 0.05


def _agreed(meanings: list[list[Found]]) -> list[Found]:
    """The items that all names may mean, or else all that any may mean; the likeliest first."""
    common = set.intersection(*({one.item.code for one in meant} for meant in meanings))
    every = {
        one.item.code: one for meant in meanings for one in sorted(meant, key=lambda one: one.confidence)
    }
    chosen = [one for code, one in every.items() if code in common] or list(every.values())
    return sorted(chosen, key=lambda one: -one.confidence)


def line_of_need(line: Line) -> dict[str, Any]:
    """The line as `needs.services.post` takes it."""
    assert line.item is not None
    return {
        "item": line.item,
        "quantity_kind": line.kind,
        "quantity": line.quantity,
        "unit": line.unit,
        "as_written": line.goods.as_written[:300],
        "accepted_standards": line.standards,
        "medical_grade": line.item.needs_medical_grade,
        "sterile": line.is_sterile,
        "daily_use": line.daily_use,
        "requirements": requirements_of(line),
    }


def requirements_of(line: Line) -> str:
    """What the writer demands of the goods, for everybody to read; without the standards, which stand there by themselves."""
    codes = [_squeezed(standard.code) for standard in line.standards]
    said = [one for one in line.conditions if not (one.isascii() and _squeezed(one) in "\n".join(codes))]
    return masked(" · ".join(said))[:300]


def _squeezed(code: str) -> str:
    return re.sub(r"[^0-9A-Z]", "", code.upper())


def line_of_offer(line: Line, *, certificate: str = "") -> dict[str, Any]:
    """The line as `offers.services.post` takes it."""
    assert line.item is not None
    return {
        "item": line.item,
        "quantity": line.quantity,
        "unit": line.unit,
        "as_written": line.goods.as_written[:300],
        "standard": line.standards[0] if line.standards else None,
        "sterile": line.is_sterile,
        "registration_number": certificate[:60],
    }
