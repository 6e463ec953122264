"""Bytes to text, and text to text that can be stored, compared and shown."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from .findings import Unreadable

_BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_CJK = "\u3400-\u9fff\uf900-\ufaff"
_GAP_BETWEEN_CJK = re.compile(f"(?<=[{_CJK}（）()]) +(?=[{_CJK}（）()])")


@dataclass(frozen=True)
class Decoded:
    text: str
    encoding: str


@dataclass(frozen=True)
class Tidied:
    """A cell made comparable, beside what was written."""

    text: str
    raw: str

    @property
    def is_changed(self) -> bool:
        return self.text != self.raw


def decode(raw: bytes) -> Decoded:
    """The text of a file as hospitals and volunteers save it: UTF-8, UTF-16 or GB18030, with or without a mark.

    Raises Unreadable for other encodings, damaged UTF-8, NUL characters and lone surrogates.
    """
    encoding = _guess_encoding(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise _why_not(raw, encoding, error) from None
    refuse_unstorable(text)
    return Decoded(text, encoding)


def _guess_encoding(raw: bytes) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return encoding
    if utf16 := _utf16_without_mark(raw):
        return utf16
    return "utf-8" if _reads_as_utf8(raw) else "gb18030"


def _utf16_without_mark(raw: bytes) -> str:
    """UTF-16 shows in its digits, commas and line ends: a NUL beside an ASCII byte, mostly on the same side."""
    first, second = raw[0:4096:2], raw[1:4096:2]
    little = sum(not high and 0 < low < 0x80 for low, high in zip(first, second, strict=False))
    big = sum(not high and 0 < low < 0x80 for high, low in zip(first, second, strict=False))
    if len(raw) % 2 or max(little, big) < max(2, len(first) // 50):
        return ""
    if max(little, big) < len(first) // 2 and _is_utf8(raw):
        return ""  # UTF-8 with a few NUL characters, which is refused by name
    return "utf-16-le" if little > big else "utf-16-be"


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _reads_as_utf8(raw: bytes) -> bool:
    """True also for UTF-8 with a few damaged characters: GB18030 would turn all of it into other characters."""
    text = raw.decode("utf-8", "replace")
    damaged = text.count("\ufffd")
    if not damaged or _is_whole_but_for_surrogates(raw):
        return True
    sound = sum(ord(character) > 0x7FF for character in text) - damaged
    return sound > 10 * damaged


def _is_whole_but_for_surrogates(raw: bytes) -> bool:
    try:
        raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _why_not(raw: bytes, encoding: str, error: UnicodeDecodeError) -> Unreadable:
    line = raw.count(b"\n", 0, error.start) + 1
    if not encoding.startswith("utf-8"):
        return Unreadable("encoding", line=line)
    if _is_whole_but_for_surrogates(raw):
        return Unreadable("surrogate", line=line)
    return Unreadable("damaged-utf8", line=line)


def refuse_unstorable(text: str) -> None:
    """Raise Unreadable for what PostgreSQL cannot store: NUL and lone surrogates."""
    if bad := _UNSTORABLE.search(text):
        code = "nul" if bad[0] == "\0" else "surrogate"
        raise Unreadable(code, line=text.count("\n", 0, bad.start()) + 1)


def refuse_long(text: str, most: int) -> None:
    if len(text) > most:
        raise Unreadable("too-long", length=len(text), most=most)


def tidy(raw: object, *, most: int = 500) -> Tidied:
    """One line of text: full-width forms made plain (NFKC), invisible characters dropped, white space single.

    None is the empty text. Raises Unreadable for what is no text, cannot be stored or is longer than `most`.
    """
    written = _written(raw, most)
    text = " ".join(_plain(written).split())
    return Tidied(_GAP_BETWEEN_CJK.sub("", text), written)


def tidy_lines(raw: object, *, most: int = 5000) -> Tidied:
    """Several lines of text: as `tidy`, but the writer's line ends are kept and empty lines dropped."""
    written = _written(raw, most)
    lines = (" ".join(line.split()) for line in _plain(written).splitlines())
    return Tidied("\n".join(line for line in lines if line), written)


def _written(raw: object, most: int) -> str:
    if raw is None:
        return ""
    if not isinstance(raw, str):
        raise Unreadable("not-text", cell=raw)
    refuse_long(raw, most)
    refuse_unstorable(raw)
    return raw


def _plain(text: str) -> str:
    return _CONTROL.sub("", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text)))


def as_written(cell: Any, most: int = 4000) -> str:
    """A cell as it stood in the file, in JSON; what cannot be stored is written as an escape."""
    text = json.dumps(cell, ensure_ascii=False, sort_keys=True, default=str)
    try:
        refuse_unstorable(text)
    except Unreadable:
        text = json.dumps(cell, sort_keys=True, default=str)
    return text[:most]
