"""The first crawl: what the public and a stranger open holds nothing that was planted for others; and a search that finds."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.test import Client

from supplies.free_text import free_text_columns
from supplies.privacy.register import entries
from tests.access import canaries
from tests.access.canaries import Canary, World
from tests.api_client import today  # noqa: F401
from tests.makers import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(private_root: Path) -> World:
    return canaries.plant()


def test_every_guarded_field_that_can_hold_one_holds_a_canary(world: World) -> None:
    planted = {canary.where for canary in world.canaries}
    guarded = {f"{entry.model}.{entry.field}" for entry in entries() if entry.kind in canaries.GUARDED}
    free = {f"{model._meta.label}.{name}" for model, name in free_text_columns()}
    empty = {f"{m._meta.label}." for m in apps.get_models() if not m._base_manager.exists()}

    missing = {
        where for where in (guarded | free) - planted - world.unplanted if not where.startswith(tuple(empty))
    }
    assert missing == set()
    assert planted & {
        "supplies.Contact.phone_sealed",
        "supplies.Appeal.remark",
        "supplies.ImportedRow.raw_sealed",
    }


def test_the_search_finds_what_was_planted_however_it_is_written() -> None:
    canary, other = Canary("x", "13800000001"), Canary("y", "canary0002q")

    for text in ("tel:13800000001", "138-0000-0001", "138 0000 0001", '{"a":"13800000001"}'):
        assert canaries.found_in(text.encode(), [canary, other]) == [canary]
    assert canaries.found_in(b"138****0001", [canary, other]) == []
    assert canaries.found_in("见 canary0002q".encode(), [canary, other]) == [other]


def test_nothing_planted_reaches_the_public_or_a_stranger(world: World) -> None:
    addresses = sorted(set(canaries.addresses()))
    assert len(addresses) > 60

    hits, opened = [], 0
    for user in (None, make_user()):
        client = Client(headers={"accept-language": "en"}, raise_request_exception=False)
        if user is not None:
            client.force_login(user)
        allowed = _of_a_stranger() if user is not None else ()
        for address in addresses:
            answer = client.get(address)
            opened += answer.status_code == 200
            sent = b"".join(answer) if answer.streaming else answer.content
            sent += str(dict(answer.headers)).encode()
            hits += [
                (address, canary)
                for canary in canaries.found_in(sent, world.canaries)
                if canary.where not in allowed or canary.value.startswith("138")
            ]

    assert opened > 40
    assert hits == []


def _of_a_stranger() -> tuple[str, ...]:
    """What everyone who has signed in may read of verified hospitals; numbers in it are masked all the same."""
    return tuple(f"{entry.model}.{entry.field}" for entry in entries() if entry.seen_by == "signed_in")


def test_what_is_sealed_stands_in_no_table_and_in_no_fixture(world: World, capsys: Any) -> None:
    sealed = [canary for canary in world.canaries if canary.where.endswith("_sealed")]
    assert len(sealed) > 5

    hits = [(name, found) for name, raw in canaries.tables() if (found := canaries.found_in(raw, sealed))]
    call_command("dumpdata", "supplies", exclude=["supplies.secondfactor"])  # a proxy, kept with mfa
    dumped = capsys.readouterr().out.encode()

    assert hits == []
    assert len(dumped) > 10_000
    assert canaries.found_in(dumped, sealed) == []
    assert canaries.found_in(b"".join(raw for _name, raw in canaries.opened()), sealed) == sealed
