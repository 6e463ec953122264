"""From a file that was handed in to rows laid out to be looked through: which format, which columns, chunk by chunk."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.db import transaction
from django.utils import timezone

from supplies.attachments import services as attachments
from supplies.attachments.models import Attachment
from supplies.attachments.models import Kind as FileKind
from supplies.intake.formats import Format
from supplies.intake.formats.sheet import Plan
from supplies.intake.mapping import (
    LONGEST_SOURCE,
    Proposal,
    emergency_of,
    format_of,
    format_of_batch,
    propose_mapping,
    sheets_before,
)
from supplies.intake.models import (
    BatchStatus,
    Import,
    stored,
)
from supplies.intake.opening import Head, Numbered, Opened, format_in, head_of, is_row, rows_in
from supplies.intake.reading.findings import Unreadable
from supplies.intake.staging import stage
from supplies.intake.understanding import Run
from supplies.journal.services import record

READ_AT_ONCE = 200  # rows of a chunk: about a second of work
SECONDS_AT_A_TIME = 20.0  # then the next task goes on
MOST_LOOKED_AT = 8  # sheets of a workbook, for one that seems to be a list
Progress = Callable[[Import], None]


def locked(batch_id: Any, *statuses: str, waits: bool = False) -> Import | None:
    """The batch, if it is still at that and nobody else is at work on it."""
    rows = Import.objects.select_for_update(skip_locked=not waits, of=("self",))
    rows = rows.select_related("emergency", "by").filter(pk=batch_id, status__in=statuses)
    return rows.first()


def read_kept(batch: Import, *, at: datetime) -> bool:
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
                return read_on(batch.pk, opened, kind, at=at, until=time.monotonic() + for_rows)
    except Unreadable as error:
        fail(batch.pk, error, at=at)
    return True


def _kind_of(batch: Import) -> Format | None:
    """The format somebody said, or that was found when the batch was begun."""
    return format_of_batch(batch) if batch.format else None


@transaction.atomic
def _wait_for_mapping(batch_id: Any) -> None:
    """A table that nobody has mapped waits until somebody says what its columns are."""
    batch = locked(batch_id, BatchStatus.RECEIVED, BatchStatus.READING)
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
    return format_by(proposal.plan, batch) if proposal.mapping is not None else None


def format_by(plan: Plan, batch: Import) -> Format:
    return format_of(plan, emergency_of(batch.emergency))


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


def read_on(
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
            batch = locked(batch_id, BatchStatus.RECEIVED, BatchStatus.READING)
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
    batch.as_of = batch.as_of or newest_day([opened.rows], kind, until=today) or today
    batch.encoding, batch.sha256, batch.rows_total = opened.encoding, opened.sha256, len(opened.rows)
    batch.remarks = [*batch.remarks, *stored(opened.findings)]
    batch.warnings += len(opened.findings) if opened.is_whole else 0
    if not opened.is_whole:  # the rows before the limit are good, and none may be called missing
        batch.problem = opened.findings[-1].as_json()
    if batch.status == BatchStatus.RECEIVED:
        batch.move_to(BatchStatus.READING)


@transaction.atomic
def fail(batch_id: Any, error: Unreadable, *, at: datetime) -> None:
    batch = locked(batch_id, BatchStatus.RECEIVED, BatchStatus.READING)
    if batch is None:
        return
    batch.move_to(BatchStatus.FAILED)
    batch.problem, batch.finished_at = error.finding.as_json(), at
    batch.save()
    erase_file(batch, at=at)
    record(batch, "import.failed", by=batch.by, at=at)


def erase_file(batch: Import, *, at: datetime) -> None:
    for file in Attachment.objects.about(batch).kept().filter(kind=FileKind.LIST):
        attachments.erase(file, by=None, at=at)


def newest_day(lists: Iterable[Sequence[Numbered]], kind: Format, *, until: date) -> date | None:
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
