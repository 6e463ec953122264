import numpy as np

from bench.matching_kernel import instance
from matching.kernel.candidates import candidates, families
from matching.kernel.eligibility import eligible
from matching.kernel.pairs import Pairs
from matching.kernel.problem import Verdict
from tests.matching.kernel.makers import BEIJING, make_problem

PRUNED = {"look_at_all": 0}


def pairs_of(found: Pairs) -> set[tuple[int, int]]:
    return set(zip(found.demand.tolist(), found.supply.tolist(), strict=True))


def test_families_are_rows_between_which_goods_may_pass():
    problem = make_problem(
        [{"kind": 0}, {"kind": 1}, {"kind": 2}, {"kind": 0, "wanted": 0}],
        [{"kind": 0}, {"kind": 1}, {"kind": 1, "available": 0}],
        verdict=[[1, 0, 0], [2, 1, 0]],
    )

    [(demand, supply)] = families(problem)

    assert (demand.tolist(), supply.tolist()) == ([0, 1], [0, 1])


def test_a_small_family_is_looked_at_whole():
    problem = instance(300)
    rows = np.meshgrid(np.arange(300), np.arange(300), indexing="ij")

    found = candidates(problem)

    assert pairs_of(found) == pairs_of(eligible(problem, Pairs.of(problem, rows[0].ravel(), rows[1].ravel())))


def test_candidates_ascend_and_are_eligible():
    problem = instance(400)

    found = candidates(problem, **PRUNED)

    assert (np.diff(found.demand * 400 + found.supply) > 0).all()
    assert len(eligible(problem, found)) == len(found)


def test_a_large_family_is_looked_at_where_it_matters():
    problem = instance(2000)

    few, every = candidates(problem, **PRUNED), candidates(problem, look_at_all=10**9)

    assert pairs_of(few) < pairs_of(every)
    assert len(few) < len(every) / 2
    assert len(np.unique(few.demand)) > 0.95 * len(np.unique(every.demand))


def test_every_need_looks_at_the_far_supply_that_is_large():
    far_and_large = BEIJING | {"available": 10_000}
    problem = make_problem([{}] * 40, [{"available": 1}] * 60 + [far_and_large])

    found = candidates(problem, **PRUNED)

    assert set(found.demand[found.supply == 60].tolist()) == set(range(40))
    assert len(found) < 40 * 61


def test_a_supply_looks_past_the_many_to_the_urgent():
    here = [{"urgency": 4, "wanted": 500}] * 60
    near_the_urgent = [{"available": 500} | BEIJING] * 60
    problem = make_problem(
        [*here, {"urgency": 1, "wanted": 5} | BEIJING], [*near_the_urgent, {"available": 5}]
    )

    assert (60, 60) in pairs_of(candidates(problem, **PRUNED))


def test_a_directed_gift_meets_the_far_facility_it_is_meant_for():
    crowd = [{"facility": 7, "wanted": 10}] * 60
    problem = make_problem([*crowd, {"facility": 9, "wanted": 10} | BEIJING], [{"directed_facility": 9}])

    assert pairs_of(candidates(problem, **PRUNED)) == {(60, 0)}


def test_a_gift_for_a_region_meets_the_needs_there():
    crowd = [{"region": 3, "wanted": 10}] * 60
    gift = {"directed_region_first": 5, "directed_region_last": 8}
    problem = make_problem([*crowd, {"region": 5, "wanted": 10} | BEIJING], [gift])

    assert pairs_of(candidates(problem, **PRUNED)) == {(60, 0)}


def test_near_supplies_whose_sender_is_refused_do_not_hide_the_others():
    problem = make_problem([{"accepted_senders": 1}], [{"sender": 2}] * 60 + [{"sender": 1} | BEIJING])

    assert pairs_of(candidates(problem, **PRUNED)) == {(0, 60)}


def test_pairs_whose_goods_do_not_fit_are_never_looked_at():
    problem = instance(500)

    found = candidates(problem, **PRUNED)

    kinds = problem.supplies.kind[found.supply], problem.demands.kind[found.demand]
    assert (problem.verdicts.verdict[kinds] == Verdict.ACCEPT).all()
