"""Rows of a pasted table: cells between tabs, bars or wide gaps."""

import re

from supplies.catalogue.dictionary import Mentioned
from supplies.intake.figures import HAN, MODEL, SIZED, STRENGTH, nested, packed_in, tidied
from supplies.intake.mentions.drafts import Draft, Span
from supplies.intake.mentions.headings import (
    BAR,
    COUNTED_HEAD,
    DAILY_HEAD,
    HEADS,
    PLAN_HEAD,
    STILL_HEAD,
    STOCK_HEAD,
    is_a_head,
)
from supplies.intake.mentions.scope import Scope
from supplies.intake.mentions.wording import DOSES, FIGURE, MEASURED
from supplies.intake.reading.plain import TAKEN
from supplies.intake.reading.quantities import UNITS, counts_in, says_content

_ROW_NUMBER = re.compile(r"\d{1,3}[.、)]?")


class Rows(Scope):
    """Finds goods in the rows of a table."""

    across: list[Draft | None] = []
    divided = ("", 0)
    width = 0  # columns of the head that was met
    unit_of_number = ""
    daily_at: int | None = None

    def _row(self, start: int, end: int) -> bool:
        """A line of a pasted table: cells between tabs, bars or wide gaps."""
        cells = self._cells(start, end)
        if len(cells) < 2:
            return False
        line = self.text[start:end]
        words = [self.text[cell.start : cell.end].strip() for cell in cells]
        if self._across(start, end, cells, words):
            return True
        if self._is_head(words):
            self.taken.append(Span(start, end))
            return True
        if (
            not self.columns
            and "\t" not in line
            and line.count("|") == 1
            and not any(map(FIGURE.fullmatch, words))
        ):
            return False  # two names of one thing
        named = [(cell, found_here) for cell in cells if (found_here := self._within(cell.start, cell.end))]
        place = self.columns.get("name")
        if named:
            cell, mentions = named[0]
        elif place is not None and place < len(cells) and re.search(rf"[{HAN}A-Za-z]", words[place]):
            cell, mentions = cells[place], []
        else:
            return False
        counts = any(count["unit"] for count in counts_in(MODEL.sub(" ", words[cells.index(cell)])))
        if (counts and len(cells) != self.width) or len(named) > 2:
            return False  # a sentence with wide gaps
        others = [
            (at, one, word)
            for at, (one, word) in enumerate(zip(cells, words, strict=True))
            if one is not cell
        ]
        number, unit, spec = self._columns_of(others)
        self.reading.settled += [
            (one.start, one.end)
            for at, one, word in others
            if (at in self.ignored and at != self.daily_at) or (at == 0 and _ROW_NUMBER.fullmatch(word))
        ]
        spec += [self.text[start:end] for start, end in self._quoted(cell.start, cell.end)]
        spec = [self._of_class(one, words[cells.index(cell)]) for one in spec]
        if mentions and re.fullmatch(rf"[/×—-]|无|否|N|no|不需要|0\s*(?:{UNITS})?", number, re.IGNORECASE):
            self.goods.unwanted += [self.reading.written(one.start, one.end) for one in mentions]
            self.taken.append(Span(start, end))
            return True
        draft = self._draft_of_cell(cell, mentions, number, unit, spec)
        daily = words[self.daily_at] if self.daily_at is not None and self.daily_at < len(words) else ""
        if FIGURE.fullmatch(daily):
            draft.daily = f"{daily}({draft.content})" if draft.content else daily
        self.goods.drafts.append(draft)
        self.taken.append(Span(start, end))
        return True

    def _draft_of_cell(
        self, cell: Span, mentions: list[Mentioned], number: str, unit: str, spec: list[str]
    ) -> Draft:
        word = self.text[cell.start : cell.end]
        names = self._names(mentions, cell) if mentions else (word.strip(),)
        draft = Draft(names, cell.start, cell.end, self._codes(mentions))
        if mentions and (rest := self._leftover(cell, mentions)):
            draft.requirements.append(rest)
        for part in STRENGTH.sub(
            "",
            self._content(mentions, [*spec, *draft.requirements], f"{number}{unit or self.unit_of_number}"),
        ).split(","):
            draft.content = packed_in(draft.content, part.strip())
        draft.requirements += spec
        aside = re.search(rf"\(({UNITS})\)", word)
        if not unit and not self.unit_of_number and aside and re.fullmatch(r"[\d,. ]+[万千百]?", number):
            unit = aside[1]
        draft.is_unlimited = number == "∞"
        draft.figure = f"{number}{unit or self.unit_of_number}" if number and not draft.is_unlimited else ""
        sizes = [one for one in (*spec, *draft.requirements) if SIZED.fullmatch(one)]
        draft.size = sizes[0].removesuffix("装").strip() if sizes else ""
        return draft

    def _content(self, mentions: list[Mentioned], said: list[str], counted: str) -> str:
        """What one package holds, by the other cells: 50只/盒; of medicines also 75mg*10粒, counted in 盒."""
        is_measured = any(item.base_unit.kind in {"volume", "mass"} for one in mentions for item in one.items)
        contents = [one for one in said if says_content(one) and (is_measured or not MEASURED.search(one))]
        pack = re.search(r"[盒瓶袋包]$", counted)
        doses = next(filter(None, map(DOSES.fullmatch, said)), None)
        if not contents and pack and doses:
            return f"{doses['count']}{doses['unit']}/{pack[0]}"
        return nested(contents[0]) if contents else ""

    def _cells(self, start: int, end: int) -> list[Span]:
        line = self.text[start:end]
        separator = self._separator(line, self.text[end + 1 : self._end_of_line(end + 1)])
        if separator == r" {2,}" and len(line.split()) == self.width > 2 and self._within(start, end):
            separator = r"\s+"
        cells, position = [], 0
        for match in [*re.finditer(separator, line), None]:
            stop = match.start() if match else len(line)
            if line[position:stop].strip() or separator in {r"\t", ",", ";", BAR}:
                cells.append(Span(start + position, start + stop))
            position = match.end() if match else 0
        if separator == BAR:  # bars around a row part nothing
            cells = cells[line.lstrip().startswith("|") : len(cells) - line.rstrip().endswith("|")]
        return cells

    def _across(self, start: int, end: int, cells: list[Span], words: list[str]) -> bool:
        """A table whose head names the goods, a column each: the rows below hold figures or standards."""
        if lead := re.match(rf"\s*[{HAN}{TAKEN}]{{1,20}}:", self.text[cells[0].start : cells[0].end]):
            cells = [Span(cells[0].start + lead.end(), cells[0].end), *cells[1:]]
            words = [words[0][lead.end() :].strip(), *words[1:]]
        named = [self._within(cell.start, cell.end) for cell in cells]
        whole = [
            bool(found)
            and re.fullmatch(rf"(?:{UNITS})?", tidied(self._without_names(cell, found))) is not None
            for cell, found in zip(cells, named, strict=True)
        ]
        if sum(whole) >= 3 and not any(map(FIGURE.fullmatch, words)):
            self.across = [
                Draft(self._names(found, cell), cell.start, cell.end, self._codes(found))
                if is_whole
                else None
                for cell, found, is_whole in zip(cells, named, whole, strict=True)
            ]
            self.taken.append(Span(start, end))
            return True
        figures_here = sum(bool(FIGURE.fullmatch(word)) for word in words)
        if not self.across or len(cells) > len(self.across) or (any(named) and figures_here < 2):
            return False
        columns = self.across[: len(cells)]
        figures = [(draft, word) for draft, word in zip(columns, words, strict=True) if draft is not None]
        if any(FIGURE.fullmatch(word) for _draft, word in figures):
            for draft, word in figures:
                if word and draft not in self.goods.drafts and not re.fullmatch(r"[/×0—-]|无", word):
                    said = re.search(rf"\(({UNITS})\)", self.text[draft.start : draft.end])
                    draft.figure = word if FIGURE.fullmatch(word) else ""
                    if said and re.fullmatch(r"[\d,. ]+[万千百]?", draft.figure):
                        draft.figure += said[1]
                    self.goods.drafts.append(draft)
        else:
            for draft, word in figures:
                draft.requirements += [word] if word and word != "无" else []
        self.taken.append(Span(start, end))
        return True

    def _separator(self, line: str, below: str) -> str:
        """What divides the cells of a line. Commas and slashes do once a head divided by them was met."""
        if "\t" in line:
            return r"\t"
        if line.count("|") >= 2 or " | " in line:
            return BAR
        for sign in (",", ";", " / "):
            words = [word.strip() for word in line.split(sign)]
            figures = [word.strip() for word in below.split(sign)]
            across = len(figures) == len(words) and sum(bool(FIGURE.fullmatch(one)) for one in figures) >= 2
            names = (
                sum(bool(self.dictionary.mentions(word)) for word in words)
                if across and len(words) > 3
                else 0
            )
            if len(words) > 2 and (names >= 3 or sum(map(is_a_head, words)) >= 2):
                self.divided = (sign, len(words))
            if self.divided == (sign, len(words)):
                return re.escape(sign)
        return r" {2,}"

    def _is_head(self, words: list[str]) -> bool:
        roles: dict[str, int] = {}
        for at, word in enumerate(words):
            for role, pattern in HEADS.items():
                if pattern.fullmatch(word) or pattern.fullmatch(word.split(" ")[0]):
                    roles.setdefault(role, at)
        missing = next((at for at, word in enumerate(words) if STILL_HEAD.fullmatch(word)), None)
        if missing is not None:
            roles["number"] = missing
        if "name" in roles and sum(map(is_a_head, words)) >= 2:
            self.columns, self.width = roles, len(words)
            counted = COUNTED_HEAD.fullmatch(words[roles["number"]]) if "number" in roles else None
            self.unit_of_number = counted["unit"] if counted else ""
            self.daily_at = next((at for at, word in enumerate(words) if DAILY_HEAD.fullmatch(word)), None)
            self.ignored = {
                at
                for at, word in enumerate(words)
                if STOCK_HEAD.fullmatch(word)
                or at == self.daily_at
                or (missing is not None and PLAN_HEAD.fullmatch(word))
            }
            return True
        return bool(words) and all(re.fullmatch(r"[-=:+\s]+", word) for word in words)

    def _columns_of(self, others: list[tuple[int, Span, str]]) -> tuple[str, str, list[str]]:
        number = unit = ""
        spec: list[str] = []
        for at, _cell, word in others:
            if at == 0 and _ROW_NUMBER.fullmatch(word) and self.columns.get("number") != at:
                continue  # the number of the row
            known = self.columns.get("number")
            if at in self.ignored:
                continue
            if SIZED.fullmatch(word) and known != at:
                spec.append(word)
                continue
            is_figure = FIGURE.fullmatch(word) or re.fullmatch(r"[/×√✓✔—∞-]|[YN]|无", word)
            if known == at or (known is None and not number and is_figure):
                number = number or word
            elif re.fullmatch(rf"(?:{UNITS})(?:/{UNITS})?", word):
                unit = unit or word
            elif boxes := re.fullmatch(r"(?:boxes|cases|cartons|packs) of (\d+)", word, re.IGNORECASE):
                unit = unit or f" boxes({boxes[1]} pcs/box)"
            elif word:
                spec.append(word)
        if re.search(rf"(?:{UNITS})\s*$", number):
            unit = ""
        return number, unit, spec
