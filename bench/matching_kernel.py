"""The kernel against the loop that volunteer projects write, on one synthetic instance of China.

    python -m bench.matching_kernel [rows]

`measure(rows)` matches as many needs with as many offers in both ways and answers figures. Seconds differ from machine
to machine; compare ratios.
"""

import json
import math
import sys
import time
import tracemalloc

import numpy as np

from matching.kernel.pairs import DETOUR, EARTH_DIAMETER_M, HANDLING_DAYS, unit_vectors, ways
from matching.kernel.problem import (
    ANYONE,
    EVERY_REGION,
    NO_LIMIT_KM,
    Demands,
    Modes,
    Policy,
    Problem,
    Supplies,
    Verdict,
    Verdicts,
)
from matching.kernel.solve import PHASES, solve
from matching.kernel.verify import verify

# Longitude, latitude and weight (millions of people) of the provincial capitals.
CITIES = np.fromstring(
    """116.4 39.9 22  117.2 39.1 14  114.5 38.0 75  112.5 37.9 35  111.7 40.8 24  123.4 41.8 43  125.3 43.9 24
    126.6 45.8 32  121.5 31.2 25  118.8 32.1 85  120.2 30.3 65  117.2 31.8 61  119.3 26.1 42  115.9 28.7 45
    117.0 36.7 101  113.6 34.7 99  114.3 30.6 58  113.0 28.2 66  113.3 23.1 126  108.3 22.8 50  110.3 20.0 10
    106.5 29.6 32  104.1 30.7 84  106.7 26.6 39  102.7 25.0 47  91.1 29.7 4  108.9 34.3 39  103.8 36.1 25
    101.8 36.6 6  106.3 38.5 7  87.6 43.8 26""",
    sep=" ",
).reshape(-1, 3)
STRICKEN, EXTRA_WEIGHT = 16, 250
MAKERS, MAKERS_FACTOR = [8, 9, 10, 12, 14, 18], 2.5
CATEGORIES = 40
MODES = Modes(np.array([500, 700, 2500]), np.array([250, NO_LIMIT_KM, NO_LIMIT_KM]))


def instance(rows: int, seed: int = 1) -> Problem:
    """As many needs as offers: demand heavy around one city, supply from the makers' coast, 45 % of what is needed."""
    chance = np.random.default_rng(seed)
    category, verdicts = _kinds(chance)
    share = 1 / np.arange(1, CATEGORIES + 1) ** 0.8
    weight = share[category] / np.bincount(category)[category]
    demands = _demands(chance, rows, weight)
    supplies = _supplies(chance, rows, weight, category, demands)
    return Problem(demands, supplies, MODES, verdicts, np.empty((0, 2), np.int64), Policy.urgency())


def _kinds(chance: np.random.Generator) -> tuple[np.ndarray, Verdicts]:
    """Each category is a chain of one to four grades, the higher ones exceeding the lower; three pairs are linked."""
    grades = chance.choice([1, 2, 3, 4], CATEGORIES, p=[0.25, 0.35, 0.25, 0.15])
    category = np.repeat(np.arange(CATEGORIES), grades)
    grade = np.concatenate([np.arange(count) for count in grades])
    above = grade[:, None] - grade[None, :]
    exceeds = (category[:, None] == category[None, :]) & (above >= 0)
    first = np.searchsorted(category, np.arange(CATEGORIES))
    for better, plainer in ((0, 1), (2, 3), (4, 5)):
        exceeds[category == better, first[plainer]] = True
    return category, Verdicts.plain(exceeds.astype(np.int8), np.where(exceeds, np.abs(above), 0))


def _places(chance: np.random.Generator, count: int, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    city = chance.choice(len(CITIES), count, p=weight / weight.sum())
    return city, CITIES[city, :2] + chance.normal(0, 0.9, (count, 2))


def _demands(chance: np.random.Generator, rows: int, weight: np.ndarray) -> Demands:
    people = CITIES[:, 2].copy()
    people[STRICKEN] += EXTRA_WEIGHT
    hospitals = max(3, rows // 6)
    city, place = _places(chance, hospitals, people)
    size = np.exp(chance.normal(0, 0.9, hospitals))
    hospital = chance.choice(hospitals, rows, p=size / size.sum())
    wanted = np.maximum(1, np.exp(chance.normal(np.log(400), 1.4, rows)) * np.sqrt(size[hospital])).astype(
        np.int64
    )
    luck = chance.random(rows) - 0.15 * (city[hospital] == STRICKEN)
    urgency = np.searchsorted([0.12, 0.35, 0.70], luck) + 1
    useful = np.ceil(wanted * chance.uniform(0.05, 0.25, rows)).astype(np.int64)
    return Demands(
        id=np.arange(rows),
        kind=chance.choice(len(weight), rows, p=weight / weight.sum()),
        wanted=wanted,
        served=np.zeros(rows, np.int64),
        urgency=urgency,
        deadline_days=np.array([3, 6, 12, 30])[urgency - 1] + chance.integers(0, 4, rows),
        min_lot=np.where(chance.random(rows) < 0.5, useful, 1),
        lat_deg=place[hospital, 1],
        lon_deg=place[hospital, 0],
        facility=hospital,
        region=city[hospital],
        accepted_senders=np.full(rows, 15),
        assumed=np.zeros(rows, np.bool_),
    )


def _supplies(
    chance: np.random.Generator, rows: int, weight: np.ndarray, category: np.ndarray, demands: Demands
) -> Supplies:
    people = CITIES[:, 2].copy()
    people[MAKERS] *= MAKERS_FACTOR
    _, place = _places(chance, rows, people)
    kind = chance.choice(len(weight), rows, p=weight / weight.sum())
    own = category[kind]
    pack = chance.choice([1, 10, 20, 50, 100], CATEGORIES)[own] * chance.choice([1, 1, 2], rows)
    given = np.exp(chance.normal(np.log(250), 1.7, rows))
    needed = np.bincount(category[demands.kind], demands.wanted, CATEGORIES)
    given *= (
        chance.uniform(0.3, 0.6, CATEGORIES) * needed / np.maximum(1, np.bincount(own, given, CATEGORIES))
    )[own]
    available = (np.maximum(1, np.round(given / pack)) * pack).astype(np.int64)
    return Supplies(
        id=np.arange(rows),
        kind=kind,
        available=available,
        pack=pack,
        min_lot=np.minimum(pack * chance.choice([1, 1, 2, 5], rows), available),
        shelf_days=np.maximum(20, chance.gamma(2.0, 180, rows)).astype(np.int64),
        min_shelf_days=np.full(rows, 30),
        ready_in_days=np.zeros(rows, np.int64),
        lat_deg=place[:, 1],
        lon_deg=place[:, 0],
        mode=chance.choice(3, rows, p=[0.15, 0.65, 0.20]),
        max_km=np.full(rows, NO_LIMIT_KM),
        sender=np.zeros(rows, np.int64),
        directed_facility=np.full(rows, ANYONE),
        directed_region_first=np.full(rows, EVERY_REGION[0]),
        directed_region_last=np.full(rows, EVERY_REGION[1]),
    )


def naive(problem: Problem) -> dict[tuple[int, int], int]:
    """Needs by urgency, offers by distance, in plain Python: (demand row, supply row) -> quantity."""
    demands, supplies = problem.demands, problem.supplies
    verdict = problem.verdicts.verdict.tolist()
    offers: dict[int, list[int]] = {}
    for row, kind in enumerate(supplies.kind.tolist()):
        offers.setdefault(kind, []).append(row)
    here = unit_vectors(demands.lat_deg, demands.lon_deg).tolist()
    there = unit_vectors(supplies.lat_deg, supplies.lon_deg).tolist()
    mode, shelf, fresh = (
        supplies.mode.tolist(),
        supplies.shelf_days.tolist(),
        supplies.min_shelf_days.tolist(),
    )
    pack, lot, left = supplies.pack.tolist(), supplies.min_lot.tolist(), supplies.available.tolist()
    kinds, wanted = demands.kind.tolist(), demands.wanted.tolist()
    useful, deadline = demands.min_lot.tolist(), demands.deadline_days.tolist()
    speed, reach = problem.modes.km_per_day.tolist(), problem.modes.max_km.tolist()
    given: dict[tuple[int, int], int] = {}
    for need in np.lexsort((demands.deadline_days, demands.urgency)).tolist():
        x, y, z = here[need]
        near = []
        for kind, rows in offers.items():
            if verdict[kind][kinds[need]] == Verdict.NO:
                continue
            for offer in rows:
                if left[offer] <= 0:
                    continue
                a, b, c = there[offer]
                chord = math.sqrt((a - x) ** 2 + (b - y) ** 2 + (c - z) ** 2)
                km = DETOUR * EARTH_DIAMETER_M / 1000 * math.asin(min(1.0, chord / 2))
                days = HANDLING_DAYS + km / speed[mode[offer]]
                in_time = days <= deadline[need] and shelf[offer] - math.ceil(days) >= fresh[offer]
                if km <= reach[mode[offer]] and in_time:
                    near.append((km, offer))
        for _, offer in sorted(near):
            quantity = min(wanted[need], left[offer]) // pack[offer] * pack[offer]
            if quantity >= max(lot[offer], useful[need]) and quantity > 0:
                given[need, offer] = quantity
                wanted[need] -= quantity
                left[offer] -= quantity
            if wanted[need] <= 0:
                break
    return given


class Stopwatch:
    """Seconds by phase: call it with the name of the phase that begins."""

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.phase, self.since = "", 0.0

    def __call__(self, phase: str) -> None:
        now = time.perf_counter()
        if self.phase:
            self.seconds[self.phase] += now - self.since
        self.phase, self.since = phase, now


def _quality(
    problem: Problem, demand: np.ndarray, distance_m: np.ndarray, quantity: np.ndarray
) -> dict[str, object]:
    wanted, urgency = problem.demands.wanted, problem.demands.urgency
    given = np.bincount(demand, quantity, len(wanted))
    urgent = urgency <= 2
    fill = [given[urgency == u].sum() / max(1, wanted[urgency == u].sum()) for u in (1, 2, 3, 4)]
    return {
        "fill_by_class": [round(float(share), 4) for share in fill],
        "supply_used": round(float(quantity.sum() / problem.supplies.available.sum()), 4),
        "urgent_needs_left_empty": round(float((given[urgent] == 0).mean()), 4),
        "km_per_unit": round(float(distance_m @ quantity / max(1, quantity.sum()) / 1000), 1),
        "parcels": len(quantity),
    }


def measure(rows: int, seed: int = 1) -> dict[str, object]:
    """Figures of the kernel and of the naive loop on one instance of `rows` needs and `rows` offers."""
    problem = instance(rows, seed)
    watch = Stopwatch()
    begin = time.perf_counter()
    plan = solve(problem, entering=watch)
    solved = time.perf_counter()
    watch("end")
    violations = verify(problem, plan)
    verified = time.perf_counter()
    loop = naive(problem)
    looped = time.perf_counter()
    tracemalloc.start()
    solve(problem)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    pairs = np.array(list(loop), np.int64).reshape(-1, 2)
    parcels = plan.assignments
    return {
        "rows": rows,
        "violations": len(violations),
        "kernel": _quality(problem, parcels.demand, parcels.distance_m, parcels.quantity)
        | {
            "seconds": round(solved - begin, 3),
            "seconds_by_phase": {name: round(value, 3) for name, value in watch.seconds.items()},
            "seconds_verify": round(verified - solved, 3),
            "peak_mib": round(peak / 2**20, 1),
        },
        "naive": _quality(
            problem, pairs[:, 0], ways(problem, *pairs.T), np.array(list(loop.values()), np.int64)
        )
        | {"seconds": round(looped - verified, 3)},
        "times_faster": round((looped - verified) / (solved - begin), 2),
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 1000), indent=2))
