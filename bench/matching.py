"""The matching kernel against what others do, on the same problems, and the goals it was given."""

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bench.matching_kernel import instance
from bench.peers import flows, getusppe, oracles, volunteers
from bench.peers.goals import Goal, goals_table
from bench.peers.measures import Measures, faults, measures
from bench.reporting import Report, Table
from matching.kernel.candidates import families
from matching.kernel.pairs import Pairs
from matching.kernel.plan import Plan
from matching.kernel.problem import Policy, Problem
from matching.kernel.solve import solve

ROWS, SEEDS = 10_000, (1, 2, 3, 4, 5)
SMALL_ROWS, SMALL_SEEDS = (20, 40, 80, 120), (1, 2, 3)  # of one category, for the exact optimum
NETWORKX_ROWS = 1_000

OURS, FLOOR, GREEDY, STUCK = "ours", "ours, floor", "greedy on all pairs", "nearest, until stuck"
PRUNED, WHOLE = "bound, pairs looked at", "bound, all pairs"


@dataclass(frozen=True)
class Strategy:
    """plan      problem and pairs -> plan
    pairs     which pairs it is given: those the kernel looks at, all of them, or none because it looks for its own
    policy    another ladder than the problem's
    """

    name: str
    says: str
    plan: Callable[[Problem, Pairs], Plan]
    pairs: str = ""
    policy: Policy | None = None
    is_relaxed: bool = False


STRATEGIES = (
    Strategy("naive loop", "urgency, then nearest, in plain Python", lambda p, _: volunteers.naive(p)),
    Strategy("first come", "GetUsPPE: i-th donor to i-th hospital", lambda p, _: getusppe.first_come(p)),
    Strategy("nearest, once", "GetUsPPE: each donor one parcel", getusppe.proximity, "all"),
    Strategy(STUCK, "the same, repeated", lambda p, pairs: getusppe.proximity(p, pairs, None), "all"),
    Strategy("transport LP", "GetUsPPE: fill, then km; repaired", getusppe.transport, "near"),
    Strategy("greedy", "urgency, deadline, nearest", volunteers.urgency_greedy, "near"),
    Strategy(GREEDY, "urgency, deadline, nearest", volunteers.urgency_greedy, "all"),
    Strategy(OURS, "matching.kernel", lambda p, _: solve(p)),
    Strategy(FLOOR, "the first fifth of every need first", lambda p, _: solve(p), policy=Policy.floor()),
    Strategy(PRUNED, "may break packs and lots", flows.relaxed, "near", is_relaxed=True),
    Strategy(WHOLE, "may break packs and lots", flows.relaxed, "all", is_relaxed=True),
)


def measure() -> Report:
    by_seed = [played(instance(ROWS, seed)) for seed in SEEDS]
    exact = [_exactness(rows, seed) for rows in SMALL_ROWS for seed in SMALL_SEEDS]
    solvers = _solvers()
    found = goals(by_seed, exact, solvers)
    return Report(
        "matching",
        f"Matching {ROWS:,} needs with {ROWS:,} offers, in memory, against what others do",
        f"Synthetic instances of China (`bench.matching_kernel`), seeds {SEEDS[0]} to {SEEDS[-1]}; medians over the seeds."
        " Every plan was judged by the kernel's `verify` and had no fault; the two bounds may break packs and lots and nothing"
        " else. Fill is the share of the units wanted, by urgency 1 to 4. *Empty* is the share of needs of urgency 1 and 2 that"
        " get nothing. Inequality (Gini) and the fill that nine of ten exceed are over hospitals, a hospital's fill being the mean"
        " over its needs. *Soon* is the share used of the stock that expires within 120 days, and the units of it left behind."
        " Seconds are those of the processor and include looking for the pairs. The peers are written for the same problem and keep the same rules, so they are"
        " better than they were in the field; *until stuck* looks at no pair twice.",
        [_table(by_seed), goals_table(found), _exact_table(exact), _solver_table(solvers)],
        {
            "seeds": list(SEEDS),
            "strategies": by_seed,
            "exact": exact,
            "solvers": solvers,
            "goals": [goal.figures for goal in found],
        },
    )


def played(problem: Problem) -> dict[str, Any]:
    """Measures and seconds of every strategy on this problem, and how many pairs there are."""
    pairs, seconds = {"": Pairs.of(problem, *np.empty((2, 0), np.int64))}, {"": 0.0}
    for name, look in (("near", flows.looked_at), ("all", flows.all_pairs)):
        began = time.process_time()
        pairs[name] = look(problem)
        seconds[name] = time.process_time() - began
    found: dict[str, Any] = {
        strategy.name: _played(problem, strategy, pairs[strategy.pairs], seconds[strategy.pairs])
        for strategy in STRATEGIES
    }
    return found | {
        "pairs": {name: len(pairs[name]) for name in ("near", "all")},
        "family_seconds": _family_seconds(problem),
    }


def _played(problem: Problem, strategy: Strategy, pairs: Pairs, looking: float) -> Measures:
    if strategy.policy:
        problem = replace(problem, policy=strategy.policy)
    gc.collect()
    began = time.process_time()
    plan = strategy.plan(problem, pairs)
    seconds = looking + time.process_time() - began
    wrong = faults(problem, plan, is_relaxed=strategy.is_relaxed)
    if wrong:
        raise RuntimeError(f"{strategy.name} made a plan that is not allowed: {wrong[:3]}")
    return {**measures(problem, plan), "seconds": seconds}


def _family_seconds(problem: Problem) -> list[float]:
    """Seconds to match each family alone, as is done when something happens to one of its needs or offers."""
    seconds = []
    for demand, supply in families(problem):
        own = replace(
            problem,
            demands=problem.demands.take(np.sort(demand)),
            supplies=problem.supplies.take(np.sort(supply)),
        )
        began = time.process_time()
        solve(own)
        seconds.append(time.process_time() - began)
    return seconds


def _exactness(rows: int, seed: int) -> dict[str, Any]:
    """Ours and the greedy as shares of the best there can be, on one family, all pairs."""
    problem = instance(rows, seed, categories=1)
    pairs = flows.all_pairs(problem)
    began = time.process_time()
    integer = oracles.greatest_utility(problem, pairs)
    seconds = time.process_time() - began
    bound = min(integer, oracles.utility(problem, flows.relaxed(problem, pairs)))
    plans = {"ours": solve(problem), "greedy": volunteers.urgency_greedy(problem, pairs)}
    return {
        "rows": rows,
        "seed": seed,
        **{name: oracles.utility(problem, plan) / bound for name, plan in plans.items()},
        "seconds_of_the_bound": seconds,
    }


def _solvers() -> list[dict[str, Any]]:
    """The same flow by three solvers, with the cost each finds."""
    found = []
    for rows, others in (
        (NETWORKX_ROWS, {"HiGHS": oracles.by_highs, "networkx": oracles.by_networkx}),
        (ROWS, {"HiGHS": oracles.by_highs}),
    ):
        problem = instance(rows)
        pairs = flows.looked_at(problem)
        own = oracles.by_our_flow(problem, pairs)
        parts = oracles.networks(problem, pairs)
        for name, solver in others.items():
            theirs = solver(parts)
            found.append(
                {
                    "rows": rows,
                    "pairs": len(pairs),
                    "solver": name,
                    "seconds": theirs.seconds,
                    "our_seconds": own.seconds,
                    "times": theirs.seconds / own.seconds,
                    "same_cost": theirs.cost == own.cost,
                }
            )
    return found


def goals(
    by_seed: Sequence[Mapping[str, Any]],
    exact: Sequence[Mapping[str, Any]],
    solvers: Sequence[Mapping[str, Any]],
) -> list[Goal]:
    """The goals of docs/matching.md that are answered here, with what was found."""
    ours, greedy, stuck, pruned, whole = (
        [seed[name] for seed in by_seed] for name in (OURS, GREEDY, STUCK, PRUNED, WHOLE)
    )
    class_1, class_2 = (_more_points(ours, greedy, urgency) for urgency in (0, 1))
    emptier = _ratios(ours, greedy, "urgent_needs_left_empty")
    emptier_than_nearest = _ratios(ours, stuck, "urgent_needs_left_empty")
    share = [seed["pairs"]["near"] / seed["pairs"]["all"] for seed in by_seed]
    lost_1, lost_2 = (_more_points(whole, pruned, urgency) for urgency in (0, 1))
    farther = _ratios(ours, whole, "km_per_unit")
    parcels = [own["parcels"] / own["offers_used"] for own in ours]
    behind = [100 * (own["supply_used"] - own["soon_used"]) for own in ours]
    of_bound = [row["ours"] for row in exact]
    over_greedy = [row["ours"] - row["greedy"] for row in exact]
    times = {
        name: min(row["times"] for row in solvers if row["solver"] == name) for name in ("HiGHS", "networkx")
    }
    rematch = [
        statistics.median(seed["family_seconds"]) / own["seconds"]
        for seed, own in zip(by_seed, ours, strict=True)
    ]
    return [
        Goal("1", "class 1 never below the greedy on all pairs (points)", class_1, min(class_1) >= 0, ".1f"),
        Goal("1", "class 2 at least 5 points above it", class_2, min(class_2) >= 5, ".1f"),
        Goal(
            "2", "needs of classes 1 and 2 left empty, at most 0.65 x greedy", emptier, max(emptier) <= 0.65
        ),
        Goal("2", "the same on average, at most 0.5 x", [_mean(emptier)], _mean(emptier) <= 0.5),
        Goal(
            "2",
            "the same, at most 0.2 x nearest until stuck",
            emptier_than_nearest,
            max(emptier_than_nearest) <= 0.2,
        ),
        Goal("3", "pairs looked at, at most 0.10 of all", share, max(share) <= 0.10),
        Goal("3", "what pruning costs the bound in class 1, at most 0.1 point", lost_1, max(lost_1) <= 0.1),
        Goal("3", "and in class 2, at most 0.6 point", lost_2, max(lost_2) <= 0.6),
        Goal(
            "4",
            "ladder utility of the exact bound, on average at least 0.99",
            [_mean(of_bound)],
            _mean(of_bound) >= 0.99,
            ".4f",
        ),
        Goal("4", "at worst at least 0.98", [min(of_bound)], min(of_bound) >= 0.98, ".4f"),
        Goal(
            "4", "never below the greedy (least difference)", [min(over_greedy)], min(over_greedy) >= 0, ".4f"
        ),
        Goal("5", "flow at least 5 x faster than HiGHS", [times["HiGHS"]], times["HiGHS"] >= 5, ".1f"),
        Goal(
            "5",
            "flow at least 40 x faster than networkx",
            [times["networkx"]],
            times["networkx"] >= 40,
            ".1f",
        ),
        Goal(
            "5",
            "median family matched alone in at most 0.02 of a full run",
            rematch,
            max(rematch) <= 0.02,
            ".4f",
        ),
        Goal("6", "km per unit at most 1.02 x the bound on all pairs", farther, max(farther) <= 1.02, ".3f"),
        Goal("6", "parcels at most 1.5 x offers used", parcels, max(parcels) <= 1.5),
        Goal(
            "6", "stock that expires soon at most 9 points behind all stock", behind, max(behind) <= 9, ".1f"
        ),
    ]


def _more_points(mine: Sequence[Measures], theirs: Sequence[Measures], urgency: int) -> list[float]:
    return [
        100 * (own["fill_by_class"][urgency] - other["fill_by_class"][urgency])
        for own, other in zip(mine, theirs, strict=True)
    ]


def _ratios(mine: Sequence[Measures], theirs: Sequence[Measures], name: str) -> list[float]:
    return [own[name] / other[name] for own, other in zip(mine, theirs, strict=True)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _table(by_seed: Sequence[Mapping[str, Any]]) -> Table:
    head = [
        "strategy",
        "what it is",
        "fill 1 / 2 / 3 / 4",
        "used",
        "empty",
        "Gini hospitals",
        "p10",
        "Gini needs 1 / 2",
        "km per unit",
        "parcels",
        "soon",
        "soon left",
        "s",
    ]
    rows = []
    for strategy in STRATEGIES:
        found = [seed[strategy.name] for seed in by_seed]
        rows.append(
            [
                strategy.name,
                strategy.says,
                " / ".join(f"{_median(found, 'fill_by_class', u):.3f}" for u in range(4)),
                f"{_median(found, 'supply_used'):.3f}",
                f"{_median(found, 'urgent_needs_left_empty'):.1%}",
                f"{_median(found, 'gini_hospitals'):.3f}",
                f"{_median(found, 'p10_hospitals'):.3f}",
                " / ".join(f"{_median(found, 'gini_by_class', u):.2f}" for u in range(2)),
                f"{_median(found, 'km_per_unit'):.0f}",
                f"{_median(found, 'parcels'):,.0f}",
                f"{_median(found, 'soon_used'):.3f}",
                f"{_median(found, 'soon_left'):,.0f}",
                f"{_median(found, 'seconds'):.2f}",
            ]
        )
    return Table(head, rows)


def _median(found: Sequence[Measures], name: str, at: int | None = None) -> float:
    return statistics.median(each[name] if at is None else each[name][at] for each in found)


def _exact_table(exact: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        [
            row["rows"],
            row["seed"],
            f"{row['ours']:.2%}",
            f"{row['greedy']:.2%}",
            f"{row['seconds_of_the_bound']:.1f}",
        ]
        for row in exact
    ]
    return Table(
        ["needs of one family", "seed", "ours, of the bound", "greedy, of the bound", "s for the bound"], rows
    )


def _solver_table(solvers: Sequence[Mapping[str, Any]]) -> Table:
    rows = [
        [
            row["rows"],
            f"{row['pairs']:,}",
            row["solver"],
            f"{row['times']:.1f}",
            "yes" if row["same_cost"] else "no",
        ]
        for row in solvers
    ]
    return Table(["needs", "pairs", "solver", "its time / ours", "same optimum"], rows)
