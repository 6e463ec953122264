"""Staged rows on their way in: read once more, compared with what is known, and entered by the verbs of needs and offers."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _

from supplies.errors import Refused
from supplies.intake.directory import dock_address
from supplies.intake.formats import Listed
from supplies.intake.goods import Line, line_of_need, line_of_offer
from supplies.intake.models import (
    Import,
    ImportedLine,
    ImportedRow,
    LineStatus,
    RowStatus,
    StagedRow,
    StagedStatus,
    stored,
)
from supplies.intake.opening import digest, is_row, loads
from supplies.intake.reading.findings import Finding, Unreadable, found
from supplies.intake.reading.text import as_written
from supplies.intake.staging import Reading, is_new_number, is_unchanged, newer_list, read, settles
from supplies.intake.understanding import Run, Understood, is_link
from supplies.leaks import masked
from supplies.needs import services as asking
from supplies.needs.models import Need
from supplies.offers import services as giving
from supplies.offers.models import Offer
from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation

log = logging.getLogger(__name__)


def enter_rows(batch: Import, run: Run, rows: Sequence[StagedRow]) -> None:
    """Enter staged rows, each inside a savepoint of its own, and count them on the batch, in memory."""
    readings = read(batch, run, [(row, loads(row.raw)) for row in rows])
    known = _locked([row.key for row in rows])
    for reading in readings:
        _take(batch, run, reading, known.get(reading.row.key))
    StagedRow.objects.bulk_update(
        rows, ["status", "verdict", "key", "base", "scope", "shown", "problems", "row", "raw_sealed"]
    )


def _locked(keys: Sequence[str]) -> dict[str, ImportedRow]:
    """The rows of a chunk that are known from before, all at once: no other row of the batch has one of their keys."""
    rows = ImportedRow.objects.select_for_update(of=("self",)).filter(key__in=keys).order_by("pk")
    return {row.key: row for row in rows}


def _take(batch: Import, run: Run, reading: Reading, known: ImportedRow | None) -> None:
    opened = run.directory.opened
    try:
        with transaction.atomic():
            _Entry(batch, run, reading).take(known)
        batch.facilities += run.directory.opened - opened
        return
    except Unreadable as error:
        findings = [error.finding]
    except ValidationError as error:
        findings = _sentences(error)
    except Refused as error:
        findings = [found("refused", sentence=error.detail)]
    except DatabaseError as error:
        if _is_not_the_rows_fault(error):
            raise  # the chunk is entered again
        log.exception("%s: row %d could not be stored", batch.file_name, reading.row.number)
        findings = [found("not-stored")]
    run.directory.forget()
    run.directory.opened = opened
    _failed(batch, run, reading, findings)


def _is_not_the_rows_fault(error: DatabaseError) -> bool:
    """A lock that was not granted, or a server that went away, which gives no code at all."""
    code = getattr(error.__cause__, "pgcode", None)
    return code in {None, "55P03", "40P01", "57014", "57P01"}


def _failed(batch: Import, run: Run, reading: Reading, findings: list[Finding]) -> None:
    """The row stays staged, with its raw cells, for whoever mends it; and is known to be failing."""
    batch.failed += 1
    staged = reading.row
    if staged.status != StagedStatus.FAILED:
        staged.move_to(StagedStatus.FAILED)
    staged.problems = stored(findings)
    said = digest(reading.raw)
    key = f"{run.kind.code}:unread:{said}"
    row = ImportedRow.objects.filter(key=key).first() or ImportedRow(
        key=key, format=run.kind.code, status=RowStatus.FAILED
    )
    row.seen_in, row.row_number, row.digest, row.gone_at = batch, staged.number, said, None
    row.raw, row.problems = as_written(reading.raw, most=100_000), stored(findings)
    name = reading.raw.get("name") if is_row(reading.raw) else None
    row.shown = {"name": masked(as_written(name, most=80))}
    row.save()


def missing(batch: Import) -> QuerySet[ImportedRow]:
    """Rows of the same parts of the list that were there before and are not in this file, nor in one handed in with it."""
    handed_in = Import.objects.filter(format=batch.format, started_at=batch.started_at).values_list(
        "pk", flat=True
    )
    together = StagedRow.objects.filter(batch__in=list(handed_in), key=OuterRef("key"))
    scopes = StagedRow.objects.filter(batch=batch).exclude(base="").order_by().values("scope").distinct()
    # Named one by one: joined, they are looked for once a row while the list is too new for the planner to know it.
    earlier = Import.objects.filter(
        format=batch.format, started_at__lt=batch.started_at, as_of__lte=batch.as_of
    ).values_list("pk", flat=True)
    return ImportedRow.objects.filter(
        ~Exists(together),
        format=batch.format,
        scope__in=list(scopes.values_list("scope", flat=True)),
        gone_at=None,
        seen_in__in=list(earlier),
    ).exclude(status=RowStatus.FAILED)


def flag_gone(batch: Import, *, at: datetime) -> None:
    """Rows that this file no longer holds: flagged, never deleted."""
    gone = missing(batch).update(gone_at=at)
    # A row that could not be read has no key of its own; the next reading of its file puts another in its place.
    ImportedRow.objects.filter(
        format=batch.format, status=RowStatus.FAILED, gone_at=None, seen_in__file_name=batch.file_name
    ).exclude(seen_in=batch).update(gone_at=at)
    if gone:
        batch.remarks = [*batch.remarks, *stored([found("row-gone", count=gone)])]
        batch.warnings += 1


def _sentences(error: ValidationError) -> list[Finding]:
    if not hasattr(error, "error_dict"):
        return [found("refused", sentence=" ".join(error.messages))]
    return [
        found("refused", sentence=sentence).at(field)
        for field, sentences in error.message_dict.items()
        for sentence in sentences
    ]


# -- one row --------------------------------------------------------------------------------------------


class _Entry:
    """One row on its way in: compared with what is known, and entered by the verbs of needs or offers."""

    def __init__(self, batch: Import, run: Run, reading: Reading) -> None:
        if reading.understood is None:
            raise _as_read(reading)
        self.batch, self.run, self.staged = batch, run, reading.row
        self.understood: Understood = reading.understood
        self.raw, self.listed, self.region = reading.raw, reading.understood.listed, reading.understood.region
        self.findings: list[Finding] = list(reading.understood.findings)
        self.entered: dict[str, Need | Offer] = {}  # by the words of the list
        self.asked: dict[Any, Need] = {}  # what other rows of the list ask for here, by item
        self.kinds: list[str] = []
        self.is_site_new = False
        self.told_on = min(self.listed.told_on or run.as_of, run.as_of)

    def take(self, known: ImportedRow | None) -> None:
        is_new = known is None
        row = known or ImportedRow(key=self.staged.key, format=self.run.kind.code)
        if newer := newer_list(known, self.run):
            self.staged.problems = stored([newer])
            self.batch.unchanged += 1
        elif not is_new and is_unchanged(row, self.understood):
            self._unchanged(row)
        else:
            self._enter(row, is_new)
        self.staged.row, self.staged.raw_sealed = row, b""  # the imported row keeps it now
        self.staged.move_to(StagedStatus.ENTERED)

    def _unchanged(self, row: ImportedRow) -> None:
        if row.status in {RowStatus.NEW, RowStatus.CHANGED}:
            row.move_to(RowStatus.UNCHANGED)
        row.seen_in, row.row_number, row.gone_at = self.batch, self.staged.number, None
        row.save(update_fields=["status", "seen_in", "row_number", "gone_at"])
        self.staged.problems = []
        self.batch.unchanged += 1
        self.batch.waiting += row.status == RowStatus.WAITING

    def _enter(self, row: ImportedRow, is_new: bool) -> None:
        self._note_row(row)
        lines = [self._as_reviewed(line) for line in self.understood.lines]
        if not is_new:
            lines = self._compare(row, lines)
        self._describe(row)
        self._post(row, [line for line in lines if not line.waits])
        waits = any(line.waits for line in lines) or (not is_new and row.lines.waiting().exists())
        self._settle(row, is_new, waits)
        self._store_lines(row, lines, start=0 if is_new else row.lines.count())
        about = [*self.findings, *(finding for line in lines for finding in line.findings)]
        self.staged.problems = stored(about)
        self._count(
            is_new, waits, len(about)
        )  # last: what a row began that fails is undone in the database alone

    def _as_reviewed(self, line: Line) -> Line:
        """Somebody has looked through the whole row: a line with its item does not wait any more."""
        was_reviewed = self.staged.status == StagedStatus.REVIEWED
        return replace(line, waits=False) if was_reviewed and line.item is not None else line

    def _settle(self, row: ImportedRow, is_new: bool, waits: bool) -> None:
        if waits and row.status != RowStatus.WAITING:
            row.move_to(RowStatus.WAITING)
        elif not is_new and not waits:
            row.move_to(RowStatus.CHANGED)
        row.problems = stored(self.findings)
        row.save(force_insert=is_new)

    def _count(self, is_new: bool, waits: bool, warnings: int) -> None:
        batch = self.batch
        batch.warnings += warnings
        batch.created += is_new
        batch.changed += not is_new
        batch.waiting += waits
        for kind in self.kinds:
            batch.needs_by_kind[kind] = batch.needs_by_kind.get(kind, 0) + 1

    # -- whose row it is ----------------------------------------------------------------------------------

    def _note_row(self, row: ImportedRow) -> None:
        directory = self.run.directory
        organisation, doubts = directory.organisation(self.listed, self.region, gives=self.run.kind.gives)
        row.organisation = organisation
        if not self.run.kind.gives:
            opened = directory.opened
            row.facility = directory.facility(self.listed, organisation, self.region)
            self.is_site_new = directory.opened > opened
        self.findings += doubts
        self._keep_contacts(organisation, row.facility)

    def _keep_contacts(self, organisation: Organisation, facility: Facility | None) -> None:
        for person in self.listed.people:
            number = f"{person.number}-{person.extension}" if person.extension else person.number
            people.keep_contact(
                organisation,
                facility=facility,
                name=person.name,
                phone=number,
                email=person.email,
                source=self.run.kind.source,
                at=self.run.at,
            )

    # -- what it asks for ---------------------------------------------------------------------------------

    def _compare(self, row: ImportedRow, lines: list[Line]) -> list[Line]:
        """Against the lines known from before: what is the same stays, a new number is changed, the rest waits."""
        known = {line.heading: line for line in row.lines.select_related("need", "offer")}
        fresh, told_again = [], []
        for line in lines:
            before = known.pop(line.goods.heading, None)
            if before is not None and before.need is not None:
                told_again.append(before.need)
            if before is None:
                fresh.append(line)
            elif before.raw != line.goods.raw or settles(before, line):
                fresh += self._changed_line(before, line)
        self.findings += [
            found("line-gone", item=line.heading).at("supplies")
            for line in known.values()
            if line.need_id or line.offer_id
        ]
        self._confirm(told_again)
        return fresh

    def _confirm(self, needs: list[Need]) -> None:
        """A row that names a later day than before says once more what still stands in it."""
        if self.listed.told_on is not None and needs:
            asking.confirm_as_published(needs, on=self.told_on, by=self.run.by, at=self.run.at)

    def _changed_line(self, before: ImportedLine, line: Line) -> list[Line]:
        """A number that changed is changed; what nobody has decided is read anew; anything else is only pointed out."""
        if before.is_undecided:
            before.delete()
            return [line]
        if is_new_number(before, line):
            assert before.need is not None
            asking.change(
                before.need, by=self.run.by, at=self.run.at, on=self.told_on, quantity=line.quantity
            )
            before.quantity_kind, before.quantity = line.kind, line.quantity
        else:
            self.findings.append(found("line-changed", item=line.goods.heading).at(line.goods.heading))
        before.raw, before.as_written, before.problems = (
            line.goods.raw,
            line.goods.as_written[:300],
            stored(line.findings),
        )
        before.save()
        return []

    # -- entering it --------------------------------------------------------------------------------------

    def _post(self, row: ImportedRow, lines: list[Line]) -> None:
        if self.run.kind.gives:
            self._give(row, lines)
        else:
            self._ask(row, self._not_asked_yet(row, lines))

    def _not_asked_yet(self, row: ImportedRow, lines: list[Line]) -> list[Line]:
        """Without what another row of the list asks for at the same facility: one hospital listed twice needs it once."""
        if self.is_site_new or not lines:
            return lines
        needs = {
            need.pk: need
            for need in Need.objects.open()
            .filter(
                site=row.facility,
                appeal__emergency=self.run.emergency,
                item__in=[line.item for line in lines if line.item],
            )
            .order_by("-appeal__created_at", "-pk")
        }
        # Asked for by themselves: joined, with nothing known of tables this import has just filled, PostgreSQL may go
        # through all of them for every row.
        told = ImportedLine.objects.filter(need__in=list(needs), row__format=row.format) if needs else ()
        rows_of = {(line.need_id, line.row_id) for line in told}
        by_others = {need for need, _row in rows_of} - {need for need, of in rows_of if of == row.pk}
        self.asked = {need.item_id: need for need in needs.values() if need.pk in by_others}
        for line in lines:
            if line.item and line.item.pk in self.asked:
                self.findings.append(found("asked-already", item=line.item.name).at(line.goods.heading))
        return [line for line in lines if line.item and line.item.pk not in self.asked]

    def _ask(self, row: ImportedRow, lines: list[Line]) -> None:
        if not lines or row.facility is None:
            return
        appeal, needs = asking.post_moderated(
            row.facility,
            emergency=self.run.emergency,
            lines=[{**line_of_need(line), "needed_by": self._needed_by()} for line in lines],
            at=self.run.at,
            on=self.run.as_of,
            **self._details(),
        )
        row.appeal = row.appeal or appeal
        self.kinds = [str(line.kind) for line in lines]
        self.entered = {need.as_written: need for need in needs}

    def _details(self) -> dict[str, Any]:
        listed = self.listed
        return {
            "source_name": self.run.kind.source,
            "source_url": listed.link if is_link(listed.link) else "",
            "published_on": listed.told_on and self.told_on,
            "courier_address": dock_address(listed.address),
            "remark": masked(listed.remark)[:4000],
            "accepts_overseas": not _refuses_overseas(listed.remark),
            **listed.details,
        }

    def _needed_by(self) -> date | None:
        """A day that is over leaves it open by when."""
        day = self.listed.needed_by
        return day if day is not None and day >= self.run.as_of else None

    def _give(self, row: ImportedRow, lines: list[Line]) -> None:
        if not lines or row.organisation is None:
            return
        donation = giving.post(
            row.organisation,
            emergency=self.run.emergency,
            region=self.region,
            by=None,
            at=self.run.at,
            on=self.run.as_of,
            lines=[line_of_offer(line, certificate=self.listed.certificate) for line in lines],
            **_donation_details(self.listed, self.run.kind.source),
        )
        if self.listed.certificate:
            # A capacity without a certificate is no gift yet: a volunteer publishes it.
            donation = giving.publish_moderated(donation, at=self.run.at)
        row.donation = row.donation or donation
        self.kinds = [str(line.kind) for line in lines]
        self.entered = {offer.as_written: offer for offer in donation.offers.all()}

    # -- remembering it -----------------------------------------------------------------------------------

    def _describe(self, row: ImportedRow) -> None:
        listed = self.listed
        row.scope, row.seen_in, row.gone_at = self.understood.scope, self.batch, None
        row.row_number = self.staged.number
        row.digest, row.raw = digest(self.raw), as_written(self.raw, most=100_000)
        row.shown = {
            "name": listed.name.site,
            "place": " ".join(filter(None, listed.place)),
            "region": self.region.code,
            "address": masked(listed.address),
            "link": listed.link,
            "remark": masked(listed.remark),
            "published_on": str(listed.published_on or ""),
            "updated_on": str(listed.updated_on or ""),
            "contacts": len(listed.people),
        }

    def _store_lines(self, row: ImportedRow, lines: list[Line], *, start: int) -> None:
        ImportedLine.objects.bulk_create(
            _stored_line(
                row,
                start + position,
                line,
                self.entered.get(line.goods.as_written[:300]) or self._asked(line),
            )
            for position, line in enumerate(lines)
        )

    def _asked(self, line: Line) -> Need | None:
        """The need another row of the same facility entered for this line."""
        return None if line.waits or line.item is None else self.asked.get(line.item.pk)


def _as_read(reading: Reading) -> Unreadable:
    """What made the row unreadable, raised once more where it would have been entered."""
    error = Unreadable("not-stored")
    [error.finding] = reading.findings
    return error


def _stored_line(row: ImportedRow, position: int, line: Line, entered: Need | Offer | None) -> ImportedLine:
    return ImportedLine(
        row=row,
        position=position,
        heading=line.goods.heading,
        as_written=line.goods.as_written[:300],
        raw=line.goods.raw,
        status=LineStatus.WAITING if line.waits else LineStatus.TAKEN,
        item=line.item,
        quantity_kind=line.kind,
        quantity=line.quantity,
        standards=[standard.code for standard in line.standards],
        is_sterile=line.is_sterile,
        problems=stored(line.findings),
        need=entered if isinstance(entered, Need) else None,
        offer=entered if isinstance(entered, Offer) else None,
    )


def _donation_details(listed: Listed, source: str) -> dict[str, Any]:
    return {
        "source_name": source,
        "source_url": listed.link if is_link(listed.link) else "",
        "address": dock_address(listed.address),
        "remark": _("Daily capacity, as the list gives it.") + "\n" + masked(listed.remark)[:3900],
    }


def _refuses_overseas(remark: str) -> bool:
    return "不接受" in remark and ("境外" in remark or "海外" in remark)
