"""How words are put together in the reader's language: Chinese has commas and brackets of its own."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext_lazy, pgettext


def unchosen(choices: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Nothing is chosen beforehand: a press in passing would settle what nobody has settled."""
    return [("", gettext_lazy("— choose —")), *choices]


def listed(words: Iterable[Any]) -> str:
    """Things of one kind: "masks, gowns"."""
    return pgettext("between the things of a list", ", ").join(map(str, words))


def apart(parts: Iterable[Any]) -> str:
    """Statements that stand side by side: "accepted in a shortage; ask the hospital"."""
    return pgettext("between statements", "; ").join(map(str, parts))


def bracketed(note: Any) -> str:
    """What is added to the words before it: " (assumed)"."""
    return pgettext("a remark after a word", " (%(note)s)") % {"note": note}


def day(when: date) -> str:
    """A day as the reader writes it (config/formats/): 27 November 2026, 2026年11月27日. Of a moment the day where she is."""
    return formats.date_format(
        timezone.localtime(when) if isinstance(when, datetime) else when, "DATE_FORMAT"
    )


def moment(when: datetime) -> str:
    """The same with the time."""
    return formats.date_format(timezone.localtime(when), "DATETIME_FORMAT")
