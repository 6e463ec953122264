import numpy as np
import pytest

from matching.kernel.eligibility import Rule
from matching.kernel.explain import Cause, explain
from matching.kernel.problem import Problem, Verdict, Verdicts
from matching.kernel.solve import solve
from matching.kernel.substitution import Reason
from tests.matching.kernel.makers import BEIJING, VAN, make_problem


def matches(problem):
    return explain(problem, solve(problem)).matches


def only_short(problem):
    [short] = explain(problem, solve(problem)).short
    return short


def test_a_match_tells_the_way_and_the_slack():
    [match] = matches(make_problem([{"deadline_days": 10, "assumed": True}], [{"shelf_days": 90} | BEIJING]))

    assert (match.demand, match.supply, match.quantity) == (1, 1, 100)
    assert (match.distance_m // 1000, match.days, match.days_to_spare, match.shelf_days) == (1366, 3, 7, 87)
    assert match.is_assumed


def test_a_match_without_deadline_or_expiry_has_no_slack():
    [match] = matches(make_problem([{"deadline_days": 1_000_000}], [{}]))

    assert (match.days_to_spare, match.shelf_days) == (None, None)


def test_a_match_tells_which_substitutions_were_followed():
    plain = make_problem([{}], [{}])
    verdicts = Verdicts(
        np.array([[2]]),
        np.array([[1]]),
        np.array([[Reason.SUBSTITUTE]]),
        np.array([[0]]),
        np.array([0, 2]),
        np.array([31, 47]),
    )

    [match] = matches(
        Problem(plain.demands, plain.supplies, plain.modes, verdicts, plain.barred, plain.policy)
    )

    assert (match.verdict, match.reason, match.chain) == (Verdict.CONDITIONAL, Reason.SUBSTITUTE, (31, 47))
    assert match.overshoot == 1


def test_parcels_of_one_need_fill_it_in_order_of_arrival():
    near, far = sorted(
        matches(make_problem([{"served": 100}], [BEIJING | {"available": 50}, {"available": 50}])),
        key=lambda m: m.days,
    )

    assert (near.supply, near.filled_before, near.filled_after, near.total) == (2, 100, 150, 200)
    assert (far.supply, far.filled_before, far.filled_after) == (1, 150, 200)
    assert (near.level_before, near.level_after, far.level_before, far.level_after) == (5, 7, 7, 9)


@pytest.mark.parametrize(
    ("demand", "supply", "options", "cause", "figure"),
    [
        ({}, {}, {"verdict": [[0]]}, Cause.NO_COMPATIBLE_OFFER, None),
        ({"wanted": 10**12}, {}, {}, Cause.IMPLAUSIBLE_QUANTITY, None),
        ({}, {"available": 0}, {}, Cause.NOTHING_LEFT, None),
        ({}, {"directed_facility": 99}, {}, Cause.DIRECTED_ELSEWHERE, None),
        ({"accepted_senders": 0}, {}, {}, Cause.SENDER_NOT_ACCEPTED, None),
        ({}, {}, {"barred": [(1, 1)]}, Cause.DECLINED_BEFORE, None),
        ({"lat_deg": float("nan")}, {}, {}, Cause.PLACE_UNKNOWN, None),
        ({}, BEIJING | {"mode": VAN}, {}, Cause.TOO_FAR, 1_366_888),
        ({"deadline_days": 2}, BEIJING, {}, Cause.TOO_LATE, 3),
        ({}, {"shelf_days": 20}, {}, Cause.EXPIRES, 19),
        ({}, {"pack": 30, "min_lot": 100}, {}, Cause.BELOW_LOT, 120),
        ({"wanted": 110}, {"pack": 50, "available": 200}, {}, Cause.REMAINDER_BELOW_LOT, 50),
        ({"wanted": 160}, {}, {}, Cause.NOTHING_LEFT, None),
    ],
)
def test_a_shortfall_tells_what_kept_the_offer_away(demand, supply, options, cause, figure):
    short = only_short(make_problem([demand], [supply], **options))

    assert (short.cause, short.figure) == (cause, figure)


def test_a_shortfall_is_explained_by_the_offer_that_came_farthest():
    short = only_short(
        make_problem(
            [{"deadline_days": 2}],
            [{"directed_facility": 99}, BEIJING, BEIJING | {"max_km": 5}, {"shelf_days": 5}],
        )
    )

    assert (short.cause, short.figure) == (Cause.EXPIRES, 4)
    assert short.refused == {Rule.DIRECTION: 1, Rule.RANGE: 1, Rule.DEADLINE: 1, Rule.SHELF_LIFE: 1}
    assert short.eligible == 0


def test_the_less_urgent_need_learns_what_it_lost_to():
    short = only_short(make_problem([{"urgency": 2}, {"urgency": 1}], [{}]))

    assert (short.demand, short.missing, short.level) == (1, 100, 10)
    assert (short.cause, short.figure, short.eligible) == (Cause.SERVES_MORE_URGENT, 9, 1)


def test_packs_that_could_not_be_shared_evenly_went_to_others():
    problem = make_problem([{"wanted": 40}, {"wanted": 40}], [{"available": 30, "pack": 10}])

    causes = [short.cause for short in explain(problem, solve(problem)).short]

    assert sorted(causes) == [Cause.GIVEN_TO_OTHERS, Cause.SERVES_MORE_URGENT]


def test_a_problem_without_offers_is_explained():
    assert only_short(make_problem([{}], [])).cause == Cause.NO_COMPATIBLE_OFFER


def test_nothing_needs_no_explanation():
    explanation = explain(make_problem([], [{}]), solve(make_problem([], [{}])))

    assert (explanation.matches, explanation.short) == ((), ())
