"""From a file to its rows: the one place where that is done, whatever kind of file it is."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.text import Decoded, decode

LARGEST_FILE = 50_000_000  # bytes; a nation's hospitals fit ten times
DEEPEST = 100  # brackets within brackets


@dataclass(frozen=True)
class Opened:
    """What a list holds.

    encoding    how its text was written; empty for a file that is not text
    rows        raw rows in their order, each whatever stands in the file; a format says what it means
    """

    encoding: str
    sha256: str
    rows: Sequence[Any]


def rows_in(file: Path) -> Opened:
    """The rows of a file. Raises Unreadable for the file as a whole."""
    decoded, sha256 = open_list(file)
    return Opened(decoded.encoding, sha256, rows_of((decoded, sha256)))


def open_list(file: Path) -> tuple[Decoded, str]:
    """The text of a file and its checksum. Raises Unreadable."""
    try:
        if (size := file.stat().st_size) > LARGEST_FILE:
            raise Unreadable("too-big", size=size // 10**6, most=LARGEST_FILE // 10**6)
        raw = file.read_bytes()
    except OSError as error:
        raise Unreadable("cannot-open", reason=error.strerror or type(error).__name__) from None
    return decode(raw), hashlib.sha256(raw).hexdigest()


def rows_of(opened: tuple[Decoded, str]) -> list[Any]:
    """The rows of a JSON list."""
    text = opened[0].text
    if _is_deep(text):
        raise Unreadable("not-a-list")
    try:
        rows = loads(text)
    except json.JSONDecodeError as error:
        raise Unreadable("bad-json", line=error.lineno) from None
    if not isinstance(rows, list):
        raise Unreadable("not-a-list")
    return rows


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


def _is_deep(text: str) -> bool:
    """Whether brackets are nested deeper than any list of rows; Python would run out of stack."""
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth += 1 if bracket[0] in "[{" else -1
        if depth > DEEPEST:
            return True
    return False


def _number(digits: str) -> int | Decimal:
    return int(digits) if len(digits) < 30 else Decimal(digits)
