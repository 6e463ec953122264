"""`./run bench [NAME …] [OPTIONS OF THE LAST]`: measure, print, and keep the figures in bench/results/."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from itertools import takewhile

import django
from django.utils.module_loading import import_string

MEASURES = {
    "kernel": "bench.kernel.measure",
    "matching": "bench.matching.measure",
    "growth": "bench.growth.measure",
    "stability": "bench.stability.measure",
    "pages": "bench.pages.measure",
    "ppe": "bench.ppe.measure",
    "end-to-end": "bench.end_to_end.measure",
    "event": "bench.event.measure",
    "races": "bench.races.measure",
    "books": "bench.books.measure",
    "api": "bench.api.measure",
    "chain": "bench.chain.measure",
    "enumeration": "bench.enumeration.measure",
    "downloads": "bench.downloads.measure",
    "rotation": "bench.rotation.measure",
    "webhooks": "bench.webhooks.measure",
    "intake": "bench.intake.measure",
    "announcements": "bench.intake.measure_announcements",
    "logistics": "bench.logistics.measure",
    "load": "bench.load.measure",
}
WITH_OPTIONS = {"growth", "pages", "downloads", "load"}
USUAL = ("kernel", "end-to-end", "api")  # without names: those that take minutes


def main(arguments: Sequence[str]) -> int:
    """Names first, then the options of the last one."""
    names = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
    options = arguments[len(names) :]
    unknown = set(names) - set(MEASURES)
    known = f"There are: {', '.join(MEASURES)}; with options: {', '.join(sorted(WITH_OPTIONS))}."
    if unknown:
        print(f"There is no bench called {', '.join(sorted(unknown))}. {known}")
        return 2
    if not names and {"-h", "--help"} & set(options):
        print(f"./run bench [NAME …] [OPTIONS OF THE LAST]. {known}")
        return 0
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    for name in names or USUAL:
        measure = import_string(MEASURES[name])
        print(f"== {name}", flush=True)
        print((partial(measure, options) if name in WITH_OPTIONS else measure)().keep(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
