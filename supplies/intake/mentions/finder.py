"""All the goods of a text, line by line."""

from supplies.catalogue.dictionary import Dictionary
from supplies.intake.mentions.drafts import Goods
from supplies.intake.mentions.filler import demands_in
from supplies.intake.mentions.moods import BLANK_IS_NONE
from supplies.intake.mentions.rows import Rows
from supplies.intake.mentions.sentences import Sentences
from supplies.intake.reading.plain import Reading


def find_goods(reading: Reading, dictionary: Dictionary) -> Goods:
    """The goods a text asks for, in its order; what was understood is taken out of the text."""
    return _Finder(reading, dictionary).find()


class _Finder(Rows, Sentences):
    def find(self) -> Goods:
        start = 0
        for line in self.text.split("\n"):
            end = start + len(line)
            if not self._row(start, end):
                self._line(start, end)
            start = end + 1
        for draft in self.goods.drafts:
            draft.requirements = demands_in(draft.requirements)
        for span in self.taken:
            self.reading.take(span.start, span.end)
        if BLANK_IS_NONE.search(self.reading.plain.text):
            self.goods.drafts = [one for one in self.goods.drafts if one.figure or one.is_unlimited]
        for draft in self.goods.drafts if self.sentinel is not None else []:
            if draft.figure.strip() == "1":
                draft.figure, draft.is_unlimited = "", bool(self.sentinel)
        return self.goods
