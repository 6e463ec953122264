"""Finding out about organisations in tests: a call that convinces, a yes, a no."""

from datetime import datetime
from typing import Any

from supplies.organisations import services as people
from supplies.organisations.models import Organisation, User
from supplies.organisations.verification import CallLog
from tests.makers import NOW, make_member

WORDS = {"motive": "The switchboard knew them.", "public_note": "Called the number in the register."}


def call(organisation: Organisation, by: User, **more: Any) -> CallLog:
    return people.log_call(
        organisation, **{"origin": "register", "outcome": "confirmed", "by": by, "at": NOW, **more}
    )


def yes(
    organisation: Organisation,
    by: User | None = None,
    *,
    at: datetime = NOW,
    called: bool = True,
    **more: Any,
) -> Organisation:
    by = by or make_member("volunteer")
    if called:
        call(organisation, by, at=at)
    return people.verify(organisation, verdict="verified", by=by, at=at, **{**WORDS, **more})


def no(
    organisation: Organisation, by: User | None = None, *, at: datetime = NOW, **more: Any
) -> Organisation:
    words = {"motive": "Nobody knows them.", "public_note": "Hand in a letter with a seal."}
    by = by or make_member("volunteer")
    return people.verify(organisation, verdict="refused", by=by, at=at, **{**words, **more})


def verified(organisation: Organisation, *, at: datetime = NOW, **more: Any) -> Organisation:
    yes(organisation, at=at, **more)
    return yes(organisation, at=at, **more)
