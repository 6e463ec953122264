"""Read public lists of designated hospitals and fever clinics into the directory."""

import json
from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.intake.listing import DirectoryReport, Version, import_directory
from supplies.listings.models import ListedAs


class Command(BaseCommand):
    help = "Read one version of a public list (CSV) of designated hospitals or fever clinics. Twice changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--kind", required=True, choices=ListedAs.values)
        parser.add_argument("--source", required=True, help="who published the list, as everybody reads it")
        parser.add_argument("--url", default="", help="where it was published")
        parser.add_argument(
            "--as-of", type=date.fromisoformat, metavar="DATE", help="the day of the list (default: today)"
        )
        parser.add_argument("--dry-run", action="store_true", help="report, and store nothing")
        parser.add_argument("--json", action="store_true", help="one line for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        version = Version(
            ListedAs(options["kind"]),
            options["source"].strip(),
            options["url"],
            options["as_of"] or timezone.localdate(),
        )
        try:
            report = import_directory(
                options["files"], version, by=None, at=timezone.now(), dry_run=options["dry_run"]
            )
        except ValidationError as fault:
            sentences = (f"{field}: {' '.join(said)}" for field, said in fault.message_dict.items())
            raise CommandError("; ".join(sentences)) from fault
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
        else:
            self._show(report)
        if report.rows and report.failed == report.rows:
            raise CommandError(_("No row could be read."))

    def _show(self, report: DirectoryReport) -> None:
        for remark in report.remarks:
            place = f"{remark.file}:{remark.row} {remark.finding.field}".rstrip()
            self.stdout.write(f"{place}: {remark.finding.sentence}")
        counts = {name: count for name, count in report.as_json().items() if name != "remarks"}
        self.stdout.write(", ".join(f"{name} {count}" for name, count in counts.items()))
