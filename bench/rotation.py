"""Changing the field keys under writes, and finding a number among many: how long, and does the time grow with the rows."""

import base64
import os
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.test.utils import override_settings
from django.utils import timezone

from bench.databases import make, make_template, settle, write
from bench.reporting import Report, Table
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Organisation
from supplies.privacy import rotation
from supplies.privacy.rotation import faces, keys_in_use, lost_keys, rotate
from supplies.regions.models import Region

ROWS = int(os.environ.get("ROTATION_ROWS", "100000"))
DATABASE = "bench_rotation"
LOOKED_UP = 200
OLD, NEW = (
    f"{name}:{base64.b64encode(bytes([number]) * 32).decode()}" for number, name in enumerate(("old", "new"))
)


def measure() -> Report:
    make_template()
    make(DATABASE)
    with override_settings(FIELD_KEYS=[OLD]):
        _fill(ROWS)
    settle()
    with override_settings(FIELD_KEYS=[NEW, OLD]):
        figures: dict[str, Any] = {"rows": ROWS, "check_seconds": _timed(lost_keys), "found_ms": _look_up()}
        with _somebody_writes() as waited:
            figures["rotation_seconds"] = _timed(rotate)
        figures["writes"], figures["write_ms"] = len(waited), _percentiles(waited)
        figures["found_after_ms"] = _look_up()
        assert {key for key, _where, _count in keys_in_use()} == {"new"}
    with override_settings(FIELD_KEYS=[NEW]):
        assert lost_keys() == []
    return _report(figures)


def _fill(rows: int) -> None:
    house = Organisation(
        kind="hospital", name="演练", normal_name="演练", region=Region.objects.get(pk="420106")
    )
    house.created_at = timezone.now()
    write(Organisation, [house])
    for begin in range(0, rows, 10_000):
        write(Contact, (_contact(house, number) for number in range(begin, min(begin + 10_000, rows))))


def _contact(house: Organisation, number: int) -> Contact:
    contact = Contact(organisation=house)
    contact.name, contact.phone, contact.email = f"演练{number}", _number(number), f"n{number}@demo.invalid"
    return contact


def _number(number: int) -> str:
    return f"000-{number // 10_000:04}-{number % 10_000:04}"


def _timed(verb: Any) -> float:
    began = time.perf_counter()
    verb()
    return round(time.perf_counter() - began, 2)


def _look_up() -> dict[str, float]:
    took = []
    for number in range(0, ROWS, max(1, ROWS // LOOKED_UP)):
        began = time.perf_counter()
        assert Contact.objects.with_phone(_number(number)).count() == 1
        took.append(1000 * (time.perf_counter() - began))
    return _percentiles(took)


def _percentiles(took: list[float]) -> dict[str, float]:
    ordered = sorted(took) or [0.0]
    return {
        "p50": round(statistics.median(ordered), 2),
        "p95": round(ordered[int(0.95 * (len(ordered) - 1))], 2),
    }


@contextmanager
def _somebody_writes() -> Iterator[list[float]]:
    """Contacts being prolonged meanwhile, about a hundred a second: how long each write waited, in milliseconds."""
    waited: list[float] = []
    over = threading.Event()
    some = list(Contact.objects.values_list("pk", flat=True)[:: max(1, ROWS // 500)])

    def write_on() -> None:
        position = 0
        while not over.wait(0.01):
            began = time.perf_counter()
            Contact.objects.filter(pk=some[position % len(some)]).update(erase_on=timezone.localdate())
            waited.append(1000 * (time.perf_counter() - began))
            position += 1
        connection.close()

    writer = threading.Thread(target=write_on)
    writer.start()
    try:
        yield waited
    finally:
        over.set()
        writer.join()


def _report(figures: dict[str, Any]) -> Report:
    rows, seconds = figures["rows"], figures["rotation_seconds"]
    figures["rows_a_second"] = round(rows / seconds)
    figures["batch"], figures["columns"] = (
        rotation.BATCH,
        [column for face in faces() for column in face.columns],
    )
    found, after, waits = figures["found_ms"], figures["found_after_ms"], figures["write_ms"]
    table = Table(
        ["what", "figure"],
        [
            ["contacts", f"{rows:,}"],
            [
                "sealed anew, lookups included",
                f"{seconds:,.1f} s, {figures['rows_a_second']:,} rows a second",
            ],
            [
                "a million at that pace (goal: 30 minutes)",
                f"{1e6 / figures['rows_a_second'] / 60:.1f} minutes",
            ],
            ["writes meanwhile", f"{figures['writes']:,}: p50 {waits['p50']} ms, p95 {waits['p95']} ms"],
            ["a number found, two keys known", f"p50 {found['p50']} ms, p95 {found['p95']} ms"],
            ["the same after the rotation", f"p50 {after['p50']} ms, p95 {after['p95']} ms"],
            ["the start's check for lost keys", f"{figures['check_seconds']} s"],
        ],
    )
    says = (
        f"Contacts with a name, a number and an address of mail each, sealed with one key and sealed anew with another in"
        f" batches of {rotation.BATCH}, while a thread goes on writing to them. Numbers are looked for through their keyed hashes."
    )
    return Report("rotation", "Changing the field keys", says, [table], figures)
