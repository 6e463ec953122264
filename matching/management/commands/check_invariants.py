"""Recompute every equation of the ledger and say which is broken, and by which rows."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.console import Console

from matching.books import LATE, Finding, check


class Command(BaseCommand):
    help = "Try the equations of the ledger on one snapshot; locks and changes nothing. Exit code 1 if one is broken."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one line of JSON")
        parser.add_argument(
            "--idle", action="store_true", help="no worker was running: what waits is not late"
        )

    def handle(self, **options: Any) -> None:
        at = datetime.min.replace(tzinfo=UTC) + LATE if options["idle"] else timezone.now()
        findings = check(at=at)
        violations = sum(finding.violations for finding in findings)
        if options["json"]:
            seconds = round(sum(finding.seconds for finding in findings), 3)
            said = {"violations": violations, "seconds": seconds, "equations": list(map(_as_data, findings))}
            self.stdout.write(json.dumps(said))
        else:
            self._print(findings)
        if violations:
            broken = sum(bool(finding.violations) for finding in findings)
            raise CommandError(f"{violations} violations of {broken} equations.")

    def _print(self, findings: list[Finding]) -> None:
        console = Console(file=cast(IO[str], self.stdout), soft_wrap=True)
        for finding in findings:
            equation = finding.equation
            mark = f"[bold red]{finding.violations} violations" if finding.violations else "holds"
            console.print(f"({equation.letter}) {equation.says} [dim]{finding.seconds:.2f} s[/dim] {mark}")
            for key, found in finding.examples:
                console.print(f"      {key}: {found}", markup=False)
            if finding.violations > len(finding.examples):
                console.print(f"      … and {finding.violations - len(finding.examples)} more")


def _as_data(finding: Finding) -> dict[str, Any]:
    return {
        "letter": finding.equation.letter,
        "says": finding.equation.says,
        "violations": finding.violations,
        "examples": [{"key": key, "found": found} for key, found in finding.examples],
        "seconds": round(finding.seconds, 3),
    }
