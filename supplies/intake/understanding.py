"""A raw row understood: whose it is, where, and what it asks for or gives. Nothing here is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from supplies.emergencies.models import Emergency
from supplies.intake.corrections import Corrections
from supplies.intake.directory import Directory, addresses, city_path, place_not_found, specific_name
from supplies.intake.formats import Format, Listed
from supplies.intake.goods import Line, Reader
from supplies.intake.mapping import format_of_batch
from supplies.intake.models import BatchStatus, Import
from supplies.intake.opening import is_row
from supplies.intake.reading.findings import Finding, Unreadable, found
from supplies.leaks import hide
from supplies.organisations.models import User
from supplies.organisations.names import normal_name
from supplies.regions.models import Region

LONGEST_BASE = 290  # leaves room for "#99"


@dataclass
class Run:
    """What all rows of a batch share: the catalogue, the places and bodies, and what volunteers said before."""

    kind: Format
    source: str
    emergency: Emergency
    as_of: date
    by: User | None
    at: datetime
    said_before: str = ""  # the checksum of the file, where it has been entered before: it says nothing new

    def __post_init__(self) -> None:
        self.kind = self.kind.as_of(self.as_of)
        self.reader = Reader(self.as_of, self.kind.gives)
        self.directory = Directory(self.kind.source, self.by, self.at)
        self.look_again()

    @classmethod
    def of(cls, batch: Import, *, at: datetime) -> "Run":
        assert batch.as_of is not None
        before = Import.objects.filter(sha256=batch.sha256, format=batch.format, status=BatchStatus.FINISHED)
        said = batch.sha256 if before.exclude(pk=batch.pk).exists() else ""
        return cls(format_of_batch(batch), batch.source, batch.emergency, batch.as_of, batch.by, at, said)

    def look_again(self) -> None:
        """What others may have changed since: bodies registered, corrections made."""
        corrections = Corrections.of(self.source)
        self.reader.corrections = self.directory.corrections = corrections
        self.reader.forget()
        self.directory.look_again()


@dataclass
class Understood:
    """A row as its format and the catalogue read it.

    lines     each heading once
    findings  about the row; what is about a line stands in the line
    """

    run: Run
    raw: Any
    listed: Listed
    region: Region
    lines: list[Line]
    findings: tuple[Finding, ...]

    @property
    def scope(self) -> str:
        return scope_of(self.run, self.region)

    @property
    def base(self) -> str:
        """The key under which the row is known, whatever its place in the list."""
        return _base(self.run, self.listed, self.region)


def understand(run: Run, raw: Any) -> Understood:
    """Raises Unreadable, with the field named, for a row that cannot be used at all."""
    if not is_row(raw):
        raise Unreadable("row-not-an-object")
    listed = run.kind.read(raw)
    region, findings = run.directory.region(listed)
    if region is None:
        raise place_not_found(listed).at("district")
    lines, about_lines = _lines(run, listed, _base(run, listed, region))
    every = (*listed.findings, *findings, *_doubts(run, listed), *about_lines)
    return Understood(run, raw, listed, region, lines, every)


def scope_of(run: Run, region: Region) -> str:
    """What one file of the list covers: a city, or everything."""
    return "" if run.kind.gives else city_path(region)


def _base(run: Run, listed: Listed, region: Region) -> str:
    name = f"{normal_name(specific_name(listed))}{normal_name(listed.name.part)}"
    return f"{run.kind.code}:{scope_of(run, region)}:{name}"[:LONGEST_BASE]


def _doubts(run: Run, listed: Listed) -> Iterable[Finding]:
    if len(addresses(listed.address)) > 1:
        yield found("address-several").at("address")
    if listed.link and not is_link(listed.link):
        yield found("bad-link").at("url")
    if hidden := sum(hide(listed.remark).leaks.values()):
        yield found("leak-hidden", count=hidden).at("remark")
    if run.kind.gives and not listed.certificate:
        yield found("no-certificate").at("qualification")


def _lines(run: Run, listed: Listed, base: str) -> tuple[list[Line], list[Finding]]:
    lines: dict[str, Line] = {}
    findings: list[Finding] = []
    for goods in listed.goods:
        if run.reader.corrections.is_nothing(goods, base):
            findings.append(found("not-goods", cell=goods.heading).at(goods.heading))
            continue
        line = run.reader.read(goods, base)
        if goods.heading in lines:
            findings.append(found("repeated-item", item=goods.heading).at("supplies"))
        elif "not-wanted" not in {finding.code for finding in line.findings}:
            lines[goods.heading] = line
    if not lines:
        findings.append(found("no-goods").at("supplies"))
    if names := run.reader.goods_in(listed.remark, lines.values()):
        findings.append(found("goods-in-remark", goods="、".join(names)).at("remark"))
    return list(lines.values()), findings


def is_link(link: str) -> bool:
    try:
        URLValidator(schemes=["http", "https"])(link)
    except ValidationError:
        return False
    return len(link) <= 500
