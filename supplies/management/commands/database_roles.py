"""Give the database's roles what they need and nothing else."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import ProgrammingError

from supplies.upkeep import roles


class Command(BaseCommand):
    help = (
        "Make the roles web, worker, audit and reports, and grant each what supplies/upkeep/grants.csv says. Run it"
        " as the owner of the tables after every migrate; twice changes nothing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 if something differs"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            changed = 0 if options["check"] else roles.grant()
            missing, too_much = roles.differences()
        except roles.Undecided as tables:
            raise CommandError(
                f"Nobody has decided who may use {tables}. Give each a line in {roles.GRANTS.name}."
            ) from tables
        except ProgrammingError as error:
            raise CommandError(
                f"{error}Run this as the owner of the tables; the first time that has to be allowed to create roles."
            ) from error
        wrong = [
            *(f"lacks {_said(right)}" for right in sorted(missing)),
            *(f"should not have {_said(right)}" for right in sorted(too_much)),
            *(f"{name} is more than a user of these tables" for name in roles.powerful()),
        ]
        if wrong:
            raise CommandError("\n".join(wrong))
        names = ", ".join(map(roles.name_of, roles.ROLES))
        self.stdout.write(f"{names}: {changed} changed, all as {roles.GRANTS.name} says.")


def _said(right: roles.Right) -> str:
    column = f"({right.column})" if right.column else ""
    return f"{roles.name_of(right.role)}: {right.privilege}{column} on {right.table}"
