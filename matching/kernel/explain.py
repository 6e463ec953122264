"""Why this match, why this shortfall: codes and numbers, from which sentences are made elsewhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from matching.kernel.columns import Ints, Small
from matching.kernel.eligibility import RULES, Rule
from matching.kernel.objective import open_bands
from matching.kernel.pairs import UNKNOWN_PLACE_M, Pairs, largest_parcel, smallest_parcel
from matching.kernel.patience import days_to_wait, least_parcel
from matching.kernel.plan import Plan
from matching.kernel.problem import FAR_AWAY_DAYS, MAX_QUANTITY, Problem, Verdict
from matching.kernel.substitution import Reason

AT_ONCE = 2_000_000
ELIGIBLE = len(RULES)  # the stage of a pair that keeps every rule


class Cause(StrEnum):
    """What keeps a demand short: the farthest that any offer came. `ShortDemand.figure` says by how much."""

    NO_COMPATIBLE_OFFER = "no-compatible-offer"
    IMPLAUSIBLE_QUANTITY = "implausible-quantity"  # of the demand itself
    NOTHING_LEFT = "nothing-left"  # compatible offers are promised already, or went to this very demand
    DIRECTED_ELSEWHERE = "directed-elsewhere"
    SENDER_NOT_ACCEPTED = "sender-not-accepted"
    DECLINED_BEFORE = "declined-before"
    PLACE_UNKNOWN = "place-unknown"  # of the demand, or of every offer
    NO_TRANSPORT = "no-transport"  # none that keeps it cold, or takes dangerous goods
    TOO_FAR = "too-far"  # figure: metres to the nearest
    TOO_LATE = "too-late"  # figure: days until the first could be there
    EXPIRES = "expires"  # figure: days of life left on arrival, of the freshest
    BELOW_LOT = "below-lot"  # figure: smallest parcel that may travel
    WAITS = "waits"  # for a nearer or better fitting offer; figure: days until one that is there is taken
    REMAINDER_BELOW_LOT = (
        "remainder-below-lot"  # something is left, but no parcel can be made of it; figure: the same
    )
    SERVES_MORE_URGENT = "serves-more-urgent"  # figure: last level that eligible offers serve
    GIVEN_TO_OTHERS = (
        "given-to-others"  # some of it to less urgent ones, in packs and lots that could not be moved
    )


CAUSES = {
    Rule.SATISFIES: Cause.NO_COMPATIBLE_OFFER,
    Rule.PLAUSIBLE: Cause.NOTHING_LEFT,
    Rule.DIRECTION: Cause.DIRECTED_ELSEWHERE,
    Rule.SENDER: Cause.SENDER_NOT_ACCEPTED,
    Rule.BARRED: Cause.DECLINED_BEFORE,
    Rule.TRANSPORT: Cause.NO_TRANSPORT,
    Rule.RANGE: Cause.TOO_FAR,
    Rule.DEADLINE: Cause.TOO_LATE,
    Rule.SHELF_LIFE: Cause.EXPIRES,
    Rule.LOT: Cause.BELOW_LOT,
    Rule.PATIENCE: Cause.WAITS,
}


@dataclass(frozen=True)
class Match:
    """Why one parcel is proposed.

    days_to_spare  between arrival and the day it is needed; None without a deadline
    shelf_days     of life left on arrival; None if it does not expire
    overshoot      how far the goods exceed the need
    chain          ids of the substitutions followed, offered goods first
    level_before, level_after  position in the policy of the demand's next unit before, and of its last unit with the parcel
    filled_before, filled_after, total  units of the demand: served and matched before and with this parcel, of all it
                   asked for. Parcels of one demand count in order of arrival
    is_assumed     the quantity asked for is an assumption
    """

    demand: int
    supply: int
    quantity: int
    distance_m: int
    days: int
    days_to_spare: int | None
    shelf_days: int | None
    overshoot: int
    verdict: Verdict
    reason: Reason
    chain: tuple[int, ...]
    level_before: int
    level_after: int
    filled_before: int
    filled_after: int
    total: int
    is_assumed: bool


@dataclass(frozen=True)
class ShortDemand:
    """Why a demand stays short.

    level     position in the policy of its next unit
    figure    see Cause; None where a number says nothing
    refused   how many compatible offers each rule kept away, for those that kept any; each offer counts once, at the
              first rule it breaks
    eligible  how many offers keep every rule
    """

    demand: int
    missing: int
    cause: Cause
    figure: int | None
    level: int
    refused: dict[Rule, int]
    eligible: int


@dataclass(frozen=True)
class Explanation:
    """Matches in the order of Plan.assignments, short demands in the order of Plan.shortfalls."""

    matches: tuple[Match, ...]
    short: tuple[ShortDemand, ...]


def explain(problem: Problem, plan: Plan) -> Explanation:
    """Every match and every shortfall of a plan that has passed verify. Looks at every compatible pair of a short demand."""
    return Explanation(tuple(matches(problem, plan)), tuple(short_demands(problem, plan)))


def matches(problem: Problem, plan: Plan) -> Iterator[Match]:
    """Why each parcel of a plan is proposed."""
    demands, supplies, parcels = problem.demands, problem.supplies, plan.assignments
    demand, supply = np.searchsorted(demands.id, parcels.demand), np.searchsorted(supplies.id, parcels.supply)
    before = demands.served[demand] + _arrived_before(plan)
    after = before + parcels.quantity
    level_before, level_after = _level(problem, demand, before), _level(problem, demand, after - 1)
    for row, (d, s) in enumerate(zip(demand.tolist(), supply.tolist(), strict=True)):
        kinds = int(supplies.kind[s]), int(demands.kind[d])
        days, deadline, shelf = (
            int(parcels.days[row]),
            int(demands.deadline_days[d]),
            int(supplies.shelf_days[s]),
        )
        yield Match(
            demand=int(demands.id[d]),
            supply=int(supplies.id[s]),
            quantity=int(parcels.quantity[row]),
            distance_m=int(parcels.distance_m[row]),
            days=days,
            days_to_spare=None if deadline >= FAR_AWAY_DAYS else deadline - days,
            shelf_days=None if shelf >= FAR_AWAY_DAYS else shelf - days,
            overshoot=int(problem.verdicts.overshoot[kinds]),
            verdict=Verdict(int(problem.verdicts.verdict[kinds])),
            reason=Reason(int(problem.verdicts.reason[kinds])),
            chain=problem.verdicts.chain_of(*kinds),
            level_before=int(level_before[row]),
            level_after=int(level_after[row]),
            filled_before=int(before[row]),
            filled_after=int(after[row]),
            total=int(demands.wanted[d] + demands.served[d]),
            is_assumed=bool(demands.assumed[d]),
        )


def _arrived_before(plan: Plan) -> Ints:
    """Units of the same demand in parcels that arrive before this one."""
    parcels = plan.assignments
    order = np.lexsort((parcels.supply, parcels.distance_m, parcels.days, parcels.demand))
    so_far = np.cumsum(parcels.quantity[order]) - parcels.quantity[order]
    starts = np.concatenate([[True], np.diff(parcels.demand[order]) > 0])[: len(order)]
    group = np.cumsum(starts) - 1
    before = np.empty(len(order), np.int64)
    before[order] = so_far - so_far[np.flatnonzero(starts)][group]
    return before


def _level(problem: Problem, demand: Ints, filled: Ints) -> Small:
    """The level of the unit after `filled` units of each demand."""
    total = problem.demands.wanted[demand] + problem.demands.served[demand]
    ends = np.cumsum(open_bands(total, np.zeros_like(total), problem.policy.bands), axis=1)
    band = np.minimum((ends <= filled[:, None]).sum(axis=1), problem.policy.bands - 1)
    return np.asarray(problem.policy.level_of()[problem.demands.urgency[demand] - 1, band])


def short_demands(problem: Problem, plan: Plan) -> Iterator[ShortDemand]:
    """Why each demand that stays short does."""
    demands = problem.demands
    rows = np.searchsorted(demands.id, plan.shortfalls.demand)
    level = _next_level(problem, plan, rows)
    stages = _Stages(problem, plan, rows)
    for place, (row, missing) in enumerate(zip(rows.tolist(), plan.shortfalls.missing.tolist(), strict=True)):
        cause, figure = stages.cause(place, int(level[place]))
        counts = stages.count[place].tolist()
        yield ShortDemand(
            demand=int(demands.id[row]),
            missing=missing,
            cause=cause,
            figure=figure,
            level=int(level[place]),
            refused={rule: counts[rule] for rule in RULES if counts[rule]},
            eligible=counts[ELIGIBLE],
        )


def _next_level(problem: Problem, plan: Plan, rows: Ints) -> Small:
    wanted, served = problem.demands.wanted[rows], problem.demands.served[rows]
    return _level(problem, rows, served + wanted - plan.shortfalls.missing)


class _Stages:
    """How far offers came with each short demand: the first rule they break, or ELIGIBLE.

    count     (short demands, stages) how many offers end there
    farthest  the last stage that any offer reached; SATISFIES if there is no compatible offer
    best      the best number among the offers at the farthest stage: metres, days, or the last level they serve
    parcel    the smallest parcel among them
    worth     the smallest that is worth sending today
    wait      days until a parcel of what is missing is
    used      units that the plan takes from eligible offers
    """

    def __init__(self, problem: Problem, plan: Plan, rows: Ints) -> None:
        self.problem, self.rows, self.missing = problem, rows, plan.shortfalls.missing
        self.count = np.zeros((len(rows), ELIGIBLE + 1), np.int64)
        self.farthest = np.zeros(len(rows), np.int64)
        self.best = np.zeros(len(rows), np.int64)
        self.parcel = np.zeros(len(rows), np.int64)
        self.worth = np.zeros(len(rows), np.int64)
        self.wait = np.zeros(len(rows), np.int64)
        self.used = np.zeros(len(rows), np.int64)
        self.served_level, self.sent = _after(problem, plan)
        for place, supply in _compatible(problem, rows):
            self._look_at(place, supply)

    def cause(self, place: int, level: int) -> tuple[Cause, int | None]:
        """What keeps this demand short at this level, and the figure that goes with it."""
        stage, best, parcel = (int(each[place]) for each in (self.farthest, self.best, self.parcel))
        wanted = int(self.problem.demands.wanted[self.rows[place]])
        if not 0 < wanted <= MAX_QUANTITY:
            return Cause.IMPLAUSIBLE_QUANTITY, None
        if stage == Rule.RANGE and best == UNKNOWN_PLACE_M:
            return Cause.PLACE_UNKNOWN, None
        if stage == Rule.LOT:
            return Cause.BELOW_LOT, parcel
        if stage < ELIGIBLE:
            return CAUSES[Rule(stage)], best if stage >= Rule.RANGE else None
        if self.missing[place] < parcel:
            return Cause.REMAINDER_BELOW_LOT, parcel
        if self.missing[place] < self.worth[place]:
            return Cause.WAITS, int(self.wait[place])
        if self.used[place] == wanted - self.missing[place]:
            return Cause.NOTHING_LEFT, None
        return (Cause.SERVES_MORE_URGENT, best) if best <= level else (Cause.GIVEN_TO_OTHERS, None)

    def _look_at(self, place: Ints, supply: Ints) -> None:
        """Short demands (by place) and supplies, pair by pair; all pairs of a place come in one call."""
        pairs = Pairs.of(self.problem, self.rows[place], supply)
        stage = _first_broken(self.problem, pairs)
        np.add.at(self.count, (place, stage), 1)
        np.maximum.at(self.farthest, place, stage)
        eligible = stage == ELIGIBLE
        np.add.at(self.used, place[eligible], self.sent[supply[eligible]])
        at_end = np.flatnonzero(stage == self.farthest[place])
        place, stage, pairs = place[at_end], stage[at_end], pairs.take(at_end)
        _keep(self.parcel, np.minimum, place, smallest_parcel(self.problem, pairs))
        _keep(self.worth, np.minimum, place, least_parcel(self.problem, pairs))
        _keep(self.wait, np.minimum, place, days_to_wait(self.problem, pairs, self.missing[place]))
        shelf_left = self.problem.supplies.shelf_days[pairs.supply] - pairs.days
        numbers: tuple[tuple[int, np.ufunc, Ints], ...] = (
            (Rule.RANGE, np.minimum, pairs.distance_m),
            (Rule.DEADLINE, np.minimum, pairs.days),
            (Rule.SHELF_LIFE, np.maximum, shelf_left),
            (
                Rule.PATIENCE,
                np.minimum,
                days_to_wait(self.problem, pairs, largest_parcel(self.problem, pairs)),
            ),
            (ELIGIBLE, np.maximum, self.served_level[pairs.supply]),
        )
        for at, better, number in numbers:
            _keep(self.best, better, place[stage == at], number[stage == at])


def _keep(kept: Ints, better: np.ufunc, place: Ints, number: Ints) -> None:
    """At each place the best of its numbers."""
    kept[place] = number
    better.at(kept, place, number)


def _after(problem: Problem, plan: Plan) -> tuple[Ints, Ints]:
    """The least important level that each supply serves, -1 if it serves nobody, and the units it sends."""
    parcels = plan.assignments
    demand = np.searchsorted(problem.demands.id, parcels.demand)
    supply = np.searchsorted(problem.supplies.id, parcels.supply)
    given = np.zeros(len(problem.demands), np.int64)
    np.add.at(given, demand, parcels.quantity)
    last_level = _level(problem, demand, problem.demands.served[demand] + given[demand] - 1)
    served_level = np.full(len(problem.supplies), -1, np.int64)
    np.maximum.at(served_level, supply, last_level)
    sent = np.zeros(len(problem.supplies), np.int64)
    np.add.at(sent, supply, parcels.quantity)
    return served_level, sent


def _compatible(problem: Problem, rows: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Places in `rows` and compatible supplies, some million pairs at a time."""
    kinds = problem.demands.kind[rows]
    for kind in np.unique(kinds):
        places = np.flatnonzero(kinds == kind)
        supply = np.flatnonzero(problem.verdicts.verdict[problem.supplies.kind, kind] != Verdict.NO)
        if not len(supply):
            continue
        at_once = max(1, AT_ONCE // len(supply))
        for start in range(0, len(places), at_once):
            some = places[start : start + at_once]
            yield np.repeat(some, len(supply)), np.tile(supply, len(some))


def _first_broken(problem: Problem, pairs: Pairs) -> Ints:
    """The first rule that each pair breaks, or ELIGIBLE."""
    stage = np.full(len(pairs), ELIGIBLE, np.int64)
    kept = np.arange(len(pairs))
    for rule, keeps in RULES.items():
        is_kept = keeps(problem, pairs)
        stage[kept[~is_kept]] = rule
        kept, pairs = kept[is_kept], pairs.take(is_kept)
    return stage
