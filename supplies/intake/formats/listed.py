"""What every list comes to: rows that name somebody, a place and goods, whatever the list looked like."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from supplies.intake.reading.contacts import Person
from supplies.intake.reading.findings import Finding
from supplies.intake.reading.names import OrganisationName
from supplies.intake.reading.quantities import Quantity


@dataclass(frozen=True)
class ListedGoods:
    """One cell that names goods. `quantity` is None when the cell cannot be read; a finding then says why."""

    names: tuple[str, ...]
    specification: str
    quantity: Quantity | None
    figure: str
    raw: str
    findings: tuple[Finding, ...] = ()

    @property
    def heading(self) -> str:
        return "/".join(self.names)[:200]

    @property
    def as_written(self) -> str:
        """For people: the goods, the specification and the figure, as they stood in the list."""
        specified = f" ({self.specification})" if self.specification else ""
        return f"{self.heading}{specified}: {self.figure}"


@dataclass(frozen=True)
class Listed:
    """One row of a list, read but not yet compared with anything we know."""

    name: OrganisationName
    place: tuple[str, str, str]
    address: str
    link: str
    remark: str
    people: tuple[Person, ...]
    goods: tuple[ListedGoods, ...]
    published_on: date | None = None
    updated_on: date | None = None
    certificate: str = ""
    credit_code: str = ""
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Format:
    """What a kind of list is called and how it is read.

    read       raw row -> Listed; raises Unreadable, with the field named, for a row that cannot be used at all
    gives      True when its rows give goods, False when they ask for them
    emergency  code and names of the emergency the lists belong to, and the code of its region
    """

    code: str
    source: str
    gives: bool
    read: Callable[[Mapping[str, Any]], Listed]
    emergency: tuple[str, str, str, str, date]
