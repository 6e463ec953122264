"""The verbs of intake: import lists, accept or reject what waits."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency, Phase
from supplies.errors import Refused
from supplies.intake.entering import Run, is_link, is_row
from supplies.intake.files.opening import read_rows
from supplies.intake.formats import FORMATS, Format, rows_of
from supplies.intake.models import ImportedLine, ImportedRow, LineStatus, RowStatus
from supplies.intake.reading.findings import Unreadable
from supplies.intake.report import Report
from supplies.journal.services import record
from supplies.needs import services as asking
from supplies.needs.models import Need, QuantityKind
from supplies.offers import services as giving
from supplies.offers.models import Offer
from supplies.organisations.models import User
from supplies.regions.models import Region

# -- importing ------------------------------------------------------------------------------------------


def import_appeals(
    files: Sequence[Path],
    format: str | Format,
    *,
    by: User | None,
    at: datetime,
    as_of: date | None = None,
    emergency: Emergency | None = None,
    encoding: str = "",
    dry_run: bool = False,
) -> Report:
    """Read published lists into appeals (or, for lists of makers, donations). Reading a file twice changes nothing.

    What a list says enters as published, with its source beside it: whoever published the list has moderated it,
    and a second moderation of a thousand lines would only make them old. What cannot be believed waits.

    format     one of FORMATS by its code, or that of a mapped sheet
    as_of      the day for which freshness and editions are judged; by default the newest day the lists name
    emergency  by default the one the format belongs to, made if it is not there yet
    encoding   of the files, where it cannot be told: gb18030, big5, …
    dry_run    do everything, report it, and undo it

    A row that cannot be used fails alone, with a sentence; so does a file.
    """
    kind = FORMATS[format] if isinstance(format, str) else format
    today = timezone.localdate(at)
    as_of = as_of or _newest_day(files, kind, encoding, until=today) or today
    report = Report(format=kind.code, as_of=as_of, is_dry_run=dry_run)
    with transaction.atomic():
        emergency = emergency or _emergency_of(kind)
        run = Run(kind, emergency, as_of, by, at, report, encoding)
        for file in files:
            run.take_file(file)
        transaction.set_rollback(dry_run)
    return report


def _emergency_of(kind: Format) -> Emergency:
    code, name_zh, name_en, region, began_on = kind.emergency
    emergency, made = Emergency.objects.get_or_create(
        code=code,
        defaults={"name_zh": name_zh, "name_en": name_en, "began_on": began_on, "status": Phase.RESPOND},
    )
    if made:
        emergency.regions.set(Region.objects.filter(code=region))
    return emergency


def _newest_day(files: Iterable[Path], kind: Format, encoding: str, *, until: date) -> date | None:
    """The newest day any row was published or updated; files and rows that cannot be read name none."""
    days = (day for file in files for day in _days_of(file, kind, encoding))
    return max((day for day in days if day <= until), default=None)


def _days_of(file: Path, kind: Format, encoding: str) -> Iterator[date]:
    with suppress(Unreadable), read_rows(file, encoding=encoding) as opened:
        for _number, raw in rows_of(opened, kind, opened.findings):
            if not is_row(raw):
                continue
            with suppress(Unreadable):
                listed = kind.read(raw)
                yield from filter(None, (listed.published_on, listed.updated_on))


# -- reviewing ------------------------------------------------------------------------------------------


@transaction.atomic
def accept(line: ImportedLine, *, by: User, at: datetime) -> ImportedLine:
    """A volunteer says that a waiting line is right: it enters as a need or an offer, as it was read.

    Raises MoveRefused unless it waits, Refused without an item or (for an offer) a quantity, and what the verbs of
    needs and offers refuse: a quantity above the item's plausible range has to be corrected, or the range.
    """
    line, row = _locked(line)
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
    line, _row = _locked(line)
    line.item = item or line.item
    if quantity is not None:
        if line.item is None:
            raise Refused(_("Choose the item of the catalogue first."), code="item-missing")
        line.quantity_kind, line.quantity = QuantityKind.NUMBER, quantity * line.item.display_factor
    line.full_clean(exclude=["row", "need", "offer", "reviewed_by"], validate_constraints=False)
    line.save(update_fields=["item", "quantity_kind", "quantity"])
    return accept(line, by=by, at=at)


@transaction.atomic
def reject(line: ImportedLine, *, by: User, at: datetime) -> ImportedLine:
    """A volunteer says that a waiting line is nothing. It stays on record and enters no match."""
    line, row = _locked(line)
    line.move_to(LineStatus.REJECTED)
    return _reviewed(line, row, by=by, at=at)


def _locked(line: ImportedLine) -> tuple[ImportedLine, ImportedRow]:
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
        "source_name": FORMATS[row.format].source,
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
