"""The desk as a whole: its first page, every list and every page of a row, and who gets in."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.core.mail import EmailMessage
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from supplies.allocations.models import Allocation
from supplies.journal import chain
from supplies.journal.mail import write
from supplies.journal.once import Answer, Asked, keep
from supplies.needs.models import Appeal
from supplies.organisations.desk import DeskAdmin
from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.receipts.thanking import thank
from tests.desk import at_the_desk, list_of, page_of
from tests.makers import (
    NOW,
    make_allocation,
    make_appeal,
    make_donation,
    make_member,
    make_organisation,
    make_proposal,
    make_shipment,
    make_user,
)


def make_one_of_everything() -> None:
    make_appeal(published=False)
    make_donation(published=False)
    make_organisation("hospital", verified=False)
    make_proposal()
    shipment = make_shipment(status="delivered")
    line = shipment.lines.get()
    receiving.receive(shipment, counts=[{"line": line, "accepted": 90, "damaged": 10}], by=None, at=NOW)
    thank(shipment, words="Exercise", by=None, at=NOW)
    Allocation.objects.filter(pk=make_allocation().pk).update(due_at=timezone.now() - timedelta(days=1))
    write(EmailMessage("Exercise", "nothing", to=["nobody@example.org"]), at=NOW)
    keep(Asked("account:1", None, "POST /", "POST", str(uuid.uuid4()), b""), Answer(200), at=NOW)
    chain.seal(at=NOW)


@pytest.mark.parametrize("role", ["hospital", "donor", "carrier"])
def test_the_desk_is_closed_to_those_who_do_not_work_there(db: None, role: str) -> None:
    client = at_the_desk(make_member(role))

    answer = client.get(reverse("admin:index"))

    assert answer.status_code == 302
    assert "login" in answer.url


def test_a_stranger_is_asked_to_sign_in(stranger: User) -> None:
    assert Client().get(list_of(Appeal)).status_code == 302
    assert at_the_desk(stranger).get(list_of(Appeal)).status_code == 302


def test_somebody_who_is_staff_without_a_role_sees_no_row_of_the_desk(db: None) -> None:
    make_appeal(published=False)
    client = at_the_desk(make_user("clerk", is_staff=True))

    assert client.get(list_of(Appeal)).status_code == 403


def test_the_first_page_counts_what_waits_and_links_to_it(volunteer: User) -> None:
    make_one_of_everything()
    client = at_the_desk(volunteer)

    cards = client.get(reverse("admin:index")).context["cards"]

    counted = {card.title: card.count for card in cards}
    for title in (
        "appeals to moderate",
        "donations to moderate",
        "organisations to verify",
        "proposals to approve",
    ):
        assert counted[title] == 1, title
    assert counted["shipments in trouble"] == 1
    assert counted["overdue allocations"] == 1
    assert counted["allocations to ship"] == 1
    assert counted["shipments without a carrier"] == 0
    assert counted["proposals waiting for a yes"] == 0
    for card in cards:
        if card.count:
            assert client.get(card.url).context["cl"].result_count == card.count, card.title


def test_the_first_page_asks_one_query_a_card(
    volunteer: User, rf: Any, django_assert_num_queries: Any
) -> None:
    make_one_of_everything()
    request = rf.get("/")
    request.user = volunteer
    assert volunteer.roles  # read once per person
    site = admin.site

    with django_assert_num_queries(len(list(site.cards(request)))):  # type: ignore[attr-defined]
        list(site.cards(request))  # type: ignore[attr-defined]


def test_what_waits_is_shown_to_nobody_else(rf: Any, db: None) -> None:
    request = rf.get("/")
    request.user = AnonymousUser()

    assert list(admin.site.cards(request)) == []  # type: ignore[attr-defined]


def test_every_action_of_the_desk_that_changes_something_is_hidden_from_an_auditor(rf: Any, db: None) -> None:
    request = rf.get("/")
    request.user = make_member("auditor")

    for desk in admin.site._registry.values():
        if isinstance(desk, DeskAdmin):
            assert desk.get_actions(request).keys() == {"download"}, desk


def test_an_auditor_reads_and_cannot_post_an_action(db: None) -> None:
    appeal = make_appeal(published=False)
    client = at_the_desk(make_member("auditor"))

    assert client.get(page_of(appeal)).status_code == 200
    assert client.post(page_of(appeal).replace("/change/", "/do/publish/")).status_code == 403
    appeal.refresh_from_db()
    assert appeal.status == "waiting"


def test_an_action_is_never_done_by_following_a_link(volunteer: User) -> None:
    appeal = make_appeal(published=False)

    answer = at_the_desk(volunteer).get(page_of(appeal).replace("/change/", "/do/publish/"))

    assert answer.status_code == 405
    appeal.refresh_from_db()
    assert appeal.status == "waiting"


def test_an_action_on_a_row_that_is_not_there_is_not_found(volunteer: User) -> None:
    appeal = make_appeal(published=False)
    address = page_of(appeal).replace(str(appeal.pk), "00000000-0000-0000-0000-000000000000")

    answer = at_the_desk(volunteer).post(address.replace("/change/", "/do/publish/"))

    assert answer.status_code == 404
