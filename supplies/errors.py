"""What the domain refuses. Each kind has a stable code that programs may rely on; the sentence is for people."""

from django.utils.functional import Promise


class Refused(Exception):
    """A verb that cannot be done now. `detail` says what to do about it."""

    code = "refused"

    def __init__(self, detail: "str | Promise", *, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code


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


class TooMany(Refused):
    """Enough for now: the same may be asked again after `wait` seconds."""

    code = "too-many"

    def __init__(self, detail: "str | Promise", *, code: str = "", wait: int) -> None:
        super().__init__(detail, code=code)
        self.wait = wait
