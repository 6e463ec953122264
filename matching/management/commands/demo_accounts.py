"""Make one account per role on the embedded default, and say how to sign in."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse
from django.utils import timezone
from rich.console import Console
from rich.table import Column, Table

from matching.demo.accounts import make_accounts
from supplies.organisations.models import Organisation


class Command(BaseCommand):
    help = "One account per role with a random password, kept in the state directory. Embedded default only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.EMBEDDED:
            raise CommandError(
                "Demonstration accounts are made on the embedded default only, never in production."
            )
        file = settings.STATE_DIR / "accounts.json"
        try:
            accounts = make_accounts(file, at=timezone.now())
        except Organisation.DoesNotExist as error:
            raise CommandError("There is nobody to act for. Run load_demo first.") from error
        sign_in = reverse(settings.LOGIN_URL)
        if options["json"]:
            rows = [asdict(account) for account in accounts]
            self.stdout.write(json.dumps({"sign_in": sign_in, "accounts": rows}, ensure_ascii=False))
            return
        table = Table(
            "role",
            Column("username", no_wrap=True),
            Column("password", no_wrap=True),
            "code",
            Column("acts for", no_wrap=True),
            title=f"Sign in at {sign_in}",
            caption="Where it says so, a code follows the password: ./run manage demo_code ROLE",
        )
        for account in accounts:
            code = "yes" if account.has_factor else ""
            table.add_row(account.role, account.username, account.password, code, account.organisation)
        Console(file=self.stdout._out).print(table)  # type: ignore[arg-type]
        for account in accounts:
            if account.key:
                self.stdout.write(f"A {account.role}'s key for the API, see /api/docs/: {account.key}")
        self.stdout.write(f"Kept in {file}")
