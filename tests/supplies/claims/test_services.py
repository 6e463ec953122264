"""Taking a row to decide about it, giving it back; and lists kept under a name."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from supplies.claims.models import Claim, SavedList
from supplies.claims.services import LASTS, MOST_LISTS, check, release, save_list, take
from supplies.errors import Refused
from supplies.journal.models import Event
from supplies.organisations.models import User
from tests.makers import NOW, make_appeal, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def other() -> User:
    return make_member("volunteer")


def test_a_row_that_was_taken_is_refused_to_others_and_lasts_a_quarter_of_an_hour(
    volunteer: User, other: User
) -> None:
    row = make_appeal(published=False)
    take(row, by=volunteer, at=NOW)

    check(row, by=volunteer, at=NOW)
    for at in (NOW, NOW + LASTS - timedelta(seconds=1)):
        with pytest.raises(Refused, match="taken by") as refused:
            check(row, by=other, at=at)
        assert refused.value.code == "taken"
        with pytest.raises(Refused):
            take(row, by=other, at=at)
    check(row, by=other, at=NOW + LASTS)

    assert take(row, by=other, at=NOW + LASTS).by == other


def test_taken_again_by_the_same_person_it_lasts_from_then_on(volunteer: User) -> None:
    row = make_appeal(published=False)
    take(row, by=volunteer, at=NOW)

    again = take(row, by=volunteer, at=NOW + timedelta(minutes=10))

    assert again.until_at == NOW + timedelta(minutes=25)
    assert Claim.objects.count() == 1


def test_somebody_takes_it_over_with_a_reason_which_the_journal_keeps(volunteer: User, other: User) -> None:
    row = make_appeal(published=False)
    take(row, by=volunteer, at=NOW)

    claim = take(row, by=other, at=NOW, because="Her shift has ended.")

    assert (claim.by, claim.because) == (other, "Her shift has ended.")
    event = Event.objects.get(kind="claim.taken_over")
    assert (event.subject, event.subject_id, event.by, event.facts) == (
        "appeal",
        str(row.pk),
        other,
        {"of": volunteer.pk},
    )
    with pytest.raises(Refused):
        check(row, by=volunteer, at=NOW)


def test_only_who_has_it_gives_it_back(volunteer: User, other: User) -> None:
    row = make_appeal(published=False)
    take(row, by=volunteer, at=NOW)

    release(row, by=other)
    assert Claim.objects.exists()
    release(row, by=volunteer)

    assert not Claim.objects.exists()
    check(row, by=other, at=NOW)


def test_the_database_holds_one_claim_of_a_row(volunteer: User, other: User) -> None:
    row = make_appeal(published=False)
    take(row, by=volunteer, at=NOW)

    with pytest.raises(IntegrityError, match="claim_once_per_row"), transaction.atomic():
        Claim.objects.create(
            subject="appeal", subject_id=str(row.pk), by=other, taken_at=NOW, until_at=NOW + LASTS
        )


def test_a_list_of_the_same_name_is_replaced_and_of_others_there_are_so_many(
    volunteer: User, other: User
) -> None:
    for number in range(MOST_LISTS):
        save_list(f"list {number}", "supplies.appeal", "status=waiting", by=volunteer, at=NOW)
    save_list("list 0", "supplies.need", "", by=volunteer, at=NOW)
    save_list("list 0", "supplies.offer", "", by=other, at=NOW)

    assert SavedList.objects.of(volunteer).get(name="list 0").model == "supplies.need"
    with pytest.raises(ValidationError, match="You have 20 saved lists"):
        save_list("one more", "supplies.appeal", "", by=volunteer, at=NOW)
    for name in ("", "x" * 61):
        with pytest.raises(ValidationError):
            save_list(name, "supplies.appeal", "", by=other, at=NOW)
