"""One of the processes that come to the door at the same moment.

python -m tests.supplies.accounts.racing KEY_PREFIX USER SECRET AT LINK LINK

Each race is run as the site does it, and as a hurried programmer would: look, then leap. Before each step every process
stands at a line, an advisory lock that the test holds until all are there. Prints what it got through, as JSON.
"""

import json
import sys
from datetime import datetime

import django

django.setup()

from django.conf import settings  # noqa: E402  (settings first)
from django.core.cache import caches  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import RequestFactory  # noqa: E402
from django.utils import timezone  # noqa: E402

from supplies.accounts import backoff, services  # noqa: E402
from supplies.accounts.backoff import CODE, HeldUp, begin_try  # noqa: E402
from supplies.accounts.models import Invitation, SecondFactor  # noqa: E402
from supplies.errors import Refused  # noqa: E402
from supplies.organisations.models import User  # noqa: E402
from supplies.organisations.services import enrol  # noqa: E402

LINES = ("guess", "guess naively", "code", "code naively", "accept", "accept naively")
TRIES, FREE = 10, 5


def stand_at(line: str) -> None:
    print(line, flush=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")  # the others may take long to start
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [lock_of(line)])


def lock_of(line: str) -> int:
    return 7700 + LINES.index(line)


def guess() -> int:
    stand_at("guess")
    request = RequestFactory().post("/", REMOTE_ADDR="203.0.113.7")
    looked_at = 0
    for _ in range(TRIES):
        try:
            begin_try(request, CODE, name="raced", user=None)
        except HeldUp:
            continue
        looked_at += 1
    return looked_at


def guess_naively() -> int:
    """allauth's way and many others': read the count, and count what was let through afterwards."""
    cache = caches["default"]
    looked_at = [cache.get("naive", 0) < FREE for _ in range(TRIES)]
    stand_at("guess naively")
    cache.set("naive", cache.get("naive", 0) + sum(looked_at))
    return sum(looked_at)


def use(user: User, secret: str, at: datetime) -> bool:
    stand_at("code")
    try:
        services.use_code(user, services.current_code(secret, at=at), at=at)
    except Refused:
        return False
    return True


def use_naively(user: User, secret: str, at: datetime) -> bool:
    factor = SecondFactor.objects.get(user=user, type=SecondFactor.Type.TOTP)
    code = services.current_code(secret, at=at)
    fits = factor.data.get("last_naive") != code
    stand_at("code naively")
    factor.data["last_naive"] = code
    factor.save(update_fields=["data"])
    return fits


def accept(user: User, code: str) -> bool:
    stand_at("accept")
    try:
        services.accept(code, by=user, at=timezone.now())
    except Refused:
        return False
    return True


def accept_naively(user: User, code: str) -> bool:
    invitation = services.invitation_called(code, at=timezone.now())
    stand_at("accept naively")
    if invitation is None:
        return False
    enrol(user, invitation.organisation, invitation.role, by=None, at=timezone.now())
    Invitation.objects.filter(pk=invitation.pk).update(accepted_by=user, accepted_at=timezone.now())
    return True


if __name__ == "__main__":
    prefix, name, secret, said, link, naive_link = sys.argv[1:]
    at = datetime.fromisoformat(said)
    backoff.FIRST_WAIT = 600  # on a slow machine the first wait must not end before the race
    settings.CACHES["default"]["KEY_PREFIX"] = prefix
    user = User.objects.get(username=name)
    holder = User.objects.get(username="holder")
    print(
        json.dumps(
            [
                guess(),
                guess_naively(),
                use(holder, secret, at),
                use_naively(holder, secret, at),
                accept(user, link),
                accept_naively(user, naive_link),
            ]
        )
    )
