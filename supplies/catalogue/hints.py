"""What helps somebody who has just chosen an item: how it is counted, which standards are usual, what it is not."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from supplies.catalogue.models import Item, MedicalUse, Standard, Unit, UnitRule
from supplies.catalogue.shelf import Shelf
from supplies.wording import listed

STANDARDS_SHOWN = 4


@dataclass(frozen=True)
class Hint:
    """counted    sentences: what its units hold
    standards     usable on that day, those for medical use first
    not_to_be_confused    items people mix up with it
    """

    item: Item
    counted: list[str]
    standards: list[Standard]
    not_to_be_confused: list[Item]


def hints(items: Iterable[Item], shelf: Shelf, *, on: date) -> dict[str, Hint]:
    """By the code of the item."""
    return {item.code: _hint(item, shelf, on) for item in items}


def _hint(item: Item, shelf: Shelf, on: date) -> Hint:
    words = shelf.dictionary
    made_to = (one for one in words.standards.values() if item.code in words.items_of.get(one.code, ()))
    usable = [standard for standard in made_to if standard.is_in_force(on)]
    confused = words.confused_with.get(item.code, ())
    return Hint(
        item,
        _counted(item, _rules(item, shelf)),
        sorted(usable, key=lambda one: one.medical_use != MedicalUse.YES)[:STANDARDS_SHOWN],
        [words.items[code] for code in sorted(confused) if code in words.items],
    )


def _rules(item: Item, shelf: Shelf) -> list[UnitRule]:
    """The units of an item that do not explain themselves: several in one, or a pack."""
    found = (shelf.dictionary.unit_rule(item, unit.name) for unit in shelf.units.values())
    rules = {rule.pk: rule for rule in found if rule is not None}
    return [rule for rule in rules.values() if rule.is_package or rule.numerator != rule.denominator]


def _counted(item: Item, rules: list[UnitRule]) -> list[str]:
    """A sentence for each unit, and one for all packs together: of a mask there are ten."""
    base = _spoken(item.base_unit)
    said = [
        _("1 %(unit)s = %(number)s × %(base)s")
        % {
            "unit": _spoken(rule.unit),
            "number": f"{(rule.numerator or 1) / (rule.denominator or 1):,g}",
            "base": base,
        }
        for rule in rules
        if not rule.is_package
    ]
    said += [
        _("%(unit)s: write below what one holds in %(base)s, often %(number)s")
        % {"unit": _spoken(rule.unit), "number": f"{rule.typical_content:,}", "base": base}
        for rule in rules
        if rule.is_package and rule.typical_content
    ]
    packs = [_spoken(rule.unit) for rule in rules if rule.is_package and not rule.typical_content]
    if packs:
        said.append(
            _("Packs (%(units)s): write below what one holds, counted in: %(base)s")
            % {"units": listed(packs), "base": base}
        )
    return said


def _spoken(unit: Unit) -> str:
    return unit.name.partition("(")[0]
