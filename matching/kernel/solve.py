"""Finds a plan.

Each component of the market is one min-cost flow (network.py). Packs and lots are not convex, so they are met by a dive:
for each urgency, most urgent first, the flow over all classes still open, then only this class is rounded to parcels that
may travel, with every remaining unit open to it, and fixed. Plans made otherwise are set beside it: a careful volunteer's,
one that leaves alone whatever was proposed before, and for few needs an exact search. The best on the ladder is kept, of
equals the one that changes least. Last, what is left on both sides is paired.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.kernel.candidates import among, candidates, families
from matching.kernel.columns import Ints
from matching.kernel.network import Market, certified_flow, components, flow, next_level, sums
from matching.kernel.objective import is_better, open_bands, units_per_level
from matching.kernel.pairs import Pairs
from matching.kernel.plan import Assignments, Plan, Shortfalls
from matching.kernel.polish import polished
from matching.kernel.pricing import with_priced
from matching.kernel.problem import URGENCIES, Problem

ROUNDS = 2  # in which a parcel's charge is learned from the flow before; more of them found little more
LEARN_UP_TO = 300_000  # edges of a component: each round costs a flow and a dive
RETRIES = 2  # of a class, with those first who stayed short
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
    """Quantities on the edges of one component, and the levels no plan on these edges can beat.

    What a parcel costs is linear only once one knows what it carries. So the flow and the dive are done again, with each
    parcel's charge spread over what it carried in the flow before (slope scaling, Kim and Pardalos 1999).
    """
    entering("flow")
    unit = int(np.gcd.reduce(market.pack))
    relaxed, steps = certified_flow(market, unit)
    everything = np.arange(len(market.demand))
    ideal = market.levels(
        relaxed if unit == 1 else flow(market, everything, market.available, unit=1, level_steps=0)[0]
    )
    best = dive(market, relaxed, unit, steps, entering)
    for _ in range(ROUNDS if len(everything) <= LEARN_UP_TO else 0):
        entering("flow")
        paying = market.paying(relaxed)
        relaxed, _ = flow(paying, everything, market.available, unit=unit, level_steps=steps)
        best = preferred(market, best, dive(paying, relaxed, unit, steps, entering))
    entering("parcels")
    if market.kept.any():
        best = preferred(market, best, keeping(market, unit, steps, entering))
    others: list[Callable[[], Ints]] = [
        lambda: careful(market, everything, market.available, market.reach),
        lambda: polished(market, best),
    ]
    for other in others:
        if (market.levels(best) != ideal).any():
            best = preferred(market, best, other())
    return best, ideal


def preferred(market: Market, plan: Ints, other: Ints) -> Ints:
    """The better of two plans on the ladder; of equals the one that leaves more as it was proposed, then the cheaper one."""
    levels, others = market.levels(plan), market.levels(other)
    if (levels != others).any():
        return plan if is_better(levels, others) else other
    return min(plan, other, key=lambda each: (-market.unchanged(each), market.price(each)))


def keeping(market: Market, unit: int, steps: int, entering: Callable[[str], None]) -> Ints:
    """All that was proposed before and may still travel, and a dive into what is left."""
    everything = np.arange(len(market.demand))
    kept = fitting(market, everything, market.kept, market.available, market.urgency[market.demand])
    rest = market.after(kept)
    ideal, _ = flow(rest, everything, rest.available, unit=unit, level_steps=steps)
    return np.asarray(kept + dive(rest, ideal, unit, steps, entering))


def fitting(market: Market, edges: Ints, quantity: Ints, available: Ints, rank: NDArray[Any]) -> Ints:
    """Of these quantities on these edges what may travel, where less is left or wanted than that: lowest rank first."""
    demand, supply, lot = market.demand[edges], market.supply[edges], market.lot[edges]
    order = np.lexsort((supply, demand, rank))
    has, rest = [0] * len(market.wanted), available.tolist()
    wanted, pack, found = market.reach.tolist(), market.pack.tolist(), np.zeros_like(quantity)
    for edge in order[quantity[order] > 0].tolist():
        to, since = int(demand[edge]), int(supply[edge])
        most = min(int(quantity[edge]), wanted[to] - has[to], rest[since])
        most -= most % pack[since]
        if most >= lot[edge]:
            found[edge] = most
            has[to] += most
            rest[since] -= most
    return found


def dive(market: Market, relaxed: Ints, unit: int, level_steps: int, entering: Callable[[str], None]) -> Ints:
    """Quantities that may travel, class by class: flow over all classes still open, then this class rounded and fixed.

    A class is rounded in several ways and keeps the best of them. It also takes what is left over before any later class
    comes; the rest is given in the order of the ladder.

    relaxed  the flow over all edges, which is the first of them
    """
    quantity = best = np.zeros(len(market.demand), np.int64)
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
        limit = before_later_classes(market, own_class)
        for parcels in roundings(market, own, ideal[urgency[still_open] == own_class], available, limit):
            found = quantity.copy()
            found[own] = parcels
            best = found if is_better(market.levels(found), market.levels(best)) else best
        quantity = best
        available = market.available - market.used(quantity)
    return refill(market, np.arange(len(quantity)), quantity, market.available, market.reach)


def roundings(market: Market, edges: Ints, ideal: Ints, available: Ints, limit: Ints) -> Iterator[Ints]:
    """What may travel on the edges of one class: as the flow goes, then with those first who stay short, then as a volunteer would.

    Whoever stays short because what is left makes no parcel is served before the others when it is tried again (squeaky
    wheel optimisation, Joslin and Clements 1999).
    """
    demand = market.demand[edges]
    target = sums(demand, ideal, len(market.wanted))
    comes_first = np.zeros(len(market.wanted), np.bool_)
    for _ in range(1 + RETRIES):
        is_first = comes_first[demand]
        parcels = np.zeros(len(edges), np.int64)
        parcels[is_first] = careful(market, edges[is_first], available, target)
        left = available - sums(market.supply[edges], parcels, len(market.available))
        parcels[~is_first] = as_parcels(market, edges[~is_first], ideal[~is_first], left)
        parcels = refill(market, edges, parcels, available, limit)
        yield parcels
        given = sums(demand, parcels, len(market.wanted))
        short = (given < target) & ~comes_first
        if not short.any():
            break
        level = next_level(market, given)
        comes_first |= short & (level == level[short].min())
    yield careful(market, edges, available, limit)


def before_later_classes(market: Market, own_class: int) -> Ints:
    """What each demand of a class may have before any later class has had its first unit: all of it, under `urgency`."""
    level_of = market.policy.level_of()
    is_before = level_of[own_class - 1] < level_of[own_class:].min(initial=len(market.policy.levels))
    opened = open_bands(market.wanted, market.served, market.policy.bands)
    return np.asarray(np.minimum(opened[:, is_before].sum(axis=1), market.reach))


def as_parcels(market: Market, edges: Ints, ideal: Ints, available: Ints) -> Ints:
    """The ideal quantities of these edges as parcels that may travel: whole packs, no parcel below the lot.

    A parcel that was proposed before stays as large as it was, if the ideal still goes that way. What cannot travel is
    offered again, up to what each demand ideally gets.
    """
    pack = market.pack[market.supply[edges]]
    stays = (market.kept[edges] > 0) & (ideal > 0)
    quantity = np.where(stays, market.kept[edges], ideal - ideal % pack)
    quantity = fitting(market, edges, quantity, available, ~stays)
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


def careful(market: Market, edges: Ints, available: Ints, limit: Ints) -> Ints:
    """What a careful volunteer would do: urgent demands first, then by deadline, each from its nearest supplies."""
    d, s = market.demand[edges], market.supply[edges]
    order = np.lexsort((s, market.distance_m[edges], d, market.deadline_days[d], market.urgency[d]))
    quantity = np.zeros(len(d), np.int64)
    turns = (d[order], s[order], market.lot[edges][order], quantity)
    nothing = np.zeros(len(market.wanted), np.int64)
    quantity[order] = _take_in_turn(market, turns, nothing, available, limit)
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
