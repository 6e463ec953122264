"""Is this plan allowed, and what is it worth? Judged from the problem and the plan alone: this file knows nothing of how
a plan is found, and every plan is judged before it is stored."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from matching.kernel.columns import Ints
from matching.kernel.eligibility import RULES, Rule
from matching.kernel.objective import units_per_level
from matching.kernel.pairs import Pairs
from matching.kernel.patience import days_to_wait
from matching.kernel.plan import Plan
from matching.kernel.problem import Problem


class Fault(StrEnum):
    """What can be wrong with a plan."""

    UNKNOWN_ROW = "unknown-row"  # an id that the problem does not have
    OUT_OF_ORDER = "out-of-order"  # not ascending by (demand, supply), or a pair twice
    NOTHING = "nothing"  # a quantity of zero or less
    OVER_COMMITTED = "over-committed"  # a supply gives more than it has
    OVER_FILLED = "over-filled"  # a demand gets more than it wants
    BROKEN_PACK = "broken-pack"
    BELOW_LOT = "below-lot"
    NOT_SATISFYING = "not-satisfying"
    IMPLAUSIBLE = "implausible"
    MISDIRECTED = "misdirected"
    SENDER_REFUSED = "sender-refused"
    BARRED = "barred"
    NO_TRANSPORT = "no-transport"  # cold goods that get warm, or dangerous goods by air
    OUT_OF_RANGE = "out-of-range"
    TOO_LATE = "too-late"
    EXPIRES = "expires"
    NO_LEGAL_LOT = "no-legal-lot"
    IMPATIENT = "impatient"  # dear, and there was time to wait
    BELOW_WORTH = "below-worth"  # a parcel that is dear because it is small, and there was time to wait
    WRONG_WAY = "wrong-way"  # distance, days or verdict are not those of the pair
    WRONG_SHORTFALL = "wrong-shortfall"
    WRONG_VALUE = "wrong-value"  # the levels are not those of the assignments


RULE_FAULTS = {
    Rule.SATISFIES: Fault.NOT_SATISFYING,
    Rule.PLAUSIBLE: Fault.IMPLAUSIBLE,
    Rule.DIRECTION: Fault.MISDIRECTED,
    Rule.SENDER: Fault.SENDER_REFUSED,
    Rule.BARRED: Fault.BARRED,
    Rule.TRANSPORT: Fault.NO_TRANSPORT,
    Rule.RANGE: Fault.OUT_OF_RANGE,
    Rule.DEADLINE: Fault.TOO_LATE,
    Rule.SHELF_LIFE: Fault.EXPIRES,
    Rule.LOT: Fault.NO_LEGAL_LOT,
    Rule.PATIENCE: Fault.IMPATIENT,
}


@dataclass(frozen=True)
class Violation:
    """One fault, and the ids of the rows it is about; None where it is about none."""

    fault: Fault
    demand: int | None = None
    supply: int | None = None


def verify(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    """Everything that is wrong with a plan; empty if it may be stored."""
    unknown = _unknown_rows(problem, plan)
    if unknown:
        return unknown
    pairs = _pairs(problem, plan)
    return (
        *_out_of_order(plan),
        *_rules(problem, plan, pairs),
        *_quantities(problem, plan, pairs),
        *_totals(problem, plan, pairs),
        *_ways(problem, plan, pairs),
        *_claims(problem, plan, pairs),
    )


def value(problem: Problem, plan: Plan) -> Ints:
    """Units that the assignments give at each level of the policy, whatever the plan says of itself."""
    demands = problem.demands
    given = _sums(_pairs(problem, plan).demand, plan.assignments.quantity, len(demands))
    return units_per_level(problem.policy, demands.urgency, demands.wanted, demands.served, given)


def _pairs(problem: Problem, plan: Plan) -> Pairs:
    demand = np.searchsorted(problem.demands.id, plan.assignments.demand)
    return Pairs.of(problem, demand, np.searchsorted(problem.supplies.id, plan.assignments.supply))


def _sums(rows: Ints, quantity: Ints, count: int) -> Ints:
    total = np.zeros(count, np.int64)
    np.add.at(total, rows, quantity)
    return total


def _where(plan: Plan, wrong: np.ndarray, fault: Fault) -> tuple[Violation, ...]:
    parcels = plan.assignments.take(wrong)
    return tuple(
        Violation(fault, d, s) for d, s in zip(parcels.demand.tolist(), parcels.supply.tolist(), strict=True)
    )


def _unknown_rows(problem: Problem, plan: Plan) -> tuple[Violation, ...]:
    parcels = plan.assignments
    known = np.isin(parcels.demand, problem.demands.id) & np.isin(parcels.supply, problem.supplies.id)
    lost = plan.shortfalls.demand[~np.isin(plan.shortfalls.demand, problem.demands.id)]
    shortfalls = tuple(Violation(Fault.UNKNOWN_ROW, demand) for demand in lost.tolist())
    return _where(plan, ~known, Fault.UNKNOWN_ROW) + shortfalls


def _out_of_order(plan: Plan) -> tuple[Violation, ...]:
    demand, supply = plan.assignments.demand, plan.assignments.supply
    ascends = (np.diff(demand) > 0) | ((np.diff(demand) == 0) & (np.diff(supply) > 0))
    return _where(
        plan, np.concatenate([np.zeros(min(len(demand), 1), np.bool_), ~ascends]), Fault.OUT_OF_ORDER
    )


def _rules(problem: Problem, plan: Plan, pairs: Pairs) -> tuple[Violation, ...]:
    found: tuple[Violation, ...] = ()
    for rule, keeps in RULES.items():
        found += _where(plan, ~keeps(problem, pairs), RULE_FAULTS[rule])
    return found


def _quantities(problem: Problem, plan: Plan, pairs: Pairs) -> tuple[Violation, ...]:
    quantity = plan.assignments.quantity
    lots = np.maximum(problem.demands.min_lot[pairs.demand], problem.supplies.min_lot[pairs.supply])
    return (
        *_where(plan, quantity <= 0, Fault.NOTHING),
        *_where(plan, quantity % problem.supplies.pack[pairs.supply] != 0, Fault.BROKEN_PACK),
        *_where(plan, quantity < lots, Fault.BELOW_LOT),
        *_where(plan, days_to_wait(problem, pairs, quantity) > 0, Fault.BELOW_WORTH),
    )


def _totals(problem: Problem, plan: Plan, pairs: Pairs) -> tuple[Violation, ...]:
    demands, supplies, quantity = problem.demands, problem.supplies, plan.assignments.quantity
    over_filled = _sums(pairs.demand, quantity, len(demands)) > np.maximum(demands.wanted, 0)
    over_committed = _sums(pairs.supply, quantity, len(supplies)) > np.maximum(supplies.available, 0)
    filled = tuple(Violation(Fault.OVER_FILLED, demand=d) for d in demands.id[over_filled].tolist())
    return filled + tuple(
        Violation(Fault.OVER_COMMITTED, supply=s) for s in supplies.id[over_committed].tolist()
    )


def _ways(problem: Problem, plan: Plan, pairs: Pairs) -> tuple[Violation, ...]:
    parcels = plan.assignments
    verdict = problem.verdicts.verdict[
        problem.supplies.kind[pairs.supply], problem.demands.kind[pairs.demand]
    ]
    wrong = (
        (parcels.distance_m != pairs.distance_m) | (parcels.days != pairs.days) | (parcels.verdict != verdict)
    )
    return _where(plan, wrong, Fault.WRONG_WAY)


def _claims(problem: Problem, plan: Plan, pairs: Pairs) -> tuple[Violation, ...]:
    demands = problem.demands
    missing = demands.wanted - _sums(pairs.demand, plan.assignments.quantity, len(demands))
    claimed = _sums(
        np.searchsorted(demands.id, plan.shortfalls.demand), plan.shortfalls.missing, len(demands)
    )
    wrong = demands.id[np.maximum(missing, 0) != claimed].tolist()
    shortfalls = tuple(Violation(Fault.WRONG_SHORTFALL, demand=demand) for demand in wrong)
    is_right = np.array_equal(plan.levels, value(problem, plan))
    return shortfalls if is_right else (*shortfalls, Violation(Fault.WRONG_VALUE))
