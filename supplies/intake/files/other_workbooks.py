"""Workbooks of other kinds (.xls, .ods), read by calamine: values as they are shown, nothing computed, nothing run.

It lays out a sheet whole, so the process's memory is what limits it; a sheet that needs more is refused, not cut.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile, is_zipfile

from .delimited import Read, fitting
from .structured import NotAList
from .workbook import MOST_MERGES, Merges, NameSheets, Say, Spans, chosen, plain, refuse_bombs


def read(file: BinaryIO, say: Say, *, sheet: str, name: NameSheets) -> Iterator[Read]:
    """As `workbook.read` does. An .ods does not tell which of its cells are merged."""
    from python_calamine import (
        CalamineError,
        CalamineWorkbook,
        PasswordError,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    _refuse_bombs(file)
    try:
        book = CalamineWorkbook.from_filelike(file)
        shown = []
        for one in book.sheets_metadata:
            if one.visible != SheetVisibleEnum.Visible:
                say("hidden-sheet", sheet=one.name)
            elif one.typ == SheetTypeEnum.WorkSheet:
                shown.append(one.name)
        name(shown)
        for title in chosen(shown, sheet):
            yield from _rows(book.get_sheet_by_name(title), title)
    except NotAList:
        raise
    except PasswordError:
        raise NotAList("locked") from None
    except (CalamineError, OSError, ValueError):
        raise NotAList("damaged-workbook") from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how a Rust library gives up; it is no Exception
            raise
        raise NotAList("damaged-workbook") from None


def _refuse_bombs(file: BinaryIO) -> None:
    try:
        if is_zipfile(file):
            with ZipFile(file) as archive:
                refuse_bombs(archive)
    except BadZipFile:
        raise NotAList("damaged-workbook") from None
    file.seek(0)


def _rows(sheet: Any, title: str) -> Iterator[Read]:
    merges = Merges(_merged(sheet))
    for number, values in enumerate(sheet.iter_rows(), start=1):
        cells = {at: _shown(value) for at, value in enumerate(values) if value not in ("", None)}
        if merges:
            numeric = {at for at, value in enumerate(values) if isinstance(value, int | float)}
            merges.fill(number, cells, numeric)
        row = fitting(
            Read(number, [cells.get(at, "") for at in range(max(cells, default=-1) + 1)], [], title)
        )
        if row.cells or row.said:
            yield row


def _merged(sheet: Any) -> Spans:
    ranges = sheet.merged_cell_ranges or []
    if len(ranges) > MOST_MERGES:
        raise NotAList("too-many-merged", most=MOST_MERGES)
    return {(top + 1, left): (bottom + 1, right) for (top, left), (bottom, right) in ranges}


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return plain(value)
    return str(value).removesuffix(" 00:00:00")
