"""What is to be matched: needs, offers, how goods travel, what satisfies what, and the order of importance.

Everything the kernel knows of the world stands in one `Problem`. It can be stored as bytes and solved again later.
Rows refer to each other by position (kind, mode) or by the caller's own numbers (id, facility, region). Days are whole
days from the run's day. Quantities are whole numbers of the item's smallest counted unit, in one unit per family.
"""

from dataclasses import astuple, dataclass, field
from enum import IntEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from matching.kernel.columns import (
    Arrays,
    Bools,
    Floats,
    Ints,
    Small,
    Table,
    digest,
    frozen,
    packed,
    strings,
    unpacked,
)

URGENCIES = (1, 2, 3, 4)  # 1 is served first
MAX_QUANTITY = 10**10  # a row that asks for or gives more is not matched: see eligibility.is_plausible
FAR_AWAY_DAYS = 1_000_000  # "no deadline" and "does not expire" as a number of days
NO_LIMIT_KM = 100_000  # "as far as it takes": more than any way on earth
ANYONE = -1  # not directed to a facility
EVERY_REGION = (0, 2**31 - 1)  # not directed to a region


class Verdict(IntEnum):
    """May goods of this kind go to a need of that kind?"""

    NO = 0
    ACCEPT = 1
    CONDITIONAL = 2  # a proposal the hospital has to confirm


@dataclass(frozen=True, eq=False)
class Demands(Table):
    """Needs, one row each, by ascending id.

    id                the caller's number, strictly ascending
    kind              column of Verdicts.verdict
    wanted            units still to be matched; a row with none is left alone
    served            units received, in transit, promised or under an open proposal; the ladder of a need is cut over
                      wanted + served, so a need that is half served starts half way up
    urgency           1 (first) .. 4
    deadline_days     days until it must have arrived; FAR_AWAY_DAYS if no matter
    min_lot           smallest useful parcel, 1 if any
    lat_deg, lon_deg  where it must arrive, WGS 84; NaN if unknown, then nothing can be matched
    facility          the caller's number of the facility, for directed gifts
    region            preorder number of its region in the region tree
    accepted_senders  bits of the kinds of sender it accepts
    assumed           true if the quantity (or the class) is an assumption
    waited_days       days since it was posted
    """

    id: Ints
    kind: Small
    wanted: Ints
    served: Ints
    urgency: Small
    deadline_days: Small
    min_lot: Ints
    lat_deg: Floats
    lon_deg: Floats
    facility: Small
    region: Small
    accepted_senders: Small
    assumed: Bools
    waited_days: Small = None  # type: ignore[assignment] # left out: zero everywhere


@dataclass(frozen=True, eq=False)
class Supplies(Table):
    """Offers, one row each, by ascending id.

    id                     the caller's number, strictly ascending
    kind                   row of Verdicts.verdict
    available              units not yet promised, nor held by an open proposal
    pack                   units per pack; packs are not broken
    min_lot                smallest parcel the donor sends, 1 if any
    shelf_days             days until it expires; FAR_AWAY_DAYS if it does not
    min_shelf_days         days of life it must have left on arrival
    ready_in_days          days until it can be collected
    lat_deg, lon_deg       where it lies; NaN if unknown
    mode                   row of Modes
    max_km                 how far the donor lets it travel; NO_LIMIT_KM if anywhere
    sender                 bits that the need must accept, all of them
    directed_facility      the facility it is given to, or ANYONE
    directed_region_first  the regions it is given to, as an interval of preorder numbers,
    directed_region_last   both ends included; EVERY_REGION if undirected
    waited_days            days since it was posted
    is_cold                has to be kept cold on the way
    is_dangerous           dangerous goods
    """

    id: Ints
    kind: Small
    available: Ints
    pack: Ints
    min_lot: Ints
    shelf_days: Small
    min_shelf_days: Small
    ready_in_days: Small
    lat_deg: Floats
    lon_deg: Floats
    mode: Small
    max_km: Small
    sender: Small
    directed_facility: Small
    directed_region_first: Small
    directed_region_last: Small
    waited_days: Small = None  # type: ignore[assignment] # left out: zero everywhere
    is_cold: Bools = None  # type: ignore[assignment]
    is_dangerous: Bools = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Modes(Table):
    """How goods travel.

    km_per_day       speed, above 0
    max_km           longest way it makes sense for; NO_LIMIT_KM if any
    keeps_cold       takes goods that have to be kept cold
    takes_dangerous  takes dangerous goods
    """

    km_per_day: Small
    max_km: Small
    keeps_cold: Bools = None  # type: ignore[assignment] # left out: none does
    takes_dangerous: Bools = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class Verdicts:
    """What satisfies what: [offer kind, need kind] matrices, made by substitution.verdicts.

    verdict     a Verdict
    overshoot   how far the goods exceed the need, 0 if they are what was asked for
    reason      a substitution.Reason: why this verdict
    chain       number of the chain of substitutions that was followed, -1 if none was needed or found
    chain_start where each chain begins in chain_edges, and one more entry for the end of the last
    chain_edges the substitutions of all chains, as the caller's ids, offered goods first
    """

    verdict: NDArray[np.int8]
    overshoot: NDArray[np.int16]
    reason: NDArray[np.int8]
    chain: NDArray[np.int32]
    chain_start: NDArray[np.int32]
    chain_edges: Ints

    def __post_init__(self) -> None:
        shapes = {
            "verdict": (np.int8, 2),
            "overshoot": (np.int16, 2),
            "reason": (np.int8, 2),
            "chain": (np.int32, 2),
        }
        shapes |= {"chain_start": (np.int32, 1), "chain_edges": (np.int64, 1)}
        for name, (dtype, dimensions) in shapes.items():
            object.__setattr__(self, name, frozen(getattr(self, name), np.dtype(dtype), dimensions, name))
        if not self.verdict.shape == self.overshoot.shape == self.reason.shape == self.chain.shape:
            raise ValueError("Verdicts: matrices differ in shape")

    @classmethod
    def plain(cls, verdict: Any, overshoot: Any = None) -> Self:
        """Verdicts without chains and reasons, for tests and imported instances."""
        matrix = np.asarray(verdict, np.int8)
        over = np.zeros(matrix.shape, np.int16) if overshoot is None else np.asarray(overshoot, np.int16)
        none = np.full(matrix.shape, -1, np.int32)
        return cls(
            matrix, over, np.zeros(matrix.shape, np.int8), none, np.zeros(1, np.int32), np.empty(0, np.int64)
        )

    def chain_of(self, offer_kind: int, need_kind: int) -> tuple[int, ...]:
        """Ids of the substitutions followed, offered goods first; empty if the goods are what was asked for."""
        number = int(self.chain[offer_kind, need_kind])
        if number < 0:
            return ()
        first, last = self.chain_start[number], self.chain_start[number + 1]
        return tuple(self.chain_edges[first:last].tolist())

    def arrays(self, prefix: str) -> Arrays:
        names = ("verdict", "overshoot", "reason", "chain", "chain_start", "chain_edges")
        return {f"{prefix}.{name}": getattr(self, name) for name in names}

    @classmethod
    def of_arrays(cls, stored: Arrays, prefix: str) -> Self:
        names = ("verdict", "overshoot", "reason", "chain", "chain_start", "chain_edges")
        return cls(*(stored[f"{prefix}.{name}"] for name in names))


@dataclass(frozen=True)
class Patience:
    """How long what is not urgent waits for a better partner: parcels that are dear today are left for another day.

    first_urgency     this urgency and the less urgent ones wait; URGENCIES[-1] + 1 if nobody does
    limit             what a unit may cost on the first day, in the kilometres of `objective`
    growth_days       the limit grows by itself once in so many days that the need or the offer has waited, whichever has longer
    last_chance_days  within so many days of the need's deadline or the end of the goods' shelf life nobody waits
    parcel_km         what a parcel weighs while one waits, in kilometres of all its units together; 0: only way and fit count
    small_first       what finishing a need is worth, in kilometres of all its units together: the smaller, the cheaper a unit
    """

    first_urgency: int = 3
    limit: int = 500
    growth_days: int = 7
    last_chance_days: int = 7
    small_first: int = 0
    parcel_km: int = 0

    def __post_init__(self) -> None:
        if self.limit < 0 or self.growth_days < 1 or min(self.small_first, self.parcel_km) < 0:
            raise ValueError("patience: a limit or a weight below 0, or no days of growth")


@dataclass(frozen=True)
class Policy:
    """Who comes before whom: a name and an ordered list of levels.

    patience          None: whatever may be made is made at once
    facility_percent  what one facility may have of the goods of a family, while they do not suffice for all; 100 for no limit
    parcel_km         what one parcel more weighs, in kilometres of all its units together
    ageing_days       a need of the last urgency that has waited so long counts as of the one before; 0 for never. Whoever
                      makes the problem sees to it: `Demands.urgency` is the urgency a need competes in

    Each need is cut into `bands` equal parts. A level is (urgency, band), band 0 the first part of a need. The list holds
    every pair once; bands of one urgency ascend, since nobody can have the second tenth before the first.
    Any such list makes a valid policy.
    """

    name: str
    bands: int
    levels: tuple[tuple[int, int], ...]
    patience: Patience | None = None
    facility_percent: int = 100
    ageing_days: int = 0
    parcel_km: int = 50_000

    def __post_init__(self) -> None:
        if self.bands < 1 or set(self.levels) != {(u, b) for u in URGENCIES for b in range(self.bands)}:
            raise ValueError(f"policy {self.name}: every urgency and band must be listed once")
        if not 1 <= self.facility_percent <= 100 or min(self.ageing_days, self.parcel_km) < 0:
            raise ValueError(
                f"policy {self.name}: a share of 1 to 100 percent, days and kilometres from 0 on"
            )
        if len(self.levels) != len(URGENCIES) * self.bands:
            raise ValueError(f"policy {self.name}: a level is listed twice")
        for urgency in URGENCIES:
            own = [band for u, band in self.levels if u == urgency]
            if own != sorted(own):
                raise ValueError(f"policy {self.name}: bands of urgency {urgency} must ascend")

    @classmethod
    def urgency(cls, bands: int = 10) -> Self:
        """Strictly by urgency, and fair within a class: nobody gets the second tenth before all could have the first."""
        return cls("urgency", bands, tuple((u, b) for u in URGENCIES for b in range(bands)))

    @classmethod
    def floor(cls, bands: int = 10, floor_bands: int = 2) -> Self:
        """The first `floor_bands` of everyone, urgent ones first, and only then strictly by urgency."""
        first = [(u, b) for u in URGENCIES for b in range(floor_bands)]
        return cls(
            "floor", bands, tuple(first + [(u, b) for u in URGENCIES for b in range(floor_bands, bands)])
        )

    def level_of(self) -> Small:
        """Position in the list, as a matrix [urgency - 1, band]."""
        table = np.empty((len(URGENCIES), self.bands), np.int32)
        for position, (urgency, band) in enumerate(self.levels):
            table[urgency - 1, band] = position
        return table

    def arrays(self, prefix: str) -> Arrays:
        patience = [] if self.patience is None else list(astuple(self.patience))
        return {
            f"{prefix}.name": strings([self.name]),
            f"{prefix}.levels": np.array(self.levels, np.int32),
            f"{prefix}.patience": np.array(patience, np.int64),
            f"{prefix}.limits": np.array([self.facility_percent, self.ageing_days, self.parcel_km], np.int64),
        }

    @classmethod
    def of_arrays(cls, stored: Arrays, prefix: str) -> Self:
        levels = tuple((int(u), int(b)) for u, b in stored[f"{prefix}.levels"].tolist())
        name, bands = str(stored[f"{prefix}.name"][0]), len(levels) // len(URGENCIES)
        nothing = np.empty(0, np.int64)  # of runs that were stored before policies had these
        patience = stored.get(f"{prefix}.patience", nothing).tolist()
        limits = stored.get(f"{prefix}.limits", nothing).tolist()
        return cls(name, bands, levels, Patience(*patience) if patience else None, *limits)


@dataclass(frozen=True, eq=False)
class Problem:
    """One family, or several, to be matched under one policy.

    barred  (k, 2) pairs (demand id, supply id) that must not be proposed: declined before, or the same organisation
    prior   (k, 3) demand id, supply id, units: what was proposed before and nobody has answered. Its units are in `wanted`
            and `available` again; it is kept where nothing on the ladder is lost by it
    lanes   [supply, demand] metres of the way between rows, where they are given; (0, 0): 1.3 x great circle

    Raises ValueError on tables that do not fit together (ids not ascending, an unknown kind or mode). Rows that make no
    sense (negative or absurd quantities, no place) are no error: they are not matched, and explained.
    """

    demands: Demands
    supplies: Supplies
    modes: Modes
    verdicts: Verdicts
    barred: Ints
    policy: Policy
    prior: Ints = field(default_factory=lambda: np.empty((0, 3), np.int64))
    lanes: Ints = field(default_factory=lambda: np.empty((0, 0), np.int64))

    def __post_init__(self) -> None:
        given = {"barred": (self.barred, 2), "prior": (self.prior, 3)}
        for name, (values, width) in given.items():
            rows = np.asarray(values, np.int64).reshape(-1, width)
            object.__setattr__(self, name, frozen(rows, np.dtype(np.int64), 2, name))
        lanes = self.lanes if np.size(self.lanes) else np.empty((0, 0), np.int64)
        object.__setattr__(self, "lanes", frozen(lanes, np.dtype(np.int64), 2, "lanes"))
        if self.lanes.size and self.lanes.shape != (len(self.supplies), len(self.demands)):
            raise ValueError("lanes: one row for each supply, one column for each demand")
        offer_kinds, need_kinds = self.verdicts.verdict.shape
        _check_ascending(self.demands.id, "demands")
        _check_ascending(self.supplies.id, "supplies")
        _check_known(self.demands.kind, need_kinds, "demands.kind")
        _check_known(self.supplies.kind, offer_kinds, "supplies.kind")
        _check_known(self.supplies.mode, len(self.modes), "supplies.mode")
        _check_known(self.demands.urgency - 1, len(URGENCIES), "demands.urgency")
        if len(self.supplies) and int(self.supplies.pack.min()) < 1:
            raise ValueError("supplies.pack: a pack holds at least one unit")
        if len(self.modes) and int(self.modes.km_per_day.min()) < 1:
            raise ValueError("modes.km_per_day: goods must move")

    def arrays(self) -> Arrays:
        parts = {"demands": self.demands, "supplies": self.supplies, "modes": self.modes}
        arrays: Arrays = {"barred": self.barred, "prior": self.prior, "lanes": self.lanes}
        for name, table in parts.items():
            arrays |= table.arrays(name)
        return arrays | self.verdicts.arrays("verdicts") | self.policy.arrays("policy")

    def to_bytes(self) -> bytes:
        """Compressed and complete: `from_bytes` gives a problem with the same digest and the same plan."""
        return packed(self.arrays())

    @classmethod
    def from_bytes(cls, stored: bytes) -> Self:
        arrays = unpacked(stored)
        return cls(
            Demands.of_arrays(arrays, "demands"),
            Supplies.of_arrays(arrays, "supplies"),
            Modes.of_arrays(arrays, "modes"),
            Verdicts.of_arrays(arrays, "verdicts"),
            arrays["barred"],
            Policy.of_arrays(arrays, "policy"),
            arrays.get("prior", np.empty((0, 3), np.int64)),
            arrays.get("lanes", np.empty((0, 0), np.int64)),
        )

    def digest(self) -> str:
        """SHA-256 of the contents, in hexadecimal: two problems with one digest have one plan."""
        return digest(self.arrays())


def _check_ascending(ids: Ints, name: str) -> None:
    if (np.diff(ids) <= 0).any():
        raise ValueError(f"{name}.id: must be strictly ascending")


def _check_known(positions: Small, count: int, name: str) -> None:
    if len(positions) and not 0 <= int(positions.min()) <= int(positions.max()) < count:
        raise ValueError(f"{name}: refers to a row that does not exist")
