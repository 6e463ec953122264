"""What goods serve besides what they are: of all that stands in for something else, what somebody who has them may give."""

from dataclasses import dataclass

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string

from supplies.catalogue.dictionary import Dictionary
from supplies.catalogue.models import Item, Standard, Substitution
from supplies.search import plain


@dataclass(frozen=True)
class Served:
    """An item that goods may be given for: as what they are, in place of it, or if the hospital agrees (`is_on_terms`)."""

    item: Item
    is_itself: bool = False
    is_on_terms: bool = False


class Serving:
    """What the catalogue says of this; asked of as many goods as one likes.

    items  every one, those too that are not offered any more
    words  what people call them
    """

    def __init__(self, items: dict[str, Item], words: Dictionary) -> None:
        self.items, self.words = items, words
        self.edges = list(Substitution.objects.order_by("pk"))

    def by(self, text: str) -> list[Served]:
        """What goods of this name, or of this standard, could serve: themselves first, what needs a yes last. Empty for a
        word nobody knows.

        Where the words quote no standard, nobody can say what the goods stand in for: they serve as what they are, as the
        matching would have it. Which edition and class exactly decides over a single need; this only says where to look.
        """
        told, known = self._told(text), self.words.items
        own = self._meant(text)
        if not told and not own:
            told = [standard for standard in self.words.standards.values() if _is_titled(standard, text)]
        made = [code for standard in told for code in self._goods(standard) if code in known]
        own = [code for code in own if code in made] or own or list(dict.fromkeys(made))
        goods: list[tuple[str, str | None]] = [
            (code, standard.pk) for standard in told for code in self._goods(standard) if code in own
        ]
        serves: dict[str, bool] = import_string(settings.SERVES)(
            self.items,
            [(standard, self._goods(standard)) for standard in self.words.standards.values()],
            self.edges,
            goods or [(code, None) for code in own],
        )
        itself = [Served(known[code], is_itself=True) for code in known if code in own]
        others = [
            Served(known[code], is_on_terms=serves[code]) for code in known if code in serves.keys() - own
        ]
        return [*itself, *sorted(others, key=lambda one: one.is_on_terms)]

    def _goods(self, standard: Standard) -> list[str]:
        return self.words.items_of.get(standard.pk, [])

    def _meant(self, text: str) -> list[str]:
        """The items of this name; else of this category; else those a longer text, or one written otherwise, is about."""
        known, word = self.words.items, plain(text)
        singular = word.removesuffix("S") if word.isascii() else word
        for one in dict.fromkeys((word, singular)):
            if one and (own := [code for code, item in known.items() if _is_meant(item, one)]):
                return own
        groups = [(code, item.category) for code, item in known.items()]
        if own := [code for code, of in groups if word in map(plain, (of.pk, of.name_zh, of.name_en))]:
            return own
        return [item.pk for _written, items in self.words.names_in(text) for item in items]

    def tells_standard(self, text: str) -> bool:
        return bool(self._told(text))

    def _told(self, text: str) -> list[Standard]:
        """The standards that words quote, and not only as part of a name people use for several things: as on `/check/`."""
        quoting = self.words.without_vague_names(text)
        readings = self.words.read_standards(quoting, on=timezone.localdate())
        return [reading.standard for reading in readings if reading.standard is not None]


def _is_titled(standard: Standard, text: str) -> bool:
    return any(plain(text) in plain(title) for title in (standard.title, standard.title_zh))


def _is_meant(item: Item, text: str) -> bool:
    """As `ItemQuerySet.mentioning`: part of a name, or a whole code or synonym."""
    part = plain(text)
    return any(part in plain(name) for name in (item.name_zh, item.name_en)) or any(
        plain(word) == part for word in (item.code, *item.synonyms)
    )
