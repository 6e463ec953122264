"""Which pairs are worth looking at.

A small family is looked at whole. In a large one most pairs are no use, and plain nearest neighbours are a trap: near
supplies run out. Quantities are heavy-tailed, so each row is linked to its nearest partners among all, and again among
the largest 25 %, 6 % and 1.5 % of them: long links go where the volume is.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from matching.kernel.columns import Ints
from matching.kernel.eligibility import eligible
from matching.kernel.pairs import Pairs, unit_vectors
from matching.kernel.problem import ANYONE, EVERY_REGION, MAX_QUANTITY, Problem, Verdict

LOOK_AT_ALL = 90_000  # pairs of a family up to which every one of them is looked at
AT_ONCE = 2_000_000  # pairs held in memory at a time
TIERS = (1.0, 0.25, 0.06, 0.015)  # the largest so many of the partners
PER_DEMAND = 10
PER_SUPPLY = 5
URGENT = 2  # supplies look for urgent demands apart, or the many others would hide them


def families(problem: Problem) -> Iterator[tuple[Ints, Ints]]:
    """Rows of demands and of supplies between which goods may pass at all, family by family.

    Rows that cannot take part in any pair (nothing wanted, nothing left, no place, absurd) are left out.
    """
    demands, supplies = problem.demands, problem.supplies
    satisfied = np.argwhere(problem.verdicts.verdict != Verdict.NO)
    offer_kinds, need_kinds = problem.verdicts.verdict.shape
    size = offer_kinds + need_kinds
    links = (np.ones(len(satisfied), np.int8), (satisfied[:, 0], offer_kinds + satisfied[:, 1]))
    count, label = connected_components(coo_array(links, shape=(size, size)), directed=False)
    live_demand = _is_live(demands.wanted, demands.lat_deg, demands.lon_deg)
    live_supply = _is_live(supplies.available, supplies.lat_deg, supplies.lon_deg)
    demand_rows = _grouped(label[offer_kinds + demands.kind], live_demand, count)
    supply_rows = _grouped(label[supplies.kind], live_supply, count)
    for demand, supply in zip(demand_rows, supply_rows, strict=True):
        if len(demand) and len(supply):
            yield demand, supply


def _is_live(quantity: Ints, lat_deg: NDArray[np.float64], lon_deg: NDArray[np.float64]) -> NDArray[np.bool_]:
    return (quantity > 0) & (quantity <= MAX_QUANTITY) & np.isfinite(lat_deg) & np.isfinite(lon_deg)


def _grouped(label: NDArray[np.int32], live: NDArray[np.bool_], count: int) -> list[Ints]:
    rows = np.flatnonzero(live)
    rows = rows[np.argsort(label[rows], kind="stable")]
    return np.split(rows, np.searchsorted(label[rows], np.arange(1, count)))


def candidates(problem: Problem, *, look_at_all: int = LOOK_AT_ALL) -> Pairs:
    """Eligible pairs worth looking at, by ascending (demand, supply)."""
    found = [among(problem, *rows, look_at_all=look_at_all) for rows in families(problem)]
    return joined(problem, found)


def among(problem: Problem, demand: Ints, supply: Ints, *, look_at_all: int = LOOK_AT_ALL) -> Pairs:
    """Eligible pairs worth looking at between these rows: all of them, if they are not too many or their ways are given."""
    if problem.lanes.size or len(demand) * len(supply) <= look_at_all:
        return every(problem, demand, supply)
    return near_and_large(problem, demand, supply)


def every(problem: Problem, demand: Ints, supply: Ints) -> Pairs:
    """All eligible pairs between these rows."""
    rows_at_once = max(1, AT_ONCE // max(1, len(supply)))
    found = []
    for start in range(0, len(demand), rows_at_once):
        some = demand[start : start + rows_at_once]
        kinds = np.ix_(problem.supplies.kind[supply], problem.demands.kind[some])
        chosen, taken = np.nonzero((problem.verdicts.verdict[kinds] != Verdict.NO).T)
        found.append(eligible(problem, Pairs.of(problem, some[chosen], supply[taken])))
    return joined(problem, found)


def near_and_large(problem: Problem, demand: Ints, supply: Ints) -> Pairs:
    """For each row the nearest partners in each tier of size; a directed gift meets those it is meant for."""
    undirected = _is_undirected(problem, supply)
    links = [
        *_from_demands(problem, demand, supply[undirected]),
        *_from_supplies(problem, demand, supply[undirected]),
        *_from_directed(problem, demand, supply[~undirected]),
        _from_before(problem, demand, supply),
    ]
    keys = np.unique(np.concatenate([d * np.int64(len(problem.supplies)) + s for d, s in links]))
    return eligible(problem, Pairs.of(problem, *np.divmod(keys, len(problem.supplies))))


def _is_undirected(problem: Problem, supply: Ints) -> NDArray[np.bool_]:
    supplies = problem.supplies
    return np.asarray(
        (supplies.directed_facility[supply] == ANYONE)
        & (supplies.directed_region_first[supply] <= EVERY_REGION[0])
        & (supplies.directed_region_last[supply] >= EVERY_REGION[1])
    )


Links = Iterator[tuple[Ints, Ints]]  # rows of demands, rows of supplies


def _from_demands(problem: Problem, demand: Ints, supply: Ints) -> Links:
    demands, supplies = problem.demands, problem.supplies
    for kind, accepted in np.unique(
        np.column_stack([demands.kind[demand], demands.accepted_senders[demand]]), axis=0
    ):
        own = demand[(demands.kind[demand] == kind) & (demands.accepted_senders[demand] == accepted)]
        fits = problem.verdicts.verdict[supplies.kind[supply], kind] != Verdict.NO
        pool = supply[fits & ((supplies.sender[supply] & ~accepted) == 0)]
        for tier in _tiers(pool, supplies.available, PER_DEMAND):
            yield _nearest(_places(demands, own), own, _places(supplies, tier), tier, PER_DEMAND)


def _from_supplies(problem: Problem, demand: Ints, supply: Ints) -> Links:
    demands, supplies = problem.demands, problem.supplies
    for kind, sender in np.unique(np.column_stack([supplies.kind[supply], supplies.sender[supply]]), axis=0):
        own = supply[(supplies.kind[supply] == kind) & (supplies.sender[supply] == sender)]
        fits = problem.verdicts.verdict[kind, demands.kind[demand]] != Verdict.NO
        pool = demand[fits & ((sender & ~demands.accepted_senders[demand]) == 0)]
        for some in (pool[demands.urgency[pool] <= URGENT], pool):
            for tier in _tiers(some, demands.wanted, PER_SUPPLY):
                taken, chosen = _nearest(
                    _places(supplies, own), own, _places(demands, tier), tier, PER_SUPPLY
                )
                yield chosen, taken


def _from_directed(problem: Problem, demand: Ints, supply: Ints) -> Links:
    demands, supplies = problem.demands, problem.supplies
    columns = (
        supplies.kind,
        supplies.directed_facility,
        supplies.directed_region_first,
        supplies.directed_region_last,
    )
    directions = np.column_stack([column[supply] for column in columns])
    distinct, own_direction = np.unique(directions, axis=0, return_inverse=True)
    for number, (kind, facility, first, last) in enumerate(distinct):
        own = supply[own_direction.ravel() == number]
        meant = problem.verdicts.verdict[kind, demands.kind[demand]] != Verdict.NO
        meant &= (demands.region[demand] >= first) & (demands.region[demand] <= last)
        if facility != ANYONE:
            meant &= demands.facility[demand] == facility
        pool = demand[meant]
        for tier in _tiers(pool, demands.wanted, PER_DEMAND):
            taken, chosen = _nearest(_places(supplies, own), own, _places(demands, tier), tier, PER_DEMAND)
            yield chosen, taken


def _from_before(problem: Problem, demand: Ints, supply: Ints) -> tuple[Ints, Ints]:
    """What was proposed before is looked at again, however far it is."""
    ids = problem.prior[:, :2]
    among_these = np.isin(ids[:, 0], problem.demands.id[demand]) & np.isin(
        ids[:, 1], problem.supplies.id[supply]
    )
    ids = ids[among_these]
    return np.searchsorted(problem.demands.id, ids[:, 0]), np.searchsorted(problem.supplies.id, ids[:, 1])


def nearest(problem: Problem, demand: Ints, supply: Ints, count: int) -> tuple[Ints, Ints]:
    """Each of these demands with the nearest few of these supplies."""
    here, there = _places(problem.demands, demand), _places(problem.supplies, supply)
    return _nearest(here, demand, there, supply, count)


def _places(rows: object, positions: Ints) -> NDArray[np.float64]:
    return unit_vectors(rows.lat_deg[positions], rows.lon_deg[positions])  # type: ignore[attr-defined]


def _tiers(pool: Ints, quantity: Ints, at_least: int) -> Iterator[Ints]:
    largest_first = pool[np.argsort(-quantity[pool], kind="stable")]
    sizes = (max(min(len(pool), at_least), int(np.ceil(len(pool) * share))) for share in TIERS)
    for size in dict.fromkeys(sizes):
        if size:
            yield largest_first[:size]


def _nearest(
    here: NDArray[np.float64], own: Ints, there: NDArray[np.float64], pool: Ints, count: int
) -> tuple[Ints, Ints]:
    count = min(count, len(pool))
    _, found = cKDTree(there, balanced_tree=False, compact_nodes=False).query(here, k=count)
    return np.repeat(own, count), pool[np.asarray(found).reshape(-1)]


def joined(problem: Problem, found: list[Pairs]) -> Pairs:
    """All of these pairs, by ascending (demand, supply)."""
    none = Pairs.of(problem, np.empty(0, np.int64), np.empty(0, np.int64))
    columns = zip(*((p.demand, p.supply, p.distance_m, p.days) for p in [none, *found]), strict=True)
    pairs = Pairs(*(np.concatenate(column) for column in columns))
    return pairs.take(np.lexsort((pairs.supply, pairs.demand)))
