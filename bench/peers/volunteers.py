"""What volunteers do by hand or in a loop."""

import math

import numpy as np

from bench.peers.turns import in_turn, plan_of
from matching.kernel.pairs import DETOUR, EARTH_DIAMETER_M, HANDLING_DAYS, Pairs, unit_vectors
from matching.kernel.plan import Plan
from matching.kernel.problem import Problem, Verdict


def urgency_greedy(problem: Problem, pairs: Pairs) -> Plan:
    """Urgent needs first, then by deadline, each from its nearest offers: the careful list of a good coordinator."""
    demands, row = problem.demands, pairs.demand
    order = np.lexsort(
        (pairs.supply, pairs.distance_m, row, demands.deadline_days[row], demands.urgency[row])
    )
    return plan_of(problem, pairs, in_turn(problem, pairs, order, np.zeros(len(pairs), np.int64)))


def naive(problem: Problem, sample: int | None = None) -> Plan:
    """The same as a loop in plain Python, over all offers of each need: what most projects start with.

    sample  serve only about so many needs, evenly spaced in the order of service: for an estimate of the time
    """
    found = _naive(problem, sample)
    pairs = Pairs.of(problem, *np.array(list(found), np.int64).reshape(-1, 2).T)
    return plan_of(problem, pairs, np.array(list(found.values()), np.int64))


def _naive(problem: Problem, sample: int | None) -> dict[tuple[int, int], int]:
    # It knows the rules that the instances of bench.matching_kernel use: no directions, senders or barred pairs.
    demands, supplies = problem.demands, problem.supplies
    verdict = problem.verdicts.verdict.tolist()
    offers: dict[int, list[int]] = {}
    for row, kind in enumerate(supplies.kind.tolist()):
        offers.setdefault(kind, []).append(row)
    here = unit_vectors(demands.lat_deg, demands.lon_deg).tolist()
    there = unit_vectors(supplies.lat_deg, supplies.lon_deg).tolist()
    mode, shelf, fresh = (
        supplies.mode.tolist(),
        supplies.shelf_days.tolist(),
        supplies.min_shelf_days.tolist(),
    )
    pack, lot, left = supplies.pack.tolist(), supplies.min_lot.tolist(), supplies.available.tolist()
    kinds, wanted = demands.kind.tolist(), demands.wanted.tolist()
    useful, deadline = demands.min_lot.tolist(), demands.deadline_days.tolist()
    speed, reach = problem.modes.km_per_day.tolist(), problem.modes.max_km.tolist()
    given: dict[tuple[int, int], int] = {}
    order = np.lexsort((demands.deadline_days, demands.urgency))
    for need in order[:: max(1, len(order) // (sample or len(order)))].tolist():
        x, y, z = here[need]
        near = []
        for kind, rows in offers.items():
            if verdict[kind][kinds[need]] == Verdict.NO:
                continue
            for offer in rows:
                if left[offer] <= 0:
                    continue
                a, b, c = there[offer]
                chord = math.sqrt((a - x) ** 2 + (b - y) ** 2 + (c - z) ** 2)
                km = DETOUR * EARTH_DIAMETER_M / 1000 * math.asin(min(1.0, chord / 2))
                days = HANDLING_DAYS + math.ceil(km / speed[mode[offer]])
                in_time = days <= deadline[need] and shelf[offer] - days >= fresh[offer]
                if km <= reach[mode[offer]] and in_time:
                    near.append((km, offer))
        for _, offer in sorted(near):
            quantity = min(wanted[need], left[offer]) // pack[offer] * pack[offer]
            if quantity >= max(lot[offer], useful[need]) and quantity > 0:
                given[need, offer] = quantity
                wanted[need] -= quantity
                left[offer] -= quantity
            if wanted[need] <= 0:
                break
    return given
