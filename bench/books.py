"""How long the equations of the ledger take on a country of a hundred thousand needs and as many offers.

`look()` times them on whatever database is in use; `promise()` fills a populated country's ledger.
"""

import time
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from bench.country import populate
from bench.databases import make, make_template, settle
from bench.reporting import Report, Table
from matching.books import EQUATIONS, check, known

ROWS = 100_000
DATABASE = "bench_books"
GOAL_AT_A_MILLION = 60.0

# Every need with an offer of its item, half of what the scarcer side has; by number, each of eight fates in turn.
PAIRS = """
CREATE TEMPORARY TABLE pair AS
WITH need AS (
    SELECT id, item_id, ceiling AS most, row_number() OVER (PARTITION BY item_id ORDER BY id) AS place
    FROM supplies_need WHERE status = 'open' AND ceiling >= 2
), offer AS (
    SELECT offer.id, item_id, quantity AS most, row_number() OVER (PARTITION BY item_id ORDER BY offer.id) AS place
    FROM supplies_offer offer JOIN supplies_donation donation ON donation.id = offer.donation_id
    WHERE offer.status = 'open' AND quantity >= 2 AND directed_facility_id IS NULL AND directed_region_id IS NULL
)
SELECT gen_random_uuid() AS allocation, gen_random_uuid() AS proposal, gen_random_uuid() AS shipment,
       gen_random_uuid() AS receipt, need.id AS need, offer.id AS offer, least(need.most, offer.most) / 2 AS quantity,
       (ARRAY['open', 'reserved', 'booked', 'shipped', 'settled', 'lost', 'returned', 'released'])
           [1 + row_number() OVER (ORDER BY need.id) % 8] AS fate
FROM need JOIN offer USING (item_id, place);
CREATE INDEX ON pair (fate);
ANALYZE pair;
"""
RUN = """
INSERT INTO matching_matchingrun (id, emergency_id, status, trigger, policy, "only", is_dry, as_of, editions, created_at,
    finished_at, attempts, failure)
SELECT gen_random_uuid(), code, 'running', 'hand', 'urgency', '{}', false, now(), '{}', now(), now(), 1, ''
FROM supplies_emergency;
INSERT INTO matching_familyrun (id, run_id, emergency_id, family, size, status, attempt, made_with, needs, offers, proposals,
    stale, units, by_urgency, seconds, shortfalls, failure)
SELECT gen_random_uuid(), run.id, run.emergency_id, 'everything', 0, 'done', 1, '{}', 0, 0,
       (SELECT count(*) FROM pair), 0, (SELECT sum(quantity) FROM pair), '{}', '{}', '{}', ''
FROM matching_matchingrun run;
UPDATE matching_matchingrun SET status = 'done';
"""
PROMISES = """
INSERT INTO supplies_allocation (id, need_id, offer_id, quantity, status, because, created_at, due_at, ended_because,
    kept_because, quantity_credited)
SELECT allocation, need, offer, quantity, fate, '{}', now(), now(), '', '', 0 FROM pair WHERE fate <> 'open';
INSERT INTO matching_proposal (id, family_run_id, is_by_hand, need_id, offer_id, quantity, quantity_left_out, status, km, days,
    is_conditional, condition, because, created_at, expires_at, approved_by_id, approved_at, passed_over, deviation,
    deviation_note, donor_said_yes_at, donor_consent, ended_because, allocation_id)
SELECT proposal, family.id, false, need, offer, quantity, 0, CASE fate WHEN 'open' THEN 'open' ELSE 'agreed' END, 1, 1, false,
       '', '{}', now(), now(), CASE WHEN fate <> 'open' THEN volunteer.id END, CASE WHEN fate <> 'open' THEN now() END, 0, '',
       '', CASE WHEN fate <> 'open' THEN now() END, '', '', CASE WHEN fate <> 'open' THEN allocation END
FROM pair, matching_familyrun family, supplies_user volunteer;
"""
SHIPMENTS = """
INSERT INTO supplies_shipment (id, code, status, consignor_id, consignee_id, carrier_id, waybill, created_at, departed_at,
    settlement, rerouted_because, sighting_vocabulary, sighting_code, sighting_label)
SELECT shipment, replace(shipment::text, '-', ''),
       CASE fate WHEN 'shipped' THEN 'in_transit' WHEN 'settled' THEN 'partly_accepted' ELSE fate END,
       donation.organisation_id, appeal.facility_id, donation.organisation_id, '', now(),
       CASE WHEN fate <> 'booked' THEN now() END, '', '', '', '', ''
FROM pair
JOIN supplies_offer offer ON offer.id = pair.offer JOIN supplies_donation donation ON donation.id = offer.donation_id
JOIN supplies_need need ON need.id = pair.need JOIN supplies_appeal appeal ON appeal.id = need.appeal_id
WHERE fate IN ('booked', 'shipped', 'settled', 'lost', 'returned');
INSERT INTO supplies_shipmentline (shipment_id, allocation_id, is_live)
SELECT shipment, allocation, true FROM pair WHERE fate IN ('booked', 'shipped', 'settled', 'lost', 'returned');
INSERT INTO supplies_receipt (id, shipment_id, at, note, because, received_by_sealed)
SELECT receipt, shipment, now(), '', '', '' FROM pair WHERE fate = 'settled' AND quantity > 1;
UPDATE supplies_shipment SET status = 'refused' WHERE id IN (SELECT shipment FROM pair WHERE fate = 'settled' AND quantity = 1);
INSERT INTO supplies_receipt (id, shipment_id, at, note, because, received_by_sealed)
SELECT receipt, shipment, now(), '', '', '' FROM pair WHERE fate = 'settled' AND quantity = 1;
INSERT INTO supplies_receiptline (receipt_id, line_id, shipped, counted, accepted, damaged, wrong_item, expired, refused, refusal, refusal_words, missing, surplus)
SELECT receipt, line.id, quantity, quantity, quantity - 1, 1, 0, 0, 0, '', '', 0, 0
FROM pair JOIN supplies_shipmentline line ON line.allocation_id = pair.allocation WHERE fate = 'settled';
INSERT INTO supplies_discrepancy (receipt_line_id, kind, quantity) SELECT id, 'damaged', 1 FROM supplies_receiptline;
"""
COUNTERS = """
UPDATE supplies_need SET
    quantity_proposed = CASE WHEN fate = 'open' THEN pair.quantity ELSE 0 END,
    quantity_promised = CASE WHEN fate IN ('reserved', 'booked') THEN pair.quantity ELSE 0 END,
    quantity_in_transit = CASE WHEN fate = 'shipped' THEN pair.quantity ELSE 0 END,
    quantity_received = CASE WHEN fate = 'settled' THEN pair.quantity - 1 ELSE 0 END
FROM pair WHERE supplies_need.id = pair.need;
UPDATE supplies_offer SET
    quantity_proposed = CASE WHEN fate = 'open' THEN pair.quantity ELSE 0 END,
    quantity_allocated = CASE WHEN fate IN ('open', 'released', 'returned') THEN 0 ELSE pair.quantity END
FROM pair WHERE supplies_offer.id = pair.offer;
"""
JOURNAL = """
INSERT INTO supplies_event (kind, at, subject, subject_id, facts)
SELECT 'need.opened', now(), 'need', id::text, '{}'::jsonb FROM supplies_need
UNION ALL SELECT 'offer.opened', now(), 'offer', id::text, '{}'::jsonb FROM supplies_offer
UNION ALL SELECT 'allocation.made', now(), 'allocation', id::text, '{}'::jsonb FROM supplies_allocation;
INSERT INTO supplies_outgoing (event_id, listener, due_at, attempts, last_error, done_at)
SELECT id, 'matching.services.hear', now(), 1, '', now() FROM supplies_event WHERE kind IN ('need.opened', 'offer.opened');
"""


def promise() -> None:
    """Fill the ledger of a populated country: a proposal for every pair, promises, shipments and counts of all kinds."""
    with transaction.atomic(), connection.cursor() as cursor:
        for statements in (PAIRS, RUN, PROMISES, SHIPMENTS, COUNTERS, JOURNAL):
            cursor.execute(statements)
    settle()


def look() -> dict[str, Any]:
    """Seconds and violations of every equation on the database in use."""
    findings = check(at=timezone.now())
    return {
        "seconds": round(sum(finding.seconds for finding in findings), 2),
        "violations": sum(finding.violations for finding in findings),
        "equations": [
            {
                "letter": finding.equation.letter,
                "says": finding.equation.says,
                "violations": finding.violations,
                "seconds": round(finding.seconds, 3),
            }
            for finding in findings
        ],
    }


def plans() -> dict[str, list[str]]:
    """How PostgreSQL goes about each equation, for whoever wants to know why one is slow."""
    found = {}
    with connection.cursor() as cursor:
        for equation in EQUATIONS:
            cursor.execute(
                f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {equation.finds}", known(at=timezone.now())
            )
            found[equation.says] = [line for (line,) in cursor.fetchall()]
    return found


def measure(rows: int = ROWS) -> Report:
    make_template()
    make(DATABASE)
    began = time.monotonic()
    populate(rows, rows, at=timezone.now())
    promise()
    filled = time.monotonic() - began
    looks = sorted((look() for _ in range(3)), key=lambda found: found["seconds"])
    found = looks[1]
    return Report(
        "books",
        "The equations of the ledger",
        f"{rows:,} needs and {rows:,} offers, paired by item into proposals, promises, shipments and counts of every kind"
        f" (made in {filled:.0f} s); then `check_invariants`, the median of three: {found['seconds']} s,"
        f" {found['violations']} violations. Goal: {GOAL_AT_A_MILLION:.0f} s at a million of each.",
        [
            Table(
                ["", "equation", "seconds"],
                [[row["letter"], row["says"], row["seconds"]] for row in found["equations"]],
            )
        ],
        {"needs": rows, "offers": rows, **found},
    )
