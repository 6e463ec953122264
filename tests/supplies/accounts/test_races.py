"""Two processes come to the door at once. Beside each race stands the same without its guard, which has to go wrong."""

import json
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from supplies.accounts import services
from supplies.organisations import services as people
from tests.makers import make_organisation, make_user
from tests.processes import finish, start
from tests.supplies.accounts.door import SECRET, give_factor
from tests.supplies.accounts.racing import FREE, LINES, lock_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_what_is_allowed_once_is_allowed_once_across_processes_and_without_its_guard_it_is_not() -> None:
    manager, organisation = make_user(), make_organisation()
    people.enrol(manager, organisation, "hospital", by=None, at=timezone.now(), is_manager=True)
    give_factor(make_user("holder"))
    at = timezone.now()
    links = [services.invite(organisation, role="hospital", by=manager, at=at)[1] for _ in range(2)]
    prefix, names = uuid4().hex, [make_user().username for _ in range(2)]

    with connection.cursor() as cursor:
        for line in LINES:
            cursor.execute("SELECT pg_advisory_lock(%s)", [lock_of(line)])
        racers = [
            start("-m", "tests.supplies.accounts.racing", prefix, name, SECRET, at.isoformat(), *links)
            for name in names
        ]
        for line in LINES:
            for racer in racers:
                assert racer.stdout is not None
                assert racer.stdout.readline() == f"{line}\n", racer.stderr and racer.stderr.read()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock_of(line)])
    results = [json.loads(out) for out in finish(*racers)]

    guesses, naive_guesses, codes, naive_codes, accepted, naively_accepted = map(
        sum, zip(*results, strict=True)
    )
    assert (guesses, naive_guesses) == (FREE, 20)
    assert (codes, naive_codes) == (1, 2)
    assert (accepted, naively_accepted) == (1, 2)
