"""CSV as it leaves the site, made for people who open it in a spreadsheet: the only place that writes any.

A cell that begins as a formula does would be run by the spreadsheet of whoever opens the file; here none does.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from html import unescape
from io import StringIO
from typing import Any, Protocol

from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

MARK = "\ufeff"  # tells a spreadsheet that the Chinese is UTF-8
_UNSEEN = r"\s\x00\ufeff\u200b-\u200f\u202a-\u202e\u2060-\u2064"
_FORMULA = re.compile(rf"[{_UNSEEN}]*[=+\-@＝＋－＠]|[\t\r\n\x00]")


class Written(Protocol):
    def write(self, text: str, /) -> Any: ...


def safe(value: Any) -> Any:
    """A cell that no spreadsheet runs as a formula; numbers stay numbers."""
    if isinstance(value, int | float | Decimal):
        return value
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def write(file: Written, rows: Iterable[Iterable[Any]]) -> int:
    """Write rows as CSV, each cell safe; returns how many."""
    writer, count = csv.writer(file), 0
    for row in rows:
        writer.writerow(map(safe, row))
        count += 1
    return count


def text_of(rows: Iterable[Iterable[Any]]) -> str:
    """The same as text, to be sent in pieces."""
    text = StringIO(newline="")
    write(text, rows)
    return text.getvalue()


def plain(value: Any) -> Any:
    """What a page shows, as a cell: without markup, times of this place, yes and no in words."""
    match value:
        case None:
            return ""
        case bool():
            return _("yes") if value else _("no")
        case int() | float() | Decimal():
            return value
        case datetime():
            return timezone.localtime(value).isoformat(sep=" ", timespec="minutes")
        case date():
            return value.isoformat()
        case SafeString():
            return unescape(strip_tags(value)).strip()
    return str(value)


def in_pieces(head: Iterable[Any], pieces: Iterable[list[list[Any]]]) -> Iterator[str]:
    """A file to be streamed: its mark and head, then so many rows at once."""
    yield MARK + text_of([head])
    yield from map(text_of, pieces)
