"""Import published lists of needs, or of makers."""

import json
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from supplies.emergencies.models import Emergency
from supplies.intake.formats import FORMATS
from supplies.intake.models import Import
from supplies.intake.report import Remark, Report
from supplies.intake.services import import_appeals

SHOWN = 20  # remarks of one code; the rest are counted


def _shown_on(bar: Progress) -> Callable[[Import], None]:
    """A bar for each file, which is first read and then entered."""
    bars: dict[Any, TaskID] = {}

    def show(batch: Import) -> None:
        if batch.pk not in bars:
            bars[batch.pk] = bar.add_task(batch.file_name, total=batch.rows_total)
        description = f"{batch.file_name} · {batch.get_status_display()}"
        bar.update(bars[batch.pk], completed=batch.rows_done, description=description)

    return show


class Command(BaseCommand):
    help = "Import published lists of needs (wuhan2020) or of makers (wuhan2020-makers). Importing twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--format", required=True, choices=sorted(FORMATS))
        parser.add_argument(
            "--as-of",
            type=date.fromisoformat,
            metavar="DATE",
            help="judge freshness and editions as of this day (default: the newest day the lists name)",
        )
        parser.add_argument(
            "--emergency", metavar="CODE", help="what the lists belong to (default: the format's)"
        )
        parser.add_argument("--dry-run", action="store_true", help="report, and store nothing")
        parser.add_argument("--json", action="store_true", help="one line for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        with Progress(console=Console(stderr=True), transient=True, disable=options["json"]) as bar:
            report = import_appeals(
                options["files"],
                options["format"],
                by=None,
                at=timezone.now(),
                as_of=options["as_of"],
                emergency=self._emergency(options["emergency"]),
                dry_run=options["dry_run"],
                progress=_shown_on(bar),
            )
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self._show(report, verbose=options["verbosity"] > 1)
        if report.files and report.rows == 0 and report.errors:
            raise CommandError(_("No file could be read."))

    def _emergency(self, code: str | None) -> Emergency | None:
        if not code:
            return None
        emergency = Emergency.objects.filter(code=code).first()
        if emergency is None:
            known = ", ".join(Emergency.objects.order_by("code").values_list("code", flat=True))
            raise CommandError(
                _("There is no emergency “%(code)s”; known: %(known)s.") % {"code": code, "known": known}
            )
        return emergency

    def _show(self, report: Report, *, verbose: bool) -> None:
        console = Console(file=cast(IO[str], self.stdout), soft_wrap=True)
        table = Table(title=f"{report.format} · {report.as_of}" + (" · dry run" if report.is_dry_run else ""))
        table.add_column("")
        table.add_column("", justify="right")
        facts = report.as_json()
        for name in (
            "files",
            "rows",
            "created",
            "changed",
            "unchanged",
            "failed",
            "waiting",
            "facilities",
            "needs",
        ):
            table.add_row(name, f"{facts[name]:,}")
        for kind, count in facts["needs_by_kind"].items():
            table.add_row(f"  {kind}", f"{count:,}")
        table.add_row("warnings", f"{facts['warnings']:,}")
        for code, count in report.warnings_by_code.most_common():
            table.add_row(f"  {code}", f"{count:,}")
        table.add_row("errors", f"{len(report.errors):,}")
        console.print(table)
        self._list(console, report.errors, style="red", most=SHOWN)
        self._list(console, report.warnings if verbose else [], style="yellow", most=len(report.warnings))

    def _list(self, console: Console, remarks: list[Remark], *, style: str, most: int) -> None:
        for remark in remarks[:most]:
            place = f"{remark.file}:{remark.row} {remark.finding.field}".rstrip()
            console.print(f"{place}: {remark.finding.sentence}", style=style, markup=False, highlight=False)
        if len(remarks) > most:
            console.print(_("… and %(count)d more; --json lists all.") % {"count": len(remarks) - most})
