"""`python -m bench.downloading FORM`: take a whole download, or make a dump, in a process of its own, and say on a line of JSON how that went."""

import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import django
from defusedxml.ElementTree import fromstring

from bench.watched import peak_mib

PAGES = 50  # of a feed; there is no end to reading on
ATOM = "{http://www.w3.org/2005/Atom}"


def pieces(form: str) -> Iterator[bytes]:
    """What a reader gets, piece by piece; of a feed page after page."""
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    address: str | None = f"/open/needs.{form}" + ("?page_size=200" if form == "atom" else "")
    for _page in range(PAGES if form == "atom" else 1):
        response: Any = client.get(address)
        if response.status_code != 200:
            raise RuntimeError(f"{address}: {response.status_code}")
        yield from response if response.streaming else [response.content]
        address = _next(response.content) if form == "atom" else None
        if address is None:
            return


def _next(feed: bytes) -> str | None:
    links = fromstring(feed).iter(f"{ATOM}link")  # our own
    return next((link.attrib["href"] for link in links if link.attrib.get("rel") == "next"), None)


def take(form: str) -> dict[str, Any]:
    size = pieces_taken = 0
    first = None
    began = time.perf_counter()
    for piece in pieces(form):
        first = first or time.perf_counter() - began
        size += len(piece)
        pieces_taken += 1
    return {"megabytes": round(size / 1e6, 1), "pieces": pieces_taken, "first_piece": round(first or 0, 2)}


def dump() -> dict[str, Any]:
    from django.utils import timezone

    from supplies.opendata.services import publish

    made = publish(at=timezone.now())
    assert made is not None
    return {
        "megabytes": round(sum(part.bytes for part in made.parts) / 1e6, 1),
        "rows": sum(part.rows for part in made.parts),
    }


def main(form: str) -> None:
    began, worked = time.perf_counter(), time.process_time()
    found = dump() if form == "dump" else take(form)
    print(
        json.dumps(
            {
                **found,
                "seconds": round(time.perf_counter() - began, 1),
                "processor": round(time.process_time() - worked, 1),
                "peak_mib": peak_mib(),
            }
        )
    )


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    main(sys.argv[1])
