"""Reading what people write: which item a word means, which standard they quote, how many base units they count.

A `Dictionary` reads the catalogue once; ask the same one about a whole file.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rapidfuzz import fuzz, process

from supplies.catalogue.models import Item, Standard, StandardStatus, UnitRule
from supplies.quantity import MOST

SURE, PART, WITHIN, LIKE = 1.0, 0.9, 0.8, 0.7
SEPARATORS = re.compile(r"[|/、，,;；。()（）\[\]【】:：或及和+]+")
MULTIPLIERS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
REMEMBERED = 20_000  # texts a dictionary has looked up, some megabytes
LIKENESS = 75  # Of 100; below it two words are not taken for the same.


class Found(NamedTuple):
    """An item a text may mean, how sure that is (0 to 1), and whether the text may as well mean another."""

    item: Item
    confidence: float
    is_ambiguous: bool


class Mentioned(NamedTuple):
    """A stretch of a text that names goods, and the items it may mean."""

    start: int
    end: int
    items: tuple[Item, ...]


class Quoted(NamedTuple):
    """A stretch of a text that quotes a standard, known or not."""

    start: int
    end: int


@dataclass(frozen=True)
class Warning:
    """Something odd about a quoted standard. `code` is stable; `text` is for people."""

    code: str
    text: str | Promise


@dataclass(frozen=True)
class StandardReading:
    """What a quotation comes to.

    standard    the one to go by; None if nothing usable was quoted
    quoted      the one that was written, which differs when it never existed or belongs to other goods
    text        the words that were read
    """

    standard: Standard | None
    warnings: tuple[Warning, ...] = ()
    quoted: Standard | None = None
    text: str = ""


class Dictionary:
    """The catalogue as it stood when it was first asked; of its items those that are given, if somebody has read them."""

    def __init__(self, items: dict[str, Item] | None = None) -> None:
        if items is not None:
            self.items = items

    @cached_property
    def items(self) -> dict[str, Item]:
        rows = Item.objects.active().select_related("base_unit", "display_unit").by_category()
        return {item.code: item for item in rows}

    @cached_property
    def standards(self) -> dict[str, Standard]:
        return {row.code: row for row in Standard.objects.order_by("code")}

    # -- items --------------------------------------------------------------------------------------------

    @cached_property
    def _words(self) -> dict[str, list[Item]]:
        """Every name of an item, as compared, with the items it may mean."""
        words: dict[str, list[Item]] = {}
        for item in self.items.values():
            for name in {folded(n) for n in (item.code, item.name_zh, item.name_en, *item.synonyms)}:
                words.setdefault(name, []).append(item)
        return words

    @cached_property
    def _asked(self) -> dict[str, list[Found]]:
        return {}

    def find_items(self, text: str) -> list[Found]:
        """The items a text may mean, the likeliest first; empty when it means none we know."""
        found = self._asked.get(text)  # a list names the same goods again and again
        if found is None:
            if len(self._asked) >= REMEMBERED:
                self._asked.clear()
            found = self._asked[text] = self._find_items(text)
        return list(found)

    def _find_items(self, text: str) -> list[Found]:
        if whole := self._words.get(folded(text)):
            return _found(whole, SURE)
        parts = [self._words[p] for p in map(folded, SEPARATORS.split(text)) if p in self._words]
        if parts:
            return _agreed(parts, PART)
        if inside := self._longest_within(text):
            return _agreed(inside, WITHIN)
        return self._resembling(folded(text))

    @cached_property
    def _names(self) -> list[str]:
        """The names looked for inside texts, the longest first. Bare figures are left out: 84 may be a quantity."""
        names = (name for name in self._words if len(name) >= 2 and not name.isdigit())
        return sorted(names, key=lambda name: (-len(name), name))

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], list[Item]]]:
        """A pattern for each of them, in the same order."""
        return [(_loosely(name), self._words[name]) for name in self._names]

    @cached_property
    def _patterns_by_sign(self) -> dict[str, list[tuple[int, frozenset[str]]]]:
        """By its first character the places of each pattern, with every character a text must have for it to be found."""
        by_sign: dict[str, list[tuple[int, frozenset[str]]]] = {}
        for place, name in enumerate(self._names):
            by_sign.setdefault(name[0], []).append((place, frozenset(name)))
        return by_sign

    def _patterns_for(self, text: str) -> list[tuple[re.Pattern[str], list[Item]]]:
        """The patterns that can be found in a plain text at all: a few of a thousand, in their order."""
        signs = set(text)
        places = (
            place
            for sign in signs
            for place, needed in self._patterns_by_sign.get(sign, ())
            if needed <= signs
        )
        return [self._patterns[place] for place in sorted(places)]

    def _longest_within(self, text: str) -> list[list[Item]]:
        """Items named inside a longer text; a name inside a longer name does not count again."""
        return [items for _words, items in self.names_in(text)]

    def names_in(self, text: str) -> list[tuple[set[str], list[Item]]]:
        """The names of items that stand inside a text, longest first: as they are written there, and what they may mean."""
        names: list[tuple[set[str], list[Item]]] = []
        rest = unicodedata.normalize("NFKC", text).lower()
        for pattern, items in self._patterns_for(rest):
            if written := {match[0] for match in pattern.finditer(rest)}:
                names.append((written, items))
                rest = pattern.sub("\n", rest)
        return names

    @cached_property
    def _any_name(self) -> re.Pattern[str]:
        """One pattern for all names, at each place the longest that fits."""
        return re.compile("|".join(pattern.pattern for pattern, _items in self._patterns) or r"(?!)")

    def mentions(self, text: str) -> list[Mentioned]:
        """Where a text in plain characters names goods, in its order; a name inside a longer one does not count."""
        lower = "".join(low if len(low := sign.lower()) == 1 else sign for sign in text)
        return [
            Mentioned(*match.span(), tuple(self._named(match[0]))) for match in self._any_name.finditer(lower)
        ]

    def _named(self, name: str) -> list[Item]:
        word = folded(name)
        return self._words.get(word) or self._words.get(word.removesuffix("s"), [])

    def quotations(self, text: str) -> list[Quoted]:
        """Where a text quotes standards."""
        upper = "".join(up if len(up := sign.upper()) == 1 else sign for sign in text)
        known = [
            Quoted(
                match.start(),
                second.end() if (second := SECOND_CLASS.match(upper, match.start())) else match.end(),
            )
            for match in self._quotations[0].finditer(upper)
        ]
        blank = list(upper)
        for start, end in known:
            blank[start:end] = "\n" * (end - start)
        return sorted([*known, *(Quoted(*match.span()) for match in UNKNOWN.finditer("".join(blank)))])

    def _resembling(self, text: str) -> list[Found]:
        if len(text) < 2:
            return []
        close = process.extract(text, list(self._words), scorer=fuzz.ratio, score_cutoff=LIKENESS, limit=5)
        scores: dict[str, float] = {}
        for name, score, _index in close:
            for item in self._words[name]:
                scores.setdefault(item.code, score)
        return [
            Found(self.items[code], round(LIKE * score / 100, 2), len(scores) > 1)
            for code, score in scores.items()
        ]

    # -- standards ----------------------------------------------------------------------------------------

    @cached_property
    def _quotations(self) -> tuple[re.Pattern[str], Mapping[str, list[Standard]]]:
        """A pattern for every way of writing a known standard, and what each of them may mean."""
        meanings: dict[str, list[Standard]] = {}
        patterns: set[tuple[int, str]] = set()
        for standard in self.standards.values():
            for name in (standard.code, *standard.aliases):
                patterns.add((-len(compact(name)), _tolerant(name)))
                known = meanings.setdefault(compact(name), [])
                known += [] if standard in known else [standard]
        nothing = r"(?!)"
        return re.compile("|".join(pattern for _length, pattern in sorted(patterns)) or nothing), meanings

    @cached_property
    def items_of(self) -> dict[str, list[str]]:
        """The codes of the items a standard is for."""
        items: dict[str, list[str]] = {}
        links = Standard.items.through.objects.order_by("pk").values_list("standard", "item")
        for standard, item in links:
            items.setdefault(standard, []).append(item)
        return items

    @cached_property
    def confused_with(self) -> dict[str, set[str]]:
        """The codes of the items that people take for an item."""
        confused: dict[str, set[str]] = {}
        for a, b in Item.ambiguous_with.through.objects.values_list("from_item", "to_item"):
            confused.setdefault(a, set()).add(b)
        return confused

    @cached_property
    def _items_of(self) -> dict[str, set[str]]:
        """The items a standard is for, with those people confuse them with."""
        return {
            standard: {*items, *(other for item in items for other in self.confused_with.get(item, ()))}
            for standard, items in self.items_of.items()
        }

    def read_standards(self, text: str, item: Item | None = None, *, on: date) -> list[StandardReading]:
        """Every standard a text quotes, in the order written; oddities are warned about, never refused."""
        text = SECOND_CLASS.sub(
            r"\g<0> \g<code> \g<kind> \g<other>", unicodedata.normalize("NFKC", text).upper()
        )
        pattern, meanings = self._quotations
        quotes: list[tuple[str, list[Standard]]] = []
        for match in pattern.finditer(text):
            meant = meanings[compact(match[0])]
            if quotes and (shared := [s for s in quotes[-1][1] if s in meant]):
                quotes[-1] = (f"{quotes[-1][0]} {match[0]}", shared)
            else:
                quotes.append((match[0], meant))
        readings = [self._judged(words, meant, item, on) for words, meant in quotes]
        return readings + [_unknown(match[0]) for match in UNKNOWN.finditer(pattern.sub("\n", text))]

    def read_standard(self, text: str, item: Item | None = None, *, on: date) -> StandardReading:
        """The first usable standard a text quotes, with the warnings of all it quotes."""
        readings = self.read_standards(text, item, on=on)
        if not readings:
            return StandardReading(None, text=text)
        best = next((reading for reading in readings if reading.standard), readings[0])
        warnings = dict.fromkeys(warning for reading in readings for warning in reading.warnings)
        return StandardReading(best.standard, tuple(warnings), best.quoted, best.text)

    def without_vague_names(self, text: str) -> str:
        """The text without names of items that only seem to quote a standard.

        "N95口罩" quotes none, since people call two kinds of masks so, nor does "医用N95口罩", which is no NIOSH N95;
        "KN95口罩" quotes GB 2626, and "NIOSH N95" what is printed on the box.
        """
        quotes = [compact(reading.text) for reading in self.read_standards(text, on=date.max)]
        rest = unicodedata.normalize("NFKC", text).lower()
        for written, items in self.names_in(text):
            for words in written:
                is_in_a_quote = any(compact(words) in quote and compact(words) != quote for quote in quotes)
                if not is_in_a_quote and self._is_vague(words, items):
                    rest = rest.replace(words, "\n")
        return rest

    def _is_vague(self, words: str, items: list[Item]) -> bool:
        """Whether a name tells no standard: it may mean several items, or what it quotes is a standard of another."""
        if len(items) > 1:
            return True
        quoted = [reading.quoted for reading in self.read_standards(words, on=date.max)]
        return any(s is not None and items[0].code not in self.items_of.get(s.code, ()) for s in quoted)

    def _judged(self, words: str, meant: list[Standard], item: Item | None, on: date) -> StandardReading:
        quoted = min(meant, key=lambda s: (not s.is_in_force(on), s.filtration_pct or 0, s.code))
        warnings = list(_warnings(quoted, on))
        if len([s for s in meant if s.is_in_force(on) == quoted.is_in_force(on)]) > 1:
            text = _("“%(text)s” names no class; the lowest, %(code)s, is taken as the least asked for.")
            warnings.append(Warning("class-not-stated", text % {"text": words, "code": quoted.code}))
        usable: Standard | None = quoted
        if quoted.status == StandardStatus.IMPOSSIBLE:
            usable = self.standards.get(str(quoted.replaced_by_id))
        if item is not None and item.code not in self._items_of.get(quoted.code, {item.code}):
            text = _("%(code)s is not a standard of %(item)s; no standard was taken from it.")
            warnings.append(Warning("wrong-item", text % {"code": quoted.code, "item": item.name}))
            usable = None
        return StandardReading(usable, tuple(warnings), quoted, words)

    # -- units --------------------------------------------------------------------------------------------

    @cached_property
    def _rules(self) -> dict[str, list[tuple[UnitRule, frozenset[str]]]]:
        """The rules of every spoken unit, each with the items it is only for; the narrowest first."""
        only: dict[str, set[str]] = {}
        for rule_code, item_code in UnitRule.items.through.objects.values_list("unitrule", "item"):
            only.setdefault(rule_code, set()).add(item_code)
        rules: dict[str, list[tuple[UnitRule, frozenset[str]]]] = {}
        for row in UnitRule.objects.select_related("unit").order_by("code"):
            for word in row.spoken:
                rules.setdefault(folded(word), []).append((row, frozenset(only.get(row.code, ()))))
        for found in rules.values():
            found.sort(key=lambda pair: (not pair[1], pair[0].base_unit_id is None, pair[0].code))
        return rules

    def unit_rule(self, item: Item, unit_text: str) -> UnitRule | None:
        """The rule by which this unit of this item is counted; None if nobody counts it so."""
        word = folded(unit_text)
        for spelling in (word, word.removesuffix("s")):
            for rule, only in self._rules.get(spelling, []):
                fits = item.code in only if only else rule.base_unit_id in {None, item.base_unit_id}
                if fits:
                    return rule
        return None

    def to_base(
        self,
        item: Item,
        quantity: int | Decimal | Fraction,
        unit_text: str = "",
        pack_content: int | None = None,
    ) -> int:
        """How many base units of the item so many spoken units are, exactly.

        unit_text       双, pair, 万只, 盒; or with its content, 100只/盒; empty means the unit it is shown in
        pack_content    base units in one package, where the unit is a package

        Raises ValidationError for "quantity", "unit" or "pack_content", whichever is wrong.
        """
        total = Fraction(quantity) * self._factor(item, unit_text, pack_content)
        if total.denominator != 1:
            text = _("%(quantity)s %(unit)s is not a whole number of %(base)s.")
            facts = {
                "quantity": _written(quantity),
                "unit": unit_text or item.display_unit.name,
                "base": item.base_unit.name,
            }
            raise ValidationError({"quantity": text % facts})
        return within_most(int(total))

    def _factor(self, item: Item, unit_text: str, pack_content: int | None) -> Fraction:
        """Base units in one spoken unit."""
        unit_text = unicodedata.normalize("NFKC", unit_text).strip()
        if not unit_text and not item.needs_pack_content:
            return Fraction(item.display_factor)
        if stated := STATED_CONTENT.fullmatch(unit_text):
            content = Fraction(stated["number"]) * self._factor(item, stated["inner"], None)
            return self._factor(item, stated["outer"], _whole(content, item))
        rule = self.unit_rule(item, unit_text)
        many = MANY.fullmatch(unit_text) if rule is None else None
        # 千克 is no thousand of anything where nothing is weighed in 克.
        if many and (not many["unit"] or self.unit_rule(item, many["unit"]) is not None):
            times = 1
            for sign in many["signs"]:
                times *= MULTIPLIERS[sign]
            return times * self._factor(item, many["unit"], pack_content)
        if rule is None:
            text = _("%(item)s is not counted in “%(unit)s”; give the quantity in %(base)s.")
            facts = {"item": item.name, "unit": unit_text, "base": item.display_unit.name}
            raise ValidationError({"unit": text % facts})
        if rule.is_package:
            return Fraction(_content(item, unit_text, pack_content))
        return Fraction(rule.numerator or 1, rule.denominator or 1)


def within_most(total: int) -> int:
    """The count, if anybody can mean it. Raises ValidationError for "quantity"."""
    if not 0 < total <= MOST:
        raise ValidationError(
            {"quantity": _("The quantity must be more than nothing and at most ten thousand million.")}
        )
    return total


def _written(quantity: int | Decimal | Fraction) -> str:
    """A number as people write it: 1.5, not 3/2."""
    return f"{float(quantity):,.10g}"


def folded(text: str) -> str:
    """A word as compared: half width, lower case, without spaces and dashes."""
    return re.sub(r"[\s\-_·.“”\"']+", "", unicodedata.normalize("NFKC", text).lower())


def compact(text: str) -> str:
    """The letters and digits of a standard's number: "GB/T 32610 — 2016" is GBT326102016."""
    return re.sub(r"[^0-9A-Z\u4e00-\u9fff]+", "", unicodedata.normalize("NFKC", text).upper())


STATED_CONTENT = re.compile(
    r"(?P<number>\d+(?:\.\d+)?)\s*(?P<inner>[^\d/]+?)\s*(?:/|每|一)\s*(?P<outer>[^\d/]+)"
)
MANY = re.compile(rf"(?P<signs>[{''.join(MULTIPLIERS)}]+)(?P<unit>.*)")
# What looks like the number of a standard: issuer, number, perhaps a year.
UNKNOWN = re.compile(
    r"(?<![A-Z])(?:GB|YY|EN|ISO|ASTM|ANSI|AAMI|NIOSH|JIS|AS/NZS)\s*(?:/\s*T|ISO)?\s*[A-Z]?\d{2,6}(?:\s*[-—–:.]\s*\d{4})?"
)
# “ASTM F2100 Level 2 or Level 3” quotes two: what stands before the first class belongs to the second as well.
SECOND_CLASS = re.compile(
    r"(?P<code>\b[A-Z]{2,5}\s?[A-Z]?\d{2,6})\s*(?P<kind>LEVEL|TYPE|CLASS)\s*[0-9IVXR]{1,3}\s{0,2}(?:OR|AND|/|,|、|或|和)\s{0,2}(?:LEVEL|TYPE|CLASS)?\s{0,2}(?P<other>[0-9IVXR]{1,3})\b"
)
GAP = r"[^0-9A-Z\u4e00-\u9fff]{0,4}"
# Between two figures no line and no clause ends: “GB 19083-2010；2. …” quotes no class 2.
GAP_IN_NUMBER = r"[^0-9A-Z\u4e00-\u9fff\n;,。、]{0,4}"
YEAR_FOLLOWS = r"(?!\s*[-—–:]+\s*(?:19|20)\d\d)"


def _tolerant(name: str) -> str:
    """A pattern for a standard's name with any separators between its runs of letters and digits.

    A name without a year does not match where one follows: GB 19082 is not GB 19082-2005.
    """
    runs = re.findall(r"[A-Z]+|\d+|[\u4e00-\u9fff]+", unicodedata.normalize("NFKC", name).upper())
    ending = r"(?!\d)" if runs[-1].isdigit() else r"(?![A-Z])"
    has_year = any(re.fullmatch(r"(19|20)\d\d", run) for run in runs[2:])
    written = _letters(runs[0]) + "".join(
        (GAP_IN_NUMBER if one.isdigit() and other.isdigit() else GAP) + _letters(other)
        for one, other in pairwise(runs)
    )
    return rf"(?<![0-9A-Z]){written}{ending}{'' if has_year else YEAR_FOLLOWS}"


def _letters(run: str) -> str:
    """Letters may stand apart: GB/T, ASTM F."""
    return "[ /-]?".join(run) if run.isascii() else run


@lru_cache(maxsize=8192)
def _loosely(name: str) -> re.Pattern[str]:
    """A pattern for a folded name; one in Latin letters stands as a word of its own: ECG, not in ECGs2."""
    letters = r"[\s\-_·.]*".join(map(re.escape, name))
    return re.compile(rf"(?<![a-z0-9]){letters}s?(?![a-z0-9])" if name.isascii() else letters)


def _found(items: Iterable[Item], confidence: float, is_ambiguous: bool = False) -> list[Found]:
    items = list(items)
    sure = confidence / len(items)
    return [Found(item, round(sure, 2), is_ambiguous or len(items) > 1) for item in items]


def _agreed(meanings: list[list[Item]], confidence: float) -> list[Found]:
    """What several words together mean: the items they all may mean, or else all that any may mean."""
    common = [item for item in meanings[0] if all(item in other for other in meanings)]
    every = list({item.code: item for meaning in meanings for item in meaning}.values())
    return _found(common or every, confidence, is_ambiguous=len(every) > 1)


def _warnings(standard: Standard, on: date) -> Iterable[Warning]:
    facts = {"code": standard.code, "other": standard.replaced_by_id, "day": standard.withdrawn_on}
    if standard.status == StandardStatus.IMPOSSIBLE:
        yield Warning("impossible", _("There is no %(code)s; it is read as %(other)s.") % facts)
    elif standard.withdrawn_on and standard.withdrawn_on <= on:
        text = _("%(code)s was withdrawn on %(day)s; %(other)s is in force.")
        bare = _("%(code)s was withdrawn on %(day)s.")
        yield Warning("withdrawn", (text if standard.replaced_by_id else bare) % facts)
    elif standard.status == StandardStatus.SUPERSEDED and standard.withdrawn_on is None:
        yield Warning("withdrawn", _("%(code)s has been superseded.") % facts)
    elif standard.valid_from and standard.valid_from > on:
        text = _("%(code)s is in force only from %(day)s.")
        yield Warning("not-yet-in-force", text % {**facts, "day": standard.valid_from})
    if standard.status == StandardStatus.UNVERIFIED:
        yield Warning("unverified", _("%(code)s has not been verified.") % facts)


def _unknown(words: str) -> StandardReading:
    text = _("“%(text)s” is no standard or edition known here.") % {"text": words.strip()}
    return StandardReading(None, (Warning("unknown", text),), None, words.strip())


def _whole(content: Fraction, item: Item) -> int:
    if content.denominator != 1:
        text = _("A pack must hold a whole number of %(base)s.") % {"base": item.base_unit.name}
        raise ValidationError({"pack_content": text})
    return int(content)


def _content(item: Item, unit_text: str, pack_content: int | None) -> int:
    if pack_content is None:
        text = _("State how many %(base)s of %(item)s one “%(unit)s” holds.")
        facts = {"base": item.base_unit.name, "item": item.name, "unit": unit_text}
        raise ValidationError({"pack_content": text % facts})
    if not 0 < pack_content <= MOST:
        raise ValidationError({"pack_content": _("A pack must hold at least one.")})
    return pack_content
