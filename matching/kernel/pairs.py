"""Pairs of a demand and a supply, the way between them, and the parcels that could go that way."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from matching.kernel.columns import Ints
from matching.kernel.problem import MAX_QUANTITY, Problem

EARTH_DIAMETER_M = 12_742_000
DETOUR = 1.3  # roads against the great circle
HANDLING_DAYS = 1
UNKNOWN_PLACE_M = 10**12  # farther than anything: a pair without a known place is out of range


@dataclass(frozen=True, eq=False)
class Pairs:
    """Pairs of rows, as positions in a problem, with the way between them.

    distance_m  1.3 x great circle, rounded to the metre once and for all; only whole numbers are compared
    days        from the run's day to arrival: ready in + 1 + way / speed, rounded up
    """

    demand: Ints
    supply: Ints
    distance_m: Ints
    days: Ints

    @classmethod
    def of(cls, problem: Problem, demand: NDArray[Any], supply: NDArray[Any]) -> Self:
        distance_m = ways(problem, demand, supply)
        supplies = problem.supplies
        per_day = problem.modes.km_per_day[supplies.mode[supply]].astype(np.int64) * 1000
        days = supplies.ready_in_days[supply].astype(np.int64) + HANDLING_DAYS - (-distance_m // per_day)
        return cls(demand.astype(np.int64), supply.astype(np.int64), distance_m, days)

    def __len__(self) -> int:
        return len(self.demand)

    def take(self, rows: NDArray[Any]) -> Self:
        return type(self)(self.demand[rows], self.supply[rows], self.distance_m[rows], self.days[rows])


def unit_vectors(lat_deg: NDArray[Any], lon_deg: NDArray[Any]) -> NDArray[np.float64]:
    """Points on the unit sphere, (n, 3); chords between them grow with the way. NaN where a place is not known."""
    lat, lon = (np.radians(np.where(np.isfinite(degrees), degrees, np.nan)) for degrees in (lat_deg, lon_deg))
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def ways(problem: Problem, demand: NDArray[Any], supply: NDArray[Any]) -> Ints:
    """Length of the way of each pair in metres; UNKNOWN_PLACE_M where a place is not known."""
    if problem.lanes.size:
        return np.asarray(problem.lanes[supply, demand])
    to = unit_vectors(problem.demands.lat_deg, problem.demands.lon_deg)[demand]
    since = unit_vectors(problem.supplies.lat_deg, problem.supplies.lon_deg)[supply]
    chord = np.sqrt(((to - since) ** 2).sum(axis=1))
    metres = DETOUR * EARTH_DIAMETER_M * np.arcsin(np.minimum(chord / 2, 1.0))
    return np.rint(np.where(np.isfinite(metres), metres, UNKNOWN_PLACE_M)).astype(np.int64)


def smallest_parcel(problem: Problem, pairs: Pairs) -> Ints:
    """The least that may travel: both lots, in whole packs."""
    demands, supplies = problem.demands, problem.supplies
    lot = np.maximum(supplies.min_lot[pairs.supply], demands.min_lot[pairs.demand])
    lot = np.clip(lot, 1, MAX_QUANTITY + 1)  # no parcel is larger, and the next line must not overflow
    pack = supplies.pack[pairs.supply]
    return -(-lot // pack) * pack


def largest_parcel(problem: Problem, pairs: Pairs) -> Ints:
    """The most that may travel: what is there or what is wanted, in whole packs."""
    most = np.minimum(problem.supplies.available[pairs.supply], problem.demands.wanted[pairs.demand])
    return np.maximum(most, 0) // problem.supplies.pack[pairs.supply] * problem.supplies.pack[pairs.supply]
