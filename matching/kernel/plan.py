"""What a run suggests: which supply goes to which demand, and what stays short."""

from dataclasses import dataclass
from typing import Self

from matching.kernel.columns import Arrays, Ints, Small, Table, digest, packed, unpacked


@dataclass(frozen=True, eq=False)
class Assignments(Table):
    """Parcels, by ascending (demand, supply); at most one for each pair.

    demand, supply  ids of Demands and Supplies
    quantity        units, above 0
    distance_m      length of the way in metres: 1.3 x great circle
    days            days from the run's day to arrival
    verdict         a problem.Verdict: ACCEPT, or CONDITIONAL if the hospital has to confirm
    """

    demand: Ints
    supply: Ints
    quantity: Ints
    distance_m: Ints
    days: Small
    verdict: Small


@dataclass(frozen=True, eq=False)
class Shortfalls(Table):
    """Demands that stay short of what they want, by ascending id; explain.explain says why.

    demand   id of Demands
    missing  units, above 0
    """

    demand: Ints
    missing: Ints


@dataclass(frozen=True, eq=False)
class Plan:
    """The answer to one Problem.

    assignments  parcels to propose
    shortfalls   what they leave open
    levels       units given at each level of the policy, most important first: the value of the plan. Of two plans the
                 better one has more at the first level where they differ
    bound        the same for the best plan that may break packs and lots: what no legal plan on the pairs looked at beats
    """

    assignments: Assignments
    shortfalls: Shortfalls
    levels: Ints
    bound: Ints

    def arrays(self) -> Arrays:
        tables = self.assignments.arrays("assignments") | self.shortfalls.arrays("shortfalls")
        return tables | {"levels": self.levels, "bound": self.bound}

    def to_bytes(self) -> bytes:
        """Compressed; the same plan gives the same bytes."""
        return packed(self.arrays())

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        arrays = unpacked(stored)
        assignments = Assignments.of_arrays(arrays, "assignments")
        return cls(assignments, Shortfalls.of_arrays(arrays, "shortfalls"), arrays["levels"], arrays["bound"])

    def digest(self) -> str:
        """SHA-256 of the contents, in hexadecimal."""
        return digest(self.arrays())
