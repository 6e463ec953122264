"""Whether a pair is worth making today, or its goods should wait for a nearer or better partner.

Requests arrive every day. A parcel that is dear today finds a near, fitting request tomorrow; what is urgent does not
wait, and what has waited long settles for more. On the replay of the requests that GetUsPPE received in 2020 this was
worth more than the choice of the solver (docs/matching.md). It is one of the rules, so that all that holds of plans
holds with it and without.
"""

import numpy as np

from matching.kernel.columns import Bools, Ints
from matching.kernel.objective import (
    conditional_term,
    distance_term,
    overshoot_term,
    small_first_term,
)
from matching.kernel.pairs import Pairs
from matching.kernel.problem import Patience, Problem

TERMS = (distance_term, overshoot_term, conditional_term, small_first_term)


def is_worth_making(problem: Problem, pairs: Pairs) -> Bools:
    """Those who wait do not wait for this pair: it costs no more than its limit, or it is the last chance."""
    return np.asarray(days_to_wait(problem, pairs) == 0)


def days_to_wait(problem: Problem, pairs: Pairs) -> Ints:
    """Days until a pair is worth making if nothing better comes, at most until it is the last chance; 0 if it is now."""
    patience = problem.policy.patience
    if patience is None:
        return np.zeros(len(pairs), np.int64)
    longest = np.maximum(
        problem.demands.waited_days[pairs.demand], problem.supplies.waited_days[pairs.supply]
    ).astype(np.int64)
    # limit x (growth + waited) >= price x growth, in whole numbers
    waited_then = (
        -(-price(problem, pairs) * patience.growth_days // max(patience.limit, 1)) - patience.growth_days
    )
    days = np.minimum(np.maximum(waited_then - longest, 0), _days_to_last_chance(problem, pairs, patience))
    return np.where(problem.demands.urgency[pairs.demand] >= patience.first_urgency, days, 0)


def price(problem: Problem, pairs: Pairs) -> Ints:
    """What a unit costs on each pair, of what waiting could better: not how long anything has waited or will keep."""
    patience = problem.policy.patience
    most = np.minimum(problem.supplies.available[pairs.supply], problem.demands.wanted[pairs.demand])
    total = (patience.parcel_km if patience else 0) // np.maximum(most, 1)
    for term in TERMS:
        total = total + term(problem, pairs)
    return np.asarray(np.maximum(total, 0))


def _days_to_last_chance(problem: Problem, pairs: Pairs, patience: Patience) -> Ints:
    demands, supplies = problem.demands, problem.supplies
    before_deadline = demands.deadline_days[pairs.demand] - pairs.days
    before_expiry = (
        supplies.shelf_days[pairs.supply].astype(np.int64)
        - supplies.min_shelf_days[pairs.supply]
        - pairs.days
    )
    return np.asarray(np.maximum(np.minimum(before_deadline, before_expiry) - patience.last_chance_days, 0))
