"""What every list comes to: rows that name somebody, a place and goods, whatever the list looked like."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Any

from supplies.intake.files.opening import RawRow
from supplies.intake.reading.contacts import Person
from supplies.intake.reading.findings import Finding
from supplies.intake.reading.names import OrganisationName
from supplies.intake.reading.quantities import Quantity


@dataclass(frozen=True)
class ListedGoods:
    """One cell that names goods. `quantity` is None when the cell cannot be read; a finding then says why.

    requirements    what else the writer demands of them, each in the writer's words
    """

    names: tuple[str, ...]
    specification: str
    quantity: Quantity | None
    figure: str
    raw: str
    findings: tuple[Finding, ...] = ()
    requirements: tuple[str, ...] = ()

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
    """One row of a list, read but not yet compared with anything we know.

    region   code of the region the whole list belongs to, for rows that name no place we know
    details  of `needs.services.APPEAL_FIELDS` what stood in words of its own
    """

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
    region: str = ""
    needed_by: date | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    @property
    def told_on(self) -> date | None:
        """The later of the days it names: then somebody said all that stands in it."""
        return max(filter(None, (self.published_on, self.updated_on)), default=None)


def rows_as_written(rows: Iterable[RawRow], findings: list[Finding]) -> Iterator[tuple[int, Any]]:
    """The rows of a list that is read as it stands, with their numbers."""
    del findings
    yield from ((row.number, row.raw) for row in rows)


@dataclass(frozen=True)
class Format:
    """What a kind of list is called and how it is read.

    read       raw row -> Listed; raises Unreadable, with the field named, for a row that cannot be used at all
    gives      True when its rows give goods, False when they ask for them
    rows       rows as the file has them -> numbered rows for `read`, adding what is to be said about the file to a
               list of findings; raises Unreadable for a file that is no such list
    emergency  code and names of the emergency the lists belong to, and the code of its region; None for any
    plan       of a mapped sheet: what its columns are, as `formats.sheet.Plan.as_json` writes it
    is_dated   `read` wants to know as of which day, as `as_of`
    days       raw row -> the days `read` would find it published and updated, where that costs less than reading it
    """

    code: str
    source: str
    gives: bool
    read: Callable[..., Listed]
    emergency: tuple[str, str, str, str, date] | None
    rows: Callable[[Iterable[RawRow], list[Finding]], Iterator[tuple[int, Any]]] = rows_as_written
    plan: Mapping[str, Any] | None = None
    days: Callable[[Mapping[str, Any]], tuple[date | None, date | None]] | None = None
    is_dated: bool = False

    def as_of(self, day: date) -> "Format":
        """The same, read as of a day."""
        return replace(self, read=partial(self.read, as_of=day)) if self.is_dated else self

    def days_of(self, raw: Mapping[str, Any]) -> tuple[date | None, date | None]:
        """When a row was published and updated. Raises Unreadable, though not for every row that `read` cannot use."""
        if self.days is not None:
            return self.days(raw)
        listed = self.read(raw)
        return listed.published_on, listed.updated_on

    @property
    def sheet(self) -> str:
        """Of a workbook the only sheet that is read; empty reads all that have the headings."""
        return str(self.plan.get("sheet", "")) if self.plan else ""
