"""At the desk: a row belongs to whoever opened it; lists are kept; what happened to a row stands on its page."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from supplies.claims.models import Claim, SavedList
from supplies.claims.services import take
from supplies.journal.words import facts_told
from supplies.needs.models import Appeal, Need
from supplies.organisations import services as people
from supplies.organisations.models import Organisation, User
from supplies.organisations.verification import CallOrigin, CallOutcome
from tests.desk import at_the_desk, choose, list_of, page_of, told
from tests.makers import NOW, make_appeal, make_member, make_need, make_organisation, make_region, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def other() -> User:
    return make_member("volunteer")


def claim_page(row: Any) -> str:
    return page_of(row).replace("/change/", "/claim/")


def test_who_opens_what_waits_has_it_and_others_are_told_in_the_list_and_on_its_page(
    volunteer: User, other: User
) -> None:
    row = make_appeal(published=False)

    assert "Yours to decide until" in at_the_desk(volunteer).get(page_of(row)).content.decode()

    assert "taken by you until" in at_the_desk(volunteer).get(list_of(Appeal)).content.decode()
    hers = at_the_desk(other)
    assert f"taken by #{volunteer.pk} until" in hers.get(list_of(Appeal)).content.decode()
    page = hers.get(page_of(row)).content.decode()
    assert f"taken by #{volunteer.pk} until" in page
    assert "Take it over" in page
    assert Claim.objects.get().by == volunteer


def test_a_row_that_somebody_else_has_offers_nothing_but_to_take_it_over(
    volunteer: User, other: User
) -> None:
    appeal, organisation = make_appeal(published=False), make_organisation(verified=False)
    for row in (appeal, organisation):
        at_the_desk(volunteer).get(page_of(row))
        page = at_the_desk(other).get(page_of(row)).content.decode()

        assert f"taken by #{volunteer.pk} until" in page
        assert "Nothing can be decided here until then" in page
        assert "Take it over" in page
        assert "/do/" not in page

        at_the_desk(other).post(claim_page(row), {"because": "Her shift has ended"})
        assert "/do/" in at_the_desk(other).get(page_of(row)).content.decode()


def test_an_auditor_is_told_who_has_a_row_and_not_asked_to_take_it_over(volunteer: User) -> None:
    row = make_appeal(published=False)
    take(row, by=volunteer, at=timezone.now())

    page = at_the_desk(make_member("auditor")).get(page_of(row)).content.decode()

    assert f"taken by #{volunteer.pk} until" in page
    assert "Take it over" not in page


def test_what_is_decided_already_and_what_an_auditor_opens_is_taken_by_nobody(volunteer: User) -> None:
    at_the_desk(volunteer).get(page_of(make_appeal()))
    at_the_desk(make_member("auditor")).get(page_of(make_appeal(published=False)))

    assert not Claim.objects.exists()


def test_deciding_gives_it_back_and_is_refused_to_others_meanwhile(volunteer: User, other: User) -> None:
    row, free = make_appeal(published=False), make_appeal(published=False)
    take(row, by=volunteer, at=timezone.now())

    answer = choose(at_the_desk(other), "refuse", row, free, reason="Twice", confirmed="yes")
    row.refresh_from_db()
    free.refresh_from_db()
    assert (row.status, free.status) == ("waiting", "refused")
    assert any("taken by" in sentence for sentence in told(answer))

    choose(at_the_desk(volunteer), "publish", row)
    row.refresh_from_db()
    assert row.status == "published"
    assert not Claim.objects.exists()


def test_it_is_taken_over_with_a_reason_and_given_back_by_hand(volunteer: User, other: User) -> None:
    row = make_appeal(published=False)
    take(row, by=volunteer, at=timezone.now())
    client = at_the_desk(other)

    answer = client.post(claim_page(row), {"because": " "})
    assert "taken by" in told(answer)[0]
    assert Claim.objects.get().by == volunteer

    client.post(claim_page(row), {"because": "Her shift has ended"})
    assert Claim.objects.get().by == other
    assert client.post(claim_page(row), {"release": "yes"}).url == list_of(Appeal)
    assert not Claim.objects.exists()
    assert client.get(claim_page(row)).status_code == 405


def test_a_coordinator_takes_no_row_outside_her_regions(db: None) -> None:
    coordinator = make_user()
    people.enrol(
        coordinator,
        make_organisation("coordinator"),
        "coordinator",
        regions=[make_region("110101", "东城区")],
        by=None,
        at=NOW,
    )
    row = make_appeal(published=False)

    assert at_the_desk(coordinator).post(claim_page(row), {"because": "x"}).status_code == 404
    assert not Claim.objects.exists()


def test_a_list_is_kept_under_a_name_shown_on_the_first_page_to_its_owner_alone_and_forgotten(
    volunteer: User, other: User
) -> None:
    client = at_the_desk(volunteer)

    kept = client.post(
        reverse("admin:save_list"),
        {"model": "supplies.need", "query": "status=open&urgency=1&p=3", "name": "red"},
    )
    assert kept.url == f"{list_of(Need)}?status=open&urgency=1"
    first = client.get(reverse("admin:index")).context["saved"]
    assert [(row.name, address) for row, address in first] == [("red", kept.url)]
    assert at_the_desk(other).get(reverse("admin:index")).context["saved"] == []

    mine = SavedList.objects.get()
    assert at_the_desk(other).post(reverse("admin:forget_list", args=[mine.pk])).status_code == 404
    client.post(reverse("admin:forget_list", args=[mine.pk]))
    assert not SavedList.objects.exists()


def test_a_list_there_is_not_or_a_name_that_is_too_long_is_refused(volunteer: User) -> None:
    client, address = at_the_desk(volunteer), reverse("admin:save_list")

    assert client.post(address, {"model": "supplies.nothing", "name": "x"}).status_code == 404
    client.post(address, {"model": "supplies.need", "name": "x" * 61})
    client.post(address, {"model": "supplies.need", "query": "q=" + "x" * 600, "name": "x"})
    assert client.get(address).status_code == 405
    assert not SavedList.objects.exists()


def test_what_happened_to_a_row_stands_on_its_page(volunteer: User) -> None:
    need = make_need()

    page = at_the_desk(volunteer).get(page_of(need.appeal))

    assert [event.kind for event in page.context["history"]] == ["appeal.published", "appeal.posted"]
    assert "What happened to it" in page.content.decode()
    assert '<td title="appeal.published">published</td>' in page.content.decode()


def test_from_a_row_that_is_decided_a_link_leads_to_those_that_still_wait(volunteer: User) -> None:
    first, last = make_appeal(published=False), make_appeal(published=False)
    queue = f'<a href="{list_of(Appeal)}?status=waiting">'

    def publish(row: Appeal) -> str:
        address = page_of(row).replace("/change/", "/do/publish/")
        return at_the_desk(volunteer).post(address, follow=True).content.decode()  # type: ignore[no-any-return]

    assert f"{queue}appeals to moderate: 1 left →</a>" in publish(first)
    assert queue not in publish(last)


def test_of_the_facts_those_are_told_that_people_read() -> None:
    assert facts_told({"quantity": 890, "step": 1, "round": 2}) == [
        ("quantity", 890),
        ("round of checking", 2),
    ]


def test_the_first_page_says_how_long_the_oldest_waits(volunteer: User) -> None:
    young, old = make_appeal(published=False), make_appeal(published=False)
    Appeal.objects.filter(pk=young.pk).update(created_at=timezone.now())
    Appeal.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=3))

    page = at_the_desk(volunteer).get(reverse("admin:index"))

    (card,) = [card for card in page.context["cards"] if card.title == "appeals to moderate"]
    assert (card.count, card.since) == (2, Appeal.objects.get(pk=old.pk).created_at)
    assert "the oldest has waited 3 days<" in page.content.decode()


def test_a_day_to_call_back_brings_the_organisation_into_a_queue_until_somebody_has_called(
    volunteer: User,
) -> None:
    row, client = make_organisation(verified=False), at_the_desk(volunteer)
    today = timezone.localdate()
    ring = page_of(row).replace("/change/", "/do/call/")
    call = {"answered": "yes", "number": CallOrigin.values[0], "outcome": CallOutcome.values[-1], "note": ""}

    def waiting() -> list[Organisation]:
        return list(client.get(list_of(Organisation), {"status": "call_back"}).context["cl"].result_list)

    past = client.post(ring, {**call, "call_back_on": str(today - timedelta(days=1))})
    assert "That day has passed" in past.content.decode()
    client.post(ring, {**call, "call_back_on": str(today + timedelta(days=1))})
    assert waiting() == []
    client.post(ring, {**call, "call_back_on": str(today)})
    assert waiting() == [row]
    client.post(ring, call)
    assert waiting() == []
