"""How a round of the public replay becomes a problem of the kernel; the replay itself is not part of the tests."""

import numpy as np
import pandas as pd

from bench.peers.replay import Kernel, Taste, problem_of

TODAY = pd.Timestamp("2020-04-24 11:46", tz="UTC")
DONORS = pd.DataFrame(
    {
        "don_id": ["d2", "d1"],
        "ppe": ["gowns", "masks"],
        "date": [TODAY - pd.Timedelta(days=9, hours=5), TODAY - pd.Timedelta(hours=2)],
        "qty": [40.0, 30.0],
    }
)
HOSPITALS = pd.DataFrame(
    {
        "rec_id": ["r1", "r1", "r2"],
        "ppe": ["gowns", "masks", "masks"],
        "date": [TODAY] * 3,
        "qty": [25.0, 500.0, 30.0],
    }
)
WAYS = pd.DataFrame(
    {
        "don_id": ["d1", "d1", "d2", "d9"],
        "rec_id": ["r1", "r2", "r1", "r1"],
        "distance": [10.0, 20.0, 100.0, 1.0],
    }
)


def sent(taste: Taste) -> list[tuple[str, str, str, float]]:
    decided = Kernel(taste)(TODAY, DONORS, HOSPITALS, WAYS)
    return sorted(map(tuple, decided[["don_id", "rec_id", "ppe", "qty"]].to_numpy().tolist()))


def test_miles_become_metres_between_rows():
    problem = problem_of(TODAY, DONORS, HOSPITALS, WAYS, Taste().policy)

    assert problem.lanes[1].tolist() == [16_093, 16_093, 32_187]
    assert problem.lanes[0, 0] == 160_934


def test_whole_days_that_an_offer_has_waited():
    problem = problem_of(TODAY, DONORS, HOSPITALS, WAYS, Taste().policy)

    assert problem.supplies.waited_days.tolist() == [9, 0]


def test_goods_go_to_the_same_item_only():
    problem = problem_of(TODAY, DONORS, HOSPITALS, WAYS, Taste().policy)

    kinds = np.ix_(problem.supplies.kind, problem.demands.kind)
    assert problem.verdicts.verdict[kinds].tolist() == [[1, 0, 0], [0, 1, 1]]


def test_without_patience_everything_that_can_go_goes():
    assert sum(quantity for *_, quantity in sent(Taste(parcel=0))) == 55


def test_the_patient_leave_a_far_parcel_for_another_day():
    assert {donor for donor, *_ in sent(Taste(limit=50, parcel=0))} == {"d1"}


def test_an_offer_that_has_waited_settles_for_more():
    assert {donor for donor, *_ in sent(Taste(limit=61, growth_days=14, parcel=0))} == {"d1", "d2"}


def test_finishing_a_request_can_be_worth_a_longer_way():
    assert ("d1", "r2", "masks", 30.0) in sent(Taste(limit=500, small_first=2_000, parcel=0))
