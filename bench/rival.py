"""A worker of the matching in a process of its own, led step by step, so that two can be brought to every step at once.

python -m bench.rival

It reads commands, a line each, and answers each with a line:

run EMERGENCY dry|real   start a run and lay it out          -> how many families
take FAMILY_RUN          be given a family laid out before   -> 1
lease                    take the lease of every family      -> how many it got
store                    solve and store what it leased      -> how many it stored; the others' lease was lost
"""

import sys
from collections.abc import Callable

import django

django.setup()

from django.utils import timezone  # noqa: E402  (settings first)

from matching import running, services  # noqa: E402
from matching.models import FamilyRun  # noqa: E402
from supplies.emergencies.models import Emergency  # noqa: E402


class Rival:
    def __init__(self) -> None:
        self.waiting: list[FamilyRun] = []
        self.leased: list[FamilyRun] = []

    def run(self, emergency: str, how: str) -> int:
        run = services.start(
            Emergency.objects.get(pk=emergency),
            trigger="hand",
            by=None,
            at=timezone.now(),
            is_dry=how == "dry",
        )
        self.waiting = running.open_run(run.pk, at=timezone.now())
        return len(self.waiting)

    def take(self, family: str) -> int:
        self.waiting = [FamilyRun.objects.get(pk=family)]
        return 1

    def lease(self) -> int:
        tried = [(family, running.take_lease(family.pk, at=timezone.now())) for family in self.waiting]
        self.leased = [leased for _family, leased in tried if leased is not None]
        self.waiting = [family for family, leased in tried if leased is None]
        return len(self.leased)

    def store(self) -> int:
        stored = 0
        for family in self.leased:
            try:
                running.store(family, *running._solve(family, timezone.now), at=timezone.now())
                running._close(family.run_id, at=timezone.now())
                stored += 1
            except running.LeaseLost:
                continue
        return stored


if __name__ == "__main__":
    rival = Rival()
    for line in sys.stdin:
        command, *arguments = line.split()
        step: Callable[..., int] = getattr(rival, command)
        print(step(*arguments), flush=True)
