"""The chain of seals: what the journal said cannot be changed afterwards without being found.

A trigger puts every new event into `Unsealed`, in the event's own transaction. The sealer takes out what it sees there,
which is what has been committed, and adds one seal over it. It looks at no order of numbers or of commits: an event whose
transaction stayed open for an hour is sealed when it appears, in a later seal than its neighbours. Writers take no lock the
sealer wants, and the other way round.

The canonical form, for whoever checks it without this program. A field is written as a netstring: the length of its
UTF-8 bytes in decimal, ":", the bytes, ",". An instant is the microseconds since 1970-01-01T00:00:00Z, in decimal.

event   the fields id, kind, at, by (the account's id, empty for none), subject, subject_id, facts (as PostgreSQL prints
        jsonb: `facts::text`)
seal    the digest of the seal before (32 bytes, zeros before the first), the fields number, at, and how many events; then
        the events in the order of `events`. Its digest is the SHA-256 of all that.
"""

import hashlib
import hmac
import json
import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple, Self
from uuid import uuid4

from django.conf import settings
from django.db import connection, transaction

from supplies.journal.models import BROKEN, VERIFIED, Event, Seal, Unsealed
from supplies.journal.services import record

log = logging.getLogger(__name__)
SEALING, VERIFYING = (
    7_304_120,
    7_304_121,
)  # advisory locks of the one who seals, and who writes down a verification
BATCH = 10_000  # events of one seal
AT_A_TIME = 20_000  # events read at a time for verification, whatever the length of the chain
BEFORE_THE_FIRST = bytes(32)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LISTED = 100  # faults that are described; the rest are counted


# --- What is hashed ---


class Entry(NamedTuple):
    """An event as it is sealed."""

    id: int
    kind: str
    at: datetime
    by: int | None
    subject: str
    subject_id: str
    facts: str

    def canonical(self) -> bytes:
        by = "" if self.by is None else self.by
        return netstrings(
            self.id, self.kind, microseconds(self.at), by, self.subject, self.subject_id, self.facts
        )


def netstrings(*fields: str | int) -> bytes:
    """Fields one after the other, so that no two different rows give the same bytes."""
    written = (str(field).encode() for field in fields)
    return b"".join(b"%d:%b," % (len(field), field) for field in written)


def microseconds(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1)


def digest(before: bytes, number: int, at: datetime, events: int, entries: Iterable[Entry]) -> bytes:
    """What a seal has to say, after a seal with the digest `before`."""
    hashed = hashlib.sha256(before + netstrings(number, microseconds(at), events))
    for entry in entries:
        hashed.update(entry.canonical())
    return hashed.digest()


def entries_of(ids: Sequence[int]) -> dict[int, Entry]:
    """Those of the events that are there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, kind, at, by_id, subject, subject_id, facts::text FROM supplies_event WHERE id = ANY(%s)",
            [list(ids)],
        )
        return {row[0]: Entry(*row) for row in cursor.fetchall()}


# --- Sealing ---


def seal(*, at: datetime) -> list[Seal]:
    """Seal everything that waits, oldest first. Nothing, where somebody else is just sealing."""
    made = []
    while (one := _seal_batch(at=at)) is not None:
        made.append(one)
    return made


@transaction.atomic
def _seal_batch(*, at: datetime) -> Seal | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEALING])
        (alone,) = cursor.fetchone()
        if not alone:
            return None
        cursor.execute(
            "DELETE FROM supplies_unsealed WHERE event_id IN"
            " (SELECT event_id FROM supplies_unsealed ORDER BY event_id LIMIT %s) RETURNING event_id",
            [BATCH],
        )
        ids = sorted(event for (event,) in cursor.fetchall())
    if not ids:
        return None
    last = Seal.objects.newest_first().first()
    number, before = (last.number + 1, bytes(last.digest)) if last else (1, BEFORE_THE_FIRST)
    found = entries_of(ids)
    # One that was made away with meanwhile is named all the same, and missed by whoever verifies.
    value = digest(before, number, at, len(ids), (found[event] for event in ids if event in found))
    return Seal.objects.create(number=number, at=at, events=ids, digest=value)


# --- The head of the chain, to be kept elsewhere ---


@dataclass(frozen=True)
class Head:
    """The newest seal in a few words: whoever keeps them elsewhere can show later that what lay before was not rewritten."""

    number: int
    digest: str
    at: str
    signature: str = ""

    @classmethod
    def of(cls, seal: Seal) -> Self:
        plain = cls(seal.number, bytes(seal.digest).hex(), seal.at.astimezone(UTC).isoformat())
        return cls(plain.number, plain.digest, plain.at, plain._signed())

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises ValueError for what is not a head, or was not signed with AUDIT_KEY where there is one."""
        try:
            head = cls(**json.loads(text))
            number, value, signature = int(head.number), bytes.fromhex(head.digest), head.signature.encode()
        except (AttributeError, TypeError, ValueError) as error:
            raise ValueError("This is not the head of a chain.") from error
        if number < 1 or len(value) != 32:
            raise ValueError("This is not the head of a chain.")
        if not hmac.compare_digest(head._signed().encode(), signature):
            raise ValueError("The head was not signed with AUDIT_KEY.")
        return head

    def written(self) -> str:
        return json.dumps(vars(self))

    def _signed(self) -> str:
        if not settings.AUDIT_KEY:
            return self.signature
        said = netstrings(self.number, self.digest, self.at)
        return hmac.new(settings.AUDIT_KEY.encode(), said, hashlib.sha256).hexdigest()


def head() -> Head | None:
    last = Seal.objects.newest_first().first()
    return Head.of(last) if last else None


def keep_head(head: Head) -> Path:
    """Write the head beside those of other days. They help most where somebody takes them off this machine."""
    folder = settings.STATE_DIR / "audit"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file: Path = folder / f"head-{head.number:010d}.json"
    unfinished = folder / f"{uuid4().hex}.new"  # two workers may keep one head at once
    unfinished.write_text(head.written() + "\n")
    unfinished.replace(file)
    return file


def kept_heads() -> list[Path]:
    """The heads kept on this machine, oldest first."""
    return sorted((settings.STATE_DIR / "audit").glob("head-*.json"))


# --- Verifying ---


class Fault(NamedTuple):
    """Where the journal is not what was sealed.

    code     what kind of fault, in a word       number   of the event or seal it was found at
    """

    code: str
    number: int
    says: str


@dataclass
class Findings:
    """What a verification saw. `faults` are described up to LISTED; `more` were found besides."""

    seals: int = 0
    events: int = 0
    waiting: int = 0
    head: Head | None = None
    faults: list[Fault] = field(default_factory=list)
    more: int = 0

    def add(self, fault: Fault) -> None:
        if len(self.faults) < LISTED:
            self.faults.append(fault)
        else:
            self.more += 1


def verify(kept: Iterable[Path] = (), *, heads: Iterable[Head] = ()) -> Findings:
    """Compare the journal with its seals, and the chain with heads that were kept, in files or otherwise.

    Writers and the sealer may go on: sealed rows do not change, and what is in no seal is found in one statement. Takes as
    much memory for a million events as for ten thousand.
    """
    found = Findings()
    promised: dict[int, set[str]] = defaultdict(set)
    for head in [*heads, *_read(kept, found)]:
        promised[head.number].add(head.digest)
    before: bytes | None = BEFORE_THE_FIRST
    last: Seal | None = None
    for seal, entries in _sealed():
        expected = last.number + 1 if last else 1
        if seal.number != expected:
            found.add(Fault("seal-gone", expected, f"Before seal {seal.number}, seal {expected} is missing."))
            before = None
        for fault in _faults_of(seal, entries, before):
            found.add(fault)
        if promised.pop(seal.number, set()) - {bytes(seal.digest).hex()}:
            found.add(
                Fault("rewritten", seal.number, f"Seal {seal.number} is not the one whose head was kept.")
            )
        before, last = bytes(seal.digest), seal
        found.seals, found.events = found.seals + 1, found.events + len(seal.events)
    ends = last.number if last else 0
    for number in sorted(number for number in promised if number > ends):
        found.add(Fault("cut", number, f"The chain ends at seal {ends}; a head of seal {number} was kept."))
    for fault in _strays():
        found.add(fault)
    found.head = Head.of(last) if last else None
    found.waiting = Unsealed.objects.count()
    return found


def _read(files: Iterable[Path], found: Findings) -> Iterator[Head]:
    for file in files:
        try:
            yield Head.read(file.read_text())
        except (OSError, ValueError) as error:
            found.add(Fault("head-unreadable", 0, f"{file}: {error}"))


def _sealed() -> Iterator[tuple[Seal, dict[int, Entry]]]:
    """Every seal in order, with (at least) those of its events that are there."""
    last = 0
    while seals := list(Seal.objects.raw(NEXT_SEALS, [last, AT_A_TIME])):
        entries = entries_of([event for seal in seals for event in seal.events])
        for seal in seals:
            yield seal, entries
        last = seals[-1].number


NEXT_SEALS = """
SELECT number, at, events, digest
  FROM (SELECT *, sum(cardinality(events)) OVER (ORDER BY number) AS so_far
          FROM (SELECT * FROM supplies_seal WHERE number > %s ORDER BY number LIMIT 1000) AS following) AS following
 WHERE so_far - cardinality(events) < %s
 ORDER BY number
"""


def _faults_of(seal: Seal, entries: dict[int, Entry], before: bytes | None) -> Iterator[Fault]:
    gone = [event for event in seal.events if event not in entries]
    for event in gone:
        yield Fault("event-gone", event, f"Event {event}, which seal {seal.number} covers, is gone.")
    if gone or before is None:
        return  # what is missing cannot be hashed
    covered = (entries[event] for event in seal.events)
    if digest(before, seal.number, seal.at, len(seal.events), covered) != bytes(seal.digest):
        first, last = min(seal.events), max(seal.events)
        yield Fault(
            "changed",
            seal.number,
            f"Seal {seal.number} does not fit: it, or one of its {len(seal.events)} events from {first} to {last},"
            " was changed or put into another order.",
        )


STRAYS = {
    "event-added": (
        "Event {} is in no seal and does not wait for one: it was put in by hand.",
        """
        SELECT id FROM supplies_event
         WHERE NOT EXISTS (SELECT FROM supplies_unsealed WHERE event_id = id)
           AND NOT EXISTS (SELECT FROM (SELECT unnest(events) AS event FROM supplies_seal) AS sealed WHERE event = id)
         ORDER BY id
        """,
    ),
    "event-lost": (
        "Event {} waited for its seal and is gone.",
        """
        SELECT event_id FROM supplies_unsealed
         WHERE NOT EXISTS (SELECT FROM supplies_event WHERE id = event_id) ORDER BY event_id
        """,
    ),
    "sealed-twice": (
        "Event {} is covered more than once.",
        """
        SELECT event
          FROM (SELECT unnest(events) AS event FROM supplies_seal
                UNION ALL SELECT event_id FROM supplies_unsealed) AS covered
         GROUP BY event HAVING count(*) > 1 ORDER BY event
        """,
    ),
}


def _strays() -> Iterator[Fault]:
    for code, (says, statement) in STRAYS.items():
        with connection.cursor() as cursor:
            cursor.execute(statement)
            while rows := cursor.fetchmany(1000):
                for (event,) in rows:
                    yield Fault(code, event, says.format(event))


def check(*, at: datetime) -> Findings:
    """The daily verification: what it found is written into the journal, and the head is kept."""
    found = verify(kept_heads())
    if found.faults:
        log.error("the journal is not what was sealed: %d faults", len(found.faults) + found.more)
        where = [f"{fault.code}:{fault.number}" for fault in found.faults[:20]]
        more = len(found.faults) - len(where) + found.more
        _write_down(found, BROKEN, at=at, faults=where, more=more)
    elif found.head:
        _write_down(found, VERIFIED, at=at, digest=found.head.digest, events=found.events)
        keep_head(found.head)
        log.info("the journal is whole; its head is %s", found.head.written())
    return found


@transaction.atomic
def _write_down(found: Findings, kind: str, *, at: datetime, **facts: Any) -> None:
    """Once, however often the same is found."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [VERIFYING])
    last = Event.objects.filter(kind__in=[BROKEN, VERIFIED]).newest_first().first()
    if last is None or (last.kind, last.facts) != (kind, facts):
        record(Seal(number=found.head.number if found.head else 0), kind, by=None, at=at, **facts)
