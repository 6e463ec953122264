from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matching.kernel import objective
from matching.kernel.pairs import Pairs
from matching.kernel.problem import Patience, Policy
from tests.matching.kernel.makers import BEIJING, make_problem

ONE = np.array([0])


def cost_of(term, demand=None, supply=None, **options) -> int:
    problem = make_problem([demand or {}], [supply or {}], **options)
    return int(term(problem, Pairs.of(problem, ONE, ONE))[0])


def test_the_way_counts_in_kilometres():
    assert cost_of(objective.distance_term, {}, BEIJING) == 1366


@pytest.mark.parametrize(("overshoot", "km"), [(0, 0), (2, 400), (1000, 4000)])
def test_goods_better_than_asked_cost_more(overshoot, km):
    assert cost_of(objective.overshoot_term, overshoot=[[overshoot]]) == km


@pytest.mark.parametrize(("verdict", "km"), [(1, 0), (2, 1000)])
def test_goods_that_need_a_yes_cost_more(verdict, km):
    assert cost_of(objective.conditional_term, verdict=[[verdict]]) == km


@pytest.mark.parametrize(("shelf_days", "km"), [(36, 29), (365, 300), (10_000, 300)])
def test_what_expires_soon_is_cheap(shelf_days, km):
    assert cost_of(objective.use_first_term, {}, {"shelf_days": shelf_days}) == km


@pytest.mark.parametrize(("wanted", "km"), [(1, 20_000), (100, 500), (10_000, 5), (10**6, 0)])
def test_small_parcels_cost_more_per_unit(wanted, km):
    assert cost_of(objective.parcel_term, {"wanted": wanted}, {"available": 10**6}) == km


def test_the_cost_is_the_sum_of_the_terms():
    supply = BEIJING | {"shelf_days": 60}
    options = {"verdict": [[2]], "overshoot": [[1]]}

    assert cost_of(objective.cost, {}, supply, **options) == 1366 + 200 + 1000 + 49 + 500 + 90


@pytest.mark.parametrize(("waited", "km"), [(0, 90), (10, 60), (30, 0), (400, 0)])
def test_whoever_has_waited_longest_comes_first_among_equals(waited, km):
    assert cost_of(objective.waiting_term, {"waited_days": waited}) == km


@pytest.mark.parametrize(
    ("urgency", "wanted", "km"), [(2, 10, 0), (3, 10, -300), (4, 1000, -3), (4, 1, -3000)]
)
def test_where_finishing_counts_the_small_need_is_cheaper_among_those_that_wait(urgency, wanted, km):
    policy = replace(Policy.urgency(), patience=Patience(small_first=3000))

    assert cost_of(objective.small_first_term, {"urgency": urgency, "wanted": wanted}, policy=policy) == km


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
