"""Two people open the same rows at once, in processes of their own; beside it the same without the guard, which goes wrong."""

import json

import pytest
from django.db import connection

from supplies.claims.models import Claim
from supplies.needs.models import Appeal
from supplies.organisations.models import User
from tests.makers import make_appeal, make_user
from tests.processes import START, finish, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def race(how: str, people: list[User], rows: list[Appeal], lines: list[int]) -> list[set[str]]:
    keys = ",".join(str(row.pk) for row in rows)
    with connection.cursor() as cursor:
        for line in lines:
            cursor.execute("SELECT pg_advisory_lock(%s)", [line])
        racers = [start("-m", "tests.supplies.claims.racing", how, str(one.pk), keys) for one in people]
        for line in lines:
            for racer in racers:
                assert racer.stdout is not None
                assert racer.stdout.readline() == f"line {line}\n", racer.stderr and racer.stderr.read()
            cursor.execute("SELECT pg_advisory_unlock(%s)", [line])
    return [set(json.loads(out)) for out in finish(*racers)]


def test_a_row_opened_by_four_at_once_belongs_to_one_and_without_the_guard_to_several() -> None:
    people, rows = [make_user() for _ in range(4)], [make_appeal(published=False) for _ in range(25)]

    taken = race("guarded", people, rows, [START])

    assert sum(len(mine) for mine in taken) == len(set.union(*taken)) == len(rows)
    held = {claim.subject_id: claim.by_id for claim in Claim.objects.all()}
    assert held == {key: one.pk for one, mine in zip(people, taken, strict=True) for key in mine}

    Claim.objects.all().delete()
    naively = race("naive", people, rows[:1], [START, START + 1])
    assert naively == [{str(rows[0].pk)}] * 4, "each believes that it is hers"
