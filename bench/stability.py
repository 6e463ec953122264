"""How much of what was proposed is still proposed after a little has changed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from bench.matching_kernel import instance
from bench.peers.goals import Goal, goals_table
from bench.peers.measures import faults, measures
from bench.peers.turns import sums
from bench.reporting import Report, Table
from matching.kernel.plan import Plan
from matching.kernel.problem import Problem
from matching.kernel.solve import solve

ROWS, SEEDS, SHARE = 10_000, (1, 2, 3, 4, 5), 0.01
CHANGE_SEED = 5
ANEW, KEEPING, AGREED = "plain re-run", "with what was proposed", "half agreed before"


def measure() -> Report:
    by_seed = [rerun(instance(ROWS, seed)) for seed in SEEDS]
    found = goals(by_seed)
    head = ["re-run", "kept units", "kept parcels", "fill 1 / 2 / 3 / 4", "km per unit", "parcels"]
    rows = [_row(name, [seed[name] for seed in by_seed]) for name in (ANEW, KEEPING, AGREED)]
    return Report(
        "stability",
        "What stays proposed when a little changes",
        f"{ROWS:,} needs and {ROWS:,} offers, seeds {SEEDS[0]} to {SEEDS[-1]}, means. {SHARE:.0%} of the offers and of the needs vanish and"
        f" {SHARE:.0%} of the needs become urgency 1; then all is matched again. Kept is the share of the units (parcels) proposed before,"
        " between rows that are still there, which are proposed again. *Half agreed*: every second parcel was agreed to before the"
        " change; it is taken off both sides and never matched again; way and parcels are those of the rest.",
        [Table(head, rows), goals_table(found)],
        {"seeds": list(SEEDS), "reruns": by_seed, "goals": [goal.figures for goal in found]},
    )


def rerun(problem: Problem) -> dict[str, dict[str, Any]]:
    """The three ways to match again after the change, each with what is kept and the measures of its plan."""
    before = solve(problem)
    after = changed(problem)
    survives = np.isin(before.assignments.demand, after.demands.id)
    survives &= np.isin(before.assignments.supply, after.supplies.id)
    parcels = before.assignments.take(survives)
    prior = np.column_stack([parcels.demand, parcels.supply, parcels.quantity])
    every_second = prior[::2]
    return {
        ANEW: _judged(after, prior, solve(after)),
        KEEPING: _judged(after, prior, solve(replace(after, prior=prior))),
        AGREED: _judged(after, prior, solve(without(after, every_second)), agreed=every_second),
    }


def changed(problem: Problem) -> Problem:
    """A hundredth of the offers and of the needs gone, and a hundredth of the needs urgent that were not."""
    chance = np.random.default_rng(CHANGE_SEED)
    demands, supplies = problem.demands, problem.supplies
    stays = chance.random(len(demands)) >= SHARE
    becomes_urgent = chance.random(len(demands)) < SHARE
    urgent = replace(demands, urgency=np.where(becomes_urgent, 1, demands.urgency))
    return replace(
        problem,
        demands=urgent.take(stays),
        supplies=supplies.take(chance.random(len(supplies)) >= SHARE),
    )


def without(problem: Problem, agreed: np.ndarray) -> Problem:
    """The problem that is left when these (demand id, supply id, quantity) are promised."""
    demands, supplies = problem.demands, problem.supplies
    given = sums(np.searchsorted(demands.id, agreed[:, 0]), agreed[:, 2], len(demands))
    sent = sums(np.searchsorted(supplies.id, agreed[:, 1]), agreed[:, 2], len(supplies))
    return replace(
        problem,
        demands=replace(demands, wanted=demands.wanted - given, served=demands.served + given),
        supplies=replace(supplies, available=supplies.available - sent),
    )


def kept(prior: np.ndarray, plan: np.ndarray) -> tuple[float, float]:
    """Shares of the units and of the parcels of `prior` that are in `plan`; both (demand id, supply id, quantity)."""
    now = {(demand, supply): quantity for demand, supply, quantity in plan.tolist()}
    units = sum(min(quantity, now.get((demand, supply), 0)) for demand, supply, quantity in prior.tolist())
    parcels = sum((demand, supply) in now for demand, supply, _ in prior.tolist())
    return units / max(1, int(prior[:, 2].sum())), parcels / max(1, len(prior))


def _judged(
    problem: Problem, prior: np.ndarray, plan: Plan, agreed: np.ndarray | None = None
) -> dict[str, Any]:
    own = problem if agreed is None else without(problem, agreed)
    wrong = faults(own, plan)
    if wrong:
        raise RuntimeError(f"a plan that is not allowed: {wrong[:3]}")
    parcels = plan.assignments
    sent = np.column_stack([parcels.demand, parcels.supply, parcels.quantity])
    if agreed is not None:
        sent = np.concatenate([sent, agreed])
    units, whole = kept(prior, _merged(sent))
    found: Mapping[str, Any] = measures(own, plan)
    given = sums(np.searchsorted(problem.demands.id, sent[:, 0]), sent[:, 2], len(problem.demands))
    wanted, urgency = problem.demands.wanted, problem.demands.urgency
    fill = [float(given[urgency == u].sum() / wanted[urgency == u].sum()) for u in (1, 2, 3, 4)]
    return {
        **found,
        "fill_by_class": fill,
        "kept_units": units,
        "kept_parcels": whole,
        "bound": plan.bound.tolist(),
        "agreed_kept": 1.0 if agreed is None else kept(agreed, _merged(sent))[0],
    }


def _merged(sent: np.ndarray) -> np.ndarray:
    pairs, own = np.unique(sent[:, :2], axis=0, return_inverse=True)
    return np.column_stack([pairs, sums(own.ravel(), sent[:, 2], len(pairs))])


def goals(by_seed: list[dict[str, dict[str, Any]]]) -> list[Goal]:
    kept_units = [seed[KEEPING]["kept_units"] for seed in by_seed]
    agreed = [seed[AGREED]["agreed_kept"] for seed in by_seed]
    lost = [_units(seed[ANEW]["bound"]) / _units(seed[KEEPING]["bound"]) for seed in by_seed]
    return [
        Goal("7", "kept units of proposals at least 0.95", kept_units, min(kept_units) >= 0.95, ".3f"),
        Goal("7", "kept units of what was agreed: all", agreed, min(agreed) == 1, ".3f"),
        Goal(
            "7",
            "urgent units of the bound, without keeping over with: at most 1",
            lost,
            max(lost) <= 1,
            ".4f",
        ),
    ]


def _units(bound: list[int]) -> int:
    """Of urgency 1 and 2: the first half of the ladder."""
    return sum(bound[: len(bound) // 2])


def _row(name: str, found: list[dict[str, Any]]) -> list[str]:
    def mean(of: str, at: int | None = None) -> float:
        return float(np.mean([each[of] if at is None else each[of][at] for each in found]))

    return [
        name,
        f"{mean('kept_units'):.3f}",
        f"{mean('kept_parcels'):.3f}",
        " / ".join(f"{mean('fill_by_class', at):.3f}" for at in range(4)),
        f"{mean('km_per_unit'):.0f}",
        f"{mean('parcels'):,.0f}",
    ]
