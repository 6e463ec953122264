"""The books are right after a whole story; and of every way in which they could be wrong one is planted and found."""

import io
import json
from collections.abc import Iterable
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from matching import running, services
from matching.books import EQUATIONS, check, faults
from matching.models import Proposal
from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.journal.services import dispatch, unheard
from supplies.needs.models import Need
from supplies.offers import services as giving
from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.shipments import packing
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.makers import (
    NOW,
    make_emergency,
    make_facility,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_shipment,
)
from tests.owner import as_owner

pytestmark = pytest.mark.django_db
SAID: dict[str, Any] = {"by": None, "at": NOW}


def count(shipment: Shipment, **parts: int) -> None:
    """Every line: these parts, as many missing as five, and the rest accepted; whole if there are none."""
    counts = []
    for line in shipment.lines.select_related("allocation"):
        rest = line.allocation.quantity - sum(parts.values()) - (5 if parts else 0)
        counts.append({"line": line, "accepted": rest, **parts})
    receiving.receive(shipment, counts=counts, **SAID)


@pytest.fixture
def story(volunteer: User) -> None:
    """Proposals in every state, and what was promised on every way it can go."""
    for urgency in (1, 2, 3, 4) * 3:
        make_need(quantity=100, urgency=urgency)
    for _ in range(4):
        make_offer(make_organisation("donor"), quantity=300, pack=10, allocates_for_me=True)
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
    for family in running.open_run(run.pk, at=NOW):
        running.solve_family(family.pk, clock=lambda: NOW)
    open_, declined, fewer, *agreed = Proposal.objects.order_by("-place")
    services.decline(declined, reason="no", by=volunteer, at=NOW)
    for proposal in reversed(agreed):
        services.approve(proposal, by=volunteer, at=NOW)
    services.approve(fewer, quantity=60, reason="recount", by=volunteer, at=NOW)
    services.allocate_by_hand(
        make_need(quantity=40), open_.offer, 40, reason="transport", by=volunteer, at=NOW
    )
    parts = list(Allocation.objects.order_by("created_at", "quantity", "pk"))
    ledger.split(parts.pop(), 30, **SAID)
    ledger.release(parts.pop(), reason="no van", **SAID)
    for status in ("draft", "booked", "in_transit", "delivered"):
        make_shipment(parts.pop(), status=status)
    packed = Shipment.objects.get(status="draft")
    packing.pack(
        packed, units=[{"kind": "carton", "contents": [{"line": packed.lines.get(), "quantity": 7}]}], **SAID
    )
    moving.cancel(make_shipment(parts.pop(), status="booked"), **SAID)
    moving.lose(make_shipment(parts.pop(), status="in_transit"), **SAID)
    moving.come_back(moving.send_back(make_shipment(parts.pop(), status="in_transit"), **SAID), **SAID)
    count(make_shipment(parts.pop(), status="delivered"), damaged=10, wrong_item=5)
    first, second = (make_need(quantity=50) for _ in range(2))
    for need in (first, second):
        allocation = ledger.allocate(need, make_offer(quantity=50), 50, **SAID)
        count(make_shipment(allocation, status="delivered"))
    dispatch(at=NOW)
    giving.change(make_offer(), quantity=2000, **SAID)


def a(table: str, where: str = "true") -> str:
    return f"id = (SELECT id FROM supplies_{table} WHERE {where} ORDER BY id LIMIT 1)"


# What is always true -> the constraints that would refuse the corruption, the corruption (it returns the key of what it
# broke), and the tables whose triggers would refuse it.
PLANTED: dict[str, tuple[list[str], str]] = {
    "No offer is promised beyond what it holds.": (
        ["supplies_offer offer_not_promised_beyond_what_it_holds"],
        "UPDATE supplies_offer SET quantity = quantity_allocated - 1 WHERE "
        + a("offer", "status = 'open' AND quantity_allocated > 1")
        + " RETURNING id",
    ),
    "No need is promised beyond what it asks.": (
        ["supplies_need need_not_promised_beyond_what_it_asks"],
        "UPDATE supplies_need SET (quantity, ceiling) = (quantity_promised - 1, quantity_promised - 1) WHERE "
        + a("need", "quantity_promised > 1 AND quantity_received = 0")
        + " RETURNING id",
    ),
    "A match is what was shipped of it, what waits to be shipped, and what was given back.": (
        [],
        "UPDATE matching_proposal SET quantity_left_out = 1, deviation = 'recount' WHERE id ="
        " (SELECT id FROM matching_proposal WHERE status = 'agreed' AND quantity_left_out = 0 LIMIT 1) RETURNING id",
    ),
    "What was shipped is on its way, counted, lost or back with the donor.": (
        [],
        "UPDATE supplies_allocation SET status = 'booked' WHERE "
        + a("allocation", "status = 'shipped'")
        + " RETURNING (SELECT shipment_id FROM supplies_shipmentline WHERE allocation_id = supplies_allocation.id)",
    ),
    "A count adds up to what was counted and to what was shipped.": (
        ["supplies_receiptline receipt_line_adds_up_to_what_was_shipped"],
        f"UPDATE supplies_receiptline SET missing = missing + 1 WHERE {a('receiptline')} RETURNING id",
    ),
    "Every piece that did not arrive as shipped has a discrepancy, and nothing else has one.": (
        [],
        "WITH asked AS (DELETE FROM supplies_discrepancyticket) "
        f"DELETE FROM supplies_discrepancy WHERE {a('discrepancy')} RETURNING receipt_line_id || ' ' || kind",
    ),
    "The counters of a need are the sums of its proposals, promises, shipments and counts.": (
        [],
        f"UPDATE supplies_need SET quantity_proposed = quantity_proposed + 1 WHERE {a('need')} RETURNING id",
    ),
    "The counters of an offer are the sums of its proposals and promises.": (
        [],
        f"UPDATE supplies_offer SET quantity_proposed = quantity_proposed + 1 WHERE {a('offer')} RETURNING id",
    ),
    "Of a promise as many pieces are packed as are in the units of the shipment it is on.": (
        [],
        "UPDATE supplies_allocation SET quantity_packed = quantity_packed - 1 WHERE "
        + a("allocation", "quantity_packed > 0")
        + " RETURNING id",
    ),
    "A run counts what it proposed.": ([], "UPDATE matching_familyrun SET units = units + 1 RETURNING id"),
    "A promise has the need and the offer of the proposal it came from, and only an agreed one has a promise.": (
        [],
        "UPDATE matching_proposal SET offer_id = (SELECT id FROM supplies_offer WHERE id <> offer_id LIMIT 1) WHERE id ="
        " (SELECT id FROM matching_proposal WHERE status = 'agreed' LIMIT 1) RETURNING id",
    ),
    "What was split off is for the same need and of the same offer.": (
        [],
        "UPDATE supplies_allocation SET need_id = (SELECT id FROM supplies_need WHERE id <> need_id LIMIT 1) WHERE "
        + a("allocation", "split_from_id IS NOT NULL")
        + " RETURNING id",
    ),
    "What is booked or has left is on a shipment, and nothing else is.": (
        [],
        "UPDATE supplies_shipmentline SET is_live = true WHERE "
        + a("shipmentline", "NOT is_live")
        + " RETURNING allocation_id",
    ),
    "A shipment goes from the donor of all its goods to the facility of all its needs.": (
        [],
        "UPDATE supplies_shipment SET consignor_id = (SELECT id FROM supplies_organisation WHERE id <> consignor_id LIMIT 1)"
        f" WHERE {a('shipment')} RETURNING (SELECT id FROM supplies_shipmentline WHERE shipment_id = supplies_shipment.id)",
    ),
    "What is in a unit is on the shipment that the unit is of.": (
        [],
        "UPDATE supplies_handlingunit SET shipment_id = (SELECT id FROM supplies_shipment WHERE id <> shipment_id LIMIT 1)"
        f" WHERE {a('handlingunit')}"
        " RETURNING (SELECT id FROM supplies_unitcontent WHERE unit_id = supplies_handlingunit.id)",
    ),
    "A shipment is counted once, every line of it, and only a counted one has a receipt.": (
        [],
        "UPDATE supplies_shipment SET status = 'refused' WHERE "
        + a("shipment", "status = 'delivered'")
        + " RETURNING id",
    ),
    "What is given for one emergency, facility or region is promised nowhere else.": (
        [],
        "UPDATE supplies_donation SET directed_facility_id = %(facility)s WHERE id = (SELECT donation_id FROM supplies_offer"
        " WHERE id = (SELECT offer_id FROM supplies_allocation ORDER BY id LIMIT 1))"
        " RETURNING (SELECT id FROM supplies_allocation ORDER BY id LIMIT 1)",
    ),
    "A need is met when it has received what it asked for, and not before.": (
        [],
        "UPDATE supplies_need SET status = 'met' WHERE " + a("need", "status = 'open'") + " RETURNING id",
    ),
    "An offer is given away when nothing of it is left, and not before.": (
        [],
        "UPDATE supplies_offer SET status = 'spent' WHERE " + a("offer", "status = 'open'") + " RETURNING id",
    ),
    "An appeal goes on as long as a line of it does.": (
        [],
        "UPDATE supplies_appeal SET status = 'published' WHERE "
        + a("appeal", "status = 'closed'")
        + " RETURNING id",
    ),
    "A donation goes on as long as a line of it does.": (
        [],
        "UPDATE supplies_donation SET status = 'closed' WHERE "
        + a("donation", "status = 'published'")
        + " RETURNING id",
    ),
    "A promise is as far as the shipment that carries it.": (
        [],
        "UPDATE supplies_shipment SET status = 'booked' WHERE "
        + a("shipment", "status = 'in_transit'")
        + " RETURNING (SELECT allocation_id FROM supplies_shipmentline WHERE shipment_id = supplies_shipment.id)",
    ),
    "A shipment was accepted wholly, in part or not at all as its count says.": (
        [],
        "UPDATE supplies_shipment SET status = 'accepted' WHERE "
        + a("shipment", "status = 'partly_accepted'")
        + " RETURNING id",
    ),
    "What is agreed was approved by somebody who posted neither side, and everybody asked has said yes.": (
        [],
        "UPDATE matching_proposal SET donor_said_yes_at = NULL WHERE id ="
        " (SELECT id FROM matching_proposal WHERE status = 'agreed' LIMIT 1) RETURNING id",
    ),
    "A run that has ended has ended in all its families.": (
        [],
        "UPDATE matching_familyrun SET status = 'running' RETURNING id",
    ),
    "Everybody who listens to a kind of event is told of every one.": (
        [],
        "DELETE FROM supplies_outgoing WHERE id = (SELECT max(outgoing.id) FROM supplies_outgoing outgoing"
        " JOIN supplies_event event ON event.id = event_id WHERE kind = 'need.opened') RETURNING event_id",
    ),
    "Nothing waits for a listener longer than the sweep takes to come.": (
        [],
        "UPDATE supplies_outgoing SET due_at = due_at - interval '1 hour'"
        f" WHERE {a('outgoing', 'done_at IS NULL')} RETURNING id",
    ),
}


ALSO = {
    "another emergency": (
        "What is given for one emergency, facility or region is promised nowhere else.",
        "UPDATE supplies_appeal SET emergency_id = 'flood' WHERE id = (SELECT appeal_id FROM supplies_need WHERE id ="
        " (SELECT need_id FROM supplies_allocation ORDER BY id LIMIT 1))"
        " RETURNING (SELECT id FROM supplies_allocation ORDER BY id LIMIT 1)",
    ),
    "another region": (
        "What is given for one emergency, facility or region is promised nowhere else.",
        "UPDATE supplies_donation SET directed_region_id = '110101' WHERE id = (SELECT donation_id FROM supplies_offer"
        " WHERE id = (SELECT offer_id FROM supplies_allocation ORDER BY id LIMIT 1))"
        " RETURNING (SELECT id FROM supplies_allocation ORDER BY id LIMIT 1)",
    ),
    "the poster approved it": (
        "What is agreed was approved by somebody who posted neither side, and everybody asked has said yes.",
        "UPDATE supplies_appeal SET posted_by_id = (SELECT max(approved_by_id) FROM matching_proposal) WHERE id ="
        " (SELECT appeal_id FROM supplies_need WHERE id ="
        " (SELECT need_id FROM matching_proposal WHERE approved_by_id IS NOT NULL ORDER BY id LIMIT 1))"
        " RETURNING (SELECT id FROM matching_proposal WHERE approved_by_id IS NOT NULL ORDER BY id LIMIT 1)",
    ),
    "nothing of a need is counted any more": (
        "The counters of a need are the sums of its proposals, promises, shipments and counts.",
        "UPDATE supplies_need SET quantity_received = quantity_received - 1 WHERE "
        + a("need", "quantity_received > 0")
        + " RETURNING id",
    ),
    "expired goods nobody reported": (
        "Every piece that did not arrive as shipped has a discrepancy, and nothing else has one.",
        "UPDATE supplies_discrepancy SET kind = 'expired' WHERE "
        + a("discrepancy", "kind = 'damaged'")
        + " RETURNING receipt_line_id || ' expired'",
    ),
}


def plant(constraints: Iterable[str], corruption: str, **values: Any) -> str:
    """Corrupt the books as somebody with the keys of the database could; returns the key of what is broken."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET LOCAL tongzhou.rewriting = 'on'")
        for constraint in constraints:
            table, name = constraint.split()
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        for table in ("matching_proposal", "matching_familyrun", "matching_matchingrun"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(corruption, values)
        (row,) = cursor.fetchall()
    return str(row[0])


def broken() -> dict[str, set[str]]:
    """Which equations do not hold, and for which keys."""
    return {
        finding.equation.says: {key for key, _found in finding.examples}
        for finding in check(at=NOW)
        if finding.violations
    }


def found_of(constraints: Iterable[str], corruption: str, **values: Any) -> tuple[str, dict[str, set[str]]]:
    """The key of what was planted, and what was found; the books are right again afterwards."""
    with as_owner(), transaction.atomic():
        key = plant(constraints, corruption, **values)
        found = broken()
        transaction.set_rollback(True)
    return key, found


def test_after_a_whole_story_the_books_are_right_and_every_planted_corruption_is_found(story: None) -> None:
    make_emergency("flood")
    make_region("110101", "东城区")
    facility = make_facility().pk
    assert faults(at=NOW) == []
    planted = [(says, says, constraints, corruption) for says, (constraints, corruption) in PLANTED.items()]
    planted += [(name, says, [], corruption) for name, (says, corruption) in ALSO.items()]

    found = {}
    for name, says, constraints, corruption in planted:
        key, wrong = found_of(constraints, corruption, facility=facility)
        found[name] = key in wrong.get(says, ())

    assert found == {name: True for name, *_rest in planted}
    assert faults(at=NOW) == []


def test_every_equation_has_a_planted_corruption_and_every_letter_an_equation() -> None:
    assert [equation.says for equation in EQUATIONS] == list(PLANTED)
    assert sorted({equation.letter for equation in EQUATIONS}) == list("abcdefgh")


def test_what_is_only_played_is_told_to_nobody_and_leaves_no_gap() -> None:
    make_need()
    with unheard():
        make_need()
    make_need()

    assert faults(at=NOW) == []
    assert Need.objects.filter(status="open").exists()


@time_machine.travel(NOW)
def test_the_command_prints_the_equations_and_fails_only_where_one_is_broken() -> None:
    make_need()
    said = io.StringIO()
    call_command("check_invariants", json=True, stdout=said)
    whole = json.loads(said.getvalue())
    assert whole["violations"] == 0
    assert [row["says"] for row in whole["equations"]] == list(PLANTED)

    with connection.cursor() as cursor:
        cursor.execute("UPDATE supplies_need SET quantity_proposed = quantity_proposed + 1")
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 violations of 1 equations"):
        call_command("check_invariants", stdout=said)
    assert "The counters of a need" in said.getvalue()
    assert said.getvalue().count(" s holds") == len(EQUATIONS) - 1


def test_only_the_first_twenty_are_named_and_all_are_counted() -> None:
    for _ in range(5):
        make_need()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO supplies_outgoing (event_id, listener, due_at, attempts, last_error)"
            " SELECT (SELECT max(id) FROM supplies_event), 'x' || number, %s::timestamptz - interval '1 day', 0, ''"
            " FROM generate_series(1, 25) number",
            [NOW],
        )

    (late,) = [finding for finding in check(at=NOW) if finding.violations]

    assert (late.violations, len(late.examples)) == (25, 20)
