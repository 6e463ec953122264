"""Reading from another instance: only what its key has signed, each row once, never one of ours, and on from where it stopped."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from supplies.errors import Refused
from supplies.federation import feed, services
from supplies.federation.models import ForeignNeed, Peer
from supplies.needs.models import Need
from supplies.opendata import dump
from supplies.opendata.signing import key_made_at_first_use
from tests.makers import NOW, make_need
from tests.supplies.federation.other import Other

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(days=1)


@pytest.fixture
def other(settings: Any, tmp_path: Path) -> Iterator[Other]:
    """Another instance that is served, and we who read nobody yet."""
    settings.STATE_DIR = tmp_path / "state"
    settings.OPEN_DATA_DIR = tmp_path / "ours"
    key_made_at_first_use(at=NOW)
    other = Other(tmp_path / "theirs")
    with other.served() as address:
        settings.FEDERATION_HOSTS = [address.removeprefix("http://")]
        other.address = address
        yield other


def introduced(other: Other) -> Peer:
    return services.introduce(Peer(name="Other", address=other.address), by=None, at=NOW)


def subscribed(other: Other) -> Peer:
    """As an operator does it: introduce, let the key be fetched, compare, subscribe."""
    peer = services.pull(introduced(other), at=NOW)
    assert peer.public_key == other.key.public, peer.problem
    return services.subscribe(peer, by=None, at=NOW)


def pulled(peer: Peer, at: Any = NOW) -> Peer:
    return services.pull(peer, at=at)


def files_asked_for(other: Other) -> list[int]:
    return [status for path, status in other.asked if path.endswith(".gz")]


# -- Subscribing -----------------------------------------------------------------------------------------------


def test_nothing_is_read_before_somebody_has_compared_the_key(other: Other) -> None:
    make_need()
    other.publishes()
    peer = introduced(other)

    pulled(pulled(peer))

    assert [path for path, _status in other.asked] == ["/open/key/"]
    assert ForeignNeed.objects.count() == 0
    shown = feed.fingerprint(Peer.objects.get().public_key)
    assert shown.replace(" ", "") == other.described["fingerprint"]


def test_without_its_key_nobody_can_subscribe(other: Other) -> None:
    with pytest.raises(Refused, match="nothing to compare"):
        services.subscribe(introduced(other), by=None, at=NOW)


def test_the_database_lets_nobody_be_read_without_a_key(other: Other) -> None:
    introduced(other)

    with pytest.raises(IntegrityError, match="peer_is_read_by_a_key_that_is_known"), transaction.atomic():
        Peer.objects.update(status="active")


def test_nobody_subscribes_to_oneself(other: Other, settings: Any) -> None:
    settings.OPEN_DATA_INSTANCE = other.instance

    peer = pulled(introduced(other))

    assert (peer.public_key, peer.problem) == ("", "This is ourselves.")


# -- What is read ----------------------------------------------------------------------------------------------


def test_their_needs_are_kept_with_their_origin_and_none_of_them_is_ours(other: Other) -> None:
    need = make_need(quantity=700)
    other.publishes()

    peer = pulled(subscribed(other))

    assert peer.problem == ""
    kept = ForeignNeed.objects.get()
    assert (kept.peer.instance, kept.origin_id, kept.appeal_id) == (other.instance, need.pk, need.appeal_id)
    assert (kept.quantity, kept.item_id, kept.region_id) == (700, need.item_id, need.site.region_id)
    assert kept.facility_name == need.site.name
    assert kept.link == f"{other.address}/appeals/{need.appeal_id}/"
    assert Need.objects.count() == 1
    assert peer.licence == "CC-BY-4.0"


def test_what_we_publish_holds_nothing_we_were_told(other: Other) -> None:
    make_need()
    other.publishes()
    pulled(subscribed(other))
    ForeignNeed.objects.update(facility_name="演练外院")

    made = dump.write(key_made_at_first_use(at=NOW), at=NOW)

    for part in made.parts:
        text = gzip.decompress((made.folder / part.name).read_bytes()).decode()
        assert "演练外院" not in text
        assert other.instance not in text


def test_our_own_rows_do_not_come_back_nor_do_rows_of_a_third(other: Other, settings: Any) -> None:
    settings.OPEN_DATA_INSTANCE = "https://we.example.org"
    theirs, ours, third = make_need(), make_need(), make_need()
    origins = {str(ours.pk): "https://we.example.org", str(third.pk): "https://third.example.org"}
    forge(other, lambda row: {**row, "origin": origins.get(row["id"], row["origin"])})

    peer = pulled(subscribed(other))

    assert [need.origin_id for need in ForeignNeed.objects.all()] == [theirs.pk]
    assert (peer.came_back, peer.not_its_own, peer.problem) == (1, 1, "")


def forge(other: Other, change: Any, *, at: Any = NOW) -> None:
    """Publish rows that were changed, signed as if they were right."""
    write = dump.lines

    def changed(kind: str, found: Any, shelf: Any) -> Any:
        for piece in write(kind, found, shelf):
            if kind != "needs":
                yield piece
                continue
            rows = [change(json.loads(line)) for line in piece.splitlines()]
            yield b"".join(
                (row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows
            )

    dump.lines = changed  # type: ignore[assignment]
    try:
        other.publishes(at=at)
    finally:
        dump.lines = write


BAD = {
    "id": "not an id",
    "quantity": 10**30,
    "urgency": 9,
    "confirmed_at": "2026-01-01T00:00:00",
    "facility_name": "nul\x00",
    "status": "waiting",
    "item": "<b>",
    "organisation_name": "\ud800",
    "needed_by": "soon",
    "standards": [["x"]],
    "medical_grade": "yes",
}


@pytest.mark.parametrize("column", BAD)
def test_a_row_that_cannot_be_read_fails_alone_and_says_why(other: Other, column: str) -> None:
    good, bad = make_need(), make_need()
    forge(other, lambda row: {**row, column: BAD[column]} if row["id"] == str(bad.pk) else row)

    peer = pulled(subscribed(other))

    assert [need.origin_id for need in ForeignNeed.objects.all()] == [good.pk]
    assert (peer.unreadable, [fault["column"] for fault in peer.faults]) == (1, [column])
    assert peer.problem == ""


@pytest.mark.parametrize("line", [b"[" * 60_000, b"[]", b"", b"\xff", b'{"id": NaN}', b"1" * 5000])
def test_what_is_no_row_at_all_fails_alone(other: Other, line: bytes) -> None:
    good, bad = make_need(), make_need()
    forge(other, lambda row: line if row["id"] == str(bad.pk) else row)

    peer = pulled(subscribed(other))

    assert (peer.unreadable, ForeignNeed.objects.get().origin_id, peer.problem) == (1, good.pk, "")


def test_a_link_that_is_not_one_is_left_out(other: Other) -> None:
    make_need()
    forge(other, lambda row: {**row, "source_url": "javascript:alert(1)"})

    pulled(subscribed(other))

    assert ForeignNeed.objects.get().source_url == ""


def test_an_item_counted_in_another_unit_is_not_taken_for_ours(other: Other) -> None:
    make_need()
    forge(other, lambda row: {**row, "unit": "pallet"})

    pulled(subscribed(other))

    kept = ForeignNeed.objects.get()
    assert (kept.item_id, kept.item_code != "", kept.unit) == (None, True, "pallet")


# -- Again -----------------------------------------------------------------------------------------------------


def test_twice_changes_nothing_and_asks_for_one_thing(other: Other) -> None:
    make_need()
    other.publishes()
    peer = pulled(subscribed(other))
    before = list(ForeignNeed.objects.values())
    other.asked.clear()

    pulled(peer, at=LATER)

    assert other.asked == [("/open/manifest.json", 304)]
    assert list(ForeignNeed.objects.values()) == before


def test_a_dump_with_the_same_needs_has_its_file_not_fetched_again(other: Other) -> None:
    make_need()
    other.publishes()
    peer = pulled(subscribed(other))
    other.publishes(at=LATER)
    other.asked.clear()

    peer = pulled(peer, at=LATER)

    assert files_asked_for(other) == []
    assert (peer.problem, peer.manifest_made_at) == ("", LATER)


def test_what_is_told_no_more_is_marked_as_gone_and_what_comes_again_is_there_again(other: Other) -> None:
    gone, stays = make_need(), make_need()
    other.publishes()
    peer = pulled(subscribed(other))
    forge(other, lambda row: row if row["id"] == str(stays.pk) else {**row, "id": str(stays.pk)}, at=LATER)
    peer = pulled(peer, at=LATER)

    assert ForeignNeed.objects.get(origin_id=gone.pk).gone_at == LATER
    assert [need.origin_id for need in ForeignNeed.objects.visible_to(None)] == [stays.pk]

    other.publishes(at=LATER + timedelta(days=1))
    pulled(peer, at=LATER + timedelta(days=1))

    assert ForeignNeed.objects.visible_to(None).count() == 2
    assert ForeignNeed.objects.count() == 2


def test_who_is_read_no_more_is_shown_no_more(other: Other) -> None:
    make_need()
    other.publishes()
    peer = pulled(subscribed(other))

    services.end(peer, by=None, at=NOW)

    assert ForeignNeed.objects.visible_to(None).count() == 0
    assert ForeignNeed.objects.count() == 1


# -- What is refused -------------------------------------------------------------------------------------------


def test_a_manifest_that_was_changed_under_an_old_signature_is_refused(other: Other) -> None:
    make_need()
    other.publishes()
    peer = subscribed(other)
    other.rewrites(lambda said: said.update(licence="mine"))

    peer = pulled(peer)

    assert "signature is not by the key" in peer.problem
    assert (ForeignNeed.objects.count(), files_asked_for(other), peer.licence) == (0, [], "")


def test_a_file_that_is_not_the_one_that_was_signed_is_refused(other: Other) -> None:
    make_need()
    file = other.publishes().folder / "needs.jsonl.gz"
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    peer = subscribed(other)

    assert "not the one that was signed" in pulled(peer).problem
    assert ForeignNeed.objects.count() == 0

    file.write_bytes(content)
    assert pulled(peer).problem == ""
    assert ForeignNeed.objects.count() == 1


def test_an_older_state_than_the_one_that_was_read_is_refused(other: Other) -> None:
    make_need()
    other.publishes(at=LATER)
    peer = pulled(subscribed(other), at=LATER)
    newer = other.newest()
    make_need()
    other.publishes(at=NOW)
    newer.folder.rename(newer.folder.with_name(f".{newer.name}"))

    peer = pulled(peer, at=LATER)

    assert "older state" in peer.problem
    assert ForeignNeed.objects.count() == 1


def test_a_dump_of_tomorrow_is_refused(other: Other) -> None:
    other.publishes(at=NOW + timedelta(days=400))

    assert "dated in the future" in pulled(subscribed(other)).problem


def test_another_key_is_not_read_until_it_was_compared(other: Other) -> None:
    make_need()
    other.publishes()
    peer = pulled(subscribed(other))
    other.key = other._own_key()
    other.publishes(at=LATER)

    assert "signature is not by the key" in pulled(peer, at=LATER).problem

    peer = pulled(services.renew_key(peer, by=None, at=LATER), at=LATER)
    assert (peer.status, peer.public_key) == ("new", other.key.public)
    assert pulled(services.subscribe(peer, by=None, at=LATER), at=LATER).problem == ""


def test_more_rows_than_were_said_are_refused_before_one_is_taken(other: Other) -> None:
    for _number in range(3):
        make_need()
    write, other_rows = dump._write_part, []

    def said_fewer(*args: Any, **kwargs: Any) -> Any:
        part = write(*args, **kwargs)
        other_rows.append(part.rows)
        return dump.Part(
            part.name, part.kind, 2 if part.kind == "needs" else part.rows, part.bytes, part.sha256
        )

    dump._write_part = said_fewer
    try:
        other.publishes()
    finally:
        dump._write_part = write

    assert "as many rows" in pulled(subscribed(other)).problem
    assert ForeignNeed.objects.count() == 0


# -- Cut off ---------------------------------------------------------------------------------------------------


def test_a_connection_that_was_cut_goes_on_where_it_was(other: Other) -> None:
    for _number in range(5):
        make_need()
    file = other.publishes().folder / "needs.jsonl.gz"
    peer = subscribed(other)
    other.cut_at = file.stat().st_size // 3

    assert "goes on from here" in pulled(peer).problem
    assert ForeignNeed.objects.count() == 0

    other.cut_at = None
    assert pulled(peer).problem == ""
    assert files_asked_for(other) == [200, 206]
    assert ForeignNeed.objects.count() == 5


def test_a_process_that_dies_between_two_chunks_leaves_what_is_through_and_the_next_goes_on(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(5):
        make_need()
    other.publishes()
    peer = subscribed(other)
    keep = services._keep

    class Killed(BaseException):
        pass

    def dies_at_the_third(peer: Peer, chunk: Any, through: int) -> None:
        if through > 4:
            raise Killed
        keep(peer, chunk, through)

    monkeypatch.setattr(services, "AT_ONCE", 2)
    monkeypatch.setattr(services, "_keep", dies_at_the_third)
    with pytest.raises(Killed):
        pulled(peer)
    assert (ForeignNeed.objects.count(), Peer.objects.get().taken) == (4, 4)

    through: list[int] = []
    monkeypatch.setattr(services, "_keep", lambda *args: (through.append(args[2]), keep(*args)))
    peer = pulled(peer)

    assert (through, peer.taken, peer.is_taken, peer.problem) == ([5], 5, True, "")
    assert ForeignNeed.objects.visible_to(None).count() == 5


def test_a_file_that_was_half_taken_begins_anew_under_the_next_manifest(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _number in range(3):
        make_need()
    other.publishes()
    peer = subscribed(other)
    keep = services._keep

    def stops(peer: Peer, chunk: Any, through: int) -> None:
        keep(peer, chunk, through)
        raise Refused("stop")

    monkeypatch.setattr(services, "AT_ONCE", 2)
    monkeypatch.setattr(services, "_keep", stops)
    assert pulled(peer).problem == "stop"
    monkeypatch.setattr(services, "_keep", keep)
    other.publishes(at=LATER)

    assert pulled(peer, at=LATER).problem == ""
    assert ForeignNeed.objects.visible_to(None).count() == 3


def test_one_that_does_not_answer_stops_no_other(other: Other, settings: Any) -> None:
    make_need()
    other.publishes()
    subscribed(other)
    settings.FEDERATION_HOSTS = [*settings.FEDERATION_HOSTS, "127.0.0.1:1"]
    services.introduce(Peer(name="Silent", address="http://127.0.0.1:1"), by=None, at=NOW)

    asked = {peer.name: peer for peer in services.pull_all(at=NOW)}

    assert "does not answer" in asked["Silent"].problem
    assert asked["Other"].problem == ""
    assert ForeignNeed.objects.count() == 1


def test_one_over_which_we_stumble_is_asked_last_the_next_time(
    other: Other, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.publishes()
    peer = subscribed(other)
    waiting = services.introduce(Peer(name="Waiting", address="https://waits.example.org"), by=None, at=NOW)
    Peer.objects.filter(pk=waiting.pk).update(tried_at=NOW)

    def stumbles(*_words: Any, **_more: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(services, "_news", stumbles)
    with pytest.raises(RuntimeError):
        pulled(peer, at=LATER)

    assert [each.name for each in Peer.objects.to_be_asked()] == ["Waiting", "Other"]


def test_the_command_says_what_came_of_it(other: Other, capsys: pytest.CaptureFixture[str]) -> None:
    make_need()
    other.publishes()
    subscribed(other)

    call_command("pull_peers")

    assert capsys.readouterr().out == (
        "Other (subscribed): 1 rows read, 0 of other instances dropped, 0 unreadable\n"
    )
