"""An exact search for the plan of a component with few needs: what no flow can see, packs and lots that fit together.

CP-SAT (OR-Tools), one worker, a fixed seed and a limit that counts steps rather than seconds: the same problem gives the
same plan on every machine.
"""

import numpy as np

from matching.kernel.columns import Ints
from matching.kernel.network import Market
from matching.kernel.objective import is_better, open_bands

MOST_DEMANDS = 40
MOST_EDGES = 300
STEPS = 0.005  # of deterministic time for each of two searches; more of it found little more
SEED = 1


def polished(market: Market, plan: Ints) -> Ints:
    """The best plan found near `plan`; `plan` itself where the component is too large. Whoever asks compares the two.

    The ladder as a weighted sum: each level that occurs weighs twice the next. That is not the order of the ladder, which
    the comparison keeps, but leads the search that way, with numbers that fit.
    """
    if len(market.wanted) > MOST_DEMANDS or len(market.demand) > MOST_EDGES:
        return plan
    # Brings pandas with it, half a second that a run of large families need not pay.
    from ortools.sat.python import cp_model

    model = cp_model.CpModel()
    pack = market.pack[market.supply]
    most = np.minimum(market.available[market.supply], market.reach[market.demand]) // pack
    packs = [model.new_int_var(0, int(high), "") for high in most]
    travels = [model.new_bool_var("") for _ in packs]
    for edge, (count, does) in enumerate(zip(packs, travels, strict=True)):
        least = -(-int(market.lot[edge]) // int(pack[edge]))
        model.add(count >= least).only_enforce_if(does)
        model.add(count == 0).only_enforce_if(~does)
        model.add_hint(count, int(plan[edge] // pack[edge]))
        model.add_hint(does, bool(plan[edge]))
    for supply, available in enumerate(market.available.tolist()):
        sent = np.flatnonzero(market.supply == supply).tolist()
        model.add(sum(packs[edge] for edge in sent) * int(market.pack[supply]) <= available)
    opened = open_bands(market.wanted, market.served, market.policy.bands)
    given = market.given(plan)
    weight = _weights(market)
    worth = []
    for demand, bands in enumerate(opened.tolist()):
        arriving = np.flatnonzero(market.demand == demand).tolist()
        filled = []
        before = 0
        for band, size in enumerate(bands):
            part = model.new_int_var(0, size, "")
            model.add_hint(part, int(np.clip(given[demand] - before, 0, size)))
            before += size
            filled.append(part)
            worth.append(int(weight[demand, band]) * part)
        model.add(sum(packs[edge] * int(pack[edge]) for edge in arriving) == sum(filled))
        model.add(sum(filled) <= int(market.reach[demand]))
    model.maximize(sum(worth))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = SEED
    solver.parameters.cp_model_presolve = False  # takes longer than the search, and found nothing more
    solver.parameters.max_deterministic_time = STEPS
    found = (cp_model.OPTIMAL, cp_model.FEASIBLE)
    if solver.solve(model) not in found:
        return plan
    best = np.array([solver.value(count) for count in packs], np.int64) * pack
    if not is_better(market.levels(best), market.levels(plan)):
        return plan
    # As much of the sum, at less cost.
    model.add(sum(worth) >= sum(int(solver.value(each)) for each in worth))
    model.minimize(sum(int(cost) * count for cost, count in zip(market.cost * pack, packs, strict=True)))
    model.clear_hints()
    for count, does, packs_of_it in zip(packs, travels, (best // pack).tolist(), strict=True):
        model.add_hint(count, packs_of_it)
        model.add_hint(does, packs_of_it > 0)
    if solver.solve(model) not in found:
        return best
    cheaper = np.array([solver.value(count) for count in packs], np.int64) * pack
    # Equal sums may be unequal ladders.
    return best if is_better(market.levels(best), market.levels(cheaper)) else cheaper


def _weights(market: Market) -> Ints:
    """What a unit of each band of each demand counts, so that all of them together fit 63 bits."""
    level = market.policy.level_of()[market.urgency - 1].astype(np.int64)
    occurring, place = np.unique(level, return_inverse=True)
    units = max(int(market.reach.sum()), 1)
    doublings = min(len(occurring) - 1, max(61 - units.bit_length(), 0))
    return np.asarray(1 << np.maximum(doublings - place.reshape(level.shape), 0))
