"""Two rows of the desk held against each other, fact by fact."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.html import strip_tags


@dataclass(frozen=True)
class Compared:
    """One fact as either row tells it; `differs` where whoever decides has to look twice."""

    label: Any
    one: Any
    other: Any
    differs: bool = False


def compared(one: Any, other: Any, facts: Iterable[tuple[Any, Any]]) -> list[Compared]:
    """Two rows of one kind, by facts that are a label and what tells it of a row; what neither has is left out."""
    told = [(label, tell(one), tell(other)) for label, tell in facts]
    return [
        Compared(label, a or "–", b or "–", differs=_read(a) != _read(b)) for label, a, b in told if a or b
    ]


def _read(told: Any) -> str:
    """A link counts by its words: every row has an address of its own."""
    return strip_tags(str(told or ""))
