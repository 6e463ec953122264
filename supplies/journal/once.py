"""Exactly once: a request that comes again is given the answer of the first time, and does nothing.

What tells a request from others is a key its sender chose. The answer is written in the transaction that did what was
asked, so there is an answer exactly where there is an effect. While one is at work on a key, others wait or are told so.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from supplies.errors import InFlight, KeyReused, NotYours, Refused
from supplies.journal.models import IdempotencyKey

KEPT = timedelta(days=7)
AT_ONCE = 5_000  # rows forgotten in one statement


@dataclass(frozen=True)
class Asked:
    """One request, as it is told from others.

    principal   whose key it is: an account, or the browser of somebody without one
    address     method and address; the same key elsewhere is another key
    route       the same for people, without what stands in its holes
    body        everything that was sent; the same key with another body is refused
    rights      what the principal may do, in words; somebody who may do something else by now is not shown the answer
    """

    principal: str
    by: AbstractBaseUser | None
    address: str
    route: str
    key: str
    body: bytes
    rights: str = ""

    @property
    def scope(self) -> str:
        return _digest("scope", "\0".join([self.principal, self.address, self.key]).encode())

    @property
    def body_digest(self) -> str:
        return _digest("body", self.body)

    @property
    def rights_digest(self) -> str:
        return _digest("rights", self.rights.encode())


@dataclass(frozen=True)
class Answer:
    """What was answered: text only, since it has to come out again byte for byte.

    session   the key of the session that was begun by it, if one was
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    session: str = ""


def _digest(of: str, content: bytes) -> str:
    """A digest nobody can make who has the database alone: a short body, a telephone number say, could be guessed."""
    return salted_hmac(f"{__name__}.{of}", content, algorithm="sha256").hexdigest()


def find(asked: Asked, *, wait: bool = False) -> Answer | None:
    """What this request was answered before. None if it is new: then it is ours until the end of the transaction.

    wait     for whoever is at work on it, as long as any lock is waited for
    Raises   InFlight unless waiting, KeyReused for another body, NotYours if the principal's rights have changed since,
             Refused("answer-erased") where the answer named somebody who has been erased
    """
    _take(asked.scope, wait=wait)
    # A statement of its own: it sees what was committed before the lock was let go.
    known = IdempotencyKey.objects.filter(scope=asked.scope).first()
    if known is None:
        return None
    if not constant_time_compare(known.body_digest, asked.body_digest):
        raise KeyReused(
            _(
                "This key was used for another request. Send what was sent with it before, or choose a new key."
            )
        )
    if not constant_time_compare(known.rights_digest, asked.rights_digest):
        raise NotYours(
            _("It was done, but what you may do has changed since. Read the row to see what became of it."),
            code="rights-changed",
        )
    if not known.answer:
        raise Refused(
            _("It was done. What was answered then named somebody who has been erased since."),
            code="answer-erased",
        )
    return Answer(**{**json.loads(known.answer), "status": known.status})


def _take(scope: str, *, wait: bool) -> None:
    """The lock of a request, until the transaction ends, however it ends."""
    assert connection.in_atomic_block, "outside a transaction the lock would be gone at once"
    number = int.from_bytes(bytes.fromhex(scope)[:8], "big", signed=True)
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
            return
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        (taken,) = cursor.fetchone()
    if not taken:
        raise InFlight(
            _("The same request is being worked on. Send it again in a moment; you will get its answer.")
        )


def keep(asked: Asked, answer: Answer, *, at: datetime) -> IdempotencyKey:
    """Write down what was answered, in the transaction that `find` was called in."""
    row = IdempotencyKey(
        scope=asked.scope,
        route=asked.route[:200],
        by=asked.by,  # type: ignore[misc]
        body_digest=asked.body_digest,
        rights_digest=asked.rights_digest,
        status=answer.status,
        created_at=at,
    )
    row.answer = json.dumps({name: value for name, value in asdict(answer).items() if name != "status"})
    row.save(force_insert=True)
    return row


def forget(*, at: datetime) -> int:
    """Drop the answers whose time is over. Returns how many."""
    forgotten = 0
    old = IdempotencyKey.objects.older_than(at - KEPT).order_by("created_at")
    while some := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        forgotten += IdempotencyKey.objects.filter(pk__in=some).delete()[0]
    return forgotten
