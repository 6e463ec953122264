"""Load the demonstration: an invented emergency with hospitals, donors, needs, offers and shipments."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from matching.demo import services


class Command(BaseCommand):
    help = "Load invented demonstration data, once. Loading again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--refresh", action="store_true", help="move its dates to today")

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = services.load(at=timezone.now())
        held = ", ".join(f"{number} {name}" for name, number in loaded.counts.items())
        self.stdout.write(f"Demonstration {'loaded' if loaded.is_new else 'is there'}: {held}")
        if options["refresh"]:
            self.stdout.write(f"Dates moved by {services.refresh(at=timezone.now())} days")
