"""The plan that may break packs and lots, which no legal plan beats."""

import numpy as np

from bench.peers.turns import plan_of
from matching.kernel.candidates import candidates
from matching.kernel.network import Market, certified_flow, components
from matching.kernel.pairs import Pairs
from matching.kernel.plan import Plan
from matching.kernel.pricing import with_priced
from matching.kernel.problem import Problem

EVERY_PAIR = 10**18  # a family with as many pairs is still looked at whole


def all_pairs(problem: Problem) -> Pairs:
    """Every pair that may be made."""
    return candidates(problem, look_at_all=EVERY_PAIR)


def looked_at(problem: Problem) -> Pairs:
    """The pairs that the kernel looks at."""
    return with_priced(problem, candidates(problem))


def relaxed(problem: Problem, pairs: Pairs) -> Plan:
    """The best plan on these pairs if packs and lots could be broken. Not a legal plan: a bound for them."""
    market = Market.of(problem, pairs)
    quantity = np.zeros(len(pairs), np.int64)
    for edges in components(pairs):
        quantity[edges], _ = certified_flow(market.take(edges), unit=1)
    return plan_of(problem, pairs, quantity)
