"""Write what a run matched, and what it found, as files for people who compute elsewhere."""

from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from matching import exchange
from matching.exchange import Instance
from matching.kernel.plan import Plan
from matching.kernel.problem import Problem
from matching.models import FamilyRun, MatchingRun, RunStatus
from matching.snapshot import Rows
from supplies.needs.models import Need
from supplies.offers.models import Offer


class Command(BaseCommand):
    help = (
        "Write the problem and the plan of a run as CSV, to be read by import_problem and by other programs. "
        "No names, no contacts; but places of goods, so ask before it is published. See docs/matching-data.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN", help="the id of a run that has ended, or: latest")
        parser.add_argument("folder", metavar="DIR", type=Path, help="a folder; made if it is not there")

    def handle(self, **options: Any) -> None:
        run, folder = self._run(options["run"]), options["folder"]
        families = [row for row in run.families.order_by("family") if row.problem]
        try:
            instances = [_instance(row) for row in families]
        except (KeyError, TypeError) as error:
            raise CommandError(
                f"Run {run.pk} was stored by an older kernel that knew less of a problem; export a newer run."
            ) from error
        plans = [
            (row.family, each.problem, Plan.from_bytes(bytes(row.plan)))
            for row, each in zip(families, instances, strict=True)
            if row.plan
        ]
        try:
            exchange.write(folder, instances, _about(run, families))
            exchange.write_plans(folder, plans)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
        self._check(folder, instances)
        parcels = sum(len(plan.assignments) for _family, _problem, plan in plans)
        self.stdout.write(
            f"{folder}: run {run.pk}, {len(instances)} families,"
            f" {sum(len(each.problem.demands) for each in instances)} demands,"
            f" {sum(len(each.problem.supplies) for each in instances)} supplies, {parcels} assignments."
        )

    def _run(self, key: str) -> MatchingRun:
        ended = MatchingRun.objects.filter(status__in=[RunStatus.DONE, RunStatus.FAILED])
        if key == "latest":
            run = ended.filter(status=RunStatus.DONE).newest_first().first()
            if run is None:
                raise CommandError("No run has been done yet. Start one: ./run manage match")
            return run
        try:
            return ended.get(pk=UUID(key))
        except (ValueError, MatchingRun.DoesNotExist) as error:
            raise CommandError(f"There is no run {key} that has ended. Give its id, or: latest") from error

    def _check(self, folder: Path, instances: Iterable[Instance]) -> None:
        """Files that do not give back the problem they were made of are worth nothing, so it is tried at once."""
        read = {each.family: each.problem.digest() for each in exchange.read(folder).instances}
        if read != {each.family: each.problem.digest() for each in instances}:
            raise CommandError("What was written is not what was stored; do not use it, and report this.")


def _about(run: MatchingRun, families: Iterable[FamilyRun]) -> dict[str, Any]:
    made_with: dict[str, Any] = next((row.made_with for row in families if row.made_with), {})
    return {
        "run": str(run.pk),
        "emergency": run.emergency_id,
        "as_of": run.as_of.isoformat(),
        "editions": run.editions,
        "made_with": made_with,
    }


def _instance(family: FamilyRun) -> Instance:
    rows = Rows.from_bytes(bytes(family.rows or b""))
    needs = [rows.need_id(position) for position in range(len(rows.need))]
    offers = [rows.offer_id(position) for position in range(len(rows.offer))]
    item_of = {
        **dict(Need.objects.filter(pk__in=needs).values_list("pk", "item")),
        **dict(Offer.objects.filter(pk__in=offers).values_list("pk", "item")),
    }
    return Instance(
        family.family,
        Problem.from_bytes(bytes(family.problem or b"")),
        {
            "demands": {"item": [item_of.get(pk, "") for pk in needs], "need": [str(pk) for pk in needs]},
            "supplies": {"item": [item_of.get(pk, "") for pk in offers], "offer": [str(pk) for pk in offers]},
        },
    )
