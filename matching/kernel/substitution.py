"""What satisfies what: from product standards and the directed table of substitutions to verdicts.

The order of standards is not a line: GB 19083 filters better than YY 0469, whose blood test is the harder one, and
neither includes the other. So nothing is compared by grade; a chain of published substitutions is followed, or there
is none. The rules:

1.  Facts about products (FACTS) may be followed one after another.
2.  One opinion at most (OPINIONS: a regulator's list, a maker's comparison) may stand in a chain; a regulator's list
    holds only inside its jurisdiction.
3.  One conditional substitution may end a chain of facts: the hospital must confirm, with its condition shown.
4.  A substitution holds where its scope of use covers the setting of the need. A scope nobody can read makes an
    acceptance conditional and leaves a rejection standing.
5.  A rejection of the very goods for the very standard wins over whatever was found.
6.  Goods whose standard is not stated never go to a clinical need without confirmation.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from heapq import heappop, heappush

import numpy as np

from matching.kernel.problem import Verdict, Verdicts

FACTS = frozenset({"exceeds", "newer edition", "replaces", "equivalent"})
SAME_GOODS = frozenset(
    {"exceeds", "newer edition", "replaces"}
)  # what a hospital that wants no substitutes still takes
OPINIONS = frozenset({"accepted as", "similar"})
EVERYWHERE = frozenset({"*", "WHO"})

SETTINGS = frozenset(
    {"icu", "isolation", "observation", "fever_clinic", "general", "surgery", "lab", "community"}
)
UNLIMITED_SCOPES = frozenset({"", "all", "crisis capacity", "non-oil particles"})
SCOPES_WITH_EXCEPTIONS = {
    "not where splash is expected": frozenset({"surgery"}),
    "not invasive surgery": frozenset({"surgery"}),
}
STERILE_ICU_SCOPE = "icu only if sterile"

OVERSHOOT_EXCEEDS = 1
OVERSHOOT_WASTEFUL = 3
OVERSHOOT_STERILE = 1


class Reason(IntEnum):
    """Why goods of one kind may, or may not, go to a need of another."""

    UNSPECIFIED = 0
    AS_ASKED = 1
    SUBSTITUTE = 2
    STANDARD_NOT_STATED = 3
    STERILITY_NOT_STATED = 4
    NO_SUBSTITUTION = 5
    REJECTED = 6
    NOT_STERILE = 7
    HAS_VALVE = 8
    SUBSTITUTES_UNWELCOME = 9
    NOT_MEDICAL = 10


class Covers(Enum):
    """Does a scope of use cover a setting?"""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Standard:
    """A product standard: the items it is about, and whether goods made to it are medical goods."""

    code: str
    items: frozenset[str]
    is_medical: bool


@dataclass(frozen=True)
class Substitution:
    """One row of the table: goods made to `offered` for a need that names `satisfies`."""

    id: int
    offered: str
    satisfies: str
    verdict: str  # accept, conditional, reject
    relation: str
    jurisdiction: str = "*"
    use_scope: str = "all"
    condition: str = ""

    @property
    def overshoot(self) -> int:
        wasteful = OVERSHOOT_WASTEFUL if "wasteful" in self.condition else 0
        return wasteful + (OVERSHOOT_EXCEEDS if self.relation == "exceeds" else 0)


@dataclass(frozen=True)
class Rules:
    """The editable tables, as one version of them stood.

    sterile_where  (item, setting) pairs that need sterile goods even if the hospital did not say so
    """

    standards: Mapping[str, Standard]
    substitutions: Sequence[Substitution]
    sterile_where: frozenset[tuple[str, str]] = frozenset({("COVERALL", "icu")})
    reached: dict[tuple[object, ...], dict[str, "Judgement"]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )  # what `reachable` has found, kept because many needs ask the same


@dataclass(frozen=True)
class OfferKind:
    """What is offered, as far as substitution cares. None means: not stated."""

    item: str
    standard: str | None = None
    is_sterile: bool | None = None
    has_valve: bool | None = None


@dataclass(frozen=True)
class NeedKind:
    """What is asked for. No standards named means any of the item, or any medical one if `medical_grade`."""

    item: str
    standards: frozenset[str] = frozenset()
    medical_grade: bool = False
    sterile: bool = False
    valve_allowed: bool = True
    setting: str = ""
    substitutes_welcome: bool = True
    jurisdiction: str = "CN"

    @property
    def is_clinical(self) -> bool:
        return self.medical_grade or bool(self.standards)


@dataclass(frozen=True)
class Judgement:
    """Whether goods satisfy a need, and by which substitutions, as their ids, offered goods first."""

    verdict: Verdict
    overshoot: int = 0
    chain: tuple[int, ...] = ()
    reason: Reason = Reason.UNSPECIFIED

    @property
    def rank(self) -> tuple[int, int, int, tuple[int, ...]]:
        """Among judgements that allow it the smallest is the best: an acceptance before a condition, then the smaller
        overshoot, then the shorter chain, then that of smaller ids."""
        return (self.verdict, self.overshoot, len(self.chain), self.chain)


def covers(use_scope: str, setting: str, is_sterile: bool | None = None) -> Covers:
    """Does this scope of use, as written in the table, cover the setting of a need?

    Understands "all", the named exceptions above, "ICU only if sterile", and lists of settings with or without
    "never ...": "isolation + observation wards, never ICU".
    """
    scope = use_scope.strip().lower()
    if scope in UNLIMITED_SCOPES:
        return Covers.YES
    if scope in SCOPES_WITH_EXCEPTIONS:
        return Covers.NO if setting in SCOPES_WITH_EXCEPTIONS[scope] else Covers.YES
    if scope == STERILE_ICU_SCOPE:
        if setting != "icu" or is_sterile:
            return Covers.YES
        return Covers.UNCLEAR if is_sterile is None else Covers.NO
    allowed, _, forbidden = scope.partition("never")
    if setting in _settings_in(forbidden):
        return Covers.NO
    named = _settings_in(allowed)
    if not named or not setting:
        return Covers.UNCLEAR
    return Covers.YES if setting in named else Covers.NO


def _settings_in(text: str) -> frozenset[str]:
    return frozenset(setting for setting in SETTINGS if setting.replace("_", " ") in text)


def families(items: Iterable[str], rules: Rules) -> dict[str, str]:
    """Item -> key of its family: items between which goods may pass. The key is the first code of the family."""
    leader = {item: item for item in items}

    def find(item: str) -> str:
        while leader[item] != item:
            item = leader[item]
        return item

    for edge in rules.substitutions:
        if edge.verdict == "reject":
            continue
        ends = (rules.standards.get(edge.offered), rules.standards.get(edge.satisfies))
        touched = sorted({find(item) for end in ends if end for item in end.items if item in leader})
        for other in touched[1:]:
            leader[other] = touched[0]
    return {item: find(item) for item in leader}


def judge(rules: Rules, offer: OfferKind, need: NeedKind) -> Judgement:
    """May goods of this kind go to a need of that kind, and by which chain of substitutions?"""
    if offer.has_valve and not need.valve_allowed:
        return Judgement(Verdict.NO, reason=Reason.HAS_VALVE)
    must_be_sterile = need.sterile or (need.item, need.setting) in rules.sterile_where
    if must_be_sterile and offer.is_sterile is False:
        return Judgement(Verdict.NO, reason=Reason.NOT_STERILE)
    found = _by_standard(rules, offer, need)
    if found.verdict is Verdict.NO:
        return found
    if must_be_sterile and offer.is_sterile is None:
        return Judgement(Verdict.CONDITIONAL, found.overshoot, found.chain, Reason.STERILITY_NOT_STATED)
    if offer.is_sterile and not must_be_sterile:
        return Judgement(found.verdict, found.overshoot + OVERSHOOT_STERILE, found.chain, found.reason)
    return found


def _by_standard(rules: Rules, offer: OfferKind, need: NeedKind) -> Judgement:
    if offer.standard is None:
        if offer.item != need.item:
            return Judgement(Verdict.NO, reason=Reason.NO_SUBSTITUTION)
        if need.is_clinical:
            return Judgement(Verdict.CONDITIONAL, reason=Reason.STANDARD_NOT_STATED)
        return Judgement(Verdict.ACCEPT, reason=Reason.AS_ASKED)
    if offer.standard in need.standards:
        return Judgement(Verdict.ACCEPT, reason=Reason.AS_ASKED)
    if offer.standard not in rules.standards and offer.item == need.item:
        # A standard nobody has entered says as little as none.
        verdict = Verdict.CONDITIONAL if need.is_clinical else Verdict.ACCEPT
        return Judgement(verdict, reason=Reason.STANDARD_NOT_STATED if need.is_clinical else Reason.AS_ASKED)
    return _by_chain(rules, offer, offer.standard, need)


def _by_chain(rules: Rules, offer: OfferKind, standard: str, need: NeedKind) -> Judgement:
    targets = need.standards or _standards_of(rules, need)
    if standard in targets:
        return Judgement(Verdict.ACCEPT, reason=Reason.AS_ASKED)
    refused = _rejected_for(rules, standard, offer, need)
    if refused & targets and not need.standards:
        return Judgement(Verdict.NO, reason=Reason.REJECTED)
    if not need.substitutes_welcome and offer.item != need.item:
        return Judgement(Verdict.NO, reason=Reason.SUBSTITUTES_UNWELCOME)
    reached = reachable(rules, standard, need, offer.is_sterile)
    found = min((reached[t] for t in targets - refused if t in reached), key=lambda j: j.rank, default=None)
    if found is None:
        return Judgement(Verdict.NO, reason=_why_none(rules, standard, targets, refused, need))
    own = rules.standards.get(standard)
    if need.medical_grade and own and not own.is_medical:
        # What is not a medical device is never a matter of course on a ward.
        return Judgement(Verdict.CONDITIONAL, found.overshoot, found.chain, Reason.SUBSTITUTE)
    return found


def _why_none(
    rules: Rules, standard: str, targets: frozenset[str], refused: frozenset[str], need: NeedKind
) -> Reason:
    if refused & targets:
        return Reason.REJECTED
    own = rules.standards.get(standard)
    if own and need.medical_grade and not own.is_medical:
        return Reason.NOT_MEDICAL
    return Reason.NO_SUBSTITUTION if need.substitutes_welcome else Reason.SUBSTITUTES_UNWELCOME


def _standards_of(rules: Rules, need: NeedKind) -> frozenset[str]:
    own = (s for s in rules.standards.values() if need.item in s.items)
    return frozenset(s.code for s in own if s.is_medical or not need.medical_grade)


def _rejected_for(rules: Rules, standard: str, offer: OfferKind, need: NeedKind) -> frozenset[str]:
    """What these goods are refused for in this setting. Whose rule it is does not matter: a no is believed."""
    return frozenset(
        edge.satisfies
        for edge in rules.substitutions
        if edge.verdict == "reject"
        and edge.offered == standard
        and covers(edge.use_scope, need.setting, offer.is_sterile) is not Covers.NO
    )


def reachable(
    rules: Rules, standard: str, need: NeedKind, is_sterile: bool | None = None
) -> dict[str, Judgement]:
    """Every standard that goods made to this one satisfy, with the best chain to it."""
    asked = (standard, need.setting, need.jurisdiction, need.substitutes_welcome, is_sterile)
    if asked not in rules.reached:
        rules.reached[asked] = _search(rules, standard, need, is_sterile)
    return rules.reached[asked]


def _search(rules: Rules, standard: str, need: NeedKind, is_sterile: bool | None) -> dict[str, Judgement]:
    firm, last = _usable_edges(rules, need, is_sterile)
    best: dict[str, Judgement] = {}
    settled: set[tuple[str, bool]] = set()
    queue: list[tuple[int, int, tuple[int, ...], str, bool]] = [(0, 0, (), standard, False)]
    while queue:
        overshoot, steps, chain, here, has_opinion = heappop(queue)
        if (here, has_opinion) in settled:
            continue
        settled.add((here, has_opinion))
        _keep(best, here, Judgement(Verdict.ACCEPT, overshoot, chain, Reason.SUBSTITUTE))
        for edge in () if has_opinion else last.get(here, ()):
            found = Judgement(
                Verdict.CONDITIONAL, overshoot + edge.overshoot, (*chain, edge.id), Reason.SUBSTITUTE
            )
            _keep(best, edge.satisfies, found)
        for edge in firm.get(here, ()):
            is_opinion = edge.relation in OPINIONS
            if not (is_opinion and has_opinion):
                so_far = (overshoot + edge.overshoot, steps + 1, (*chain, edge.id))
                heappush(queue, (*so_far, edge.satisfies, has_opinion or is_opinion))
    del best[standard]
    return best


def _keep(best: dict[str, Judgement], standard: str, found: Judgement) -> None:
    if standard not in best or found.rank < best[standard].rank:
        best[standard] = found


def _usable_edges(
    rules: Rules, need: NeedKind, is_sterile: bool | None
) -> tuple[dict[str, list[Substitution]], dict[str, list[Substitution]]]:
    """The substitutions that hold for this need by offered standard: firm ones, and those that can only end a chain."""
    firm: dict[str, list[Substitution]] = {}
    last: dict[str, list[Substitution]] = {}
    for edge in rules.substitutions:
        scope = covers(edge.use_scope, need.setting, is_sterile)
        if edge.verdict == "reject" or scope is Covers.NO:
            continue
        if not need.substitutes_welcome and (edge.verdict != "accept" or edge.relation not in SAME_GOODS):
            continue
        is_fact = edge.relation in FACTS and edge.verdict == "accept"
        if not is_fact and edge.jurisdiction not in EVERYWHERE and edge.jurisdiction != need.jurisdiction:
            continue
        is_firm = edge.verdict == "accept" and scope is Covers.YES and edge.relation in FACTS | OPINIONS
        (firm if is_firm else last).setdefault(edge.offered, []).append(edge)
    return firm, last


def verdicts(rules: Rules, offers: Sequence[OfferKind], needs: Sequence[NeedKind]) -> Verdicts:
    """The verdict on every pair of kinds, with its chain, as Problem takes them."""
    shape = (len(offers), len(needs))
    verdict, reason = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
    overshoot, number = np.zeros(shape, np.int16), np.full(shape, -1, np.int32)
    chains: dict[tuple[int, ...], int] = {}
    for o, offer in enumerate(offers):
        for n, need in enumerate(needs):
            found = judge(rules, offer, need)
            verdict[o, n], reason[o, n], overshoot[o, n] = found.verdict, found.reason, found.overshoot
            if found.chain:
                number[o, n] = chains.setdefault(found.chain, len(chains))
    starts = np.cumsum([0, *(len(chain) for chain in chains)])
    edges = [edge for chain in chains for edge in chain]
    return Verdicts(verdict, overshoot, reason, number, starts, np.array(edges, np.int64))
