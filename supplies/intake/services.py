"""The verbs of intake: hand in a list, read it, look it through, correct it, enter it; accept or reject what waits.

A batch goes on chunk by chunk. Each chunk is one transaction, together with the place up to which it came, so that whoever
is stopped in the middle loses nothing and doubles nothing, and whoever comes next goes on from there.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.db import connection, transaction
from django.utils import timezone, translation

from supplies.attachments import services as attachments
from supplies.attachments.inspection import as_it_came
from supplies.attachments.models import Attachment
from supplies.attachments.models import Kind as FileKind
from supplies.emergencies.models import Emergency, Phase
from supplies.errors import TooMany, is_busy_or_away
from supplies.intake.accepting import accept, correct, reject
from supplies.intake.entering import enter_rows, flag_gone
from supplies.intake.formats import FORMATS, Format
from supplies.intake.formats.sheet import Plan
from supplies.intake.mapping import (
    remember,
)
from supplies.intake.models import (
    MOVING,
    BatchStatus,
    Import,
    Scope,
    StagedRow,
    StagedStatus,
)
from supplies.intake.opening import Numbered, format_in, rows_in
from supplies.intake.reading.findings import Unreadable, found
from supplies.intake.reading_in import (
    SECONDS_AT_A_TIME,
    Progress,
    columns_of,
    erase_file,
    fail,
    format_by,
    locked,
    newest_day,
    read_kept,
    read_on,
)
from supplies.intake.report import Report
from supplies.intake.reviewing import (
    correct_goods,
    correct_name,
    correct_place,
    correct_quantity,
    correct_unit,
    leave_out,
    review,
    take_back,
    undo_correction,
)
from supplies.intake.understanding import Run
from supplies.journal.services import record, ring
from supplies.leaks import masked
from supplies.needs.models import Appeal
from supplies.organisations.models import User
from supplies.regions.models import Region

__all__ = [
    "accept", "add_evidence", "columns_of", "correct", "correct_goods", "correct_name", "correct_place", "correct_quantity", "correct_unit",
    "discard", "enter", "import_appeals", "leave_out", "receive", "refuse_unreadable", "reject", "review", "say_columns", "sweep",
    "take_back", "undo_correction", "work",
]  # fmt: skip
log = logging.getLogger(__name__)
ENTERED_AT_ONCE = 25
LEFT_LYING = timedelta(seconds=60)  # three times as long
MOST_ATTEMPTS = 5  # at the same rows, each a minute after the one before
KEPT_DAYS = 30  # of a file that nobody entered or discarded
EVIDENCE_DAYS = 400
ENTERING = 0x1A7A4E  # advisory lock: two lists that name one new hospital must not both make it

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
                is_done = read_kept(batch, at=at)
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
    batch = locked(batch_id, *MOVING)
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
        erase_file(batch, at=at)
    batch.attempts = 0
    batch.save()
    record(batch, "import.stopped", by=batch.by, at=at)


def sweep(*, at: datetime) -> None:
    """Ring for what was left lying: a worker that was stopped, a broker that was down."""
    for batch_id in Import.objects.left_lying(at - LEFT_LYING).values_list("pk", flat=True)[:20]:
        ring("intake.work", str(batch_id))


@transaction.atomic
def say_columns(batch: Import, plan: Plan, *, by: User, at: datetime) -> Import:
    """Somebody says what the columns are; it is remembered for the source, and the batch is read on.

    Raises MoveRefused unless the batch waits for it, Unreadable for a plan that names nobody or no goods.
    """
    batch = Import.objects.select_for_update().get(pk=batch.pk)
    remember(plan, by=by, at=at)
    kind = format_by(plan, batch)
    batch.move_to(BatchStatus.READING)
    batch.plan, batch.format, batch.touched_at = kind.plan, kind.code, at
    batch.source = batch.source or kind.code
    batch.save()
    _ring(batch)
    return batch


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
            batch = locked(batch_id, BatchStatus.ENTERING, waits=waits)
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
    if batch.is_whole:
        flag_gone(batch, at=at)
    if batch.entering != Scope.ALL and batch.staged.to_decide().exists():
        batch.move_to(BatchStatus.READ)
        record(batch, "import.entered", by=batch.by, at=at, failed=batch.failed)
        return
    batch.move_to(BatchStatus.FINISHED)
    batch.finished_at = at
    batch.staged.filter(status=StagedStatus.LEFT_OUT).update(raw_sealed=b"")
    erase_file(batch, at=at)
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
    erase_file(batch, at=at)
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
    as_of      the day for which freshness and editions are judged; by default the newest day each list names, or today
    emergency  by default the one the format belongs to, made if it is not there yet
    encoding   of the files, where it cannot be told: gb18030, big5, …
    sheet      of workbooks the only one that is read
    dry_run    do everything, report it, and undo it

    A row that cannot be used fails alone, with a sentence; so does a file.
    """
    kind = FORMATS[format] if isinstance(format, str) else format
    today = timezone.localdate(at)
    named = [as_of or newest_day(_readable(file, kind, encoding, sheet), kind, until=today) for file in files]
    report = Report(
        format=kind.code, as_of=max(filter(None, named), default=as_of or today), is_dry_run=dry_run
    )
    with transaction.atomic() if dry_run else nullcontext():
        emergency = emergency or _emergency_of(kind)
        for file, day in zip(files, named, strict=True):
            batch = _read_whole(
                file, kind, emergency, day or today, encoding, sheet, by=by, at=at, progress=progress
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
            read_on(batch.pk, opened, kind, at=at, progress=progress)
    except Unreadable as error:
        fail(batch.pk, error, at=at)
    batch.refresh_from_db()
    return batch


def _readable(file: Path, kind: Format, encoding: str, sheet: str) -> Iterator[Sequence[Numbered]]:
    with suppress(Unreadable), rows_in(file, kind, encoding=encoding, sheet=sheet, waits=True) as opened:
        yield opened.rows


def _emergency_of(kind: Format) -> Emergency:
    if kind.emergency is None:
        going_on = list(Emergency.objects.going_on()[:2])
        if len(going_on) != 1:
            raise Unreadable("which-emergency")
        return going_on[0]
    code, name_zh, name_en, region, began_on = kind.emergency
    emergency, made = Emergency.objects.get_or_create(
        code=code,
        defaults={"name_zh": name_zh, "name_en": name_en, "began_on": began_on, "status": Phase.RESPOND},
    )
    if made:
        emergency.regions.set(Region.objects.filter(code=region))
    return emergency
