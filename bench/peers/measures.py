"""What a plan is worth, in the figures of the field: how much, how fairly, how far, in how many parcels."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.peers.turns import sums
from matching.kernel.plan import Plan
from matching.kernel.problem import URGENCIES, Problem
from matching.kernel.verify import Fault, Violation, verify

SOON_DAYS = 120  # stock that expires within so many days should leave the shelf first
URGENT = 2
MAY_BREAK = frozenset({Fault.BROKEN_PACK, Fault.BELOW_LOT})  # what a relaxed plan is allowed

Measures = Mapping[str, Any]


def measures(problem: Problem, plan: Plan) -> Measures:
    """fill_by_class             share of the units wanted, for urgency 1 to 4
    supply_used               share of the units offered
    urgent_needs_left_empty   share of the needs of urgency 1 and 2 that get nothing
    gini_hospitals            inequality of fill between hospitals, 0 to 1; a hospital's fill is the mean over its needs
    p10_hospitals             fill that nine of ten hospitals exceed
    gini_by_class             inequality of fill between the needs of urgency 1 and of urgency 2
    km_per_unit               mean way of a unit
    parcels, offers_used      how many
    soon_used                 share of the units that expire within 120 days
    soon_left                 units of those that stay behind
    """
    demands, supplies, parcels = problem.demands, problem.supplies, plan.assignments
    given = sums(np.searchsorted(demands.id, parcels.demand), parcels.quantity, len(demands))
    sent = sums(np.searchsorted(supplies.id, parcels.supply), parcels.quantity, len(supplies))
    fill = given / np.maximum(demands.wanted, 1)
    hospitals = _mean_by(demands.facility, fill)
    soon = supplies.shelf_days <= SOON_DAYS
    return {
        "fill_by_class": [_share(given, demands.wanted, demands.urgency == u) for u in URGENCIES],
        "supply_used": _share(sent, supplies.available, sent >= 0),
        "urgent_needs_left_empty": _mean(given[demands.urgency <= URGENT] == 0),
        "gini_hospitals": gini(hospitals),
        "p10_hospitals": float(np.percentile(hospitals, 10)) if len(hospitals) else 0.0,
        "gini_by_class": [gini(fill[demands.urgency == u]) for u in (1, 2)],
        "km_per_unit": float(parcels.distance_m @ parcels.quantity / max(1, parcels.quantity.sum()) / 1000),
        "parcels": len(parcels),
        "offers_used": int((sent > 0).sum()),
        "soon_used": _share(sent, supplies.available, soon),
        "soon_left": int((supplies.available - sent)[soon].sum()),
    }


def faults(problem: Problem, plan: Plan, *, is_relaxed: bool = False) -> list[Violation]:
    """What the kernel's judge finds wrong; a relaxed plan may break packs and lots and nothing else."""
    allowed = MAY_BREAK if is_relaxed else frozenset()
    return [found for found in verify(problem, plan) if found.fault not in allowed]


def gini(values: NDArray[np.float64]) -> float:
    """Half the mean difference between two of them, over their mean: 0 if all have the same."""
    ordered = np.sort(values)
    count, total = len(ordered), float(ordered.sum())
    if not total:
        return 0.0
    return float((2 * np.arange(1, count + 1) - count - 1) @ ordered / (count * total))


def _share(part: NDArray[np.int64], whole: NDArray[np.int64], rows: NDArray[np.bool_]) -> float:
    return float(part[rows].sum() / max(1, int(whole[rows].sum())))


def _mean(values: NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else 0.0


def _mean_by(group: NDArray[np.int32], values: NDArray[np.float64]) -> NDArray[np.float64]:
    _, own, count = np.unique(group, return_inverse=True, return_counts=True)
    return np.bincount(own, values, len(count)) / count
