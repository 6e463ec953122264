"""What volunteers said the words of a source mean: asked before any judgement of our own."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from supplies.catalogue.models import Item, Unit
from supplies.intake.formats.listed import Listed, ListedGoods
from supplies.intake.models import Correction
from supplies.needs.models import QuantityKind
from supplies.organisations.models import Organisation
from supplies.regions.models import Region

Kind = Correction.Kind


@dataclass(frozen=True)
class Corrections:
    """The corrections of one source by what they are about. Read once for a batch's next rows."""

    _known: dict[tuple[str, str, str], Correction] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str) -> "Corrections":
        rows = Correction.objects.for_source(source).in_force()
        related = ("item__base_unit", "item__display_unit", "unit", "region", "organisation__region")
        return cls(
            {
                (one.kind, one.within, one.as_written): one
                for one in rows.select_related(*related).order_by("pk")
            }
        )

    def _about(self, kind: str, as_written: str, within: str = "") -> Correction | None:
        return self._known.get((kind, within, as_written[:300]))

    def item(self, goods: ListedGoods) -> Item | None:
        said = self._about(Kind.ITEM, goods.heading)
        return said.item if said else None

    def unit(self, goods: ListedGoods, words: str) -> tuple[Unit, int] | None:
        """The unit that is meant, and how many of it: said of these goods, or else of all."""
        said = self._about(Kind.UNIT, words, goods.heading) or self._about(Kind.UNIT, words)
        return (said.unit, said.quantity or 1) if said and said.unit else None

    def region(self, listed: Listed) -> Region | None:
        said = self._about(Kind.PLACE, place_of(listed))
        return said.region if said else None

    def organisation(self, listed: Listed) -> Organisation | None:
        said = self._about(Kind.NAME, listed.name.text)
        return said.organisation if said else None

    def quantity(self, goods: ListedGoods, row: str) -> Correction | None:
        """What is said of this very cell, or else of every such cell of its column."""
        cell = self._about(Kind.CELL, figure_of(goods), cell_of(row, goods.heading))
        return cell or self._about(Kind.VALUE, figure_of(goods), goods.heading)

    def is_nothing(self, goods: ListedGoods, row: str) -> bool:
        said: Iterable[Correction | None] = (self._about(Kind.ITEM, goods.heading), self.quantity(goods, row))
        return any(one is not None and one.is_nothing for one in said)


def place_of(listed: Listed) -> str:
    return " ".join(part for part in listed.place if part)


def figure_of(goods: ListedGoods) -> str:
    return goods.figure[:300]


def cell_of(row: str, heading: str) -> str:
    """What a correction of one cell is within: the key of the row, and the heading."""
    return f"{row} · {heading}"[:600]


def counted(said: Correction) -> tuple[str, int | None]:
    """Kind and number, in base units."""
    return said.quantity_kind or QuantityKind.UNKNOWN, said.quantity
