"""The matching from end to end, as the command does it, against the loop that volunteer projects write."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from math import asin, cos, radians, sin, sqrt
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from bench.country import populate
from bench.databases import make, make_template, url
from bench.reporting import Report, Table
from supplies.needs.models import Need
from supplies.offers.models import Offer

ROWS, SAMPLE, ROUNDS = 10_000, 400, 3
DATABASE = "bench_end_to_end"
PHASES = {
    "snapshot": "read the snapshot and build the columns",
    "candidates": "look for pairs",
    "flow": "solve",
    "parcels": "whole packs",
    "leftovers": "refill",
    "verify": "verify",
    "explain": "explain",
    "store": "store",
}


def measure() -> Report:
    make_template()
    make(DATABASE)
    populate(ROWS, ROWS, at=timezone.now())
    rounds = []
    for _round in range(ROUNDS):
        looped, taken = _naive()
        run = _command("match", "--dry-run", "--json")
        rounds.append({"loop_sampled_seconds": looped, "loop_sampled_units": taken, **run})
    stored = _command("match", "--json")
    idle = _command("match", "--help")["peak_mib"]
    return _report(rounds, stored, idle)


def _command(*arguments: str) -> dict[str, Any]:
    """Run a management command in a process of its own; its JSON with that process's greatest resident memory."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.watched", *arguments],
        env={**os.environ, "DATABASE_URL": url(DATABASE), "LOG_LEVEL": "ERROR"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    *said, watched = done.stdout.splitlines()
    found = json.loads(said[-1]) if "--json" in arguments else {}
    return {**found, **json.loads(watched)}


def _naive() -> tuple[float, int]:
    """Seconds for all needs, extrapolated from every 25th; and the units those were given.

    Needs by urgency; for each one query for the open offers of its item, sorted by distance in Python; take what is
    left, write it down, go on. No standards, no deadlines, no packs: the loop is given less to do than the matching.
    """
    every = ROWS // SAMPLE
    with transaction.atomic():
        needs = list(
            Need.objects.open()
            .select_related("appeal__facility")
            .order_by("urgency", "needed_by", "pk")[::every]
        )
        began = time.perf_counter()
        taken = sum(_serve(need) for need in needs)
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    return seconds * ROWS / len(needs), taken


def _serve(need: Need) -> int:
    offers = list(
        Offer.objects.open()
        .filter(item=need.item_id, quantity_open__gt=F("quantity_proposed"))
        .select_related("donation__region")
    )
    here = need.appeal.facility.place
    offers.sort(key=lambda offer: _km(here, offer.donation.place))
    wanted = given = need.asked
    for offer in offers:
        if wanted <= 0:
            break
        quantity = min(wanted, offer.quantity_open - offer.quantity_proposed)
        Offer.objects.filter(pk=offer.pk).update(quantity_proposed=F("quantity_proposed") + quantity)
        wanted -= quantity
    Need.objects.filter(pk=need.pk).update(quantity_proposed=given - wanted)
    return given - wanted


def _km(here: Sequence[float], there: Sequence[float]) -> float:
    lat, lon, lat2, lon2 = map(radians, (*here, *there))
    half = sin((lat2 - lat) / 2) ** 2 + cos(lat) * cos(lat2) * sin((lon2 - lon) / 2) ** 2
    return 2 * 6371 * asin(sqrt(half))


def _report(rounds: list[dict[str, Any]], stored: dict[str, Any], idle: float) -> Report:
    dry = _median([run["seconds"]["total"] for run in rounds])
    loop = _median([run["loop_sampled_seconds"] for run in rounds])
    total = stored["seconds"]["total"]
    figures = {
        "needs": ROWS,
        "offers": ROWS,
        "seconds": stored["seconds"],
        "seconds_total": total,
        "seconds_dry_median": dry,
        "peak_mib": stored["peak_mib"],
        "peak_mib_of_an_idle_command": idle,
        "loop_seconds_extrapolated_median": round(loop, 2),
        "loop_sample": SAMPLE,
        "times_faster_than_the_loop": round(loop / total, 1),
        "times_faster_than_the_loop_dry": round(loop / dry, 1),
        "families": stored["families"],
        "proposals": stored["proposals"],
        "units": stored["units"],
        "by_urgency": stored["by_urgency"],
        "rounds": [
            {"dry": run["seconds"]["total"], "loop": round(run["loop_sampled_seconds"], 2)} for run in rounds
        ],
    }
    phases = [[said, stored["seconds"][phase]] for phase, said in PHASES.items()]
    fill = [
        [urgency, row["needs"], row["wanted"], f"{row['fill_after']:.1%}"]
        for urgency, row in stored["by_urgency"].items()
    ]
    compared = [
        ["from snapshot to stored proposals, one process", total],
        ["the same as a dry run, nothing stored (median)", dry],
        [f"naive loop, extrapolated from {SAMPLE} needs (median)", round(loop, 1)],
        ["loop / matching", figures["times_faster_than_the_loop"]],
    ]
    return Report(
        "end-to-end",
        "Matching 10,000 needs with 10,000 offers",
        f"`manage.py match` on PostgreSQL in a process of its own. Naive loop and dry run were measured in turn, {ROUNDS} rounds."
        f" The loop goes through the needs by urgency with one query each and sorts the offers of the same item by distance;"
        f" it looks at no standard, deadline, pack or range, and was timed on every {ROWS // SAMPLE}th need."
        f" Peak memory is the process's greatest resident size (`VmHWM`): {stored['peak_mib']} MiB, of which"
        f" {idle} MiB are Python, Django and the solver's libraries before anything is read."
        f" {stored['proposals']} proposals of {stored['units']} units in {stored['families']} families.",
        [
            Table(["what", "seconds"], compared),
            Table(["phase", "seconds"], phases),
            Table(["urgency", "needs", "units wanted", "filled"], fill),
        ],
        figures,
    )


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
