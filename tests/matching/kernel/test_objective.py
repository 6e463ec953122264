import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.kernel import objective
from matching.kernel.eligibility import Pairs
from matching.kernel.problem import Policy
from tests.matching.kernel.makers import BEIJING, make_problem

ONE = np.array([0])


def cost_of(term, demand=None, supply=None, **options) -> int:
    problem = make_problem([demand or {}], [supply or {}], **options)
    return int(term(problem, Pairs.of(problem, ONE, ONE))[0])


def test_ten_kilometres_are_one_step():
    assert cost_of(objective.distance_term, {}, BEIJING) == 136


@pytest.mark.parametrize(("overshoot", "steps"), [(0, 0), (2, 40), (1000, 400)])
def test_goods_better_than_asked_cost_more(overshoot, steps):
    assert cost_of(objective.overshoot_term, overshoot=[[overshoot]]) == steps


@pytest.mark.parametrize(("verdict", "steps"), [(1, 0), (2, 100)])
def test_goods_that_need_a_yes_cost_more(verdict, steps):
    assert cost_of(objective.conditional_term, verdict=[[verdict]]) == steps


@pytest.mark.parametrize(("shelf_days", "steps"), [(36, 3), (365, 30), (10_000, 30)])
def test_what_expires_soon_is_cheap(shelf_days, steps):
    assert cost_of(objective.use_first_term, {}, {"shelf_days": shelf_days}) == steps


@pytest.mark.parametrize(("wanted", "steps"), [(1, 2000), (100, 50), (10_000, 0)])
def test_small_parcels_cost_more_per_unit(wanted, steps):
    assert cost_of(objective.parcel_term, {"wanted": wanted}, {"available": 10**6}) == steps


def test_the_cost_is_the_sum_of_the_terms():
    supply = BEIJING | {"shelf_days": 60}
    options = {"verdict": [[2]], "overshoot": [[1]]}

    assert cost_of(objective.cost, {}, supply, **options) == 136 + 20 + 100 + 5 + 50


def test_bands_are_cut_over_what_was_served_and_what_is_wanted():
    opened = objective.open_bands(np.array([50, 7]), np.array([50, 0]), 10)

    assert opened.tolist() == [[0, 0, 0, 0, 0, 10, 10, 10, 10, 10], [1, 1, 1, 0, 1, 1, 0, 1, 1, 0]]


@settings(max_examples=100, derandomize=True, deadline=None)
@given(st.integers(0, 10**10), st.integers(0, 10**10), st.integers(1, 20))
def test_bands_sum_exactly_to_what_is_wanted(wanted, served, bands):
    opened = objective.open_bands(np.array([wanted]), np.array([served]), bands)

    assert opened.sum() == wanted
    assert (opened >= 0).all()


def test_the_value_of_a_plan_counts_units_by_level():
    policy = Policy.urgency(bands=2)
    urgency, wanted, served = np.array([1, 2]), np.array([10, 10]), np.array([0, 4])

    levels = objective.units_per_level(policy, urgency, wanted, served, np.array([6, 9]))

    assert levels.tolist() == [5, 1, 3, 6, 0, 0, 0, 0]


@pytest.mark.parametrize(
    ("levels", "other", "better"),
    [([1, 0], [0, 9], True), ([1, 0], [1, 0], False), ([0, 9], [1, 0], False), ([1, 2], [1, 1], True)],
)
def test_the_first_level_that_differs_decides(levels, other, better):
    assert objective.is_better(np.array(levels), np.array(other)) is better
