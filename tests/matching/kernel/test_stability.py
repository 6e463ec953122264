"""What was proposed and not answered stays where nothing is lost by it; what has to go goes."""

from dataclasses import replace

import numpy as np
from hypothesis import given as for_all
from hypothesis import settings

from matching.kernel.problem import Policy, Problem
from matching.kernel.solve import solve
from tests.matching.kernel.makers import BEIJING, given, make_problem
from tests.matching.kernel.strategies import problems


def test_of_two_equal_plans_the_one_proposed_before_is_kept():
    afresh = make_problem([{}, {}], [{}, {}])
    before = {(1, 2): 100, (2, 1): 100}

    again = make_problem([{}, {}], [{}, {}], prior=[(1, 2, 100), (2, 1, 100)])

    assert given(solve(afresh)) != before
    assert given(solve(again)) == before


def test_a_nearer_offer_does_not_undo_a_proposal():
    problem = make_problem([{}], [BEIJING, {}], prior=[(1, 1, 100)])

    assert given(solve(problem)) == {(1, 1): 100}


def test_a_more_urgent_need_does():
    problem = make_problem([{"urgency": 3}, {"urgency": 1}], [{}], prior=[(1, 1, 100)])

    assert given(solve(problem)) == {(2, 1): 100}


def test_a_proposal_that_is_no_longer_allowed_goes():
    problem = make_problem([{}], [{}, {}], prior=[(1, 1, 100)], barred=[(1, 1)])

    assert given(solve(problem)) == {(1, 2): 100}


def test_of_a_proposal_for_which_too_little_is_left_as_much_as_can_travel_stays():
    problem = make_problem([{}], [{"available": 65, "pack": 10}], prior=[(1, 1, 100)])

    assert given(solve(problem)) == {(1, 1): 60}


def test_a_proposal_of_rows_that_are_gone_or_of_nothing_disturbs_nobody():
    problem = make_problem([{}], [{}], prior=[(9, 9, 5), (1, 9, 5), (1, 1, 0), (1, 1, -5)])

    assert given(solve(problem)) == {(1, 1): 100}


@settings(max_examples=40, derandomize=True, deadline=None)
@for_all(problems())
def test_asked_again_with_its_own_plan_as_what_was_proposed_it_changes_nothing(problem):
    plan = solve(problem)
    parcels = plan.assignments
    again = type(problem)(
        problem.demands,
        problem.supplies,
        problem.modes,
        problem.verdicts,
        problem.barred,
        problem.policy,
        np.column_stack([parcels.demand, parcels.supply, parcels.quantity]),
    )

    second = solve(again)

    better = np.flatnonzero(second.levels != plan.levels)
    assert not len(better) or second.levels[better[0]] > plan.levels[better[0]]
    assert len(better) or given(second) == given(plan)


def units_of_the_first_three(problem: Problem) -> int:
    return sum(units for (demand, _supply), units in given(solve(problem)).items() if demand < 4)


def test_a_facility_with_many_lines_gets_no_more_than_its_share_while_others_lack():
    demands = [{"facility": 1}, {"facility": 1}, {"facility": 1}, {"facility": 2}]
    free = make_problem(demands, [{"available": 100}])
    limited = make_problem(
        demands, [{"available": 100}], policy=replace(Policy.urgency(), facility_percent=50)
    )

    assert units_of_the_first_three(free) > 50
    assert units_of_the_first_three(limited) == 50


def test_what_nobody_else_can_use_is_given_beyond_the_share():
    demands = [{"facility": 1, "wanted": 300}, {"facility": 2, "wanted": 20}]
    problem = make_problem(
        demands, [{"available": 200}], policy=replace(Policy.urgency(), facility_percent=50)
    )

    assert given(solve(problem)) == {(1, 1): 180, (2, 1): 20}
