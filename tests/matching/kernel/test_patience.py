"""What is not urgent waits for a better partner, and not for ever."""

from dataclasses import replace

import numpy as np
import pytest

from matching.kernel.explain import Cause, explain
from matching.kernel.pairs import Pairs
from matching.kernel.patience import days_to_wait
from matching.kernel.problem import FAR_AWAY_DAYS, Patience, Policy, Problem
from matching.kernel.solve import solve
from tests.matching.kernel.makers import BEIJING, given, make_problem

PATIENCE = Patience(first_urgency=3, limit=500, growth_days=10, last_chance_days=7, parcel_km=50_000)
FAR = {"deadline_days": FAR_AWAY_DAYS}  # 1,366 km of way and 500 km of parcel: worth its while after 28 days


def waiting(demand: dict, supply: dict, patience: Patience | None = PATIENCE) -> Problem:
    policy = replace(Policy.urgency(), patience=patience)
    return make_problem([{"urgency": 3} | FAR | demand], [BEIJING | supply], policy=policy)


def wait(problem: Problem) -> int:
    return int(days_to_wait(problem, Pairs.of(problem, np.array([0]), np.array([0])))[0])


@pytest.mark.parametrize(
    ("demand", "supply", "days"),
    [
        ({}, {}, 28),
        ({"waited_days": 20}, {}, 8),
        ({"waited_days": 5}, {"waited_days": 20}, 8),
        ({"waited_days": 28}, {}, 0),
        ({"urgency": 2}, {}, 0),
        ({"wanted": 1000}, {"available": 1000}, 19),  # a parcel ten times as large costs a tenth a unit
        ({"deadline_days": 20}, {}, 10),  # on the way for 3 days, and 7 before the deadline nobody waits
        ({"deadline_days": 10}, {}, 0),
        ({}, {"shelf_days": 45}, 5),  # 30 days of life on arrival
    ],
)
def test_how_long_a_pair_waits(demand, supply, days):
    assert wait(waiting(demand, supply)) == days


def test_nobody_waits_without_patience():
    assert wait(waiting({}, {}, patience=None)) == 0


def test_a_need_that_waits_is_told_until_when():
    problem = waiting({"waited_days": 20}, {})
    plan = solve(problem)

    (short,) = explain(problem, plan).short

    assert given(plan) == {}
    assert (short.cause, short.figure) == (Cause.WAITS, 8)


def test_the_near_partner_is_taken_at_once_and_the_far_one_left_for_another_day():
    policy = replace(Policy.urgency(), patience=PATIENCE)
    problem = make_problem([{"urgency": 3, "wanted": 200} | FAR], [BEIJING, {}], policy=policy)

    assert given(solve(problem)) == {(1, 2): 100}


def test_what_is_urgent_is_served_from_afar_at_once():
    policy = replace(Policy.urgency(), patience=PATIENCE)
    problem = make_problem([{"urgency": 1} | FAR, {"urgency": 4} | FAR], [BEIJING, BEIJING], policy=policy)

    assert sum(given(solve(problem)).values()) == 100


@pytest.mark.parametrize("wrong", [{"limit": -1}, {"growth_days": 0}, {"small_first": -1}])
def test_patience_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="patience"):
        Patience(**wrong)


def test_by_default_only_the_way_and_the_fit_are_waited_for():
    next_door = make_problem(
        [{"urgency": 4, "wanted": 60} | FAR],
        [{"available": 5}],
        policy=replace(Policy.urgency(), patience=Patience()),
    )

    assert given(solve(next_door)) == {(1, 1): 5}
