"""Clauses that name nothing known: a figure or a requirement of what came before, or goods nobody knows."""

import re

from supplies.catalogue.dictionary import Mentioned
from supplies.intake.figures import (
    EACH,
    HAN,
    HERE,
    MODEL,
    NUMBERING,
    SENTENCE,
    SIZE_WORD,
    blanked,
    cases_hold,
    counted_in,
    demanded,
    figure_in,
    may_count,
    noun_in,
    outside_brackets,
    packed_in,
)
from supplies.intake.mentions.drafts import Draft, Span, split
from supplies.intake.mentions.moods import ASKS, NO_LIMIT, NOT_THESE
from supplies.intake.mentions.scope import Scope
from supplies.intake.mentions.wording import (
    ASKED_FIRST,
    CONDITION,
    IS_NAME,
    ITS_KIND,
    JOINT,
    LIST_LEAD,
    NOT_A_THING,
    OF_SIZE,
    PER_PERSON,
    PREPARE,
    PROFILE,
    QUALITY,
    SIZE_ALONE,
    SIZED_PACKS,
    STILL,
    VARIANT,
)
from supplies.intake.reading.quantities import UNITS, counts_in, is_content, says_content, says_per_day


class Loose(Scope):
    """Reads clauses without a known name."""

    kinds_of: Mentioned | None = None

    def _loose(self, clause: Span, sentence: Span, first: int) -> None:
        """A clause that names nothing known: a figure or a requirement of what came before, or goods nobody knows."""
        words = PREPARE.sub(r"实为\g<figure>", self.text[clause.start : clause.end])
        if not words.strip():
            return
        if self.kinds_of is not None and self._is_variant(clause, self.kinds_of):
            self.taken.append(clause)
            return
        if ("、" in words and clause != sentence) or (
            "、" in words and not self._within(clause.start, clause.end)
        ):
            pieces = list(split(self.text, clause.start, clause.end, "、"))
            if len(pieces) > 1:
                for piece in pieces:
                    self._loose(piece, sentence, first)
                return
        before = self.goods.drafts[-1] if len(self.goods.drafts) > min(first, self.line_first) else None
        in_line = self.goods.drafts[self.line_first :]
        cleaned = MODEL.sub(blanked, self._without_quotes(clause))
        counts = [
            count
            for count in counts_in(cleaned)
            if may_count(count) and (count["unit"] or len(count["number"]) >= 2)
        ]
        noun = noun_in(STILL.sub("", PREPARE.sub(r"\g<figure>", self._without_quotes(clause))), counts)
        if SIZE_WORD.fullmatch(noun) or (
            before is not None and not before.figure and ITS_KIND.fullmatch(cleaned)
        ):
            noun = ""  # a size, or “fingertip: 10”
        if PER_PERSON.search(words) and noun:
            return
        if (before is not None and self._packs_of(before, words, counts)) or self._each_of(
            clause, sentence, first, words, noun, counts
        ):
            pass
        elif titled := self._titled(clause, sentence, first):
            self._unknown(clause, titled, words)
        elif before is not None and self._more_of(before, clause, first, words, noun, counts):
            pass
        elif (
            in_line
            and NO_LIMIT.search(words)
            and not noun_in(NO_LIMIT.sub(" ", words), counts).strip("数量均可也都")
        ):
            self._without_limit(self.goods.drafts[first:] or in_line)
        elif before is not None and (CONDITION.search(words) or self._quotes_in(clause)) and not counts:
            before.requirements.append(demanded(words))
        elif self._is_goods(clause, sentence, first, noun, counts):
            self._unknown(clause, noun, words)
        else:
            return
        self.taken.append(clause)

    def _packs_of(self, before: Draft, words: str, counts: list[re.Match[str]]) -> bool:
        """How what came before is packed, or its figure at the head of a message: “要500副 密封要好的”."""
        if before.figure and is_content(words):
            before.content = ",".join(filter(None, (before.content, words.strip())))
            return True
        if before.figure:
            before.content = (held := cases_hold(words)) or before.content
            return bool(held)
        if packs := SIZED_PACKS.fullmatch(words):
            before.figure, before.size = f"{packs['count']}drums", packs["size"]
        elif counts and (said := ASKED_FIRST.match(words)):
            before.figure = counted_in(HERE + said[0])
        elif size := SIZE_ALONE.fullmatch(words):
            before.size = size["size"]
        else:
            return False
        return True

    def _each_of(
        self,
        clause: Span,
        sentence: Span,
        first: int,
        words: str,
        noun: str,
        counts: list[re.Match[str]],
    ) -> bool:
        """“各500双” behind several kinds of goods."""
        in_line = self.goods.drafts[self.line_first :]
        if not in_line or not counts or noun or not EACH.search(words):
            return False
        here = self.goods.drafts[first:] if self._within(sentence.start, sentence.end) else in_line
        figure = figure_in(f"{HERE}{words}")[0] if len(here) > 1 or not SIZE_WORD.search(words) else ""
        for draft in here:
            draft.figure = draft.figure or figure
        return True

    def _more_of(
        self,
        before: Draft,
        clause: Span,
        first: int,
        words: str,
        noun: str,
        counts: list[re.Match[str]],
    ) -> bool:
        """The figure of what came before, its rate, what one package of it holds, or more of it in another size."""
        if words.strip().startswith("其中"):
            before.requirements.append(demanded(words))
        elif not before.figure and says_content(words) and figure_in(words)[0] == "":
            before.content = packed_in(before.content, words.strip(" ,、()"))
        elif before.figure and not noun and self._is_size_of(before, clause, counts):
            before.figure = _added(before.figure, counts)
        elif counts and not noun and before.figure and says_per_day(words):
            self._count(before, clause, words)
        elif counts and not noun and (not before.figure or STILL.search(words)):
            self._count(before, clause, words)
            before.is_joint = bool(JOINT.search(words)) and len(self.goods.drafts) - first > 1
        else:
            return False
        return True

    def _count(self, before: Draft, clause: Span, words: str) -> None:
        outside, asides = outside_brackets(MODEL.sub(blanked, self._without_quotes(clause)))
        rate = next((aside for aside in asides if says_per_day(aside)), "")
        figure, content, _rest = figure_in(f"{HERE}{STILL.sub('', outside if rate else words)}")
        before.requirements += [self.text[start:end] for start, end in self._quoted(clause.start, clause.end)]
        if says_per_day(outside):
            before.daily = before.daily or figure
        else:
            before.daily = before.daily or (counted_in(HERE + rate) if rate else "")
            before.figure, before.content = figure or before.figure, content or before.content

    def _is_goods(
        self, clause: Span, sentence: Span, first: int, noun: str, counts: list[re.Match[str]]
    ) -> bool:
        """Whether a noun that the catalogue does not hold is something wanted."""
        if not noun or PROFILE.search(noun):
            return False
        is_counted = noun != SENTENCE and bool(counts)
        return (
            is_counted
            and self._is_list(clause, sentence, first)
            and self._is_counted(counts, clause, sentence)
        ) or (self._is_among_goods(clause, sentence) and IS_NAME.fullmatch(noun) is not None)

    def _is_variant(self, span: Span, title: Mentioned) -> bool:
        """“病床：电动16张、普通40张” are two kinds of one thing, each with its figure."""
        said = VARIANT.fullmatch(self.text, span.start, span.end)
        if said is None or (self.kinds_of is None and self.text[title.end] != ":"):
            return False
        name = said["kind"] + self.text[title.start : title.end]
        known = [one for one in self.dictionary.mentions(name) if one.end - one.start == len(name)]
        if not known and not QUALITY.fullmatch(said["kind"]):
            return False
        draft = Draft((name,), span.start, span.end, self._codes(known or [title]))
        draft.figure = said["figure"]
        self.goods.drafts.append(draft)
        return True

    def _is_size_of(self, before: Draft, clause: Span, counts: list[re.Match[str]]) -> bool:
        """“L号1000双” behind “检查手套M号2000双”: more of the same in another size."""
        words = self.text[clause.start : clause.end]
        return bool(counts) and bool(
            OF_SIZE.search(words) and OF_SIZE.search(self.text[before.start : clause.start])
        )

    def _titled(self, clause: Span, sentence: Span, first: int) -> str:
        """“拖鞋：防滑，300双” among goods: what stands before the colon, if the sentence counts something."""
        if (
            clause.start != sentence.start
            or len(self.goods.drafts) > first
            or len(self.goods.drafts) == self.line_first
        ):
            return ""
        title = re.match(rf"\s*([{HAN}A-Za-z]{{2,8}}):", self.text[clause.start : clause.end])
        counts = counts_in(MODEL.sub(blanked, self.text[sentence.start : sentence.end]))
        return title[1] if title and not LIST_LEAD.match(title[0]) and any(c["unit"] for c in counts) else ""

    def _is_counted(self, counts: list[re.Match[str]], clause: Span, sentence: Span) -> bool:
        """With a unit; in English lists the plural does: 50 walkie-talkies."""
        words = self.text[clause.start : clause.end].strip()
        plural = bool(re.match(r"(?:and )?\d[\d,]*\s+[a-z][a-z -]*s$", words, re.IGNORECASE))
        return any(count["unit"] for count in counts) or (
            plural and bool(self._within(sentence.start, sentence.end))
        )

    def _unknown(self, clause: Span, noun: str, words: str) -> None:
        if NOT_A_THING.search(noun) or noun in {"", SENTENCE}:
            return
        if refused := NOT_THESE.search(noun):
            self.goods.unwanted.append(noun[: refused.start()])
            return
        draft = Draft((noun,), clause.start, clause.end)
        draft.figure, draft.content, _rest = figure_in(words.replace(noun, HERE * len(noun), 1))
        draft.is_unlimited = not draft.figure and bool(NO_LIMIT.search(words))
        if counts_in(outside_brackets(words)[0]):  # what a kit holds, which is counted outside
            draft.requirements += [aside for aside in outside_brackets(words)[1] if aside != draft.content]
        self.goods.drafts.append(draft)

    def _is_list(self, clause: Span, sentence: Span, first: int) -> bool:
        """Goods stand in this sentence, or the line is a number of a list, or the text asks here."""
        line = self.text.rfind("\n", 0, clause.start) + 1
        lead = self.text[line : clause.start]
        return (
            len(self.goods.drafts) > first
            or bool(self._within(sentence.start, sentence.end))
            or self._counts_much(sentence)
            or self._counts_much_in_line(line)
            or bool(NUMBERING.match(self.text[line : clause.end]))
            or bool(ASKS.search(self.text[line : clause.end]))
            or bool(self.goods.drafts and not lead.strip())
        )

    def _counts_much(self, sentence: Span) -> bool:
        """Two clauses or more that count something: an inventory, whatever it names."""
        clauses = [
            self.text[one.start : one.end] for one in split(self.text, sentence.start, sentence.end, ",、")
        ]
        return sum(any(count["unit"] for count in counts_in(words)) for words in clauses) >= 2

    def _counts_much_in_line(self, start: int) -> bool:
        """A line that names goods it knows and counts three kinds or more."""
        end = self._end_of_line(start)
        if start not in self.counted_lines:
            counts = sum(bool(count["unit"]) for count in counts_in(MODEL.sub(blanked, self.text[start:end])))
            self.counted_lines[start] = counts >= 3 and bool(self._within(start, end))
        return self.counted_lines[start]

    def _is_among_goods(self, clause: Span, sentence: Span) -> bool:
        """A name without a figure between names that are known, separated by 、."""
        around = self.text[max(0, clause.start - 1) : clause.start] + self.text[clause.end : clause.end + 1]
        words = self.text[sentence.start : sentence.end]
        listed = "、" in words and bool(LIST_LEAD.match(words.lstrip())) and bool(self.goods.drafts)
        known = len(self._within(sentence.start, sentence.end)) >= 2 or (
            len(self.goods.drafts) > self.line_first and self.goods.drafts[-1].start >= sentence.start
        )
        return listed or ("、" in around and known)


def _added(figure: str, counts: list[re.Match[str]]) -> str:
    """The sum of two figures in one unit; nothing where they cannot be added."""
    one = re.fullmatch(rf"(\d+)\s*({UNITS})", figure.replace(",", ""))
    number = counts[0]["number"].replace(",", "")
    if one and len(counts) == 1 and number.isdigit() and counts[0]["unit"] == one[2]:
        return f"{int(one[1]) + int(number)}{one[2]}"
    return ""
