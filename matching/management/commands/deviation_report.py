"""Report what was approved otherwise than a run proposed."""

from argparse import ArgumentParser
from collections import Counter
from datetime import datetime, time
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date
from rich.console import Console
from rich.table import Table

from matching.deviations import deviations, write_csv
from matching.models import Proposal
from matching.sentences import departure
from supplies.leaks import masked

SHOWN = 40


class Command(BaseCommand):
    help = (
        "What was approved otherwise than a run proposed: fewer, before a more urgent one, or made by hand."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", metavar="DAY", help="approved on this day or later, e.g. 2026-11-01")
        parser.add_argument("--csv", metavar="FILE", help="write all of it as CSV; - for standard output")

    def handle(self, **options: Any) -> None:
        rows = deviations(self._since(options["since"]))
        if options["csv"]:
            self._write(options["csv"], rows)
        else:
            self._print(rows)

    def _since(self, text: str | None) -> datetime | None:
        if not text:
            return None
        try:
            day = parse_date(text)
        except ValueError:
            day = None
        if day is None:
            raise CommandError("--since takes a day, e.g. 2026-11-01.")
        return timezone.make_aware(datetime.combine(day, time()))

    def _write(self, name: str, rows: Any) -> None:
        if name == "-":
            write_csv(cast(IO[str], self.stdout), rows)
            return
        # With a byte order mark, so that spreadsheets read the Chinese; with the line ends that csv itself writes.
        with open(name, "w", encoding="utf-8-sig", newline="") as file:
            count = write_csv(file, rows)
        self.stderr.write(f"{count} deviations written to {name}.")

    def _print(self, rows: Any) -> None:
        found: list[Proposal] = list(rows)
        table = Table("approved", "item", "proposed", "approved", "departs, and why", "to")
        for row in found[:SHOWN]:
            when = f"{timezone.localtime(row.approved_at):%Y-%m-%d %H:%M}" if row.approved_at else ""
            table.add_row(
                when,
                row.need.item_id,
                str(row.quantity),
                str(row.quantity_approved),
                masked(departure(row)),
                row.need.appeal.facility.name,
            )
        console = Console(file=cast(IO[str], self.stdout))
        counts = Counter(row.deviation for row in found)
        said = ", ".join(f"{reason} {number}" for reason, number in counts.most_common())
        console.print(f"{len(found)} deviations{': ' + said if said else ''}", soft_wrap=True)
        if found:
            console.print(table)
        if len(found) > SHOWN:
            console.print(f"The newest {SHOWN} are shown; --csv writes all.")
