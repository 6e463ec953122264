"""Finds a plan.

Each component of the market is one min-cost flow (network.py). Packs and lots are not convex, so they are met by a dive:
for each urgency, most urgent first, the flow over all classes still open, then only this class is rounded to parcels that
may travel, with every remaining unit open to it, and fixed. Plans made otherwise are set beside it: a plain greedy one,
one that leaves alone whatever was proposed before, and for few needs an exact search. The best on the ladder is kept, of
equals the one that changes least. Last, what is left on both sides is paired.
"""

from collections.abc import Callable

import numpy as np

from matching.kernel.candidates import among, candidates, families
from matching.kernel.columns import Ints
from matching.kernel.network import Market, certified_flow, components, flow, next_level, sums
from matching.kernel.objective import is_better, open_bands, units_per_level
from matching.kernel.pairs import Pairs
from matching.kernel.plan import Assignments, Plan, Shortfalls
from matching.kernel.polish import polished
from matching.kernel.pricing import with_priced
from matching.kernel.problem import URGENCIES, Problem

LEFTOVER_PAIRS = 4_000_000  # pairs of leftovers of a family up to which every one of them is tried
PHASES = ("candidates", "flow", "parcels", "leftovers")


def solve(problem: Problem, *, entering: Callable[[str], None] = lambda phase: None) -> Plan:
    """The plan for a problem: the same problem gives the same plan, to the last byte.

    entering  called with a name of PHASES whenever that phase begins or goes on, for a caller with a clock

    An empty, one-sided or infeasible problem has an empty plan. Raises SolverFailed.
    """
    entering("candidates")
    pairs = with_priced(problem, candidates(problem))
    market = Market.of(problem, pairs)
    quantity = np.zeros(len(pairs), np.int64)
    bound = np.zeros(len(problem.policy.levels), np.int64)
    for edges in components(pairs):
        part = market.take(edges)
        quantity[edges], ideal = best_plan(part, entering)
        bound += ideal
    entering("leftovers")
    pairs, quantity = with_leftovers(problem, pairs, quantity)
    return as_plan(problem, pairs, quantity, bound)


def best_plan(market: Market, entering: Callable[[str], None]) -> tuple[Ints, Ints]:
    """Quantities on the edges of one component, and the levels no plan on these edges can beat."""
    entering("flow")
    unit = int(np.gcd.reduce(market.pack))
    relaxed, steps = certified_flow(market, unit)
    everything = np.arange(len(market.demand))
    ideal = market.levels(
        relaxed if unit == 1 else flow(market, everything, market.available, unit=1, level_steps=0)[0]
    )
    best = dive(market, relaxed, unit, steps, entering)
    entering("parcels")
    others: list[Callable[[], Ints]] = [lambda: greedy(market), lambda: polished(market, best)]
    for other in others:
        if (market.levels(best) != ideal).any():
            found = other()
            best = found if is_better(market.levels(found), market.levels(best)) else best
    if market.kept.any():
        kept = keeping(market, unit, steps, entering)
        best = best if is_better(market.levels(best), market.levels(kept)) else kept
    return best, ideal


def keeping(market: Market, unit: int, steps: int, entering: Callable[[str], None]) -> Ints:
    """All that was proposed before and may still travel, and a dive into what is left."""
    kept = legal_part(market, market.kept)
    rest = market.after(kept)
    everything = np.arange(len(market.demand))
    ideal, _ = flow(rest, everything, rest.available, unit=unit, level_steps=steps)
    return np.asarray(kept + dive(rest, ideal, unit, steps, entering))


def legal_part(market: Market, quantity: Ints) -> Ints:
    """Of these quantities what may travel still, where less is left or wanted than there was: the most urgent first."""
    order = np.lexsort((market.supply, market.demand, market.urgency[market.demand]))
    has, rest = [0] * len(market.wanted), market.available.tolist()
    wanted, pack, found = market.reach.tolist(), market.pack.tolist(), np.zeros_like(quantity)
    for edge in order[quantity[order] > 0].tolist():
        demand, supply = int(market.demand[edge]), int(market.supply[edge])
        most = min(int(quantity[edge]), wanted[demand] - has[demand], rest[supply])
        most -= most % pack[supply]
        if most >= market.lot[edge]:
            found[edge] = most
            has[demand] += most
            rest[supply] -= most
    return found


def dive(market: Market, relaxed: Ints, unit: int, level_steps: int, entering: Callable[[str], None]) -> Ints:
    """Quantities that may travel, class by class: flow over all classes still open, then this class rounded and fixed.

    A class also takes what is left over before any later class comes; the rest is given in the order of the ladder.

    relaxed  the flow over all edges, which is the first of them
    """
    quantity = np.zeros(len(market.demand), np.int64)
    available = market.available
    urgency = market.urgency[market.demand]
    for own_class in URGENCIES:
        largest = np.minimum(available[market.supply], market.reach[market.demand])
        still_open = np.flatnonzero((urgency >= own_class) & (market.lot <= largest))
        own = still_open[urgency[still_open] == own_class]
        if not len(own):
            continue
        entering("flow")
        ideal = relaxed
        if len(still_open) < len(relaxed) or quantity.any():
            ideal, _ = flow(market, still_open, available, unit=unit, level_steps=level_steps)
        entering("parcels")
        parcels = as_parcels(market, own, ideal[urgency[still_open] == own_class], available)
        quantity[own] = refill(market, own, parcels, available, before_later_classes(market, own_class))
        available = market.available - market.used(quantity)
    return refill(market, np.arange(len(quantity)), quantity, market.available, market.reach)


def before_later_classes(market: Market, own_class: int) -> Ints:
    """What each demand of a class may have before any later class has had its first unit: all of it, under `urgency`."""
    level_of = market.policy.level_of()
    is_before = level_of[own_class - 1] < level_of[own_class:].min(initial=len(market.policy.levels))
    opened = open_bands(market.wanted, market.served, market.policy.bands)
    return np.asarray(np.minimum(opened[:, is_before].sum(axis=1), market.reach))


def as_parcels(market: Market, edges: Ints, ideal: Ints, available: Ints) -> Ints:
    """The ideal quantities of these edges as parcels that may travel: whole packs, no parcel below the lot.

    What cannot travel is offered again, up to what each demand ideally gets.
    """
    pack = market.pack[market.supply[edges]]
    quantity = ideal - ideal % pack
    quantity[quantity < market.lot[edges]] = 0
    target = sums(market.demand[edges], ideal, len(market.wanted))
    return refill(market, edges, quantity, available, target)


def refill(market: Market, edges: Ints, quantity: Ints, available: Ints, limit: Ints) -> Ints:
    """The quantities, raised where supply is left and demands are below `limit`, in the order of the ladder.

    At one level and demand: parcels that travel anyway or were proposed before come first, then supplies that can finish the demand in one
    parcel, then the cheaper ones. A parcel may pass the limit to make a pack or a lot, never what the demand may have.
    """
    demand, supply, lot = market.demand[edges], market.supply[edges], market.lot[edges]
    given = sums(demand, quantity, len(market.wanted))
    left = available - sums(supply, quantity, len(market.available))
    rows = np.flatnonzero((given[demand] < limit[demand]) & (left[supply] >= market.pack[supply]))
    missing = limit[demand[rows]] - given[demand[rows]]
    needs_more = np.minimum(left[supply[rows]], market.reach[demand[rows]]) < np.maximum(missing, lot[rows])
    is_new = (quantity[rows] == 0) & (market.kept[edges[rows]] == 0)
    level = next_level(market, given)[demand[rows]]
    rows = rows[np.lexsort((market.cost[edges[rows]], needs_more, is_new, demand[rows], level))]
    raised = quantity.copy()
    turns = (demand[rows], supply[rows], lot[rows], quantity[rows])
    raised[rows] += _take_in_turn(market, turns, given, left, limit)
    return raised


def _take_in_turn(
    market: Market,
    edges: tuple[Ints, Ints, Ints, Ints],
    given: Ints,
    left: Ints,
    limit: Ints,
) -> Ints:
    """What each edge takes when its turn comes; edges are (demand, supply, lot, quantity that travels already)."""
    has, rest, most = given.tolist(), left.tolist(), limit.tolist()
    wanted, packs = market.reach.tolist(), market.pack.tolist()
    taken = []
    for demand, supply, lot, travelling in zip(*(each.tolist() for each in edges), strict=True):
        missing, pack = most[demand] - has[demand], packs[supply]
        room = min(wanted[demand] - has[demand], rest[supply])
        if missing <= 0 or room < pack:
            taken.append(0)
            continue
        more = max(-(-missing // pack) * pack, lot - travelling)
        if more > room:
            more = room - room % pack
        if travelling + more < lot:
            more = 0
        has[demand] += more
        rest[supply] -= more
        taken.append(more)
    return np.array(taken, np.int64)


def greedy(market: Market) -> Ints:
    """What a careful volunteer would do: urgent demands first, then by deadline, each from its nearest supplies."""
    d, s = market.demand, market.supply
    order = np.lexsort((s, market.distance_m, d, market.deadline_days[d], market.urgency[d]))
    quantity = np.zeros(len(d), np.int64)
    turns = (d[order], s[order], market.lot[order], quantity)
    nothing = np.zeros(len(market.wanted), np.int64)
    quantity[order] = _take_in_turn(market, turns, nothing, market.available, market.reach)
    return quantity


def with_leftovers(problem: Problem, pairs: Pairs, quantity: Ints) -> tuple[Pairs, Ints]:
    """The parcels, and what can still be made of what is left on both sides, also between pairs not looked at before.

    What is missing or left but less than its own lot can only go with a parcel that travels anyway.
    """
    demands, supplies = problem.demands, problem.supplies
    travels = quantity > 0
    pairs, quantity = pairs.take(travels), quantity[travels]
    missing = demands.wanted - sums(pairs.demand, quantity, len(demands))
    left = supplies.available - sums(pairs.supply, quantity, len(supplies))
    short = missing >= np.maximum(demands.min_lot, 1)
    spare = left >= np.maximum(supplies.min_lot, supplies.pack)
    for family_demands, family_supplies in families(problem):
        some_demands, some_supplies = (
            family_demands[short[family_demands]],
            family_supplies[spare[family_supplies]],
        )
        if len(some_demands) and len(some_supplies):
            found = among(problem, some_demands, some_supplies, look_at_all=LEFTOVER_PAIRS)
            pairs, quantity = _merged(problem, pairs, quantity, found)
    market = Market.of(problem, pairs)
    return pairs, refill(market, np.arange(len(pairs)), quantity, supplies.available, demands.wanted)


def _merged(problem: Problem, pairs: Pairs, quantity: Ints, found: Pairs) -> tuple[Pairs, Ints]:
    count = len(problem.supplies)
    known = pairs.demand * count + pairs.supply
    new = found.take(~np.isin(found.demand * count + found.supply, known))
    columns = [
        (getattr(pairs, name), getattr(new, name)) for name in ("demand", "supply", "distance_m", "days")
    ]
    merged = Pairs(*(np.concatenate(column) for column in columns))
    order = np.lexsort((merged.supply, merged.demand))
    return merged.take(order), np.concatenate([quantity, np.zeros(len(new), np.int64)])[order]


def as_plan(problem: Problem, pairs: Pairs, quantity: Ints, bound: Ints) -> Plan:
    """The parcels of these quantities, and what they leave open, in the caller's ids."""
    demands, supplies = problem.demands, problem.supplies
    travels = quantity > 0
    pairs, quantity = pairs.take(travels), quantity[travels]
    given = sums(pairs.demand, quantity, len(demands))
    short = np.flatnonzero(demands.wanted > given)
    assignments = Assignments(
        demands.id[pairs.demand],
        supplies.id[pairs.supply],
        quantity,
        pairs.distance_m,
        pairs.days.astype(np.int32),
        problem.verdicts.verdict[supplies.kind[pairs.supply], demands.kind[pairs.demand]].astype(np.int32),
    )
    shortfalls = Shortfalls(demands.id[short], demands.wanted[short] - given[short])
    levels = units_per_level(problem.policy, demands.urgency, demands.wanted, demands.served, given)
    return Plan(assignments, shortfalls, levels, bound)
