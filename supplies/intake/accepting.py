"""The verbs for lines that entered and wait: accept, correct or reject each."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from supplies.catalogue.models import Item
from supplies.errors import Refused
from supplies.intake.corrections import cell_of
from supplies.intake.mapping import (
    source_of,
)
from supplies.intake.models import (
    Correction,
    ImportedLine,
    ImportedRow,
    LineStatus,
    RowStatus,
)
from supplies.intake.reviewing import say
from supplies.intake.understanding import is_link
from supplies.journal.services import record
from supplies.needs import services as asking
from supplies.needs.models import Need, QuantityKind
from supplies.offers import services as giving
from supplies.offers.models import Offer
from supplies.organisations.models import User


@transaction.atomic
def accept(line: ImportedLine, *, by: User, at: datetime) -> ImportedLine:
    """A volunteer says that a waiting line is right: it enters as a need or an offer, as it was read.

    Raises MoveRefused unless it waits, Refused without an item or (for an offer) a quantity, and what the verbs of
    needs and offers refuse: a quantity above the item's plausible range has to be corrected, or the range.
    """
    line, row = _with_row(line)
    line.move_to(LineStatus.ACCEPTED)
    if line.item is None:
        raise Refused(_("Choose the item of the catalogue first."), code="item-missing")
    if row.facility is None:
        line.offer = _offer_of(line, row, at=at)
    else:
        line.need = _need_of(line, row, at=at)
    return _reviewed(line, row, by=by, at=at)


@transaction.atomic
def correct(
    line: ImportedLine, *, item: Item | None = None, quantity: int | None = None, by: User, at: datetime
) -> ImportedLine:
    """A volunteer knows better: another item, or another quantity, in the unit the item is shown in. Then `accept`."""
    line, row = _with_row(line)
    line.item = item or line.item
    if quantity is not None:
        if line.item is None:
            raise Refused(_("Choose the item of the catalogue first."), code="item-missing")
        line.quantity_kind, line.quantity = QuantityKind.NUMBER, quantity * line.item.display_factor
    line.full_clean(exclude=["row", "need", "offer", "reviewed_by"], validate_constraints=False)
    line.save(update_fields=["item", "quantity_kind", "quantity"])
    _remember(line, row, item=item, quantity=quantity, by=by, at=at)
    return accept(line, by=by, at=at)


def _remember(
    line: ImportedLine, row: ImportedRow, *, item: Item | None, quantity: int | None, by: User, at: datetime
) -> None:
    """So that the next list of the source is read so at once."""
    source = row.seen_in.source
    if item is not None:
        say(source, Correction.Kind.ITEM, line.heading, item=item, by=by, at=at)
    if quantity is not None:
        figure = line.as_written.rpartition(": ")[2]
        within = cell_of(row.key.partition("#")[0], line.heading)
        means = {"quantity_kind": line.quantity_kind, "quantity": line.quantity}
        say(source, Correction.Kind.CELL, figure, within=within, by=by, at=at, **means)


@transaction.atomic
def reject(line: ImportedLine, *, by: User, at: datetime) -> ImportedLine:
    """A volunteer says that a waiting line is nothing. It stays on record and enters no match."""
    line, row = _with_row(line)
    line.move_to(LineStatus.REJECTED)
    return _reviewed(line, row, by=by, at=at)


def _with_row(line: ImportedLine) -> tuple[ImportedLine, ImportedRow]:
    """The row first, as the import does it."""
    row = ImportedRow.objects.select_for_update().get(pk=line.row_id)
    return ImportedLine.objects.select_for_update().get(pk=line.pk), row


def _need_of(line: ImportedLine, row: ImportedRow, *, at: datetime) -> Need:
    """The line, posted and published for the row's facility, beside what the row brought before."""
    assert row.facility is not None
    assert line.item is not None
    values = {
        "item": line.item,
        "quantity_kind": line.quantity_kind,
        "quantity": line.quantity,
        "sterile": line.is_sterile,
        "as_written": line.as_written,
        "medical_grade": line.item.needs_medical_grade,
        "accepted_standards": tuple(line.item.standards.filter(code__in=line.standards)),
    }
    appeal = asking.post(
        row.facility,
        emergency=row.seen_in.emergency,
        lines=[values],
        by=None,
        at=at,
        on=row.seen_in.as_of,
        **_source(row),
    )
    asking.publish_moderated(appeal, at=at)
    row.appeal = row.appeal or appeal
    return appeal.needs.get()


def _offer_of(line: ImportedLine, row: ImportedRow, *, at: datetime) -> Offer:
    if line.quantity is None:
        raise Refused(
            _("The list names no quantity. Ask the maker, then correct the line."), code="quantity-missing"
        )
    assert row.organisation is not None
    values = {
        "item": line.item,
        "quantity": line.quantity,
        "sterile": line.is_sterile,
        "as_written": line.as_written,
    }
    donation = giving.post(
        row.organisation,
        emergency=row.seen_in.emergency,
        region=row.organisation.region,
        lines=[values],
        by=None,
        at=at,
        on=row.seen_in.as_of,
        **_source(row),
    )
    giving.publish_moderated(donation, at=at)
    row.donation = row.donation or donation
    return donation.offers.get()


def _source(row: ImportedRow) -> dict[str, Any]:
    link = row.shown["link"]
    return {
        "source_name": source_of(row.format),
        "source_url": link if is_link(link) else "",
        "remark": row.shown["remark"][:4000],
    }


def _reviewed(line: ImportedLine, row: ImportedRow, *, by: User, at: datetime) -> ImportedLine:
    line.reviewed_by, line.reviewed_at = by, at
    line.save()
    if row.status == RowStatus.WAITING and not row.lines.waiting().exists():
        row.move_to(RowStatus.REVIEWED)
    row.save()
    record(line, f"import.{line.status}", by=by, at=at)
    return line
