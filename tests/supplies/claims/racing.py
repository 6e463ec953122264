"""One of two who come for the same rows at the desk: python -m tests.supplies.claims.racing guarded|naive USER NEED,NEED,…

Prints which of the rows it believes to be its own.
"""

import json
import sys
from collections.abc import Callable

import django

django.setup()

from django.db import connection, transaction  # noqa: E402  (settings first)
from django.utils import timezone  # noqa: E402

from supplies.claims.models import Claim  # noqa: E402
from supplies.claims.services import LASTS, take  # noqa: E402
from supplies.errors import Refused  # noqa: E402
from supplies.needs.models import Appeal  # noqa: E402
from supplies.organisations.models import User  # noqa: E402
from tests.processes import START  # noqa: E402


def guarded(row: Appeal, by: User) -> bool:
    try:
        take(row, by=by, at=timezone.now())
    except Refused:
        return False
    return True


def naive(row: Appeal, by: User) -> bool:
    """What a hurried programmer writes: look, then leap."""
    at = timezone.now()
    if Claim.objects.on(row).holding(at).exclude(by=by).exists():
        return False
    line_up(START + 1 + row.turn)  # type: ignore[attr-defined]
    Claim.objects.bulk_create(
        [Claim(subject="appeal", subject_id=str(row.pk), by=by, taken_at=at, until_at=at + LASTS)],
        update_conflicts=True,
        unique_fields=["subject", "subject_id"],
        update_fields=["by", "taken_at", "until_at"],
    )
    return True


def line_up(lock: int) -> None:
    print(f"line {lock}", flush=True)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 0")  # the others may take long to start
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [lock])


def main(how: str, user: str, keys: str) -> None:
    attempt: Callable[[Appeal, User], bool] = {"guarded": guarded, "naive": naive}[how]
    by = User.objects.get(pk=user)
    rows = [Appeal.objects.get(pk=key) for key in keys.split(",")]
    line_up(START)
    mine = []
    for turn, row in enumerate(rows):
        row.turn = turn  # type: ignore[attr-defined]
        if attempt(row, by):
            mine.append(str(row.pk))
    print(json.dumps(mine))


if __name__ == "__main__":
    main(*sys.argv[1:])
