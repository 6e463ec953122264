"""Workbooks of other kinds, written by hand: nothing that writes them is installed, and an attacker writes his by hand, too."""

import io
import struct
import zipfile
from collections.abc import Collection, Mapping, Sequence

Cell = str | float | None
END, FREE, TABLE = (
    0xFFFFFFFE,
    0xFFFFFFFF,
    0xFFFFFFFD,
)  # of a chain of sectors; no sector; the table of chains itself
SECTOR = 512


# -- .xls: records in a stream ("BIFF8") in a compound file ------------------------------------------------


def xls(
    sheets: Mapping[str, Sequence[Sequence[Cell]]],
    *,
    hidden: Collection[str] = (),
    merged: Sequence[tuple[int, int, int, int]] = (),
) -> bytes:
    """The rows of each sheet by its name. `merged`: first and last row, first and last column, from 0, in every sheet."""
    bodies = {name: _sheet(rows, merged) for name, rows in sheets.items()}
    head = _begin(5) + _record(0x42, struct.pack("<H", 1200))
    start = len(head) + sum(12 + 2 * len(name) for name in sheets) + 4
    for name, body in bodies.items():
        about = struct.pack("<IBBBB", start, name in hidden, 0, len(name), 1)
        head += _record(0x85, about + name.encode("utf-16-le"))
        start += len(body)
    return _compound(head + _record(0x0A) + b"".join(bodies.values()))


def _sheet(rows: Sequence[Sequence[Cell]], merged: Sequence[tuple[int, int, int, int]]) -> bytes:
    body = _begin(0x10)
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            place = struct.pack("<HHH", row, column, 0)
            if isinstance(cell, str) and cell:
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                body += _record(0x204, place + text)
            elif isinstance(cell, int | float):
                body += _record(0x203, place + struct.pack("<d", cell))
    spans = b"".join(struct.pack("<HHHH", *span) for span in merged)
    return body + _record(0xE5, struct.pack("<H", len(merged)) + spans) + _record(0x0A)


def _begin(kind: int) -> bytes:
    return _record(0x809, struct.pack("<HHHHII", 0x600, kind, 0, 0, 0, 0))


def _record(kind: int, body: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _compound(stream: bytes) -> bytes:
    """A file of one stream: a header, the table of chains, the directory, the stream in sectors that follow one another."""
    stream = stream.ljust(max(4096, -(-len(stream) // SECTOR) * SECTOR), b"\0")
    sectors = len(stream) // SECTOR
    tables = -(-(sectors + 2) // 127)
    first = tables + 1
    chains = [*[TABLE] * tables, END, *range(first + 1, first + sectors), END]
    chains += [FREE] * (tables * 128 - len(chains))
    directory = _entry("Root Entry", 5, END, 0, child=1) + _entry("Workbook", 2, first, len(stream))
    head = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    )
    head += struct.pack("<9I", 0, tables, tables, 0, 4096, END, 0, END, 0)
    head += struct.pack("<109I", *range(tables), *[FREE] * (109 - tables))
    return head + struct.pack(f"<{len(chains)}I", *chains) + directory.ljust(SECTOR, b"\0") + stream


def _entry(name: str, kind: int, start: int, size: int, *, child: int = FREE) -> bytes:
    called = (name + "\0").encode("utf-16-le")
    where = struct.pack("<HBBIII", len(called), kind, 1, FREE, FREE, child)
    return called.ljust(64, b"\0") + where + bytes(36) + struct.pack("<III", start, size, 0)


# -- .ods: XML in a zip file -------------------------------------------------------------------------------

_SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)

MANIFEST = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'


def ods(sheets: Mapping[str, Sequence[Sequence[Cell]]]) -> bytes:
    """The rows of each sheet by its name; behind them, as real programs write it, a million empty ones."""
    rest = '<table:table-row table:number-rows-repeated="1048570"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    tables = (
        f'<table:table table:name="{name}">{"".join(map(_row, rows))}{rest}</table:table>'
        for name, rows in sheets.items()
    )
    return ods_of("".join(tables))


def ods_of(tables: str, head: str = "") -> bytes:
    content = f'<?xml version="1.0"?>{head}<office:document-content {_SPACES}><office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", content)
    return out.getvalue()


def _row(cells: Sequence[Cell]) -> str:
    return f"<table:table-row>{''.join(map(_cell, cells))}</table:table-row>"


def _cell(cell: Cell) -> str:
    if cell is None or cell == "":
        return "<table:table-cell/>"
    if isinstance(cell, str):
        return f'<table:table-cell office:value-type="string"><text:p>{cell}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{cell}"/>'
