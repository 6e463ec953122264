"""Clauses that name goods: cut into pieces, one for every group of names."""

import re
from collections.abc import Iterator

from supplies.catalogue.dictionary import Mentioned
from supplies.intake.figures import (
    HERE,
    MODEL,
    blanked,
    counted_in,
    demanded,
    depth_at,
    figure_in,
    may_count,
    noun_in,
    outside_brackets,
)
from supplies.intake.mentions.drafts import Draft, Span, split
from supplies.intake.mentions.loose import Loose
from supplies.intake.mentions.moods import NO, NO_LIMIT
from supplies.intake.mentions.wording import (
    BRAND,
    CLASS_IN_NAME,
    COLOURED,
    CONNECTOR,
    GRADE,
    GRADED,
    JOIN,
    JOINT,
    NIOSH,
    OF_WHICH,
    PER_PERSON,
    PER_WEEK,
    SINGLE,
    THE_OTHER_TOO,
)
from supplies.intake.reading.quantities import counts_in, says_per_day


class Clauses(Loose):
    """Reads clauses with a known name."""

    def _clause(self, clause: Span, mentions: list[Mentioned], is_per_day: bool) -> None:
        """A clause that names goods: cut at 、 and “and”, then one piece for every group of names."""
        words = self.text[clause.start : clause.end]
        if (parts := OF_WHICH.search(words)) and self._counts_goods(clause, parts):
            inner = Span(clause.start + parts.start("parts"), clause.start + parts.end("parts"))
            for part in split(self.text, inner.start, inner.end, ",;、"):
                if within := self._within(part.start, part.end):
                    self._clause(part, within, is_per_day)
            self.taken.append(clause)
            return
        if self._only_grades(clause, mentions):
            self.goods.drafts[-1].requirements.append(demanded(words))
            self.taken.append(clause)
            return
        drafts: list[Draft] = []
        for piece in self._pieces(clause):
            inside = self._within(piece.start, piece.end)
            if not inside:
                self._loose(piece, clause, len(self.goods.drafts) - len(drafts))
                continue
            if len(inside) == 1 and self._is_variant(Span(inside[0].end, piece.end), inside[0]):
                self.kinds_of = inside[0]
                continue
            if self._is_kit(piece, inside):
                words = self.text[piece.start : piece.end]
                self._unknown(piece, noun_in(words, counts_in(outside_brackets(words)[0])), words)
                continue
            for part, names in self._groups(piece, inside):
                if self._is_grade_of_last(names, part):
                    self.goods.drafts[-1].requirements.append(demanded(self.text[part.start : part.end]))
                    continue
                if not self._quotes_in(part) and NO.match(self._without_names(part, names).replace(HERE, "")):
                    self.goods.unwanted += [self.reading.written(one.start, one.end) for one in names]
                    continue
                draft = self._draft(part, names)
                if other := THE_OTHER_TOO.search(
                    self.text[max(0, names[0].start - 12) : names[0].start]
                ):  # 有创/无创呼吸机 are two
                    self._other_ventilator(f"{other[1]}呼吸机", names[0])
                outside, asides = outside_brackets(self.text[part.start : part.end])
                if PER_PERSON.search(self.text[clause.start : part.end]) or PER_WEEK.search(outside):
                    draft.figure = ""
                elif is_per_day or says_per_day(outside):
                    draft.daily, draft.figure = draft.figure, ""
                elif rate := next((aside for aside in asides if says_per_day(aside)), ""):
                    draft.daily = counted_in(HERE + rate)
                drafts.append(draft)
                self.goods.drafts.append(draft)
        self.taken.append(clause)

    def _other_ventilator(self, name: str, beside: Mentioned) -> None:
        for one in self.dictionary.mentions(name):
            self.goods.drafts.append(Draft((name,), beside.start, beside.end, self._codes([one])))

    def _is_grade_of_last(self, names: list[Mentioned], part: Span) -> bool:
        """“等同的NIOSH N95、FFP2标准”, “3M 8210 或 KN95”: a grade of the goods named before it on this line."""
        lead = self.text[max(0, names[0].start - 6) : names[0].start]
        told = re.search(r"标准|可|accept", self.text[names[-1].end : part.end]) or re.search(
            r"或|\bor\b|等同", lead
        )
        is_brand = all(BRAND.fullmatch(self.text[one.start : one.end]) for one in names)
        return (bool(told) or is_brand) and self._only_grades(part, names)

    def _counts_goods(self, clause: Span, parts: re.Match[str]) -> bool:
        """Whether the brackets split a total into goods, each with its figure."""
        start = clause.start + parts.start("parts")
        within = self._within(start, clause.start + parts.end("parts"))
        return bool(within) and bool(counts_in(MODEL.sub(blanked, parts["parts"])))

    def _only_grades(self, clause: Span, mentions: list[Mentioned]) -> bool:
        """“NIOSH N95 or FFP2” after respirators: what is accepted, not more goods."""
        if len(self.goods.drafts) <= self.line_first:
            return False
        kinds = {item.code for one in mentions for item in one.items}
        last = self.goods.drafts[-1]
        related = kinds & GRADED and set(last.items) & GRADED
        if (
            all(BRAND.fullmatch(self.text[one.start : one.end]) for one in mentions)
            and ":" in self.text[last.end : clause.start]
        ):
            return bool(kinds & {*GRADED, "MASK_DISP"}) and not last.figure
        only = all(GRADE.fullmatch(self.text[one.start : one.end]) for one in mentions)
        told = bool(self._quotes_in(clause)) or bool(
            re.search(
                r"标准|接受|可以?|均可|等同|建议|推荐|型号|\bor\b|\baccept",
                self.text[self.text.rfind("\n", 0, clause.start) + 1 : clause.end],
            )
        )
        return bool(related) and only and told and not figure_in(self._without_names(clause, mentions))[0]

    def _is_kit(self, piece: Span, inside: list[Mentioned]) -> bool:
        """“洗漱用品（毛巾2、肥皂1）1000套”: the brackets hold the parts of one thing that is counted outside."""
        if any(not depth_at(self.text, piece.start, one.start) for one in inside):
            return False
        outside = outside_brackets(self.text[piece.start : piece.end])[0]
        counts = counts_in(MODEL.sub(blanked, outside))
        return bool(counts) and bool(noun_in(outside, counts))

    def _pieces(self, clause: Span) -> Iterator[Span]:
        for piece in split(self.text, clause.start, clause.end, "、"):
            start = piece.start
            for joint in CONNECTOR.finditer(self.text, piece.start, piece.end):
                if depth_at(self.text, piece.start, joint.start()):
                    continue
                if self._within(start, joint.start()) and self._opens_goods(joint.end(), piece.end):
                    yield Span(start, joint.start())
                    start = joint.end()
            yield Span(start, piece.end)

    def _opens_goods(self, start: int, end: int) -> bool:
        return bool(self._within(start, end)) or any(
            count["unit"] for count in counts_in(self.text[start:end])
        )

    def _groups(self, piece: Span, mentions: list[Mentioned]) -> Iterator[tuple[Span, list[Mentioned]]]:
        """Names that stand together are one kind of goods; else each has the figure on its side."""
        outer = [one for one in mentions if not depth_at(self.text, piece.start, one.start)]
        outer = [one for at, one in enumerate(outer) if not (at and self._is_form(outer[at - 1], one))]
        groups: list[list[Mentioned]] = []
        for one in outer or mentions:
            if groups and self._is_joined(groups[-1][-1], one):
                groups[-1].append(one)
            else:
                groups.append([one])
        if len(groups) == 1:
            yield piece, groups[0]
            return
        lead = MODEL.sub(blanked, self.text[piece.start : groups[0][0].start])
        figure_first = any(map(may_count, counts_in(lead)))
        start = piece.start
        for at, group in enumerate(groups):
            last = at == len(groups) - 1
            end = piece.end if last else group[-1].end if figure_first else groups[at + 1][0].start
            yield Span(start, end), group
            start = end

    def _is_form(self, medicine: Mentioned, one: Mentioned) -> bool:
        """“enoxaparin 40 mg syringes”: the syringes are how the medicine comes."""
        between = self.text[medicine.end : one.start]
        return (
            all(item.is_medicine for item in medicine.items)
            and any(item.code == "SYRINGE" for item in one.items)
            and not re.search(r"[,、;和及]|and", between)
        )

    def _is_joined(self, one: Mentioned, other: Mentioned) -> bool:
        between = self.text[one.end : other.start]
        same = {item.code for item in one.items} & {item.code for item in other.items}
        between = (
            between
            if not BRAND.fullmatch(self.text[one.start : one.end])
            else re.sub(r"^\s*\d{3,4}\b", " ", between)
        )
        is_brand = bool(BRAND.fullmatch(self.text[other.start : other.end]))
        return bool(same) and (
            bool(JOIN.match(between))
            or (is_brand and not re.search(r"\d{3}", between))
            or bool(JOIN.match(COLOURED.sub(" ", MODEL.sub(" ", between))))
        )

    def _draft(self, part: Span, names: list[Mentioned]) -> Draft:
        draft = Draft(self._names(names, part), names[0].start, names[-1].end, self._codes(names))
        rest = self._without_names(part, names)
        quoted = [self.text[start:end] for start, end in self._quoted(part.start, part.end)]
        is_measured = any(item.base_unit.kind in {"volume", "mass"} for one in names for item in one.items)
        figure, content, requirement = figure_in(rest, is_measured=is_measured)
        if SINGLE.search(rest) and re.fullmatch(r"[\d,. ]+", figure):
            figure += "只"
        draft.figure, draft.content = figure, content
        draft.is_joint = bool(figure and JOINT.search(rest))
        draft.is_unlimited = not figure and bool(NO_LIMIT.search(rest.replace(HERE, " ")))
        grade = CLASS_IN_NAME.search(" ".join(draft.names)) if quoted else None
        quoted = [f"{grade[0]} {quote}" for quote in quoted] if grade else quoted
        if "N95" in " ".join(draft.names).upper() and NIOSH.search(requirement):
            quoted.append("NIOSH N95")
        if requirement.upper() == "N95":
            requirement = ""  # another name of the goods
        draft.requirements += [*quoted, *([requirement] if requirement else [])]
        return draft
