"""From a file to its rows: the one place where that is done, whatever kind of file it is."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice, takewhile
from pathlib import Path
from random import randint
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NamedTuple, overload

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _

from supplies.errors import TooMany
from supplies.intake.files.opening import RawRow, read_rows
from supplies.intake.formats import Format, recognised, rows_of
from supplies.intake.formats.sheet import HEAD
from supplies.intake.reading.findings import Finding, Unreadable, found

Numbered = tuple[int, Any]  # its number in the file, and the raw row
READING = 0x1A7A4F  # the first half of advisory locks, one for each file that may be read at once
LOCK_NOT_AVAILABLE = "55P03"
MENDED = "↩ "  # begins the headings of the columns that a sheet of errors has besides those of its list
FILES_AT_ONCE = 2  # each takes up to 300 MB and a processor; whoever hands in the third waits


class Spool(Sequence[Numbered]):
    """The rows of a file laid aside on the disk, so that memory does not grow with them and any of them can be asked for."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._starts = [0]

    def lay(self, rows: Iterator[Numbered]) -> None:
        for row in rows:
            self._starts.append(self._starts[-1] + self._file.write(dumps(row).encode() + b"\n"))

    def __len__(self) -> int:
        return len(self._starts) - 1

    @overload
    def __getitem__(self, at: int) -> Numbered: ...
    @overload
    def __getitem__(self, at: slice) -> list[Numbered]: ...
    def __getitem__(self, at: int | slice) -> Numbered | list[Numbered]:
        places = range(len(self))[at]
        return [self._row(place) for place in places] if isinstance(places, range) else self._row(places)

    def _row(self, at: int) -> Numbered:
        self._file.seek(self._starts[at])
        number, raw = loads(self._file.readline().decode())
        return number, raw


@dataclass(frozen=True)
class Opened:
    """What a list holds.

    encoding    how its text was written; empty for a file that is not text
    rows        raw rows in their order, each whatever stands in the file; a format says what it means
    findings    about the file as a whole
    is_whole    False when a limit was reached: the rows before it are good, and no row may be called missing
    peak        the most memory the process had that opened it, in bytes
    """

    encoding: str
    sha256: str
    rows: Spool
    findings: Sequence[Finding] = ()
    is_whole: bool = True
    peak: int = 0


@contextmanager
def _turn(*, waits: bool) -> Iterator[None]:
    """One of the FILES_AT_ONCE places among those that read a file, on whatever machine they are.

    waits   as long as it takes, as one does who sits before the command; else as long as for any lock
    Raises  TooMany
    """
    place = _free_place() or _next_place(waits=waits)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [READING, place])


def _free_place() -> int | None:
    with connection.cursor() as cursor:
        for place in range(1, FILES_AT_ONCE + 1):
            cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [READING, place])
            if cursor.fetchone() == (True,):
                return place
    return None


def _next_place(*, waits: bool) -> int:
    """The lock outlives the transaction in which it is waited for, and is gone with the connection of who is killed."""
    place = randint(1, FILES_AT_ONCE)  # nosec B311 # no secret: who waits for which
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if waits:
                cursor.execute("SET LOCAL lock_timeout = 0")
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [READING, place])
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", None) != LOCK_NOT_AVAILABLE:
            raise
        raise TooMany(
            _("Other lists are being read just now. Try again in a minute."), code="reading-busy", wait=60
        ) from None
    return place


@contextmanager
def rows_in(
    file: Path,
    kind: Format,
    *,
    name: str = "",
    encoding: str = "",
    sheet: str = "",
    waits: bool = False,
) -> Iterator[Opened]:
    """The rows of a file as a format takes them. Raises Unreadable for the file as a whole, TooMany while others are read.

    name      the name it came under, if it lies under another
    encoding  of a text, where somebody had to say: gb18030, big5, …
    sheet     of a workbook the one to be read; by default the one the format's plan names, or all
    """
    only = sheet or kind.sheet
    with TemporaryFile() as spooled:
        rows = Spool(spooled)  # type: ignore[arg-type]
        with _turn(waits=waits), read_rows(file, name=name, encoding=encoding, sheet=only) as source:
            rows.lay(rows_of(_as_they_came(source, source.findings), kind, source.findings))
        yield Opened(
            source.encoding, source.sha256, rows, tuple(source.findings), source.is_whole, source.peak
        )


def _as_they_came(rows: Iterable[RawRow], findings: list[Finding]) -> Iterator[RawRow]:
    """The rows of a list; those of a sheet of errors that comes back mended without the columns that were added to it."""
    width: int | None = None
    for at, row in enumerate(rows):
        if at < HEAD and isinstance(row.raw, list) and (added := _added(row.raw)):
            width = len(row.raw) - added
            findings.append(found("handed-back"))
        yield row if width is None else row._replace(raw=row.raw[:width])


def _added(cells: Sequence[Any]) -> int:
    """How many of the last headings say that they were added."""
    return sum(1 for _cell in takewhile(lambda cell: str(cell).startswith(MENDED), reversed(cells)))


class Head(NamedTuple):
    """The first rows of a file, and the names of a workbook's sheets."""

    rows: list[RawRow]
    sheets: tuple[str, ...] = ()


def head_of(file: Path, *, name: str = "", encoding: str = "", sheet: str = "", waits: bool = False) -> Head:
    """The first rows of a file, or of one sheet of it, by which its format is told. Raises Unreadable, and TooMany
    while others are read."""
    with _turn(waits=waits), read_rows(file, name=name, encoding=encoding, sheet=sheet) as source:
        return Head(list(islice(_as_they_came(source, []), HEAD)), source.sheets)


def format_in(file: Path, *, name: str = "", encoding: str = "") -> Format | None:
    """The format a file is known by; None for a table that somebody has to map. Raises Unreadable, TooMany."""
    head, _sheets = head_of(file, name=name, encoding=encoding)
    if (kind := recognised(head)) is None and not any(_has_columns(row.raw) for row in head):
        raise Unreadable("format-unknown")
    return kind


def _has_columns(raw: Any) -> bool:
    return is_row(raw) or (isinstance(raw, list) and len(raw) > 1)


def loads(text: str) -> Any:
    """JSON whose long numbers stay decimals, so that 10^5000 costs nothing."""
    return json.loads(text, parse_int=_number, parse_constant=str)


def dumps(raw: Any) -> str:
    """A raw row as it is staged: `loads` gives back what every reader and `digest` take for the same."""
    return json.dumps(raw, default=str)


def digest(raw: Any) -> str:
    """What a row says, whatever its place in the list: published ids are row numbers and mean another row tomorrow."""
    known = {key: value for key, value in raw.items() if key != "id"} if is_row(raw) else raw
    return hashlib.sha256(json.dumps(known, sort_keys=True, default=str).encode()).hexdigest()


def is_row(raw: Any) -> bool:
    return isinstance(raw, Mapping)


def _number(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < 30 else Decimal(digits)
