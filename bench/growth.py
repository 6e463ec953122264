"""How the kernel's time and memory grow with the problem, counted in passes over its pairs.

A pass is one vectorised look at every pair that is considered: way, every rule, cost, lot. No matcher that looks at its
pairs can be faster than one, and a pass costs the same per pair on the machine at hand, so passes can be compared
between machines, and seconds cannot.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.matching_kernel import instance
from bench.peers.flows import looked_at
from bench.peers.goals import Goal, goals_table
from bench.peers.volunteers import naive_seconds
from bench.watched import peak_mib
from matching.kernel.eligibility import eligible
from matching.kernel.network import LEVEL_STEPS, Market, components, flow
from matching.kernel.objective import cost
from matching.kernel.pairs import Pairs, smallest_parcel
from matching.kernel.problem import Problem
from matching.kernel.solve import solve

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
LARGE = 10_000
SAMPLE = 300  # needs for which the naive loop is timed
PASSES = 7  # the quickest of so many is the floor


def measure(arguments: Sequence[str] = ()) -> Any:
    from bench.reporting import Report, Table  # needs Django, which the measured process does without

    parser = argparse.ArgumentParser(prog="./run bench growth")
    parser.add_argument("--size", type=int, action="append", help="needs and offers; may be given again")
    sizes = sorted(parser.parse_args(arguments).size or SIZES)
    found = [_apart(rows) for rows in sizes]
    exponents = _exponents(found)
    asked = goals(found, exponents)
    head = [
        "needs",
        "pairs",
        "pass s",
        "build",
        "flow",
        "whole",
        "build + flow",
        "loop / whole",
        "peak MiB",
        "components",
        "s of the whole",
    ]
    rows = [
        [
            f"{row['rows']:,}",
            f"{row['pairs']:,}",
            f"{row['pass']:.4f}",
            *(f"{row[name] / row['pass']:.0f}" for name in ("build", "flow", "whole")),
            f"{(row['build'] + row['flow']) / row['pass']:.0f}",
            f"{row['loop'] / row['whole']:.2f}",
            f"{row['peak_mib']:.0f}",
            row["components"],
            f"{row['whole']:.2f}",
        ]
        for row in found
    ]
    grown = [[name, f"{value:.2f}"] for name, value in exponents.items()]
    return Report(
        "growth",
        "How the kernel grows",
        f"Synthetic instances (`bench.matching_kernel`, seed 1), each in a process of its own; seconds are those of the processor. *Pass* is one vectorised look at"
        f" every pair considered (way, rules, cost, lot), the quickest of {PASSES}; *build* (looking for the pairs), *flow* (once,"
        f" without certificate) and *whole* (`solve`, which builds, certifies, dives and gives out leftovers) are in passes."
        f" *Loop* is the naive loop, extrapolated from {SAMPLE} needs, each of which finds the stock that our plan leaves it when its turn comes. Peak memory is the process's greatest resident size"
        " (`VmHWM`), Python and the libraries included.",
        [
            Table(head, rows),
            *([Table(["time of", "exponent over pairs, from 10,000 needs on"], grown)] if grown else []),
            goals_table(asked),
        ],
        {"sizes": found, "exponents": exponents, "goals": [goal.figures for goal in asked]},
    )


def _apart(rows: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.growth", str(rows)], stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def timed(rows: int) -> dict[str, Any]:
    """Seconds of each part on an instance of this size, and the peak memory of this process."""
    problem = instance(rows)
    parts = _parts(problem)
    plan, whole = _clocked(lambda: solve(problem))
    peak = peak_mib()
    return {
        "rows": rows,
        **parts,
        "whole": whole,
        "peak_mib": peak,
        "loop": naive_seconds(problem, plan, SAMPLE),
    }


def _parts(problem: Problem) -> dict[str, Any]:
    pairs, build = _clocked(lambda: looked_at(problem))
    one_pass = min(_clocked(lambda: _look_at(problem, pairs))[1] for _ in range(PASSES))
    count, flowing = _clocked(lambda: _flow(problem, pairs))
    return {"pairs": len(pairs), "components": count, "pass": one_pass, "build": build, "flow": flowing}


def _clocked(do: Callable[[], Any]) -> tuple[Any, float]:
    # Processor time: all of this runs on one thread, and a neighbour who takes the core for a while would otherwise count.
    began = time.process_time()
    done = do()
    return done, time.process_time() - began


def _look_at(problem: Problem, pairs: Pairs) -> None:
    seen = eligible(problem, Pairs.of(problem, pairs.demand, pairs.supply))
    cost(problem, seen)
    smallest_parcel(problem, seen)


def _flow(problem: Problem, pairs: Pairs) -> int:
    """The flow of every component; how many there are."""
    market, count = Market.of(problem, pairs), 0
    for edges in components(pairs):
        part = market.take(edges)
        flow(part, np.arange(len(edges)), part.available, unit=1, level_steps=LEVEL_STEPS)
        count += 1
    return count


def _exponents(found: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Slopes over the logarithm of the number of pairs, by least squares: 1 is linear.

    From 10,000 needs on: below, what a run costs whatever its size would pass for good growth.
    """
    found = [row for row in found if row["rows"] >= LARGE]
    if len(found) < 2:
        return {}
    pairs = np.log([row["pairs"] for row in found])
    names = ("build", "flow", "whole")
    return {name: float(np.polyfit(pairs, np.log([row[name] for row in found]), 1)[0]) for name in names}


def goals(found: Sequence[dict[str, Any]], exponents: dict[str, float]) -> list[Goal]:
    """The goals of docs/matching.md that are answered here, with what was found at each size."""
    flows = [(row["build"] + row["flow"]) / row["pass"] for row in found]
    wholes = [row["whole"] / row["pass"] for row in found]
    slope = [exponents["whole"]] if exponents else []
    return [
        Goal("5", "build + flow at most 70 passes", flows, max(flows) <= 70, ".0f"),
        Goal("5", "the whole (build + dive) at most 100 passes", wholes, max(wholes) <= 100, ".0f"),
        *(
            [Goal("5", "exponent of the whole over pairs at most 1.2", slope, slope[0] <= 1.2)]
            if slope
            else []
        ),
        *(_at_full_size(found[-1]) if found[-1]["rows"] >= SIZES[-1] else []),
    ]


def _at_full_size(largest: dict[str, Any]) -> list[Goal]:
    """What is asked of 100,000 needs says nothing when it is answered for fewer."""
    peak, faster = largest["peak_mib"], largest["loop"] / largest["whole"]
    return [
        Goal("5", "memory under 1 GiB at 100,000 (MiB)", [peak], peak < 1024, ".0f"),
        Goal("5", "at least 17 x faster than the naive loop at 100,000", [faster], faster >= 17, ".1f"),
    ]


if __name__ == "__main__":
    print(json.dumps(timed(int(sys.argv[1]))))
