"""What the hospitals counted, at the desk."""

import pytest

from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.shipments import sightings
from tests.desk import at_the_desk, choose, page_of
from tests.makers import NOW, make_shipment
from tests.supplies.receipts.test_tickets import counted

pytestmark = pytest.mark.django_db


def test_the_page_shows_the_timeline_and_the_count(volunteer: User) -> None:
    shipment = make_shipment(status="delivered")
    line = shipment.lines.get()
    sightings.report(shipment, occurred_at=NOW, step="transporting", place="Xinyang depot", by=None, at=NOW)
    receiving.receive(
        shipment,
        counts=[{"line": line, "accepted": 60, "damaged": 40}],
        by=None,
        at=NOW,
        note="Two cartons wet.",
    )

    page = at_the_desk(volunteer).get(page_of(shipment)).content.decode()

    assert "Xinyang depot" in page
    assert "Two cartons wet." in page
    assert "40 piece" in page


def test_how_a_ticket_ended_is_chosen_by_whoever_settles_it(volunteer: User) -> None:
    ticket = counted(accepted=90).tickets.get()
    client = at_the_desk(volunteer)

    page = choose(client, "settle", ticket, outcome="")

    ticket.refresh_from_db()
    assert (ticket.status, ticket.outcome) == ("open", "")
    assert page.context["form"]["outcome"].errors
    assert page.context["form"].fields["outcome"].choices[0] == ("", "— choose —")


def test_a_ticket_says_how_much_is_missing_and_names_both_sides(volunteer: User) -> None:
    ticket = counted(accepted=90).tickets.get()

    shown = at_the_desk(volunteer).get(page_of(ticket)).content.decode()

    assert str(ticket).endswith(" · 10 · missing")
    for words in (str(ticket), ticket.shipment.consignor.name, ticket.shipment.consignee.name):
        assert words in shown
