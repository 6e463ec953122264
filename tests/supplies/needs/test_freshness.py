"""From fresh to grey to lapsed and back: who said so, who is reminded, and what lists make of it."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from supplies.desks.tasks import end_what_is_over
from supplies.emergencies.models import Emergency
from supplies.errors import NotEligible, Refused
from supplies.journal.models import Event
from supplies.journal.services import dispatch
from supplies.needs import reminders
from supplies.needs import services as asking
from supplies.needs.models import Need
from supplies.notices.sending import tell
from supplies.organisations.models import User
from supplies.organisations.verification import CallLog
from tests.api_client import Speaker
from tests.at_once import behind, held_table
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
    make_user,
)
from tests.owner import as_owner
from tests.page_client import reader

pytestmark = pytest.mark.django_db
LATE = TODAY + timedelta(days=60)


def days(number: float) -> Any:
    return NOW + timedelta(days=number)


def make_written_to(need: Need, email: str = "supplies@example.org", **fields: Any) -> User:
    """Somebody who acts for the hospital of a need and has confirmed an address."""
    member = make_member("hospital", need.appeal.facility.organisation, **fields)
    dispatch(at=NOW)  # what was before she had an address is not told by mail
    EmailAddress.objects.create(user=member, email=email, verified=True, primary=True)
    return member


# -- by whom ----------------------------------------------------------------------------------------------


def test_it_is_known_who_said_last_that_it_is_needed() -> None:
    site = make_facility()
    own, volunteer = make_member("hospital", site.organisation), make_member("volunteer")
    coordinator, root = make_member("coordinator"), make_user(is_superuser=True)
    kinds = {
        "source": None,
        "hospital": own,
        "volunteer": volunteer,
        "poster": make_user(),
    }
    said = {kind: make_need(site, by=by) for kind, by in kinds.items()}

    assert {kind: need.confirmed_by_kind for kind, need in said.items()} == {kind: kind for kind in kinds}
    assert {kind: need.confirmed_by for kind, need in said.items()} == kinds
    assert asking.confirm(said["source"], by=root, at=NOW).confirmed_by_kind == "volunteer"
    assert asking.confirm(said["source"], by=coordinator, at=NOW).confirmed_by_kind == "poster"
    assert asking.change(said["source"], by=own, at=NOW, quantity=7).confirmed_by_kind == "hospital"


def test_the_database_knows_no_other_way_of_confirming() -> None:
    make_need()

    with pytest.raises(IntegrityError, match="need_confirmed_by_is_listed"), transaction.atomic():
        Need.objects.update(confirmed_by_kind="hearsay")


def test_a_call_is_written_down_and_not_made_to_one_s_own_hospital() -> None:
    need = make_need()
    own = make_member("volunteer", need.appeal.facility.organisation)

    with pytest.raises(NotEligible) as refusal, transaction.atomic():
        asking.confirm_by_telephone(need, origin="register", outcome="confirmed", by=own, at=NOW)

    need.refresh_from_db()
    assert (refusal.value.code, need.confirmed_by_kind, CallLog.objects.count()) == ("four-eyes", "source", 0)


# -- grey, then over --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["number", "unlimited", "unknown"])
def test_a_need_of_every_kind_goes_grey_and_then_lapses_and_one_word_brings_it_back(kind: str) -> None:
    quantity = 100 if kind == "number" else None
    need = make_need(quantity_kind=kind, quantity=quantity, needed_by=LATE)

    assert asking.grey(at=days(7) - timedelta(seconds=1)) == 0
    assert asking.grey(at=days(7)) == 1
    assert asking.lapse(at=days(14) - timedelta(seconds=1)) == 0
    assert asking.lapse(at=days(14)) == 1
    back = asking.confirm(need, by=None, at=days(15))

    kinds = list(Event.objects.about(need).order_by("pk").values_list("kind", flat=True))
    assert kinds[-3:] == ["need.greyed", "need.lapsed", "need.opened"]
    assert (back.status, back.is_grey, back.confirmed_at) == ("open", False, days(15))
    assert asking.grey(at=days(21)) == 0
    assert asking.grey(at=days(22)) == 1


def test_each_emergency_has_its_own_days_and_one_that_is_over_counts_none() -> None:
    slow, over = make_emergency("slow", grey_days=20, confirm_days=30), make_emergency("over")
    quick = make_need(needed_by=LATE)
    patient, old = make_need(emergency=slow, needed_by=LATE), make_need(emergency=over, needed_by=LATE)
    Emergency.objects.filter(pk="over").update(status="over")

    assert asking.grey(at=days(10)) == 1
    assert asking.lapse(at=days(20)) == 1

    for need in (quick, patient, old):
        need.refresh_from_db()
    assert [need.status for need in (quick, patient, old)] == ["lapsed", "open", "open"]


def test_an_emergency_that_is_given_more_days_makes_its_needs_fresh_again() -> None:
    need = make_need(needed_by=LATE)
    asking.grey(at=days(8))
    Emergency.objects.update(grey_days=10)

    assert asking.grey(at=days(9)) == 0

    need.refresh_from_db()
    assert need.is_grey is False


@pytest.mark.parametrize(
    "columns",
    [{"grey_days": 14}, {"grey_days": 1}, {"confirm_days": 7}, {"remind_days": 8}],
    ids=lambda columns: next(iter(columns)),
)
def test_the_database_keeps_the_days_in_their_order(columns: dict[str, int]) -> None:
    make_emergency()

    with (
        pytest.raises(IntegrityError, match="emergency_reminds_then_greys_then_ends"),
        transaction.atomic(),
    ):
        Emergency.objects.update(**columns)


def test_what_is_promised_stays_promised_when_a_need_lapses() -> None:
    need = make_need(quantity=100, needed_by=LATE)
    allocation = make_allocation(60, need=need)

    asking.lapse(at=days(14))

    need.refresh_from_db()
    allocation.refresh_from_db()
    assert (need.status, need.quantity_promised, need.quantity_outstanding) == ("lapsed", 60, 40)
    assert allocation.status == "reserved"
    assert asking.confirm(need, by=None, at=days(15)).quantity_promised == 60


def queries_of(verb: Any, at: Any) -> int:
    with CaptureQueriesContext(connection) as seen:
        verb(at=at)
    return len(seen)


def test_many_go_grey_are_told_of_and_lapse_in_as_many_queries_as_one() -> None:
    make_written_to(make_need(needed_by=LATE))
    counts = {}
    for lines in (1, 30):
        make_appeal(lines=[{"needed_by": LATE}] * lines)
        Need.objects.update(is_grey=False, status="open", reminded=0)
        counts[lines] = [
            queries_of(verb, at)
            for verb, at in [(reminders.remind, days(5)), (asking.grey, days(7)), (asking.lapse, days(14))]
        ]

    assert counts[1] == counts[30]


def test_appeals_of_many_hospitals_close_in_as_many_queries_as_one() -> None:
    counts = []
    for number in (1, 10):
        for _again in range(number):
            make_need(needed_by=LATE)
        counts.append(queries_of(asking.lapse, days(14)))

    assert counts[0] == counts[1]


# -- lists ------------------------------------------------------------------------------------------------


def test_of_the_same_urgency_grey_needs_come_after_fresh_ones() -> None:
    grey = make_need(urgency=2, needed_by=TODAY + timedelta(days=1))
    fresh = make_need(urgency=2, needed_by=LATE)
    less_urgent = make_need(urgency=3, needed_by=TODAY)
    Need.objects.filter(pk=grey.pk).update(is_grey=True)

    assert list(Need.objects.most_urgent_first()) == [fresh, grey, less_urgent]


def test_pages_go_on_across_the_border_of_grey_forwards_and_back(django_assert_max_num_queries: Any) -> None:
    for number in range(50):
        make_need(urgency=1 + number % 2, needed_by=TODAY + timedelta(days=number % 3))
    Need.objects.filter(pk__in=Need.objects.order_by("pk").values("pk")[:25]).update(is_grey=True)
    expected = [str(pk) for pk in Need.objects.most_urgent_first().values_list("pk", flat=True)]
    client, address, pages = reader(), reverse("needs"), []

    while address:
        context = client.get(address).context
        pages.append([str(need.pk) for need in context["needs"]])
        links = context["links"]
        address = links.get("after", "")
    back = client.get(links["before"]).context["needs"]

    assert [pk for page in pages for pk in page] == expected
    assert [str(need.pk) for need in back] == pages[-2]


def test_an_index_gives_the_first_page_without_sorting() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "SET LOCAL enable_sort = off"
        )  # of a few rows a sort costs nothing; of a million it is the page
    whole = Need.objects.most_urgent_first()[:20].explain()
    with as_owner(), connection.cursor() as cursor:
        # Gone until the rollback: among a few rows it is as cheap as the one of open needs, and either may be taken.
        cursor.execute("DROP INDEX need_fresh_first")
    rows = Need.objects.open().most_urgent_first()[:20].explain()
    later = Need.objects.open().filter(urgency__gte=2).most_urgent_first()[:20].explain()

    plans = [rows, later, whole]
    assert all("Sort" not in plan for plan in plans), plans
    assert [re.search(r"using (\w+)", plan)[1] for plan in plans] == [  # type: ignore[index]
        "need_open_fresh_first",
        "need_open_fresh_first",
        "need_fresh_first",
    ]


def test_a_grey_need_says_so_in_words_and_can_be_filtered() -> None:
    make_need(item=make_item("GOWN", name_en="Gown"))
    grey = make_need()
    Need.objects.filter(pk=grey.pk).update(is_grey=True)

    page = reader().get(reverse("needs")).content.decode()
    fresh = reader().get(reverse("needs"), {"fresh": "true"}).content.decode()
    old = reader().get(reverse("needs"), {"fresh": "false"}).content.decode()

    assert page.count('unconfirmed">not confirmed lately') == 1
    assert ("Gown</a>" in fresh, "Surgical mask</a>" in fresh) == (True, False)
    assert ("Gown</a>" in old, "Surgical mask</a>" in old) == (False, True)


def test_the_api_tells_how_fresh_a_need_is_and_who_said_so_but_never_as_a_person() -> None:
    member = make_member("hospital")
    site = make_facility(member.memberships.get().organisation)
    need = make_appeal(
        site, by=member, source_url="https://example.org/notice/7", published_on=TODAY - timedelta(days=2)
    ).needs.get()
    Need.objects.update(is_grey=True)
    make_need()

    shown = Speaker().get(f"needs/{need.pk}/").json()
    fresh = [row["id"] for row in Speaker().get("needs/", fresh="true").json()["results"]]

    assert {name: shown[name] for name in ("confirmed_by_kind", "is_grey", "source_url", "published_on")} == {
        "confirmed_by_kind": "hospital",
        "is_grey": True,
        "source_url": "https://example.org/notice/7",
        "published_on": str(TODAY - timedelta(days=2)),
    }
    assert "confirmed_by" not in shown
    assert len(fresh) == 1
    assert str(need.pk) not in fresh


# -- reminders --------------------------------------------------------------------------------------------


def remind(at: Any) -> int:
    """As the tasks do one after the other: what is due, to whom, and by mail."""
    count = reminders.remind(at=at)
    dispatch(at=at)
    tell(at=at)
    return count


def test_a_hospital_is_reminded_once_before_grey_and_once_before_the_end() -> None:
    need = make_need(needed_by=LATE)
    make_written_to(need, language="en")

    sent = []
    for day in range(15):
        for _twice in range(2):
            remind(days(day))
        sent.append(len(mail.outbox))

    assert sent == [0] * 5 + [1] * 7 + [2] * 3
    assert mail.outbox[0].to == ["supplies@example.org"]
    assert mail.outbox[0].subject.startswith("Is it still needed?")
    assert "Surgical mask" in mail.outbox[0].body
    assert "by 7 December 2026" in mail.outbox[0].body  # fourteen days after it was said


def test_a_confirmation_lets_it_be_told_of_anew() -> None:
    need = make_need(needed_by=LATE)
    make_written_to(need)
    reminders.remind(at=days(5))

    asking.confirm(need, by=None, at=days(6))

    assert [reminders.remind(at=days(10)), reminders.remind(at=days(11))] == [0, 1]


def test_only_who_acts_for_the_hospital_has_an_address_and_did_not_say_no_is_written_to() -> None:
    need = make_need(needed_by=LATE)
    make_written_to(need, "yes@example.org")
    make_written_to(need, "no@example.org", reminded_by_mail=False)
    make_written_to(need, "closed@example.org", is_active=False)
    make_written_to(make_need(needed_by=TODAY), "other@example.org")
    Need.objects.exclude(pk=need.pk).update(status="met")
    unconfirmed = make_member("hospital", need.appeal.facility.organisation)
    EmailAddress.objects.create(user=unconfirmed, email="unconfirmed@example.org", verified=False)

    remind(days(5))

    assert [letter.to for letter in mail.outbox] == [["yes@example.org"]]


def test_the_lines_of_an_appeal_are_told_of_in_one_mail() -> None:
    appeal = make_appeal(lines=[{"needed_by": LATE}, {"needed_by": LATE}])
    make_written_to(appeal.needs.first())

    assert remind(days(5)) == 2

    (letter,) = mail.outbox
    assert letter.body.count("医用外科口罩") == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_remind_once() -> None:
    make_written_to(make_need(needed_by=LATE))

    told = behind(held_table("supplies_need"), [lambda: reminders.remind(at=days(5))] * 2)

    assert sorted(told) == [0, 1]
    assert Event.objects.filter(kind="need.reminded").count() == 1


def test_the_timetable_reminds_greys_and_ends() -> None:
    make_written_to(make_need(needed_by=LATE))

    with time_machine.travel(days(8)):
        end_what_is_over()
        dispatch(at=days(8))
        tell(at=days(8))
    assert (len(mail.outbox), Need.objects.grey().count()) == (1, 1)

    with time_machine.travel(days(15)):
        end_what_is_over()
    assert Need.objects.get().status == "lapsed"


# -- the link of a reminder --------------------------------------------------------------------------------


def link_to(need: Need, user: User) -> str:
    return reverse("still-needed", args=[reminders.link_for(need.appeal, user)])


def test_to_look_changes_nothing_and_the_button_confirms_as_the_hospital() -> None:
    need = make_need(needed_by=LATE)
    member = make_written_to(need)
    Need.objects.update(confirmed_at=timezone.now() - timedelta(days=8), is_grey=True, reminded=1)
    before = Need.objects.values().get()
    client, link = reader(), link_to(need, member)

    page = client.get(link)
    assert Need.objects.values().get() == before
    client.post(link, {"needs": [str(need.pk)]})

    need.refresh_from_db()
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert "no-store" in page.headers["Cache-Control"]
    assert (need.is_grey, need.confirmed_by, need.confirmed_by_kind) == (False, member, "hospital")


def test_a_link_confirms_only_lines_of_its_appeal_that_wait_for_it() -> None:
    need, foreign = make_need(needed_by=LATE), make_need(needed_by=LATE)
    member = make_written_to(need)
    Need.objects.update(is_grey=True)

    reader().post(link_to(need, member), {"needs": [str(foreign.pk), str(need.pk), "nonsense"]})

    assert Need.objects.grey().count() == 2  # neither was told of

    Need.objects.update(reminded=1)
    reader().post(link_to(need, member), {"needs": [str(foreign.pk), str(need.pk)]})

    assert list(Need.objects.grey()) == [foreign]


def test_a_link_that_is_old_changed_or_of_somebody_who_left_opens_nothing() -> None:
    need = make_need(needed_by=LATE)
    member = make_written_to(need)
    link = link_to(need, member)

    assert reader().get(link).status_code == 200
    assert reader().get(link[:-3] + "xx/").status_code == 404
    with time_machine.travel(timezone.now() + timedelta(days=15)):
        assert reader().get(link).status_code == 404
    member.memberships.all().delete()
    assert reader().get(link).status_code == 404


def test_reminders_are_switched_off_and_on_at_the_account() -> None:
    member = make_written_to(make_need())
    client = reader(member)

    client.post(reverse("choose-reminders"), {})
    member.refresh_from_db()
    assert member.reminded_by_mail is False

    client.post(reverse("choose-reminders"), {"wanted": "on"})
    member.refresh_from_db()
    assert member.reminded_by_mail is True
    assert 'name="wanted" checked' in client.get(reverse("account")).content.decode()


def test_one_s_own_page_asks_what_is_still_needed() -> None:
    need = make_need()
    member = make_member("hospital", need.appeal.facility.organisation)
    make_need()
    Need.objects.update(is_grey=True)

    page = reader(member).get(reverse("my-hospital"))

    assert list(page.context["quiet"]) == [need]
    assert reverse("confirm-need", args=[need.pk]) in page.content.decode()


def test_a_withdrawn_need_is_not_confirmed_by_telephone() -> None:
    need = asking.withdraw_need(make_need(), by=None, at=NOW)

    with pytest.raises(Refused):
        asking.confirm_by_telephone(
            need, origin="register", outcome="confirmed", by=make_member("volunteer"), at=NOW
        )
