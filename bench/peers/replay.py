"""One strategy in the public replay of GetUsPPE's requests, April to July 2020.

    echo '{"strategy": "proximity"}' | python -m bench.peers.replay

Runs in an environment of its own, with ppe_match, which brings the requests, the distances and its two strategies. Every
seven days a strategy is called with what donors still have and hospitals still want, and answers who sends what to whom.
A strategy is `fcfm`, `proximity`, or `kernel` with the fields of `Taste`. Prints one line of JSON.
"""

import contextlib
import json
import sys
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from matching.kernel.problem import (
    ANYONE,
    EVERY_REGION,
    FAR_AWAY_DAYS,
    NO_LIMIT_KM,
    Demands,
    Modes,
    Patience,
    Policy,
    Problem,
    Supplies,
    Verdicts,
)
from matching.kernel.solve import solve

METRES_PER_MILE = 1609.344
NO_WAY_M = 10**9  # between two who have no distance
METRICS = {
    "fill": "fill rate",
    "fill_without_zeros": "fill rate exc zeros",
    "unit_miles": "avg unit-miles",
    "holding_days": "avg holding time",
    "shipments": "avg number of shipments",
}
ROUTINE = 3  # the requests say nothing of urgency


@dataclass(frozen=True)
class Taste:
    """The policy of the kernel in this replay, in miles, as its distances are.

    limit        what a unit may cost on the first day, beyond what the smallest request would; None for no patience
    growth_days  that limit doubles when an offer has waited so long
    small_first  what finishing a request is worth
    parcel       what one parcel more weighs
    bands        equal parts of a request, the first of which come before the second of any other
    """

    limit: int | None = None
    growth_days: int = 14
    small_first: int = 0
    parcel: int = 30_000
    bands: int = 1

    @property
    def policy(self) -> Policy:
        plain = Policy.urgency(bands=self.bands)
        return replace(plain, patience=self.patience, parcel_km=_km(self.parcel))

    @property
    def patience(self) -> Patience | None:
        if self.limit is None:
            return None
        return Patience(
            first_urgency=ROUTINE,
            limit=_km(self.limit),
            growth_days=self.growth_days,
            small_first=_km(self.small_first),
            parcel_km=_km(self.parcel),
        )


def _km(miles: int) -> int:
    return round(miles * METRES_PER_MILE / 1000)


@dataclass(frozen=True)
class Kernel:
    """The kernel as a strategy of the replay."""

    taste: Taste

    def __call__(
        self, date: pd.Timestamp, donors: pd.DataFrame, hospitals: pd.DataFrame, ways: pd.DataFrame
    ) -> pd.DataFrame:
        asked = hospitals[hospitals.ppe.isin(donors.ppe.unique())].reset_index(drop=True)
        problem = problem_of(date, donors, asked, ways, self.taste.policy)
        parcels = solve(problem).assignments
        sent, got = donors.iloc[parcels.supply], asked.iloc[parcels.demand]
        return pd.DataFrame(
            {
                "don_id": sent.don_id.to_numpy(),
                "rec_id": got.rec_id.to_numpy(),
                "ppe": got.ppe.to_numpy(),
                "qty": parcels.quantity.astype(float),
            }
        )


def problem_of(
    date: pd.Timestamp, donors: pd.DataFrame, hospitals: pd.DataFrame, ways: pd.DataFrame, policy: Policy
) -> Problem:
    """The kernel's problem of one round; the numbers of its rows are those of the tables."""
    items = pd.Index(donors.ppe.unique())
    return Problem(
        demands=_demands(hospitals, items),
        supplies=_supplies(date, donors, items),
        modes=Modes(np.array([1_000]), np.array([NO_LIMIT_KM])),
        verdicts=Verdicts.plain(np.eye(len(items), dtype=np.int8)),
        barred=np.empty((0, 2), np.int64),
        policy=policy,
        lanes=lanes_of(donors, hospitals, ways),
    )


def lanes_of(donors: pd.DataFrame, hospitals: pd.DataFrame, ways: pd.DataFrame) -> np.ndarray:
    """Metres between each row of the donors and each row of the hospitals."""
    sender, senders = pd.factorize(donors.don_id)
    taker, takers = pd.factorize(hospitals.rec_id)
    since, to = senders.get_indexer(ways.don_id), takers.get_indexer(ways.rec_id)
    known = (since >= 0) & (to >= 0)
    metres = np.full((len(senders), len(takers)), NO_WAY_M, np.int64)
    metres[since[known], to[known]] = np.rint(ways.distance.to_numpy()[known] * METRES_PER_MILE)
    return metres[sender[:, None], taker[None, :]]


def _demands(hospitals: pd.DataFrame, items: pd.Index) -> Demands:
    # Requests outnumber offers 19 to 1 and nearly all wait for ever; if their waiting counted, none would wait for a
    # nearer one after the first weeks. So they are as of today, and patience is the donors'.
    count = len(hospitals)
    return Demands(
        id=np.arange(count),
        kind=items.get_indexer(hospitals.ppe),
        wanted=hospitals.qty.to_numpy().astype(np.int64),
        served=np.zeros(count, np.int64),
        urgency=np.full(count, ROUTINE),
        deadline_days=np.full(count, FAR_AWAY_DAYS),
        min_lot=np.ones(count, np.int64),
        lat_deg=np.zeros(count),
        lon_deg=np.zeros(count),
        facility=np.arange(count),
        region=np.zeros(count, np.int64),
        accepted_senders=np.ones(count, np.int64),
        assumed=np.zeros(count, np.bool_),
    )


def _supplies(date: pd.Timestamp, donors: pd.DataFrame, items: pd.Index) -> Supplies:
    count = len(donors)
    return Supplies(
        id=np.arange(count),
        kind=items.get_indexer(donors.ppe),
        available=donors.qty.to_numpy().astype(np.int64),
        pack=np.ones(count, np.int64),
        min_lot=np.ones(count, np.int64),
        shelf_days=np.full(count, FAR_AWAY_DAYS),
        min_shelf_days=np.zeros(count, np.int64),
        ready_in_days=np.zeros(count, np.int64),
        lat_deg=np.zeros(count),
        lon_deg=np.zeros(count),
        mode=np.zeros(count, np.int64),
        max_km=np.full(count, NO_LIMIT_KM),
        sender=np.ones(count, np.int64),
        directed_facility=np.full(count, ANYONE),
        directed_region_first=np.full(count, EVERY_REGION[0]),
        directed_region_last=np.full(count, EVERY_REGION[1]),
        waited_days=_days(date, donors),
    )


def _days(date: pd.Timestamp, rows: pd.DataFrame) -> np.ndarray:
    return np.maximum(0, (date - rows.date).dt.days.to_numpy()).astype(np.int64)


def replayed(strategy: Any) -> dict[str, Any]:
    """The replay's own figures for a strategy, and the seconds spent inside it."""
    from ppe_match import TestingFramework

    seconds = 0.0

    def clocked(date: Any, donors: Any, hospitals: Any, ways: Any) -> Any:
        nonlocal seconds
        began = time.perf_counter()
        decided = strategy(date, donors, hospitals, ways)
        seconds += time.perf_counter() - began
        return decided

    framework = TestingFramework(strategy=clocked)
    framework.run()
    values = framework.get_metrics().set_index("metric_name")["value"]
    decisions = framework.get_decisions()
    return {
        **{name: float(values[theirs]) for name, theirs in METRICS.items()},
        "units": int(decisions.qty.sum()),
        "units_offered": int(framework.all_donors.qty.sum()),
        "seconds": seconds,
    }


def main(asked: dict[str, Any]) -> dict[str, Any]:
    from ppe_match import strategies

    theirs = {"fcfm": strategies.FCFM_strategy, "proximity": strategies.proximity_match_strategy}
    name = asked.pop("strategy")
    return replayed(theirs[name] if name in theirs else Kernel(Taste(**asked)))


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        found = main(json.load(sys.stdin))
    print(json.dumps(found))
