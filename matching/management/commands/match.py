"""Match the needs and offers of an emergency, and say what came of it."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone, translation
from django.utils.dateparse import parse_date, parse_datetime
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from matching import accounting, running, services
from matching.models import MatchingPolicy, MatchingRun, RunStatus, Trigger
from matching.results import Fill, Result, results, summary
from matching.sentences import shortfalls
from supplies.emergencies.models import Emergency

LOOK_EVERY = 0.2  # seconds between two looks at a run that workers do
GIVE_UP_AFTER = 600.0
WIDE = 120  # columns, where nobody's window says how many there are


class Command(BaseCommand):
    help = "Match needs and offers. Without options: every family of the newest emergency, in this process."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--emergency", help="code of the emergency; the newest that goes on by default")
        parser.add_argument("--family", action="append", help="only this family of goods; may be given again")
        parser.add_argument("--policy", default="urgency", help="code of the policy; the admin lists them")
        parser.add_argument("--as-of", help="the day or moment deadlines are judged by, e.g. 2020-02-19")
        parser.add_argument("--dry-run", action="store_true", help="compute and count, propose nothing")
        parser.add_argument("--json", action="store_true", help="print one line of JSON")
        parser.add_argument(
            "--through-worker", action="store_true", help="let the Celery workers do it, and wait"
        )
        parser.add_argument(
            "--if-never-run",
            action="store_true",
            help="do nothing but report if the emergency was matched before",
        )

    def handle(self, **options: Any) -> None:
        known = MatchingPolicy.objects.order_by("pk").values_list("pk", flat=True)
        if options["policy"] not in known:
            raise CommandError(f"There is no policy {options['policy']}. There are: {', '.join(known)}.")
        emergency = self._emergency(options["emergency"])
        began = time.monotonic()
        last = (
            MatchingRun.objects.filter(emergency=emergency, status=RunStatus.DONE, is_dry=False)
            .newest_first()
            .exclude(trigger=Trigger.EVENT)
            .first()
        )
        if options["if_never_run"] and last:
            run = last
        else:
            run = services.start(
                emergency,
                trigger=Trigger.HAND,
                by=None,
                at=timezone.now(),
                policy=options["policy"],
                families=options["family"],
                is_dry=options["dry_run"],
                as_of=self._moment(options["as_of"]),
            )
            steps = self._watched(run) if options["through_worker"] else self._worked(run)
            self._show(steps, quiet=options["json"])
            if options["if_never_run"]:
                accounting.count(at=timezone.now())  # what was told so far knew of no run
        run.refresh_from_db()
        found = summary(run)
        found["seconds"]["total"] = round(time.monotonic() - began, 3)
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        else:
            self._print(run, found["seconds"])
        if run.status != RunStatus.DONE:
            failures = ", ".join(
                f"{f.family}: {f.failure}" for f in run.families.filter(status=RunStatus.FAILED)
            )
            raise CommandError(f"The run is {run.status}. {failures}")

    def _emergency(self, code: str | None) -> Emergency:
        found = (
            Emergency.objects.filter(pk=code).first()
            if code
            else Emergency.objects.going_on().newest_first().first()
        )
        if found is None:
            raise CommandError(
                f"There is no emergency called {code}."
                if code
                else "There is no emergency that goes on. Make one in the admin."
            )
        return found

    def _moment(self, text: str | None) -> datetime | None:
        if not text:
            return None
        day = parse_date(text) if len(text) == 10 else None
        moment = datetime.combine(day, datetime.min.time()) if day else parse_datetime(text)
        if moment is None:
            raise CommandError("--as-of takes a day (2020-02-19) or a moment (2020-02-19T08:00+08:00).")
        return timezone.make_aware(moment) if timezone.is_naive(moment) else moment

    def _worked(self, run: MatchingRun) -> Iterator[tuple[int, int, str]]:
        """Solve in this process; yields families done, families in all, and the one at work."""
        families = running.open_run(run.pk, at=timezone.now())
        for done, family in enumerate(families):
            yield done, len(families), family.family
            running.solve_family(family.pk)
        yield len(families), len(families), ""

    def _watched(self, run: MatchingRun) -> Iterator[tuple[int, int, str]]:
        """Wait for the workers."""
        deadline = time.monotonic() + GIVE_UP_AFTER
        while time.monotonic() < deadline:
            run.refresh_from_db()
            families = list(run.families.values_list("status", "family"))
            running = ", ".join(name for status, name in families if status == RunStatus.RUNNING)
            yield (
                sum(status in (RunStatus.DONE, RunStatus.FAILED) for status, _name in families),
                len(families),
                running,
            )
            if run.status in (RunStatus.DONE, RunStatus.FAILED):
                return
            time.sleep(LOOK_EVERY)
        raise CommandError(
            "The workers did not finish the run in ten minutes. Is one running? See ./run status."
        )

    def _show(self, steps: Iterator[tuple[int, int, str]], *, quiet: bool) -> None:
        columns = (
            TextColumn("Matching"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("families"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[now]}"),
        )
        console = Console(stderr=True)
        with Progress(*columns, disable=quiet or not console.is_terminal, console=console) as progress:
            bar = progress.add_task("", total=None, now="")
            for done, total, now in steps:
                progress.update(bar, completed=done, total=total or None, now=now)

    def _print(self, run: MatchingRun, seconds: dict[str, float]) -> None:
        file = cast(IO[str], self.stdout)
        console = Console(file=file, width=None if file.isatty() else WIDE)
        with translation.override("en"):
            (result,) = results([run])
            self._print_result(console, result)
        spent = ", ".join(f"{phase} {value}" for phase, value in seconds.items())
        console.print(f"Seconds: {spent}", soft_wrap=True)
        console.print(f"Run {run.pk}", soft_wrap=True)

    def _print_result(self, console: Console, result: Result) -> None:
        console.print(
            f"{result.run.emergency_id}: {result.needs:,} needs, {result.offers:,} offers,"
            f" {result.families:,} families → [bold]{result.proposals:,} proposals, {result.units:,} units[/bold]"
            f"; {result.kept:,} kept, {result.superseded:,} superseded, {result.stale:,} left out, changed meanwhile"
            + (" (dry run, nothing proposed)" if result.run.is_dry else ""),
            soft_wrap=True,
        )
        classes = [
            (f"{urgency.value} {urgency.name.lower()}", fill) for urgency, fill in result.by_class.items()
        ]
        console.print(_filled("urgency", [*classes, ("all", result.all_classes)] if classes else []))
        if result.by_place:
            console.print(_filled("province", [(place.region.name, place.fill) for place in result.by_place]))
        if result.shortfalls:
            table = Table("why needs stay short", Column("needs", justify="right"))
            for reason, number in shortfalls(dict(result.shortfalls)):
                table.add_row(reason, f"{number:,}")
            console.print(table)


def _filled(name: str, rows: list[tuple[str, Fill]]) -> Table:
    heads = ("needs", "wanted", "served before", "proposed", "filled before", "filled after")
    table = Table(name, *(Column(head, justify="right") for head in heads))
    for label, fill in rows:
        counts = (f"{number:,}" for number in (fill.needs, fill.wanted, fill.served, fill.proposed))
        shares = ("–" if share is None else f"{share:.1%}" for share in (fill.before, fill.after))
        table.add_row(label, *counts, *shares)
    return table
