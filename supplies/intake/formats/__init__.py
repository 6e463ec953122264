"""Which lists can be read. A format turns one raw row into a `Listed`; what that means is decided elsewhere."""

from supplies.intake.formats import wuhan2020
from supplies.intake.formats.listed import Format, Listed, ListedGoods

FORMATS: dict[str, Format] = {known.code: known for known in (wuhan2020.APPEALS, wuhan2020.MAKERS)}

__all__ = ["FORMATS", "Format", "Listed", "ListedGoods"]
