"""What a file really is, by its content alone."""

import re
from pathlib import PurePath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile

from supplies.intake.reading.encodings import Undecodable, codec_of, guess

HEAD = 65_536  # bytes that are enough to judge by
WORKBOOKS = frozenset({"xlsx", "xls", "ods"})
READABLE = WORKBOOKS | {"csv", "tsv", "semicolon", "bar", "json", "yaml", "announcement"}
DELIMITERS = {"csv": ",", "tsv": "\t", "semicolon": ";", "bar": "|"}

_FIRST_BYTES = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"BM", "picture"),
    (b"II*\0", "picture"),
    (b"MM\0*", "picture"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"),
    (b"\x7fELF", "program"),
    (b"MZ", "program"),
    (b"SQLite format 3", "database"),
    (b"{\\rtf", "word"),
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (
    ("EncryptedPackage", "locked"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("WordDocument", "word"),
)
_ZIP_PARTS = (("xl/workbook.xml", "xlsx"), ("xl/workbook.bin", "xlsb"), ("word/", "word"), ("ppt/", "slides"))
_ODS = b"application/vnd.oasis.opendocument.spreadsheet"
_HTML = re.compile(r"\s*(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|table|meta|div)\b", re.I | re.S)
_YAML_LINE = re.compile(r"\s*(?:-(?:\s|$)|#|%YAML|---|\.\.\.|[^\s,;|\t\"'<{\[][^,;|\t]{0,80}?:(?:\s|$))")

# What a name claims, and what the file may then really be. Any other name claims nothing.
_TEXT = frozenset(DELIMITERS)
_PROSE = frozenset({".txt", ".md"})  # what a text without columns is called
_COLUMNS = 1.2  # how evenly a separator has to part the lines of a text that claims nothing
_CLAIMS = {
    ".csv": _TEXT,
    ".tsv": _TEXT,
    ".tab": _TEXT,
    ".txt": READABLE - WORKBOOKS,
    ".json": frozenset({"json"}),
    ".yaml": frozenset({"yaml"}),
    ".yml": frozenset({"yaml"}),
    ".xlsx": frozenset({"xlsx"}),
    ".xlsm": frozenset({"xlsx"}),
    ".xls": frozenset({"xls"}),
    ".ods": frozenset({"ods"}),
    ".pdf": frozenset({"pdf"}),
    ".zip": frozenset({"archive"}),
}


def is_as_claimed(name: str, really: str) -> bool:
    claims = _CLAIMS.get(PurePath(name).suffix.lower())
    return claims is None or really in claims


def what_it_is(file: BinaryIO, size: int, encoding: str = "", name: str = "") -> str:
    """One of READABLE, or what else it is: empty, pdf, picture, xlsb, locked, html, xml, archive, binary, ….

    Raises Undecodable for a text in no encoding that can be told.
    """
    head = file.read(HEAD)
    file.seek(0)
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"):
        return "empty"
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _packed(file)
    if head.startswith(_OLE):
        return _compound(file)
    if head[4:8] == b"ftyp" or (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return "picture"
    for begin, kind in _FIRST_BYTES:
        if head.startswith(begin) and (len(begin) > 2 or not head[:512].isascii() or b"\0" in head[:512]):
            return kind
    may_be_prose = PurePath(name).suffix.lower() in _PROSE
    return _written(head, whole=size <= HEAD, encoding=encoding, may_be_prose=may_be_prose)


def _packed(file: BinaryIO) -> str:
    """What a zip file holds. A damaged one is a zip file, and nothing more can be said."""
    try:
        with ZipFile(file) as archive:
            names = archive.namelist()
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                return "ods" if archive.read("mimetype").startswith(_ODS) else "archive"
    except (BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return "damaged-zip"
    finally:
        file.seek(0)
    held = (kind for part, kind in _ZIP_PARTS if any(name.startswith(part) for name in names))
    return next(held, "archive")


def _compound(file: BinaryIO) -> str:
    """What an old Office file holds: its directory names the streams in UTF-16."""
    content = file.read()
    file.seek(0)
    held = (kind for name, kind in _OLE_STREAMS if name.encode("utf-16-le") in content)
    return next(held, "binary")


def _written(head: bytes, *, whole: bool, encoding: str, may_be_prose: bool) -> str:
    text = _text_of(head, whole=whole, encoding=encoding)
    if text is None:
        return "binary"
    begin = text.lstrip("\ufeff \t\r\n")
    if _HTML.match(begin):
        return "html"
    if begin.startswith("<"):
        return "xml"
    if begin[:1] in "[{":
        return "json"
    if _is_yaml(begin, whole=whole):
        return "yaml"
    kind, evenly = _delimited(begin)
    return "announcement" if may_be_prose and evenly < _COLUMNS else kind


def _text_of(head: bytes, *, whole: bool, encoding: str) -> str | None:
    """The text a head begins with; the character it was cut in is left out. None for what is no text at all."""
    codec = encoding or _guess(head, whole=whole)
    text = head.decode(codec_of(codec), "ignore" if not whole else "replace")
    odd = sum(character < " " and character not in "\t\n\r\f" for character in text[:4096])
    return None if odd > max(3, len(text[:4096]) // 20) else text


def _guess(head: bytes, *, whole: bool) -> str:
    for cut in range(1 if whole else 5):  # no character is longer than four bytes
        try:
            return guess(head[: len(head) - cut])
        except Undecodable as why:
            if why.code == "encoding-unsure":
                return "gb18030"  # to see its commas it does not matter; reading it will ask
    return "gb18030"


def _is_yaml(text: str, *, whole: bool) -> bool:
    lines = [line for line in text.splitlines() if line.strip()][:40]
    if not whole and len(lines) > 1:
        lines = lines[:-1]
    fitting = sum(bool(_YAML_LINE.match(line)) for line in lines)
    begins = bool(re.match(r"---(\s|$)|%YAML|-\s+\S", text))
    return fitting >= len(lines) * (0.5 if begins else 0.8) and (begins or len(lines) > 1)


def _delimited(text: str) -> tuple[str, float]:
    """Of the separators the one that parts the most lines the most evenly, and how well, up to 2; quoted text does not count."""
    lines = re.sub(r'"[^"]*"', "", text).splitlines()[:60]
    best, kind = 0.0, "csv"
    for name, sign in DELIMITERS.items():
        counts = [line.count(sign) for line in lines if line.strip()]
        usual = max(set(counts), key=counts.count) if counts else 0
        parted = sum(bool(count) for count in counts) / max(1, len(counts))
        score = parted * (1 + counts.count(usual) / len(counts)) if any(counts) else 0.0
        if score > best + 0.2:
            best, kind = score, name
    return kind, best
