"""Files and rows on their way in: read, compared with what is known, and entered by the verbs of needs and offers."""

import hashlib
import json
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import DatabaseError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.intake.directory import Directory, addresses, city_path, dock_address, specific_name
from supplies.intake.files.opening import Opened, read_rows
from supplies.intake.formats import Format, Listed, rows_of
from supplies.intake.goods import Line, Reader, line_of_need, line_of_offer
from supplies.intake.models import Import, ImportedLine, ImportedRow, LineStatus, RowStatus, stored
from supplies.intake.reading.findings import Finding, Unreadable, found
from supplies.intake.reading.text import as_written
from supplies.intake.report import Remark, Report
from supplies.journal.services import record
from supplies.leaks import hide, masked
from supplies.needs import services as asking
from supplies.needs.models import Need, NeedStatus, QuantityKind
from supplies.offers import services as giving
from supplies.offers.models import Offer
from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.names import normal_name

log = logging.getLogger(__name__)


def started(rows: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    """The same rows, once it is certain that there are any to be read. Raises Unreadable before the first one."""
    return chain([first], rows) if (first := next(rows, None)) else iter(())


def is_row(raw: Any) -> bool:
    return isinstance(raw, Mapping)


@dataclass
class Run:
    """One call of import_appeals: what all its files share."""

    kind: Format
    emergency: Emergency
    as_of: date
    by: User | None
    at: datetime
    report: Report
    encoding: str = ""  # of the files, where somebody had to say

    def __post_init__(self) -> None:
        self.reader = Reader(self.as_of, self.kind.gives)
        self.directory = Directory(self.kind.source, self.by, self.at)
        self.asked: dict[tuple[Any, Any], Need] = {}  # facility, item -> the need this run met

    # -- files --------------------------------------------------------------------------------------------

    def take_file(self, file: Path) -> None:
        self.report.files += 1
        batch = Import(
            format=self.kind.code,
            emergency=self.emergency,
            file_name=file.name[:200],
            as_of=self.as_of,
            started_at=self.at,
            by=self.by,
        )
        try:
            with read_rows(file, encoding=self.encoding) as opened:
                rows = started(rows_of(opened, self.kind, opened.findings))
                self._take_rows(batch, opened, rows)
        except Unreadable as error:
            self._file_failed(batch, error)

    def _take_rows(self, batch: Import, opened: Opened, rows: Iterable[tuple[int, Any]]) -> None:
        batch.encoding, batch.sha256 = opened.encoding, opened.sha256
        batch.save(force_insert=True)
        before = replace(self.report)
        warnings, opened_before = len(self.report.warnings), self.directory.opened
        rows_before = self.report.rows
        scopes = {self._take_row(batch, number, raw) for number, raw in rows}
        if opened.is_whole:
            self._flag_gone(batch, scopes - {None})
        self._say_of_file(batch, opened)
        self.report.facilities += self.directory.opened - opened_before
        batch.rows_read = self.report.rows - rows_before
        for count in ("created", "changed", "unchanged", "failed", "waiting"):
            setattr(batch, count, getattr(self.report, count) - getattr(before, count))
        batch.warnings = len(self.report.warnings) - warnings
        batch.finished_at = timezone.now()
        batch.save()
        record(batch, "import.finished", by=self.by, at=self.at, rows=batch.rows_read, failed=batch.failed)

    def _say_of_file(self, batch: Import, opened: Opened) -> None:
        """What was noticed about the file as a whole; that a part of it was not read is an error."""
        remarks = [Remark(batch.file_name, 0, finding) for finding in opened.findings]
        (self.report.warnings if opened.is_whole else self.report.errors).extend(remarks)
        if not opened.is_whole:
            batch.problem = opened.findings[-1].as_json()

    def _file_failed(self, batch: Import, error: Unreadable) -> None:
        self.report.errors.append(Remark(batch.file_name, 0, error.finding))
        batch.problem = error.finding.as_json()
        batch.finished_at = self.at
        batch.save(force_insert=True)

    def _flag_gone(self, batch: Import, scopes: Iterable[str | None]) -> None:
        """Rows of the same part of the list that this file no longer holds: flagged, never deleted."""
        gone = ImportedRow.objects.filter(
            format=self.kind.code, scope__in=list(scopes), gone_at=None, seen_in__started_at__lt=self.at
        ).update(gone_at=self.at)
        # A row that could not be read has no key of its own; the next reading of its file puts another in its place.
        ImportedRow.objects.filter(
            format=self.kind.code, status=RowStatus.FAILED, gone_at=None, seen_in__file_name=batch.file_name
        ).exclude(seen_in=batch).update(gone_at=self.at)
        if gone:
            self.report.warnings.append(Remark(batch.file_name, 0, found("row-gone", count=gone)))

    # -- rows ---------------------------------------------------------------------------------------------

    def _take_row(self, batch: Import, number: int, raw: Any) -> str | None:
        """Take one row, inside a savepoint of its own; answers with the part of the list it belongs to."""
        self.report.rows += 1
        opened = self.directory.opened
        try:
            with transaction.atomic():
                return _Row(self, batch, number, raw).take()
        except Unreadable as error:
            findings = [error.finding]
        except ValidationError as error:
            findings = _sentences(error)
        except Refused as error:
            findings = [found("refused", sentence=error.detail)]
        except DatabaseError:
            log.exception("%s: row %d could not be stored", batch.file_name, number)
            findings = [found("not-stored")]
        self.directory.forget()
        self.directory.opened = opened
        self._row_failed(batch, number, raw, findings)
        return None

    def _row_failed(self, batch: Import, number: int, raw: Any, findings: list[Finding]) -> None:
        self.report.failed += 1
        self.report.errors += [Remark(batch.file_name, number, finding) for finding in findings]
        key = f"{self.kind.code}:unread:{_digest(raw)}"
        row = ImportedRow.objects.filter(key=key).first() or ImportedRow(
            key=key, format=self.kind.code, status=RowStatus.FAILED
        )
        row.seen_in, row.row_number, row.digest, row.gone_at = batch, number, _digest(raw), None
        row.raw, row.problems = as_written(raw, most=100_000), stored(findings)
        row.shown = {"name": masked(as_written(raw.get("name") if is_row(raw) else None, most=80))}
        row.save()

    def warn(self, batch: Import, number: int, findings: Iterable[Finding]) -> None:
        self.report.warnings += [Remark(batch.file_name, number, finding) for finding in findings]


def _sentences(error: ValidationError) -> list[Finding]:
    if not hasattr(error, "error_dict"):
        return [found("refused", sentence=" ".join(error.messages))]
    return [
        found("refused", sentence=sentence).at(field)
        for field, sentences in error.message_dict.items()
        for sentence in sentences
    ]


def _digest(raw: Any) -> str:
    """Of a row without its number in the list, which is another one tomorrow."""
    known = {key: value for key, value in raw.items() if key != "id"} if isinstance(raw, Mapping) else raw
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()


# -- one row --------------------------------------------------------------------------------------------


class _Row:
    """One row on its way in: read, compared with what is known, and entered by the verbs of needs or offers."""

    def __init__(self, run: Run, batch: Import, number: int, raw: Any) -> None:
        if not is_row(raw):
            raise Unreadable("row-not-an-object")
        self.run, self.batch, self.number, self.raw = run, batch, number, raw
        self.listed: Listed = run.kind.read(raw)
        region, self.findings = run.directory.region(self.listed)
        if region is None:
            raise Unreadable("unknown-place", place=" ".join(filter(None, self.listed.place))).at("district")
        self.region = region
        self.entered: dict[str, Need | Offer] = {}  # by the words of the list
        self.kinds: list[str] = []
        self.met: dict[tuple[Any, Any], Need] = {}  # what this row asks, by facility and item

    @property
    def scope(self) -> str:
        """What one file of the list covers: a city, or everything."""
        return "" if self.run.kind.gives else city_path(self.region)

    def take(self) -> str:
        row, is_new = self._stored_row()
        if not is_new and row.digest == _digest(self.raw):
            self._unchanged(row)
        else:
            self._enter(row, is_new)
        return self.scope

    def _stored_row(self) -> tuple[ImportedRow, bool]:
        """The row under its key; a second row of one organisation in one file has a key of its own."""
        base = f"{self.run.kind.code}:{self.scope}:{normal_name(specific_name(self.listed))}{normal_name(self.listed.name.part)}"
        for times in range(1, 100):
            key = base if times == 1 else f"{base}#{times}"
            row = ImportedRow.objects.select_for_update().filter(key=key[:300]).first()
            if row is None:
                return ImportedRow(key=key[:300], format=self.run.kind.code), True
            if row.seen_in_id != self.batch.pk:
                return row, False
        raise Unreadable("repeated-too-often", name=self.listed.name.text).at("name")

    def _unchanged(self, row: ImportedRow) -> None:
        self.run.report.unchanged += 1
        self.run.report.waiting += row.status == RowStatus.WAITING
        if row.status in {RowStatus.NEW, RowStatus.CHANGED}:
            row.move_to(RowStatus.UNCHANGED)
        row.seen_in, row.row_number, row.gone_at = self.batch, self.number, None
        row.save(update_fields=["status", "seen_in", "row_number", "gone_at"])
        self._meet(row)
        self.run.asked |= self.met

    def _meet(self, row: ImportedRow) -> None:
        """The needs the row brought before."""
        for need in Need.objects.filter(imported_lines__row=row):
            self.met[row.facility_id, need.item_id] = need

    def _enter(self, row: ImportedRow, is_new: bool) -> None:
        self._note_row(row)
        lines = self._lines()
        if not is_new:
            self._meet(row)
            lines = self._compare(row, lines)
        self._describe(row, lines)
        row.save(force_insert=is_new)
        self._post(row, [line for line in lines if not line.waits])
        self._store_lines(row, lines)
        waits = row.lines.waiting().exists()
        self._settle(row, is_new, waits)
        self.run.warn(
            self.batch, self.number, [*self.findings, *(f for line in lines for f in line.findings)]
        )

    def _settle(self, row: ImportedRow, is_new: bool, waits: bool) -> None:
        if waits and row.status != RowStatus.WAITING:
            row.move_to(RowStatus.WAITING)
        elif not is_new and not waits:
            row.move_to(RowStatus.CHANGED)
        row.save()
        report = self.run.report
        report.created += is_new
        report.changed += not is_new
        report.waiting += waits
        report.needs_by_kind.update(self.kinds)
        self.run.asked |= self.met

    # -- whose row it is ----------------------------------------------------------------------------------

    def _note_row(self, row: ImportedRow) -> None:
        directory = self.run.directory
        organisation, doubts = directory.organisation(self.listed, self.region, gives=self.run.kind.gives)
        row.organisation = organisation
        if not self.run.kind.gives:
            row.facility = directory.facility(self.listed, organisation, self.region)
        self.findings = (*self.listed.findings, *self.findings, *doubts, *self._doubts())
        self._keep_contacts(organisation, row.facility)

    def _doubts(self) -> list[Finding]:
        doubts = []
        if len(addresses(self.listed.address)) > 1:
            doubts.append(found("address-several").at("address"))
        if self.listed.link and not is_link(self.listed.link):
            doubts.append(found("bad-link").at("url"))
        if hidden := sum(hide(self.listed.remark).leaks.values()):
            doubts.append(found("leak-hidden", count=hidden).at("remark"))
        if self.run.kind.gives and not self.listed.certificate:
            doubts.append(found("no-certificate").at("qualification"))
        return doubts

    def _keep_contacts(self, organisation: Organisation, facility: Facility | None) -> None:
        for person in self.listed.people:
            number = f"{person.number}-{person.extension}" if person.extension else person.number
            people.keep_contact(
                organisation,
                facility=facility,
                name=person.name,
                phone=number,
                source=self.run.kind.source,
                at=self.run.at,
            )

    # -- what it asks for ---------------------------------------------------------------------------------

    def _lines(self) -> list[Line]:
        """The lines of the row, each heading once."""
        lines: dict[str, Line] = {}
        for goods in self.listed.goods:
            line = self.run.reader.read(goods)
            if goods.heading in lines:
                self.findings = (*self.findings, found("repeated-item", item=goods.heading).at("supplies"))
            elif "not-wanted" not in {finding.code for finding in line.findings}:
                lines[goods.heading] = line
        if not lines:
            self.findings = (*self.findings, found("no-goods").at("supplies"))
        if names := self.run.reader.goods_in(self.listed.remark, lines.values()):
            self.findings = (*self.findings, found("goods-in-remark", goods="、".join(names)).at("remark"))
        return list(lines.values())

    def _compare(self, row: ImportedRow, lines: list[Line]) -> list[Line]:
        """Against the lines known from before: what is the same stays, a new number is changed, the rest waits."""
        known = {line.heading: line for line in row.lines.select_related("need", "offer")}
        fresh = []
        for line in lines:
            before = known.pop(line.goods.heading, None)
            if before is None:
                fresh.append(line)
            elif before.raw != line.goods.raw:
                fresh += self._changed_line(before, line)
        gone = [
            found("line-gone", item=line.heading).at("supplies")
            for line in known.values()
            if line.need_id or line.offer_id
        ]
        self.findings = (*self.findings, *gone)
        return fresh

    def _changed_line(self, before: ImportedLine, line: Line) -> list[Line]:
        """A number that changed is changed; what nobody has decided is read anew; anything else is only pointed out."""
        if before.status in {LineStatus.WAITING, LineStatus.REJECTED}:
            before.delete()
            return [line]
        if _is_new_number(before, line):
            assert before.need is not None
            asking.change(before.need, by=self.run.by, at=self.run.at, quantity=line.quantity)
            before.quantity_kind, before.quantity = line.kind, line.quantity
        else:
            self.findings = (
                *self.findings,
                found("line-changed", item=line.goods.heading).at(line.goods.heading),
            )
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
        """Without what another row of the same facility asks for: one hospital listed twice needs it once."""
        fresh = []
        for line in lines:
            assert line.item is not None
            if (row.facility_id, line.item.pk) in self.run.asked:
                finding = found("asked-already", item=line.item.name).at(line.goods.heading)
                self.findings = (*self.findings, finding)
                continue
            fresh.append(line)
        return fresh

    def _ask(self, row: ImportedRow, lines: list[Line]) -> None:
        if not lines or row.facility is None:
            return
        appeal = asking.post(
            row.facility,
            emergency=self.run.emergency,
            lines=[line_of_need(line) for line in lines],
            by=None,
            at=self.run.at,
            on=self.run.as_of,
            **self._details(),
        )
        appeal = asking.publish_moderated(appeal, at=self.run.at)
        row.appeal = row.appeal or appeal
        self.kinds = [str(line.kind) for line in lines]
        needs = list(appeal.needs.all())
        self.entered = {need.as_written: need for need in needs}
        self.met |= {(row.facility_id, need.item_id): need for need in needs}

    def _details(self) -> dict[str, Any]:
        listed = self.listed
        return {
            "source_name": self.run.kind.source,
            "source_url": listed.link if is_link(listed.link) else "",
            "published_on": max(filter(None, (listed.published_on, listed.updated_on)), default=None),
            "courier_address": dock_address(listed.address),
            "remark": masked(listed.remark)[:4000],
            "accepts_overseas": not _refuses_overseas(listed.remark),
        }

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
        if (
            self.listed.certificate
        ):  # A capacity without a certificate is no gift yet: a volunteer publishes it.
            donation = giving.publish_moderated(donation, at=self.run.at)
        row.donation = row.donation or donation
        self.kinds = [str(line.kind) for line in lines]
        self.entered = {offer.as_written: offer for offer in donation.offers.all()}

    # -- remembering it -----------------------------------------------------------------------------------

    def _describe(self, row: ImportedRow, lines: list[Line]) -> None:
        listed = self.listed
        row.scope, row.seen_in, row.row_number, row.gone_at = self.scope, self.batch, self.number, None
        row.digest, row.raw = _digest(self.raw), as_written(self.raw, most=100_000)
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

    def _store_lines(self, row: ImportedRow, lines: list[Line]) -> None:
        start = row.lines.count()
        ImportedLine.objects.bulk_create(
            _stored_line(
                row,
                start + position,
                line,
                self.entered.get(line.goods.as_written[:300]) or self._asked(row, line),
            )
            for position, line in enumerate(lines)
        )
        row.problems = stored(self.findings)

    def _asked(self, row: ImportedRow, line: Line) -> Need | None:
        """The need another row of the same facility entered for this line."""
        return (
            None if line.waits or line.item is None else self.run.asked.get((row.facility_id, line.item.pk))
        )


def _is_new_number(before: ImportedLine, line: Line) -> bool:
    same_goods = line.item is not None and line.item.pk == before.item_id and not line.waits
    is_open = before.need is not None and before.need.status == NeedStatus.OPEN
    return same_goods and is_open and line.kind == QuantityKind.NUMBER


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


def is_link(link: str) -> bool:
    try:
        URLValidator(schemes=["http", "https"])(link)
    except ValidationError:
        return False
    return len(link) <= 500


def _refuses_overseas(remark: str) -> bool:
    return "不接受" in remark and ("境外" in remark or "海外" in remark)
