"""What goods are good for: read from what is printed on them, and judged by the rule the matching goes by.

Whether one standard may stand in for another is asked of the kernel with the same tables as a run reads, so that what is
said here is what would be matched. Nothing here says that goods or papers are genuine.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from matching.fitting import grounds
from matching.kernel.problem import Verdict
from matching.kernel.substitution import Judgement, NeedKind, OfferKind, Reason, Rules, families, judge
from matching.sentences import standing
from matching.snapshot import clinical_items, read_rules
from supplies.catalogue.dictionary import LIKE, Dictionary, StandardReading, Warning
from supplies.catalogue.marks.mark import Mark, Part
from supplies.catalogue.marks.reading import Reading, read_marks
from supplies.catalogue.models import Item, Standard, Substitution
from supplies.catalogue.services import Citation, Counterfeits, Hit, citations
from supplies.catalogue.shelf import Shelf
from supplies.editions.models import ReferenceEdition
from supplies.needs.models import Setting
from supplies.regions.models import Region
from supplies.wording import apart, day, listed

MOST_CASES = 4  # ways to understand the same words that are worked out; more is a question, not an answer
MOST_TEXT = 500
ANYWHERE = pgettext_lazy("for any use", "everywhere")  # no setting asked for


@dataclass(frozen=True)
class Asked:
    """What somebody has, as she says it.

    text        what it is called, what is printed on it, what a scanner sends: in any order
    item        code of an item, where it was asked which one is meant; standard likewise
    sterile     None where it is not known; has_valve likewise
    setting     where it is to be used; empty for everywhere
    country     whose rules: a code of a country, or EU
    """

    text: str = ""
    item: str = ""
    standard: str = ""
    sterile: bool | None = None
    has_valve: bool | None = None
    expires_on: date | None = None
    setting: str = ""
    country: str = "CN"


class Choice(NamedTuple):
    code: str
    name: str


class Step(NamedTuple):
    """A row of the table of substitutions, as codes."""

    offered: str
    satisfies: str
    relation: str


@dataclass(frozen=True)
class Question:
    """What has to be said before there is one answer: `about` "item" or "standard", and the codes it may have with their names."""

    about: str
    text: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Line:
    """One need, and whether these goods may go to it.

    item, standard   what is asked for; without a standard, any of the item that is fit for care
    settings         where this holds
    why              a sentence: the substitutions that lead there, the condition, or why not
    as_of            when the rule was last changed here
    """

    verdict: Verdict
    item: Item
    standard: Standard | None
    settings: tuple[str, ...]
    reason: str
    why: str
    steps: tuple[Step, ...] = ()
    condition: str = ""
    sources: tuple[Citation, ...] = ()
    is_verified: bool = True
    as_of: datetime | None = None

    @property
    def where(self) -> str:
        if len(self.settings) == len(Setting):
            return str(ANYWHERE)
        return listed(Setting(setting).label for setting in self.settings)


@dataclass(frozen=True)
class ShelfLife:
    """`verdict` is "expired", "too-short" or "fits"; `arrive_by` is the last day on which the goods are still taken."""

    verdict: str
    expires_on: date
    days_left: int
    days_wanted: int
    arrive_by: date
    sentence: str


@dataclass(frozen=True)
class Case:
    """One way to understand what was asked, and all that follows from it."""

    item: Item
    standard: Standard | None
    warnings: tuple[Warning, ...] = ()
    good_for: tuple[Line, ...] = ()
    on_condition: tuple[Line, ...] = ()
    not_for: tuple[Line, ...] = ()
    shelf_life: ShelfLife | None = None
    evidence: tuple[str, ...] = ()
    instead: str = ""


@dataclass(frozen=True)
class Answer:
    """What was read, what has to be asked back, and a case for each way to understand it."""

    asked: Asked
    marks: tuple[Mark, ...] = ()
    readings: tuple[StandardReading, ...] = ()
    questions: tuple[Question, ...] = ()
    cases: tuple[Case, ...] = ()
    counterfeits: tuple[Hit, ...] = ()
    contradictions: tuple[str, ...] = ()
    edition: ReferenceEdition | None = None
    unread: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.marks or self.readings or self.cases)


def look_up(asked: Asked, *, on: date) -> Answer:
    """What these goods are good for, and what was looked at. Asks back where words may mean several things."""
    dictionary = Shelf.kept().dictionary
    marks = read_marks(asked.text[:MOST_TEXT], on=on)
    words = _Words(dictionary, asked, marks, on)
    expiries = sorted(marks.expiries | ({asked.expires_on} if asked.expires_on else set()))
    judged = _Judge.read(replace(asked, expires_on=expiries[0] if expiries else None), on)
    cases = [judged.case(*way) for way in words.ways()[:MOST_CASES]]
    return Answer(
        asked,
        marks=tuple(_with_places(marks.marks)),
        readings=tuple(words.readings),
        questions=tuple(words.questions()),
        cases=tuple(cases),
        counterfeits=tuple(Counterfeits().like(asked.text, marks)),
        contradictions=tuple(_contradictions(marks, expiries)),
        edition=judged.edition,
        unread="" if cases else marks.rest[:200],
    )


def cases_of(goods: Sequence[Asked], *, on: date) -> list[Case]:
    """What follows for goods whose item and standard are told by code. The tables are read once for all of them."""
    judge = _Judge.read(Asked(), on)
    return [
        replace(judge, asked=asked).case(judge.items[asked.item], judge.standards.get(asked.standard), ())
        for asked in goods
    ]


def _contradictions(marks: Reading, expiries: Sequence[date]) -> Iterator[str]:
    if len(expiries) > 1:
        facts = {"days": listed(map(day, expiries)), "day": day(expiries[0])}
        yield _("Several expiry days are given (%(days)s); the first of them, %(day)s, is gone by.") % facts
    if len(marks.lots) > 1:
        yield _("Several lots are given: %(lots)s.") % {"lots": listed(sorted(marks.lots))}
    if len(marks.gtins) > 1:
        yield _("Several item numbers are given: %(numbers)s.") % {"numbers": listed(sorted(marks.gtins))}


def _with_places(marks: Iterable[Mark]) -> list[Mark]:
    """The marks, with the names of the regions whose codes they hold."""
    marks = list(marks)
    wider = {
        code: (code, f"{code[:4]}00", f"{code[:2]}0000") for code in {mark.region for mark in marks} if code
    }
    names = {
        row.pk: row.name for row in Region.objects.filter(pk__in={c for cs in wider.values() for c in cs})
    }
    found = []
    for mark in marks:
        known = [names[code] for code in wider.get(mark.region, ()) if code in names]
        place = Part(_("region"), listed(dict.fromkeys(reversed(known))))
        found.append(replace(mark, parts=(*mark.parts, place)) if known else mark)
    return found


# -- What is meant -----------------------------------------------------------------------------------------


class Way(NamedTuple):
    item: Item
    standard: Standard | None
    warnings: tuple[Warning, ...]


class _Words:
    """What the words may mean: items, standards, and what has to be asked back."""

    def __init__(self, dictionary: Dictionary, asked: Asked, marks: Reading, on: date) -> None:
        self.dictionary, self.asked, self.on = dictionary, asked, on
        self.text = marks.rest
        self.quoting = dictionary.without_vague_names(self.text) if dictionary.standards else ""
        self.readings = dictionary.read_standards(self.quoting, on=on) if self.quoting else []
        chosen = dictionary.standards.get(asked.standard)
        if chosen is not None:
            self.readings = dictionary.read_standards(chosen.code, on=on)
        self.standard = chosen
        self.vague = bool(dictionary.standards) and chosen is None and self._quotes_vaguely()
        self.is_like, self.items = self._items(marks)

    def _quotes_vaguely(self) -> bool:
        """A standard stands there, but only as part of a name that people use for several things."""
        return not self.readings and bool(self.dictionary.read_standards(self.text, on=self.on))

    def _items(self, marks: Reading) -> tuple[bool, list[Item]]:
        """Whether they are only similar words, and the items that are meant, the likeliest first."""
        dictionary = self.dictionary
        if self.asked.item in dictionary.items:
            return False, [dictionary.items[self.asked.item]]
        scanned = [i for i in dictionary.items.values() if i.gtin and i.gtin.zfill(14) in marks.gtins]
        found = dictionary.find_items(self.text) if self.text else []
        named = [each.item for each in found if each.confidence > LIKE or each.confidence * len(found) > LIKE]
        quoted = self._items_of_standards()
        if scanned:
            return False, scanned
        if named and quoted:
            return False, [item for item in named if item in quoted] or named
        if named or quoted:
            return False, named or quoted
        return True, [each.item for each in found]

    def _items_of_standards(self) -> list[Item]:
        codes = [s.pk for r in self.readings if (s := r.standard or r.quoted) is not None]
        found = dict.fromkeys(item for code in codes for item in self.dictionary.items_of.get(code, ()))
        return [self.dictionary.items[code] for code in found if code in self.dictionary.items]

    def ways(self) -> list[Way]:
        """Every item the words may mean with every standard that is quoted for it."""
        return [way for item in self.items for way in self._ways_of(item)]

    def _ways_of(self, item: Item) -> list[Way]:
        if self.standard is not None:
            readings = self.dictionary.read_standards(self.standard.code, item, on=self.on)
            readings = [replace(r, standard=self.standard) for r in readings if r.quoted == self.standard]
        else:
            readings = self.dictionary.read_standards(self.quoting, item, on=self.on) if self.quoting else []
        usable = {r.standard: r.warnings for r in readings if r.standard is not None}
        if usable:
            return [Way(item, standard, warnings) for standard, warnings in usable.items()]
        return [Way(item, None, tuple(w for reading in readings for w in reading.warnings))]

    def questions(self) -> Iterator[Question]:
        if len(self.items) > 1 or (self.is_like and self.items):
            text = (
                _("Did you mean one of these?")
                if self.is_like
                else _("These words may mean several things. Which is it?")
            )
            yield Question("item", text, tuple(Choice(item.code, item.name) for item in self.items))
        elif not self.items:
            yield Question(
                "item", _("What are the goods? Nothing the catalogue knows was found in these words.")
            )
        elif not self._has_standard() and (choices := self._standards_of(self.items[0])):
            text = _("Which standard is printed on it?")
            if self.vague:
                text = _(
                    "The name alone tells no standard: people use it for several. Which one is printed on it?"
                )
            yield Question("standard", text, choices)

    def _has_standard(self) -> bool:
        return any(reading.standard is not None for reading in self.readings)

    def _standards_of(self, item: Item) -> tuple[Choice, ...]:
        rows = Standard.objects.filter(items=item).in_force(self.on).order_by("pk")
        return tuple(Choice(row.code, row.name) for row in rows)


# -- What follows ------------------------------------------------------------------------------------------

NO_RULE = gettext_lazy("No rule lets these goods stand in for that.")
REFUSALS: dict[Reason, str | Promise] = {
    Reason.REJECTED: gettext_lazy("They are not accepted for that."),
    Reason.NOT_STERILE: gettext_lazy("Sterile goods are needed there."),
    Reason.HAS_VALVE: gettext_lazy("They have a valve, which lets the wearer's breath out."),
    Reason.NOT_MEDICAL: gettext_lazy("They are no medical goods, and no rule lets them stand in for such."),
}


@dataclass(frozen=True)
class _Judge:
    """The tables of one moment, and what was asked."""

    asked: Asked
    on: date
    items: Mapping[str, Item]
    standards: Mapping[str, Standard]
    rules: Rules
    clinical: frozenset[str]
    family_of: Mapping[str, str]
    steps: Mapping[int, Substitution]
    edition: ReferenceEdition | None
    settings: tuple[str, ...] = field(default=tuple(Setting.values))

    @classmethod
    def read(cls, asked: Asked, on: date) -> "_Judge":
        items = {row.pk: row for row in Item.objects.select_related("display_unit")}
        rules = read_rules(items)
        editions = ReferenceEdition.objects.filter(table="catalogue.substitution")
        return cls(
            asked,
            on,
            items,
            {row.pk: row for row in Standard.objects.all()},
            rules,
            clinical_items(items, rules),
            families(sorted(items), rules),
            Substitution.objects.in_bulk(),
            editions.order_by("-version").first(),
            (asked.setting,) if asked.setting else tuple(Setting.values),
        )

    def case(self, item: Item, standard: Standard | None, warnings: tuple[Warning, ...]) -> Case:
        lines = list(self._lines(item, standard))
        good = tuple(line for line in lines if line.verdict == Verdict.ACCEPT)
        conditional = tuple(line for line in lines if line.verdict == Verdict.CONDITIONAL)
        return Case(
            item,
            standard,
            warnings,
            good,
            conditional,
            tuple(line for line in lines if line.verdict == Verdict.NO),
            self._shelf_life(item),
            tuple(self._evidence(item, standard)),
            _outlet(good, conditional),
        )

    def judgement(
        self, item: str, standard: str | None, wanted: str, asked_for: str | None, setting: str
    ) -> Judgement:
        """The matching's own verdict on one kind of goods and one kind of need."""
        offer = OfferKind(item, standard, self.asked.sterile, self.asked.has_valve)
        need = NeedKind(
            item=wanted,
            standards=frozenset({asked_for} if asked_for else ()),
            medical_grade=wanted in self.clinical,
            valve_allowed=False,
            setting=setting,
            jurisdiction=self.asked.country,
        )
        return judge(self.rules, offer, need)

    def _lines(self, item: Item, standard: Standard | None) -> Iterator[Line]:
        code = standard.pk if standard else None
        for wanted, asked_for in self._wants(item, code):
            groups: dict[Judgement, list[str]] = {}
            for setting in self.settings:
                found = self.judgement(item.pk, code, wanted, asked_for, setting)
                groups.setdefault(found, []).append(setting)
            for found, settings in groups.items():
                # That a rule is missing is said once for the item, not again for each of its standards.
                if found.verdict != Verdict.NO or asked_for is None or found.reason == Reason.REJECTED:
                    yield self._line(found, code, wanted, asked_for, tuple(settings))

    def _wants(self, item: Item, standard: str | None) -> Iterator[tuple[str, str | None]]:
        """Whatever may be asked for that has to do with these goods: its own item first, then by code."""
        made_to = (
            {standard} if standard else {s.code for s in self.rules.standards.values() if item.pk in s.items}
        )
        refused = {
            s.satisfies for s in self.rules.substitutions if s.verdict == "reject" and s.offered in made_to
        }
        items = {i for code in refused for i in self.rules.standards[code].items}
        items |= {i for i, family in self.family_of.items() if family == self.family_of[item.pk]}
        for wanted in sorted(items, key=lambda code: (code != item.pk, code)):
            if not self.items[wanted].is_active:
                continue
            yield wanted, None
            yield from (
                (wanted, s.code)
                for s in sorted(self.rules.standards.values(), key=lambda s: s.code)
                if wanted in s.items
            )

    def _line(
        self,
        found: Judgement,
        code: str | None,
        wanted: str,
        asked_for: str | None,
        settings: tuple[str, ...],
    ) -> Line:
        rests_on = grounds(found.verdict, found.reason, found.chain, self.steps)
        rows = [self.steps[edge] for edge in found.chain if edge in self.steps]
        if found.verdict == Verdict.NO:
            rows = self._refusing(found, code, wanted, asked_for)
            why = self._why_not(found, rows)
        else:
            why = standing(rests_on)
        about: Sequence[Substitution | Standard] = rows
        if found.verdict != Verdict.NO and not rows and code is not None:
            about = [self.standards[code]]
        return Line(
            found.verdict,
            self.items[wanted],
            self.standards[asked_for] if asked_for else None,
            settings,
            str(rests_on["reason"]),
            why,
            tuple(Step(*step) for step in rests_on["steps"]),
            rows[-1].condition_shown if rows and found.verdict == Verdict.CONDITIONAL else "",
            tuple(dict.fromkeys(cited for row in about for cited in citations(row.source))),
            all(row.is_verified for row in about),
            max((at for row in rows if (at := row.edited_at or self._loaded_at)), default=self._loaded_at),
        )

    @property
    def _loaded_at(self) -> datetime | None:
        return self.edition.loaded_at if self.edition else None

    def _refusing(
        self, found: Judgement, code: str | None, wanted: str, asked_for: str | None
    ) -> list[Substitution]:
        if found.reason != Reason.REJECTED:
            return []
        targets = (
            {asked_for} if asked_for else {s.code for s in self.rules.standards.values() if wanted in s.items}
        )
        rejecting = (
            s.id
            for s in self.rules.substitutions
            if s.verdict == "reject" and s.offered == code and s.satisfies in targets
        )
        return [self.steps[key] for key in rejecting if key in self.steps]

    @staticmethod
    def _why_not(found: Judgement, rows: Sequence[Substitution]) -> str:
        said = [text for row in rows if (text := row.condition_shown)]
        sentence = str(REFUSALS.get(found.reason, NO_RULE))
        return f"{sentence} {apart(dict.fromkeys(said))}".strip()

    def _shelf_life(self, item: Item) -> ShelfLife | None:
        """As the matching counts: so many days have to be left on the day of arrival."""
        expires = self.asked.expires_on
        if expires is None:
            return None
        left, wanted = (expires - self.on).days, item.min_shelf_days
        arrive_by = expires - timedelta(days=min(wanted, (expires - date.min).days))
        facts = {"day": expires, "left": left, "wanted": wanted, "by": arrive_by}
        if left <= 0:
            verdict, text = "expired", _("They expired on %(day)s and cannot be offered.")
        elif arrive_by <= self.on:
            verdict = "too-short"
            text = _(
                "%(left)d days are left and %(wanted)d are asked for on arrival: they would not be matched."
            )
        else:
            verdict = "fits"
            text = _(
                "%(left)d days are left. %(wanted)d are asked for on arrival: they have to arrive by %(by)s."
            )
        return ShelfLife(verdict, expires, left, wanted, arrive_by, text % facts)

    def _evidence(self, item: Item, standard: Standard | None) -> Iterator[str]:
        """What to attach to an offer, in the order in which a hospital asks for it."""
        if item.is_medicine:
            yield _("approval number, and the label with INN, strength, form and storage")
        elif standard is not None and standard.issuer.startswith("CN") and standard.medical_use != "no":
            yield _("certificate of registration of the medical device, with its number")
        elif item.needs_medical_grade:
            yield _("proof that they may be sold as a medical device in China or where they come from")
        if standard is not None:
            yield _("test report by %(standard)s") % {"standard": standard.name}
        yield _("certificate of conformity of the lot")
        if self.asked.sterile:
            yield _("proof of sterility")
        yield _("photograph of the package: maker, model, standard, lot, expiry, country of origin")


def _outlet(good: Sequence[Line], conditional: Sequence[Line]) -> str:
    """Where goods are welcome that may not go where they were meant to."""
    names = listed(dict.fromkeys(line.item.name for line in good))
    if names:
        return _("Welcome instead as: %(items)s.") % {"items": names}
    names = listed(dict.fromkeys(line.item.name for line in conditional))
    if names:
        return _("If a hospital agrees, welcome as: %(items)s.") % {"items": names}
    return _("Ask community workers, the police and volunteers whether they can use them.")
