"""The labelled announcements, and how well a reader does on them.

Every announcement is invented. A label says what a careful officer who reads both languages would enter; the set's README
says how it is written. `score` compares a reader's answer with it, field by field.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml
from opencc import OpenCC

from supplies.catalogue.dictionary import folded as folded_as_written

FOLDER = Path(__file__).parent.parent / "tests/supplies/intake/announcements"
TUNING, HELD_OUT = "tuning", "held-out"
LATER = (
    "second",
    "last",
    "fresh",
    "mended",
)  # each written after the reader had been tuned to the sets before
ADDRESS_MAY_GO_ON = 30  # characters a reader may leave around an address
NAME_MAY_GO_ON = 12  # a department in front of a name, a title behind it
_SIMPLIFIED = OpenCC("t2s")
_BRACKETS = re.compile(r"[(（][^)）]*[)）]")


@dataclass(frozen=True)
class Goods:
    """What is asked for in one place of the text.

    item           code of the catalogue; None when the catalogue has none, and it has to be reported all the same
    may            the items it may mean where one would have to ask; any of them is right
    base           pieces, millilitres, …: the item's smallest counted unit; None unless the text tells it exactly
    standards_may  codes that only the goods' own name states (KN95口罩): taking them is neither asked for nor wrong
    """

    words: str
    item: str | None
    kind: str
    may: tuple[str, ...] = ()
    base: int | None = None
    high: int | None = None
    per_day: int | None = None
    standards: frozenset[str] = frozenset()
    standards_may: frozenset[str] = frozenset()
    warned: frozenset[str] = frozenset()
    sterile: bool = False
    conditions: tuple[str, ...] = ()

    @classmethod
    def of(cls, label: Mapping[str, Any]) -> Goods:
        sets = {name: frozenset(label.get(name, ())) for name in ("standards", "standards_may", "warned")}
        lists = {name: tuple(label.get(name, ())) for name in ("may", "conditions")}
        return cls(**{**label, **sets, **lists})

    def is_meant_by(self, item: str | None) -> bool:
        return item in self.may if self.may else item == self.item


@dataclass(frozen=True)
class Labelled:
    """An announcement with its label; `expect` is the label as it stands in the file, `goods` the same read."""

    id: str
    set: str
    text: str
    as_of: date
    patterns: tuple[int, ...]
    expect: Mapping[str, Any]
    theme: str
    goods: tuple[Goods, ...] = field(default=())

    @classmethod
    def of(cls, row: Mapping[str, Any], theme: str) -> Labelled:
        goods = tuple(map(Goods.of, row["expect"].get("goods", ())))
        return cls(**{**row, "patterns": tuple(row["patterns"])}, theme=theme, goods=goods)


def labelled(folder: Path = FOLDER) -> list[Labelled]:
    """Every labelled announcement, file by file."""
    return [
        Labelled.of(row, file.stem)
        for file in sorted(folder.glob("*.yaml"))
        for row in yaml.safe_load(file.read_text(encoding="utf-8"))
    ]


def set_of(id: str) -> str:
    """Whether the reader's author may look at its faults: of every five of a theme the second and the fourth are held out."""
    return HELD_OUT if int(id.rpartition("-")[2]) % 5 in (2, 4) else TUNING


def folded(text: str) -> str:
    """A text as compared: half width, lower case, without spaces and dashes, in simplified characters."""
    return folded_as_written(_SIMPLIFIED.convert(text))


# -- scores -------------------------------------------------------------------------------------------------


@dataclass
class Score:
    """`right` of what was read, `wrong` of what was read, `missed` of what stands there."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float | None:
        read = self.right + self.wrong
        return self.right / read if read else None

    @property
    def recall(self) -> float | None:
        there = self.right + self.missed
        return self.right / there if there else None

    def add(self, right: int = 0, wrong: int = 0, missed: int = 0) -> None:
        self.right += right
        self.wrong += wrong
        self.missed += missed

    def compare(
        self, meant: frozenset[Any], read: frozenset[Any], neutral: frozenset[Any] = frozenset()
    ) -> int:
        """Two sets of facts; what is neutral counts for nothing. Answers how many are wrong or missed."""
        wrong, missed = read - meant - neutral, meant - read
        self.add(len(meant & read), len(wrong), len(missed))
        return len(wrong) + len(missed)

    def hold(self, meant: Any, read: Any, is_same: Callable[[Any, Any], bool] | None = None) -> bool:
        """One fact that may be absent (None, "") on either side. Answers whether both say the same."""
        is_there, is_read = meant not in (None, ""), read not in (None, "")
        agree = is_there and is_read and (is_same(meant, read) if is_same else meant == read)
        self.add(int(agree), int(is_read and not agree), int(is_there and not agree))
        return agree or not (is_there or is_read)


FIELDS = (
    "item", "standard", "quantity", "kind", "per day", "sterile", "condition", "warning", "asks when in doubt",
    "contact number", "contact name", "hand-over", "courier", "plain address", "published", "updated", "deadline",
    "overseas", "senders", "place", "organisation", "account hidden", "not wanted", "unread kept",
)  # fmt: skip


@dataclass
class Scores:
    """The score of every field over some announcements.

    invented    id, goods and number of every quantity that no label has
    faults      id, field, and what was meant and read, for whoever works on the reader
    failed      id and error of every announcement on which the reader fell over; all of it is missed
    """

    announcements: int = 0
    fields: dict[str, Score] = field(default_factory=lambda: {name: Score() for name in FIELDS})
    invented: list[tuple[str, str, int]] = field(default_factory=list)
    faults: list[tuple[str, str, str, str]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def __getitem__(self, name: str) -> Score:
        return self.fields[name]

    def fault(self, id: str, name: str, meant: object, read: object) -> None:
        self.faults.append((id, name, _shown(meant), _shown(read)))


def _shown(fact: object) -> str:
    if isinstance(fact, frozenset):
        return ", ".join(sorted(map(str, fact)))
    return "" if fact is None else str(fact)


Reader = Callable[..., Any]
NOTHING = SimpleNamespace(
    organisation="", region=None, lines=(), unwanted=(), people=(), handover="", courier="", needed_by=None,
    published_on=None, updated_on=None, accepts_overseas=None, senders=None, accounts=0, unread=(),
)  # fmt: skip


def score(rows: Iterable[Labelled], read: Reader) -> Scores:
    """How well `read(text, as_of=…)` does on the announcements."""
    scores = Scores()
    for row in rows:
        scores.announcements += 1
        try:
            answer = read(row.text, as_of=row.as_of)
        except Exception as error:  # One text must not hide how the others are read.
            scores.failed.append((row.id, f"{type(error).__name__}: {error}"))
            answer = NOTHING
        _score_goods(scores, row, answer)
        _score_people(scores, row, answer)
        _score_addresses(scores, row, answer)
        _score_rules(scores, row, answer)
    return scores


# -- goods --------------------------------------------------------------------------------------------------


def _score_goods(scores: Scores, row: Labelled, answer: Any) -> None:
    pairs, spare = _paired(row, list(answer.lines))
    for goods, line in pairs:
        _score_pair(scores, row, goods, line)
    for line in spare:
        _score_spare(scores, row, line)


def _paired(row: Labelled, lines: list[Any]) -> tuple[list[tuple[Goods, Any | None]], list[Any]]:
    """Every labelled goods with the line that reads it, likeliest pairs first; and the lines that read none."""
    likeness = sorted(
        (-_likeness(goods, line), abs(g - n), g, n)
        for g, goods in enumerate(row.goods)
        for n, line in enumerate(lines)
        if _likeness(goods, line)
    )
    line_of: dict[int, int] = {}
    for _like, _apart, g, n in likeness:
        if g not in line_of and n not in line_of.values():
            line_of[g] = n
    pairs = [(goods, lines[line_of[g]] if g in line_of else None) for g, goods in enumerate(row.goods)]
    return pairs, [line for n, line in enumerate(lines) if n not in line_of.values()]


def _likeness(goods: Goods, line: Any) -> int:
    """3 for the same item by the same words, 2 for the same item, 1 for the same words, 0 for neither."""
    same_item = line.item is not None and goods.is_meant_by(_code(line))
    return 2 * same_item + _overlap(goods.words, _names(line))


def _code(line: Any) -> str | None:
    return line.item.code if line.item else None


def _names(line: Any) -> str:
    return "/".join(line.goods.names)


def _overlap(one: str, other: str) -> bool:
    one, other = folded(one), folded(other)
    return bool(one and other) and (one in other or other in one)


def _score_pair(scores: Scores, row: Labelled, goods: Goods, line: Any | None) -> None:
    fault = partial(scores.fault, row.id)
    code = _code(line) if line else None
    is_right = line is not None and goods.is_meant_by(code)
    is_read = line is not None and (code is not None or is_right)
    scores["item"].add(int(is_right), int(is_read and not is_right), int(not is_right))
    if not is_right:
        fault("item", f"{goods.words}: {'/'.join(goods.may) or goods.item}", f"{code}" if line else "nothing")
    _score_standards(scores, row, goods, line)
    _score_quantities(scores, row, goods, line)
    if goods.item and not scores["kind"].hold(goods.kind, str(line.kind) if line else None):
        fault("kind", f"{goods.words}: {goods.kind}", str(line.kind) if line else "nothing")
    if not scores["sterile"].hold(goods.sterile or None, (bool(line) and line.is_sterile) or None):
        fault("sterile", f"{goods.words}: {goods.sterile}", not goods.sterile)
    said = folded(" ".join((*line.conditions, line.goods.specification))) if line else ""
    for condition in goods.conditions:
        if not scores["condition"].hold(condition, condition if folded(condition) in said else None):
            fault("condition", f"{goods.words}: {condition}", said)
    if goods.may and is_right:
        asks = bool(line.waits) or any(f.code in ("synonyms", "unsure-item") for f in line.findings)
        scores["asks when in doubt"].hold(True, asks or None)


def _score_standards(scores: Scores, row: Labelled, goods: Goods, line: Any | None) -> None:
    read = frozenset(standard.code for standard in line.standards) if line else frozenset()
    if scores["standard"].compare(goods.standards, read, goods.standards_may):
        scores.fault(row.id, "standard", f"{goods.words}: {_shown(goods.standards)}", read)
    told = (
        frozenset(finding.code.removeprefix("standard-") for finding in line.findings)
        if line
        else frozenset()
    )
    told &= {"impossible", "withdrawn", "wrong-item", "unknown"}
    if scores["warning"].compare(goods.warned, told):
        scores.fault(row.id, "warning", f"{goods.words}: {_shown(goods.warned)}", told)


def _score_quantities(scores: Scores, row: Labelled, goods: Goods, line: Any | None) -> None:
    for name, meant, read in (
        ("quantity", goods.base, line.quantity if line else None),
        ("per day", goods.per_day, line.daily_use if line else None),
    ):
        if scores[name].hold(meant, read):
            continue
        scores.fault(row.id, name, f"{goods.words}: {_shown(meant)}", read)
        if read is not None:
            scores.invented.append((row.id, goods.words, read))


def _score_spare(scores: Scores, row: Labelled, line: Any) -> None:
    """A line no label has. One without an item, of words that are to be kept unread, is kept either way."""
    names = _names(line)
    kept = row.expect.get("unread", ())
    if line.item is None and any(folded(names) in folded(words) for words in kept):
        return
    scores["item"].add(wrong=1)
    scores["standard"].add(wrong=len(line.standards))
    scores.fault(row.id, "item", "nothing", f"{names}: {_code(line)}")
    for name, read in (("quantity", line.quantity), ("per day", line.daily_use)):
        if read is not None:
            scores[name].add(wrong=1)
            scores.invented.append((row.id, names, read))


# -- who, where, when, how ----------------------------------------------------------------------------------


def digits(number: str) -> str:
    """A number as compared: its digits and masks, without the country's 86 and leading zeros."""
    plain = re.sub(r"[^\d*]", "", number.replace("x", "*").replace("X", "*"))
    return re.sub(r"^(?:00)?86(?=\d[\d*]{8,})", "", plain).lstrip("0")


def _score_people(scores: Scores, row: Labelled, answer: Any) -> None:
    people = row.expect.get("people", ())
    meant = frozenset((digits(p["number"]), str(p.get("extension", ""))) for p in people)
    read = frozenset((digits(person.number), person.extension) for person in answer.people if person.number)
    others = {digits(number) for number in row.expect.get("other_numbers", ())}
    neutral = frozenset(known for known in read if known[0] in others)
    if scores["contact number"].compare(meant, read, neutral):
        scores.fault(row.id, "contact number", meant, read)
    names: defaultdict[str, str] = defaultdict(str)
    for person in answer.people:
        names[digits(person.number)] += person.name
    for person in people:
        if person["name"] and not scores["contact name"].hold(
            person["name"], names[digits(person["number"])], partial(_goes_on, NAME_MAY_GO_ON)
        ):
            scores.fault(row.id, "contact name", person["name"], names[digits(person["number"])])


def _goes_on(most: int, meant: str, read: str) -> bool:
    """What was meant stands in what was read, with little around it; or lacks next to nothing."""
    meant, read = folded(meant), folded(read)
    return (meant in read and len(read) <= len(meant) + most) or (
        read in meant and len(read) >= 0.8 * len(meant)
    )


def _score_addresses(scores: Scores, row: Labelled, answer: Any) -> None:
    """A plain address may stand as either; where hand-over and courier are told apart, so are they here."""
    same = partial(_goes_on, ADDRESS_MAY_GO_ON)
    plain = row.expect.get("address")
    for name, meant, read in (
        ("hand-over", row.expect.get("handover"), answer.handover),
        ("courier", row.expect.get("courier"), answer.courier),
    ):
        if not meant and plain and same(plain, read):
            continue
        if not scores[name].hold(meant, read, same):
            scores.fault(row.id, name, meant, read)
    found = plain and any(same(plain, read) for read in (answer.handover, answer.courier) if read)
    if plain and not scores["plain address"].hold(plain, plain if found else None):
        scores.fault(row.id, "plain address", plain, f"{answer.handover} / {answer.courier}")


def _score_rules(scores: Scores, row: Labelled, answer: Any) -> None:
    expect = row.expect
    senders = expect.get("senders")
    for name, meant, read in (
        ("published", expect.get("published_on"), answer.published_on),
        ("updated", expect.get("updated_on"), answer.updated_on),
        ("deadline", expect.get("needed_by"), answer.needed_by),
        ("overseas", expect.get("accepts_overseas"), answer.accepts_overseas),
        ("senders", frozenset(senders) if senders else None, answer.senders),
        ("place", expect.get("place"), answer.region.code if answer.region else None),
        ("organisation", _name(expect.get("organisation")), _name(answer.organisation)),
    ):
        if not scores[name].hold(meant, read):
            scores.fault(row.id, name, meant, read)
    accounts = expect.get("accounts", 0)
    hidden = min(accounts, answer.accounts)
    scores["account hidden"].add(hidden, answer.accounts - hidden, accounts - hidden)
    _score_not_wanted(scores, row, answer)
    unread = folded(" ".join(part.text for part in answer.unread))
    for words in expect.get("unread", ()):
        if not scores["unread kept"].hold(words, words if folded(words) in unread else None):
            scores.fault(row.id, "unread kept", words, None)


def _name(organisation: str | None) -> str:
    """Without what brackets say of it: a site, another name."""
    return folded(_BRACKETS.sub("", organisation or ""))


def _score_not_wanted(scores: Scores, row: Labelled, answer: Any) -> None:
    spare = list(answer.unwanted)
    for words in row.expect.get("not_wanted", ()):
        found = next((said for said in spare if _overlap(words, said)), None)
        if found is not None:
            spare.remove(found)
        if not scores["not wanted"].hold(words, found, _overlap):
            scores.fault(row.id, "not wanted", words, found)
    scores["not wanted"].add(wrong=len(spare))


def rows_in(rows: Sequence[Labelled], set: str) -> Iterator[Labelled]:
    return (row for row in rows if row.set == set)
