import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from supplies.announcements import services
from supplies.announcements.models import NEWS, Announcement, Kind
from supplies.errors import MoveRefused, NotYours
from supplies.journal.models import Event
from supplies.organisations import services as people
from supplies.organisations.models import Organisation, User
from tests.makers import NOW, make_announcement, make_emergency, make_organisation, make_region, make_user

pytestmark = pytest.mark.django_db


def coordinator() -> tuple[User, Organisation]:
    person, body = make_user(is_staff=True), make_organisation("coordinator")
    people.enrol(person, body, "coordinator", by=None, at=NOW, regions=[make_region("420106")])
    return person, body


def test_a_coordinator_announces_in_her_region_and_in_the_name_of_her_body() -> None:
    person, body = coordinator()

    told = make_announcement(body, region=make_region("420106"), by=person)

    assert list(Announcement.objects.standing()) == [told]
    assert Event.objects.get(kind="announcement.told").by == person


def test_a_coordinator_speaks_for_no_other_region_and_not_for_everywhere() -> None:
    person, body = coordinator()

    for region in (make_region("110101"), None):
        with pytest.raises(NotYours):
            make_announcement(body, region=region, by=person)

    assert not Announcement.objects.exists()


def test_nobody_announces_in_the_name_of_a_body_she_does_not_coordinate_for() -> None:
    person, _body = coordinator()

    with pytest.raises(NotYours):
        make_announcement(make_organisation("coordinator"), region=make_region("420106"), by=person)


def test_what_is_replaced_holds_no_more_and_stays_to_be_read() -> None:
    before = make_announcement()

    after = make_announcement(before.giver, kind="correction", replaces=before)

    assert list(Announcement.objects.standing()) == [after]
    assert Announcement.objects.get(pk=before.pk).successor == after


def test_what_holds_no_more_is_neither_replaced_nor_withdrawn_again() -> None:
    before = make_announcement()
    services.withdraw(before, reason="演练", by=None, at=NOW)

    with pytest.raises(MoveRefused):
        services.withdraw(before, reason="演练", by=None, at=NOW)
    with pytest.raises(MoveRefused):
        make_announcement(before.giver, replaces=before)


def test_a_withdrawal_says_why_and_holds_nothing_itself() -> None:
    before = make_announcement()

    ending = services.withdraw(before, reason="数字有误", by=None, at=NOW)

    assert ending.reason == "数字有误"
    assert not Announcement.objects.standing().exists()
    with pytest.raises(MoveRefused):
        services.withdraw(ending, reason="演练", by=None, at=NOW)


def test_what_was_told_is_neither_changed_nor_deleted() -> None:
    told = make_announcement()

    for change in (lambda rows: rows.update(kind="correction"), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(Announcement.objects.filter(pk=told.pk))


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"title_en": ""}, "announcement_is_whole_in_a_language"),
        (
            dict.fromkeys(("title_zh", "text_zh", "title_en", "text_en"), ""),
            "announcement_is_whole_in_a_language",
        ),
        ({"reason": ""}, "announcement_says_why"),
        ({"kind": Kind.WITHDRAWAL}, "announcement_withdrawal_withdraws_something"),
        ({"kind": "rumour"}, "announcement_kind_is_listed"),
    ],
)
def test_the_database_refuses_one_that_says_too_little(fields: dict[str, str], rule: str) -> None:
    with pytest.raises(IntegrityError, match=rule):
        make_announcement(**fields)


def test_news_is_what_holds_is_new_and_concerns_an_emergency_that_goes_on() -> None:
    at = timezone.now()
    make_announcement(at=at - NEWS)
    make_announcement(at=at, emergency=make_emergency("past", status="over"))
    new = make_announcement(at=at)

    assert list(Announcement.objects.news(at=at)) == [new]
