"""Few files are read at once, and nothing that fails is tried for ever."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from supplies.catalogue.models import Item
from supplies.errors import TooMany
from supplies.intake import services
from supplies.intake.models import BatchStatus, Import, Scope
from supplies.intake.opening import FILES_AT_ONCE, READING, head_of
from supplies.intake.reading.findings import Finding
from supplies.organisations.models import User
from tests.supplies.intake.conftest import hand_in
from tests.supplies.intake.lists import make_row, write_list

pytestmark = pytest.mark.django_db


@contextmanager
def all_places_taken() -> Iterator[None]:
    """As many others read a file as may."""
    with closing(connection.copy()) as other, other.cursor() as cursor:
        for place in range(1, FILES_AT_ONCE + 1):
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [READING, place])
        yield


@pytest.fixture
def impatient(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = 50")


def test_one_file_too_many_is_told_to_come_again(impatient: None, tmp_path: Path) -> None:
    file = write_list(tmp_path, [make_row()])

    with all_places_taken(), pytest.raises(TooMany) as refusal:
        head_of(file)

    assert (refusal.value.code, refusal.value.wait) == ("reading-busy", 60)


def test_a_place_is_free_again_when_the_file_is_read_or_its_reader_is_gone(
    impatient: None, tmp_path: Path
) -> None:
    file = write_list(tmp_path, [make_row()])
    with all_places_taken():
        pass

    heads = [head_of(file) for _time in range(FILES_AT_ONCE + 1)]

    assert all(len(head.rows) == 1 for head in heads)
    with closing(connection.copy()) as other, other.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, 1), pg_try_advisory_lock(%s, 2)", [READING, READING])
        assert cursor.fetchone() == (True, True)


def test_a_worker_leaves_the_batch_for_later_while_others_read(
    impatient: None, catalogue: dict[str, Item], volunteer: User
) -> None:
    batch = hand_in([make_row()], by=volunteer, is_read=False)

    with all_places_taken():
        services.work(batch.pk, at=timezone.now())
    batch.refresh_from_db()
    waited = batch.status, batch.attempts
    services.work(batch.pk, at=timezone.now())

    batch.refresh_from_db()
    assert waited == (BatchStatus.RECEIVED, 0)
    assert batch.status == BatchStatus.READ


# -- a fault of the program -------------------------------------------------------------------------------


@contextmanager
def fault(batch: Import) -> Iterator[None]:
    """The program has lost the format in which it began: nothing that any code of ours expects."""
    Import.objects.filter(pk=batch.pk).update(format="lost")
    yield
    Import.objects.filter(pk=batch.pk).update(format=batch.format)


def fail(batch: Import, times: int) -> Import:
    for _time in range(times):
        with pytest.raises(KeyError):
            services.work(batch.pk, at=timezone.now())
    return Import.objects.get(pk=batch.pk)


def problem_of(batch: Import) -> str:
    return Finding.from_json(batch.problem).sentence if batch.problem else ""


def test_reading_that_fails_again_and_again_stops_and_says_so(
    catalogue: dict[str, Item], volunteer: User
) -> None:
    batch = hand_in([make_row()], by=volunteer, is_read=False)

    with fault(batch):
        after_some = fail(batch, services.MOST_ATTEMPTS - 1)
        fail(batch, 1)
        services.work(batch.pk, at=timezone.now())

    batch.refresh_from_db()
    before = after_some.status, after_some.attempts
    assert before == (BatchStatus.RECEIVED, services.MOST_ATTEMPTS - 1)
    assert (batch.status, batch.attempts) == (BatchStatus.FAILED, 0)
    assert problem_of(batch).startswith("Reading stopped at row 1, since the program failed there 5 times.")


def entering(volunteer: User, **row: Any) -> Import:
    batch = hand_in([make_row(**row)], by=volunteer)
    return services.enter(batch, what=Scope.ALL, by=volunteer, at=timezone.now())


def test_entering_that_fails_again_and_again_goes_back_to_the_desk_and_can_be_begun_anew(
    catalogue: dict[str, Item], volunteer: User
) -> None:
    batch = entering(volunteer)

    with fault(batch):
        failed = fail(batch, services.MOST_ATTEMPTS)
    stopped = failed.status, problem_of(failed)
    services.enter(batch, what=Scope.ALL, by=volunteer, at=timezone.now())
    services.work(batch.pk, at=timezone.now())

    batch.refresh_from_db()
    assert stopped[0] == BatchStatus.READ
    assert stopped[1].startswith("Entering stopped at row 1 or one of the next")
    assert (batch.status, batch.created, batch.problem) == (BatchStatus.FINISHED, 1, None)


def test_rows_that_went_well_take_the_count_back(catalogue: dict[str, Item], volunteer: User) -> None:
    batch = entering(volunteer)

    with fault(batch):
        fail(batch, services.MOST_ATTEMPTS - 1)
    services.work(batch.pk, at=timezone.now())

    batch.refresh_from_db()
    assert (batch.status, batch.attempts) == (BatchStatus.FINISHED, 0)
