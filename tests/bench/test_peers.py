"""The ways of others: hand-worked cases of each, and that all of them keep the rules."""

from dataclasses import replace

import numpy as np
import pytest

from bench.matching import STRATEGIES, Strategy
from bench.matching_kernel import instance
from bench.peers import flows, getusppe, oracles, volunteers
from bench.peers.measures import faults
from matching.kernel.plan import Plan
from matching.kernel.solve import solve
from tests.matching.kernel.makers import BEIJING, make_problem

SHANGHAI = {"lat_deg": 31.2, "lon_deg": 121.5}


def parcels(plan: Plan) -> list[tuple[int, int, int]]:
    """Id of the need, id of the offer, quantity."""
    sent = plan.assignments
    return list(zip(sent.demand.tolist(), sent.supply.tolist(), sent.quantity.tolist(), strict=True))


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_every_way_keeps_the_rules(strategy: Strategy, seed: int):
    problem = instance(200, seed)
    if strategy.policy:
        problem = replace(problem, policy=strategy.policy)

    plan = strategy.plan(problem, flows.all_pairs(problem))

    assert faults(problem, plan, is_relaxed=strategy.is_relaxed) == []
    assert len(plan.assignments) > 10


def test_a_relaxed_plan_is_not_a_legal_one():
    problem = make_problem([{"wanted": 7}], [{"pack": 5}])

    plan = flows.relaxed(problem, flows.all_pairs(problem))

    assert parcels(plan) == [(1, 1, 7)]
    assert faults(problem, plan, is_relaxed=True) == []
    assert faults(problem, plan) != []


def test_no_legal_plan_beats_the_relaxed_one():
    problem = instance(300)
    pairs = flows.all_pairs(problem)
    bound = oracles.utility(problem, flows.relaxed(problem, pairs))

    for plan in (solve(problem), volunteers.urgency_greedy(problem, pairs), volunteers.naive(problem)):
        assert oracles.utility(problem, plan) <= bound


def test_first_come_pairs_by_order_and_not_by_place():
    problem = make_problem([BEIJING, {}], [{}, BEIJING])

    assert parcels(getusppe.first_come(problem)) == [(1, 1, 100), (2, 2, 100)]


def test_first_come_loses_a_pair_that_may_not_be_made():
    problem = make_problem([{"deadline_days": 1} | BEIJING, {}], [{}, BEIJING])

    assert parcels(getusppe.first_come(problem)) == [(2, 2, 100)]


def test_nearest_sends_one_parcel_of_each_donor_to_the_nearest():
    problem = make_problem([BEIJING | {"urgency": 1}, {"wanted": 30, "urgency": 4}], [{}])

    plan = getusppe.proximity(problem, flows.all_pairs(problem))

    assert parcels(plan) == [(2, 1, 30)]


def test_nearest_repeated_sends_what_is_left_to_the_next():
    problem = make_problem([BEIJING, {"wanted": 30}], [{}])

    plan = getusppe.proximity(problem, flows.all_pairs(problem), rounds=None)

    assert parcels(plan) == [(1, 1, 70), (2, 1, 30)]


def test_transport_fills_first_and_saves_kilometres_second():
    # The near pair alone would be shorter, and would leave the second need without anything.
    problem = make_problem([{}, BEIJING], [{}, SHANGHAI | {"max_km": 1000}])

    plan = getusppe.transport(problem, flows.all_pairs(problem))

    assert parcels(plan) == [(1, 2, 100), (2, 1, 100)]


def test_the_greedy_serves_the_urgent_and_then_the_sooner_needed():
    problem = make_problem([{"urgency": 2}, {"deadline_days": 20}, {"deadline_days": 10, "wanted": 60}], [{}])

    plan = volunteers.urgency_greedy(problem, flows.all_pairs(problem))

    assert parcels(plan) == [(2, 1, 40), (3, 1, 60)]


def test_the_naive_loop_is_the_greedy_over_all_pairs():
    problem = instance(400, 3)

    loop = volunteers.naive(problem)

    assert parcels(loop) == parcels(volunteers.urgency_greedy(problem, flows.all_pairs(problem)))


def test_the_time_of_the_loop_is_estimated_without_changing_what_is_left_for_others():
    problem = instance(400, 3)
    plan = volunteers.naive(problem)

    seconds = volunteers.naive_seconds(problem, plan, 400)

    assert 0 < seconds < 5


def test_another_solver_finds_the_same_optimum():
    problem = instance(150)
    pairs = flows.looked_at(problem)

    assert oracles.by_our_flow(problem, pairs).cost == oracles.by_highs(oracles.networks(problem, pairs)).cost


def test_the_integer_bound_is_reached_where_the_best_is_plain():
    problem = make_problem(
        [{"wanted": 10, "min_lot": 5}, {"wanted": 10, "urgency": 2}], [{"pack": 5, "available": 15}]
    )

    bound = oracles.greatest_utility(problem, flows.all_pairs(problem))

    assert bound == pytest.approx(oracles.utility(problem, solve(problem)), rel=1e-4)


def test_one_category_is_one_family():
    problem = instance(50, categories=1)

    assert np.ptp(problem.verdicts.verdict.max(axis=0)) == 0
    assert len(flows.all_pairs(problem)) > 0
