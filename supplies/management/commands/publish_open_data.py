"""Publish the open data now rather than at night."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from supplies.opendata.services import publish


class Command(BaseCommand):
    help = "Write the dump of everything that is public, sign it, and let it appear under /open/."

    def handle(self, *args: Any, **options: Any) -> None:
        made = publish(at=timezone.now())
        if made is None:
            raise CommandError("Somebody is just publishing. Look at /open/ in a moment.")
        for part in made.parts:
            self.stdout.write(f"{part.name}: {part.rows} rows, {part.bytes} bytes")
        self.stdout.write(str(made.folder))
