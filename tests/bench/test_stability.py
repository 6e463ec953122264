import numpy as np

from bench.matching_kernel import instance
from bench.stability import changed, kept, without
from tests.matching.kernel.makers import make_problem


def test_kept_units_are_those_of_the_same_pair_again():
    prior = np.array([[1, 1, 10], [1, 2, 30]])

    assert kept(prior, np.array([[1, 1, 5], [2, 2, 30]])) == (5 / 40, 1 / 2)


def test_more_on_the_same_pair_keeps_no_more_than_there_was():
    assert kept(np.array([[1, 1, 10]]), np.array([[1, 1, 25]])) == (1.0, 1.0)


def test_the_change_takes_about_a_hundredth_of_each_side():
    problem = instance(2000)

    after = changed(problem)

    assert 1960 <= len(after.demands) < 2000
    assert 1960 <= len(after.supplies) < 2000
    assert (after.demands.urgency == 1).sum() > (problem.demands.urgency == 1).sum()


def test_what_is_agreed_is_off_both_sides_and_counts_as_served():
    problem = make_problem([{"wanted": 50}], [{"available": 80}])

    after = without(problem, np.array([[1, 1, 20]]))

    assert (after.demands.wanted.tolist(), after.demands.served.tolist()) == ([30], [20])
    assert after.supplies.available.tolist() == [60]
