"""Say what the newest seal of the journal is, for keeping elsewhere."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from supplies.journal import chain


class Command(BaseCommand):
    help = (
        "Print number, digest and time of the journal's newest seal as one line of JSON, signed if AUDIT_KEY is set."
        " Keep it on another machine: with it `verify_audit --head` finds a journal that was rewritten as a whole."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        head = chain.head()
        if head is None:
            raise CommandError("Nothing is sealed yet; the worker seals new entries every minute.")
        self.stdout.write(head.written())
