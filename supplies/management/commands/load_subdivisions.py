"""Load the subdivisions of a country (ISO 3166-2)."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from supplies.regions.models import Region
from supplies.regions.services import load_subdivisions


class Command(BaseCommand):
    help = "Load the subdivisions of countries with their names and points: load_subdivisions US FR"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("country", nargs="+", help="ISO 3166-1 code of two letters")

    def handle(self, *args: Any, **options: Any) -> None:
        for code in options["country"]:
            country = Region.objects.countries().filter(code=code.upper()).first()
            if country is None:
                raise CommandError(f"{code} is no country known here; run load_reference first.")
            if country.code == "CN":
                raise CommandError("China is loaded by load_reference, down to its districts.")
            try:
                loaded = load_subdivisions(country, at=timezone.now())
            except ValidationError as refusal:
                raise CommandError("; ".join(refusal.messages)) from refusal
            self.stdout.write(f"{country}: {loaded.rows} subdivisions, {loaded.changed} changed")
