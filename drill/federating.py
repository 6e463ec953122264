"""What one of two instances does in the drill of federation, in a process of its own; it says what came of it as JSON."""

import gzip
import json
import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402

import tests.makers  # noqa: E402

tests.makers.NOW = timezone.now()
tests.makers.TODAY = tests.makers.NOW.date()

from supplies.federation import feed, services  # noqa: E402
from supplies.federation.models import ForeignNeed, Peer  # noqa: E402
from supplies.opendata import dump  # noqa: E402
from supplies.organisations.models import Organisation  # noqa: E402


def need() -> dict[str, str]:
    return {"need": str(tests.makers.make_need(quantity=700).pk)}


def introduce(name: str, address: str) -> dict[str, str]:
    peer = services.introduce(Peer(name=name, address=address), by=None, at=timezone.now())
    return {"peer": str(peer.pk)}


def fingerprints() -> dict[str, str]:
    return {peer.name: feed.fingerprint(peer.public_key) for peer in Peer.objects.exclude(public_key="")}


def subscribe(name: str) -> dict[str, str]:
    return {"status": services.subscribe(Peer.objects.get(name=name), by=None, at=timezone.now()).status}


def match(name: str) -> dict[str, bool]:
    peer = services.match(
        Peer.objects.get(name=name), reason="the drill", vouched=True, by=None, at=timezone.now()
    )
    return {"matched": peer.is_matched}


def match_no_more(name: str) -> dict[str, bool]:
    peer = services.match_no_more(Peer.objects.get(name=name), reason="the drill", by=None, at=timezone.now())
    return {"matched": peer.is_matched}


def stand_ins() -> dict[str, str]:
    """The needs here that stand for others', by their id there, with their status."""
    rows = ForeignNeed.objects.filter(need__isnull=False).select_related("need")
    return {str(row.origin_id): row.need.status for row in rows if row.need}


def rename() -> dict[str, int]:
    """Both instances make the same hospital; here it is called otherwise, so that nobody asks for itself."""
    return {"named": Organisation.objects.update(normal_name="another hospital")}


def published() -> dict[str, str]:
    """Every file of the newest dump, unpacked."""
    made = dump.newest()
    assert made is not None
    return {
        part.name: gzip.decompress((made.folder / part.name).read_bytes()).decode()
        for part in made.parts
        if part.kind == "needs"
    }


VERBS = {
    verb.__name__: verb
    for verb in (need, introduce, fingerprints, subscribe, match, match_no_more, stand_ins, rename, published)
}

if __name__ == "__main__":
    print(json.dumps(VERBS[sys.argv[1]](*sys.argv[2:]), ensure_ascii=False))
