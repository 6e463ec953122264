"""Bytes to text, and text to text that can be stored, compared and shown."""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from .encodings import Undecodable, decoded
from .findings import Unreadable

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
    """The text of a file as hospitals and volunteers save it: see `encodings.guess`.

    Raises Unreadable for other encodings, for what may be GB18030 as well as Big5, damaged UTF-8, NUL characters and
    lone surrogates.
    """
    try:
        encoding, text = decoded(raw)
    except Undecodable as why:
        raise Unreadable(why.code, line=why.line) from None
    refuse_unstorable(text)
    return Decoded(text, encoding)


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
