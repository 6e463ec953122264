"""Each hard rule alone, at its edge."""

import numpy as np
import pytest

from matching.kernel import eligibility
from matching.kernel.pairs import Pairs, ways
from matching.kernel.problem import MAX_QUANTITY
from tests.matching.kernel.makers import AIR, BEIJING, ROAD, VAN, make_problem

ONE = np.array([0])


def keeps(rule, demand=None, supply=None, **options) -> bool:
    problem = make_problem([demand or {}], [supply or {}], **options)
    return bool(rule(problem, Pairs.of(problem, ONE, ONE))[0])


def test_the_way_is_a_third_longer_than_the_great_circle():
    problem = make_problem([{"lat_deg": 0.0, "lon_deg": 0.0}], [{"lat_deg": 0.0, "lon_deg": 180.0}])

    metres = int(ways(problem, ONE, ONE)[0])

    assert metres == round(1.3 * np.pi * 12_742_000 / 2)


def test_the_same_place_is_no_way_and_one_day():
    problem = make_problem([{}], [{"ready_in_days": 2}])

    pairs = Pairs.of(problem, ONE, ONE)

    assert (pairs.distance_m[0], pairs.days[0]) == (0, 3)


@pytest.mark.parametrize(("mode", "days"), [(ROAD, 1 + 2), (AIR, 1 + 1)])
def test_days_on_the_way_are_rounded_up(mode, days):
    problem = make_problem([{}], [{"mode": mode} | BEIJING])

    pairs = Pairs.of(problem, ONE, ONE)

    assert pairs.days[0] == days


@pytest.mark.parametrize(("verdict", "kept"), [(0, False), (1, True), (2, True)])
def test_only_goods_that_satisfy_the_need_are_kept(verdict, kept):
    assert keeps(eligibility.satisfies, verdict=[[verdict]]) is kept


@pytest.mark.parametrize(
    ("demand", "supply", "kept"),
    [
        ({"wanted": MAX_QUANTITY}, {"available": MAX_QUANTITY}, True),
        ({"wanted": MAX_QUANTITY + 1}, {}, False),
        ({"wanted": 0}, {}, False),
        ({"wanted": -5}, {}, False),
        ({"served": -1}, {}, False),
        ({}, {"available": 10**14}, False),
        ({}, {"available": 0}, False),
    ],
)
def test_absurd_quantities_are_not_matched(demand, supply, kept):
    assert keeps(eligibility.is_plausible, demand, supply) is kept


@pytest.mark.parametrize(
    ("direction", "kept"),
    [
        ({}, True),
        ({"directed_facility": 7}, True),
        ({"directed_facility": 8}, False),
        ({"directed_region_first": 3, "directed_region_last": 3}, True),
        ({"directed_region_first": 4, "directed_region_last": 9}, False),
        ({"directed_region_first": 0, "directed_region_last": 2}, False),
        ({"directed_facility": 7, "directed_region_first": 4, "directed_region_last": 9}, False),
    ],
)
def test_a_directed_gift_goes_where_it_is_meant_to(direction, kept):
    assert keeps(eligibility.is_meant_for, {"facility": 7, "region": 3}, direction) is kept


@pytest.mark.parametrize(
    ("accepted", "sender", "kept"),
    [(0b011, 0b001, True), (0b011, 0b011, True), (0b011, 0b101, False), (0, 0, True)],
)
def test_the_hospital_must_accept_everything_the_sender_is(accepted, sender, kept):
    assert keeps(eligibility.accepts_sender, {"accepted_senders": accepted}, {"sender": sender}) is kept


@pytest.mark.parametrize(
    ("barred", "kept"), [([], True), ([(1, 1)], False), ([(1, 2), (2, 1), (0, 0), (9, 9)], True)]
)
def test_a_declined_pair_is_not_made_again(barred, kept):
    assert keeps(eligibility.is_not_barred, barred=barred) is kept


def test_barred_pairs_are_named_by_id():
    problem = make_problem([{"id": 10}, {"id": 20}], [{"id": 5}, {"id": 6}], barred=[(20, 5)])
    pairs = Pairs.of(problem, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))

    assert eligibility.is_not_barred(problem, pairs).tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("supply", "kept"),
    [
        ({"mode": VAN}, False),
        ({"mode": ROAD}, True),
        ({"mode": ROAD, "max_km": 1300}, False),
        ({"mode": ROAD, "max_km": 1400}, True),
        ({"mode": ROAD, "lat_deg": float("nan")}, False),
    ],
)
def test_goods_travel_no_farther_than_mode_and_donor_allow(supply, kept):
    assert keeps(eligibility.is_in_range, {}, BEIJING | supply) is kept


@pytest.mark.parametrize(("deadline", "kept"), [(3, True), (2, False)])
def test_goods_arrive_by_the_day_they_are_needed(deadline, kept):
    assert keeps(eligibility.arrives_in_time, {"deadline_days": deadline}, BEIJING) is kept


@pytest.mark.parametrize(
    ("shelf", "least", "kept"), [(33, 30, True), (32, 30, False), (368, 365, True), (367, 365, False)]
)
def test_enough_shelf_life_is_left_on_arrival(shelf, least, kept):
    supply = BEIJING | {"shelf_days": shelf, "min_shelf_days": least}

    assert keeps(eligibility.keeps_on_arrival, {}, supply) is kept


@pytest.mark.parametrize(
    ("demand", "supply", "kept"),
    [
        ({"wanted": 50}, {"pack": 50}, True),
        ({"wanted": 49}, {"pack": 50}, False),
        ({"wanted": 100}, {"available": 49, "pack": 50}, False),
        ({"min_lot": 60}, {"pack": 50}, True),
        ({"min_lot": 60}, {"pack": 50, "available": 80}, False),
        ({"wanted": 30}, {"min_lot": 31}, False),
        ({"min_lot": 2**63 - 1}, {"pack": 10}, False),
        ({}, {"pack": 2**63 - 1}, False),
    ],
)
def test_a_parcel_is_whole_packs_and_worth_it_for_both_sides(demand, supply, kept):
    assert keeps(eligibility.has_legal_lot, demand, supply) is kept


def test_eligible_pairs_keep_every_rule():
    problem = make_problem([{"kind": 0}, {"kind": 1}], [{}, {"available": 10**12}], verdict=[[1, 0]])
    pairs = Pairs.of(problem, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))

    kept = eligibility.eligible(problem, pairs)

    assert (kept.demand.tolist(), kept.supply.tolist()) == ([0], [0])
