"""Seal anew what an older field key has sealed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from supplies.privacy.rotation import idle_keys, lost_keys, rotate
from supplies.sealing import known_keys, newest_key


class Command(BaseCommand):
    help = "Seal everything with the newest of FIELD_KEYS, while the site runs. Killed, it goes on when called again."

    def handle(self, *args: Any, **options: Any) -> None:
        if lost := lost_keys():
            names = ", ".join(sorted({key for key, _where, _count in lost}))
            raise CommandError(
                f"FIELD_KEYS lacks {names}; what it sealed cannot be opened. Put it back behind the newest."
            )
        done = rotate(told=self._tell)
        self.stdout.write(f"{sum(done.values())} rows sealed anew with {newest_key().name}.")
        idle = idle_keys()
        if idle:
            self.stdout.write(f"Nothing is sealed with {', '.join(idle)} any more: it can be removed.")
        elif len(known_keys()) == 1:
            self.stdout.write("There is one key only. Put a new one before it in FIELD_KEYS to change it.")

    def _tell(self, table: str, done: int, all: int) -> None:
        self.stdout.write(f"{table}: {done} of {all}", ending="\n")
