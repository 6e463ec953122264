"""The catalogue as forms and lists show it. It says the same to everybody and changes a few times a month, so a process
keeps it until a row of it is another.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import groupby
from typing import Any

from django.db import connection
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from supplies.catalogue.dictionary import Dictionary, folded
from supplies.catalogue.models import (
    Category,
    CounterfeitMark,
    Item,
    Standard,
    StandardStatus,
    Substitution,
    Unit,
    UnitKind,
    UnitRule,
)
from supplies.catalogue.services import Counterfeits
from supplies.catalogue.serving import Serving

SYNONYMS_SHOWN = 2
SUGGESTED = 8
TABLES = (
    *(Category, Unit, Item, UnitRule, Standard, Substitution, CounterfeitMark),
    *(Item.ambiguous_with.through, Standard.items.through, UnitRule.items.through),
)
KEPT = 4  # two languages, before and after a change


@lru_cache(maxsize=KEPT)
def _kept(_state: Decimal, _language: str | None) -> "Shelf":
    return Shelf()


def _state() -> Decimal:
    """A number that is another as soon as a row of the catalogue is: of where each lies, and of the transaction that wrote it.

    It cannot be forgotten, as a version that somebody has to raise can; and who changes a row sees it changed before others do.
    """
    rows = " UNION ALL ".join(
        f'SELECT tableoid, ctid, xmin FROM "{model._meta.db_table}"'  # nosec B608 # names of our own tables
        for model in TABLES
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT coalesce(sum(hashtextextended(concat(tableoid, ctid, xmin), 0)), 0) FROM ({rows}) AS rows"  # nosec B608
        )
        state: Decimal = cursor.fetchone()[0]
    return state


FAR = 3


def _closeness(name: str, word: str) -> int:
    """0 the very name, 1 its beginning, 2 inside it, FAR otherwise."""
    return 0 if name == word else 1 if name.startswith(word) else 2 if word in name else FAR


@dataclass(frozen=True)
class Suggestion:
    """An item, and the name of it that was meant."""

    item: Item
    called: str

    @property
    def other_name(self) -> str:
        """The name that was meant, where it is not the one that is shown."""
        return "" if self.called == self.item.name else self.called


class Shelf:
    """The catalogue in one language, read as far as it is asked for. Nothing of it may be changed: others read it too."""

    @staticmethod
    def kept() -> "Shelf":
        """The catalogue as it stands, in the reader's language."""
        return _kept(_state(), get_language())

    @cached_property
    def every_item(self) -> dict[str, Item]:
        """Those too that are not offered any more."""
        rows = Item.objects.select_related("category", "base_unit", "display_unit").by_category()
        return {item.code: item for item in rows}

    @cached_property
    def items(self) -> dict[str, Item]:
        return {code: item for code, item in self.every_item.items() if item.is_active}

    @cached_property
    def dictionary(self) -> Dictionary:
        return Dictionary(self.items)

    @cached_property
    def serving(self) -> Serving:
        return Serving(self.every_item, self.dictionary)

    @cached_property
    def counterfeits(self) -> Counterfeits:
        return Counterfeits()

    @cached_property
    def category_choices(self) -> list[tuple[Any, Any]]:
        """The categories that hold items."""
        return list({item.category_id: item.category.name for item in self.items.values()}.items())

    @cached_property
    def standard_choices(self) -> list[tuple[Any, Any]]:
        return [(standard.code, standard.title) for standard in self.dictionary.standards.values()]

    @cached_property
    def standards_known(self) -> list[str]:
        """Codes offered as suggestions while a standard is typed."""
        known = self.dictionary.standards.values()
        return [standard.code for standard in known if standard.status != StandardStatus.IMPOSSIBLE]

    def codes_in(self, category: str) -> list[str]:
        """Of a category every item, those too that are not offered any more."""
        return [code for code, item in self.every_item.items() if item.category_id == category]

    @cached_property
    def item_choices(self) -> list[tuple[Any, Any]]:
        """Items under their categories, each with other names it goes by and the unit it is counted in."""
        groups = groupby(self.items.values(), key=lambda item: item.category.name)
        return [(category, [(item.code, _label(item)) for item in items]) for category, items in groups]

    def suggest(self, text: str) -> list[Suggestion]:
        """The items somebody may mean who types this, the likeliest first: the whole name before its beginning, and that
        before what lies inside it; last what the dictionary makes of it.
        """
        word = folded(text)
        if not word:
            return []
        ranked = []
        for place, item in enumerate(self.items.values()):
            names = [item.name, item.name_zh, item.name_en, item.code, *item.synonyms]
            fits = [(_closeness(folded(name), word), position) for position, name in enumerate(names)]
            closeness, position = min(fits)
            if closeness < FAR:
                ranked.append(((closeness, place), Suggestion(item, names[position])))
        if not ranked:
            found = self.dictionary.find_items(text)
            return [Suggestion(self.items[one.item.code], one.item.name) for one in found][:SUGGESTED]
        return [one for _rank, one in sorted(ranked, key=lambda pair: pair[0])][:SUGGESTED]

    @cached_property
    def unit_choices(self) -> list[tuple[Any, Any]]:
        kinds = dict(UnitKind.choices)
        units = list(
            Unit.objects.filter(pk__in=UnitRule.objects.values("unit")).order_by("kind", "source", "code")
        )
        groups = groupby(
            sorted(units, key=lambda unit: UnitKind.values.index(unit.kind)), key=lambda u: u.kind
        )
        return [
            ("", _("the usual unit")),
            *[(kinds[kind], [(unit.code, unit.name) for unit in group]) for kind, group in groups],
        ]

    @cached_property
    def units(self) -> dict[str, Unit]:
        return {unit.code: unit for unit in Unit.objects.all()}

    def to_base(self, item: Item, amount: Fraction, unit: str = "", content: int | None = None) -> int:
        """Base units of the item. Raises ValidationError for "quantity", "unit" or "pack_content"."""
        if not unit and item.needs_pack_content:
            unit = item.display_unit_id
        spoken = self.units[unit].name if unit in self.units else ""
        # The code serves where a name is not spoken of this item; a refusal names the unit as people say it.
        is_known_by_code = unit and self.dictionary.unit_rule(item, unit) is not None
        is_known = spoken and self.dictionary.unit_rule(item, spoken) is not None
        words = spoken if is_known or not is_known_by_code else unit
        return self.dictionary.to_base(item, amount, words or unit, content)

    def is_package(self, item: Item, unit: str) -> bool:
        rule = self.dictionary.unit_rule(item, unit) if unit else None
        return rule is not None and rule.is_package

    def standards(self, text: str, item: Item, *, on: date) -> tuple[list[Standard], list[str], list[str]]:
        """The usable standards a text quotes, what was odd about them, and what was not understood at all."""
        if not text.strip():
            return [], [], []
        # Where no standard is loaded yet, none can be recognised.
        readings = self.dictionary.read_standards(text, item, on=on) if self.dictionary.standards else []
        found = [reading.standard for reading in readings if reading.standard is not None]
        odd = [str(w.text) for reading in readings if reading.standard is not None for w in reading.warnings]
        # The last warning is the one that decided.
        wrong = [str(r.warnings[-1].text) for r in readings if r.standard is None and r.warnings]
        if not readings:
            wrong = [_("No standard was recognised in “%(text)s”.") % {"text": text}]
        return list(dict.fromkeys(found)), odd, wrong


def _label(item: Item) -> str:
    is_chinese, plain = not item.name.isascii(), item.name.lower()
    readable = [word for word in item.synonyms if word.isupper() or word.isascii() != is_chinese]
    others = [word for word in readable if word.lower() not in plain][:SYNONYMS_SHOWN]
    names = f"{item.name} — {', '.join(others)}" if others else item.name
    return f"{names} ({item.display_unit.name.partition('(')[0]})"
