"""Workers in processes of their own that die, or wake too late."""

import signal
import subprocess
from datetime import timedelta

import pytest
from django.utils import timezone

from bench.races import answer, start, tell
from matching import running, services
from matching.models import FamilyRun, Proposal
from supplies.needs.models import Need
from tests.makers import make_emergency, make_need, make_offer

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
STORED, LEASE_LOST = "1", "0"


def leased() -> tuple[FamilyRun, "subprocess.Popen[str]"]:
    """A family with something to propose, and a process that holds its lease."""
    now = timezone.now()
    make_need(quantity=100, needed_by=now.date() + timedelta(days=10))
    make_offer(quantity=100, available_from=now.date())
    run = services.start(make_emergency(), trigger="hand", by=None, at=now)
    (family,) = running.open_run(run.pk, at=now)
    worker = start("bench.rival")
    tell(worker, f"take {family.pk}")
    tell(worker, "lease")
    assert [answer(worker), answer(worker)] == ["1", "1"]
    return family, worker


def stores(worker: "subprocess.Popen[str]") -> str:
    out, _err = worker.communicate("store\n", timeout=60)
    return out.strip()


def when_the_lease_is_over() -> None:
    running.sweep(at=timezone.now() + timedelta(minutes=2))


def test_a_killed_workers_run_is_taken_up_again() -> None:
    family, worker = leased()
    worker.send_signal(signal.SIGKILL)
    worker.communicate()

    assert running.solve_family(family.pk) is None
    when_the_lease_is_over()
    found = running.solve_family(family.pk)

    assert found is not None
    assert (found.status, found.attempt, Proposal.objects.count()) == ("done", 2, 1)


def test_a_worker_that_wakes_after_another_took_over_writes_nothing() -> None:
    family, worker = leased()
    when_the_lease_is_over()
    running.solve_family(family.pk)

    assert stores(worker) == LEASE_LOST
    assert Proposal.objects.count() == 1
    assert Need.objects.get().quantity_proposed == 100


def test_the_control_a_worker_told_in_time_does_write() -> None:
    _family, worker = leased()

    assert stores(worker) == STORED
    assert Proposal.objects.count() == 1
