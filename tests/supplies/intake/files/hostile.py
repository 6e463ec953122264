"""Files as they come, and as an attacker would make them. Every one is made here; none is kept in the project."""

import io
import struct
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from openpyxl import Workbook

HEADER = ["区县", "医院名称", "N95口罩", "联系电话"]
ROWS = [["武昌区", "演练第一医院", "500", "02700000001"], ["江岸区", "演练第二医院", "1", ""]]
TABLE = "\n".join(",".join(row) for row in [HEADER, *ROWS]) + "\n"


def workbook(*rows: Iterable[Any], **parts: Any) -> bytes:
    """A workbook of one sheet. `change` may do something to the workbook before it is saved."""
    book = Workbook()
    for row in rows:
        book.active.append(list(row))
    parts.get("change", lambda _book: None)(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(content: bytes, **changes: bytes) -> bytes:
    """The same zip file with some parts changed or added; / is written __."""
    parts = {name.replace("__", "/"): part for name, part in changes.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in parts:
                new.writestr(name, old.read(name))
        for name, part in parts.items():
            new.writestr(name, part)
    return out.getvalue()


SHEET = "xl__worksheets__sheet1.xml"


def sheet_of(inside: str, head: str = "") -> bytes:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?>{head}<worksheet xmlns="{main}"><sheetData>{inside}</sheetData></worksheet>'.encode()


def with_sheet(inside: str, head: str = "") -> bytes:
    return repacked(workbook(HEADER), **{SHEET: sheet_of(inside, head)})


def bomb() -> bytes:
    """A sheet of two gigabytes of blanks in two megabytes."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(HEADER))) as old,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new,
    ):
        for name in old.namelist():
            if name != "xl/worksheets/sheet1.xml":
                new.writestr(name, old.read(name))
        with new.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(sheet_of("").removesuffix(b"</sheetData></worksheet>"))
            for _megabyte in range(60):
                part.write(b" " * 1_000_000)
    return out.getvalue()


def lying() -> bytes:
    """A workbook whose directory says that a large part is small."""
    content = bytearray(with_sheet("<row><c t='inlineStr'><is><t>a</t></is></c></row>" * 50_000))
    at = content.rfind(b"xl/worksheets/sheet1.xml") - 46
    content[at + 24 : at + 28] = struct.pack("<I", 100)
    return bytes(content)


def of_many_parts() -> bytes:
    out = io.BytesIO(workbook(HEADER))
    with zipfile.ZipFile(out, "a") as archive:
        for number in range(10_000):
            archive.writestr(f"xl/media/{number}.txt", "")
    return out.getvalue()


def nested() -> bytes:
    content = b"x"
    for _level in range(5):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("inner.zip", content)
        content = out.getvalue()
    return content


LAUGHS = (
    '<!DOCTYPE lolz [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">'
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
OUTSIDE = '<!DOCTYPE x [<!ENTITY out SYSTEM "file:///etc/hostname">]>'
YAML_LAUGHS = "a0: &a0 [ha, ha]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 12)
)


def write(folder: Path, name: str, content: bytes | str, encoding: str = "utf-8") -> Path:
    file = folder / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return file


def million_rows(folder: Path) -> Path:
    """A workbook of a million rows, written without holding it."""
    file = folder / "million.xlsx"
    with (
        zipfile.ZipFile(io.BytesIO(workbook(HEADER))) as old,
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            if name != "xl/worksheets/sheet1.xml":
                new.writestr(name, old.read(name))
        begin, end = sheet_of("|").split(b"|")
        with new.open("xl/worksheets/sheet1.xml", "w") as part:
            part.write(begin)
            for start in range(1, 1_000_001, 1000):
                part.write(
                    "".join(
                        f'<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>演练{row}</t></is></c>'
                        f'<c r="B{row}"><v>{row}</v></c></row>'
                        for row in range(start, start + 1000)
                    ).encode()
                )
            part.write(end)
    return file
