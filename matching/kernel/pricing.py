"""Which pairs that were not looked at would better the ladder.

Near and large partners are most of what a plan needs, not all of it. Once the ladder is known for the pairs looked at, each
supply has a price: the least important level it could take a unit from, directly or by way of others that step in for it.
A need that is short at a more important level than that price would gain by the pair (column generation, with prices that
are levels).
"""

from collections.abc import Iterator

import numpy as np

from matching.kernel.candidates import LOOK_AT_ALL, families, joined, nearest
from matching.kernel.columns import Ints
from matching.kernel.eligibility import eligible
from matching.kernel.network import Market, flow, next_level
from matching.kernel.pairs import Pairs
from matching.kernel.problem import Problem, Verdict

ROUNDS = 2
URGENT = 2  # whom it is done for; for the others the gain is small and the pairs many
PER_DEMAND = 10


def with_priced(problem: Problem, pairs: Pairs) -> Pairs:
    """The pairs, and for needs of the first two urgencies that stay short those that would help them, in large families."""
    found = [pairs]
    for demand, supply in families(problem):
        if problem.lanes.size or len(demand) * len(supply) <= LOOK_AT_ALL:
            continue
        family = pairs.take(np.isin(pairs.demand, demand))
        for _round in range(ROUNDS):
            more = _helpful(problem, family, supply)
            if not len(more):
                break
            found.append(more)
            family = joined(problem, [family, more])
    return joined(problem, found) if len(found) > 1 else pairs


def _helpful(problem: Problem, pairs: Pairs, supply: Ints) -> Pairs:
    """Pairs that are not among these and would better the ladder, the nearest few for each need."""
    market = Market.of(problem, pairs).take(np.arange(len(pairs)))
    rows, own = np.unique(pairs.demand), np.unique(pairs.supply)
    sent, _ = flow(market, np.arange(len(pairs)), market.available, unit=1, level_steps=0)
    given = market.given(sent)
    price = np.full(len(problem.supplies), len(problem.policy.levels), np.int64)
    price[own] = prices(market, sent)
    missing = (given < market.reach) & (market.urgency <= URGENT)
    level = next_level(market, given).astype(np.int64)
    links = list(_nearest_below(problem, rows[missing], level[missing], supply, price))
    if not links:
        return pairs.take(np.empty(0, np.int64))
    count = len(problem.supplies)
    keys = np.unique(np.concatenate([demand * count + taken for demand, taken in links]))
    keys = np.setdiff1d(keys, pairs.demand * count + pairs.supply)
    return eligible(problem, Pairs.of(problem, *np.divmod(keys, count)))


def prices(market: Market, sent: Ints) -> Ints:
    """For each supply the least important level it could take a unit from; the level after the last where it has some left."""
    last = len(market.policy.levels)
    price = np.where(market.available > market.used(sent), last, -1)
    given = market.given(sent)
    served = np.where(given > 0, next_level(market, np.maximum(given - 1, 0)), -1)
    goes = sent > 0
    while True:
        released = served.copy()
        np.maximum.at(released, market.demand, price[market.supply])
        better = price.copy()
        np.maximum.at(better, market.supply[goes], released[market.demand[goes]])
        if (better == price).all():
            return price
        price = better


def _nearest_below(
    problem: Problem, demand: Ints, level: Ints, supply: Ints, price: Ints
) -> Iterator[tuple[Ints, Ints]]:
    """For needs that are alike, the nearest supplies that would lose less than they gain."""
    demands, supplies = problem.demands, problem.supplies
    alike = np.column_stack([demands.kind[demand], demands.accepted_senders[demand], level])
    distinct, group = np.unique(alike, axis=0, return_inverse=True)
    for number, (kind, accepted, gained) in enumerate(distinct.tolist()):
        own = demand[group.reshape(-1) == number]
        fits = problem.verdicts.verdict[supplies.kind[supply], kind] != Verdict.NO
        fits &= ((supplies.sender[supply] & ~accepted) == 0) & (price[supply] > gained)
        if fits.any():
            yield nearest(problem, own, supply[fits], PER_DEMAND)
