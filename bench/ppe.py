"""The public replay of GetUsPPE's requests, with this project's kernel beside the two strategies it brings."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.environments import environment
from bench.peers.goals import Goal, goals_table
from bench.pictures import Dot, scatter
from bench.reporting import RESULTS, Report, Table

ROOT = Path(__file__).parent.parent
PACKAGES = ("pandas==1.5.3", "numpy==1.26.4")
ALONE = (
    "ppe_match==0.1.4",
    "scipy==1.17.1",
    "ortools==9.15.6755",
)  # they ask for newer pandas than the replay can use

Asked = Mapping[str, Any]
PROXIMITY, OURS = "proximity (theirs)", "kernel, patient"
THEIRS: dict[str, Asked] = {
    "first come, first matched (theirs)": {"strategy": "fcfm"},
    PROXIMITY: {"strategy": "proximity"},
}
POLICIES: dict[str, Asked] = {
    OURS: {"strategy": "kernel", "limit": 60, "growth_days": 10, "small_first": 3_200, "parcel": 4_000},
    "kernel, fewer parcels": {
        "strategy": "kernel",
        "limit": 70,
        "growth_days": 10,
        "small_first": 3_000,
        "parcel": 4_000,
    },
    "kernel, finishing more": {"strategy": "kernel", "limit": 80, "small_first": 4_000, "parcel": 4_000},
    "kernel, less patient": {"strategy": "kernel", "limit": 150, "small_first": 3_000, "parcel": 4_000},
    "kernel, without patience": {"strategy": "kernel", "parcel": 4_000},
}
AT_ONCE = (
    2  # the replay itself takes minutes for each strategy; the seconds told are those inside the strategy
)
SMALLER_IS_BETTER = ("unit_miles", "holding_days", "shipments")
LARGER_IS_BETTER = ("fill", "fill_without_zeros")


def measure() -> Report:
    strategies = {**THEIRS, **POLICIES}
    environment("ppe", PACKAGES, alone=ALONE)  # before two want it at once
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(strategies, pool.map(replay, strategies.values()), strict=True))
    picture = scatter(_dots(found), "unit-miles", "mean fill rate", "The more shipments, the larger the dot")
    (RESULTS / "ppe.svg").write_text(picture)
    asked = goals(found[OURS], found[PROXIMITY])
    return Verdict(
        "ppe",
        "The public replay of GetUsPPE",
        "`ppe_match` 0.1.4: the requests that donors and hospitals sent to GetUsPPE between April and July 2020, with their real"
        " distances, matched every seven days; offers above 1,000 units are dropped. The replay, its data and the strategies"
        " marked *theirs* are not part of this project; they run in an environment of their own. Fill is the mean over hospital"
        " and item, then over items; unit-miles is the mean way of a unit; holding is how long a unit lay with its donor; shipments"
        " are per donor. Seconds are those spent inside the strategy, two strategies at a time; ours include making the problem from the"
        " replay's tables. Our policies, in miles (`bench.peers.replay.Taste`): "
        + "; ".join(f"*{name}*: {_said(how)}" for name, how in POLICIES.items())
        + "."
        " ![frontier](ppe.svg)",
        [_table(found), goals_table(asked)],
        {
            "strategies": found,
            "policies": POLICIES,
            "goals": [goal.figures for goal in asked],
            "better_than_proximity": better(found[OURS], found[PROXIMITY]),
        },
    )


class Verdict(Report):
    """A report that ends in one line for programs."""

    def keep(self, results: Path = RESULTS) -> str:
        count = self.figures["better_than_proximity"]
        return f"{super().keep(results)}\nbetter than proximity on {count} of 5"


def replay(asked: Asked) -> dict[str, Any]:
    """Figures of one strategy, in a process of its own."""
    python = environment("ppe", PACKAGES, alone=ALONE)
    done = subprocess.run(
        [python, "-m", "bench.peers.replay"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        input=json.dumps(asked),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # the replay tells every round there
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def better(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> int:
    """On how many of the replay's five figures."""
    larger = sum(mine[name] > theirs[name] for name in LARGER_IS_BETTER)
    return larger + sum(mine[name] < theirs[name] for name in SMALLER_IS_BETTER)


def goals(ours: Mapping[str, Any], proximity: Mapping[str, Any]) -> list[Goal]:
    """The goals of docs/matching.md for one policy in this replay."""
    time, units = ours["seconds"] / proximity["seconds"], ours["units"] / ours["units_offered"]

    def goal(says: str, value: float, is_met: bool, form: str = ".2f") -> Goal:
        return Goal("replay", says, [value], is_met, form)

    return [
        goal("mean fill rate at least 0.085", ours["fill"], ours["fill"] >= 0.085, ".4f"),
        goal(
            "without zeros at least 0.93",
            ours["fill_without_zeros"],
            ours["fill_without_zeros"] >= 0.93,
            ".3f",
        ),
        goal("unit-miles at most 30", ours["unit_miles"], ours["unit_miles"] <= 30, ".1f"),
        goal("holding days at most 8.5", ours["holding_days"], ours["holding_days"] <= 8.5),
        goal("shipments per donor at most 1.80", ours["shipments"], ours["shipments"] <= 1.80),
        goal("units delivered at least 0.99 of those offered", units, units >= 0.99, ".4f"),
        goal("time at most 0.04 of proximity's", time, time <= 0.04, ".3f"),
    ]


def _table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    head = [
        "strategy",
        "mean fill rate",
        "without zeros",
        "unit-miles",
        "holding days",
        "shipments per donor",
        "units",
        "seconds",
    ]
    rows = [
        [
            name,
            f"{row['fill']:.4f}",
            f"{row['fill_without_zeros']:.3f}",
            f"{row['unit_miles']:,.1f}",
            f"{row['holding_days']:.1f}",
            f"{row['shipments']:.2f}",
            f"{row['units']:,}",
            f"{row['seconds']:.1f}",
        ]
        for name, row in found.items()
    ]
    return Table(head, rows)


def _dots(found: Mapping[str, Mapping[str, Any]]) -> Sequence[Dot]:
    return [
        Dot(name, row["unit_miles"], row["fill"], row["shipments"], name in POLICIES)
        for name, row in found.items()
    ]


def _said(how: Asked) -> str:
    chosen = ", ".join(f"{name} {value}" for name, value in how.items() if name != "strategy")
    return chosen or "as it is"
