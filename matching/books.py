"""The equations of the ledger, each a sentence that is always true and a query for what breaks it.

Only here both ledgers are seen: what is promised (supplies) and what is proposed (matching). Each query reads whole tables
in sets and answers nothing where the books are right. The letters are those of the equations in docs/decisions/0013.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from matching.snapshot import read_consistently

MEMORY = "64MB"  # for each sort and hash of a query, so that a million rows need no file
SHOWN = 20  # keys that are named for each equation
LATE = timedelta(minutes=10)  # the sweep comes every 15 seconds


@dataclass(frozen=True)
class Equation:
    """letter   which of the equations (a) to (h) it is part of
    says     what is always true
    finds    SELECT key, found: the rows for which it is not, and what is found instead
    """

    letter: str
    says: str
    finds: str


@dataclass(frozen=True)
class Finding:
    """violations  how many; `examples` names the first of them
    seconds     that it took to look
    """

    equation: Equation
    violations: int
    examples: Sequence[tuple[str, str]]
    seconds: float


def check(*, at: datetime) -> list[Finding]:
    """Try every equation on one snapshot of the database, without locking anything."""
    values = known(at=at)
    with transaction.atomic():
        read_consistently()
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL work_mem = '{MEMORY}'")
        return [_try(equation, values) for equation in EQUATIONS]


def faults(*, at: datetime) -> list[str]:
    """What is broken, as sentences with keys; empty where the books are right."""
    return [
        f"({finding.equation.letter}) {finding.equation.says} But {key}: {found}"
        for finding in check(at=at)
        for key, found in finding.examples
    ]


def known(*, at: datetime) -> dict[str, Any]:
    """What the queries have to be told: who hears of what, as two columns, and what is late."""
    pairs = [(kind, who) for kind, everybody in settings.JOURNAL_LISTENERS.items() for who in everybody]
    kinds, listeners = [kind for kind, _who in pairs], [who for _kind, who in pairs]
    return {"kinds": kinds, "listeners": listeners, "late": at - LATE}


def _try(equation: Equation, values: Mapping[str, Any]) -> Finding:
    began = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) OVER (), key, found FROM ({equation.finds}) AS broken (key, found)"  # nosec B608 # names of our own tables and columns
            f" ORDER BY key LIMIT {SHOWN}",
            values,
        )
        rows = cursor.fetchall()
    seconds = time.monotonic() - began
    return Finding(
        equation, rows[0][0] if rows else 0, [(str(key), str(found)) for _, key, found in rows], seconds
    )


# --- parts of the queries -----------------------------------------------------------------------------------

HELD_BY_NEED = """
    SELECT need_id,
           coalesce(sum(quantity) FILTER (WHERE status IN ('reserved', 'booked')), 0) AS promised,
           coalesce(sum(quantity) FILTER (WHERE status = 'shipped'), 0) AS in_transit
    FROM supplies_allocation GROUP BY need_id
"""
# The counts that hold: of a count that was corrected, the last correction.
STANDING = "(SELECT * FROM supplies_receipt first WHERE NOT EXISTS (SELECT FROM supplies_receipt WHERE corrects_id = first.id))"
COUNTED = (
    f"(SELECT line.* FROM supplies_receiptline line JOIN {STANDING} receipt ON receipt.id = line.receipt_id)"  # nosec B608 # names of our own tables and columns
)
COUNTED_BY_NEED = f"""
    SELECT allocation.need_id, sum(least(counted.accepted, counted.shipped)) AS received
    FROM {COUNTED} counted
    JOIN supplies_shipmentline line ON line.id = counted.line_id
    JOIN supplies_allocation allocation ON allocation.id = line.allocation_id
    GROUP BY allocation.need_id
"""  # nosec B608 # names of our own tables and columns
HELD_BY_OFFER = """
    SELECT offer_id, sum(quantity - quantity_credited) AS allocated
    FROM supplies_allocation WHERE status NOT IN ('released', 'returned', 'rerouted') GROUP BY offer_id
"""
PACKED = """
    SELECT line.allocation_id, sum(content.quantity) AS pieces
    FROM supplies_unitcontent content
    JOIN supplies_handlingunit unit ON unit.id = content.unit_id AND unit.is_live
    JOIN supplies_shipmentline line ON line.id = content.line_id AND line.is_live
    GROUP BY line.allocation_id
"""
PROPOSED = """
    SELECT {side}, sum(quantity - quantity_left_out) AS proposed
    FROM matching_proposal WHERE status IN ('open', 'approved') GROUP BY {side}
"""
PARTS_OF_A_COUNT = """
    (VALUES ('damaged', counted.damaged), ('missing', counted.missing), ('wrong_item', counted.wrong_item),
            ('expired', counted.expired), ('refused', counted.refused), ('surplus', counted.surplus))
"""
GOING_ON = """
    SELECT {parent}.id::text, {parent}.status || CASE WHEN line.id IS NULL THEN ' without' ELSE ' with' END
           || ' a line going on'
    FROM supplies_{parent} {parent}
    LEFT JOIN LATERAL (
        SELECT id FROM supplies_{line} WHERE {parent}_id = {parent}.id AND status IN ('waiting', 'open') LIMIT 1
    ) line ON true
    WHERE (line.id IS NOT NULL) = ({parent}.status IN ('closed', 'withdrawn', 'refused'))
"""

# --- the equations ------------------------------------------------------------------------------------------

EQUATIONS: tuple[Equation, ...] = (
    Equation(
        "a",
        "No offer is promised beyond what it holds.",
        f"""
        SELECT offer.id::text, held.allocated || ' promised of ' || offer.quantity
        FROM supplies_offer offer JOIN ({HELD_BY_OFFER}) held ON held.offer_id = offer.id
        WHERE held.allocated > offer.quantity
        """,  # nosec B608 # names of our own tables and columns
    ),
    Equation(
        "b",
        "No need is promised beyond what it asks.",
        f"""
        SELECT need.id::text,
               held.promised + held.in_transit + coalesce(counted.received, 0) || ' promised, on the way or received of '
               || need.ceiling
        FROM supplies_need need
        JOIN ({HELD_BY_NEED}) held ON held.need_id = need.id
        LEFT JOIN ({COUNTED_BY_NEED}) counted ON counted.need_id = need.id
        WHERE held.promised + held.in_transit + coalesce(counted.received, 0) > need.ceiling
        """,  # nosec B608 # names of our own tables and columns
    ),
    Equation(
        "c",
        "A match is what was shipped of it, what waits to be shipped, and what was given back.",
        """
        WITH RECURSIVE above (part, id, split_from_id) AS (
            SELECT id, id, split_from_id FROM supplies_allocation WHERE split_from_id IS NOT NULL
            UNION
            SELECT above.part, allocation.id, allocation.split_from_id
            FROM above JOIN supplies_allocation allocation ON allocation.id = above.split_from_id
        ), split_off AS (
            SELECT above.id, sum(allocation.quantity) AS quantity
            FROM above JOIN supplies_allocation allocation ON allocation.id = above.part
            WHERE above.split_from_id IS NULL GROUP BY above.id
        )
        SELECT proposal.id::text, proposal.quantity - proposal.quantity_left_out || ' approved, '
               || allocation.quantity + coalesce(split_off.quantity, 0) || ' shipped, waiting or given back'
        FROM matching_proposal proposal
        JOIN supplies_allocation allocation ON allocation.id = proposal.allocation_id
        LEFT JOIN split_off ON split_off.id = allocation.id
        WHERE allocation.quantity + coalesce(split_off.quantity, 0) <> proposal.quantity - proposal.quantity_left_out
        """,
    ),
    Equation(
        "d",
        "What was shipped is on its way, counted, lost or back with the donor.",
        f"""
        SELECT shipment.id::text, sum(allocation.quantity) || ' shipped, ' || sum(seen.quantity) || ' accounted for'
        FROM supplies_shipment shipment
        JOIN supplies_shipmentline line ON line.shipment_id = shipment.id AND line.is_live
        JOIN supplies_allocation allocation ON allocation.id = line.allocation_id
        LEFT JOIN {COUNTED} counted ON counted.line_id = line.id
        CROSS JOIN LATERAL (
            SELECT CASE allocation.status
                WHEN 'settled' THEN coalesce(counted.accepted + counted.damaged + counted.wrong_item + counted.expired
                                             + counted.refused + counted.missing - counted.surplus, 0)
                WHEN 'shipped' THEN allocation.quantity
                WHEN 'lost' THEN allocation.quantity
                WHEN 'returned' THEN allocation.quantity
                ELSE 0
            END AS quantity
        ) seen
        WHERE shipment.departed_at IS NOT NULL
        GROUP BY shipment.id HAVING sum(allocation.quantity) <> sum(seen.quantity)
        """,  # nosec B608 # names of our own tables and columns
    ),
    Equation(
        "d",
        "A count adds up to what was counted and to what was shipped.",
        """
        SELECT counted.id::text, counted.shipped || ' shipped, ' || counted.counted || ' counted, ' || allocation.quantity
               || ' promised'
        FROM supplies_receiptline counted
        JOIN supplies_shipmentline line ON line.id = counted.line_id
        JOIN supplies_allocation allocation ON allocation.id = line.allocation_id
        WHERE counted.shipped <> allocation.quantity
           OR counted.counted <> counted.accepted + counted.damaged + counted.wrong_item + counted.expired + counted.refused
           OR counted.shipped <> counted.counted + counted.missing - counted.surplus
        """,
    ),
    Equation(
        "d",
        "Every piece that did not arrive as shipped has a discrepancy, and nothing else has one.",
        f"""
        SELECT counted.id || ' ' || part.kind, part.quantity || ' counted, ' || coalesce(discrepancy.quantity, 0) || ' reported'
        FROM supplies_receiptline counted
        CROSS JOIN LATERAL {PARTS_OF_A_COUNT} AS part (kind, quantity)
        LEFT JOIN supplies_discrepancy discrepancy
               ON discrepancy.receipt_line_id = counted.id AND discrepancy.kind = part.kind
        WHERE part.quantity <> coalesce(discrepancy.quantity, 0)
        """,  # nosec B608 # names of our own tables and columns
    ),
    Equation(
        "e",
        "The counters of a need are the sums of its proposals, promises, shipments and counts.",
        f"""
        SELECT need.id::text,
               format('proposed %%s, promised %%s, in transit %%s, received %%s; its rows say %%s, %%s, %%s, %%s',
                      need.quantity_proposed, need.quantity_promised, need.quantity_in_transit, need.quantity_received,
                      coalesce(waiting.proposed, 0), coalesce(held.promised, 0), coalesce(held.in_transit, 0),
                      coalesce(counted.received, 0))
        FROM supplies_need need
        LEFT JOIN ({PROPOSED.format(side="need_id")}) waiting ON waiting.need_id = need.id
        LEFT JOIN ({HELD_BY_NEED}) held ON held.need_id = need.id
        LEFT JOIN ({COUNTED_BY_NEED}) counted ON counted.need_id = need.id
        WHERE need.quantity_proposed <> coalesce(waiting.proposed, 0)
           OR need.quantity_promised <> coalesce(held.promised, 0)
           OR need.quantity_in_transit <> coalesce(held.in_transit, 0)
           OR need.quantity_received <> coalesce(counted.received, 0)
        """,  # nosec B608 # names of our own tables and columns
    ),
    Equation(
        "e",
        "The counters of an offer are the sums of its proposals and promises.",
        f"""
        SELECT offer.id::text,
               format('proposed %%s, promised %%s; its rows say %%s, %%s', offer.quantity_proposed, offer.quantity_allocated,
                      coalesce(waiting.proposed, 0), coalesce(held.allocated, 0))
        FROM supplies_offer offer
        LEFT JOIN ({PROPOSED.format(side="offer_id")}) waiting ON waiting.offer_id = offer.id
        LEFT JOIN ({HELD_BY_OFFER}) held ON held.offer_id = offer.id
        WHERE offer.quantity_proposed <> coalesce(waiting.proposed, 0)
           OR offer.quantity_allocated <> coalesce(held.allocated, 0)
        """,  # nosec B608 # names of our own tables and columns
    ),
    Equation(
        "e",
        "Of a promise as many pieces are packed as are in the units of the shipment it is on.",
        f"""
        SELECT allocation.id::text, format('packed %%s; its units hold %%s', allocation.quantity_packed, coalesce(held.pieces, 0))
        FROM supplies_allocation allocation
        LEFT JOIN ({PACKED}) held ON held.allocation_id = allocation.id
        WHERE allocation.quantity_packed <> coalesce(held.pieces, 0)
        """,  # nosec B608 # names of our own tables and columns
    ),
    Equation(
        "e",
        "A run counts what it proposed.",
        """
        SELECT family.id::text, format('%%s proposals of %%s units; there are %%s of %%s', family.proposals, family.units,
                                       count(proposal.id), coalesce(sum(proposal.quantity), 0))
        FROM matching_familyrun family
        JOIN matching_matchingrun run ON run.id = family.run_id AND NOT run.is_dry
        LEFT JOIN matching_proposal proposal ON proposal.family_run_id = family.id
        GROUP BY family.id
        HAVING family.proposals <> count(proposal.id) OR family.units <> coalesce(sum(proposal.quantity), 0)
        """,
    ),
    Equation(
        "f",
        "A promise has the need and the offer of the proposal it came from, and only an agreed one has a promise.",
        """
        SELECT proposal.id::text, proposal.status
        FROM matching_proposal proposal LEFT JOIN supplies_allocation allocation ON allocation.id = proposal.allocation_id
        WHERE (proposal.status = 'agreed') <> (allocation.id IS NOT NULL)
           OR allocation.need_id <> proposal.need_id OR allocation.offer_id <> proposal.offer_id
        """,
    ),
    Equation(
        "f",
        "What was split off is for the same need and of the same offer.",
        """
        SELECT part.id::text, 'split from ' || whole.id
        FROM supplies_allocation part JOIN supplies_allocation whole ON whole.id = part.split_from_id
        WHERE part.need_id <> whole.need_id OR part.offer_id <> whole.offer_id
        """,
    ),
    Equation(
        "f",
        "What is booked or has left is on a shipment, and nothing else is.",
        """
        SELECT allocation.id::text, allocation.status || CASE WHEN line.id IS NULL THEN ' on no' ELSE ' on a' END || ' shipment'
        FROM supplies_allocation allocation
        LEFT JOIN supplies_shipmentline line ON line.allocation_id = allocation.id AND line.is_live
        WHERE (line.id IS NULL) <> (allocation.status IN ('reserved', 'released', 'rerouted'))
        """,
    ),
    Equation(
        "f",
        "A shipment goes from the donor of all its goods to the facility of all its needs.",
        """
        SELECT line.id::text, 'on shipment ' || shipment.id
        FROM supplies_shipmentline line
        JOIN supplies_shipment shipment ON shipment.id = line.shipment_id
        JOIN supplies_allocation allocation ON allocation.id = line.allocation_id
        JOIN supplies_offer offer ON offer.id = allocation.offer_id
        JOIN supplies_donation donation ON donation.id = offer.donation_id
        JOIN supplies_need need ON need.id = allocation.need_id
        JOIN supplies_appeal appeal ON appeal.id = need.appeal_id
        WHERE donation.organisation_id <> shipment.consignor_id OR appeal.facility_id <> shipment.consignee_id
        """,
    ),
    Equation(
        "f",
        "What is in a unit is on the shipment that the unit is of.",
        """
        SELECT content.id::text, 'in unit ' || unit.id || ' of shipment ' || unit.shipment_id
        FROM supplies_unitcontent content
        JOIN supplies_handlingunit unit ON unit.id = content.unit_id AND unit.is_live
        JOIN supplies_shipmentline line ON line.id = content.line_id
        WHERE NOT line.is_live OR line.shipment_id <> unit.shipment_id
        """,
    ),
    Equation(
        "f",
        "A shipment is counted once, every line of it, and only a counted one has a receipt.",
        f"""
        SELECT shipment.id::text, shipment.status || ', ' || count(line.id) || ' lines, ' || count(counted.id) || ' counted'
        FROM supplies_shipment shipment
        LEFT JOIN {STANDING} receipt ON receipt.shipment_id = shipment.id
        LEFT JOIN supplies_shipmentline line ON line.shipment_id = shipment.id AND line.is_live
        LEFT JOIN supplies_receiptline counted ON counted.line_id = line.id AND counted.receipt_id = receipt.id
        GROUP BY shipment.id, receipt.id
        HAVING (receipt.id IS NOT NULL) <> (shipment.status IN ('accepted', 'partly_accepted', 'refused'))
            OR (receipt.id IS NOT NULL AND count(line.id) <> count(counted.id))
        """,  # nosec B608 # names of our own tables and columns
    ),
    Equation(
        "f",
        "What is given for one emergency, facility or region is promised nowhere else.",
        """
        SELECT allocation.id::text, 'of offer ' || offer.id || ' to need ' || need.id
        FROM supplies_allocation allocation
        JOIN supplies_offer offer ON offer.id = allocation.offer_id
        JOIN supplies_donation donation ON donation.id = offer.donation_id
        JOIN supplies_need need ON need.id = allocation.need_id
        JOIN supplies_appeal appeal ON appeal.id = need.appeal_id
        JOIN supplies_facility facility ON facility.id = appeal.facility_id
        JOIN supplies_region place ON place.code = facility.region_id
        LEFT JOIN supplies_region meant ON meant.code = donation.directed_region_id
        WHERE donation.emergency_id <> appeal.emergency_id
           OR donation.directed_facility_id <> appeal.facility_id
           OR NOT starts_with(place.path, meant.path)
        """,
    ),
    Equation(
        "g",
        "A need is met when it has received what it asked for, and not before.",
        """
        SELECT id::text, status || ' with ' || quantity_received || ' of ' || quantity
        FROM supplies_need
        WHERE status IN ('open', 'met') AND (status = 'met') <> (coalesce(quantity_received >= quantity, false))
        """,
    ),
    Equation(
        "g",
        "An offer is given away when nothing of it is left, and not before.",
        """
        SELECT id::text, status || ' with ' || quantity_open || ' left'
        FROM supplies_offer WHERE status IN ('open', 'spent') AND (status = 'spent') <> (quantity_open = 0)
        """,
    ),
    Equation(
        "g",
        "An appeal goes on as long as a line of it does.",
        GOING_ON.format(parent="appeal", line="need"),
    ),
    Equation(
        "g",
        "A donation goes on as long as a line of it does.",
        GOING_ON.format(parent="donation", line="offer"),
    ),
    Equation(
        "g",
        "A promise is as far as the shipment that carries it.",
        """
        SELECT allocation.id::text, allocation.status || ' on a shipment that is ' || shipment.status
        FROM supplies_shipmentline line
        JOIN supplies_shipment shipment ON shipment.id = line.shipment_id
        JOIN supplies_allocation allocation ON allocation.id = line.allocation_id
        WHERE line.is_live AND allocation.status <> CASE
            WHEN shipment.status IN ('draft', 'booked') THEN 'booked'
            WHEN shipment.status IN ('in_transit', 'at_the_door', 'delivered', 'returning') THEN 'shipped'
            WHEN shipment.status IN ('accepted', 'partly_accepted', 'refused') THEN 'settled'
            WHEN shipment.status IN ('returned', 'lost') THEN shipment.status
            ELSE 'none: it was cancelled'
        END
        """,
    ),
    Equation(
        "g",
        "A shipment was accepted wholly, in part or not at all as its count says.",
        f"""
        SELECT shipment.id::text, shipment.status || ' with ' || sum(least(counted.accepted, counted.shipped)) || ' of '
               || sum(counted.shipped)
        FROM supplies_shipment shipment
        JOIN {STANDING} receipt ON receipt.shipment_id = shipment.id
        JOIN supplies_receiptline counted ON counted.receipt_id = receipt.id
        GROUP BY shipment.id
        HAVING shipment.status <> CASE
            WHEN bool_and(counted.accepted >= counted.shipped AND counted.counted = counted.accepted) THEN 'accepted'
            WHEN sum(least(counted.accepted, counted.shipped)) > 0 THEN 'partly_accepted'
            ELSE 'refused'
        END
        """,  # nosec B608 # names of our own tables and columns
    ),
    Equation(
        "g",
        "What is agreed was approved by somebody who posted neither side, and everybody asked has said yes.",
        """
        SELECT proposal.id::text, proposal.status
        FROM matching_proposal proposal
        JOIN supplies_need need ON need.id = proposal.need_id
        JOIN supplies_appeal appeal ON appeal.id = need.appeal_id
        JOIN supplies_offer offer ON offer.id = proposal.offer_id
        JOIN supplies_donation donation ON donation.id = offer.donation_id
        WHERE proposal.approved_by_id IN (appeal.posted_by_id, donation.posted_by_id)
           OR (proposal.status = 'agreed' AND (
                proposal.approved_by_id IS NULL OR proposal.approved_at IS NULL OR proposal.donor_said_yes_at IS NULL
                OR (proposal.is_conditional AND proposal.hospital_said_yes_at IS NULL)))
        """,
    ),
    Equation(
        "g",
        "A run that has ended has ended in all its families.",
        """
        SELECT family.id::text, family.status || ' in a run that is ' || run.status
        FROM matching_familyrun family JOIN matching_matchingrun run ON run.id = family.run_id
        WHERE run.status IN ('done', 'failed') AND family.status IN ('queued', 'running')
        """,
    ),
    Equation(
        "h",
        "Everybody who listens to a kind of event is told of every one.",
        """
        WITH listening (kind, listener) AS (SELECT * FROM unnest(%(kinds)s::text[], %(listeners)s::text[])),
        since AS (
            SELECT listening.kind, listening.listener, min(event.id) AS first
            FROM listening
            JOIN supplies_event event ON event.kind = listening.kind
            JOIN supplies_outgoing outgoing ON outgoing.event_id = event.id AND outgoing.listener = listening.listener
            GROUP BY listening.kind, listening.listener
        )
        SELECT event.id::text, event.kind || ' is kept from ' || since.listener
        FROM since
        JOIN supplies_event event ON event.kind = since.kind AND event.id > since.first
        LEFT JOIN supplies_outgoing outgoing ON outgoing.event_id = event.id AND outgoing.listener = since.listener
        WHERE outgoing.id IS NULL
        """,
    ),
    Equation(
        "h",
        "Nothing waits for a listener longer than the sweep takes to come.",
        """
        SELECT id::text, listener || ' since ' || due_at
        FROM supplies_outgoing WHERE done_at IS NULL AND attempts = 0 AND due_at < %(late)s
        """,
    ),
)
