import io
import zipfile

import numpy as np
import pytest

from matching.kernel.columns import packed
from matching.kernel.plan import Plan
from matching.kernel.problem import Demands, Modes, Policy, Problem, Verdicts
from matching.kernel.solve import solve
from tests.matching.kernel.makers import make_problem


def test_a_stored_problem_comes_back_the_same():
    problem = make_problem([{"wanted": 10**10}, {}], [{}], barred=[(1, 1)], policy=Policy.floor())

    again = Problem.from_bytes(problem.to_bytes())

    assert again.digest() == problem.digest()
    assert again.to_bytes() == problem.to_bytes()
    assert again.policy == problem.policy


def test_stored_bytes_carry_no_time():
    with zipfile.ZipFile(io.BytesIO(make_problem([{}], [{}]).to_bytes())) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_another_problem_has_another_digest():
    assert make_problem([{}], [{}]).digest() != make_problem([{"wanted": 99}], [{}]).digest()


def test_a_stored_plan_comes_back_the_same():
    plan = solve(make_problem([{"wanted": 150}], [{}]))

    again = Plan.from_bytes(plan.to_bytes())

    assert again.digest() == plan.digest()
    assert again.to_bytes() == plan.to_bytes()


def test_columns_cannot_be_changed():
    speeds = np.array([500])
    modes = Modes(speeds, np.array([250]))

    speeds[0] = 1

    assert modes.km_per_day[0] == 500
    with pytest.raises(ValueError, match="read-only"):
        modes.km_per_day[0] = 1


def test_a_number_that_does_not_fit_its_column_is_refused():
    columns = Demands.empty().arrays("d")

    with pytest.raises(ValueError, match="does not fit"):
        Demands(
            **{
                name[2:]: values if name != "d.urgency" else np.array([2**40])
                for name, values in columns.items()
            }
        )


def test_fractions_are_no_quantities():
    columns = {name[2:]: values for name, values in Demands.empty().arrays("d").items()}

    with pytest.raises(ValueError, match="whole numbers"):
        Demands(**columns | {"wanted": np.array([0.5])})


@pytest.mark.parametrize(
    ("demands", "supplies", "message"),
    [
        ([{"id": 2}, {"id": 1}], [{}], "ascending"),
        ([{}], [{"id": 3}, {"id": 3}], "ascending"),
        ([{"kind": 1}], [{}], "does not exist"),
        ([{}], [{"mode": 9}], "does not exist"),
        ([{"urgency": 5}], [{}], "does not exist"),
        ([{}], [{"pack": 0}], "at least one"),
    ],
)
def test_tables_that_do_not_fit_together_are_refused(demands, supplies, message):
    with pytest.raises(ValueError, match=message):
        make_problem(demands, supplies)


def test_the_floor_policy_gives_everyone_a_share_first():
    levels = Policy.floor(bands=3, floor_bands=1).levels

    assert levels[:5] == ((1, 0), (2, 0), (3, 0), (4, 0), (1, 1))


@pytest.mark.parametrize(
    "levels",
    [
        tuple((u, b) for u in (1, 2, 3) for b in range(2)),
        tuple((u, b) for u in (1, 2, 3, 4) for b in (1, 0)),
        (*((u, b) for u in (1, 2, 3, 4) for b in range(2)), (1, 1)),
    ],
)
def test_a_policy_lists_every_level_once_and_bands_ascend(levels):
    with pytest.raises(ValueError, match="policy"):
        Policy("odd", 2, levels)


def test_a_chain_is_read_back_from_the_matrix():
    one = np.ones((1, 2), np.int8)
    verdicts = Verdicts(one, one, one, np.array([[1, -1]]), np.array([0, 1, 3]), np.array([7, 8, 9]))

    assert verdicts.chain_of(0, 0) == (8, 9)
    assert verdicts.chain_of(0, 1) == ()


def test_a_problem_stored_before_there_was_patience_can_still_be_read():
    problem = make_problem([{}], [{}])
    older = problem.arrays()
    for name in (
        "prior",
        "lanes",
        "policy.patience",
        "policy.limits",
        "demands.waited_days",
        "supplies.is_cold",
    ):
        del older[name]

    read = Problem.from_bytes(packed(older))

    assert read.digest() == problem.digest()


def test_ways_are_given_for_every_pair_or_for_none():
    given_ways = make_problem([{}, {}], [{}], lanes=[[5_000, 7_000]])

    assert solve(given_ways).assignments.distance_m.tolist() == [5_000, 7_000]
    with pytest.raises(ValueError, match="lanes"):
        make_problem([{}, {}], [{}], lanes=[[5_000]])
