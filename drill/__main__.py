"""`./run drill [--small] [NAME…]`: inject the faults, print what was found, and keep it in drill/results/."""

import os
import sys
import time
from pathlib import Path

import django

RESULTS = Path(__file__).parent / "results"


def main(arguments: list[str]) -> int:
    os.environ["DJANGO_SETTINGS_MODULE"] = "drill.settings"
    django.setup()
    from bench.databases import make_template
    from drill import once, outbox, web_killed
    from drill.cells import Outcome
    from drill.stage import on_stage

    cells = {cell.name: cell for part in (outbox, web_killed, once) for cell in part.CELLS}
    names = [argument for argument in arguments if argument != "--small"]
    if unknown := sorted(set(names) - set(cells)):
        print(f"There is no drill called {', '.join(unknown)}. There are: {', '.join(cells)}.")
        return 2
    make_template()
    outcomes = []
    with on_stage(is_small="--small" in arguments) as fresh:
        for name in names or cells:
            cell = cells[name]
            sample = "a sample of: " if "--small" in arguments else ""
            print(f"== {name} ({cell.of}): {sample}{cell.injects}", flush=True)
            stage, began = fresh(), time.monotonic()
            checks = [*cell.run(stage), stage.books()]
            outcomes.append(Outcome(cell, checks, time.monotonic() - began, stage.is_small))
            print(*checks, f"  {outcomes[-1].seconds:.0f} s", sep="\n", flush=True)
    for outcome in outcomes:
        if not outcome.is_small:
            keep(outcome)
    failed = [outcome.cell.name for outcome in outcomes if not outcome.passed]
    print(f"failed: {', '.join(failed)}" if failed else "all passed")
    return int(bool(failed))


def keep(outcome: "Outcome") -> None:  # noqa: F821  (imported once Django is set up)
    from bench.reporting import Report, Table

    words = {True: "yes", False: "**no**", None: "not here"}
    rows = [[check.what, check.found, check.goal, words[check.passed]] for check in outcome.checks]
    cell = outcome.cell
    Report(
        cell.name,
        f"{cell.name} ({cell.of})",
        f"Injected: {cell.injects}. Passes: {cell.passes}. It took {outcome.seconds:.0f} s.",
        [Table(["looked at", "found", "goal", "met"], rows)],
        outcome.figures(),
    ).keep(RESULTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
