"""Which organisation and which site a list means: found by name and place, or made."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from rapidfuzz import fuzz, process

from supplies.intake.corrections import Corrections, place_of
from supplies.intake.formats.listed import Listed
from supplies.intake.reading.findings import Finding, Unreadable, found
from supplies.intake.reading.names import NameKind, kind_of_name
from supplies.leaks import masked
from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.names import NEARLY_EQUAL, normal_name, plain_code, short_name, tells_apart
from supplies.regions.models import Region
from supplies.regions.services import PROBABLE, Places, city_of

_NAMES_NO_PLACE = re.compile(
    r"^(?:红十字会|慈善总会|慈善会|人民医院|中心医院|中医医?院|妇幼保健院|疾控中心|卫生局)$"
)
FRESH_SECONDS = 10.0  # that long a hospital registered by somebody else meanwhile may go unseen; the pair is proposed later


class _Known(NamedTuple):
    """An organisation with one of its names as compared, whole and without the city's."""

    organisation: Organisation
    key: str
    short: str


@dataclass
class _City:
    """The organisations of one city under each of their names, the oldest first, and where to look for a name."""

    known: list[_Known] = field(default_factory=list)
    _places: dict[str, list[int]] = field(default_factory=dict)  # by the whole name
    _alike: dict[tuple[str, ...], tuple[list[str], list[int]]] = field(default_factory=dict)

    def add(self, one: _Known) -> None:
        place = len(self.known)
        self.known.append(one)
        self._places.setdefault(one.key, []).append(place)
        shorts, places = self._alike.setdefault(tells_apart(one.short), ([], []))
        shorts.append(one.short)
        places.append(place)

    def called(self, keys: Iterable[str]) -> Iterator[Organisation]:
        """Those with exactly one of these names."""
        for place in sorted(place for key in keys for place in self._places.get(key, ())):
            yield self.known[place].organisation

    def near(self, short: str) -> Iterator[Organisation]:
        """Those whose name `is_near`."""
        shorts, places = self._alike.get(tells_apart(short), ([], []))
        for _short, _score, at in process.extract_iter(
            short, shorts, scorer=fuzz.ratio, score_cutoff=NEARLY_EQUAL
        ):
            yield self.known[places[at]].organisation


def place_not_found(listed: Listed) -> Unreadable:
    """Why a row belongs nowhere: what it names is not known, or it names nothing."""
    written = place_of(listed)
    return Unreadable("unknown-place", place=written) if written else Unreadable("no-place")


@dataclass
class Directory:
    """Organisations and sites as one import knows them. Forget it when a row was rolled back."""

    source: str
    by: User | None
    at: datetime
    corrections: Corrections = field(default_factory=Corrections)
    opened: int = 0
    places: Places = field(default_factory=Places)
    _known: dict[tuple[str, bool], _City] = field(default_factory=dict)
    _made: set[Any] = field(default_factory=set)  # registered, and no site opened yet
    _by_code: dict[str, Region | None] = field(default_factory=dict)
    _read_at: float = field(default_factory=time.monotonic)

    def forget(self) -> None:
        self._known.clear()
        self._made.clear()
        self._read_at = time.monotonic()

    def look_again(self) -> None:
        """Forget what others may have changed; not for every chunk, since a city has thousands of names."""
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            self.forget()

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
        if meant.region is None and (there := self.places.resolve("", "", "", listed.address).region):
            return there, (found("place-of-address", region=there.name).at("district"),)
        if meant.region is None and (whole := self._coded(listed.region)):
            return whole, (found("unknown-place", place=written).at("district"),) if written else ()
        if meant.region is None:
            return None, (place_not_found(listed).at("district").finding,)
        if district and not self.places.named(district, "district", "prefecture"):
            return meant.region, (found("place-of-city", place=district).at("district"),)
        if meant.confidence < PROBABLE:
            return meant.region, (found("unsure-place", place=written, region=meant.region.name).at("city"),)
        return meant.region, ()

    def _coded(self, code: str) -> Region | None:
        """The region that rows without a place belong to, asked for once."""
        if code not in self._by_code:
            self._by_code[code] = Region.objects.filter(code=code).first()
        return self._by_code[code]

    # -- organisations ------------------------------------------------------------------------------------

    def organisation(
        self, listed: Listed, region: Region, *, gives: bool
    ) -> tuple[Organisation, tuple[Finding, ...]]:
        """The organisation called so in the same city, or a new one, trusted because the list was moderated."""
        known, doubts = self.find(listed, region, gives=gives)
        if known is not None:
            return known, doubts
        name, code = specific_name(listed), plain_code(listed.credit_code)
        made = people.trust(self._register(name, region, code, gives=gives), at=self.at)
        self._made.add(made.pk)
        self._organisations(region, gives=gives).add(
            _Known(made, normal_name(name), self._short(name, region))
        )
        return made, doubts

    def find(
        self, listed: Listed, region: Region, *, gives: bool
    ) -> tuple[Organisation | None, tuple[Finding, ...]]:
        """The organisation a volunteer said it is, or one that is known; makes none."""
        if said := self.corrections.organisation(listed):
            return said, (found("corrected", cell=listed.name.text).at("name"),)
        known, doubts = self.look_up(listed, region, gives=gives)
        if known is not None:
            return known, doubts
        name = specific_name(listed)
        doubt = not gives and kind_of_name(name) in {NameKind.COMPANY, NameKind.OTHER}
        return None, (found("not-a-hospital", name=name).at("name"),) if doubt else ()

    def look_up(
        self, listed: Listed, region: Region, *, gives: bool
    ) -> tuple[Organisation | None, tuple[Finding, ...]]:
        """The organisation known by this credit code, or by one of these names in the same city; None for a new one."""
        name = specific_name(listed)
        keys = {normal_name(name), *map(normal_name, listed.name.also_known_as)}
        code = plain_code(listed.credit_code)
        city = self._organisations(region, gives=gives)
        if code and (same := self._with_code(code, gives=gives)):
            return same, ()

        def first(known: Iterator[Organisation]) -> Organisation | None:
            # Two codes are two houses, whatever they are called.
            return next((one for one in known if not (code and one.credit_code)), None)

        if exact := first(city.called(keys)):
            return exact, ()
        if near := first(city.near(self._short(name, region))):
            return near, (found("near-name", name=name, known=near.name).at("name"),)
        return None, ()

    def _register(self, name: str, region: Region, code: str, *, gives: bool) -> Organisation:
        hospital = kind_of_name(name) is NameKind.HOSPITAL
        kind = Organisation.Kind.HOSPITAL if hospital else Organisation.Kind.COORDINATOR
        return people.register(
            kind=Organisation.Kind.DONOR if gives else kind,
            name=name,
            region=region,
            credit_code=code,
            source=self.source,
            by=self.by,
            at=self.at,
        )

    def _with_code(self, code: str, *, gives: bool) -> Organisation | None:
        """Whoever has this credit code, wherever she is: it says more than any name."""
        rows = Organisation.objects.standing().filter(kind__in=_kinds(gives=gives))
        return rows.filter(credit_code=code).order_by("created_at", "pk").first()

    def _organisations(self, region: Region, *, gives: bool) -> _City:
        """Those of the same city under each of their names, read once, the oldest first; merged ones as what they became."""
        home = city_path(region)
        if (home, gives) not in self._known:
            rows = Organisation.objects.filter(kind__in=_kinds(gives=gives), region__path__startswith=home)
            rows = rows.select_related("merged_into").prefetch_related("aliases")
            city = self._known[home, gives] = _City()
            for row in rows.order_by("created_at", "pk"):
                for name in (row.name, *(alias.name for alias in row.aliases.all())):
                    city.add(_Known(row.standing_for, normal_name(name), self._short(name, region)))
        return self._known[home, gives]

    def _short(self, name: str, region: Region) -> str:
        """The name as compared, without the city it may begin with: 武汉市汉口医院, 武汉汉口医院 and 汉口医院 are one."""
        city = self._names_of_regions.get(city_path(region).strip("/").split("/")[-1], "")
        return short_name(name, city)

    # -- sites --------------------------------------------------------------------------------------------

    def facility(self, listed: Listed, organisation: Organisation, region: Region) -> Facility:
        """The organisation's site of this name, or a new one."""
        site = f"{organisation.name}({listed.name.part})" if listed.name.part else organisation.name
        wanted = normal_name(site)
        if organisation.pk not in self._made:  # what was registered a moment ago has no site
            for facility in organisation.facilities.order_by("pk"):
                if normal_name(facility.name) == wanted:
                    return facility
        self._made.discard(organisation.pk)
        self.opened += 1
        return people.open_facility(
            organisation,
            name=site[:200],
            region=region,
            address=dock_address(listed.address),
            by=self.by,
            at=self.at,
        )


def _kinds(*, gives: bool) -> list[str]:
    """What a row that gives goods, or one that asks for them, can be."""
    if gives:
        return [Organisation.Kind.DONOR]
    return [Organisation.Kind.HOSPITAL, Organisation.Kind.COORDINATOR]


def specific_name(listed: Listed) -> str:
    """A name that tells the place: “Red Cross” alone is there in every county."""
    name = listed.name.text
    if not _NAMES_NO_PLACE.match(name):
        return name
    return f"{listed.place[2] or listed.place[1]}{name}"


def city_path(region: Region) -> str:
    """The path of the prefecture a region lies in; of a province or a country its own."""
    return city_of(region.path)


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
