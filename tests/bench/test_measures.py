"""The figures by which plans are compared, by hand-worked examples."""

import numpy as np
import pytest

from bench.peers.measures import gini, measures
from bench.peers.turns import plan_of
from matching.kernel.pairs import Pairs
from matching.kernel.plan import Plan
from matching.kernel.problem import Problem
from tests.matching.kernel.makers import BEIJING, make_problem


def plan(problem: Problem, *parcels: tuple[int, int, int]) -> Plan:
    """Parcels as row of the need, row of the offer, quantity."""
    demand, supply, quantity = np.array(parcels, np.int64).reshape(-1, 3).T
    return plan_of(problem, Pairs.of(problem, demand, supply), quantity)


def test_everybody_having_the_same_is_no_inequality():
    assert gini(np.array([0.4, 0.4, 0.4])) == 0


def test_one_of_four_having_all_is_three_quarters_of_inequality():
    assert gini(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(0.75)


def test_nobody_having_anything_is_no_inequality():
    assert gini(np.zeros(3)) == 0


def test_fill_is_counted_in_units_by_class():
    problem = make_problem(
        [{"wanted": 30}, {"wanted": 70}, {"urgency": 2}, {"urgency": 4}], [{"available": 100}]
    )

    found = measures(problem, plan(problem, (0, 0, 30), (1, 0, 20), (2, 0, 10)))

    assert found["fill_by_class"] == [0.5, 0.1, 0.0, 0.0]
    assert found["supply_used"] == pytest.approx(0.6)


def test_only_urgent_needs_count_as_left_empty():
    problem = make_problem([{}, {"urgency": 2}, {"urgency": 3}, {"urgency": 4}], [{}])

    found = measures(problem, plan(problem, (0, 0, 1)))

    assert found["urgent_needs_left_empty"] == 0.5


def test_the_fill_of_a_hospital_is_the_mean_over_its_needs():
    problem = make_problem([{"facility": 1}, {"facility": 1, "wanted": 10}, {"facility": 2}], [{}])

    found = measures(problem, plan(problem, (1, 0, 10), (2, 0, 50)))

    assert found["gini_hospitals"] == 0
    assert found["p10_hospitals"] == 0.5


def test_inequality_within_a_class_is_between_its_needs():
    problem = make_problem([{}, {}, {"urgency": 2}, {"urgency": 2}], [{"available": 300}])

    found = measures(problem, plan(problem, (0, 0, 100), (2, 0, 50), (3, 0, 50)))

    assert found["gini_by_class"] == [0.5, 0]


def test_kilometres_are_weighed_by_units():
    problem = make_problem([{}], [{}, BEIJING])

    found = measures(problem, plan(problem, (0, 0, 75), (0, 1, 25)))

    assert found["km_per_unit"] == pytest.approx(1366 / 4, abs=1)
    assert (found["parcels"], found["offers_used"]) == (2, 2)


def test_what_expires_soon_is_counted_apart():
    problem = make_problem([{}], [{"shelf_days": 120}, {"shelf_days": 121}])

    found = measures(problem, plan(problem, (0, 0, 40), (0, 1, 60)))

    assert found["soon_used"] == 0.4
    assert found["soon_left"] == 60


def test_a_plan_without_parcels_has_figures_too():
    problem = make_problem([{}], [{}])

    found = measures(problem, plan(problem))

    assert (found["parcels"], found["km_per_unit"], found["urgent_needs_left_empty"]) == (0, 0, 1)
