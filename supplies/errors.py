"""What the domain refuses. Each kind has a stable code that programs may rely on; the sentence is for people."""

from django.db import DatabaseError, InterfaceError, OperationalError
from django.utils.functional import Promise


class Refused(Exception):
    """A verb that cannot be done now. `detail` says what to do about it.

    keeps    what the request has written down before stays, an alarm or a failed attempt; else a refusal undoes it all
    """

    code = "refused"

    def __init__(self, detail: "str | Promise", *, code: str = "", keeps: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.keeps = keeps


class MoveRefused(Refused):
    """The lifecycle has no such arrow."""

    code = "move-refused"


class NotEnoughLeft(Refused):
    """The quantity asked for is larger than what is left."""

    code = "not-enough-left"


class NotEligible(Refused):
    """The two sides do not fit: wrong standard, direction, family or state."""

    code = "not-eligible"


class NotYours(Refused):
    """The person may see the row but not do this to it."""

    code = "not-yours"


class InFlight(Refused):
    """Somebody is at work on this very request."""

    code = "in-flight"


class KeyReused(Refused):
    """A key stands for one request, and this is another."""

    code = "key-reused"


class TooMany(Refused):
    """Enough for now: the same may be asked again after `wait` seconds."""

    code = "too-many"

    def __init__(self, detail: "str | Promise", *, code: str = "", wait: int) -> None:
        super().__init__(detail, code=code)
        self.wait = wait


def is_busy_or_away(error: BaseException) -> bool:
    """Whether the database had no time for us, or none was there: nothing is wrong with what was asked of it.

    A server that is killed in the middle of its answer has no code for that; psycopg2 then says DatabaseError and no more.
    """
    return isinstance(error, OperationalError | InterfaceError) or type(error) is DatabaseError
