"""Which pairs of demand and supply may be made: one function for each hard rule.

A rule takes the problem and some pairs and answers, for each, whether it is kept. The list RULES is the law: a plan is
looked for among the pairs that keep all of it, judged by it, and a shortfall is explained by the first rule that no
offer keeps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from matching.kernel.columns import Bools, Ints
from matching.kernel.problem import ANYONE, MAX_QUANTITY, Problem, Verdict

EARTH_DIAMETER_M = 12_742_000
DETOUR = 1.3  # roads against the great circle
HANDLING_DAYS = 1
UNKNOWN_PLACE_M = 10**12  # farther than anything: a pair without a known place is out of range


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of rows, as positions in a problem, with the way between them.

    distance_m  1.3 x great circle, rounded to the metre once and for all; only whole numbers are compared
    days        from the run's day to arrival: ready in + 1 + way / speed, rounded up
    """

    demand: Ints
    supply: Ints
    distance_m: Ints
    days: Ints

    @classmethod
    def of(cls, problem: Problem, demand: NDArray[Any], supply: NDArray[Any]) -> Self:
        distance_m = ways(problem, demand, supply)
        supplies = problem.supplies
        per_day = problem.modes.km_per_day[supplies.mode[supply]].astype(np.int64) * 1000
        days = supplies.ready_in_days[supply].astype(np.int64) + HANDLING_DAYS - (-distance_m // per_day)
        return cls(demand.astype(np.int64), supply.astype(np.int64), distance_m, days)

    def __len__(self) -> int:
        return len(self.demand)

    def take(self, rows: NDArray[Any]) -> Self:
        return type(self)(self.demand[rows], self.supply[rows], self.distance_m[rows], self.days[rows])


def unit_vectors(lat_deg: NDArray[Any], lon_deg: NDArray[Any]) -> NDArray[np.float64]:
    """Points on the unit sphere, (n, 3); chords between them grow with the way. NaN where a place is not known."""
    lat, lon = (np.radians(np.where(np.isfinite(degrees), degrees, np.nan)) for degrees in (lat_deg, lon_deg))
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def ways(problem: Problem, demand: NDArray[Any], supply: NDArray[Any]) -> Ints:
    """Length of the way of each pair in metres; UNKNOWN_PLACE_M where a place is not known."""
    to = unit_vectors(problem.demands.lat_deg, problem.demands.lon_deg)[demand]
    since = unit_vectors(problem.supplies.lat_deg, problem.supplies.lon_deg)[supply]
    chord = np.sqrt(((to - since) ** 2).sum(axis=1))
    metres = DETOUR * EARTH_DIAMETER_M * np.arcsin(np.minimum(chord / 2, 1.0))
    return np.rint(np.where(np.isfinite(metres), metres, UNKNOWN_PLACE_M)).astype(np.int64)


def smallest_parcel(problem: Problem, pairs: Pairs) -> Ints:
    """The least that may travel: both lots, in whole packs."""
    demands, supplies = problem.demands, problem.supplies
    lot = np.maximum(supplies.min_lot[pairs.supply], demands.min_lot[pairs.demand])
    lot = np.clip(lot, 1, MAX_QUANTITY + 1)  # no parcel is larger, and the next line must not overflow
    pack = supplies.pack[pairs.supply]
    return -(-lot // pack) * pack


def largest_parcel(problem: Problem, pairs: Pairs) -> Ints:
    """The most that may travel: what is there or what is wanted, in whole packs."""
    most = np.minimum(problem.supplies.available[pairs.supply], problem.demands.wanted[pairs.demand])
    return np.maximum(most, 0) // problem.supplies.pack[pairs.supply] * problem.supplies.pack[pairs.supply]


def satisfies(problem: Problem, pairs: Pairs) -> Bools:
    """The goods are what was asked for, or an accepted substitute."""
    kinds = problem.supplies.kind[pairs.supply], problem.demands.kind[pairs.demand]
    return np.asarray(problem.verdicts.verdict[kinds] != Verdict.NO)


def is_plausible(problem: Problem, pairs: Pairs) -> Bools:
    """Neither quantity is absurd: a request for 10^14 masks is a typing error, and would take them all."""
    demands, supplies = problem.demands, problem.supplies
    wanted, served = demands.wanted[pairs.demand], demands.served[pairs.demand]
    available = supplies.available[pairs.supply]
    return (
        (wanted > 0)
        & (wanted <= MAX_QUANTITY)
        & (served >= 0)
        & (served <= MAX_QUANTITY)
        & (available > 0)
        & (available <= MAX_QUANTITY)
    )


def is_meant_for(problem: Problem, pairs: Pairs) -> Bools:
    """A directed gift goes to its facility or region and nowhere else."""
    demands, supplies = problem.demands, problem.supplies
    facility = supplies.directed_facility[pairs.supply]
    region = demands.region[pairs.demand]
    in_region = supplies.directed_region_first[pairs.supply] <= region
    in_region &= region <= supplies.directed_region_last[pairs.supply]
    return np.asarray(in_region & ((facility == ANYONE) | (facility == demands.facility[pairs.demand])))


def accepts_sender(problem: Problem, pairs: Pairs) -> Bools:
    """The hospital accepts everything that the sender is."""
    accepted = problem.demands.accepted_senders[pairs.demand]
    return np.asarray((problem.supplies.sender[pairs.supply] & ~accepted) == 0)


def is_not_barred(problem: Problem, pairs: Pairs) -> Bools:
    """The pair was not declined before."""
    if not len(problem.barred):
        return np.ones(len(pairs), np.bool_)
    demand = np.searchsorted(problem.demands.id, problem.barred[:, 0])
    supply = np.searchsorted(problem.supplies.id, problem.barred[:, 1])
    known = (demand < len(problem.demands)) & (supply < len(problem.supplies))
    demand, supply = demand[known], supply[known]
    known_ids = problem.demands.id[demand] == problem.barred[known, 0]
    known_ids &= problem.supplies.id[supply] == problem.barred[known, 1]
    barred = demand[known_ids] * len(problem.supplies) + supply[known_ids]
    return ~np.isin(pairs.demand * len(problem.supplies) + pairs.supply, barred)


def is_in_range(problem: Problem, pairs: Pairs) -> Bools:
    """The way is no longer than the mode of transport and the donor allow, and both places are known."""
    supplies = problem.supplies
    limit_km = np.minimum(problem.modes.max_km[supplies.mode[pairs.supply]], supplies.max_km[pairs.supply])
    return pairs.distance_m <= np.minimum(limit_km.astype(np.int64) * 1000, UNKNOWN_PLACE_M - 1)


def arrives_in_time(problem: Problem, pairs: Pairs) -> Bools:
    """It is there by the day it is needed."""
    return pairs.days <= problem.demands.deadline_days[pairs.demand]


def keeps_on_arrival(problem: Problem, pairs: Pairs) -> Bools:
    """Enough of its shelf life is left when it arrives."""
    supplies = problem.supplies
    left = supplies.shelf_days[pairs.supply].astype(np.int64) - pairs.days
    return left >= supplies.min_shelf_days[pairs.supply]


def has_legal_lot(problem: Problem, pairs: Pairs) -> Bools:
    """There is a whole number of packs that both sides find worth a parcel and neither finds too much."""
    return smallest_parcel(problem, pairs) <= largest_parcel(problem, pairs)


class Rule(IntEnum):
    """The hard rules, in the order in which a shortfall is explained: what nothing can change comes first."""

    SATISFIES = 0
    PLAUSIBLE = 1
    DIRECTION = 2
    SENDER = 3
    BARRED = 4
    RANGE = 5
    DEADLINE = 6
    SHELF_LIFE = 7
    LOT = 8


RULES: dict[Rule, Callable[[Problem, Pairs], Bools]] = {
    Rule.SATISFIES: satisfies,
    Rule.PLAUSIBLE: is_plausible,
    Rule.DIRECTION: is_meant_for,
    Rule.SENDER: accepts_sender,
    Rule.BARRED: is_not_barred,
    Rule.RANGE: is_in_range,
    Rule.DEADLINE: arrives_in_time,
    Rule.SHELF_LIFE: keeps_on_arrival,
    Rule.LOT: has_legal_lot,
}


def eligible(problem: Problem, pairs: Pairs) -> Pairs:
    """The pairs that keep every rule, in their order."""
    for keeps in RULES.values():
        kept = keeps(problem, pairs)
        if not kept.all():
            pairs = pairs.take(kept)
    return pairs
