from bench.growth import _exponents
from bench.peers.goals import Goal, goals_table
from bench.ppe import better

PROXIMITY = {"fill": 0.06, "fill_without_zeros": 0.67, "unit_miles": 90, "holding_days": 16, "shipments": 2.3}


def test_a_goal_that_is_not_met_says_so():
    table = goals_table([Goal("1", "more", [0.5, 0.25], False), Goal("2", "less", [3], True, ".0f")])

    assert table.rows == [["1", "more", "0.50 0.25", "**not met**"], ["2", "less", "3", "met"]]


def test_better_is_more_fill_and_less_of_the_rest():
    ours = {"fill": 0.07, "fill_without_zeros": 0.6, "unit_miles": 30, "holding_days": 16, "shipments": 1.8}

    assert better(ours, PROXIMITY) == 3
    assert better(PROXIMITY, PROXIMITY) == 0


def test_twice_the_time_for_twice_the_pairs_is_an_exponent_of_one():
    found = [{"rows": 1_000, "pairs": 1, "build": 9e9, "flow": 9e9, "whole": 9e9}]
    found += [{"rows": 10_000, "pairs": n, "build": n, "flow": n**2, "whole": 7.0} for n in (10, 100, 1000)]

    exponents = _exponents(found)

    assert {name: round(value, 6) for name, value in exponents.items()} == {"build": 1, "flow": 2, "whole": 0}


def test_one_size_has_no_exponent():
    assert _exponents([{"rows": 10_000, "pairs": 1, "build": 1, "flow": 1, "whole": 1}]) == {}
