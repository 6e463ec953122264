"""A worker that is killed in the middle of a list, wherever it is: the next one goes on, and nothing is lost or doubled."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from launcher.processes import wait_until
from supplies.catalogue.models import Item
from supplies.intake import services
from supplies.intake.models import BatchStatus, Import, ImportedRow, Scope, StagedRow, StagedStatus
from supplies.needs.models import Need
from supplies.organisations.models import Organisation, User
from tests.at_once import held, waiting
from tests.processes import start
from tests.supplies.intake.conftest import hand_in
from tests.supplies.intake.lists import make_cell, make_row

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
ROWS = 60
SECONDS = 60


def hospitals(count: int, value: int = 100) -> list[dict[str, Any]]:
    return [
        make_row(name=f"演练镇{number}号卫生院", supplies=[make_cell(value=value)]) for number in range(count)
    ]


@contextmanager
def stopped_at(lock: Any, how: str, batch: Import, **environment: str) -> Iterator[None]:
    """Kill a worker where it stands behind the lock, without a word."""
    with lock:
        worker = start("-m", "tests.supplies.intake.alone", how, str(batch.pk), **environment)
        assert wait_until(waiting, seconds=SECONDS), worker.communicate(timeout=5)
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
        yield


def half_known(volunteer: User) -> tuple[Import, Any]:
    """A list to enter of which one row, in the middle of a chunk, is known and has changed; and that row."""
    known = hand_in(hospitals(ROWS)[40:41], by=volunteer)
    services.enter(known, what=Scope.ALL, by=volunteer, at=timezone.now())
    services.work(known.pk, at=timezone.now())
    batch = hand_in(hospitals(ROWS, value=200), by=volunteer)
    return services.enter(batch, what=Scope.ALL, by=volunteer, at=timezone.now()), ImportedRow.objects.all()


def is_whole(batch: Import) -> bool:
    """Whether each row of the list is there once, with its need."""
    batch.refresh_from_db()
    needs = list(Need.objects.values_list("appeal__facility__name", "quantity").order_by())
    return (
        batch.status == BatchStatus.FINISHED
        and len(needs) == len(set(needs)) == ROWS
        and {quantity for _name, quantity in needs} == {200}
        and Organisation.objects.filter(kind="hospital").count() == ROWS
        and StagedRow.objects.filter(batch=batch, status=StagedStatus.ENTERED).count() == ROWS
    )


def test_a_worker_killed_while_it_enters_loses_and_doubles_nothing(
    catalogue: dict[str, Item], volunteer: User
) -> None:
    batch, known = half_known(volunteer)

    with stopped_at(held(known), "work", batch):
        batch.refresh_from_db()
        entered = StagedRow.objects.filter(batch=batch, status=StagedStatus.ENTERED).count()
    services.work(batch.pk, at=timezone.now())

    assert is_whole(batch)
    assert (entered, batch.next_row) == (25, ROWS + 1)


def test_the_control_a_worker_that_notes_its_place_too_early_loses_rows(
    catalogue: dict[str, Item], volunteer: User
) -> None:
    batch, known = half_known(volunteer)

    with stopped_at(held(known), "careless", batch):
        pass
    services.work(batch.pk, at=timezone.now())

    assert not is_whole(batch)


@contextmanager
def row_taken(batch: Import, number: int) -> Iterator[None]:
    """Whoever stages this row waits until it is known whether it is there already; in the end it is not."""
    with transaction.atomic():
        StagedRow.objects.create(batch=batch, number=number, verdict="new")
        yield
        transaction.set_rollback(True)


def test_a_worker_killed_while_it_reads_stages_every_row_once(
    catalogue: dict[str, Item], volunteer: User, settings: Any
) -> None:
    batch = hand_in(hospitals(250), by=volunteer, is_read=False)

    with stopped_at(row_taken(batch, 230), "work", batch, PRIVATE_ROOT=str(settings.PRIVATE_ROOT)):
        batch.refresh_from_db()
        staged = batch.rows_read
    services.work(batch.pk, at=timezone.now())

    batch.refresh_from_db()
    assert staged == 200
    assert (batch.status, batch.rows_read) == (BatchStatus.READ, 250)
    assert list(batch.staged.in_order().values_list("number", flat=True)) == list(range(1, 251))
    assert not Need.objects.exists()


def test_what_was_left_lying_is_rung_for_again(
    catalogue: dict[str, Item], volunteer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = hand_in([make_row()], by=volunteer, is_read=False)
    rung: list[tuple[str, ...]] = []
    monkeypatch.setattr(services, "ring", lambda *task: rung.append(task))

    services.sweep(at=timezone.now())
    services.sweep(at=timezone.now() + 2 * services.LEFT_LYING)

    assert rung == [("intake.work", str(batch.pk))]
