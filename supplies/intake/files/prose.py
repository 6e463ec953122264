"""A text that is no table: one announcement, or several with a line of dashes between them."""

import re
from collections.abc import Iterator
from typing import Any

_BETWEEN = re.compile(r"^[ \t]*([-=*_—＝－])\1{2,}[ \t]*$")


def rows(text: str) -> Iterator[tuple[int, Any]]:
    """The announcements of a text, each as a row of one field with the number of its first line."""
    begin, lines = 1, list[str]()
    for number, line in enumerate([*text.lstrip("\ufeff").splitlines(), "---"], start=1):
        if not _BETWEEN.match(line):
            lines.append(line)
            continue
        if any(map(str.strip, lines)):
            yield begin, {"announcement": "\n".join(lines).strip()}
        begin, lines = number + 1, []
