"""Tables written as text: any separator, any line end, quotes that were never closed, in constant memory."""

import csv
import re
from collections.abc import Iterator
from typing import NamedTuple, TextIO

MOST_CELL = 32_767  # characters; Excel holds no more
MOST_ROW = 1_000_000  # characters
MOST_COLUMNS = 500
MOST_LINES = 200  # in one quoted cell; more is a quote that was never closed
_QUOTED = re.compile(r'"(?:[^"]++|"")*+"')


class Read(NamedTuple):
    """A row as it stood: `number` counts the lines of the file (or the rows of a sheet) from 1.

    said    codes of what should be known about it, each with its words; `cells` may be empty then
    sheet   its sheet, in a workbook
    """

    number: int
    cells: list[str]
    said: list[tuple[str, dict[str, str]]]
    sheet: str = ""


def read(file: TextIO, delimiter: str) -> Iterator[Read]:
    """The rows of a table that are not empty."""
    csv.field_size_limit(MOST_ROW)
    for number, record, why_not in _records(file, delimiter):
        if why_not:
            yield Read(number, [], [(why_not, {})])
            continue
        row = fitting(Read(number, _cells(record, delimiter), []))
        if row.cells or row.said:
            yield row


def fitting(row: Read) -> Read:
    """A row without the empty cells behind it, or why it is too large."""
    cells = [cell.strip(" \t\r\n\u3000\ufeff") for cell in row.cells]
    while cells and not cells[-1]:
        cells.pop()
    if sum(map(bool, cells)) > MOST_COLUMNS or len(cells) > 4 * MOST_COLUMNS:
        return row._replace(cells=[], said=[("too-many-columns", {"most": str(MOST_COLUMNS)})])
    if (longest := max(map(len, cells), default=0)) > MOST_CELL:
        words = {"length": str(longest), "most": str(MOST_CELL)}
        return row._replace(cells=[], said=[("too-long", words)])
    return row._replace(cells=cells)


def _cells(record: str, delimiter: str) -> list[str]:
    if '"' not in record:  # nothing to unquote, and no reader is faster
        return record.rstrip("\r\n").split(delimiter)
    [*rows] = csv.reader(record.splitlines(keepends=True), delimiter=delimiter)
    return [cell for row in rows for cell in row]


def _records(file: TextIO, delimiter: str) -> Iterator[tuple[int, str, str]]:
    """Lines with their number, joined where a quote runs over their end; for one that cannot be read, the code of why."""
    number = 0
    waiting: list[str] = []  # lines that are to be looked at again, as a quote above them never closed
    while True:
        line = waiting.pop(0) if waiting else file.readline()
        if not line:
            return
        number += 1
        if len(line) > MOST_ROW:
            yield number, "", "row-too-long"
            continue
        if '"' not in line or not _ends_inside(line, delimiter):
            yield number, line, ""
            continue
        more = _rest_of(line, file, waiting, delimiter)
        if more is None:
            yield number, "", "unclosed-quote"
        else:
            yield number, line + "".join(more), ""
            number += len(more)


def _rest_of(line: str, file: TextIO, waiting: list[str], delimiter: str) -> list[str] | None:
    """The lines that belong to a record begun by `line`; None, and all of them waiting, if it does not end."""
    more: list[str] = []
    length = len(line)
    while len(more) < MOST_LINES and length <= MOST_ROW:
        following = waiting.pop(0) if waiting else file.readline()
        if not following:
            break
        more.append(following)
        length += len(following)
        if '"' in following and not _ends_inside(line + "".join(more), delimiter):
            return more
    waiting[:0] = more
    return None


def _ends_inside(record: str, delimiter: str) -> bool:
    """Whether a record ends within a quoted cell. A quote inside a cell that does not begin with one is a letter."""
    position = 0
    while True:
        if record.startswith('"', position):
            if not (closed := _QUOTED.match(record, position)):
                return True
            position = closed.end()
        position = record.find(delimiter, position) + 1
        if not position:
            return False
