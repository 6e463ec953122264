"""`python -m bench.taking FILE`: take a list in, in a process of its own, and say on a line of JSON how that went.

`take` is the one place that knows how a file is taken in: read, and each row compared with what is known and laid out.
"""

import json
import os
import sys
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

import django

from bench.watched import peak_mib

SOURCE = "bench"


class Taken(NamedTuple):
    """What became of a file.

    rows, staged   its rows, and those of the batch: rows of one hospital that follow one another are one
    reading        seconds until all rows lay aside; the rest is staging
    parser_mib     the most memory that the limited process had in which strangers' files are opened
    """

    rows: int
    staged: int
    doubtful: int
    unreadable: int
    reading: float
    parser_mib: float


def take(file: Path) -> Taken:
    """Read and stage every row of a file, as a worker does, though at one go."""
    from django.utils import timezone

    from supplies.emergencies.models import Emergency
    from supplies.intake.formats.sheet import ROWS
    from supplies.intake.mapping import emergency_of, format_of, propose_mapping
    from supplies.intake.models import Import, Verdict
    from supplies.intake.opening import head_of, rows_in
    from supplies.intake.reading_in import read_on

    at = timezone.now()
    emergency, _made = Emergency.objects.get_or_create(
        code=SOURCE,
        defaults={"name_zh": "演练", "name_en": "Bench", "began_on": date(2020, 1, 20), "status": "respond"},
    )
    began = time.perf_counter()
    kind = format_of(propose_mapping(head_of(file).rows, source=SOURCE).plan, emergency_of(emergency))
    batch = Import.objects.create(
        format=kind.code,
        source=kind.code,
        plan=kind.plan,
        emergency=emergency,
        file_name=file.name,
        started_at=at,
        touched_at=at,
    )
    with rows_in(file, kind) as opened:
        reading = time.perf_counter() - began
        read_on(batch.pk, opened, kind, at=at)
        rows = sum(1 + len(raw.get(ROWS, ())) for _number, raw in opened.rows)
    count = {verdict: batch.staged.filter(verdict=verdict).count() for verdict in Verdict}
    return Taken(
        rows,
        sum(count.values()),
        count[Verdict.DOUBTFUL],
        count[Verdict.UNREADABLE],
        round(reading, 1),
        round(opened.peak / 2**20, 1),
    )


def main(file: Path) -> None:
    began, worked = time.perf_counter(), time.process_time()
    taken = take(file)
    print(
        json.dumps(
            {
                **taken._asdict(),
                "seconds": round(time.perf_counter() - began, 2),
                "processor": round(time.process_time() - worked, 2),
                "peak_mib": peak_mib(),
            }
        )
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(Path(sys.argv[1]))
