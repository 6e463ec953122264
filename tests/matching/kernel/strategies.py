"""Random small problems for property tests: a few kinds, places, packs and lots, all within reach of exact methods."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from matching.kernel.problem import Patience, Policy, Problem
from tests.matching.kernel.makers import make_problem

PLACES = [(30.6, 114.3), (31.2, 121.5), (39.9, 116.4), (23.1, 113.3), (43.8, 87.6)]
KINDS = 3


def place() -> st.SearchStrategy[dict[str, float]]:
    return st.sampled_from(PLACES).map(lambda at: {"lat_deg": at[0], "lon_deg": at[1]})


@st.composite
def demand_rows(draw: st.DrawFn, simple: bool) -> dict[str, Any]:
    row = {
        "kind": draw(st.integers(0, KINDS - 1)),
        "wanted": draw(st.integers(1, 60)),
        "served": draw(st.sampled_from([0, 0, 5, 30])),
        "urgency": draw(st.integers(1, 4)),
        "deadline_days": draw(st.sampled_from([1, 3, 5, 30])),
        "facility": draw(st.integers(1, 3)),
        "region": draw(st.integers(0, 9)),
        "waited_days": draw(st.sampled_from([0, 0, 3, 40])),
    }
    lots = {} if simple else {"min_lot": draw(st.sampled_from([1, 1, 5, 20]))}
    return row | lots | draw(place())


@st.composite
def supply_rows(draw: st.DrawFn, simple: bool) -> dict[str, Any]:
    first = draw(st.sampled_from([0, 0, 0, 4]))
    row = {
        "kind": draw(st.integers(0, KINDS - 1)),
        "available": draw(st.integers(1, 60)),
        "shelf_days": draw(st.sampled_from([31, 33, 400])),
        "mode": draw(st.integers(0, 2)),
        "sender": draw(st.sampled_from([1, 1, 1, 16])),
        "directed_facility": draw(st.sampled_from([-1, -1, -1, 2])),
        "directed_region_first": first,
        "directed_region_last": 8 if first else 2**31 - 1,
        "is_cold": draw(st.sampled_from([False, False, True])),
    }
    lots = (
        {}
        if simple
        else {"pack": draw(st.sampled_from([1, 5, 10])), "min_lot": draw(st.sampled_from([1, 1, 15]))}
    )
    return row | lots | draw(place())


@st.composite
def problems(draw: st.DrawFn, *, most: int = 7, simple: bool = False) -> Problem:
    """Up to `most` rows on each side; `simple` ones have no packs and no lots, so that the flow is exact."""
    demands = draw(st.lists(demand_rows(simple), max_size=most))
    supplies = draw(st.lists(supply_rows(simple), max_size=most))
    verdict = draw(
        st.lists(
            st.lists(st.sampled_from([0, 1, 1, 2]), min_size=KINDS, max_size=KINDS),
            min_size=KINDS,
            max_size=KINDS,
        )
    )
    pairs = st.tuples(st.integers(1, most), st.integers(1, most))
    policy = draw(st.sampled_from([Policy.urgency(), Policy.floor(), Policy.urgency(bands=3)]))
    if not simple:
        policy = draw(
            st.sampled_from(
                [policy, replace(policy, patience=Patience(limit=400)), replace(policy, facility_percent=60)]
            )
        )
    barred = draw(st.lists(pairs, max_size=2))
    prior = {} if simple else draw(st.dictionaries(pairs, st.integers(1, 60), max_size=3))
    before = [(demand, supply, units) for (demand, supply), units in prior.items()]
    return make_problem(demands, supplies, verdict=verdict, barred=barred, policy=policy, prior=before)
