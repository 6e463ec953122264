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
from matching.kernel.pairs import Pairs, largest_parcel, smallest_parcel
from matching.kernel.problem import MAX_QUANTITY, Patience, Problem

TERMS = (distance_term, overshoot_term, conditional_term, small_first_term)


def is_worth_making(problem: Problem, pairs: Pairs) -> Bools:
    """Those who wait do not wait for this pair: a parcel that could go costs no more than its limit, or it is the last chance."""
    return least_parcel(problem, pairs) <= largest_parcel(problem, pairs)


def least_parcel(problem: Problem, pairs: Pairs) -> Ints:
    """The least worth sending today: both lots in whole packs and, for who waits, as much as the way is long.

    More than MAX_QUANTITY where no parcel is worth it.
    """
    least = smallest_parcel(problem, pairs)
    patience = problem.policy.patience
    if patience is None:
        return least
    waits = _waits(problem, pairs, patience)
    room = _limit(problem, pairs, patience) - _without_parcel(problem, pairs)
    # parcel_km // quantity <= room, in whole numbers
    worth = np.where(room < 0, MAX_QUANTITY + 1, patience.parcel_km // (np.maximum(room, 0) + 1) + 1)
    pack = problem.supplies.pack[pairs.supply]
    return np.where(waits, np.maximum(least, -(-worth // pack) * pack), least)


def days_to_wait(problem: Problem, pairs: Pairs, quantity: Ints) -> Ints:
    """Days until a parcel is worth sending if nothing better comes, at most until it is the last chance; 0 if it is now."""
    patience = problem.policy.patience
    if patience is None:
        return np.zeros(len(pairs), np.int64)
    price = _without_parcel(problem, pairs) + patience.parcel_km // np.maximum(quantity, 1)
    # limit x (growth + waited) >= price x growth, in whole numbers
    waited_then = -(-price * patience.growth_days // max(patience.limit, 1)) - patience.growth_days
    longest = _longest_wait(problem, pairs)
    days = np.minimum(np.maximum(waited_then - longest, 0), _days_to_last_chance(problem, pairs, patience))
    return np.where(problem.demands.urgency[pairs.demand] >= patience.first_urgency, days, 0)


def _waits(problem: Problem, pairs: Pairs, patience: Patience) -> Bools:
    is_patient = problem.demands.urgency[pairs.demand] >= patience.first_urgency
    return np.asarray(is_patient & (_days_to_last_chance(problem, pairs, patience) > 0))


def _limit(problem: Problem, pairs: Pairs, patience: Patience) -> Ints:
    return np.asarray(
        patience.limit * (patience.growth_days + _longest_wait(problem, pairs)) // patience.growth_days
    )


def _longest_wait(problem: Problem, pairs: Pairs) -> Ints:
    waited, lain = problem.demands.waited_days[pairs.demand], problem.supplies.waited_days[pairs.supply]
    return np.maximum(waited, lain).astype(np.int64)


def _without_parcel(problem: Problem, pairs: Pairs) -> Ints:
    """What a unit costs of what waiting could better: not how long anything has waited or will keep."""
    total = np.zeros(len(pairs), np.int64)
    for term in TERMS:
        total = total + term(problem, pairs)
    return total


def _days_to_last_chance(problem: Problem, pairs: Pairs, patience: Patience) -> Ints:
    demands, supplies = problem.demands, problem.supplies
    before_deadline = demands.deadline_days[pairs.demand] - pairs.days
    before_expiry = (
        supplies.shelf_days[pairs.supply].astype(np.int64)
        - supplies.min_shelf_days[pairs.supply]
        - pairs.days
    )
    return np.asarray(np.maximum(np.minimum(before_deadline, before_expiry) - patience.last_chance_days, 0))
