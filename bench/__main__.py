"""`./run bench [NAME …]`: measure, print, and keep the figures in bench/results/."""

import os
import sys

import django


def main(names: list[str]) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from bench import api, books, chain, enumeration, kernel, matching, races, rotation

    measures = {
        "kernel": kernel.measure,
        "matching": matching.measure,
        "races": races.measure,
        "books": books.measure,
        "api": api.measure,
        "chain": chain.measure,
        "enumeration": enumeration.measure,
        "rotation": rotation.measure,
    }
    unknown = set(names) - set(measures)
    if unknown:
        print(f"There is no bench called {', '.join(sorted(unknown))}. There are: {', '.join(measures)}.")
        return 2
    for name in names or measures:
        print(f"== {name}", flush=True)
        print(measures[name]().keep(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
