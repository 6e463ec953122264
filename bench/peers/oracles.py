"""The same flow from other solvers, and the exact optimum of small families: to check figures and to compare times."""

import json
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import coo_array

from bench.environments import environment
from bench.peers.turns import sums
from matching.kernel.columns import Ints
from matching.kernel.network import Market, components, flow
from matching.kernel.objective import open_bands
from matching.kernel.pairs import Pairs, largest_parcel, smallest_parcel
from matching.kernel.plan import Plan
from matching.kernel.problem import Problem

LEVEL_STEPS = (
    2_000  # cost between two levels, in all solvers: enough on the instances used, and kind to floats
)
NETWORKX = ("networkx==3.6.1",)
CLASS_WEIGHTS = np.array([1000.0, 100.0, 10.0, 1.0])  # urgency 1 to 4
BAND_STEP = 0.05  # what each band weighs less than the one before
MILP_SECONDS = 30.0


@dataclass(frozen=True, eq=False)
class Network:
    """The flow of one component: supplies, then demands, then a sink; units that are not sent cost the last level."""

    pairs: int
    tail: Ints
    head: Ints
    capacity: Ints
    cost: Ints
    balance: Ints


@dataclass(frozen=True)
class Solved:
    seconds: float
    cost: int


def networks(problem: Problem, pairs: Pairs) -> list[Network]:
    market = Market.of(problem, pairs)
    return [_network(market.take(edges)) for edges in components(pairs)]


def _network(market: Market) -> Network:
    demands, supplies = len(market.wanted), len(market.available)
    bands = open_bands(market.wanted, market.served, market.policy.bands)
    row, band = np.nonzero(bands)
    levels, level = np.unique(market.policy.level_of()[market.urgency[row] - 1, band], return_inverse=True)
    sink = supplies + demands
    most = np.minimum(market.available[market.supply], market.wanted[market.demand])
    return Network(
        len(market.demand),
        np.concatenate([market.supply, supplies + row, np.arange(supplies)]),
        np.concatenate([supplies + market.demand, np.full(len(row), sink), np.full(supplies, sink)]),
        np.concatenate([most, bands[row, band], market.available]),
        np.concatenate([market.cost, level * LEVEL_STEPS, np.full(supplies, len(levels) * LEVEL_STEPS)]),
        np.concatenate([market.available, np.zeros(demands, np.int64), [-market.available.sum()]]),
    )


def by_our_flow(problem: Problem, pairs: Pairs) -> Solved:
    """The kernel's own flow, once, without its certificate."""
    market = Market.of(problem, pairs)
    began = time.process_time()
    found = []
    for edges in components(pairs):
        part = market.take(edges)
        found.append(
            (edges, flow(part, np.arange(len(edges)), part.available, unit=1, level_steps=LEVEL_STEPS))
        )
    seconds = time.process_time() - began
    sent = np.zeros(len(pairs), np.int64)
    for edges, (quantity, _) in found:
        sent[edges] = quantity
    return Solved(seconds, _cost(market, pairs, sent))


def _cost(market: Market, pairs: Pairs, sent: Ints) -> int:
    """What the networks of these quantities cost, added up independently of any solver."""
    total = 0
    for edges in components(pairs):
        part, own = market.take(edges), sent[edges]
        bands = open_bands(part.wanted, part.served, part.policy.bands)
        given = sums(part.demand, own, len(part.wanted))
        filled = np.clip(given[:, None] - (np.cumsum(bands, axis=1) - bands), 0, bands)
        number = part.policy.level_of()[part.urgency - 1]
        levels = np.unique(number[bands > 0])
        unsent = int(part.available.sum() - own.sum())
        total += int(own @ part.cost) + LEVEL_STEPS * unsent * len(levels)
        total += LEVEL_STEPS * int((filled * np.searchsorted(levels, number)).sum())
    return total


def by_highs(parts: Sequence[Network]) -> Solved:
    """As linear programmes, by HiGHS through SciPy."""
    began, cost = time.process_time(), 0.0
    for part in parts:
        arcs = np.arange(len(part.tail))
        ones = np.ones(len(arcs))
        leaves = coo_array((ones, (part.tail, arcs)), shape=(len(part.balance), len(arcs)))
        enters = coo_array((ones, (part.head, arcs)), shape=(len(part.balance), len(arcs)))
        bounds = np.column_stack([np.zeros(len(arcs)), part.capacity])
        found = linprog(
            part.cost, A_eq=(leaves - enters).tocsr(), b_eq=part.balance, bounds=bounds, method="highs-ds"
        )
        if found.x is None:
            raise RuntimeError(f"HiGHS ended with: {found.message}")
        cost += found.fun
    return Solved(time.process_time() - began, round(cost))


def by_networkx(parts: Sequence[Network]) -> Solved:
    """By network simplex in plain Python, in an environment of its own."""
    python = environment("networkx", NETWORKX)
    sent = json.dumps([_apart(part) for part in parts])
    program = Path(__file__).with_name("networks.py")
    done = subprocess.run([python, program], input=sent, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    return Solved(sum(part["seconds"] for part in found), sum(part["cost"] for part in found))


def _apart(part: Network) -> dict[str, Any]:
    """Bands lead to the sink side by side; networkx holds one arc between two nodes, so each gets a node on its way."""
    side_by_side = np.flatnonzero(part.head == len(part.balance) - 1)
    between = len(part.balance) + np.arange(len(side_by_side))
    head = part.head.copy()
    head[side_by_side] = between
    tail = np.concatenate([part.tail, between])
    head = np.concatenate([head, part.head[side_by_side]])
    capacity = np.concatenate([part.capacity, part.capacity[side_by_side]])
    cost = np.concatenate([part.cost, np.zeros(len(between), np.int64)])
    nodes = np.concatenate([part.balance, np.zeros(len(between), np.int64)])
    return {"nodes": nodes.tolist(), "arcs": np.column_stack([tail, head, capacity, cost]).tolist()}


def utility(problem: Problem, plan: Plan) -> float:
    """The ladder as one number, for comparison with bounds: units by class, a tenth of a need a little less than the one before."""
    demands = problem.demands
    rows = np.searchsorted(demands.id, plan.assignments.demand)
    given = sums(rows, plan.assignments.quantity, len(demands))
    bands = open_bands(demands.wanted, demands.served, problem.policy.bands)
    filled = np.clip(given[:, None] - (np.cumsum(bands, axis=1) - bands), 0, bands)
    return float((filled * _weights(problem)).sum())


def _weights(problem: Problem) -> NDArray[np.float64]:
    by_band = 1 - BAND_STEP * np.arange(problem.policy.bands)
    return CLASS_WEIGHTS[problem.demands.urgency - 1][:, None] * by_band[None, :]


def greatest_utility(problem: Problem, pairs: Pairs, seconds: float = MILP_SECONDS) -> float:
    """A bound on the utility of every legal plan on these pairs, by an integer programme: exact if it ends in time.

    Whole packs on each pair, a yes or no for each parcel so that it reaches its lot, and the bands they fill.
    """
    demands, supplies = problem.demands, problem.supplies
    edges, bands = len(pairs), problem.policy.bands
    pack = supplies.pack[pairs.supply].astype(float)
    most, least = largest_parcel(problem, pairs) / pack, smallest_parcel(problem, pairs) / pack
    opened = open_bands(demands.wanted, demands.served, bands)
    filled = 2 * edges + np.arange(opened.size)
    edge, need = np.arange(edges), np.repeat(np.arange(len(demands)), bands)
    rows = [
        _rows(len(supplies), (pairs.supply, edge, pack)),
        _rows(len(demands), (pairs.demand, edge, -pack), (need, filled, np.ones(opened.size))),
        _rows(edges, (edge, edge, np.ones(edges)), (edge, edges + edge, -most)),
        _rows(edges, (edge, edge, -np.ones(edges)), (edge, edges + edge, least)),
        _rows(len(demands), (pairs.demand, edge, pack)),
    ]
    limits = [supplies.available, np.zeros(len(demands)), np.zeros(2 * edges), demands.wanted]
    count = 2 * edges + opened.size
    values = np.concatenate([np.zeros(2 * edges), -_weights(problem).ravel()])
    found = milp(
        values,
        constraints=LinearConstraint(_stacked(rows, count), -np.inf, np.concatenate(limits)),
        integrality=np.concatenate([np.ones(2 * edges), np.zeros(opened.size)]),
        bounds=Bounds(0, np.concatenate([most, np.ones(edges), opened.ravel()])),
        options={"time_limit": seconds, "mip_rel_gap": 1e-4},
    )
    return float(-found.mip_dual_bound) if found.mip_dual_bound is not None else np.inf


Entries = tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]  # row, column, value


def _rows(count: int, *entries: Entries) -> tuple[int, Entries]:
    row, column, value = (np.concatenate(each) for each in zip(*entries, strict=True))
    return count, (row, column, value)


def _stacked(blocks: Sequence[tuple[int, Entries]], columns: int) -> Any:
    starts = np.cumsum([0, *(count for count, _ in blocks)])
    row = np.concatenate([start + entries[0] for start, (_, entries) in zip(starts, blocks, strict=False)])
    column, value = (np.concatenate([entries[at] for _, entries in blocks]) for at in (1, 2))
    return coo_array((value, (row, column)), shape=(int(starts[-1]), columns)).tocsr()
