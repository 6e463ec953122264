"""What is not urgent waits for a better partner, and not for ever."""

from dataclasses import replace

import numpy as np
import pytest

from matching.kernel.explain import Cause, explain
from matching.kernel.pairs import Pairs, largest_parcel
from matching.kernel.patience import days_to_wait
from matching.kernel.plan import Plan
from matching.kernel.problem import FAR_AWAY_DAYS, Patience, Policy, Problem
from matching.kernel.solve import solve
from matching.kernel.verify import Fault, verify
from tests.matching.kernel.makers import BEIJING, given, make_problem

PATIENCE = Patience(first_urgency=3, limit=500, growth_days=10, last_chance_days=7, parcel_km=50_000)
FAR = {"deadline_days": FAR_AWAY_DAYS}  # 1,366 km of way and 500 km of parcel: worth its while after 28 days


def waiting(demand: dict, supply: dict, patience: Patience | None = PATIENCE) -> Problem:
    policy = replace(Policy.urgency(), patience=patience)
    return make_problem([{"urgency": 3} | FAR | demand], [BEIJING | supply], policy=policy)


def faults(problem: Problem, plan: Plan) -> set[Fault]:
    return {found.fault for found in verify(problem, plan)}


def wait(problem: Problem) -> int:
    pairs = Pairs.of(problem, np.array([0]), np.array([0]))
    return int(days_to_wait(problem, pairs, largest_parcel(problem, pairs))[0])


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


NEXT_DOOR = {"available": 1000}
FOR_PARCELS = replace(
    PATIENCE, limit=200, parcel_km=50_000
)  # a parcel of 249 units next door costs 200 km each


@pytest.mark.parametrize(("wanted", "sent"), [(248, 0), (249, 249)])
def test_a_parcel_too_small_for_its_way_is_left_for_another_day(wanted, sent):
    policy = replace(Policy.urgency(), patience=FOR_PARCELS)
    problem = make_problem([{"urgency": 3, "wanted": wanted} | FAR], [NEXT_DOOR], policy=policy)

    assert sum(given(solve(problem)).values()) == sent


def test_what_is_missing_waits_where_a_parcel_of_all_would_not():
    policy = replace(Policy.urgency(), patience=FOR_PARCELS)
    problem = make_problem(
        [{"urgency": 3, "wanted": 1_100} | FAR], [NEXT_DOOR, {"available": 101}], policy=policy
    )
    plan = solve(problem)

    (short,) = explain(problem, plan).short

    assert given(plan) == {(1, 1): 1000}
    assert (short.missing, short.cause) == (100, Cause.WAITS)


def test_a_parcel_that_was_made_too_small_is_caught():
    policy = replace(Policy.urgency(), patience=FOR_PARCELS)
    plan = solve(make_problem([{"urgency": 3, "wanted": 100} | FAR], [NEXT_DOOR]))
    problem = make_problem([{"urgency": 3, "wanted": 1_000} | FAR], [NEXT_DOOR], policy=policy)

    assert Fault.IMPATIENT not in faults(problem, plan)
    assert Fault.BELOW_WORTH in faults(problem, plan)


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
