"""The verbs of intake: hand in a list, read it, look it through, correct it, enter it; accept or reject what waits.

A batch goes on chunk by chunk. Each chunk is one transaction, together with the place up to which it came, so that whoever
is stopped in the middle loses nothing and doubles nothing, and whoever comes next goes on from there.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO, cast

from django.db import connection, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from supplies.attachments import services as attachments
from supplies.attachments.inspection import as_it_came
from supplies.attachments.models import Attachment
from supplies.attachments.models import Kind as FileKind
from supplies.catalogue.models import Item, Unit
from supplies.emergencies.models import Emergency, Phase
from supplies.errors import Refused, TooMany, is_busy_or_away
from supplies.intake.corrections import cell_of
from supplies.intake.entering import enter_rows, flag_gone
from supplies.intake.formats import FORMATS, Format
from supplies.intake.formats.sheet import Plan
from supplies.intake.mapping import (
    LONGEST_SOURCE,
    Proposal,
    emergency_of,
    format_of,
    format_of_batch,
    propose_mapping,
    remember,
    sheets_before,
    source_of,
)
from supplies.intake.models import (
    MOVING,
    BatchStatus,
    Correction,
    Import,
    ImportedLine,
    ImportedRow,
    LineStatus,
    RowStatus,
    Scope,
    StagedRow,
    StagedStatus,
    stored,
)
from supplies.intake.opening import Head, Numbered, Opened, format_in, head_of, is_row, loads, rows_in
from supplies.intake.reading.findings import Unreadable, found
from supplies.intake.report import Report
from supplies.intake.staging import read, stage
from supplies.intake.understanding import Run, is_link
from supplies.journal.services import record, ring
from supplies.leaks import masked
from supplies.needs import services as asking
from supplies.needs.models import Appeal, Need, QuantityKind
from supplies.offers import services as giving
from supplies.offers.models import Offer
from supplies.organisations.models import Organisation, User
from supplies.quantity import MOST
from supplies.regions.models import Region

log = logging.getLogger(__name__)
READ_AT_ONCE = 200  # rows of a chunk: about a second of work
ENTERED_AT_ONCE = 25
SECONDS_AT_A_TIME = 20.0  # then the next task goes on
LEFT_LYING = timedelta(seconds=60)  # three times as long
MOST_ATTEMPTS = 5  # at the same rows, each a minute after the one before
KEPT_DAYS = 30  # of a file that nobody entered or discarded
EVIDENCE_DAYS = 400
ENTERING = 0x1A7A4E  # advisory lock: two lists that name one new hospital must not both make it
MOST_LOOKED_AT = 8  # sheets of a workbook, for one that seems to be a list
READ_AGAIN_AT_MOST = 500  # other rows with the same words; the rest are read again when they are entered
Progress = Callable[[Import], None]

# -- handing in -----------------------------------------------------------------------------------------


@transaction.atomic
def receive(
    file: BinaryIO,
    *,
    name: str,
    size: int,
    emergency: Emergency,
    format: str = "",
    source: str = "",
    as_of: date | None = None,
    by: User,
    at: datetime,
) -> Import:
    """Take a list in, sealed; a worker reads it, which changes nothing.

    format   empty lets it be guessed
    source   lists of one source share their corrections; by default those of one format
    as_of    by default the newest day the list names
    Raises   ValidationError for "file"; Refused("not-stored")
    """
    batch = Import.objects.create(
        format=format,
        source=source or format,
        emergency=emergency,
        file_name=masked(name)[:200],
        as_of=as_of,
        started_at=at,
        touched_at=at,
        by=by,
    )
    erase_on = timezone.localdate(at) + timedelta(days=KEPT_DAYS)
    attachments.attach(
        batch, file, size=size, kind=FileKind.LIST, by=by, at=at, erase_on=erase_on, look=as_it_came
    )
    record(batch, "import.received", by=by, at=at)
    _ring(batch)
    return batch


def refuse_unreadable(file: BinaryIO, *, name: str) -> None:
    """Look at the beginning of a list, as its reader will. Raises Unreadable, for one that is none with what it really is.

    file   has a descriptor; it is nowhere on the disk
    """
    format_in(Path(f"/proc/self/fd/{file.fileno()}"), name=name)


def add_evidence(
    row: Import | Appeal, file: BinaryIO, *, size: int, kind: str, by: User, at: datetime
) -> Attachment:
    """Keep a photograph, a screenshot or a PDF of the announcement beside what was typed from it. See `attach`."""
    erase_on = timezone.localdate(at) + timedelta(days=EVIDENCE_DAYS)
    return attachments.attach(row, file, size=size, kind=kind, by=by, at=at, erase_on=erase_on)


def _ring(batch: Import) -> None:
    transaction.on_commit(lambda: ring("intake.work", str(batch.pk)), robust=True)


# -- a worker's part ------------------------------------------------------------------------------------


def work(batch_id: Any, *, at: datetime) -> None:
    """Bring a batch on for a while: read it, or enter it. Doing it twice, or two doing it at once, is harmless."""
    batch = Import.objects.select_related("by").filter(pk=batch_id).first()
    if batch is None or not batch.is_moving:
        return
    until = time.monotonic() + SECONDS_AT_A_TIME
    with translation.override(batch.by.language if batch.by else None):
        try:
            if batch.status == BatchStatus.ENTERING:
                is_done = _enter_on(batch.pk, at=at, until=until)
            else:
                is_done = _read_kept(batch, at=at)
        except Exception as error:
            if not (is_busy_or_away(error) or isinstance(error, TooMany)):
                _note_failure(batch.pk, at=at)
                raise
            log.warning("Import %s could not go on just now; the sweep tries again.", batch_id)
            return
    if not is_done:
        ring("intake.work", str(batch_id))


@transaction.atomic
def _note_failure(batch_id: Any, *, at: datetime) -> None:
    """A fault of ours: the same rows would fail every minute for ever. After a few times it stops and is said at the desk."""
    batch = _locked(batch_id, *MOVING)
    if batch is None:
        return
    batch.attempts += 1
    batch.touched_at = timezone.now()
    if batch.attempts < MOST_ATTEMPTS:
        batch.save(update_fields=["attempts", "touched_at"])
        return
    if batch.status == BatchStatus.ENTERING:
        batch.problem = found("entering-stopped", row=batch.next_row, times=batch.attempts).as_json()
        batch.move_to(BatchStatus.READ)
    else:
        batch.problem = found("reading-stopped", row=batch.rows_read + 1, times=batch.attempts).as_json()
        batch.move_to(BatchStatus.FAILED)
        batch.finished_at = at
        _erase_file(batch, at=at)
    batch.attempts = 0
    batch.save()
    record(batch, "import.stopped", by=batch.by, at=at)


def sweep(*, at: datetime) -> None:
    """Ring for what was left lying: a worker that was stopped, a broker that was down."""
    for batch_id in Import.objects.left_lying(at - LEFT_LYING).values_list("pk", flat=True)[:20]:
        ring("intake.work", str(batch_id))


def _locked(batch_id: Any, *statuses: str, waits: bool = False) -> Import | None:
    """The batch, if it is still at that and nobody else is at work on it."""
    rows = Import.objects.select_for_update(skip_locked=not waits, of=("self",))
    rows = rows.select_related("emergency", "by").filter(pk=batch_id, status__in=statuses)
    return rows.first()


# -- reading --------------------------------------------------------------------------------------------


def _read_kept(batch: Import, *, at: datetime) -> bool:
    try:
        with _kept_file(batch) as path:
            kind = _kind_of(batch) or format_in(path, name=batch.file_name) or _kind_before(batch, path)
            if kind is None:
                _wait_for_mapping(batch.pk)
                return True
            began = time.monotonic()
            with rows_in(path, kind, name=batch.file_name) as opened:
                # The next task has to open the file again; what takes long to open is used the longer.
                for_rows = max(SECONDS_AT_A_TIME, 3 * (time.monotonic() - began))
                return _read_on(batch.pk, opened, kind, at=at, until=time.monotonic() + for_rows)
    except Unreadable as error:
        _fail(batch.pk, error, at=at)
    return True


def _kind_of(batch: Import) -> Format | None:
    """The format somebody said, or that was found when the batch was begun."""
    return format_of_batch(batch) if batch.format else None


@transaction.atomic
def _wait_for_mapping(batch_id: Any) -> None:
    """A table that nobody has mapped waits until somebody says what its columns are."""
    batch = _locked(batch_id, BatchStatus.RECEIVED, BatchStatus.READING)
    if batch is not None:
        if batch.status == BatchStatus.RECEIVED:
            batch.move_to(BatchStatus.READING)
        batch.move_to(BatchStatus.UNMAPPED)
        batch.save()
        record(batch, "import.unmapped", by=batch.by, at=timezone.now())


def columns_of(batch: Import, *, sheet: str = "", header: tuple[int, int] | None = None) -> Proposal:
    """What the columns of a batch's table seem to be. Raises Unreadable.

    sheet   of a workbook the one to look at, and to read alone; by default the first that seems to be a list
    header  the first and the last row of the headings, counted from 0, where they are not where they seem to be
    """
    with _kept_file(batch) as path:
        return _columns_in(batch, path, sheet=sheet, header=header)


def _columns_in(
    batch: Import, path: Path, *, sheet: str = "", header: tuple[int, int] | None = None
) -> Proposal:
    source = _source_of(batch)
    head = head_of(path, name=batch.file_name, sheet=sheet)
    if len(head.sheets) < 2 or sheet:
        only = sheet if sheet in head.sheets else ""  # a text has none
        return _proposed(head, source, only, only, header)
    before = [one for one in sheets_before(source) if one in head.sheets]
    looked_at = []
    for one in dict.fromkeys([*before, *head.sheets[:MOST_LOOKED_AT]]):
        alone = head_of(path, name=batch.file_name, sheet=one)
        looked_at.append(_proposed(alone, source, one, one if one in before else "", header))
        if looked_at[-1].is_complete:
            return looked_at[-1]
    return looked_at[0]


def _proposed(head: Head, source: str, shown: str, only: str, header: tuple[int, int] | None) -> Proposal:
    proposal = propose_mapping(head.rows, source=source, header=header)
    plan = replace(proposal.plan, sheet=only)
    return replace(proposal, plan=plan, sheets=head.sheets, sheet=shown)


def _source_of(batch: Import) -> str:
    return batch.source or Path(batch.file_name).stem[:LONGEST_SOURCE]


def _kind_before(batch: Import, path: Path) -> Format | None:
    """The format of a table whose headings somebody has confirmed for this source before."""
    proposal = _columns_in(batch, path)
    return _format_by(proposal.plan, batch) if proposal.mapping is not None else None


def _format_by(plan: Plan, batch: Import) -> Format:
    return format_of(plan, emergency_of(batch.emergency))


@transaction.atomic
def say_columns(batch: Import, plan: Plan, *, by: User, at: datetime) -> Import:
    """Somebody says what the columns are; it is remembered for the source, and the batch is read on.

    Raises MoveRefused unless the batch waits for it, Unreadable for a plan that names nobody or no goods.
    """
    batch = Import.objects.select_for_update().get(pk=batch.pk)
    remember(plan, by=by, at=at)
    kind = _format_by(plan, batch)
    batch.move_to(BatchStatus.READING)
    batch.plan, batch.format, batch.touched_at = kind.plan, kind.code, at
    batch.source = batch.source or kind.code
    batch.save()
    _ring(batch)
    return batch


@contextmanager
def _kept_file(batch: Import) -> Iterator[Path]:
    """The file as it came in, for as long as it is read. Raises Unreadable when it is not there any more."""
    kept = Attachment.objects.about(batch).kept().filter(kind=FileKind.LIST).first()
    if kept is None:
        raise Unreadable("file-lost")
    with NamedTemporaryFile() as unsealed:
        try:
            unsealed.writelines(attachments.unsealed(kept))
        except FileNotFoundError:
            raise Unreadable("file-lost") from None
        unsealed.flush()
        yield Path(unsealed.name)


def _read_on(
    batch_id: Any,
    opened: Opened,
    kind: Format,
    *,
    at: datetime,
    until: float | None = None,
    progress: Progress | None = None,
) -> bool:
    """Stage the rows that are not staged yet. Whether there is nothing more to do for whoever called."""
    run = None
    while until is None or time.monotonic() < until:
        with transaction.atomic():
            batch = _locked(batch_id, BatchStatus.RECEIVED, BatchStatus.READING)
            if batch is None:
                return True
            if not batch.sha256:
                _begin(batch, opened, kind, at=at)
            run = run or Run.of(batch, at=at)
            chunk = opened.rows[batch.rows_read : batch.rows_read + READ_AT_ONCE]
            stage(batch, run, chunk)
            batch.rows_read += len(chunk)
            batch.attempts = 0
            batch.touched_at = timezone.now()
            if batch.rows_read >= len(opened.rows):
                batch.move_to(BatchStatus.READ)
                record(batch, "import.read", by=batch.by, at=at, rows=batch.rows_read)
            batch.save()
        if progress:
            progress(batch)
    return False


def _begin(batch: Import, opened: Opened, kind: Format, *, at: datetime) -> None:
    """What has to be known before the first row: which format, which day."""
    batch.format, batch.plan = batch.format or kind.code, batch.plan or kind.plan
    batch.source = batch.source or batch.format
    today = timezone.localdate(at)
    batch.as_of = batch.as_of or _newest_day([opened.rows], kind, until=today) or today
    batch.encoding, batch.sha256, batch.rows_total = opened.encoding, opened.sha256, len(opened.rows)
    batch.remarks = [*batch.remarks, *stored(opened.findings)]
    batch.warnings += len(opened.findings) if opened.is_whole else 0
    if not opened.is_whole:  # the rows before the limit are good, and none may be called missing
        batch.problem = opened.findings[-1].as_json()
    if batch.status == BatchStatus.RECEIVED:
        batch.move_to(BatchStatus.READING)


@transaction.atomic
def _fail(batch_id: Any, error: Unreadable, *, at: datetime) -> None:
    batch = _locked(batch_id, BatchStatus.RECEIVED, BatchStatus.READING)
    if batch is None:
        return
    batch.move_to(BatchStatus.FAILED)
    batch.problem, batch.finished_at = error.finding.as_json(), at
    batch.save()
    _erase_file(batch, at=at)
    record(batch, "import.failed", by=batch.by, at=at)


def _erase_file(batch: Import, *, at: datetime) -> None:
    for file in Attachment.objects.about(batch).kept().filter(kind=FileKind.LIST):
        attachments.erase(file, by=None, at=at)


# -- entering -------------------------------------------------------------------------------------------


@transaction.atomic
def enter(batch: Import, *, what: str, by: User | None, at: datetime) -> Import:
    """Say which rows are to be entered; a worker does it. Raises MoveRefused unless the batch was read."""
    batch = Import.objects.select_for_update().get(pk=batch.pk)
    batch.move_to(BatchStatus.ENTERING)
    batch.entering, batch.next_row, batch.touched_at = Scope(what), 1, at
    if batch.problem and batch.problem["code"] == "entering-stopped":
        batch.problem = None
    batch.save()
    record(batch, "import.entering", by=by, at=at, what=batch.entering)
    _ring(batch)
    return batch


def _enter_on(
    batch_id: Any,
    *,
    at: datetime,
    until: float | None = None,
    waits: bool = False,
    progress: Progress | None = None,
) -> bool:
    """Enter the rows that are not entered yet. Whether there is nothing more to do for whoever called.

    waits   for whoever else is at work on it, as one does who sits before the command
    """
    run = None
    while until is None or time.monotonic() < until:
        with transaction.atomic():
            _one_at_a_time(waits=waits)
            batch = _locked(batch_id, BatchStatus.ENTERING, waits=waits)
            if batch is None:
                return True
            if run is None:
                run = Run.of(batch, at=at)
            else:
                run.look_again()
            rows = list(StagedRow.objects.to_enter(batch).select_for_update(of=("self",))[:ENTERED_AT_ONCE])
            enter_rows(batch, run, rows)
            batch.next_row = rows[-1].number + 1 if rows else batch.rows_read + 1
            batch.attempts = 0
            batch.touched_at = timezone.now()
            if len(rows) < ENTERED_AT_ONCE:
                _end(batch, at=at)
            batch.save()
        if progress:
            progress(batch)
    return False


def _one_at_a_time(*, waits: bool) -> None:
    with connection.cursor() as cursor:
        if waits:
            cursor.execute("SET LOCAL lock_timeout = 0")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [ENTERING])


def _end(batch: Import, *, at: datetime) -> None:
    """Everything that was to be entered is; what is left to decide keeps the batch open, unless all was wanted."""
    if batch.problem is None:
        flag_gone(batch, at=at)
    if batch.entering != Scope.ALL and batch.staged.to_decide().exists():
        batch.move_to(BatchStatus.READ)
        record(batch, "import.entered", by=batch.by, at=at, failed=batch.failed)
        return
    batch.move_to(BatchStatus.FINISHED)
    batch.finished_at = at
    batch.staged.filter(status=StagedStatus.LEFT_OUT).update(raw_sealed=b"")
    _erase_file(batch, at=at)
    record(batch, "import.finished", by=batch.by, at=at, rows=batch.rows_read, failed=batch.failed)


@transaction.atomic
def discard(batch: Import, *, by: User, at: datetime) -> Import:
    """Throw away what was not entered. What was stays, and nothing is flagged as missing."""
    batch = Import.objects.select_for_update().get(pk=batch.pk)
    was_entered = batch.staged.filter(status=StagedStatus.ENTERED).exists()
    batch.move_to(BatchStatus.FINISHED if was_entered else BatchStatus.DISCARDED)
    batch.finished_at = at
    batch.save()
    batch.staged.exclude(status=StagedStatus.ENTERED).delete()
    _erase_file(batch, at=at)
    record(batch, "import.discarded", by=by, at=at)
    return batch


# -- all at once, in the foreground ---------------------------------------------------------------------


def import_appeals(
    files: Sequence[Path],
    format: str | Format,
    *,
    by: User | None,
    at: datetime,
    as_of: date | None = None,
    emergency: Emergency | None = None,
    encoding: str = "",
    sheet: str = "",
    dry_run: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Read published lists and enter them at once, as appeals (or, for lists of makers, donations).

    What a list says enters as published, with its source beside it: whoever published the list has moderated it,
    and a second moderation of a thousand lines would only make them old. What cannot be believed waits. Reading a file
    twice changes nothing; what was stopped while it entered is taken up by a worker, or by the same command again.

    format     one of FORMATS by its code, or that of a mapped sheet
    as_of      the day for which freshness and editions are judged; by default the newest day the lists name
    emergency  by default the one the format belongs to, made if it is not there yet
    encoding   of the files, where it cannot be told: gb18030, big5, …
    sheet      of workbooks the only one that is read
    dry_run    do everything, report it, and undo it

    A row that cannot be used fails alone, with a sentence; so does a file.
    """
    kind = FORMATS[format] if isinstance(format, str) else format
    today = timezone.localdate(at)
    as_of = as_of or _newest_day(_readable(files, kind, encoding, sheet), kind, until=today) or today
    report = Report(format=kind.code, as_of=as_of, is_dry_run=dry_run)
    with transaction.atomic() if dry_run else nullcontext():
        emergency = emergency or _emergency_of(kind)
        for file in files:
            batch = _read_whole(
                file, kind, emergency, as_of, encoding, sheet, by=by, at=at, progress=progress
            )
            if batch.status == BatchStatus.READ:
                enter(batch, what=Scope.ALL, by=by, at=at)
                _enter_on(batch.pk, at=at, waits=True, progress=progress)
            batch.refresh_from_db()
            report.add(batch)
        if dry_run:
            transaction.set_rollback(True)
    return report


@transaction.atomic
def _read_whole(
    file: Path,
    kind: Format,
    emergency: Emergency,
    as_of: date,
    encoding: str,
    sheet: str,
    *,
    by: User | None,
    at: datetime,
    progress: Progress | None,
) -> Import:
    """A batch as it is after reading. Its file is not kept, so it is read whole or not at all."""
    batch = Import.objects.create(
        format=kind.code,
        source=kind.code,
        plan=kind.plan,
        emergency=emergency,
        file_name=file.name[:200],
        as_of=as_of,
        started_at=at,
        touched_at=at,
        by=by,
    )
    try:
        with rows_in(file, kind, encoding=encoding, sheet=sheet, waits=True) as opened:
            _read_on(batch.pk, opened, kind, at=at, progress=progress)
    except Unreadable as error:
        _fail(batch.pk, error, at=at)
    batch.refresh_from_db()
    return batch


def _readable(files: Iterable[Path], kind: Format, encoding: str, sheet: str) -> Iterator[Sequence[Numbered]]:
    for file in files:
        with suppress(Unreadable), rows_in(file, kind, encoding=encoding, sheet=sheet, waits=True) as opened:
            yield opened.rows


def _emergency_of(kind: Format) -> Emergency:
    code, name_zh, name_en, region, began_on = kind.emergency
    emergency, made = Emergency.objects.get_or_create(
        code=code,
        defaults={"name_zh": name_zh, "name_en": name_en, "began_on": began_on, "status": Phase.RESPOND},
    )
    if made:
        emergency.regions.set(Region.objects.filter(code=region))
    return emergency


def _newest_day(lists: Iterable[Sequence[Numbered]], kind: Format, *, until: date) -> date | None:
    """The newest day any row was published or updated; rows that cannot be read name none."""
    newest: date | None = None
    for rows in lists:
        for _number, raw in rows:
            if not is_row(raw):
                continue
            with suppress(Unreadable):
                days = [day for day in kind.days_of(raw) if day and day <= until]
                if days and (newest is None or max(days) > newest):
                    kind.read(raw)
                    newest = max(days)
    return newest


# -- looking through ------------------------------------------------------------------------------------


@transaction.atomic
def review(row: StagedRow, *, by: User, at: datetime) -> StagedRow:
    """A volunteer says that the whole row is right as it is read: its doubtful lines wait no longer.

    Raises MoveRefused, Refused("not-open") unless the batch is being looked through, Refused where something is unread.
    """
    row = _open_row(row)
    if not row.key:
        raise Refused(_("This row cannot be read. Correct what it says, or leave it out."), code="unreadable")
    if any(not line["item"] for line in row.shown["lines"]):
        raise Refused(_("Choose the item of the catalogue first."), code="item-missing")
    return _decided(row, StagedStatus.REVIEWED, by=by, at=at)


@transaction.atomic
def leave_out(row: StagedRow, *, by: User, at: datetime) -> StagedRow:
    """A volunteer says that this row is not to be entered."""
    return _decided(_open_row(row), StagedStatus.LEFT_OUT, by=by, at=at)


@transaction.atomic
def take_back(row: StagedRow, *, by: User, at: datetime) -> StagedRow:
    """Nothing is decided about the row any more."""
    return _decided(_open_row(row), StagedStatus.STAGED, by=by, at=at)


def _open_row(row: StagedRow) -> StagedRow:
    """The batch first, as whoever enters it does."""
    batch = Import.objects.select_for_update().get(pk=row.batch_id)
    if batch.status != BatchStatus.READ:
        raise Refused(_("This import is not being looked through just now."), code="not-open")
    rows = StagedRow.objects.select_for_update(of=("self",)).select_related("batch__emergency")
    return rows.get(pk=row.pk)


def _decided(row: StagedRow, status: str, *, by: User, at: datetime) -> StagedRow:
    row.move_to(status)
    is_open = status == StagedStatus.STAGED
    row.reviewed_by, row.reviewed_at = (None, None) if is_open else (by, at)
    row.save(update_fields=["status", "reviewed_by", "reviewed_at"])
    record(row, f"import-row.{status}", by=by, at=at)
    return row


# -- corrections ----------------------------------------------------------------------------------------


@transaction.atomic
def correct_goods(
    row: StagedRow, *, heading: str, item: Item | None = None, by: User, at: datetime
) -> StagedRow:
    """These words mean another item; without one they are nothing that is wanted."""
    row = _open_row(row)
    line = _line_of(row, heading)
    means: dict[str, Any] = {"item": item} if item else {"is_nothing": True}
    _say(row.batch.source, Correction.Kind.ITEM, line["heading"], by=by, at=at, **means)
    return _read_again(row, at=at, shown__lines__contains=[{"heading": line["heading"]}])


@transaction.atomic
def correct_quantity(
    row: StagedRow,
    *,
    heading: str,
    quantity: int | None = None,
    quantity_kind: str = QuantityKind.NUMBER,
    everywhere: bool = False,
    by: User,
    at: datetime,
) -> StagedRow:
    """This cell means another quantity.

    quantity    in the unit the item is shown in, where the kind is a number
    everywhere  the same value means so in every cell of this column, as a 1 that says "wanted"
    """
    row = _open_row(row)
    line = _line_of(row, heading)
    means: dict[str, Any] = {"quantity_kind": quantity_kind}
    if quantity_kind == QuantityKind.NUMBER:
        if quantity is None:
            raise Refused(_("Say how many, or that there is no limit or no number."), code="quantity-missing")
        means["quantity"] = _in_base_units(quantity, line["item"])
    kind = Correction.Kind.VALUE if everywhere else Correction.Kind.CELL
    within = line["heading"] if everywhere else line["within"]
    _say(row.batch.source, kind, line["figure"], within=within, by=by, at=at, **means)
    same = {"heading": line["heading"], "figure": line["figure"]}
    return _read_again(row, at=at, shown__lines__contains=[same])


@transaction.atomic
def correct_unit(
    row: StagedRow,
    *,
    heading: str,
    unit: Unit,
    times: int | None = None,
    each: int | None = None,
    everywhere: bool = False,
    by: User,
    at: datetime,
) -> StagedRow:
    """The word for the unit in this cell means that unit, or so many of it: 1 箱 is 20 boxes of 50.

    each        base units of the item in one such unit, where it is a package
    everywhere  for all goods of the source; otherwise for these alone, since what a carton holds depends on what is in it
    """
    row = _open_row(row)
    line = _line_of(row, heading)
    if not line["unit"]:
        raise Refused(_("This cell names no unit. Correct its quantity."), code="unit-missing")
    times = (times or 1) * (each or 1)
    if times > MOST:
        raise Refused(
            _("The quantity must be more than nothing and at most ten thousand million."), code="too-many"
        )
    means: dict[str, Any] = {"unit": _base_unit_of(line["item"]) if each else unit}
    if times > 1:
        means |= {"quantity_kind": QuantityKind.NUMBER, "quantity": times}
    within = "" if everywhere else line["heading"]
    _say(row.batch.source, Correction.Kind.UNIT, line["unit"], within=within, by=by, at=at, **means)
    same = {"unit": line["unit"], **({"heading": within} if within else {})}
    return _read_again(row, at=at, shown__lines__contains=[same])


@transaction.atomic
def correct_place(row: StagedRow, *, region: Region, by: User, at: datetime) -> StagedRow:
    """A place written like this lies there."""
    row = _open_row(row)
    if not (place := row.shown["place"]):
        raise Refused(
            _("The row names no place, so there is nothing to remember. Leave it out."), code="place-missing"
        )
    _say(row.batch.source, Correction.Kind.PLACE, place, region=region, by=by, at=at)
    return _read_again(row, at=at, shown__place=place)


@transaction.atomic
def correct_name(row: StagedRow, *, organisation: Organisation, by: User, at: datetime) -> StagedRow:
    """Whoever is called so in the lists of this source is that organisation."""
    row = _open_row(row)
    if not (name := row.shown["called"]):
        raise Refused(
            _("The row names nobody, so there is nothing to remember. Leave it out."), code="name-missing"
        )
    _say(row.batch.source, Correction.Kind.NAME, name, organisation=organisation, by=by, at=at)
    return _read_again(row, at=at, shown__called=name)


@transaction.atomic
def undo_correction(correction: Correction, *, by: User, at: datetime) -> Correction:
    """The words mean again what the site makes of them. What was entered stays; the journal keeps who said what."""
    correction = Correction.objects.select_for_update().get(pk=correction.pk)
    if correction.undone_at is not None:
        raise Refused(_("This correction is undone already."), code="undone")
    for name, nothing in _NOTHING_SAID.items():
        setattr(correction, name, nothing)
    correction.undone_at = at
    correction.save()
    record(correction, "correction.undone", by=by, at=at)
    return correction


_NOTHING_SAID: dict[str, Any] = {
    "item": None,
    "unit": None,
    "region": None,
    "organisation": None,
    "quantity_kind": "",
    "quantity": None,
    "is_nothing": False,
}


def _say(
    source: str, kind: str, as_written: str, *, within: str = "", by: User, at: datetime, **means: Any
) -> Correction:
    """Keep what words mean from now on, in place of what was said of them before."""
    values = {**_NOTHING_SAID, **means, "by": by, "at": at, "undone_at": None}
    correction, _made = Correction.objects.update_or_create(
        source=source, kind=kind, within=within[:600], as_written=as_written[:300], defaults=values
    )
    said = {name: str(getattr(value, "pk", value)) for name, value in means.items()}
    record(correction, "correction.made", by=by, at=at, **said)
    return correction


def _line_of(row: StagedRow, heading: str) -> dict[str, Any]:
    for line in row.shown["lines"]:
        if line["heading"] == heading and line["change"] != "gone":
            return cast("dict[str, Any]", line)
    raise Refused(_("The row has no such line any more. Open it again."), code="line-missing")


def _in_base_units(quantity: int, item_code: str) -> int:
    return quantity * _item_of(item_code).display_factor


def _base_unit_of(item_code: str) -> Unit:
    return _item_of(item_code).base_unit


def _item_of(code: str) -> Item:
    item = Item.objects.filter(pk=code).select_related("base_unit").first()
    if item is None:
        raise Refused(_("Choose the item of the catalogue first."), code="item-missing")
    return item


def _read_again(row: StagedRow, *, at: datetime, **same: Any) -> StagedRow:
    """Read the row once more, and others of its batch that use the same words."""
    batch = row.batch
    others = StagedRow.objects.to_decide().filter(batch=batch, **same).exclude(pk=row.pk).in_order()
    rows = [row, *others.select_for_update(of=("self",))[:READ_AGAIN_AT_MOST]]
    for one in rows:
        if one.status in {StagedStatus.FAILED, StagedStatus.LEFT_OUT}:
            one.move_to(StagedStatus.STAGED)
    read(batch, Run.of(batch, at=at), [(one, loads(one.raw)) for one in rows])
    StagedRow.objects.bulk_update(rows, ["status", "verdict", "key", "base", "scope", "shown", "problems"])
    return row


# -- reviewing line by line, what was entered -----------------------------------------------------------


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
        _say(source, Correction.Kind.ITEM, line.heading, item=item, by=by, at=at)
    if quantity is not None:
        figure = line.as_written.rpartition(": ")[2]
        within = cell_of(row.key.partition("#")[0], line.heading)
        means = {"quantity_kind": line.quantity_kind, "quantity": line.quantity}
        _say(source, Correction.Kind.CELL, figure, within=within, by=by, at=at, **means)


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
