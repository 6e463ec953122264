"""A client that writes without end and keeps its own journal of what it was told is done.

python -m drill.writing prepare CLIENTS             prints the shipments to write about
python -m drill.writing write SHIPMENT JOURNAL      until it is told to end
python -m drill.writing account JOURNAL…            compares the journals with the database; prints JSON
"""

import json
import signal
import sys
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

import django

django.setup()

from django.db import Error, connection  # noqa: E402  (settings first)
from django.utils import timezone  # noqa: E402

from matching import books  # noqa: E402
from supplies.errors import is_busy_or_away  # noqa: E402
from supplies.journal import chain  # noqa: E402
from supplies.journal.models import Event  # noqa: E402
from supplies.journal.services import unheard  # noqa: E402
from supplies.shipments import sightings  # noqa: E402
from supplies.shipments.models import Shipment  # noqa: E402
from supplies.shipments.tracking import TrackingEvent  # noqa: E402
from tests.makers import make_shipment  # noqa: E402

told_to_end = False


def prepare(clients: int) -> None:
    with unheard():  # there is no worker here to tell anybody
        for _client in range(clients):
            print(make_shipment(status="in_transit").pk)


def write(shipment_id: str, journal: Path) -> None:
    """One sighting after the other, each under a key of its own; the same key again until the database has said yes."""
    shipment = Shipment.objects.get(pk=shipment_id)
    with journal.open("a", buffering=1) as out:
        for number in count():
            key = f"{shipment_id[:8]}-{number}"
            while not _is_written(shipment, key, out):
                if told_to_end:
                    return
                time.sleep(0.05)
            print(key, file=out)
            if told_to_end:
                return


def _is_written(shipment: Shipment, key: str, out: Any) -> bool:
    now = timezone.now()
    try:
        sightings.report(shipment, occurred_at=now, step="transporting", by=None, at=now, external_id=key)
    except Error as error:
        if not is_busy_or_away(error):
            raise
        connection.close()
        print(f"again {key}", file=out)
        return False
    return True


def account(journals: list[Path]) -> None:
    lines = [line for journal in journals for line in journal.read_text().splitlines()]
    acknowledged = {line for line in lines if not line.startswith("again ")}
    stored = Counter(TrackingEvent.objects.exclude(external_id="").values_list("external_id", flat=True))
    chain.seal(at=timezone.now())
    found: dict[str, Any] = {
        "acknowledged": len(acknowledged),
        "tried_again": len(lines) - len(acknowledged),
        "lost": len(acknowledged - stored.keys()),
        "doubled": sum(times - 1 for times in stored.values()),
        "without_journal": abs(Event.objects.filter(kind="shipment.seen").count() - stored.total()),
        "faults_of_the_chain": len(chain.verify().faults),
    }
    found["invariants"] = "; ".join(books.faults(at=timezone.now())[:3]) or "hold"
    print(json.dumps(found))


def end(*_signal: Any) -> None:
    global told_to_end
    told_to_end = True


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    what, *rest = sys.argv[1:]
    if what == "prepare":
        prepare(int(rest[0]))
    elif what == "write":
        write(rest[0], Path(rest[1]))
    else:
        account([Path(journal) for journal in rest])
