"""How long it takes from a post to its proposals, with ten thousand needs and as many offers open and matched already.

A worker as the launcher starts it hears of the post by the journal, matches the family and stores what it proposes: the
clock runs from the commit of the post to the commit of the proposals.
"""

import time
from datetime import timedelta
from random import Random
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from bench import databases
from bench.country import populate
from bench.reporting import Report, Table
from launcher import processes, programs
from launcher.stack import Stack
from launcher.state import State
from matching.models import FamilyRun, MatchingRun, RunStatus
from supplies.emergencies.models import Emergency
from supplies.needs import services as asking
from supplies.needs.models import Need
from supplies.organisations.models import Facility

ROWS, POSTS, SEED = 10_000, 30, 1
DATABASE = "bench_event"
SECONDS_TO_START, SECONDS_TO_MATCH = 60, 60
GOAL_MEDIAN = 1.0


def measure() -> Report:
    databases.make_template()
    databases.make(DATABASE)
    emergency = populate(ROWS, ROWS, at=timezone.now())
    call_command("match", verbosity=0)
    worker = programs.worker(Stack(State(settings.STATE_DIR)))
    worker.environment = {**(worker.environment or {}), "DATABASE_URL": databases.url(DATABASE)}
    worker.start()
    try:
        _wait_for_the_first(emergency)
        chance = Random(SEED)
        posts = [_posted(emergency, chance) for _post in range(POSTS)]
    finally:
        worker.stop()
    return _report(posts)


def _wait_for_the_first(emergency: Emergency) -> None:
    """A worker that has just started imports the kernel; that is nobody's post."""
    _posted(emergency, Random(0), seconds=SECONDS_TO_START)


def _posted(emergency: Emergency, chance: Random, seconds: float = SECONDS_TO_MATCH) -> dict[str, Any]:
    """Post one urgent need of goods that are asked for elsewhere, and wait until its family was matched."""
    item = chance.choice(list(Need.objects.open().order_by("item").values_list("item", flat=True).distinct()))
    facility = chance.choice(list(Facility.objects.order_by("pk")[:500]))
    like = Need.objects.open().filter(item=item).select_related("item").order_by("pk")[0]
    at = timezone.now()
    day = timezone.localdate(at) + timedelta(days=9)
    line = {"item": like.item, "quantity": like.asked, "urgency": 1, "needed_by": day}
    appeal = asking.post(facility, emergency=emergency, lines=[line], by=None, at=at)
    asking.publish_moderated(appeal, at=at)
    began = time.perf_counter()

    def is_matched() -> bool:
        ended = MatchingRun.objects.filter(created_at__gte=at, status=RunStatus.DONE)
        return ended.exists() and not MatchingRun.objects.unfinished().filter(created_at__gte=at).exists()

    if not processes.wait_until(is_matched, seconds=seconds, every=0.01):
        raise RuntimeError("The post was not matched in time; see the log of the worker.")
    took = time.perf_counter() - began
    need = appeal.needs.get()
    families = FamilyRun.objects.filter(run__created_at__gte=at)
    size = sum(families.values_list("needs", flat=True)), sum(families.values_list("offers", flat=True))
    return {"seconds": took, "needs": size[0], "offers": size[1], "proposed": need.quantity_proposed > 0}


def _report(posts: list[dict[str, Any]]) -> Report:
    took = sorted(post["seconds"] for post in posts)
    median, p95 = took[len(took) // 2], took[int(0.95 * len(took))]
    largest = max(post["needs"] for post in posts)
    rows = [
        ["seconds at the median", f"{median:.2f}", GOAL_MEDIAN],
        ["seconds of 19 in 20", f"{p95:.2f}", ""],
        ["posts that were proposed something", sum(post["proposed"] for post in posts), ""],
        ["needs in the largest family matched again", largest, ""],
    ]
    return Report(
        "event",
        "From a post to its proposals",
        f"{ROWS:,} needs and {ROWS:,} offers are open and matched. {POSTS} times an urgent need is posted, of goods that are asked"
        " for elsewhere, and the time taken from the commit of the post until a worker with two processes has heard of it by the"
        " journal, read the snapshot, matched the family again and stored what it proposes.",
        [Table(["what", "seen", "goal"], rows)],
        {"posts": posts, "median_seconds": median, "p95_seconds": p95},
    )
