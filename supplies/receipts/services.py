"""The verbs of counting what arrived: receive, correct, keep a proof; and of the tickets: answer, settle, remind."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.allocations import services as ledger
from supplies.allocations.models import Allocation
from supplies.attachments.models import Attachment
from supplies.attachments.services import attach
from supplies.errors import NotEligible, Refused
from supplies.journal.services import record, record_all
from supplies.organisations.models import User
from supplies.receipts.models import (
    CREDITABLE,
    PARTS,
    Discrepancy,
    DiscrepancyTicket,
    Outcome,
    Receipt,
    ReceiptLine,
    Refusal,
    TicketStatus,
)
from supplies.shipments import services as shipments
from supplies.shipments.models import TROUBLED, Shipment, ShipmentLine
from supplies.shipments.models import ShipmentStatus as S

PROOF_DAYS = 365  # photographs and signatures are kept for as long as a claim may be made
REMIND_AFTER = timedelta(days=5)
Counts = Iterable[Mapping[str, Any]]

# -- Counting ---------------------------------------------------------------------------------------------


@transaction.atomic
def receive(
    shipment: Shipment,
    *,
    counts: Counts,
    by: User | None,
    at: datetime,
    note: str = "",
    received_by: str = "",
) -> Receipt:
    """The hospital's count. Accepted goods are received; every other piece is needed again, and a ticket to the sender.

    counts       per line: {"line": ShipmentLine, "accepted": n, "damaged": n, "wrong_item": n, "expired": n,
                 "refused": n, "refusal": code, "refusal_words": text}; what is absent is zero or empty. Missing and
                 surplus follow from what was shipped. Every line is counted, once.
    received_by  the name of who signed, which is sealed and shown to the hospital and the desk alone
    """
    rows = _counted(shipment, counts)
    shipments.counted(
        shipment,
        _outcome(rows),
        disposition="completeness_verified" if _is_whole(rows) else "mismatch_quantity",
        accepted=_accepted(rows),
        by=by,
        at=at,
    )
    receipt = Receipt(shipment=shipment, by=by, at=at, note=note)
    _keep(receipt, rows, received_by)
    _open([*_report(rows)], by=by, at=at)
    ledger.count({row.line.allocation: _taken(row) for row in rows}, by=by, at=at)
    return receipt


@transaction.atomic
def correct(
    shipment: Shipment,
    *,
    counts: Counts,
    because: str,
    by: User | None,
    at: datetime,
    note: str = "",
    received_by: str = "",
) -> Receipt:
    """Another count in the place of one that was wrong. The ledger moves by the difference; the first count stays to be read.

    Tickets of what is as it was stay; the others are settled as miscounted, and what is new is asked about.
    Raises   Refused for a shipment without a count, for none said why, and where the sender has some of it again;
             NotEnoughLeft where a need was promised to others meanwhile
    """
    if not because.strip():
        raise Refused(_("Say what was wrong with the first count."), code="reason-missing")
    rows = _counted(shipment, counts)
    before = Receipt.objects.standing().filter(shipment=shipment).first()
    if before is None:
        raise Refused(_("It has not been counted yet, so there is nothing to correct."), code="not-counted")
    for row in rows:
        if row.line.allocation.quantity_credited > row.shipped - _taken(row):
            raise Refused(
                _("Some of these goods are back in the sender's stock; they cannot have been accepted."),
                code="credited-already",
            )
    old = {line.line_id: line for line in before.lines.all()}
    receipt = Receipt(
        shipment=shipment, by=by, at=at, note=note, corrects=before, because=because.strip()[:300]
    )
    _keep(receipt, rows, received_by or before.received_by)
    _hand_on(shipment, [*_report(rows)], by=by, at=at)
    ledger.recount(
        {row.line.allocation: _taken(row) - _taken(old[row.line_id]) for row in rows}, by=by, at=at
    )
    shipments.recounted(shipment, _outcome(rows), by=by, at=at, accepted=_accepted(rows))
    return receipt


def keep_proof(
    shipment: Shipment, file: BinaryIO, *, size: int, kind: str, by: User, at: datetime
) -> Attachment:
    """A photograph of the goods or a signature, kept at once, so that it is not lost when the count is not right yet.

    Raises   ValidationError for "file"; Refused("too-many-files"), Refused("not-stored"): see `attach`
    """
    erase_on = timezone.localdate(at) + timedelta(days=PROOF_DAYS)
    return attach(shipment, file, size=size, kind=kind, by=by, at=at, erase_on=erase_on)


def _counted(shipment: Shipment, counts: Counts) -> list[ReceiptLine]:
    """What was counted, line by line, with everything it moves locked: needs, offers and allocations, as everywhere."""
    ledger.lock(Allocation.objects.filter(lines__shipment=shipment, lines__is_live=True))
    lines = {line.pk: line for line in shipment.lines.select_related("allocation").order_by("pk")}
    rows = [_count(lines, position, given) for position, given in enumerate(counts)]
    if len({row.line_id for row in rows}) != len(rows) or len(rows) != len(lines):
        raise ValidationError({"lines": _("Count every line of the shipment, once.")})
    return rows


def _count(lines: Mapping[int, ShipmentLine], position: int, given: Mapping[str, Any]) -> ReceiptLine:
    line = lines.get(getattr(given.get("line"), "pk", None) or 0)
    if line is None:
        raise ValidationError({f"lines.{position}.line": _("This line is not on the shipment.")})
    parts = {kind: given.get(kind) or 0 for kind in PARTS}
    negative = [kind for kind, quantity in parts.items() if quantity < 0]
    if negative:
        raise ValidationError({f"lines.{position}.{negative[0]}": _("A count cannot be negative.")})
    counted, shipped = sum(parts.values()), line.allocation.quantity
    if counted > 10 * shipped + 100:
        raise ValidationError(
            {
                f"lines.{position}.accepted": _(
                    "%(counted)d counted where %(shipped)d were shipped: is a digit too many?"
                )
                % {"counted": counted, "shipped": shipped}
            }
        )
    return ReceiptLine(
        line=line,
        shipped=shipped,
        counted=counted,
        missing=max(0, shipped - counted),
        surplus=max(0, counted - shipped),
        **parts,
        **_refusal(position, given, parts["refused"]),
    )


def _refusal(position: int, given: Mapping[str, Any], refused: int) -> dict[str, str]:
    code, words = given.get("refusal") or "", (given.get("refusal_words") or "").strip()
    if not refused and (code or words):
        raise ValidationError({f"lines.{position}.refused": _("How many were refused for this reason?")})
    if refused and code not in Refusal.values:
        raise ValidationError({f"lines.{position}.refusal": _("Say why they were refused.")})
    if code == Refusal.OTHER and not words:
        raise ValidationError({f"lines.{position}.refusal_words": _("Say in words why they were refused.")})
    return {"refusal": code, "refusal_words": words[:200]}


def _taken(row: ReceiptLine) -> int:
    """More than was shipped is a surplus, and not more received than was promised."""
    return min(row.accepted, row.shipped)


def _accepted(rows: Iterable[ReceiptLine]) -> int:
    return sum(map(_taken, rows))


def _is_whole(rows: Iterable[ReceiptLine]) -> bool:
    return all(row.accepted >= row.shipped and row.counted == row.accepted for row in rows)


def _outcome(rows: list[ReceiptLine]) -> S:
    return S.ACCEPTED if _is_whole(rows) else S.PARTLY_ACCEPTED if _accepted(rows) else S.REFUSED


def _keep(receipt: Receipt, rows: list[ReceiptLine], received_by: str) -> None:
    receipt.received_by = received_by.strip()[:80]
    receipt.save(force_insert=True)
    for row in rows:
        row.receipt = receipt
    ReceiptLine.objects.bulk_create(rows)


def _report(rows: Iterable[ReceiptLine]) -> list[Discrepancy]:
    return Discrepancy.objects.bulk_create(
        Discrepancy(receipt_line=row, kind=kind, quantity=getattr(row, kind))
        for row in rows
        for kind in Discrepancy.Kind.values
        if getattr(row, kind)
    )


# -- Tickets ----------------------------------------------------------------------------------------------


@transaction.atomic
def answer(
    ticket: DiscrepancyTicket, *, proposed: str, by: User, at: datetime, answer: str = ""
) -> DiscrepancyTicket:
    """The sender says what becomes of it. Raises MoveRefused for one that was answered or settled already."""
    if proposed not in Outcome.values or proposed == Outcome.MISCOUNTED:
        raise ValidationError({"proposed": _("Choose one of these outcomes.")})
    ticket = _locked(ticket)
    _check_creditable(ticket, proposed)
    ticket.move_to(TicketStatus.ANSWERED)
    ticket.proposed, ticket.answer = proposed, answer.strip()[:1000]
    ticket.answered_at, ticket.answered_by = at, by
    ticket.save(update_fields=["status", "proposed", "answer", "answered_at", "answered_by"])
    record(ticket, "ticket.answered", by=by, at=at, proposed=proposed)
    return ticket


@transaction.atomic
def settle(
    ticket: DiscrepancyTicket, *, outcome: str, by: User, at: datetime, note: str = ""
) -> DiscrepancyTicket:
    """How it ended. Credited goods are the sender's to promise again, where she said that she has them.

    Raises   NotEligible for what cannot be credited; MoveRefused for one that is settled
    """
    if outcome not in Outcome.values:
        raise ValidationError({"outcome": _("Choose one of these outcomes.")})
    if outcome == Outcome.MISCOUNTED:
        raise Refused(
            _("Correct the count instead: that settles this ticket and moves what was received."),
            code="correct-the-count",
        )
    allocation = Allocation.objects.get(lines__receipt_lines__discrepancies__ticket=ticket)
    (allocation,) = ledger.lock([allocation])
    ticket = _locked(ticket)
    if outcome == Outcome.CREDITED:
        _check_creditable(ticket, outcome)
        if ticket.proposed != Outcome.CREDITED:
            raise NotEligible(
                _("Only the sender can say that she has the goods again. Wait for her answer."),
                code="sender-has-not-said-so",
            )
    _settle(ticket, outcome, note, by=by, at=at)
    if outcome == Outcome.CREDITED:
        row = ticket.discrepancy.receipt_line
        left = row.shipped - _taken(row) - allocation.quantity_credited
        ledger.credit(allocation, min(ticket.discrepancy.quantity, left), by=by, at=at)
    shipment = Shipment.objects.get(pk=ticket.shipment_id)
    if shipment.status in TROUBLED and not shipment.settled_at and not shipment.tickets.unsettled().exists():
        shipments.settle(shipment, note=_("Everything that was asked about it is settled."), by=by, at=at)
    return ticket


@transaction.atomic
def remind(*, at: datetime) -> int:
    """Write once more to senders who have not answered. Returns of how many tickets."""
    due = DiscrepancyTicket.objects.filter(
        status=TicketStatus.OPEN, reminded_at=None, opened_at__lte=at - REMIND_AFTER
    )
    tickets = list(due.select_for_update(of=("self",), skip_locked=True).order_by("pk"))
    DiscrepancyTicket.objects.filter(pk__in=[ticket.pk for ticket in tickets]).update(reminded_at=at)
    record_all(tickets, "ticket.reminded", by=None, at=at)
    return len(tickets)


def _open(discrepancies: list[Discrepancy], *, by: User | None, at: datetime) -> None:
    tickets = DiscrepancyTicket.objects.bulk_create(
        DiscrepancyTicket(
            discrepancy=discrepancy, shipment_id=discrepancy.receipt_line.receipt.shipment_id, opened_at=at
        )
        for discrepancy in discrepancies
    )
    record_all(tickets, "ticket.opened", by=by, at=at)


def _hand_on(shipment: Shipment, found: list[Discrepancy], *, by: User | None, at: datetime) -> None:
    """Tickets follow what is still so; what is not so any more was miscounted; what is new is asked about."""
    rows = shipment.tickets.exclude(outcome=Outcome.MISCOUNTED).select_related("discrepancy__receipt_line")
    rows = rows.select_for_update(of=("self",))
    tickets = {_what(ticket.discrepancy): ticket for ticket in rows.order_by("settled_at", "pk").reverse()}
    new = []
    for discrepancy in found:
        ticket = tickets.pop(_what(discrepancy), None)
        if ticket is None:
            new.append(discrepancy)
        else:
            ticket.discrepancy = discrepancy
            ticket.save(update_fields=["discrepancy"])
    for ticket in tickets.values():
        if ticket.status != TicketStatus.SETTLED:
            _settle(ticket, Outcome.MISCOUNTED, "", by=by, at=at)
    _open(new, by=by, at=at)


def _what(discrepancy: Discrepancy) -> tuple[int, str, int]:
    return discrepancy.receipt_line.line_id, discrepancy.kind, discrepancy.quantity


def _settle(ticket: DiscrepancyTicket, outcome: str, note: str, *, by: User | None, at: datetime) -> None:
    ticket.move_to(TicketStatus.SETTLED)
    ticket.outcome, ticket.settlement = outcome, note.strip()[:300]
    ticket.settled_at, ticket.settled_by = at, by
    ticket.save(update_fields=["status", "outcome", "settlement", "settled_at", "settled_by"])
    record(ticket, "ticket.settled", by=by, at=at, outcome=outcome)


def _check_creditable(ticket: DiscrepancyTicket, outcome: str) -> None:
    if outcome == Outcome.CREDITED and ticket.discrepancy.kind not in CREDITABLE:
        raise NotEligible(
            _("What is %(kind)s cannot be promised to anybody again.")
            % {"kind": ticket.discrepancy.get_kind_display()},
            code="not-creditable",
        )


def _locked(ticket: DiscrepancyTicket) -> DiscrepancyTicket:
    rows = DiscrepancyTicket.objects.select_related("discrepancy__receipt_line")
    return rows.select_for_update(of=("self",)).get(pk=ticket.pk)
