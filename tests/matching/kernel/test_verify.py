"""A wrong plan is caught, whatever is wrong with it."""

from dataclasses import replace

import numpy as np
import pytest

from matching.kernel.plan import Plan
from matching.kernel.problem import Patience, Policy
from matching.kernel.solve import solve
from matching.kernel.verify import Fault, Violation, value, verify
from tests.matching.kernel.makers import AIR, BEIJING, VAN, make_problem


def honest(problem, plan: Plan) -> Plan:
    """The plan with its claims (shortfalls, value) made true, so that only its assignments can be wrong."""
    demands = problem.demands
    got = np.zeros(len(demands), np.int64)
    np.add.at(got, np.searchsorted(demands.id, plan.assignments.demand), plan.assignments.quantity)
    short = np.flatnonzero(demands.wanted > got)
    shortfalls = type(plan.shortfalls)(demands.id[short], (demands.wanted - got)[short])
    plan = replace(plan, shortfalls=shortfalls)
    return replace(plan, levels=value(problem, plan))


def faults(problem, plan) -> set[Fault]:
    return {violation.fault for violation in verify(problem, plan)}


def plan_for(problem, **columns) -> Plan:
    """The plan of an innocent problem with other assignments."""
    plan = solve(problem)
    return replace(
        plan, assignments=replace(plan.assignments, **{k: np.array(v) for k, v in columns.items()})
    )


def test_a_good_plan_is_allowed():
    problem = make_problem([{"wanted": 150}, {}], [{}, {}])

    assert verify(problem, solve(problem)) == ()


WAITING = replace(Policy.urgency(), patience=Patience(limit=500))
FULL_LOADS = replace(Policy.urgency(), patience=Patience(limit=1420, parcel_km=50_000))

# A plan made for innocent rows is judged by a problem in which one thing is different.
GUILTY = [
    ({"verdict": [[0]]}, {}, {}, Fault.NOT_SATISFYING),
    ({}, {"served": 10**11}, {}, Fault.IMPLAUSIBLE),
    ({}, {}, {"available": 10**11}, Fault.IMPLAUSIBLE),
    ({}, {}, {"directed_facility": 99}, Fault.MISDIRECTED),
    ({}, {}, {"directed_region_first": 50}, Fault.MISDIRECTED),
    ({}, {"accepted_senders": 0}, {}, Fault.SENDER_REFUSED),
    ({"barred": [(1, 1)]}, {}, {}, Fault.BARRED),
    ({}, {}, {"mode": AIR, "is_cold": True}, Fault.NO_TRANSPORT),
    ({}, {}, {"mode": AIR, "is_dangerous": True}, Fault.NO_TRANSPORT),
    ({}, {}, {"mode": VAN}, Fault.OUT_OF_RANGE),
    ({}, {}, {"max_km": 1000}, Fault.OUT_OF_RANGE),
    ({}, {"lat_deg": float("nan")}, {}, Fault.OUT_OF_RANGE),
    ({}, {"deadline_days": 2}, {}, Fault.TOO_LATE),
    ({}, {}, {"ready_in_days": 40}, Fault.TOO_LATE),
    ({}, {}, {"shelf_days": 32}, Fault.EXPIRES),
    ({}, {"min_lot": 101}, {}, Fault.BELOW_LOT),
    ({}, {}, {"min_lot": 101}, Fault.BELOW_LOT),
    ({}, {"min_lot": 101}, {}, Fault.NO_LEGAL_LOT),
    ({}, {}, {"pack": 7}, Fault.BROKEN_PACK),
    ({}, {"wanted": 99}, {}, Fault.OVER_FILLED),
    ({}, {}, {"available": 99}, Fault.OVER_COMMITTED),
    ({"policy": WAITING}, {"urgency": 3}, {}, Fault.IMPATIENT),
    ({"policy": FULL_LOADS}, {"urgency": 3, "wanted": 1000}, {"available": 1000}, Fault.BELOW_WORTH),
    ({"verdict": [[2]]}, {}, {}, Fault.WRONG_WAY),
    ({}, {"id": 5}, {}, Fault.UNKNOWN_ROW),
    ({}, {}, {"id": 5}, Fault.UNKNOWN_ROW),
]


@pytest.mark.parametrize(("options", "demand", "supply", "fault"), GUILTY)
def test_a_plan_that_breaks_a_rule_is_caught(options, demand, supply, fault):
    plan = solve(make_problem([{}], [BEIJING]))
    guilty = make_problem([demand], [BEIJING | supply], **options)

    assert fault in faults(guilty, plan)


@pytest.mark.parametrize(
    ("columns", "fault"),
    [
        ({"quantity": [0]}, Fault.NOTHING),
        ({"quantity": [-10]}, Fault.NOTHING),
        ({"distance_m": [1]}, Fault.WRONG_WAY),
        ({"days": [1]}, Fault.WRONG_WAY),
        ({"verdict": [2]}, Fault.WRONG_WAY),
    ],
)
def test_a_plan_with_a_wrong_column_is_caught(columns, fault):
    problem = make_problem([{}], [BEIJING])

    assert fault in faults(problem, honest(problem, plan_for(problem, **columns)))


def test_a_pair_that_stands_twice_is_caught():
    problem = make_problem([{}], [{}])
    plan = solve(problem)
    twice = replace(plan, assignments=plan.assignments.take(np.array([0, 0])))

    assert faults(problem, honest(problem, twice)) == {
        Fault.OUT_OF_ORDER,
        Fault.OVER_FILLED,
        Fault.OVER_COMMITTED,
    }


def test_a_supply_given_away_twice_is_caught():
    problem = make_problem([{}, {}], [{"available": 200}])
    tighter = make_problem([{}, {}], [{"available": 199}])

    assert verify(tighter, solve(problem)) == (Violation(Fault.OVER_COMMITTED, supply=1),)


@pytest.mark.parametrize("missing", [49, 51])
def test_a_shortfall_that_is_not_true_is_caught(missing):
    problem = make_problem([{"wanted": 150}], [{}])
    plan = solve(problem)
    lying = replace(plan, shortfalls=replace(plan.shortfalls, missing=np.array([missing])))

    assert verify(problem, lying) == (Violation(Fault.WRONG_SHORTFALL, demand=1),)


def test_a_shortfall_that_is_hidden_is_caught():
    problem = make_problem([{"wanted": 150}], [{}])
    plan = solve(problem)
    silent = replace(plan, shortfalls=type(plan.shortfalls).empty())

    assert verify(problem, silent) == (Violation(Fault.WRONG_SHORTFALL, demand=1),)


def test_a_value_that_is_not_true_is_caught():
    problem = make_problem([{}], [{}])
    plan = solve(problem)
    boasting = replace(plan, levels=plan.levels + 1)

    assert verify(problem, boasting) == (Violation(Fault.WRONG_VALUE),)


def test_every_fault_is_planted_in_some_test():
    planted = {fault for *_, fault in GUILTY} | {
        Fault.NOTHING,
        Fault.OUT_OF_ORDER,
        Fault.WRONG_SHORTFALL,
        Fault.WRONG_VALUE,
    }

    assert planted == set(Fault)
