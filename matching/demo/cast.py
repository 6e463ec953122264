"""Who takes part in the demonstration: hospitals, donors, carriers, charities, volunteers. All invented."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.db.models import F

from matching.demo.places import (
    CARRIERS,
    CHARITIES,
    CITIES,
    DONORS,
    HOSPITALS,
    OVERSEAS,
    VOLUNTEERS,
    WORDS,
    City,
)
from supplies.errors import Refused
from supplies.organisations import services as people
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Facility, Organisation, User, Verified
from supplies.organisations.names import normal_name
from supplies.organisations.roles import Role
from supplies.organisations.verification import CallOrigin, CallOutcome, Verdict
from supplies.regions.models import Region

SOURCE = "演示名单 (list of the demonstration)"  # what marks an organisation of the demonstration
SHIFTS = ("night", "day")
AGO = timedelta(days=100)  # since one of them was verified
Kind = Organisation.Kind


@dataclass(frozen=True)
class Cast:
    """Everyone, in a fixed order.

    facilities, donors    of verified organisations; `newcomers` are sites of hospitals not verified yet
    sender                what kind of sender each donor is
    """

    facilities: Sequence[Facility]
    newcomers: Sequence[Facility]
    donors: Sequence[Organisation]
    carriers: Sequence[Organisation]
    volunteer: User
    sender: dict[uuid.UUID, str]


def new_id(chance: Random) -> uuid.UUID:
    """A primary key that is the same in every load, so that every load is matched alike."""
    return uuid.UUID(int=chance.getrandbits(128), version=4)


def make_cast(chance: Random, *, at: datetime) -> Cast:
    regions = _Regions()
    hospitals = list(_hospitals(chance, regions))
    donors = list(_donors(chance, regions))
    carriers = [
        _organisation(chance, Kind.CARRIER, f"演示{word}物流", regions.city(CITIES[i]))
        for i, word in enumerate(CARRIERS)
    ]
    charities = [
        _organisation(chance, Kind.COORDINATOR, f"演示{word}慈善总会", Region.objects.get(pk=code))
        for code, word in CHARITIES
    ]
    volunteers = [
        _organisation(chance, Kind.VOLUNTEERS, f"演示{word}志愿队", regions.city(CITIES[0]))
        for word in VOLUNTEERS
    ]
    newcomers = [*hospitals[-8:], *(donor for donor, _sender in donors[-6:])]
    everyone = [*hospitals, *(donor for donor, _sender in donors), *carriers, *charities, *volunteers]
    for organisation in everyone:
        if organisation not in newcomers:
            vars(organisation).update(people.trusted_since(at))
    Organisation.objects.bulk_create(everyone)
    facilities = Facility.objects.bulk_create(_sites(chance, hospitals, regions))
    Contact.objects.bulk_create(_contacts(chance, everyone))
    night, day = (
        _volunteer(group, shift, at=at) for group, shift in zip(volunteers[-2:], SHIFTS, strict=True)
    )
    _find_out(newcomers, [*hospitals[:2], *carriers[:2]], charities[0], night=night, day=day, at=at)
    return Cast(
        [site for site in facilities if site.organisation.status == Verified.VERIFIED],
        [site for site in facilities if site.organisation.status == Verified.UNVERIFIED],
        [donor for donor, _sender in donors if donor.status == Verified.VERIFIED],
        carriers,
        night,
        {donor.pk: sender for donor, sender in donors},
    )


def found_cast(facilities: Iterable[Facility]) -> Cast:
    """The donors of a demonstration that is loaded, with the facilities they may direct their gifts to."""
    donors = (
        Organisation.objects.filter(source=SOURCE, kind=Kind.DONOR, status=Verified.VERIFIED)
        .select_related("region")
        .order_by("pk")
    )
    volunteer = (
        User.objects.filter(memberships__role=Role.VOLUNTEER, memberships__organisation__source=SOURCE)
        .order_by("pk")
        .first()
    )
    if volunteer is None:
        raise Refused(
            "Load the demonstration first: its donors are the ones that give.", code="no-demonstration"
        )
    sender = {donor.pk: "company" if number % 3 else "organisation" for number, donor in enumerate(donors)}
    return Cast(list(facilities), [], list(donors), [], volunteer, sender)


class _Regions:
    """The cities' regions and districts, read once."""

    def __init__(self) -> None:
        codes = [city.code for city in (*CITIES, *OVERSEAS)]
        self.by_code = Region.objects.select_related("parent").in_bulk(codes)
        self.inside: dict[str, list[Region]] = {}
        for region in Region.objects.filter(parent__in=codes, level="district").order_by("code"):
            self.inside.setdefault(region.parent_id or "", []).append(region)

    def city(self, city: City) -> Region:
        return self.by_code[city.code]

    def district(self, city: City, chance: Random) -> Region:
        """A district of the city, or the city itself where it has none."""
        return chance.choice(self.inside.get(city.code) or [self.by_code[city.code]])


def _organisation(chance: Random, kind: str, name: str, region: Region, **fields: object) -> Organisation:
    return Organisation(
        id=new_id(chance),
        kind=kind,
        name=name,
        normal_name=normal_name(name),
        region=region,
        source=SOURCE,
        **fields,
    )


def _names(
    city: City, count: int, houses: Sequence[tuple[str, ...]], chance: Random
) -> Iterator[tuple[str, int]]:
    """Names nobody bears, none twice in a city, with the number of the kind of house; every fourth is bilingual."""
    pairs = [(word, house) for word in range(len(WORDS)) for house in range(len(houses))]
    for word, house in chance.sample(pairs, count):
        name = f"演示{city.zh}{WORDS[word][0]}{houses[house][0]}"
        if word % 4 == 0:
            name += f" Demo {WORDS[word][1]} {houses[house][1]}, {city.en}"
        yield name, house


def _hospitals(chance: Random, regions: _Regions) -> Iterator[Organisation]:
    for city in CITIES:
        for name, _house in _names(city, city.hospitals, HOSPITALS, chance):
            yield _organisation(chance, Kind.HOSPITAL, name, regions.district(city, chance))


def _donors(chance: Random, regions: _Regions) -> Iterator[tuple[Organisation, str]]:
    for city in (*OVERSEAS, *CITIES):
        for name, house in _names(city, city.donors, DONORS, chance):
            trusting = chance.random() < 0.3
            donor = _organisation(
                chance, Kind.DONOR, name, regions.district(city, chance), allocates_for_me=trusting
            )
            yield donor, DONORS[house][2]


def _sites(chance: Random, hospitals: Sequence[Organisation], regions: _Regions) -> Iterator[Facility]:
    for position, hospital in enumerate(hospitals):
        yield _site(chance, hospital, hospital.name, position)
        if position % 25 == 3:
            yield _site(chance, hospital, f"{hospital.name}(东院区)", position)


def _site(chance: Random, hospital: Organisation, name: str, position: int) -> Facility:
    beds = round(chance.lognormvariate(6, 0.7) / 10) * 10 + 40
    site = Facility(
        id=new_id(chance),
        organisation=hospital,
        name=name,
        region=hospital.region,
        address=f"演示大道{chance.randint(1, 999)}号 物资收货处",
        beds=beds,
        staff=round(beds * chance.uniform(1.1, 1.9)),
        patients=round(beds * chance.uniform(0.5, 1.2)),
        is_paused=position % 37 == 11,
        pause_reason="库房已满，暂停收货 (store is full)" if position % 37 == 11 else "",
    )
    if hospital.region.lat is not None and hospital.region.lon is not None and position % 9:
        site.lat = round(hospital.region.lat + chance.uniform(-0.03, 0.03), 5)
        site.lon = round(hospital.region.lon + chance.uniform(-0.03, 0.03), 5)
    return site


def _contacts(chance: Random, organisations: Iterable[Organisation]) -> Iterator[Contact]:
    """How to reach everyone, by numbers that no exchange has: none begins with 000."""
    for position, organisation in enumerate(organisations):
        contact = Contact(
            id=new_id(chance), organisation=organisation, post="物资联络 (supplies desk)", source=SOURCE
        )
        contact.name = f"演示联系人{position + 1}"
        contact.phone = f"000-{position // 1000:04d}-{position % 1000:04d}"
        contact.email = f"contact{position + 1}@demo.invalid"
        yield contact


def _volunteer(group: Organisation, shift: str, *, at: datetime) -> User:
    """Who did the moderating before the reader came. Cannot sign in."""
    user = User.objects.create_user(f"demo-{shift}-shift", first_name="演示志愿者")
    people.enrol(user, group, Role.VOLUNTEER, by=None, at=at)
    return user


def _find_out(
    newcomers: Sequence[Organisation],
    believed: Iterable[Organisation],
    long_ago: Organisation,
    *,
    night: User,
    day: User,
    at: datetime,
) -> None:
    """Newcomers refused, believed by one of two, or not reached yet; some verified by two; one to be checked again."""
    for newcomer in newcomers[::5]:
        _call(newcomer, CallOutcome.NO_ANSWER, night, at=at)
        people.verify(
            newcomer,
            verdict=Verdict.NO,
            motive="演示：三次拨打登记电话均无人接听 (nobody answered three calls)",
            public_note="演示：请提交盖章的单位证明 (hand in a letter with a seal)",
            by=night,
            at=at,
        )
    for newcomer in newcomers[1::5]:
        _say_yes(newcomer, night, at=at)
    for newcomer in newcomers[2::5]:
        _call(newcomer, CallOutcome.NO_ANSWER, night, at=at)
    for organisation in believed:
        _say_yes(organisation, night, at=at)
        _say_yes(organisation, day, at=at + timedelta(hours=8))
    then = {"verified_on": F("verified_on") - AGO, "recheck_on": F("recheck_on") - AGO}
    Organisation.objects.filter(pk=long_ago.pk).update(**then)
    people.mark_to_check_again(at=at)


def _call(organisation: Organisation, outcome: CallOutcome, by: User, *, at: datetime) -> None:
    people.log_call(
        organisation,
        origin=CallOrigin.REGISTER,
        outcome=outcome,
        note="演示：总机 (the switchboard)",
        by=by,
        at=at,
    )


def _say_yes(organisation: Organisation, by: User, *, at: datetime) -> None:
    _call(organisation, CallOutcome.CONFIRMED, by, at=at)
    people.verify(
        organisation,
        verdict=Verdict.YES,
        motive="演示：总机确认有此设备科 (the switchboard knows the department)",
        public_note="演示：致电卫健委名录所载总机核实 (called the switchboard named in the official register)",
        by=by,
        at=at,
    )
