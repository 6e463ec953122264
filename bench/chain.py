"""The chain over the journal: what it costs who writes, how fast it is sealed and verified, and in how much memory."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.databases import make, make_template, settle, url
from bench.reporting import Report, Table
from supplies.emergencies.models import Emergency
from supplies.journal import chain
from supplies.journal.services import record

EVENTS, FEW = 1_000_000, 10_000
WRITES, ROUNDS = 1_000, 5
DATABASE = "bench_chain"
FILL = """
INSERT INTO supplies_event (kind, at, subject, subject_id, facts)
SELECT 'need.opened', now(), 'need', gen_random_uuid()::text, jsonb_build_object('item', 'MASK_SURG', 'emergency', 'bench', 'n', n)
  FROM generate_series(1, %s) AS n
"""


def measure() -> Report:
    make_template()
    make(DATABASE)
    emergency = Emergency.objects.create(
        code="bench", name_zh="演练", name_en="Bench", status="respond", began_on=timezone.localdate()
    )
    rounds = [
        {"with": _writes(emergency), "without": _writes(emergency, waiting=False)} for _ in range(ROUNDS)
    ]
    with connection.cursor() as cursor:  # what was written without waiting would look like tampering
        cursor.execute("INSERT INTO supplies_unsealed SELECT id FROM supplies_event ON CONFLICT DO NOTHING")
    small = _chain(FEW)
    large = _chain(EVENTS - FEW)
    return _report(rounds, small, large)


def _writes(emergency: Emergency, *, waiting: bool = True) -> float:
    """Microseconds an event takes to be recorded, each in a transaction of its own."""
    with connection.cursor() as cursor:
        state = "ENABLE" if waiting else "DISABLE"
        cursor.execute(f"ALTER TABLE supplies_event {state} TRIGGER event_waits_for_its_seal")
    began = time.perf_counter()
    for number in range(WRITES):
        record(emergency, "bench.rang", by=None, at=timezone.now(), number=number)
    seconds = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE supplies_event ENABLE TRIGGER event_waits_for_its_seal")
    return seconds / WRITES * 1e6


def _chain(events: int) -> dict[str, Any]:
    """Add as many events, seal them, and verify the whole chain in a process of its own."""
    with connection.cursor() as cursor:
        cursor.execute(FILL, [events])
    settle()
    began = time.perf_counter()
    sealed = sum(len(seal.events) for seal in chain.seal(at=timezone.now()))
    sealing = time.perf_counter() - began
    connection.close()
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "bench.watched", "verify_audit"],
        env={**os.environ, "DATABASE_URL": url(DATABASE), "LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    verifying = time.perf_counter() - began
    said, _head, watched = done.stdout.splitlines()
    return {
        "sealed": sealed,
        "sealing_seconds": round(sealing, 2),
        "verifying_seconds_with_start": round(verifying, 2),
        "said": said,
        **json.loads(watched),
    }


def _report(rounds: list[dict[str, float]], small: dict[str, Any], large: dict[str, Any]) -> Report:
    with_it, without = (_median([row[name] for row in rounds]) for name in ("with", "without"))
    figures = {
        "events": EVENTS,
        "microseconds_an_event_with_the_trigger": round(with_it),
        "microseconds_an_event_without": round(without),
        "ratio": round(with_it / without, 2),
        "sealed_a_second": round(large["sealed"] / large["sealing_seconds"]),
        "few": small,
        "many": large,
        "rounds": [{name: round(value) for name, value in row.items()} for row in rounds],
    }
    return Report(
        "chain",
        f"Sealing and verifying a journal of {EVENTS:,} events",
        f"Recording was measured with and without the trigger that puts an event into the queue of the sealer, in turn,"
        f" {ROUNDS} rounds of {WRITES} transactions. `verify_audit` ran in a process of its own; its seconds hold the"
        f" start of Python and Django, its memory is the greatest resident size.",
        [
            Table(
                ["what", "figure"],
                [
                    [
                        "recording an event, with / without waiting for its seal",
                        f"{with_it:.0f} / {without:.0f} µs",
                    ],
                    ["ratio", figures["ratio"]],
                    ["events sealed a second", figures["sealed_a_second"]],
                ],
            ),
            Table(
                ["events in the chain", "verified in seconds", "peak MiB"],
                [
                    [f"{FEW:,}", small["verifying_seconds_with_start"], small["peak_mib"]],
                    [f"{EVENTS:,}", large["verifying_seconds_with_start"], large["peak_mib"]],
                ],
            ),
        ],
        figures,
    )


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
