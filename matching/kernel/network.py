"""The market of a family as a network: which parcels could go where, and what would flow if packs and lots could be broken.

Each component is one integer min-cost flow from supplies to the bands of demands. The vectors of quantities that a supply
network can deliver form a polymatroid, so any strictly ordered level costs give the same lexicographic optimum: strict
order of levels, and within a class the fairest filling, without huge weights (Megiddo 1974; Frank and Murota 2019).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from matching.kernel.columns import Ints
from matching.kernel.objective import cost, open_bands, parcel_charge, units_per_level
from matching.kernel.pairs import Pairs
from matching.kernel.patience import least_parcel
from matching.kernel.problem import URGENCIES, Policy, Problem

LEVEL_STEPS = 200_000  # cost between two levels; the certificate checks that it suffices
LEVEL_STEPS_FACTOR = 100
KEPT_DIVISOR = 8  # a unit proposed before costs so much less


class SolverFailed(RuntimeError):
    """The flow solver gave up, or the numbers left its range. Nothing is wrong with the needs or the offers."""


@dataclass(frozen=True, eq=False)
class Market:
    """Edges between demands and supplies, with the numbers of the rows they touch.

    demand, supply  positions in these rows; edges are sorted by them
    kept            units proposed on the edge before, and not answered
    reach           what a demand may have while others want the goods too: see `reach`
    """

    policy: Policy
    demand: Ints
    supply: Ints
    cost: Ints
    distance_m: Ints
    lot: Ints
    kept: Ints
    wanted: Ints
    reach: Ints
    served: Ints
    urgency: NDArray[np.int32]
    deadline_days: NDArray[np.int32]
    facility: NDArray[np.int32]
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
            least_parcel(problem, pairs),
            proposed_before(problem, pairs),
            demands.wanted,
            demands.wanted,
            demands.served,
            demands.urgency,
            demands.deadline_days,
            demands.facility,
            supplies.available,
            supplies.pack,
        )

    def take(self, edges: Ints) -> "Market":
        """These edges and only the rows they touch, renumbered."""
        demands, demand = np.unique(self.demand[edges], return_inverse=True)
        supplies, supply = np.unique(self.supply[edges], return_inverse=True)
        part = Market(
            self.policy,
            demand,
            supply,
            self.cost[edges],
            self.distance_m[edges],
            self.lot[edges],
            self.kept[edges],
            self.wanted[demands],
            self.wanted[demands],
            self.served[demands],
            self.urgency[demands],
            self.deadline_days[demands],
            self.facility[demands],
            self.available[supplies],
            self.pack[supplies],
        )
        return replace(part, reach=reach(part))

    def after(self, quantity: Ints) -> "Market":
        """What is left when these quantities are given."""
        given = self.given(quantity)
        return replace(
            self,
            wanted=self.wanted - given,
            reach=np.maximum(self.reach - given, 0),
            served=self.served + given,
            available=self.available - self.used(quantity),
        )

    def paying(self, quantity: Ints) -> "Market":
        """What a parcel costs spread over what it carries in this plan, instead of over all it could carry."""
        could_carry = np.minimum(self.available[self.supply], self.wanted[self.demand])
        more = parcel_charge(self.policy, quantity) - parcel_charge(self.policy, could_carry)
        return replace(self, cost=np.where(quantity > 0, np.maximum(self.cost + more, 0), self.cost))

    def price(self, quantity: Ints) -> int:
        """What a plan costs, every parcel by what it carries, in kilometres of all its units together."""
        travels = np.flatnonzero(quantity)
        each = self.paying(quantity).cost[travels].tolist()
        return sum(cost * units for cost, units in zip(each, quantity[travels].tolist(), strict=True))

    def unchanged(self, quantity: Ints) -> int:
        """Units of a plan that were proposed before."""
        return int(np.minimum(quantity, self.kept).sum())

    def given(self, quantity: Ints) -> Ints:
        return sums(self.demand, quantity, len(self.wanted))

    def used(self, quantity: Ints) -> Ints:
        return sums(self.supply, quantity, len(self.available))

    def levels(self, quantity: Ints) -> Ints:
        return units_per_level(self.policy, self.urgency, self.wanted, self.served, self.given(quantity))


def sums(rows: Ints, quantity: Ints, count: int) -> Ints:
    # bincount with weights adds floats, which are exact only up to 2^53.
    total = np.zeros(count, np.int64)
    np.add.at(total, rows, quantity)
    return total


def proposed_before(problem: Problem, pairs: Pairs) -> Ints:
    """Units of each pair that were proposed before and nobody has answered."""
    units = np.zeros(len(pairs), np.int64)
    if not len(problem.prior) or not len(pairs):
        return units
    demands, supplies = problem.demands, problem.supplies
    known = np.isin(problem.prior[:, 0], demands.id) & np.isin(problem.prior[:, 1], supplies.id)
    prior = problem.prior[known]
    key = np.searchsorted(demands.id, prior[:, 0]) * len(supplies) + np.searchsorted(supplies.id, prior[:, 1])
    own = pairs.demand * len(supplies) + pairs.supply  # ascending, as pairs are
    at = np.minimum(np.searchsorted(own, key), len(own) - 1)
    is_pair = own[at] == key
    units[at[is_pair]] = np.maximum(prior[is_pair, 2], 0)
    return units


def reach(market: Market) -> Ints:
    """What each demand may have while the goods do not suffice: no facility more than its share, its most urgent lines first.

    The share is never so small that less urgent needs of others would get what is kept back: what others of the same
    urgency and the more urgent ones cannot use is added to it.
    """
    wanted, percent = market.wanted, market.policy.facility_percent
    total = int(market.available.sum())
    if percent == 100 or int(wanted.sum()) <= total:
        return wanted
    _, facility = np.unique(market.facility, return_inverse=True)
    asked = np.zeros((int(facility.max()) + 1, len(URGENCIES)), np.int64)
    np.add.at(asked, (facility, market.urgency - 1), wanted)
    up_to = np.cumsum(asked, axis=1)
    others = up_to.sum(axis=0) - up_to
    share = np.maximum(total * percent // 100, total - others)
    order = np.lexsort((market.urgency, facility))
    own = facility[order]
    so_far = np.cumsum(wanted[order])
    start = np.searchsorted(own, own)  # where each facility's lines begin
    before = so_far - wanted[order] - (so_far[start] - wanted[order][start])
    limited = np.empty_like(wanted)
    limited[order] = np.clip(share[own, market.urgency[order] - 1] - before, 0, wanted[order])
    return limited


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
    level, supply -> sink at the level after the last, for what is not sent. So it is always feasible. Where something was
    proposed before, as many units go by an arc of their own that costs little. The levels are in units of `unit`, for
    those levels that occur.
    """
    demand, supply = market.demand[edges], market.supply[edges]
    demands, supplies = len(market.wanted), len(market.available)
    source = available // unit
    ends = np.cumsum(open_bands(market.wanted, market.served, market.policy.bands), axis=1)
    ends = np.minimum(ends, market.reach[:, None]) // unit
    bands = np.diff(ends, axis=1, prepend=0)
    bands[np.setdiff1d(np.arange(demands), demand)] = 0
    rows, _ = np.nonzero(bands)
    levels, level = np.unique(market.policy.level_of()[market.urgency - 1][bands > 0], return_inverse=True)
    sink = supplies + demands
    most = np.minimum(source[supply], ends[demand, -1])
    kept = np.minimum(market.kept[edges] // unit, most) if level_steps else np.zeros(len(edges), np.int64)
    old = np.flatnonzero(kept)
    tail = np.concatenate([supply, supply[old], supplies + rows, np.arange(supplies)])
    head = np.concatenate([supplies + demand, supplies + demand[old], np.full(len(rows) + supplies, sink)])
    capacity = np.concatenate([most - kept, kept[old], bands[bands > 0], source])
    edge_cost = market.cost[edges] if level_steps else np.zeros(len(edges), np.int64)
    step = max(level_steps, 1)
    by_level = level * step
    unsent = np.full(supplies, len(levels) * step)
    unit_cost = np.concatenate([edge_cost, edge_cost[old] // KEPT_DIVISOR, by_level, unsent])
    balance = np.concatenate([source, np.zeros(demands, np.int64), [-source.sum()]])
    sent = _min_cost_flow(tail, head, capacity, unit_cost, balance)
    new_flow, old_flow, band_flow, _ = np.split(sent, np.cumsum([len(edges), len(old), len(rows)]))
    new_flow[old] += old_flow
    return new_flow * unit, sums(level, band_flow, len(levels))


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


def next_level(market: Market, given: Ints) -> NDArray[np.int32]:
    """The level at which each demand would get its next unit."""
    total = np.maximum(market.wanted + market.served, 1)
    band = np.clip((market.served + given) * market.policy.bands // total, 0, market.policy.bands - 1)
    return np.asarray(market.policy.level_of()[market.urgency - 1, band])
