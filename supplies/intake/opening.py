"""From a file to its rows: the one place where that is done, whatever kind of file it is."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NamedTuple, overload

from supplies.intake.files.opening import RawRow, read_rows
from supplies.intake.formats import Format, recognised, rows_of
from supplies.intake.formats.sheet import HEAD
from supplies.intake.reading.findings import Finding, Unreadable

Numbered = tuple[int, Any]  # its number in the file, and the raw row


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
    """

    encoding: str
    sha256: str
    rows: Spool
    findings: Sequence[Finding] = ()
    is_whole: bool = True


@contextmanager
def rows_in(
    file: Path, kind: Format, *, name: str = "", encoding: str = "", sheet: str = ""
) -> Iterator[Opened]:
    """The rows of a file as a format takes them. Raises Unreadable for the file as a whole.

    name      the name it came under, if it lies under another
    encoding  of a text, where somebody had to say: gb18030, big5, …
    sheet     of a workbook the one to be read; by default the one the format's plan names, or all
    """
    only = sheet or kind.sheet
    with TemporaryFile() as spooled, read_rows(file, name=name, encoding=encoding, sheet=only) as source:
        rows = Spool(spooled)  # type: ignore[arg-type]
        rows.lay(rows_of(source, kind, source.findings))
        yield Opened(source.encoding, source.sha256, rows, tuple(source.findings), source.is_whole)


class Head(NamedTuple):
    """The first rows of a file, and the names of a workbook's sheets."""

    rows: list[RawRow]
    sheets: tuple[str, ...] = ()


def head_of(file: Path, *, name: str = "", encoding: str = "", sheet: str = "") -> Head:
    """The first rows of a file, or of one sheet of it, by which its format is told. Raises Unreadable."""
    with read_rows(file, name=name, encoding=encoding, sheet=sheet) as source:
        return Head(list(islice(source, HEAD)), source.sheets)


def format_in(file: Path, *, name: str = "", encoding: str = "") -> Format | None:
    """The format a file is known by; None for a table that somebody has to map. Raises Unreadable."""
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
