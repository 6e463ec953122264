"""Who was erased, kept apart from the backups; and a restored backup made to forget them again."""

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from supplies.privacy import services


class Command(BaseCommand):
    help = "--export the list of erasures, one a line, without a name or number in it; --replay it into a restored backup."

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--export", type=Path, metavar="FILE", help="write the list (- for the screen)")
        what.add_argument("--replay", type=Path, metavar="FILE", help="erase again whoever is listed there")
        parser.add_argument("--since", metavar="MOMENT", help="export only later ones: 2020-02-29T08:00:00Z")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["export"]:
            self._export(options["export"], options["since"])
        else:
            self._replay(options["replay"])

    def _export(self, file: Path, since: str | None) -> None:
        moment = parse_datetime(since) if since else None
        if since and (moment is None or moment.tzinfo is None):
            raise CommandError("Write the moment with its zone, as 2020-02-29T08:00:00Z.")
        listed = services.entries(moment)
        text = "".join(json.dumps(entry) + "\n" for entry in listed)
        if str(file) == "-":
            sys.stdout.write(text)
            return
        draft = file.with_name(f"{file.name}.draft")
        draft.write_text(text)
        draft.replace(file)
        self.stdout.write(f"{len(listed)} erasures written to {file}.")

    def _replay(self, file: Path) -> None:
        try:
            listed = [json.loads(line) for line in file.read_text().splitlines() if line]
        except (OSError, ValueError) as error:
            raise CommandError(f"{file} is no list of erasures ({type(error).__name__}).") from error
        self.stdout.write(f"{services.replay(listed, at=timezone.now())} of {len(listed)} erased again.")
