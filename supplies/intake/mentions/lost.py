"""Figures that were taken out of a text and that nothing which was read holds: they go back to what is unread."""

import re
from collections.abc import Iterable, Iterator, Sequence

from supplies.intake.figures import CHANGED, CORRECTED
from supplies.intake.mentions.drafts import Draft, Span
from supplies.intake.reading.plain import TAKEN, Reading

_CLAUSE = re.compile(r"(?:[^\n\t|;。!?、,.]|(?<=\d),(?=\d{3}(?!\d))|\.(?=\S))+")
_SENTENCE = re.compile(r"[^\n;。]+")
_RUN = re.compile(r"\d+")
_OF_A_LIST = re.compile(r"(?:(?<=[\n;。,:\s(])|^)\d{1,2}(?=[.、):]\D|\)|[.、]?$)")
_GRADE = re.compile(r"(?<![A-Za-z])(?:K?N|KF|FFP|R|P)\d{1,3}(?!\d)", re.IGNORECASE)  # part of a name
_SIGNS = {"", "1"}  # a nought or a bare one says “none” or “wanted”, and a list is numbered from one


def lost_figures(reading: Reading, said: Iterable[str], drafts: Sequence[Draft]) -> Iterator[Span]:
    """The clauses with a figure that somebody took, but that stands in nothing of what is `said`.

    A figure worked out of several (boxes in cases, sizes added up) settles those of its sentence, as a corrected one does the old.
    """
    text = reading.plain.text
    held = _runs(" ".join([*said, *(draft.daily for draft in drafts)]))
    settled = bytearray(len(text))
    for start, end in [
        *reading.settled,
        *_worked_out(text, drafts),
        *_spans(text, CHANGED, CORRECTED, _OF_A_LIST, _GRADE),
    ]:
        settled[start:end] = b"\1" * (end - start)
    for clause in _CLAUSE.finditer(text):
        lost = any(
            reading.rest[run.start()] == TAKEN and not settled[run.start()] and run[0].lstrip("0") not in held
            for run in _RUN.finditer(text, *clause.span())
        )
        if lost:
            words = clause[0].strip()
            start = clause.start() + clause[0].index(words)
            yield Span(start, start + len(words))


def _runs(words: str) -> set[str]:
    return {run.lstrip("0") for run in _RUN.findall(words)} | _SIGNS


def _spans(text: str, *patterns: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    return (match.span() for pattern in patterns for match in pattern.finditer(text))


def _worked_out(text: str, drafts: Iterable[Draft]) -> Iterator[tuple[int, int]]:
    """The sentences whose goods have a figure that does not stand in them."""
    figures = sorted((draft.start, f"{draft.counted} {draft.daily}") for draft in drafts)
    for sentence in _SENTENCE.finditer(text):
        while figures and figures[0][0] < sentence.end():
            place, figure = figures.pop(0)
            if place >= sentence.start() and not _runs(figure) <= _runs(sentence[0]):
                yield sentence.span()
