"""Import published lists of needs, or of makers."""

import json
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from dataclasses import replace
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
from supplies.intake.formats import FORMATS, Format, needs_mapping, recognised
from supplies.intake.formats.sheet import Plan
from supplies.intake.mapping import emergency_of, format_of, plan_from, propose_mapping, remember
from supplies.intake.models import Import
from supplies.intake.opening import head_of
from supplies.intake.reading.findings import Unreadable
from supplies.intake.report import Remark, Report
from supplies.intake.services import import_appeals

AUTO, SHEET = "auto", "sheet"
OTHERWISE = "wuhan2020"  # reports what is no list of needs like any other
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
    help = (
        "Import published lists: those known by their headings, or any sheet by a mapping. "
        "CSV, XLSX, XLS, ODS, JSON or YAML; or announcements as text (.txt, .md), a line of --- between two. "
        "Importing twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument(
            "--format",
            default=AUTO,
            choices=[AUTO, SHEET, *sorted(FORMATS)],
            help=f"what the files are (default: {AUTO}, told by their headings); {SHEET}: by the mapping of a --source",
        )
        parser.add_argument("--source", metavar="NAME", help=f"with {SHEET}: whose tables these are")
        parser.add_argument(
            "--mapping",
            type=Path,
            metavar="FILE",
            help=f"with {SHEET}: the mapping to use and remember; one is written there if there is none yet",
        )
        parser.add_argument(
            "--encoding", default="", help="of texts, where it cannot be told: gb18030, big5, utf-16, …"
        )
        parser.add_argument(
            "--sheet",
            default="",
            metavar="NAME",
            help="of workbooks the only sheet to read (default: all that have the headings)",
        )
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
        try:
            reports = self._imported(options)
        except Unreadable as error:
            raise CommandError(str(error)) from None
        for report in reports:
            if options["json"]:
                self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
            else:
                self._show(report, verbose=options["verbosity"] > 1)
        if not any(report.rows for report in reports) and any(report.errors for report in reports):
            raise CommandError(_("No file could be read."))

    def _imported(self, options: dict[str, Any]) -> list[Report]:
        emergency = self._emergency(options["emergency"])
        with Progress(console=Console(stderr=True), transient=True, disable=options["json"]) as bar:
            return [
                import_appeals(
                    files,
                    kind,
                    by=None,
                    at=timezone.now(),
                    as_of=options["as_of"],
                    emergency=emergency,
                    encoding=options["encoding"],
                    sheet=options["sheet"],
                    dry_run=options["dry_run"],
                    progress=_shown_on(bar),
                )
                for kind, files in self._sorted(options, emergency)
            ]

    def _sorted(
        self, options: dict[str, Any], emergency: Emergency | None
    ) -> Iterable[tuple[str | Format, list[Path]]]:
        """The files by the format they are read in."""
        if options["format"] == SHEET:
            return [(self._mapped(options, emergency), options["files"])]
        if options["format"] != AUTO:
            return [(options["format"], options["files"])]
        by_format: dict[str, list[Path]] = {}
        for file in options["files"]:
            by_format.setdefault(self._recognised(file, options["encoding"], options["sheet"]), []).append(
                file
            )
        return by_format.items()

    def _recognised(self, file: Path, encoding: str, sheet: str) -> str:
        """The code of the format a file is known by; one that cannot be read is left to the import to report."""
        try:
            kind = recognised(head := head_of(file, encoding=encoding, sheet=sheet, waits=True).rows)
        except Unreadable:
            return OTHERWISE
        if kind is None:
            sentence = needs_mapping(head).sentence
            raise CommandError(f"{file.name}: {sentence} (--format {SHEET} --source NAME --mapping FILE)")
        return kind.code

    def _mapped(self, options: dict[str, Any], emergency: Emergency | None) -> Format:
        """The format by the mapping in a file or else by the one that is remembered for the source."""
        source, file = options["source"], options["mapping"]
        if not source or emergency is None:
            raise CommandError(_("A mapped sheet needs --source NAME and --emergency CODE."))
        try:
            if file and file.exists():
                plan = replace(plan_from(json.loads(file.read_text(encoding="utf-8"))), source=source)
                remember(plan, by=None, at=timezone.now())
            else:
                plan = self._proposed(options, source, file)
        except (Unreadable, ValueError) as error:
            raise CommandError(str(error)) from None
        return format_of(plan, emergency_of(emergency))

    def _proposed(self, options: dict[str, Any], source: str, file: Path | None) -> Plan:
        """The remembered mapping. Without one the proposal is written down for somebody to correct."""
        head = head_of(options["files"][0], encoding=options["encoding"], sheet=options["sheet"], waits=True)
        proposal = propose_mapping(head.rows, source=source)
        if proposal.mapping is not None:
            return proposal.plan
        if file is None:
            raise CommandError(
                _("“%(source)s” has no mapping for these headings yet; name a --mapping FILE.")
                % {"source": source}
            )
        file.write_text(json.dumps(proposal.plan.as_json(), ensure_ascii=False, indent=1), encoding="utf-8")
        raise CommandError(
            _("A mapping is proposed in %(file)s. Correct it and call again.") % {"file": file}
        )

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
