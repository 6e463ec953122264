"""Say the code that an authenticator app would show now for one of the demonstration's accounts."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from matching.demo.accounts import secret_of
from supplies.accounts.services import current_code
from supplies.organisations.roles import Role


class Command(BaseCommand):
    help = "The current one-time code of a demonstration account. Embedded default only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("role", choices=Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError(
                "Demonstration accounts are on the embedded default only, never in production."
            )
        try:
            secret = secret_of(settings.STATE_DIR / "accounts.json", options["role"])
        except (FileNotFoundError, KeyError) as error:
            raise CommandError("There are no accounts yet. Run demo_accounts, or ./run, first.") from error
        if not secret:
            raise CommandError(f"The {options['role']} signs in with the password alone.")
        self.stdout.write(current_code(secret, at=timezone.now()))
