"""What goods serve besides what they are: of all that stands in for something else, what somebody who has them may give."""

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject

from supplies.catalogue.models import Item, Standard, Substitution, Verdict
from supplies.search import plain


@dataclass(frozen=True)
class Served:
    """An item that goods may be given for: as what they are, in place of it, or if the hospital agrees (`is_on_terms`)."""

    item: Item
    is_itself: bool = False
    is_on_terms: bool = False


class Serving:
    """The catalogue as far as it says this, read in two queries; asked of as many goods as one likes."""

    def __init__(self) -> None:
        self.items = {item.pk: item for item in Item.objects.active().by_category()}
        edges = Substitution.objects.filter(item__is_active=True).exclude(verdict=Verdict.REJECT)
        stands_in = (
            edges.filter(offered=OuterRef("pk"))
            .order_by()
            .values(edge=JSONObject(item="item", verdict="verdict"))
        )
        made_to = Standard.items.through.objects.filter(standard=OuterRef("pk")).values("item")
        self.standards: list[Any] = list(
            Standard.objects.order_by("pk").annotate(
                goods=ArraySubquery(made_to), edges=ArraySubquery(stands_in)
            )
        )

    def by(self, text: str) -> list[Served]:
        """What goods of this name, or of this standard, could serve: themselves first, what needs a yes last. Empty for a
        word nobody knows.

        Which edition and class exactly decides over a single need; this only says where to look.
        """
        named = [standard for standard in self.standards if _is_called(standard, text)]
        own = {code for code, item in self.items.items() if _is_meant(item, text)}
        if own:
            named += [standard for standard in self.standards if own & set(standard.goods)]
        else:
            own = {code for standard in named for code in standard.goods if code in self.items}
        served = {code: Served(item, is_itself=True) for code, item in self.items.items() if code in own}
        edges = {(edge["verdict"], edge["item"]) for standard in named for edge in standard.edges}
        for verdict, code in sorted(edges):
            served.setdefault(code, Served(self.items[code], is_on_terms=verdict == Verdict.CONDITIONAL))
        return sorted(served.values(), key=lambda one: (not one.is_itself, one.is_on_terms))


def served_by(text: str) -> list[Served]:
    return Serving().by(text)


def _is_called(standard: Standard, text: str) -> bool:
    part = plain(text)
    is_named = any(part in plain(title) for title in (standard.title, standard.title_zh))
    return is_named or plain(standard.code) == part or text in standard.aliases


def _is_meant(item: Item, text: str) -> bool:
    """As `ItemQuerySet.mentioning`: part of a name, or a whole code or synonym."""
    part = plain(text)
    return any(part in plain(name) for name in (item.name_zh, item.name_en)) or any(
        plain(word) == part for word in (item.code, *item.synonyms)
    )
