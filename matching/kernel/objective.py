"""What a good plan is.

First the ladder: each need is cut into bands, each band is a level of the policy, and a plan that gives more at the
first level where two plans differ is the better one. There are no weights between levels.

Then, among plans that give the same at every level, the cheaper one. A unit that goes from a supply to a demand costs
the sum of the TERMS, whole kilometres of way: the list of terms is the whole taste of the matcher.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from matching.kernel.columns import Ints
from matching.kernel.pairs import Pairs
from matching.kernel.problem import Policy, Problem, Verdict

STEP_M = 1_000
OVERSHOOT_KM = 200  # what one step of grade too much weighs
OVERSHOOT_MOST = 20
CONDITIONAL_KM = 1_000  # what having to ask the hospital weighs
SHELF_HORIZON_DAYS = 365
SHELF_KM = 300  # what a year of shelf life weighs
PARCEL_MOST_KM = 20_000
WAITING_HORIZON_DAYS = 30
WAITING_KM_PER_DAY = 3


def distance_term(problem: Problem, pairs: Pairs) -> Ints:
    """Near first."""
    return pairs.distance_m // STEP_M


def overshoot_term(problem: Problem, pairs: Pairs) -> Ints:
    """Goods that are better than was asked for stay for those who need them."""
    kinds = problem.supplies.kind[pairs.supply], problem.demands.kind[pairs.demand]
    overshoot = np.clip(problem.verdicts.overshoot[kinds].astype(np.int64), 0, OVERSHOOT_MOST)
    return np.asarray(OVERSHOOT_KM * overshoot)


def conditional_term(problem: Problem, pairs: Pairs) -> Ints:
    """What the hospital asked for before what it must be asked about."""
    kinds = problem.supplies.kind[pairs.supply], problem.demands.kind[pairs.demand]
    is_conditional = problem.verdicts.verdict[kinds] == Verdict.CONDITIONAL
    return np.asarray(CONDITIONAL_KM * is_conditional.astype(np.int64))


def use_first_term(problem: Problem, pairs: Pairs) -> Ints:
    """First expired, first out: a box that expires on the shelf helps no one."""
    left = np.clip(problem.supplies.shelf_days[pairs.supply].astype(np.int64), 0, SHELF_HORIZON_DAYS)
    return np.asarray(SHELF_KM * left // SHELF_HORIZON_DAYS)


def parcel_term(problem: Problem, pairs: Pairs) -> Ints:
    """Few large parcels: what a parcel costs, per unit it could hold at most."""
    most = np.minimum(problem.supplies.available[pairs.supply], problem.demands.wanted[pairs.demand])
    return parcel_charge(problem.policy, most)


def parcel_charge(policy: Policy, quantity: Ints) -> Ints:
    """What a parcel of so many units costs, per unit."""
    return np.asarray(np.minimum(policy.parcel_km // np.maximum(quantity, 1), PARCEL_MOST_KM))


def waiting_term(problem: Problem, pairs: Pairs) -> Ints:
    """Among equals, whoever has waited longest."""
    waited = np.clip(problem.demands.waited_days[pairs.demand].astype(np.int64), 0, WAITING_HORIZON_DAYS)
    return np.asarray(WAITING_KM_PER_DAY * (WAITING_HORIZON_DAYS - waited))


def small_first_term(problem: Problem, pairs: Pairs) -> Ints:
    """Finishing a need is worth something, whatever its size: a unit of a small need is a larger part of it. Below zero.

    Only among the needs that wait.
    """
    patience, demands = problem.policy.patience, problem.demands
    if patience is None or patience.small_first == 0:
        return np.zeros(len(pairs), np.int64)
    total = np.maximum(demands.wanted[pairs.demand] + demands.served[pairs.demand], 1)
    waits = demands.urgency[pairs.demand] >= patience.first_urgency
    return np.where(waits, -(patience.small_first // total), 0)


TERMS: tuple[Callable[[Problem, Pairs], Ints], ...] = (
    distance_term,
    overshoot_term,
    conditional_term,
    use_first_term,
    parcel_term,
    waiting_term,
    small_first_term,
)


def cost(problem: Problem, pairs: Pairs) -> Ints:
    """Cost of one unit on each pair, in kilometres."""
    total = np.zeros(len(pairs), np.int64)
    for term in TERMS:
        total += term(problem, pairs)
    return np.maximum(total, 0)


def band_ends(total: NDArray[Any], bands: int) -> Ints:
    """Where each band of needs of `total` units ends: (n, bands), rounded up, the last one being `total`."""
    return np.asarray(-(-np.asarray(total, np.int64)[:, None] * np.arange(1, bands + 1) // bands))


def open_bands(wanted: NDArray[Any], served: NDArray[Any], bands: int) -> Ints:
    """Units still open in each band, (n, bands): what was served before has filled the first ones.

    The bands of a row sum to what it wants.
    """
    wanted, served = np.asarray(wanted, np.int64), np.asarray(served, np.int64)
    reached = np.maximum(band_ends(wanted + served, bands), served[:, None]) - served[:, None]
    return np.asarray(np.diff(reached, axis=1, prepend=0))


def units_per_level(
    policy: Policy, urgency: NDArray[Any], wanted: NDArray[Any], served: NDArray[Any], given: NDArray[Any]
) -> Ints:
    """Units given at each level of the policy, if each need is given `given` more units: the value of a plan."""
    rows = np.flatnonzero(given)
    opened = open_bands(wanted[rows], served[rows], policy.bands)
    before = np.cumsum(opened, axis=1) - opened
    filled = np.clip(given[rows].astype(np.int64)[:, None] - before, 0, opened)
    levels = np.zeros(len(policy.levels), np.int64)
    np.add.at(levels, policy.level_of()[urgency[rows] - 1].ravel(), filled.ravel())
    return levels


def is_better(levels: Ints, other: Ints) -> bool:
    """Does the first plan give more at the first level where the two differ?"""
    differs = np.flatnonzero(levels != other)
    return bool(len(differs)) and bool(levels[differs[0]] > other[differs[0]])
