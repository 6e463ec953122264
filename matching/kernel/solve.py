"""Finds a plan.

Each family is one integer min-cost flow from supplies to the bands of demands. The vectors of quantities that a supply
network can deliver form a polymatroid, so any strictly ordered level costs give the same lexicographic optimum: strict
order of levels, and within a class the fairest filling, without huge weights (Megiddo 1974; Frank and Murota 2019).

Packs and lots are not convex, so they are met by a dive: for each urgency, most urgent first, the flow over all classes
still open, then only this class is rounded to parcels that may travel, with every remaining unit open to it, and fixed.
A plain greedy plan is made beside it, and the better of the two is kept. Last, what is left on both sides is paired.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from matching.kernel.candidates import among, candidates, families
from matching.kernel.columns import Ints
from matching.kernel.eligibility import Pairs, smallest_parcel
from matching.kernel.objective import cost, is_better, open_bands, units_per_level
from matching.kernel.plan import Assignments, Plan, Shortfalls
from matching.kernel.problem import URGENCIES, Policy, Problem

LEVEL_STEPS = 20_000  # cost between two levels: at least twice the dearest edge; the certificate checks that it suffices
LEVEL_STEPS_FACTOR = 100
LEFTOVER_PAIRS = 4_000_000  # pairs of leftovers of a family up to which every one of them is tried
PHASES = ("candidates", "flow", "parcels", "leftovers")


class SolverFailed(RuntimeError):
    """The flow solver gave up, or the numbers left its range. Nothing is wrong with the needs or the offers."""


def solve(problem: Problem, *, entering: Callable[[str], None] = lambda phase: None) -> Plan:
    """The plan for a problem: the same problem gives the same plan, to the last byte.

    entering  called with a name of PHASES whenever that phase begins or goes on, for a caller with a clock

    An empty, one-sided or infeasible problem has an empty plan. Raises SolverFailed.
    """
    entering("candidates")
    pairs = candidates(problem)
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


@dataclass(frozen=True, eq=False)
class Market:
    """Edges between demands and supplies, with the numbers of the rows they touch. `demand` and `supply` are
    positions in these rows; edges are sorted by them."""

    policy: Policy
    demand: Ints
    supply: Ints
    cost: Ints
    distance_m: Ints
    lot: Ints
    wanted: Ints
    served: Ints
    urgency: NDArray[np.int32]
    deadline_days: NDArray[np.int32]
    available: Ints
    pack: Ints

    @classmethod
    def of(cls, problem: Problem, pairs: Pairs) -> "Market":
        demands, supplies = problem.demands, problem.supplies
        return cls(
            problem.policy,
            pairs.demand,
            pairs.supply,
            cost(problem, pairs),
            pairs.distance_m,
            smallest_parcel(problem, pairs),
            demands.wanted,
            demands.served,
            demands.urgency,
            demands.deadline_days,
            supplies.available,
            supplies.pack,
        )

    def take(self, edges: Ints) -> "Market":
        """These edges and only the rows they touch, renumbered."""
        demands, demand = np.unique(self.demand[edges], return_inverse=True)
        supplies, supply = np.unique(self.supply[edges], return_inverse=True)
        return Market(
            self.policy,
            demand,
            supply,
            self.cost[edges],
            self.distance_m[edges],
            self.lot[edges],
            self.wanted[demands],
            self.served[demands],
            self.urgency[demands],
            self.deadline_days[demands],
            self.available[supplies],
            self.pack[supplies],
        )

    def given(self, quantity: Ints) -> Ints:
        return _sums(self.demand, quantity, len(self.wanted))

    def used(self, quantity: Ints) -> Ints:
        return _sums(self.supply, quantity, len(self.available))

    def levels(self, quantity: Ints) -> Ints:
        return units_per_level(self.policy, self.urgency, self.wanted, self.served, self.given(quantity))


def _sums(rows: Ints, quantity: Ints, count: int) -> Ints:
    # bincount with weights adds floats, which are exact only up to 2^53.
    total = np.zeros(count, np.int64)
    np.add.at(total, rows, quantity)
    return total


def components(pairs: Pairs) -> Iterator[Ints]:
    """Edges of each connected part of the market: parts cannot help or harm one another."""
    if not len(pairs):
        return
    supplies = int(pairs.supply.max()) + 1
    size = supplies + int(pairs.demand.max()) + 1
    links = (np.ones(len(pairs), np.int8), (pairs.supply, supplies + pairs.demand))
    _, label = connected_components(coo_array(links, shape=(size, size)), directed=False)
    own = label[pairs.supply]
    order = np.argsort(own, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(own[order])) + 1)


def best_plan(market: Market, entering: Callable[[str], None]) -> tuple[Ints, Ints]:
    """Quantities on the edges of one component, and the levels no plan on these edges can beat."""
    entering("flow")
    unit = int(np.gcd.reduce(market.pack))
    relaxed, steps = certified_flow(market, unit)
    everything = np.arange(len(market.demand))
    ideal = relaxed if unit == 1 else flow(market, everything, market.available, unit=1, level_steps=0)[0]
    best = dive(market, relaxed, unit, steps, entering)
    entering("parcels")
    if (market.levels(best) != market.levels(ideal)).any():
        simple = greedy(market)
        best = simple if is_better(market.levels(simple), market.levels(best)) else best
    return best, market.levels(ideal)


def certified_flow(market: Market, unit: int) -> tuple[Ints, int]:
    """The flow over all edges, and a cost between levels so large that edge costs change nothing on the ladder.

    The certificate: the flow with edge costs gives as many units at every level as the flow without.
    """
    everything = np.arange(len(market.demand))
    _, ideal = flow(market, everything, market.available, unit=unit, level_steps=0)
    steps = LEVEL_STEPS
    while True:
        found, levels = flow(market, everything, market.available, unit=unit, level_steps=steps)
        if (levels == ideal).all():
            return found, steps
        steps *= LEVEL_STEPS_FACTOR


def flow(market: Market, edges: Ints, available: Ints, *, unit: int, level_steps: int) -> tuple[Ints, Ints]:
    """Quantities on these edges that are best on the ladder if packs and lots could be broken, and their levels.

    available    units left of each supply
    unit         quantities are multiples of this
    level_steps  cost between two levels; 0 leaves edge costs out

    One node for each row and a sink; supply -> demand costs the edge, demand -> sink one arc for each band at its
    level, supply -> sink at the level after the last, for what is not sent. So it is always feasible. The levels are in units of `unit`, for
    those levels that occur.
    """
    demand, supply = market.demand[edges], market.supply[edges]
    demands, supplies = len(market.wanted), len(market.available)
    source = available // unit
    ends = np.cumsum(open_bands(market.wanted, market.served, market.policy.bands), axis=1) // unit
    bands = np.diff(ends, axis=1, prepend=0)
    bands[np.setdiff1d(np.arange(demands), demand)] = 0
    rows, _ = np.nonzero(bands)
    levels, level = np.unique(market.policy.level_of()[market.urgency - 1][bands > 0], return_inverse=True)
    sink = supplies + demands
    tail = np.concatenate([supply, supplies + rows, np.arange(supplies)])
    head = np.concatenate([supplies + demand, np.full(len(rows), sink), np.full(supplies, sink)])
    capacity = np.concatenate([np.minimum(source[supply], ends[demand, -1]), bands[bands > 0], source])
    edge_cost = market.cost[edges] if level_steps else np.zeros(len(edges), np.int64)
    step = max(level_steps, 1)
    unit_cost = np.concatenate([edge_cost, level * step, np.full(supplies, len(levels) * step)])
    balance = np.concatenate([source, np.zeros(demands, np.int64), [-source.sum()]])
    sent = _min_cost_flow(tail, head, capacity, unit_cost, balance)
    by_level = _sums(level, sent[len(edges) : len(edges) + len(rows)], len(levels))
    return sent[: len(edges)] * unit, by_level


def _min_cost_flow(tail: Ints, head: Ints, capacity: Ints, unit_cost: Ints, balance: Ints) -> Ints:
    # The solver multiplies costs by the number of nodes; its header states this bound.
    if 2 * int(unit_cost.max()) * len(balance) ** 2 >= 2**63:
        raise SolverFailed(f"costs up to {unit_cost.max()} on {len(balance)} nodes leave the solver's range")
    network = SimpleMinCostFlow()
    arcs = network.add_arcs_with_capacity_and_unit_cost(
        tail.astype(np.int32), head.astype(np.int32), capacity.astype(np.int64), unit_cost.astype(np.int64)
    )
    network.set_nodes_supplies(np.arange(len(balance), dtype=np.int32), balance.astype(np.int64))
    status = network.solve()
    if status != network.OPTIMAL:
        raise SolverFailed(f"min-cost flow ended with {status}")
    return np.asarray(network.flows(arcs), np.int64)


def dive(market: Market, relaxed: Ints, unit: int, level_steps: int, entering: Callable[[str], None]) -> Ints:
    """Quantities that may travel, class by class: flow over all classes still open, then this class rounded and fixed.

    A class also takes what is left over before any later class comes; the rest is given in the order of the ladder.

    relaxed  the flow over all edges, which is the first of them
    """
    quantity = np.zeros(len(market.demand), np.int64)
    available = market.available
    urgency = market.urgency[market.demand]
    for own_class in URGENCIES:
        largest = np.minimum(available[market.supply], market.wanted[market.demand])
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
    return refill(market, np.arange(len(quantity)), quantity, market.available, market.wanted)


def before_later_classes(market: Market, own_class: int) -> Ints:
    """What each demand of a class may have before any later class has had its first unit: all of it, under `urgency`."""
    level_of = market.policy.level_of()
    is_before = level_of[own_class - 1] < level_of[own_class:].min(initial=len(market.policy.levels))
    opened = open_bands(market.wanted, market.served, market.policy.bands)
    return np.asarray(opened[:, is_before].sum(axis=1))


def as_parcels(market: Market, edges: Ints, ideal: Ints, available: Ints) -> Ints:
    """The ideal quantities of these edges as parcels that may travel: whole packs, no parcel below the lot.

    What cannot travel is offered again, up to what each demand ideally gets.
    """
    pack = market.pack[market.supply[edges]]
    quantity = ideal - ideal % pack
    quantity[quantity < market.lot[edges]] = 0
    target = _sums(market.demand[edges], ideal, len(market.wanted))
    return refill(market, edges, quantity, available, target)


def refill(market: Market, edges: Ints, quantity: Ints, available: Ints, limit: Ints) -> Ints:
    """The quantities, raised where supply is left and demands are below `limit`, in the order of the ladder.

    At one level and demand: parcels that travel anyway come first, then supplies that can finish the demand in one
    parcel, then the cheaper ones. A parcel may pass the limit to make a pack or a lot, never what is wanted.
    """
    demand, supply, lot = market.demand[edges], market.supply[edges], market.lot[edges]
    given = _sums(demand, quantity, len(market.wanted))
    left = available - _sums(supply, quantity, len(market.available))
    rows = np.flatnonzero((given[demand] < limit[demand]) & (left[supply] >= market.pack[supply]))
    missing = limit[demand[rows]] - given[demand[rows]]
    needs_more = np.minimum(left[supply[rows]], market.wanted[demand[rows]]) < np.maximum(missing, lot[rows])
    is_new = quantity[rows] == 0
    level = next_level(market, given)[demand[rows]]
    rows = rows[np.lexsort((market.cost[edges[rows]], needs_more, is_new, demand[rows], level))]
    raised = quantity.copy()
    turns = (demand[rows], supply[rows], lot[rows], quantity[rows])
    raised[rows] += _take_in_turn(market, turns, given, left, limit)
    return raised


def next_level(market: Market, given: Ints) -> NDArray[np.int32]:
    """The level at which each demand would get its next unit."""
    total = np.maximum(market.wanted + market.served, 1)
    band = np.clip((market.served + given) * market.policy.bands // total, 0, market.policy.bands - 1)
    return np.asarray(market.policy.level_of()[market.urgency - 1, band])


def _take_in_turn(
    market: Market,
    edges: tuple[Ints, Ints, Ints, Ints],
    given: Ints,
    left: Ints,
    limit: Ints,
) -> Ints:
    """What each edge takes when its turn comes; edges are (demand, supply, lot, quantity that travels already)."""
    has, rest, most = given.tolist(), left.tolist(), limit.tolist()
    wanted, packs = market.wanted.tolist(), market.pack.tolist()
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
    quantity[order] = _take_in_turn(market, turns, nothing, market.available, market.wanted)
    return quantity


def with_leftovers(problem: Problem, pairs: Pairs, quantity: Ints) -> tuple[Pairs, Ints]:
    """The parcels, and what can still be made of what is left on both sides, also between pairs not looked at before.

    What is missing or left but less than its own lot can only go with a parcel that travels anyway.
    """
    demands, supplies = problem.demands, problem.supplies
    travels = quantity > 0
    pairs, quantity = pairs.take(travels), quantity[travels]
    missing = demands.wanted - _sums(pairs.demand, quantity, len(demands))
    left = supplies.available - _sums(pairs.supply, quantity, len(supplies))
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
    given = _sums(pairs.demand, quantity, len(demands))
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
