"""Which pairs of demand and supply may be made: one function for each hard rule.

A rule takes the problem and some pairs and answers, for each, whether it is kept. The list RULES is the law: a plan is
looked for among the pairs that keep all of it, judged by it, and a shortfall is explained by the first rule that no
offer keeps.
"""

from collections.abc import Callable
from enum import IntEnum

import numpy as np

from matching.kernel.columns import Bools
from matching.kernel.pairs import UNKNOWN_PLACE_M, Pairs, largest_parcel, smallest_parcel
from matching.kernel.patience import is_worth_making
from matching.kernel.problem import ANYONE, MAX_QUANTITY, Problem, Verdict


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


def may_travel(problem: Problem, pairs: Pairs) -> Bools:
    """What has to be kept cold goes only where it is, and dangerous goods where they are taken: by road, not by air."""
    supplies, modes = problem.supplies, problem.modes
    mode = supplies.mode[pairs.supply]
    is_kept_cold = ~supplies.is_cold[pairs.supply] | modes.keeps_cold[mode]
    return np.asarray(is_kept_cold & (~supplies.is_dangerous[pairs.supply] | modes.takes_dangerous[mode]))


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
    TRANSPORT = 5
    RANGE = 6
    DEADLINE = 7
    SHELF_LIFE = 8
    LOT = 9
    PATIENCE = 10


RULES: dict[Rule, Callable[[Problem, Pairs], Bools]] = {
    Rule.SATISFIES: satisfies,
    Rule.PLAUSIBLE: is_plausible,
    Rule.DIRECTION: is_meant_for,
    Rule.SENDER: accepts_sender,
    Rule.BARRED: is_not_barred,
    Rule.TRANSPORT: may_travel,
    Rule.RANGE: is_in_range,
    Rule.DEADLINE: arrives_in_time,
    Rule.SHELF_LIFE: keeps_on_arrival,
    Rule.LOT: has_legal_lot,
    Rule.PATIENCE: is_worth_making,
}


def eligible(problem: Problem, pairs: Pairs) -> Pairs:
    """The pairs that keep every rule, in their order."""
    for keeps in RULES.values():
        kept = keeps(problem, pairs)
        if not kept.all():
            pairs = pairs.take(kept)
    return pairs
