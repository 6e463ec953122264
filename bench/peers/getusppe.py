"""The ways of GetUsPPE, which matched donors of protective equipment with hospitals in 2020, under this project's rules.

Bala, Samorani, Jacob, He: doi 10.1038/s41746-020-00375-3; the first two are the strategies of their public benchmark
(`bench.ppe` runs those themselves). Here they keep what a legal plan keeps: deadlines, shelf life, packs, lots.
"""

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from bench.peers.turns import in_turn, plan_of
from matching.kernel.columns import Ints
from matching.kernel.eligibility import eligible
from matching.kernel.network import components
from matching.kernel.pairs import Pairs, largest_parcel, smallest_parcel
from matching.kernel.plan import Plan
from matching.kernel.problem import Problem

UNIT_KM = 100_000  # what one unit more is worth: longer than any way, so that filling comes before distance


def first_come(problem: Problem) -> Plan:
    """First come, first matched: of each item the i-th donor sends to the i-th hospital, if that is allowed."""
    demand, supply = _in_order_of_arrival(problem)
    pairs = eligible(problem, Pairs.of(problem, demand, supply))
    return plan_of(problem, pairs, largest_parcel(problem, pairs))


def _in_order_of_arrival(problem: Problem) -> tuple[Ints, Ints]:
    needs, offers = problem.demands.kind, problem.supplies.kind
    demand, supply = [], []
    for kind in np.intersect1d(needs, offers):
        asked, given = np.flatnonzero(needs == kind), np.flatnonzero(offers == kind)
        count = min(len(asked), len(given))
        demand.append(asked[:count])
        supply.append(given[:count])
    none = [np.empty(0, np.int64)]
    return np.concatenate(demand or none), np.concatenate(supply or none)


def proximity(problem: Problem, pairs: Pairs, rounds: int | None = 1) -> Plan:
    """Each donor in order of arrival sends one parcel a round to the nearest hospital that can still take one.

    rounds  None repeats until nobody can send anything more
    """
    by_donor = pairs.take(np.lexsort((pairs.demand, pairs.distance_m, pairs.supply)))
    ends = np.searchsorted(by_donor.supply, np.arange(len(problem.supplies)), side="right").tolist()
    turn = [0, *ends[:-1]]
    wanted, left = problem.demands.wanted.tolist(), problem.supplies.available.tolist()
    packs, needs = problem.supplies.pack.tolist(), by_donor.demand.tolist()
    least = smallest_parcel(problem, by_donor).tolist()
    quantity = [0] * len(needs)
    waiting = list(range(len(ends)))
    while waiting and rounds != 0:
        sent = []
        for donor in waiting:
            # Both sides only ever have less, so a pair that cannot send now never can: no pair is looked at twice.
            for pair in range(turn[donor], ends[donor]):
                most = min(wanted[needs[pair]], left[donor])
                most -= most % packs[donor]
                if most >= least[pair]:
                    quantity[pair] = most
                    wanted[needs[pair]] -= most
                    left[donor] -= most
                    turn[donor] = pair + 1
                    sent.append(donor)
                    break
        waiting = sent
        rounds = None if rounds is None else rounds - 1
    return plan_of(problem, by_donor, np.array(quantity, np.int64))


def transport(problem: Problem, pairs: Pairs) -> Plan:
    """As many units as possible, then as few kilometres, as a linear programme; then made shippable.

    Whole packs, no parcel below its lot, and what that leaves over is offered again, nearest first. HiGHS, through SciPy.
    """
    ideal = np.zeros(len(pairs), np.int64)
    for edges in components(pairs):
        ideal[edges] = _transported(problem, pairs.take(edges))
    parcels = ideal - ideal % problem.supplies.pack[pairs.supply]
    parcels[parcels < smallest_parcel(problem, pairs)] = 0
    nearest_first = np.lexsort((pairs.supply, pairs.demand, pairs.distance_m))
    return plan_of(problem, pairs, in_turn(problem, pairs, nearest_first, parcels))


def _transported(problem: Problem, pairs: Pairs) -> Ints:
    demands, demand = np.unique(pairs.demand, return_inverse=True)
    supplies, supply = np.unique(pairs.supply, return_inverse=True)
    edge = np.arange(len(pairs))
    totals = coo_array(
        (np.ones(2 * len(edge)), (np.concatenate([demand, len(demands) + supply]), np.tile(edge, 2)))
    )
    most = np.concatenate([problem.demands.wanted[demands], problem.supplies.available[supplies]])
    found = linprog(pairs.distance_m / 1000 - UNIT_KM, A_ub=totals.tocsr(), b_ub=most, method="highs")
    if found.x is None:
        raise RuntimeError(f"HiGHS ended with: {found.message}")
    return np.rint(found.x).astype(np.int64)
