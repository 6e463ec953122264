"""How long the public pages take with a hundred thousand needs: the server's time, and in how many pages of nothing.

The page of nothing is one with the same frame and no rows of its own, asked for in the same round, so that the ratio says
something on a busy machine where seconds do not.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse
from django.utils import timezone

from bench import databases
from bench.country import populate
from bench.reporting import Report, Table
from config.serving import settle_down
from supplies.catalogue.models import Category, Standard
from supplies.needs.counting import count_open
from supplies.needs.models import Need
from supplies.regions.models import Region

ROWS, ROUNDS, WARM_UP = 100_000, 100, 3
P95_MS, MOST_QUERIES = 100, 12  # the goals of every page
EMPTY = "sign-in"


def measure(arguments: Sequence[str] = ()) -> Report:
    parser = argparse.ArgumentParser(prog="./run bench pages")
    parser.add_argument("--rows", type=int, default=ROWS, help="needs")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="visits of each page")
    chosen = parser.parse_args(arguments)
    home = connection.settings_dict["NAME"]
    name = f"bench_pages_{chosen.rows}"
    databases.keep(name, partial(populate, chosen.rows, 10, at=timezone.now()))
    databases.use(name)
    # Nobody has gathered the static files for a bench; their names are all that a page needs of them.
    plain = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    try:
        with override_settings(ALLOWED_HOSTS=[*settings.ALLOWED_HOSTS, "testserver"], STORAGES=plain):
            count_open(at=timezone.now())
            settle_down()
            found = _visit(_pages(), chosen.rounds)
    finally:
        databases.use(home)
    return _report(found, chosen.rows, chosen.rounds)


def _pages() -> dict[str, Callable[[Random], str]]:
    """What is asked for, each visit somewhere else."""
    needs = list(
        Need.objects.open().order_by("pk").values_list("site__organisation", "item", "site__region")[:500]
    )
    categories = list(Category.objects.order_by("pk").values_list("pk", flat=True))
    standards = list(Standard.objects.order_by("pk").values_list("pk", flat=True))
    provinces = list(Region.objects.filter(parent="CN").values_list("pk", flat=True))

    def listed(**fields: Callable[[Random], Any]) -> Callable[[Random], str]:
        return lambda chance: (
            f"{reverse('needs')}?{urlencode({name: pick(chance) for name, pick in fields.items()})}"
        )

    def of(column: int) -> Callable[[Random], Any]:
        return lambda chance: chance.choice(needs)[column]

    return {
        EMPTY: lambda _chance: reverse(EMPTY),
        "home": lambda _chance: reverse("home"),
        "needs": listed(),
        "needs of a province": listed(region=lambda chance: chance.choice(provinces)),
        "needs of an item due in a week": listed(item=of(1), due=lambda _chance: 7),
        "needs by what one has": listed(have=lambda chance: chance.choice(["KN95", "外科口罩", "防护服"])),
        "needs nearest to a district": listed(near=of(2)),
        "needs nearest, of an item": listed(near=of(2), item=of(1)),
        "needs by word": listed(q=lambda chance: chance.choice(["口罩", "武昌区", "中心医院", "N95"])),
        "needs that take from persons": listed(sender=lambda _chance: "person"),
        "needs of a category": listed(category=lambda chance: chance.choice(categories)),
        "needs that take a standard": listed(standard=lambda chance: chance.choice(standards)),
        "needs of a hospital": listed(organisation=of(0)),
        "needs in reserve, not confirmed": listed(urgency=lambda _chance: 4, fresh=lambda _chance: "false"),
        "needs that are met": listed(status=lambda _chance: "met"),
        "a hospital": lambda chance: reverse("organisation", args=[of(0)(chance)]),
        "an item": lambda chance: reverse("item", args=[of(1)(chance)]),
        "how to give": lambda _chance: reverse("how-to-give"),
    }


def _visit(pages: dict[str, Callable[[Random], str]], rounds: int) -> dict[str, dict[str, Any]]:
    """Milliseconds of each visit, all pages in turn, and of its own work in this process; the most queries and bytes of one."""
    client, chance = Client(headers={"accept-language": "zh-hans"}), Random(1)
    took: dict[str, list[float]] = {name: [] for name in pages}
    worked: dict[str, list[float]] = {name: [] for name in pages}
    most: dict[str, list[int]] = {name: [0, 0] for name in pages}
    for number in range(WARM_UP + rounds):
        for name, address in pages.items():
            asked_for = address(chance)
            began, at_work = time.perf_counter(), time.process_time()
            answer = client.get(asked_for, secure=True)
            ms = 1000 * (time.perf_counter() - began)
            own_ms = 1000 * (time.process_time() - at_work)
            if answer.status_code != 200:
                raise RuntimeError(f"{asked_for} answered {answer.status_code}")
            if number >= WARM_UP:
                took[name].append(ms)
                worked[name].append(own_ms)
            else:
                with CaptureQueriesContext(connection) as asked:
                    client.get(asked_for, secure=True)
                most[name] = [max(most[name][0], len(asked)), max(most[name][1], len(answer.content))]
    floor = median(took[EMPTY])
    return {
        name: {
            "median_ms": median(times),
            "p95_ms": quantiles(times, n=20)[-1],
            "own_median_ms": median(worked[name]),
            "own_p95_ms": quantiles(worked[name], n=20)[-1],
            "ratio": median(times) / floor,
            "queries": most[name][0],
            "bytes": most[name][1],
        }
        for name, times in took.items()
    }


def _report(found: dict[str, dict[str, Any]], rows: int, rounds: int) -> Report:
    table = [
        [
            name,
            f"{row['median_ms']:.0f}",
            f"{row['p95_ms']:.0f}",
            f"{row['own_median_ms']:.0f}",
            f"{row['own_p95_ms']:.0f}",
            f"{row['ratio']:.1f}",
            row["queries"],
            f"{row['bytes'] / 1000:.0f}",
            "met" if row["p95_ms"] < P95_MS and row["queries"] <= MOST_QUERIES else "**not met**",
        ]
        for name, row in found.items()
    ]
    return Report(
        "pages",
        "How fast the public pages are",
        f"Over {rows:,} needs, {rounds} visits of each page in turn, each visit somewhere else, asked of the site in one process"
        f" through all its layers but the network. *Own* is the work of that process alone, without the database and without"
        f" waiting for others on the machine. *Times* is the median over that of the page of signing in, which has the"
        f" same frame and no rows. Goals: p95 under {P95_MS} ms, at most {MOST_QUERIES} queries. kB before compression.",
        [
            Table(
                ["page", "median ms", "p95 ms", "own ms", "own p95", "times", "queries", "kB", "goals"], table
            )
        ],
        {"rows": rows, "rounds": rounds, "pages": found},
    )
