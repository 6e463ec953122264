"""Solve stored runs again and say whether the plans come out the same."""

import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable
from typing import IO, Any, cast
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from matching.models import FamilyRun, MatchingRun, RunStatus
from matching.replay import Replayed, replay


class Command(BaseCommand):
    help = "Solve runs again from what they stored; the plans have to be the same to the last byte. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("run", nargs="?", metavar="RUN", help="the id of a run")
        which.add_argument("--last", type=int, metavar="N", help="the last N runs that ended")
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, **options: Any) -> None:
        runs = self._runs(options["run"], options["last"])
        found = {run: [replay(family) for family in self._families(run)] for run in runs}
        every = [replayed for families in found.values() for replayed in families]
        faithful = sum(all(replayed.is_faithful for replayed in families) for families in found.values())
        said = {
            "runs": len(runs),
            "runs_replayed_faithfully": faithful,
            "families": len(every),
            "outcomes": dict(Counter(str(replayed.outcome) for replayed in every)),
            "made_with_another": sorted({text for replayed in every for text in replayed.made_with_another}),
        }
        if options["json"]:
            self.stdout.write(json.dumps(said))
        else:
            self._print(said, found)
        if faithful < len(runs):
            raise CommandError(f"{len(runs) - faithful} of {len(runs)} runs came out otherwise.")

    def _runs(self, key: str | None, last: int | None) -> list[MatchingRun]:
        ended = MatchingRun.objects.filter(status__in=[RunStatus.DONE, RunStatus.FAILED])
        if last is not None:
            if last < 1:
                raise CommandError("--last takes a number from 1.")
            done = FamilyRun.objects.filter(status=RunStatus.DONE).values("run")
            return list(ended.filter(pk__in=done).newest_first()[:last])
        try:
            return [ended.get(pk=UUID(key))]
        except (ValueError, MatchingRun.DoesNotExist) as error:
            raise CommandError(f"There is no run {key} that has ended.") from error

    def _families(self, run: MatchingRun) -> Iterable[FamilyRun]:
        return run.families.filter(status=RunStatus.DONE).select_related("run").order_by("family").iterator(1)

    def _print(self, said: dict[str, Any], found: dict[MatchingRun, list[Replayed]]) -> None:
        console = Console(file=cast(IO[str], self.stdout))
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in said["outcomes"].items())
        console.print(
            f"{said['runs_replayed_faithfully']} of {said['runs']} runs came out as they were;"
            f" {said['families']} families: {outcomes or 'none'}.",
            soft_wrap=True,
        )
        for text in said["made_with_another"]:
            console.print(f"Made with another: {text}", soft_wrap=True)
        wrong = [(run, each) for run, families in found.items() for each in families if not each.is_faithful]
        if wrong:
            table = Table("run", "family", "outcome")
            for run, each in wrong:
                table.add_row(str(run.pk), each.family.family, str(each.outcome))
            console.print(table)
