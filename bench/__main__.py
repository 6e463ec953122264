"""`./run bench [NAME …] [OPTIONS OF load OR growth]`: measure, print, and keep the figures in bench/results/."""

import os
import sys
from collections.abc import Sequence
from functools import partial
from itertools import takewhile

import django


def main(arguments: Sequence[str]) -> int:
    """Names first, then the options of the last one. Without names, those that take minutes."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    names = list(takewhile(lambda argument: not argument.startswith("-"), arguments))
    options = arguments[len(names) :]
    from bench import (
        api,
        books,
        chain,
        downloads,
        end_to_end,
        enumeration,
        event,
        growth,
        intake,
        kernel,
        load,
        logistics,
        matching,
        pages,
        ppe,
        races,
        rotation,
        stability,
        webhooks,
    )

    measures = {
        "kernel": kernel.measure,
        "matching": matching.measure,
        "growth": partial(growth.measure, options),
        "stability": stability.measure,
        "pages": partial(pages.measure, options),
        "ppe": ppe.measure,
        "end-to-end": end_to_end.measure,
        "event": event.measure,
        "races": races.measure,
        "books": books.measure,
        "api": api.measure,
        "chain": chain.measure,
        "enumeration": enumeration.measure,
        "downloads": partial(downloads.measure, options),
        "rotation": rotation.measure,
        "webhooks": webhooks.measure,
        "intake": intake.measure,
        "announcements": intake.measure_announcements,
        "logistics": logistics.measure,
        "load": partial(load.measure, options),
    }
    unknown = set(names) - set(measures)
    if unknown:
        print(f"There is no bench called {', '.join(sorted(unknown))}. There are: {', '.join(measures)}.")
        return 2
    for name in names or ("kernel", "end-to-end", "api"):
        print(f"== {name}", flush=True)
        print(measures[name]().keep(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
