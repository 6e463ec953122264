"""What volunteers do by hand or in a loop."""

import math
import time

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


def naive(problem: Problem) -> Plan:
    """The same as a loop in plain Python, over all offers of each need: what most projects start with."""
    loop = Loop(problem)
    for need in loop.order:
        loop.serve(need)
    pairs = Pairs.of(problem, *np.array(list(loop.given), np.int64).reshape(-1, 2).T)
    return plan_of(problem, pairs, np.array(list(loop.given.values()), np.int64))


def naive_seconds(problem: Problem, plan: Plan, sample: int) -> float:
    """Seconds of the processor that the loop would take, from about so many needs, evenly spaced in its order.

    plan  who sends what to the needs in between. Without it the sampled needs would find every offer still open, sort
          them all, and make the loop look several times slower than it is.
    """
    loop = Loop(problem)
    parcels: dict[int, list[tuple[int, int]]] = {}
    sent = plan.assignments
    rows = np.searchsorted(problem.demands.id, sent.demand), np.searchsorted(problem.supplies.id, sent.supply)
    for need, offer, quantity in zip(*(each.tolist() for each in (*rows, sent.quantity)), strict=True):
        parcels.setdefault(need, []).append((offer, quantity))
    every = max(1, len(loop.order) // sample)
    seconds, served = 0.0, 0
    for rank, need in enumerate(loop.order):
        if rank % every == 0:
            left, began = loop.left, time.process_time()
            loop.left = left.copy()
            loop.serve(need)
            seconds += time.process_time() - began
            loop.left = left
            served += 1
        for offer, quantity in parcels.get(need, ()):
            loop.left[offer] -= quantity
    return seconds * len(loop.order) / max(1, served)


class Loop:
    """The naive loop, one need at a time.

    It knows the rules that the instances of bench.matching_kernel use: no directions, senders or barred pairs.
    """

    def __init__(self, problem: Problem) -> None:
        demands, supplies = problem.demands, problem.supplies
        self.verdict = problem.verdicts.verdict.tolist()
        self.offers: dict[int, list[int]] = {}
        for row, kind in enumerate(supplies.kind.tolist()):
            self.offers.setdefault(kind, []).append(row)
        self.here = unit_vectors(demands.lat_deg, demands.lon_deg).tolist()
        self.there = unit_vectors(supplies.lat_deg, supplies.lon_deg).tolist()
        self.mode, self.shelf = supplies.mode.tolist(), supplies.shelf_days.tolist()
        self.fresh, self.pack = supplies.min_shelf_days.tolist(), supplies.pack.tolist()
        self.lot, self.left = supplies.min_lot.tolist(), supplies.available.tolist()
        self.kinds, self.wanted = demands.kind.tolist(), demands.wanted.tolist()
        self.useful, self.deadline = demands.min_lot.tolist(), demands.deadline_days.tolist()
        self.speed, self.reach = problem.modes.km_per_day.tolist(), problem.modes.max_km.tolist()
        self.order = np.lexsort((demands.deadline_days, demands.urgency)).tolist()
        self.given: dict[tuple[int, int], int] = {}

    def serve(self, need: int) -> None:
        wanted = self.wanted[need]
        for _, offer in sorted(self._near(need)):
            quantity = min(wanted, self.left[offer]) // self.pack[offer] * self.pack[offer]
            if quantity >= max(self.lot[offer], self.useful[need]) and quantity > 0:
                self.given[need, offer] = quantity
                wanted -= quantity
                self.left[offer] -= quantity
            if wanted <= 0:
                break

    def _near(self, need: int) -> list[tuple[float, int]]:
        x, y, z = self.here[need]
        near = []
        for kind, rows in self.offers.items():
            if self.verdict[kind][self.kinds[need]] == Verdict.NO:
                continue
            for offer in rows:
                if self.left[offer] <= 0:
                    continue
                a, b, c = self.there[offer]
                chord = math.sqrt((a - x) ** 2 + (b - y) ** 2 + (c - z) ** 2)
                km = DETOUR * EARTH_DIAMETER_M / 1000 * math.asin(min(1.0, chord / 2))
                days = HANDLING_DAYS + math.ceil(km / self.speed[self.mode[offer]])
                in_time = days <= self.deadline[need] and self.shelf[offer] - days >= self.fresh[offer]
                if km <= self.reach[self.mode[offer]] and in_time:
                    near.append((km, offer))
        return near
