from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from supplies.errors import MoveRefused, NotEligible, Refused
from supplies.journal.models import Event
from supplies.needs import services as asking
from supplies.needs.models import Appeal, Need
from tests.makers import (
    NOW,
    TODAY,
    make_allocation,
    make_appeal,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_standard,
    make_user,
)

pytestmark = pytest.mark.django_db


def faults_of(**line: object) -> dict[str, list[str]]:
    """The fields that a line with this fault is refused for; nothing of it may be stored."""
    with pytest.raises(ValidationError) as refusal:
        make_need(**line)
    assert Appeal.objects.count() == Need.objects.count() == 0
    return dict(refusal.value.message_dict)


def test_an_appeal_waits_until_a_volunteer_has_read_it(volunteer) -> None:
    appeal = make_appeal(published=False)
    assert (appeal.status, appeal.needs.get().status) == ("waiting", "waiting")

    asking.publish(appeal, by=volunteer, at=NOW)

    assert appeal.needs.get().status == "open"


def test_who_posted_an_appeal_does_not_publish_it(volunteer) -> None:
    appeal = make_appeal(published=False, by=volunteer)

    with pytest.raises(NotEligible) as refusal:
        asking.publish(appeal, by=volunteer, at=NOW)

    assert refusal.value.code == "four-eyes"


def test_a_refusal_says_why_and_closes_the_lines(volunteer) -> None:
    appeal = make_appeal(published=False)

    with pytest.raises(Refused):
        asking.refuse(appeal, reason="  ", by=volunteer, at=NOW)
    asking.refuse(appeal, reason="The telephone number is not the hospital's.", by=volunteer, at=NOW)

    assert appeal.needs.get().status == "refused"


@pytest.mark.parametrize("quantity", [0, -1, -(10**12)])
def test_nothing_and_less_than_nothing_cannot_be_asked_for(quantity: int) -> None:
    assert list(faults_of(quantity=quantity)) == ["lines.0.quantity"]


@pytest.mark.parametrize("quantity", [10**10, 2 * 10**14, 2**63, 10**30])
def test_an_absurd_quantity_is_refused_with_a_sentence(quantity: int) -> None:
    assert list(faults_of(quantity=quantity)) == ["lines.0.quantity"]


def test_a_number_and_without_limit_exclude_each_other() -> None:
    assert list(faults_of(quantity=5, quantity_kind="unlimited")) == ["lines.0.quantity"]


def test_a_deadline_in_the_past_is_refused() -> None:
    assert list(faults_of(needed_by=TODAY - timedelta(days=1))) == ["lines.0.needed_by"]


def test_a_fault_in_one_line_stores_none_of_them() -> None:
    with pytest.raises(ValidationError) as refusal:
        make_appeal(lines=[{}, {"quantity": -1}, {"min_lot": 5_000}])

    assert set(refusal.value.message_dict) == {"lines.1.quantity", "lines.2.min_lot"}
    assert Need.objects.count() == 0


def test_an_appeal_without_lines_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least one"):
        asking.post(make_facility(), emergency=make_emergency(), lines=[], by=None, at=NOW)


def test_nothing_is_collected_for_an_emergency_that_is_over() -> None:
    with pytest.raises(NotEligible):
        make_appeal(emergency=make_emergency("old", status="over"))


def test_what_was_not_stated_is_assumed_and_marked_so() -> None:
    need = make_need(urgency=None, needed_by=None)

    assert (need.urgency, need.urgency_assumed) == (3, True)
    assert (need.needed_by, need.needed_by_assumed) == (TODAY + timedelta(days=30), True)


def test_without_limit_is_never_stored_as_a_number() -> None:
    need = make_need(quantity=None, quantity_kind="unlimited")

    assert need.quantity is None
    assert need.quantity_assumed == make_item().assumed_quantity


def test_the_database_refuses_a_sentinel_for_without_limit() -> None:
    need = make_need(quantity=None, quantity_kind="unlimited")

    with pytest.raises(IntegrityError, match="need_number_has_a_quantity"), transaction.atomic():
        Need.objects.filter(pk=need.pk).update(quantity=1)


def test_the_deadline_is_the_midnight_where_the_facility_is() -> None:
    need = make_need(make_facility(timezone="Asia/Shanghai"), needed_by=TODAY)

    assert need.deadline_at == datetime(TODAY.year, TODAY.month, TODAY.day, 16, 0, tzinfo=UTC)


def test_accepted_standards_are_kept() -> None:
    standard = make_standard()

    assert list(make_need(accepted_standards=[standard]).accepted_standards.all()) == [standard]


def test_not_needed_any_more_closes_the_line_and_the_appeal() -> None:
    need = make_need()

    asking.withdraw_need(need, by=None, at=NOW)

    need.refresh_from_db()
    assert (need.status, need.appeal.status) == ("withdrawn", "closed")


def test_a_change_goes_not_below_what_is_promised() -> None:
    need = make_need(quantity=100)
    make_allocation(60, need=need)

    with pytest.raises(Refused) as refusal:
        asking.change(need, quantity=59, by=None, at=NOW)
    changed = asking.change(need, quantity=60, by=None, at=NOW)

    assert refusal.value.code == "below-what-is-promised"
    assert changed.quantity_outstanding == 0


def test_a_need_lapses_at_its_deadline_and_not_before() -> None:
    need = make_need(needed_by=TODAY)

    assert asking.lapse(at=need.deadline_at - timedelta(seconds=1)) == 0
    assert asking.lapse(at=need.deadline_at) == 1


def test_an_unlimited_need_ends_when_nobody_confirms_it() -> None:
    need = make_need(quantity=None, quantity_kind="unlimited", needed_by=TODAY + timedelta(days=60))

    assert asking.lapse(at=NOW + timedelta(days=13)) == 0
    assert asking.lapse(at=NOW + timedelta(days=15)) == 1
    need.refresh_from_db()
    assert need.status == "lapsed"

    assert asking.confirm(need, by=None, at=NOW + timedelta(days=16)).status == "open"


def test_a_withdrawn_appeal_stays_withdrawn(volunteer) -> None:
    appeal = asking.withdraw(make_appeal(), by=None, at=NOW)

    with pytest.raises(MoveRefused):
        asking.publish(appeal, by=volunteer, at=NOW)


def test_the_journal_knows_each_step_and_no_name(volunteer) -> None:
    appeal = make_appeal(published=False)
    asking.publish(appeal, by=volunteer, at=NOW)

    kinds = list(Event.objects.about(appeal).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["appeal.posted", "appeal.published"]
    assert all(appeal.facility.name not in str(event.facts) for event in Event.objects.all())


def test_strangers_see_an_appeal_once_it_is_published_and_its_author_before() -> None:
    author, stranger = make_user(), make_user()
    appeal = make_appeal(published=False, by=author)

    assert not Appeal.objects.visible_to(stranger).filter(pk=appeal.pk).exists()
    assert Appeal.objects.visible_to(author).filter(pk=appeal.pk).exists()
    assert (
        Appeal.objects.visible_to(make_member("hospital", appeal.facility.organisation))
        .filter(pk=appeal.pk)
        .exists()
    )

    asking.publish_moderated(appeal, at=NOW)
    assert Appeal.objects.visible_to(stranger).filter(pk=appeal.pk).exists()


def test_a_need_lapses_with_the_validity_of_its_appeal_and_is_confirmed_beyond_it() -> None:
    appeal = make_appeal(
        lines=[{"needed_by": TODAY + timedelta(days=20)}], valid_until=TODAY + timedelta(days=2)
    )
    need = appeal.needs.get()
    after = NOW + timedelta(days=3)

    assert asking.lapse(at=NOW + timedelta(days=1)) == 0
    assert asking.lapse(at=after) == 1
    asking.confirm(need, by=None, at=after)

    need.refresh_from_db()
    appeal.refresh_from_db()
    assert (need.status, appeal.valid_until) == ("open", None)
    assert asking.lapse(at=after) == 0


def test_a_long_reason_is_cut_not_refused(volunteer) -> None:
    appeal = asking.refuse(make_appeal(published=False), reason="x" * 500, by=volunteer, at=NOW)

    assert len(appeal.refusal) == 300
