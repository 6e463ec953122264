"""Pairs that come one after another, each taking what it may: what all greedy ways have in common."""

import numpy as np

from matching.kernel.columns import Ints
from matching.kernel.pairs import Pairs, smallest_parcel
from matching.kernel.plan import Plan
from matching.kernel.problem import Problem
from matching.kernel.solve import as_plan


def in_turn(problem: Problem, pairs: Pairs, order: Ints, travelling: Ints) -> Ints:
    """Quantities on the pairs, if each in its turn takes all that both sides still have, in packs, not below the lot.

    order       positions in `pairs`
    travelling  what the pairs send already; it is kept, and a parcel that travels may grow by any number of packs
    """
    demand, supply = pairs.demand, pairs.supply
    wanted = (problem.demands.wanted - sums(demand, travelling, len(problem.demands))).tolist()
    left = (problem.supplies.available - sums(supply, travelling, len(problem.supplies))).tolist()
    packs = problem.supplies.pack.tolist()
    lot = smallest_parcel(problem, pairs)
    columns = (demand[order], supply[order], lot[order], travelling[order])
    taken = []
    for need, offer, least, already in zip(*(column.tolist() for column in columns), strict=True):
        more = min(wanted[need], left[offer])
        more -= more % packs[offer]
        if already + more < least:
            more = 0
        wanted[need] -= more
        left[offer] -= more
        taken.append(more)
    quantity = travelling.copy()
    quantity[order] += np.array(taken, np.int64)
    return quantity


def sums(rows: Ints, quantity: Ints, count: int) -> Ints:
    total = np.zeros(count, np.int64)
    np.add.at(total, rows, quantity)
    return total


def plan_of(problem: Problem, pairs: Pairs, quantity: Ints) -> Plan:
    """The plan that sends these quantities. It claims no bound: these ways know none."""
    order = np.lexsort((pairs.supply, pairs.demand))
    return as_plan(
        problem, pairs.take(order), quantity[order], np.zeros(len(problem.policy.levels), np.int64)
    )
