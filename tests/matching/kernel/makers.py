"""Small problems: every row valid and matchable by default, only what a test is about is spelt out."""

from typing import Any

import numpy as np

from matching.kernel.columns import Table, column_types
from matching.kernel.problem import (
    ANYONE,
    EVERY_REGION,
    FAR_AWAY_DAYS,
    NO_LIMIT_KM,
    Demands,
    Modes,
    Policy,
    Problem,
    Supplies,
    Verdicts,
)

WUHAN = {"lat_deg": 30.6, "lon_deg": 114.3}
BEIJING = {"lat_deg": 39.9, "lon_deg": 116.4}  # 1,366 km from Wuhan, as ways are reckoned
VAN, ROAD, AIR = 0, 1, 2

DEMAND = {
    "kind": 0,
    "wanted": 100,
    "served": 0,
    "urgency": 1,
    "deadline_days": 30,
    "min_lot": 1,
    "facility": 7,
    "region": 3,
    "accepted_senders": 0b1111,
    "assumed": False,
    "waited_days": 0,
} | WUHAN
SUPPLY = {
    "kind": 0,
    "available": 100,
    "pack": 1,
    "min_lot": 1,
    "shelf_days": FAR_AWAY_DAYS,
    "min_shelf_days": 30,
    "ready_in_days": 0,
    "mode": ROAD,
    "max_km": NO_LIMIT_KM,
    "sender": 0b0001,
    "directed_facility": ANYONE,
    "directed_region_first": EVERY_REGION[0],
    "directed_region_last": EVERY_REGION[1],
    "waited_days": 0,
    "is_cold": False,
    "is_dangerous": False,
} | WUHAN


def make_modes() -> Modes:
    """The road keeps things cold and takes what is dangerous, one's own van and the air do not."""
    return Modes(
        km_per_day=np.array([500, 700, 2500]),
        max_km=np.array([250, NO_LIMIT_KM, NO_LIMIT_KM]),
        keeps_cold=np.array([False, True, False]),
        takes_dangerous=np.array([False, True, False]),
    )


def make_table(table: type[Table], defaults: dict[str, Any], rows: list[dict[str, Any]]) -> Any:
    filled = [{"id": number} | defaults | row for number, row in enumerate(rows, start=1)]
    return table(
        **{
            name: np.array([row[name] for row in filled], dtype)
            for name, dtype in column_types(table).items()
        }
    )


def make_problem(
    demands: list[dict[str, Any]],
    supplies: list[dict[str, Any]],
    *,
    verdict: Any = ((1,),),
    overshoot: Any = None,
    barred: Any = (),
    policy: Policy | None = None,
    prior: Any = (),
    lanes: Any = (),
) -> Problem:
    """Demands get ids 1, 2, ... and supplies too, unless a row says otherwise."""
    return Problem(
        make_table(Demands, DEMAND, demands),
        make_table(Supplies, SUPPLY, supplies),
        make_modes(),
        Verdicts.plain(verdict, overshoot),
        np.array(barred, np.int64).reshape(-1, 2),
        policy or Policy.urgency(),
        np.array(prior, np.int64).reshape(-1, 3),
        np.array(lanes, np.int64) if len(lanes) else np.empty((0, 0), np.int64),
    )


def given(plan: Any) -> dict[tuple[int, int], int]:
    """(demand id, supply id) -> quantity."""
    parcels = plan.assignments
    pairs = zip(parcels.demand.tolist(), parcels.supply.tolist(), strict=True)
    return dict(zip(pairs, parcels.quantity.tolist(), strict=True))
