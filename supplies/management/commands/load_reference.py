"""Load the reference data shipped with the project."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from supplies.catalogue.services import load_reference
from supplies.regions.services import load_regions


class Command(BaseCommand):
    help = (
        "Load regions, catalogue, standards, substitutions and tracking codes. Loading twice changes nothing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        at = timezone.now()
        for table in [load_regions(at=at), *load_reference(at=at)]:
            self.stdout.write(
                f"{table.table}: {table.rows} rows, {table.changed} changed, version {table.version}"
            )
