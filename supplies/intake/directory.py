"""Which organisation and which site a list means: found by name and place, or made."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from rapidfuzz import fuzz

from supplies.intake.corrections import Corrections, place_of
from supplies.intake.formats.listed import Listed
from supplies.intake.reading.findings import Finding, found
from supplies.intake.reading.names import NameKind, kind_of_name
from supplies.leaks import masked
from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.names import normal_name
from supplies.regions.models import Region
from supplies.regions.services import PROBABLE, Places, bare

NEARLY_EQUAL = 92  # of 100; 第二医院 and 第五医院 are far below
_TELLS_APART = re.compile(r"[\d一二三四五六七八九十东西南北中]")
_NAMES_NO_PLACE = re.compile(
    r"^(?:红十字会|慈善总会|慈善会|人民医院|中心医院|中医医?院|妇幼保健院|疾控中心|卫生局)$"
)


@dataclass(frozen=True)
class _Known:
    """An organisation with its name as compared, whole and without the city's."""

    organisation: Organisation
    key: str
    short: str


@dataclass
class Directory:
    """Organisations and sites as one import knows them. Forget it when a row was rolled back."""

    source: str
    by: User | None
    at: datetime
    corrections: Corrections = field(default_factory=Corrections)
    opened: int = 0
    places: Places = field(default_factory=Places)
    _known: dict[tuple[str, bool], list[_Known]] = field(default_factory=dict)

    def forget(self) -> None:
        self._known.clear()

    @cached_property
    def _names_of_regions(self) -> dict[str, str]:
        return {row.code: row.name_zh for rows in self.places.by_name.values() for row in rows}

    # -- places -------------------------------------------------------------------------------------------

    def region(self, listed: Listed) -> tuple[Region | None, tuple[Finding, ...]]:
        """The smallest region the row names, with a finding where a part of it is not known."""
        if said := self.corrections.region(listed):
            return said, (found("corrected", cell=place_of(listed)).at("district"),)
        province, city, district = listed.place
        meant = self.places.resolve(province, city, district, listed.name.text)
        written = place_of(listed)
        if meant.region is None:
            return None, (found("unknown-place", place=written).at("district"),)
        if district and not self.places.named(district, "district", "prefecture"):
            return meant.region, (found("place-of-city", place=district).at("district"),)
        if meant.confidence < PROBABLE:
            return meant.region, (found("unsure-place", place=written, region=meant.region.name).at("city"),)
        return meant.region, ()

    # -- organisations ------------------------------------------------------------------------------------

    def organisation(
        self, listed: Listed, region: Region, *, gives: bool
    ) -> tuple[Organisation, tuple[Finding, ...]]:
        """The organisation called so in the same city, or a new one, trusted because the list was moderated."""
        known, doubts = self.find(listed, region, gives=gives)
        if known is not None:
            return known, doubts
        name = specific_name(listed)
        made = people.trust(self._register(name, region, gives=gives), at=self.at)
        short = self._short(name, region)
        self._organisations(region, gives=gives).append(_Known(made, normal_name(name), short))
        return made, doubts

    def find(
        self, listed: Listed, region: Region, *, gives: bool
    ) -> tuple[Organisation | None, tuple[Finding, ...]]:
        """The organisation called so in the same city, if there is one; makes none."""
        if said := self.corrections.organisation(listed):
            return said, (found("corrected", cell=listed.name.text).at("name"),)
        name = specific_name(listed)
        keys = {normal_name(name), *map(normal_name, listed.name.also_known_as)}
        known = self._organisations(region, gives=gives)
        if exact := next((one for one in known if one.key in keys), None):
            return exact.organisation, ()
        short = self._short(name, region)
        if near := next((one for one in known if _is_near(one.short, short)), None):
            return near.organisation, (
                found("near-name", name=name, known=near.organisation.name).at("name"),
            )
        doubt = not gives and kind_of_name(name) in {NameKind.COMPANY, NameKind.OTHER}
        return None, (found("not-a-hospital", name=name).at("name"),) if doubt else ()

    def _register(self, name: str, region: Region, *, gives: bool) -> Organisation:
        hospital = kind_of_name(name) is NameKind.HOSPITAL
        kind = Organisation.Kind.HOSPITAL if hospital else Organisation.Kind.COORDINATOR
        return people.register(
            kind=Organisation.Kind.DONOR if gives else kind,
            name=name,
            region=region,
            source=self.source,
            by=self.by,
            at=self.at,
        )

    def _organisations(self, region: Region, *, gives: bool) -> list[_Known]:
        """Those of the same city, read once, the oldest first."""
        home = city_path(region)
        if (home, gives) not in self._known:
            kinds = (
                [Organisation.Kind.DONOR]
                if gives
                else [Organisation.Kind.HOSPITAL, Organisation.Kind.COORDINATOR]
            )
            rows = Organisation.objects.filter(kind__in=kinds, region__path__startswith=home)
            self._known[home, gives] = [
                _Known(row, normal_name(row.name), self._short(row.name, region))
                for row in rows.order_by("created_at", "pk")
            ]
        return self._known[home, gives]

    def _short(self, name: str, region: Region) -> str:
        """The name as compared, without the city it may begin with: 武汉市汉口医院, 武汉汉口医院 and 汉口医院 are one."""
        key = normal_name(name)
        city = self._names_of_regions.get(city_path(region).strip("/").split("/")[-1], "")
        for prefix in (normal_name(city), bare(city)) if city else ():
            if key.startswith(prefix) and len(key) > len(prefix) + 2:
                return key.removeprefix(prefix).removeprefix("市")
        return key

    # -- sites --------------------------------------------------------------------------------------------

    def facility(self, listed: Listed, organisation: Organisation, region: Region) -> Facility:
        """The organisation's site of this name, or a new one."""
        site = f"{organisation.name}({listed.name.part})" if listed.name.part else organisation.name
        wanted = normal_name(site)
        for facility in organisation.facilities.order_by("pk"):
            if normal_name(facility.name) == wanted:
                return facility
        self.opened += 1
        return people.open_facility(
            organisation,
            name=site[:200],
            region=region,
            address=dock_address(listed.address),
            by=self.by,
            at=self.at,
        )


def specific_name(listed: Listed) -> str:
    """A name that tells the place: “Red Cross” alone is there in every county."""
    name = listed.name.text
    if not _NAMES_NO_PLACE.match(name):
        return name
    return f"{listed.place[2] or listed.place[1]}{name}"


def city_path(region: Region) -> str:
    """The path of the prefecture a region lies in; of a province or a country its own."""
    return "/" + "/".join(region.path.strip("/").split("/")[:3]) + "/"


def addresses(text: str) -> list[str]:
    """The addresses of a cell, one a line; a line without a number is the beginning of the next one's. Nothing private."""
    found_so_far, begun = [], ""
    for line in masked(text).splitlines():
        begun += line
        if re.search(r"\d|[号楼院科处]$", line):
            found_so_far.append(begun)
            begun = ""
    return [*found_so_far, begun] if begun else found_so_far


def dock_address(text: str) -> str:
    """The first address of a cell, as long as it can be stored."""
    return next(iter(addresses(text)), "")[:300]


def _is_near(one: str, other: str) -> bool:
    """Whether two names of one city differ by no more than a slip of the pen."""
    if one == other:
        return True
    if _TELLS_APART.findall(one) != _TELLS_APART.findall(other):
        return False
    return fuzz.ratio(one, other) >= NEARLY_EQUAL
