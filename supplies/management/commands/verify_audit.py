"""Compare the journal with its seals."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from supplies.journal import chain


class Command(BaseCommand):
    help = (
        "Find what was changed, deleted, put in, reordered or cut off in the journal, and say where. Exit 1 if"
        " anything was. Heads kept under STATE_DIR/audit are compared too."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--head",
            metavar="FILE",
            action="append",
            type=Path,
            default=[],
            help="a head printed by audit_head and kept elsewhere; may be given again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        found = chain.verify([*chain.kept_heads(), *options["head"]])
        for fault in found.faults:
            self.stderr.write(fault.says)
        if found.more:
            self.stderr.write(f"… and {found.more} more.")
        waiting = f"; {found.waiting} wait for the next one" if found.waiting else ""
        said = f"{found.seals} seals over {found.events} events{waiting}"
        if found.faults:
            raise CommandError(f"The journal is not what was sealed ({said}).")
        self.stdout.write(f"Whole: {said}.")
        if found.head:
            self.stdout.write(found.head.written())
