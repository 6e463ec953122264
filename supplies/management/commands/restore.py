"""Bring a backup back into an empty database, and prove that everything came."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from supplies.upkeep.archive import Unfit
from supplies.upkeep.backup import private_files
from supplies.upkeep.programs import NoProgram
from supplies.upkeep.restore import pending_migrations, restore


class Command(BaseCommand):
    help = (
        "Bring a backup into an empty database and compare every table, number, sealed field and the journal's chain"
        " with what the backup says. Exit 1 with every difference; then nobody but the owner of the tables gets in."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--into", metavar="DATABASE_URL", help="another database than the site's")
        parser.add_argument(
            "--files", metavar="FOLDER", type=Path, help="where private files go; it has to be empty"
        )
        parser.add_argument("--without-files", action="store_true", help="leave private files in the backup")
        parser.add_argument(
            "--erasures",
            metavar="FILE",
            type=Path,
            help="what was erased since the backup; it is erased here too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["into"]:
            self._start_again(**options)
            return
        file, erasures = options["file"], options["erasures"]
        files = None if options["without_files"] else options["files"] or private_files()
        try:
            manifest = restore(file, files=files)
        except (Unfit, NoProgram, OSError) as error:
            raise CommandError(f"{error}\nThe backup is not restored.") from error
        self.stdout.write(
            f"{file}, made {manifest.made_at}: {len(manifest.tables)} tables with {manifest.rows} rows and"
            f" {len(manifest.parts) - 1} private files are back, and are what they were."
        )
        if erasures:
            call_command("erasures", "--replay", str(erasures), stdout=self.stdout)
        else:
            self.stdout.write("What was erased since then has to be erased again: restore … --erasures FILE.")
        pending = pending_migrations()
        if pending:
            self.stdout.write(
                f"{len(pending)} migrations are newer than the backup: run migrate, then database_roles."
            )

    def _start_again(self, **options: Any) -> None:
        """The same command, for which the other database is the site's: what checks it knows no other."""
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "restore", str(options["file"])]
        for name in ("files", "erasures"):
            command += [f"--{name}", str(options[name])] if options[name] else []
        if not options["files"]:
            command.append("--without-files")  # those of the site are not to be mixed with others
        ran = subprocess.run(command, env=os.environ | {"DATABASE_URL": options["into"]})
        if ran.returncode != 0:
            raise CommandError(f"Not restored into {urlsplit(options['into']).path.lstrip('/')}.")
