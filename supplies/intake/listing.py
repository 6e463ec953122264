"""Reading public lists of designated hospitals and fever clinics into the directory, and finding out whose they are."""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Q

from supplies.intake.directory import Directory, dock_address, place_not_found
from supplies.intake.formats.listed import Listed
from supplies.intake.reading.findings import Finding, Unreadable, found
from supplies.intake.reading.names import read_name
from supplies.intake.reading.text import decode, tidy
from supplies.intake.report import Remark
from supplies.journal.services import record_all
from supplies.leaks import hide
from supplies.listings.models import ListedAs, ListedFacility
from supplies.organisations.models import User
from supplies.organisations.names import normal_name
from supplies.regions.models import Region

LARGEST_FILE = 50_000_000  # bytes
# What columns are called. Whatever else a list holds, its telephones above all, is not read.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "name": ("name", "名称", "医院名称", "医院", "机构名称", "医疗机构名称"),
    "province": ("province", "省", "省份", "省市"),
    "city": ("city", "市", "城市", "地市"),
    "district": ("suburb", "district", "区", "区县", "县区", "县"),
    "address": ("address", "地址", "详细地址"),
}


@dataclass
class DirectoryReport:
    """rows = created + changed + unchanged + failed; `gone` were there before and are missing from this version."""

    rows: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    failed: int = 0
    gone: int = 0
    registered: int = 0
    remarks: list[Remark] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        counts = {name: value for name, value in vars(self).items() if name != "remarks"}
        return {**counts, "remarks": [remark.as_json() for remark in self.remarks]}


@dataclass(frozen=True)
class Version:
    """One version of one list: what it says its hospitals are, who published it where, and of which day it is."""

    kind: ListedAs
    source_name: str
    source_url: str
    as_of: date


@transaction.atomic
def import_directory(
    files: Sequence[Path], version: Version, *, by: User | None, at: datetime, dry_run: bool = False
) -> DirectoryReport:
    """Read one version of a public list, which may be several files. Reading a file twice changes nothing.

    What this version leaves out in the provinces it covers is marked as missing, never deleted.

    Raises   ValidationError with the field named, for a source that is no address and the like
    """
    ListedFacility(kinds=[version.kind], **_of_version(version, "")).clean_fields(
        exclude=["name", "normal_name", "region", "listed_since", "version", "organisation"]
    )
    reading = _Reading(version, Directory(version.source_name, by, at), DirectoryReport())
    for file in files:
        reading.take_file(file)
    reading.flag_gone()
    record_all(
        reading.changed, "listing.read", by=by, at=at, facts=lambda row: {"as": list(map(str, row.kinds))}
    )
    transaction.set_rollback(dry_run)
    return reading.report


def _of_version(version: Version, checksum: str) -> dict[str, Any]:
    return {
        "source_name": version.source_name,
        "source_url": version.source_url,
        "as_of": version.as_of,
        "version": checksum,
    }


@dataclass
class _Reading:
    version: Version
    directory: Directory
    report: DirectoryReport
    seen: set[Any] = field(default_factory=set)
    provinces: set[str] = field(default_factory=set)
    changed: list[ListedFacility] = field(default_factory=list)

    def take_file(self, file: Path) -> None:
        try:
            rows, checksum = _rows_of(file)
        except Unreadable as error:
            self.report.failed += 1
            self.report.rows += 1
            self.report.remarks.append(Remark(file.name, 0, error.finding))
            return
        for number, raw in enumerate(rows, start=1):
            self.report.rows += 1
            try:
                self._take_row(file.name, number, raw, checksum)
            except Unreadable as error:
                self.report.failed += 1
                self.report.remarks.append(Remark(file.name, number, error.finding))

    def _take_row(self, file: str, number: int, raw: Mapping[str, str], checksum: str) -> None:
        row, findings = self._read(raw)
        self.report.remarks += [Remark(file, number, finding) for finding in findings]
        self.provinces.add(_province_of(row.region))
        known = ListedFacility.objects.filter(
            source_name=self.version.source_name, region=row.region, normal_name=row.normal_name
        ).first()
        if known is not None and known.pk in self.seen:
            self.report.unchanged += 1
            self.report.remarks.append(Remark(file, number, found("listed-twice", name=row.name).at("name")))
            return
        for name, value in _of_version(self.version, checksum).items():
            setattr(row, name, value)
        if known is None:
            row.kinds, row.listed_since = [self.version.kind], self.version.as_of
            row.save(force_insert=True)
            self.report.created += 1
            self.changed.append(row)
            self.seen.add(row.pk)
        else:
            self.seen.add(known.pk)
            self._renew(known, row)

    def _read(self, raw: Mapping[str, str]) -> tuple[ListedFacility, list[Finding]]:
        name = tidy(raw["name"], most=200).text
        if not normal_name(name):
            raise Unreadable("missing", field="name").at("name")
        if hide(name).leaks:
            raise Unreadable("number-in-name").at("name")
        listed = Listed(
            name=read_name(raw["name"]),
            place=(raw["province"].strip(), raw["city"].strip(), raw["district"].strip()),
            address="",
            link="",
            remark="",
            people=(),
            goods=(),
        )
        region, doubts = self.directory.region(listed)
        if region is None:
            raise place_not_found(listed).at("district")
        organisation, near = self.directory.look_up(listed, region, gives=False)
        self.report.registered += organisation is not None
        row = ListedFacility(
            name=name,
            normal_name=normal_name(name),
            region=region,
            address=dock_address(tidy(raw["address"], most=300).text),
            organisation=organisation,
        )
        return row, [*listed.name.findings, *doubts, *near]

    def _renew(self, known: ListedFacility, row: ListedFacility) -> None:
        """What a newer version says counts; an older one only tells that it was there earlier."""
        before = _facts(known)
        if self.version.as_of >= known.as_of:
            known.name, known.address, known.gone_on = row.name, row.address, None
            known.source_url, known.as_of, known.version = row.source_url, row.as_of, row.version
        known.listed_since = min(known.listed_since, self.version.as_of)
        known.kinds = sorted({*known.kinds, str(self.version.kind)})
        known.organisation = known.organisation or row.organisation
        if _facts(known) == before:
            self.report.unchanged += 1
            return
        known.save()
        self.report.changed += 1
        self.changed.append(known)

    def flag_gone(self) -> None:
        """What an earlier version named, in the provinces of this one, and this one does not."""
        inside = Q(pk__in=[])
        for path in sorted(self.provinces):
            inside |= Q(region__path__startswith=path)
        rows = ListedFacility.objects.current().listed_as(self.version.kind).filter(inside)
        rows = rows.filter(source_name=self.version.source_name, as_of__lte=self.version.as_of)
        for row in rows.exclude(pk__in=self.seen).order_by("pk"):
            if len(row.kinds) > 1:
                row.kinds.remove(str(self.version.kind))
            else:
                row.gone_on = self.version.as_of
            row.save(update_fields=["kinds", "gone_on"])
            self.report.gone += 1
            self.changed.append(row)


def _facts(row: ListedFacility) -> tuple[Any, ...]:
    names = (
        "name",
        "address",
        "source_url",
        "as_of",
        "version",
        "listed_since",
        "gone_on",
        "organisation_id",
    )
    return (*(getattr(row, name) for name in names), tuple(sorted(map(str, row.kinds))))


def _province_of(region: Region) -> str:
    return "/" + "/".join(region.path.strip("/").split("/")[:2]) + "/"


def _rows_of(file: Path) -> tuple[list[dict[str, str]], str]:
    """The rows of a CSV file under the names of COLUMNS, and its checksum. Raises Unreadable."""
    try:
        if (size := file.stat().st_size) > LARGEST_FILE:
            raise Unreadable("too-big", size=size // 10**6, most=LARGEST_FILE // 10**6)
        raw = file.read_bytes()
    except OSError as error:
        raise Unreadable("cannot-open", reason=error.strerror or type(error).__name__) from None
    try:
        written = [row for row in csv.reader(StringIO(decode(raw).text, newline="")) if any(row)]
    except csv.Error as error:
        raise Unreadable("not-a-table", reason=str(error)) from None
    head = [tidy(cell).text.casefold() for cell in written[0]] if written else []
    places = {name: _place_of(words, head) for name, words in COLUMNS.items()}
    if places["name"] is None:
        raise Unreadable("no-column", column=COLUMNS["name"][2])
    rows = [{name: _cell(row, place) for name, place in places.items()} for row in written[1:]]
    return rows, hashlib.sha256(raw).hexdigest()


def _place_of(words: Iterable[str], head: Sequence[str]) -> int | None:
    return next((head.index(word) for word in words if word in head), None)


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place] if place is not None and place < len(row) else ""


@transaction.atomic
def match_listed(*, at: datetime) -> int:
    """Tell of listed facilities that were registered here since whose they are. Returns how many."""
    directory, matched = Directory("", None, at), 0
    rows = ListedFacility.objects.current().not_registered().select_related("region").order_by("region", "pk")
    for row in rows.iterator(chunk_size=500):
        listed = Listed(read_name(row.name), ("", "", ""), "", "", "", (), ())
        organisation, _doubts = directory.look_up(listed, row.region, gives=False)
        if organisation is not None:
            matched += ListedFacility.objects.filter(pk=row.pk).update(organisation=organisation)
    return matched
