"""Lines and sentences: which of their clauses ask, which tell or refuse, and whose a shared figure is."""

import re
from collections.abc import Iterator
from functools import cached_property

from supplies.catalogue.dictionary import Mentioned
from supplies.intake.figures import (
    EACH,
    HAN,
    HERE,
    MODEL,
    NUMBERING,
    SENTENCE,
    blanked,
    counted_in,
    demanded,
    depth_at,
    noun_in,
)
from supplies.intake.mentions.clauses import Clauses
from supplies.intake.mentions.drafts import Draft, Span, split
from supplies.intake.mentions.headings import COLUMN_LEAD
from supplies.intake.mentions.moods import (
    ALL,
    ASKS,
    BUT_FOR,
    CONTRAST,
    DO_NOT_SEND_TO,
    LEAD_OF_LINE,
    NOT_ASKED,
    OF_BEFORE,
    OF_NOW,
    QUALIFIED,
    REFUSED,
    RUNS_OUT,
    THANKS,
    TOLD_AFTER,
    TOLD_IN_LEAD,
    UNWANTED_AFTER,
    UNWANTED_BEFORE,
    USED_UP,
)
from supplies.intake.mentions.wording import (
    BEDS,
    EACH_OF_THESE,
    FIGURE,
    IS_NAME,
    NUMBER_OF_EVERY,
    OF_THE_HOUSE,
    PER_WEEK,
    SENTENCE_ENDS,
    SIZE,
    SIZES_EACH,
)
from supplies.intake.reading.findings import found
from supplies.intake.reading.quantities import counts_in, says_per_day

LINE_WITH_COLON = re.compile(r"^[^\n]*:[ \t]*$", re.MULTILINE)
LONGEST_KIND = 60  # characters of "used or expired" before the goods that are refused
MOST_BELOW = 100  # goods in a row whose figures stand in as many lines below them


class Sentences(Clauses):
    """Reads lines of running text."""

    def _line(self, start: int, end: int) -> None:
        self.line_first = len(self.goods.drafts)
        words = self.text[start:end]
        self.kinds_of, self.is_of_before = None, False
        lead = LEAD_OF_LINE.match(words)
        self.line_mood = "not asked" if lead and TOLD_IN_LEAD.search(lead[0]) else ""
        before = self.goods.drafts[-1] if self.goods.drafts else None
        if before is not None and not before.figure and FIGURE.fullmatch(words.strip()):
            below = self._figures_below(start)
            waiting = [draft for draft in self.goods.drafts[-len(below) :] if not draft.figure]
            if len(below) == 1 or len(waiting) == len(below):
                for draft, figure in zip(waiting, below, strict=True):
                    draft.figure = figure
            self.taken.append(Span(start, end))
            return
        if (every := NUMBER_OF_EVERY.fullmatch(words.strip())) and self.goods.drafts:
            self._for_every(every, start, end)
            return
        for sentence in split(self.text, start, end, SENTENCE_ENDS):
            if not self._column(sentence):
                self._sentence(self._unnumbered(sentence))
        drafts = self.goods.drafts[self.line_first :] or self.goods.drafts
        if (led := EACH_OF_THESE.search(words)) and not any(draft.figure for draft in drafts):
            for draft in drafts:
                draft.figure = led["figure"].strip()
        if ALL.search(words):
            self._without_limit(drafts)

    def _for_every(self, said: re.Match[str], start: int, end: int) -> None:
        """“数量：每样1000” below a list; “数量：1000” below one kind of goods."""
        waiting = [draft for draft in self.goods.drafts if not draft.figure and not draft.is_unlimited]
        if said["each"] or len(self.goods.drafts) == 1:
            for draft in waiting:
                draft.figure = said["figure"].strip()
            self.taken.append(Span(start, end))

    def _figures_below(self, start: int) -> list[str]:
        """The lines from here that are nothing but figures: one for each of as many goods above, or one's own."""
        figures: list[str] = []
        while start <= len(self.text) and len(figures) <= min(len(self.goods.drafts), MOST_BELOW):
            end = self._end_of_line(start)
            line = self.text[start:end].strip()
            if not FIGURE.fullmatch(line):
                break
            figures.append(line)
            start = end + 1
        return figures

    def _unnumbered(self, sentence: Span) -> Span:
        numbered = NUMBERING.match(self.text[sentence.start : sentence.end])
        if numbered and re.search(
            rf"[{HAN}A-Za-z]", self.text[sentence.start + numbered.end() : sentence.end]
        ):
            return Span(sentence.start + numbered.end(), sentence.end)
        return sentence

    def _column(self, sentence: Span) -> bool:
        """“标准：、、YY 0469、GB 19083” or “数量：200、500” beside a list of as many goods."""
        words = self.text[sentence.start : sentence.end]
        lead = COLUMN_LEAD.match(words)
        if lead is None or len(self.last_list) < 2:
            return False
        ways = [re.split(way, words[lead.end() :]) for way in (r"、", r" / ", r"/", r",(?!\d{3}(?!\d))")]
        cells = next((cells for cells in ways if len(cells) == len(self.last_list)), max(ways, key=len))
        if len(cells) < 2:
            return False
        if len(cells) != len(self.last_list):
            self.goods.findings.append(found("uneven-lists", items=len(self.last_list), standards=len(cells)))
            if lead["number"]:
                return False  # whose figure is whose would be a guess
        for draft, cell in zip(self.last_list, map(str.strip, cells), strict=False):
            if lead["number"]:
                draft.figure = draft.figure or counted_in(HERE + cell)
            elif cell and not re.fullmatch(r"无|/|-+|none|n/?a", cell, re.IGNORECASE):
                draft.requirements.append(cell)
        self.taken.append(sentence)
        return True

    def _sentence(self, sentence: Span) -> None:
        mood = "not asked" if self.is_rumour else self.line_mood
        said = self.text[sentence.start : sentence.end]
        self.is_of_before = bool(OF_BEFORE.search(said)) or (self.is_of_before and not OF_NOW.search(said))
        is_per_day = False
        first = len(self.goods.drafts)
        for clause in self._clauses(sentence):
            words = self.text[clause.start : clause.end]
            mentions = self._within(clause.start, clause.end)
            lead = words[: mentions[0].start - clause.start] if mentions else words
            tail = self.text[mentions[-1].end : clause.end] if mentions else ""
            if CONTRAST.search(lead):
                mood, is_per_day = "", False
            mood = self._mood(lead, clause, mentions, mood)
            is_per_day = is_per_day or says_per_day(lead)
            if self._are_beds_of_the_house(mentions, self.text[sentence.start : clause.end]):
                continue
            if lead.rstrip().endswith(("除", "除了")) and BUT_FOR.match(tail):
                self._clause(Span(clause.start, mentions[-1].end), mentions, is_per_day)
            elif mentions and (mood == "unwanted" or UNWANTED_AFTER.match(tail)):
                clause, mentions = self._before_the_last(clause, mentions, mood, is_per_day)
                self._not_wanted(mentions, clause)
            elif mentions and (mood or TOLD_AFTER.match(tail)):
                continue
            elif mood:
                mood = self._aside(clause, mood, first)
            elif mentions:
                self._clause(clause, mentions, is_per_day)
            else:
                self._loose(clause, sentence, first)
        self._share(first)
        for draft in self.goods.drafts[first:] if self.is_of_before else []:
            draft.figure = ""  # what it was then; how much of it is still wanted is not said
        self._rates_only(sentence, first)
        if len(self.goods.drafts) - first > 1:
            self.last_list = self.goods.drafts[first:]

    def _rates_only(self, sentence: Span, first: int) -> None:
        """“防护服日消耗300套”, where neither the sentence, nor one beside it, nor a heading asks or says that it runs out."""
        words = self.text[sentence.start : sentence.end]
        is_weekly = bool(PER_WEEK.search(words))
        rates = [one for one in self.goods.drafts[first:] if not one.figure and (one.daily or is_weekly)]
        if not rates or not USED_UP.search(words) or self.asked_at < sentence.start:
            return
        start = self.text.rfind("\n", 0, sentence.start) + 1
        of_line = split(self.text, start, self._end_of_line(start), SENTENCE_ENDS)
        beside = [self.text[one.start : one.end] for one in of_line if not self._within(one.start, one.end)]
        general = [said for said in beside if not any(count["unit"] for count in counts_in(said))]
        if not any(ASKS.search(said) or RUNS_OUT.search(said) for said in [words, *general]):
            for draft in rates:
                draft.told = sentence

    @cached_property
    def asked_at(self) -> int:
        """Where the first heading stands that asks: “急需物资：”."""
        headings = (said for said in LINE_WITH_COLON.finditer(self.text) if ASKS.search(said[0]))
        return next((said.start() for said in headings), len(self.text))

    def _mood(self, lead: str, clause: Span, mentions: list[Mentioned], mood: str) -> str:
        """What the words before the names say of them: "unwanted", "not asked", or "" for wanted."""
        before = self.reading.plain.text[max(0, clause.start - 40) : clause.start + len(lead)]
        if (
            REFUSED.match(lead)
            or UNWANTED_BEFORE.search(lead)
            or (mentions and DO_NOT_SEND_TO.search(before))
        ):
            return "unwanted"
        if NOT_ASKED.search(lead):
            return "" if mentions and _asks_after(lead) and not self.is_rumour else "not asked"
        return "" if ASKS.search(lead) and not self.is_rumour else mood

    def _are_beds_of_the_house(self, mentions: list[Mentioned], said: str) -> bool:
        beds = bool(mentions) and all(item.code in BEDS for one in mentions for item in one.items)
        return beds and bool(OF_THE_HOUSE.search(said))

    def _before_the_last(
        self, clause: Span, mentions: list[Mentioned], mood: str, is_per_day: bool
    ) -> tuple[Span, list[Mentioned]]:
        """“监护仪20台、移动DR已解决”: what is counted before the last 、 is still asked for."""
        cut = self.text.rfind("、", clause.start, mentions[-1].start)
        opened = self.text.rfind("(", clause.start, mentions[-1].start)
        if opened > clause.start and depth_at(self.text, clause.start, mentions[-1].start) == 1:
            cut = opened
        earlier = [one for one in mentions if one.end <= cut]
        if (
            mood
            or not earlier
            or not any(c["unit"] for c in counts_in(MODEL.sub(blanked, self.text[clause.start : cut])))
        ):
            return clause, mentions
        self._clause(Span(clause.start, cut), earlier, is_per_day)
        return Span(cut + 1, clause.end), [one for one in mentions if one.start > cut]

    def _aside(self, clause: Span, mood: str, first: int) -> str:
        """“带呼吸阀的不要” is a demand on the goods before it; “已到200套” is over with its clause."""
        words = self.text[clause.start : clause.end]
        in_list = ":" in self.text[max(0, clause.start - 60) : clause.start].rpartition("\n")[2]
        if mood == "unwanted" and in_list and re.fullmatch(r"\s*[a-z ]{3,20}\s*", words, re.IGNORECASE):
            self.goods.unwanted.append(words.strip())
            self.taken.append(clause)
        elif (
            mood == "unwanted" and "、" in words and ":" in self.text[max(0, clause.start - 30) : clause.end]
        ):
            self._not_wanted([], clause)
        elif (
            mood == "unwanted" and len(self.goods.drafts) > first and not counts_in(MODEL.sub(blanked, words))
        ):
            self.goods.drafts[-1].requirements.append(demanded(words))
            self.taken.append(clause)
        elif mood == "not asked" and not THANKS.search(words) and len(self.goods.drafts) > first:
            return ""
        return mood

    def _clauses(self, sentence: Span) -> Iterator[Span]:
        for clause in split(self.text, sentence.start, sentence.end, ","):
            cut = CONTRAST.search(self.text, clause.start + 1, clause.end)
            if cut and self._within(clause.start, cut.start()):
                yield Span(clause.start, cut.start())
                yield Span(cut.start(), clause.end)
            else:
                yield clause

    def _not_wanted(self, mentions: list[Mentioned], clause: Span) -> None:
        for piece in split(self.text, clause.start, clause.end, "、"):
            inside = [one for one in mentions if piece.start <= one.start and one.end <= piece.end]
            noun = "" if inside else noun_in(self.text[piece.start : piece.end].rpartition(":")[2], [])
            for one in inside:
                self._refuse(one, piece)
            if (
                noun not in {"", SENTENCE}
                and "、" in self.text[clause.start : clause.end]
                and IS_NAME.fullmatch(noun)
            ):
                self.goods.unwanted.append(noun)
        self.taken.append(clause)

    def _refuse(self, one: Mentioned, piece: Span) -> None:
        """“No home-made masks”: of masks that are asked for it is a condition as well."""
        kind = QUALIFIED.search(self.text, max(piece.start, one.start - LONGEST_KIND), one.start)
        start = kind.start() if kind else one.start
        self.goods.unwanted.append(self.reading.written(start, one.end))
        codes = {item.code for item in one.items}
        asked = next((draft for draft in reversed(self.goods.drafts) if codes & set(draft.items)), None)
        if kind and asked is not None:
            words = self.text[piece.start : one.end]
            says = (
                ""
                if REFUSED.match(words) or UNWANTED_BEFORE.search(words)
                else "no "
                if words.isascii()
                else "不接受"
            )
            asked.requirements.append(says + demanded(words))

    def _share(self, first: int) -> None:
        """“口罩、防护服各1000套”: the figure is every one's; “共1000”: nobody's alone."""
        drafts = self.goods.drafts[first:]
        if drafts:
            self._of_every_size(drafts[-1])
        if len(drafts) < 2:
            return
        last = drafts[-1]
        said = self.text[drafts[0].start : last.end + 20].split("\n")[0]
        if last.figure and EACH.search(said) and not any(draft.figure for draft in drafts[:-1]):
            for draft in drafts[:-1]:
                draft.figure = last.figure
        elif last.is_joint and not any(draft.figure for draft in drafts[:-1]):
            for draft in drafts:
                draft.figure, draft.is_joint = "", False
                draft.findings.append(found("joint-quantity"))

    def _of_every_size(self, draft: Draft) -> None:
        """“XL、XXL各40套” are eighty."""
        said = SIZES_EACH.search(self.text, draft.end, self._end_of_line(draft.start))
        if said and re.match(rf"{said['count']}(?!\d)", draft.figure):
            times = len(re.findall(SIZE, said["sizes"], re.IGNORECASE))
            draft.figure = f"{int(said['count']) * times}{said['unit'] or ''}"


def _asks_after(lead: str) -> bool:
    """“收到…，现仍急需口罩”: what comes last before the names counts."""
    asked = max((match.end() for match in ASKS.finditer(lead)), default=-1)
    told = max((match.end() for match in NOT_ASKED.finditer(lead)), default=-1)
    return asked > told
