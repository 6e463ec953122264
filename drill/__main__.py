"""`./run drill [--small] [--times N] [--list] [NAME…]`: inject the faults, print what was found, keep it in drill/results/."""

import argparse
import os
import sys
import time
import traceback
from pathlib import Path

import django

RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser(prog="./run drill", description=(__doc__ or "").partition(": ")[2])
    options.add_argument("names", nargs="*", metavar="NAME", help="the cells to run; all if none is named")
    options.add_argument(
        "--small", action="store_true", help="the sample of continuous integration; keeps nothing"
    )
    options.add_argument(
        "--times", type=int, default=1, metavar="N", help="injections per cell; R8 asks for 10"
    )
    options.add_argument(
        "--list", action="store_true", help="say which cells there are, and for what each stands"
    )
    given = options.parse_args(arguments)

    os.environ["DJANGO_SETTINGS_MODULE"] = "drill.settings"
    django.setup()
    from bench.databases import make_template
    from drill.matrix import CELLS, TESTS
    from drill.stage import on_stage

    if unknown := sorted(set(given.names) - set(CELLS)):
        print(f"There is no drill called {', '.join(unknown)}. There are: {', '.join(CELLS)}.")
        return 2
    chosen = [CELLS[name] for name in given.names] or [
        cell for cell in CELLS.values() if cell.in_sample or not given.small
    ]
    if given.list:
        for cell in chosen:
            print(cell.name, cell.of, sep="\t")
        print(*(f"{test}\t{fault}" for fault, test in TESTS.items()), sep="\n")
        return 0
    if not all(cell.has_own_site for cell in chosen):
        make_template()
    failed = []
    with on_stage(is_small=given.small) as fresh:
        for cell in chosen:
            outcome = play(cell, fresh, times=1 if cell.is_many else given.times)
            if not outcome.passed:
                failed.append(cell.name)
            if not given.small:
                keep(outcome)
    for fault, test in TESTS.items():
        print(f"{fault} is a test: {test}")
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return int(bool(failed))


def play(cell: "Cell", fresh: "Callable[[bool], Stage]", *, times: int) -> "Outcome":  # noqa: F821  (imported once Django is set up)
    from drill.cells import Check, Outcome, Round

    rounds = []
    for _round in range(times):
        stage, began = fresh(not cell.has_own_site), time.monotonic()
        print(f"== {cell.name} ({cell.of}): {'a sample of: ' * stage.is_small}{cell.injects}", flush=True)
        try:
            checks = cell.run(stage)
        except Exception as error:  # the other cells are played all the same
            traceback.print_exc()
            checks = [Check("the cell", f"{type(error).__name__}: {error}", "goes through", False)]
        if not cell.has_own_site:
            checks.append(stage.books())
        rounds.append(Round(checks, time.monotonic() - began))
        print(*checks, f"  {rounds[-1].seconds:.0f} s", sep="\n", flush=True)
    return Outcome(cell, rounds)


def keep(outcome: "Outcome") -> None:  # noqa: F821  (likewise)
    from bench.reporting import Report, Table

    words = {True: "yes", False: "**no**", None: "not here"}
    rows = [[check.what, check.found, check.goal, words[check.passed]] for check in outcome.found()]
    cell, times = outcome.cell, len(outcome.rounds)
    repeated = f", injected {times} times" if times > 1 else ""
    Report(
        cell.name,
        f"{cell.name} ({cell.of})",
        f"Injected: {cell.injects}. Passes: {cell.passes}. It took {outcome.seconds:.0f} s{repeated}.",
        [Table(["looked at", "found", "goal", "met"], rows)],
        outcome.figures(),
    ).keep(RESULTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
