"""Write database and private files into one file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from supplies.upkeep.backup import BackupFailed, back_up
from supplies.upkeep.programs import NoProgram


class Command(BaseCommand):
    help = (
        "Write the database and the private files as they are at this moment into one file, with everything `restore`"
        " needs to prove that all of it came back. The keys that open sealed fields are not in it: keep them elsewhere."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="replaced if it is there, once the new one is whole")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            manifest = back_up(file, at=timezone.now())
        except (BackupFailed, NoProgram, OSError) as error:
            raise CommandError(str(error)) from error
        head = f"seal {manifest.head.number}" if manifest.head else "no seal"
        self.stdout.write(
            f"{file}: {len(manifest.tables)} tables with {manifest.rows} rows, {len(manifest.parts) - 1} private files,"
            f" journal up to {head}."
        )
        if manifest.keys:
            self.stdout.write(
                f"To open it takes the keys {', '.join(manifest.keys)} of FIELD_KEYS, which are not in it."
            )
