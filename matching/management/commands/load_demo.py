"""Load the demonstration: an invented emergency with hospitals, donors, needs, offers and shipments."""

from argparse import ArgumentParser
from datetime import datetime, time
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from matching import accounting
from matching.demo import services
from supplies.emergencies.models import Emergency
from supplies.needs.counting import count_open


class Command(BaseCommand):
    help = "Load invented demonstration data, once. Loading again changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--gifts-for", metavar="EMERGENCY", help="also let its donors give to this emergency"
        )
        parser.add_argument("--as-of", metavar="DAY", help="the day of those gifts; today if absent")
        parser.add_argument("--refresh", action="store_true", help="move its dates to today")

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = services.load(at=timezone.now())
        held = ", ".join(f"{number} {name}" for name, number in loaded.counts.items())
        self.stdout.write(f"Demonstration {'loaded' if loaded.is_new else 'is there'}: {held}")
        if options["gifts_for"]:
            emergency = Emergency.objects.filter(pk=options["gifts_for"]).first()
            if emergency is None:
                raise CommandError(
                    f"There is no emergency called {options['gifts_for']}. Import its appeals first."
                )
            day = parse_date(options["as_of"] or "") or timezone.localdate()
            at = timezone.make_aware(datetime.combine(day, time()))
            self.stdout.write(f"{emergency.pk}: {services.give_to(emergency, at=at)} invented offers")
        if options["refresh"]:
            self.stdout.write(f"Dates moved by {services.refresh(at=timezone.now())} days")
        accounting.count(at=timezone.now())
        count_open(at=timezone.now())  # so that the first page has numbers before the timetable comes round
