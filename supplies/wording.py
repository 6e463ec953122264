"""How words are put together in the reader's language: Chinese has commas and brackets of its own."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import pgettext


def listed(words: Iterable[Any]) -> str:
    """Things of one kind: "masks, gowns"."""
    return pgettext("between the things of a list", ", ").join(map(str, words))


def apart(parts: Iterable[Any]) -> str:
    """Statements that stand side by side: "accepted in a shortage; ask the hospital"."""
    return pgettext("between statements", "; ").join(map(str, parts))


def bracketed(note: Any) -> str:
    """What is added to the words before it: " (assumed)"."""
    return pgettext("a remark after a word", " (%(note)s)") % {"note": note}
