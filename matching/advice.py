"""What goods that somebody is about to offer are good for: who could use them now, what is wrong with them, and where they
are welcome instead. Judged by the rules of the matching, of goods and needs as a run would read them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from matching.kernel.eligibility import RULES, Rule
from matching.kernel.pairs import Pairs
from matching.kernel.problem import Problem
from matching.lookup import Asked, Case, cases_of
from matching.snapshot import MOST_ASKED, Rulebook, Snapshot, take_goods
from supplies.emergencies.models import Emergency
from supplies.needs.models import Need, Urgency
from supplies.offers.models import Offer
from supplies.regions.models import Region
from supplies.wording import listed

PLACES_SHOWN = 4
NEAREST_READ = 40  # needs whose places are read to name the nearest few
NEEDS_A_PLACE = frozenset({Rule.RANGE, Rule.DEADLINE, Rule.SHELF_LIFE})
OBSTACLES: Mapping[Rule, Promise] = {
    Rule.DIRECTION: _("for others than those you give it to"),
    Rule.SENDER: _("from hospitals that take nothing from this kind of sender"),
    Rule.TRANSPORT: _("where goods like these may not travel as you say"),
    Rule.RANGE: _("farther away than the goods may travel"),
    Rule.DEADLINE: _("needed before the goods could be there"),
    Rule.SHELF_LIFE: _("where too little of their shelf life would be left on arrival"),
    Rule.LOT: _("for less than a whole pack or your minimum quantity"),
}


@dataclass(frozen=True)
class Advice:
    """What is said of one line before it is offered.

    case         what the goods are good for by the rules, whoever asks
    fitting      how many open needs they fit, and `by_urgency` of which urgency
    nearest      places (region, km, needs) of those, the nearest first; empty while it is not said where the goods lie
    obstacles    how many more needs would take such goods, but for (a reason)
    is_cut       only the MOST_ASKED most urgent needs were looked at
    """

    case: Case
    fitting: int
    by_urgency: tuple[tuple[Urgency, int], ...]
    nearest: tuple[tuple[Region, int, int], ...]
    obstacles: tuple[tuple[int, Promise], ...]
    is_cut: bool

    @property
    def is_good(self) -> bool:
        """Whether they are, for somebody, what they are called."""
        return any(line.item == self.case.item for line in self.case.good_for)

    @property
    def faults(self) -> list[str]:
        """Why they are not what they are called, each reason once."""
        own = [line.why for line in self.case.not_for if line.item == self.case.item]
        return list(dict.fromkeys(own))

    @property
    def is_too_old(self) -> bool:
        """Whether no need takes them, whoever asks: nothing else has to be said then."""
        life = self.case.shelf_life
        return life is not None and life.verdict != "fits"

    @property
    def may_not_replace(self) -> str:
        """The medical goods that these, which are none, are not taken for anywhere; empty for medical goods."""
        if self.case.item.needs_medical_grade:
            return ""
        taken = {line.item for line in (*self.case.good_for, *self.case.on_condition)}
        medical = [line.item for line in self.case.not_for if line.item.needs_medical_grade]
        return listed(dict.fromkeys(item.name for item in medical if item not in taken))

    @property
    def asked_for_as(self) -> str:
        """What the list of needs finds them by, with what they may stand in for."""
        return self.case.standard.code if self.case.standard else self.case.item.code

    @property
    def conditions(self) -> list[str]:
        own = [line.condition for line in self.case.on_condition if line.condition]
        return list(dict.fromkeys(own))


def advise(emergency: Emergency, goods: Sequence[Offer], *, at: datetime) -> list[Advice]:
    """What to say of goods as they would be stored, line by line, in a fixed number of queries."""
    if not goods:
        return []
    asked = [
        Asked(
            item=offer.item_id,
            standard=offer.standard_id or "",
            sterile=offer.sterile or None,
            expires_on=offer.expires_on,
        )
        for offer in goods
    ]
    cases = cases_of(asked, on=timezone.localdate(at))
    snapshot = take_goods(emergency, goods, as_of=at, rulebook=Rulebook.read())
    has_place = goods[0].donation.region_id is not None
    stops = [_first_stops(snapshot.problem, row, has_place=has_place) for row in range(len(goods))]
    places = _places(snapshot, [pairs for pairs, _refused in stops] if has_place else [])
    return [
        _advice(snapshot.problem, case, pairs, refused, places)
        for case, (pairs, refused) in zip(cases, stops, strict=True)
    ]


def _first_stops(problem: Problem, supply: int, *, has_place: bool) -> tuple[Pairs, Counter[Rule]]:
    """The pairs of one supply that keep every rule, the nearest first; and how many the rules kept away, each at the first
    it breaks.
    """
    demand = np.arange(len(problem.demands))
    pairs = Pairs.of(problem, demand, np.full(len(demand), supply))
    refused: Counter[Rule] = Counter()
    for rule, keeps in RULES.items():
        if rule in NEEDS_A_PLACE and not has_place:
            continue
        kept = keeps(problem, pairs)
        refused[rule] = int((~kept).sum())
        pairs = pairs.take(kept)
    return pairs.take(np.lexsort((pairs.demand, pairs.distance_m))), refused


def _places(snapshot: Snapshot, found: Sequence[Pairs]) -> dict[int, Region]:
    """Where the nearest needs of each line lie: the region of the facility, no more."""
    rows = {int(row) for pairs in found for row in pairs.demand[:NEAREST_READ]}
    ids = {snapshot.rows.need_id(row): row for row in rows}
    needs = Need.objects.filter(pk__in=ids).select_related("appeal__facility__region__parent")
    return {ids[need.pk]: _town(need.appeal.facility.region) for need in needs}


def _town(region: Region) -> Region:
    return region.parent if region.level == "district" and region.parent else region


def _advice(
    problem: Problem, case: Case, pairs: Pairs, refused: Counter[Rule], places: Mapping[int, Region]
) -> Advice:
    urgencies = Counter(problem.demands.urgency[pairs.demand].tolist())
    return Advice(
        case=case,
        fitting=len(pairs),
        by_urgency=tuple((urgency, urgencies[urgency]) for urgency in Urgency if urgencies[urgency]),
        nearest=_nearest(pairs, places),
        obstacles=tuple((refused[rule], why) for rule, why in OBSTACLES.items() if refused[rule]),
        is_cut=len(problem.demands) == MOST_ASKED,
    )


def _nearest(pairs: Pairs, places: Mapping[int, Region]) -> tuple[tuple[Region, int, int], ...]:
    found: dict[Any, tuple[Region, int, int]] = {}
    for row, metres in zip(pairs.demand.tolist(), pairs.distance_m.tolist(), strict=True):
        if row not in places:
            continue
        town = places[row]
        _same, km, needs = found.get(town.pk, (town, metres // 1000, 0))
        found[town.pk] = (town, km, needs + 1)
    return tuple(found.values())[:PLACES_SHOWN]
