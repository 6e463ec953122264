"""Read a problem from files, solve it with our kernel, judge the plan, and show it."""

import json
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from matching import exchange
from matching.exchange import Instance, Unreadable
from matching.kernel.network import SolverFailed
from matching.kernel.plan import Plan
from matching.kernel.problem import URGENCIES, Problem
from matching.kernel.solve import solve
from matching.kernel.verify import Violation, verify

SHOWN = 40
WIDE = 120  # columns, where nobody's window says how many there are


@dataclass(frozen=True)
class Solved:
    """A family with its plan, or with why there is none.

    as_written  whether the problem is the one that was exported; None if nobody exported it
    """

    instance: Instance
    plan: Plan | None
    failure: str
    violations: tuple[Violation, ...]
    as_written: bool | None

    @property
    def is_right(self) -> bool:
        return self.plan is not None and not self.violations

    def facts(self) -> dict[str, Any]:
        problem = self.instance.problem
        found: dict[str, Any] = {
            "family": self.instance.family,
            "demands": len(problem.demands),
            "supplies": len(problem.supplies),
            "wanted": int(problem.demands.wanted.sum()),
            "digest": problem.digest(),
            "as_written": self.as_written,
            "failure": self.failure,
            "violations": sorted({str(violation.fault) for violation in self.violations}),
        }
        if self.plan is not None:
            found |= {
                "assignments": len(self.plan.assignments),
                "units": int(self.plan.assignments.quantity.sum()),
                "plan_digest": self.plan.digest(),
                "by_urgency": _by_urgency(problem, self.plan),
            }
        return found


class Command(BaseCommand):
    help = (
        "Solve a problem given as CSV, as export_problem writes it or as you write it yourself, and show the plan. "
        "Touches no database. docs/matching-data.md says what each column means."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", metavar="DIR", type=Path)
        parser.add_argument("--json", action="store_true", help="print one line of JSON")
        parser.add_argument(
            "--out",
            type=Path,
            metavar="DIR",
            help="write assignments.csv and shortfalls.csv into this folder",
        )

    def handle(self, **options: Any) -> None:
        found = self._read(options["folder"])
        solved = [_solved(instance, found.is_as_written(instance)) for instance in found.instances]
        plans = [
            (each.instance.family, each.instance.problem, each.plan)
            for each in solved
            if each.plan is not None
        ]
        if options["out"]:
            try:
                exchange.write_plans(options["out"], plans)
            except OSError as error:
                raise CommandError(f"{options['out']} cannot be written: {error.strerror}.") from error
        if options["json"]:
            self.stdout.write(json.dumps([each.facts() for each in solved], ensure_ascii=False))
        else:
            self._print(solved)
        wrong = [each for each in solved if not each.is_right]
        if wrong:
            raise CommandError("; ".join(_said(each) for each in wrong))

    def _read(self, folder: Path) -> exchange.Found:
        if not folder.is_dir():
            raise CommandError(f"{folder} is no folder.")
        try:
            return exchange.read(folder)
        except Unreadable as unreadable:
            for fault in unreadable.faults[:SHOWN]:
                self.stderr.write(str(fault))
            count = len(unreadable.faults)
            more = f"; the first {SHOWN} are shown" if count > SHOWN else ""
            said = "There is 1 fault" if count == 1 else f"There are {count} faults"
            raise CommandError(
                f"{said} in {folder}{more}. docs/matching-data.md says what is expected."
            ) from None

    def _print(self, solved: list[Solved]) -> None:
        file = cast(IO[str], self.stdout)
        console = Console(file=file, width=None if file.isatty() else WIDE)
        families = Table("family", title="Families", title_justify="left")
        for head in ("demands", "supplies", "assignments", "units", "of", "filled"):
            families.add_column(head, justify="right")
        families.add_column("judged")
        for each in solved:
            facts = each.facts()
            filled = f"{facts.get('units', 0) / facts['wanted']:.1%}" if facts["wanted"] > 0 else "–"
            numbers = [
                facts["demands"],
                facts["supplies"],
                facts.get("assignments", 0),
                facts.get("units", 0),
            ]
            families.add_row(
                facts["family"] or "–",
                *(f"{number:,}" for number in numbers),
                f"{facts['wanted']:,}",
                filled,
                _verdict(each),
            )
        console.print(families)
        self._print_rows(
            console,
            "Assignments",
            exchange.columns_of("assignments"),
            [
                row
                for each in solved
                if each.plan
                for row in exchange.parcels(each.instance.family, each.plan)
            ],
        )
        short = [
            row
            for each in solved
            if each.plan
            for row in exchange.shortfall_rows(each.instance.family, each.instance.problem, each.plan)
        ]
        self._print_rows(console, "What stays short, and why", exchange.columns_of("shortfalls"), short)

    def _print_rows(
        self, console: Console, title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]]
    ) -> None:
        if not rows:
            return
        table = Table(title=title, title_justify="left")
        for head, cell in zip(heads, rows[0], strict=True):
            table.add_column(head, justify="right" if cell.isdecimal() else "left")
        for row in rows[:SHOWN]:
            table.add_row(*(cell or "–" for cell in row))
        console.print(table)
        if len(rows) > SHOWN:
            console.print(f"The first {SHOWN} of {len(rows):,} are shown; --out DIR writes all.")


def _solved(instance: Instance, as_written: bool | None) -> Solved:
    try:
        plan = solve(instance.problem)
    except (SolverFailed, ValueError, OverflowError, MemoryError) as error:
        return Solved(instance, None, f"{type(error).__name__}: {error}".splitlines()[0], (), as_written)
    return Solved(instance, plan, "", verify(instance.problem, plan), as_written)


def _verdict(solved: Solved) -> str:
    if not solved.is_right:
        return _said(solved)
    exported = {None: "", True: ", as exported", False: ", changed since the export"}
    return "allowed" + exported[solved.as_written]


def _said(solved: Solved) -> str:
    name = f"family {solved.instance.family!r}"
    if solved.plan is None:
        return f"{name} was not solved: {solved.failure}"
    faults = ", ".join(sorted({str(violation.fault) for violation in solved.violations}))
    return f"{name}: the plan is not allowed: {faults}"


def _by_urgency(problem: Problem, plan: Plan) -> dict[str, dict[str, int]]:
    demands = problem.demands
    given = np.zeros(len(demands), np.int64)
    np.add.at(given, np.searchsorted(demands.id, plan.assignments.demand), plan.assignments.quantity)
    return {
        str(urgency): {"wanted": int(demands.wanted[own].sum()), "given": int(given[own].sum())}
        for urgency in URGENCIES
        if (own := demands.urgency == urgency).any()
    }
