"""Several processes do any verb to the same few rows at once: nobody meets a deadlock, and the books agree (see conftest)."""

import pytest
from django.db import connection

from bench.racing import START
from matching.models import FamilyRun, Proposal
from supplies.journal.models import Outgoing
from supplies.receipts.models import Receipt
from tests.makers import make_appeal, make_donation, make_facility, make_member, make_organisation
from tests.processes import finish, start

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
RACERS, VERBS = 4, 60


def test_any_verbs_at_once_never_lock_each_other_out_and_leave_the_books_right() -> None:
    donor = make_organisation("donor")
    for hospital in (make_facility(), make_facility()):
        make_appeal(hospital, lines=[{"quantity": 200 + 50 * line} for line in range(3)])
        make_donation(donor, lines=[{"quantity": 150 + 50 * line} for line in range(3)])
    make_organisation("carrier")
    make_member("volunteer", username="volunteer")

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [START])
        racers = [start("-m", "tests.supplies.mixing", str(seed), str(VERBS)) for seed in range(RACERS)]
        for racer in racers:
            assert racer.stdout is not None
            assert racer.stdout.readline() == "ready\n", racer.stderr and racer.stderr.read()
        cursor.execute("SELECT pg_advisory_unlock(%s)", [START])
    done = [int(out) for out in finish(*racers)]

    assert done == [VERBS] * RACERS, "the race did too little to prove anything"
    assert Receipt.objects.exists()
    assert Proposal.objects.filter(status="agreed").exists()
    assert not Outgoing.objects.exclude(last_error="").exists()
    assert not FamilyRun.objects.exclude(status__in=["done", "queued"]).exists()
