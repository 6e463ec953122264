"""Files opened for the site: the rows of a list, one by one, from a process that may use little memory and time."""

import hashlib
import json
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from supplies import limited
from supplies.intake.files import parser
from supplies.intake.reading.findings import Finding, Unreadable, found

LARGEST_FILE = 50_000_000  # bytes; a nation's hospitals fit ten times
MOST_LINE = 40_000_000  # bytes that one line of the parser may have
_TIMED_OUT = {-24, -9}  # SIGXCPU, or SIGKILL behind it


class RawRow(NamedTuple):
    """One row as it stood in the file.

    number    its line in a text, its row in a sheet, its place in a list; from 1
    raw       a list of texts in a table; in JSON and YAML whatever the row is
    findings  what is odd about it; a row without cells could not be read
    sheet     its sheet, in a workbook
    """

    number: int
    raw: Any
    findings: tuple[Finding, ...] = ()
    sheet: str = ""


class Opened:
    """A file that is being read: an iterator of its rows. Memory does not grow with the file.

    really      csv, tsv, semicolon, bar, json, yaml, xlsx, xls or ods
    encoding    of a text, as `encodings.guess` names it; empty in a workbook
    sha256      of the whole file
    sheets      names of those that a workbook shows, whichever is read
    findings    about the file; complete when the last row was given
    is_whole    False when a limit was reached: the rows before it are good, and no row may be called missing
    peak        the most memory the process had, in bytes; 0 until it ended well
    """

    def __init__(self, file: BufferedReader, name: str, encoding: str, sheet: str) -> None:
        self.really = self.encoding = ""
        self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        self.findings: list[Finding] = []
        self.sheets: tuple[str, ...] = ()
        self.is_whole, self.peak, self.rows_given = True, 0, 0
        file.seek(0)
        self._ran = limited.started(limited.command(parser.__name__, name, encoding, sheet), file)
        self._rows = self._given()
        try:
            self._begin()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if it has not ended."""
        self._ran.kill()
        self._ran.wait()
        assert self._ran.stdout is not None
        self._ran.stdout.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> RawRow:
        return next(self._rows)

    def _given(self) -> Iterator[RawRow]:
        for told in self._lines:
            for number, raw, said, sheet in told.get("rows", ()):
                self.rows_given += 1
                yield RawRow(number, raw, tuple(found(code, **words) for code, words in said), sheet)
            self._note(told)

    # -- what the parser tells ----------------------------------------------------------------------------

    def _begin(self) -> None:
        """What it really is. Raises Unreadable when no row can be read."""
        self._lines = self._told()
        for told in self._lines:
            self._note(told)
            if "rows" in told or "end" in told:
                self._lines = self._resumed(told, self._lines)
                return

    def _resumed(self, first: dict[str, Any], rest: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        if "rows" in first:
            yield {"rows": first["rows"]}
        yield from rest

    def _told(self) -> Iterator[dict[str, Any]]:
        assert self._ran.stdout is not None
        while line := self._ran.stdout.readline(MOST_LINE):
            told: dict[str, Any] = json.loads(line, parse_constant=str)
            yield told
            if "end" in told:
                return
        timed_out = self._ran.wait() in _TIMED_OUT
        yield {"cut": ["took-too-long" if timed_out else "too-hard", {}], "ended": True}

    def _note(self, told: dict[str, Any]) -> None:
        if "really" in told:
            self.really, self.encoding = told["really"], told["encoding"]
        if "sheets" in told:
            self.sheets = tuple(told["sheets"])
        if "said" in told and (said := _finding(told["said"])) not in self.findings:
            self.findings.append(said)
        if "refused" in told or ("cut" in told and not self.rows_given):
            code, words = told.get("refused") or told["cut"]
            raise Unreadable(f"is-{words['really']}" if "really" in words else code, **words)
        if "cut" in told:
            self.is_whole = False
            self.findings += [_finding(told["cut"]), found("not-whole", rows=f"{self.rows_given:,}")]
        self.peak = told.get("peak", self.peak)


def _finding(told: list[Any]) -> Finding:
    code, words = told
    return found(code, **words)


def read_rows(path: Path, *, name: str = "", encoding: str = "", sheet: str = "") -> Opened:
    """Open a list as it was handed in. Close it, or use it as a context.

    name       what the file claims to be, where `path` is not that name
    encoding   the answer to the question of `encoding-unsure`: utf-8, gb18030, big5, …
    sheet      of a workbook the only one that is read; empty reads all
    Raises     Unreadable when nothing can be read; for a file that is not what it says, with what it really is
    """
    try:
        with path.open("rb") as file:
            if (size := path.stat().st_size) > LARGEST_FILE:
                raise Unreadable("too-big", size=size // 10**6, most=LARGEST_FILE // 10**6)
            return Opened(file, name or path.name, encoding, sheet)
    except OSError as error:
        raise Unreadable("cannot-open", reason=error.strerror or type(error).__name__) from None
