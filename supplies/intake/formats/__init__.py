"""Which lists can be read. A format turns one raw row into a `Listed`; what that means is decided elsewhere."""

from supplies.intake.formats import wuhan2020
from supplies.intake.formats.announced import ANNOUNCEMENTS
from supplies.intake.formats.known import BY_HEADINGS, by_plan, needs_mapping, recognised, rows_of
from supplies.intake.formats.listed import Format, Listed, ListedGoods

FORMATS: dict[str, Format] = {
    known.code: known
    for known in (wuhan2020.APPEALS, wuhan2020.MAKERS, wuhan2020.CELLS, ANNOUNCEMENTS, *BY_HEADINGS.values())
}

__all__ = [
    "FORMATS",
    "Format",
    "Listed",
    "ListedGoods",
    "by_plan",
    "needs_mapping",
    "recognised",
    "rows_of",
]
