"""The chain of seals over the journal: what it covers, whom it keeps waiting, and what it finds."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError, connection, transaction
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from supplies.journal import chain, tasks
from supplies.journal.models import BROKEN, VERIFIED, Event, Seal, Unsealed
from supplies.journal.services import record, record_all
from tests.desk import at_the_desk
from tests.makers import NOW, make_emergency, make_user
from tests.owner import as_owner

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _a_place_for_heads(settings: Any, tmp_path: Path) -> None:
    settings.STATE_DIR = tmp_path


def happen(times: int = 1) -> list[int]:
    rows = [make_emergency()] * times
    events = record_all(rows, "test.rang", by=None, at=NOW, facts=lambda row: {"item": row.pk, "number": 7})
    return [event.pk for event in events]


def sealed(*sizes: int) -> list[int]:
    """Events under seals of these sizes."""
    ids = []
    for size in sizes:
        ids += happen(size)
        chain.seal(at=LATER)
    return ids


@contextmanager
def tampering() -> Iterator[Callable[..., None]]:
    """What the owner of the database could do who first makes its triggers silent."""
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield cursor.execute
        cursor.execute("SET LOCAL session_replication_role = origin")


def codes(*heads: chain.Head) -> list[str]:
    return [fault.code for fault in chain.verify(heads=heads).faults]


# --- Sealing ---


def test_every_event_waits_for_its_seal_whoever_writes_it() -> None:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supplies_event (kind, at, subject, subject_id, facts) VALUES"
            " ('by.hand', now(), 'a', '1', '{}'), ('by.hand', now(), 'a', '2', '{}')"
        )
    written = [*Event.objects.values_list("pk", flat=True), *happen()]

    assert sorted(Unsealed.objects.values_list("pk", flat=True)) == sorted(written)


def test_seals_are_numbered_without_gaps_and_cover_everything_once() -> None:
    ids = sealed(3, 1, 2)

    assert chain.seal(at=LATER) == []
    assert list(Seal.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
    assert [event for seal in Seal.objects.order_by("number") for event in seal.events] == ids
    assert not Unsealed.objects.exists()


def test_a_long_row_of_events_is_sealed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "BATCH", 4)
    happen(10)

    made = chain.seal(at=LATER)

    assert [len(seal.events) for seal in made] == [4, 4, 2]
    assert codes() == []


@contextmanager
def another_connection() -> Iterator[Any]:
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()


WRITE = (
    "INSERT INTO supplies_event (kind, at, subject, subject_id, facts)"
    " VALUES ('test.late', now(), 'emergency', 'flu-2026', '{}') RETURNING id"
)


@pytest.mark.django_db(transaction=True)
def test_an_event_whose_transaction_stays_open_is_sealed_when_it_appears() -> None:
    with another_connection() as writer, writer.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(WRITE)
        (late,) = cursor.fetchone()
        (early,) = sealed(1)
        cursor.execute("COMMIT")
        chain.seal(at=LATER)

    assert late < early
    assert [seal.events for seal in Seal.objects.order_by("number")] == [[early], [late]]
    assert codes() == []


@pytest.mark.django_db(transaction=True)
def test_writers_do_not_wait_for_the_sealer_nor_the_sealer_for_writers() -> None:
    happen()
    with another_connection() as writer, writer.cursor() as cursor:
        cursor.execute("SET lock_timeout = '1s'")  # whoever waits fails
        with transaction.atomic():
            (seal,) = chain.seal(at=LATER)
            cursor.execute(WRITE)

    assert len(seal.events) == 1
    assert Unsealed.objects.count() == 1


def seal_in_a_thread() -> list[Any]:
    """What a second sealer made, or the error it met."""
    made: list[Any] = []

    def work() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '300ms'")
            made.extend(chain.seal(at=LATER))
        except Exception as error:
            made.append(error)
        finally:
            connection.close()

    thread = Thread(target=work)
    thread.start()
    thread.join()
    return made


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_are_one() -> None:
    happen(2)
    with transaction.atomic():
        first = chain.seal(at=LATER)
        second = seal_in_a_thread()

    assert (len(first), second) == (1, [])
    assert codes() == []


@pytest.mark.django_db(transaction=True)
def test_the_control_two_sealers_under_different_locks_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    happen(2)
    with transaction.atomic():
        chain.seal(at=LATER)
        monkeypatch.setattr(chain, "SEALING", chain.SEALING + 1)
        (met,) = seal_in_a_thread()

    assert isinstance(met, OperationalError)


# --- The canonical form ---

entries = st.builds(
    chain.Entry,
    id=st.integers(1, 2**63 - 1),
    kind=st.text(max_size=60),
    at=st.datetimes(timezones=st.just(UTC)),
    by=st.none() | st.integers(1, 2**63 - 1),
    subject=st.text(max_size=40),
    subject_id=st.text(max_size=40),
    facts=st.text(max_size=80),
)


def fields_of(written: bytes) -> list[bytes]:
    """Netstrings read back."""
    fields = []
    while written:
        length, _colon, rest = written.partition(b":")
        fields.append(rest[: int(length)])
        assert rest[int(length) : int(length) + 1] == b","
        written = rest[int(length) + 1 :]
    return fields


@hypothesis_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(entries, entries)
def test_what_is_hashed_tells_every_event_from_every_other(one: chain.Entry, other: chain.Entry) -> None:
    number, kind, at, by, subject, subject_id, facts = fields_of(one.canonical())

    back = chain.Entry(
        int(number),
        kind.decode(),
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(at)),
        int(by) if by else None,
        subject.decode(),
        subject_id.decode(),
        facts.decode(),
    )
    assert back == one
    assert (one.canonical() == other.canonical()) == (one == other)


def test_somebody_without_this_program_comes_to_the_same_digests() -> None:
    record(make_emergency(), "test.rang", by=make_user(), at=NOW, amount=1.50, left=None, of=["b", 10**12])
    sealed(1, 2)
    chain.seal(at=LATER)

    def netstring(value: Any) -> bytes:
        raw = ("" if value is None else str(value)).encode()
        return str(len(raw)).encode() + b":" + raw + b","

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT number, (extract(epoch FROM at) * 1000000)::bigint, events, digest FROM supplies_seal ORDER BY 1"
        )
        seals = cursor.fetchall()
        before = b"\0" * 32
        for number, at, events, digest in seals:
            said = before + b"".join(map(netstring, (number, at, len(events))))
            for event in events:
                cursor.execute(
                    "SELECT id, kind, (extract(epoch FROM at) * 1000000)::bigint, by_id, subject, subject_id, facts::text"
                    " FROM supplies_event WHERE id = %s",
                    [event],
                )
                said += b"".join(map(netstring, cursor.fetchone()))
            before = hashlib.sha256(said).digest()
            assert before == bytes(digest)
    assert len(seals) == 2


# --- What is found ---


def test_a_journal_nobody_touched_is_whole() -> None:
    sealed(3, 2, 4)
    happen(2)

    found = chain.verify()

    assert (found.seals, found.events, found.waiting, found.faults) == (3, 9, 2, [])
    assert found.head == chain.head()


def test_the_control_the_same_journal_read_in_small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "AT_A_TIME", 2)
    sealed(3, 2, 4, 1, 1)

    found = chain.verify()

    assert (found.seals, found.events, found.faults) == (5, 11, [])


EDITS = {
    "a fact": "UPDATE supplies_event SET facts = '{\"number\": 8}' WHERE id = %s",
    "the kind": "UPDATE supplies_event SET kind = 'test.rung' WHERE id = %s",
    "the time": "UPDATE supplies_event SET at = at + interval '1 microsecond' WHERE id = %s",
    "who did it": "UPDATE supplies_event SET by_id = 1 WHERE id = %s",
    "what it is about": "UPDATE supplies_event SET subject_id = 'other' WHERE id = %s",
}


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_is_found_at_its_seal(what: str) -> None:
    ids = sealed(3, 2)
    with tampering() as run:
        run(EDITS[what], [ids[3]])

    (fault,) = chain.verify().faults

    assert (fault.code, fault.number) == ("changed", 2)
    assert f"from {ids[3]} to {ids[4]}" in fault.says


def test_a_deleted_event_is_named() -> None:
    ids = sealed(3, 2)
    with tampering() as run:
        run("DELETE FROM supplies_event WHERE id = %s", [ids[1]])

    (fault,) = chain.verify().faults

    assert (fault.code, fault.number) == ("event-gone", ids[1])


def test_an_event_deleted_before_it_was_sealed_is_named_before_and_after() -> None:
    (lost,) = happen()
    with tampering() as run:
        run("DELETE FROM supplies_event WHERE id = %s", [lost])
    before = chain.verify().faults
    chain.seal(at=LATER)
    after = chain.verify().faults

    assert [(fault.code, fault.number) for fault in before] == [("event-lost", lost)]
    assert [(fault.code, fault.number) for fault in after] == [("event-gone", lost)]


def test_an_event_put_in_between_is_named() -> None:
    ids = sealed(3, 2)
    with tampering() as run:
        run("UPDATE supplies_event SET id = 1000000 WHERE id = %s", [ids[1]])
        run(
            "INSERT INTO supplies_event (id, kind, at, subject, subject_id, facts) OVERRIDING SYSTEM VALUE"
            " SELECT %s, kind, at, subject, subject_id, facts FROM supplies_event WHERE id = 1000000",
            [ids[1]],
        )

    (fault,) = chain.verify().faults

    assert (fault.code, fault.number) == ("event-added", 1000000)


def test_events_that_changed_places_are_found() -> None:
    record(make_emergency(), "test.first", by=None, at=NOW)
    record(make_emergency(), "test.second", by=None, at=NOW)
    (seal,) = chain.seal(at=LATER)
    with tampering() as run:
        run(
            "UPDATE supplies_event SET kind = CASE kind WHEN 'test.first' THEN 'test.second' ELSE 'test.first' END"
        )

    assert [(fault.code, fault.number) for fault in chain.verify().faults] == [("changed", seal.number)]


SEAL_TAMPERINGS = {
    "two seals change places": (
        "UPDATE supplies_seal SET number = CASE number WHEN 2 THEN 1003 ELSE 1002 END WHERE number IN (2, 3);"
        "UPDATE supplies_seal SET number = number - 1000 WHERE number > 1000",
        ["changed", "changed", "changed"],
    ),
    "one is taken out of the middle": (
        "DELETE FROM supplies_seal WHERE number = 2",
        ["seal-gone", "event-added", "event-added"],
    ),
    "its time is set back": (
        "UPDATE supplies_seal SET at = at - interval '1 day' WHERE number = 2",
        ["changed"],
    ),
    "its events are put into another order": (
        "UPDATE supplies_seal SET events = ARRAY[events[2], events[1]] WHERE number = 2",
        ["changed"],
    ),
    "an event is covered by a second one": (
        "UPDATE supplies_seal SET events = events || (SELECT events[1] FROM supplies_seal WHERE number = 1) WHERE number = 2",
        ["changed", "sealed-twice"],
    ),
    "the head is cut off, with its events": (
        "DELETE FROM supplies_event WHERE id = ANY(SELECT unnest(events) FROM supplies_seal WHERE number = 1);"
        "DELETE FROM supplies_seal WHERE number = 1",
        ["seal-gone"],
    ),
    "the tail is cut off, without its events": (
        "DELETE FROM supplies_seal WHERE number = 4",
        ["event-added", "event-added"],
    ),
}


@pytest.mark.parametrize("what", SEAL_TAMPERINGS)
def test_tampering_with_the_seals_is_found(what: str) -> None:
    statements, expected = SEAL_TAMPERINGS[what]
    sealed(2, 2, 2, 2)
    with tampering() as run:
        run(statements)

    assert codes() == expected


def test_a_tail_that_was_cut_off_with_its_events_is_found_by_the_head_that_was_kept() -> None:
    sealed(2, 2, 2)
    kept = chain.head()
    assert kept
    with tampering() as run:
        run(
            "DELETE FROM supplies_event WHERE id = ANY(SELECT unnest(events) FROM supplies_seal WHERE number = 3)"
        )
        run("DELETE FROM supplies_seal WHERE number = 3")

    assert codes() == []  # from inside there is nothing to see
    assert codes(kept) == ["cut"]


def test_a_chain_that_was_written_anew_is_found_by_the_head_that_was_kept() -> None:
    ids = sealed(2, 2)
    kept = chain.head()
    assert kept
    with tampering() as run:
        run(EDITS["a fact"], [ids[0]])
        run("INSERT INTO supplies_unsealed SELECT id FROM supplies_event; DELETE FROM supplies_seal")
    chain.seal(at=LATER)
    sealed(1)

    assert codes() == []
    assert codes(kept) == ["rewritten"]


def test_more_faults_than_anybody_reads_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "LISTED", 2)
    sealed(5)
    with tampering() as run:
        run("DELETE FROM supplies_event")

    found = chain.verify()

    assert (len(found.faults), found.more) == (2, 3)


# --- Heads, commands, the daily verification ---


def said(*arguments: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_the_head_is_printed_and_believed_again(tmp_path: Path) -> None:
    sealed(2)
    file = tmp_path / "elsewhere.json"
    file.write_text(said("audit_head"))

    assert "Whole: 1 seals over 2 events" in said("verify_audit", "--head", file)
    assert json.loads(file.read_text())["number"] == 1


def test_without_a_seal_there_is_no_head() -> None:
    with pytest.raises(CommandError, match="Nothing is sealed yet"):
        said("audit_head")
    assert "Whole: 0 seals over 0 events" in said("verify_audit")


def test_a_head_that_was_not_signed_with_our_key_is_refused(settings: Any, tmp_path: Path) -> None:
    settings.AUDIT_KEY = "a key that another machine has too"
    sealed(1)
    head = chain.head()
    assert head
    (tmp_path / "signed").write_text(head.written())
    (tmp_path / "forged").write_text(head.written().replace('"number": 1', '"number": 2'))
    (tmp_path / "garbage").write_text("{}")

    found = chain.verify(tmp_path / name for name in ("signed", "forged", "garbage", "absent"))

    assert [fault.code for fault in found.faults] == ["head-unreadable"] * 3
    assert "AUDIT_KEY" in found.faults[0].says


def test_the_command_says_where_and_fails(capsys: Any) -> None:
    ids = sealed(2)
    with tampering() as run:
        run("DELETE FROM supplies_event WHERE id = %s", [ids[0]])

    out = StringIO()
    with pytest.raises(CommandError, match="not what was sealed"):
        call_command("verify_audit", stderr=out)
    assert f"Event {ids[0]}, which seal 1 covers, is gone." in out.getvalue()


def test_the_daily_verification_keeps_the_head_and_is_written_down() -> None:
    sealed(2)

    chain.check(at=LATER)

    event = Event.objects.get(kind=VERIFIED)
    (kept,) = chain.kept_heads()
    assert event.facts["digest"] == chain.Head.read(kept.read_text()).digest
    assert chain.check(at=LATER).faults == []


def test_both_tasks_run_twice_as_if_once() -> None:
    happen(2)

    for task in (tasks.seal, tasks.seal, tasks.verify, tasks.verify):
        task()

    assert (Seal.objects.count(), Event.objects.filter(kind=VERIFIED).count()) == (1, 1)


def test_a_failed_verification_is_an_alarm_on_the_desk_until_one_succeeds() -> None:
    ids = sealed(2)
    client = at_the_desk(make_user("root", is_staff=True, is_superuser=True))
    with tampering() as run:
        run("UPDATE supplies_event SET subject_id = 'x' WHERE id = %s", [ids[0]])

    chain.check(at=LATER)

    (alarm,) = Event.objects.alarms()
    (card,) = [
        card for card in client.get(reverse("admin:index")).context["cards"] if "tampered" in card.title
    ]
    assert alarm.facts == {"faults": ["changed:1"], "more": 0}
    assert (alarm.kind, card.count) == (BROKEN, 1)
    assert list(client.get(card.url).context["cl"].result_list) == [alarm]

    with tampering() as run:
        run("UPDATE supplies_event SET subject_id = 'flu-2026' WHERE id = %s", [ids[0]])
    chain.check(at=LATER)

    assert not Event.objects.alarms().exists()
