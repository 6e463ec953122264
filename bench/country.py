"""A country of any size: hospitals and donors in every district, asking and giving as in the demonstration."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from itertools import cycle, islice
from random import Random
from typing import Any

from django.utils import timezone

from bench.databases import settle, write
from matching.demo.cast import Cast, new_id
from matching.demo.postings import Postings
from supplies.emergencies.models import Emergency
from supplies.needs.models import Appeal, Need
from supplies.offers.models import Donation, Offer
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.services import trusted_since
from supplies.regions.models import Region

STRICKEN = "/CN/420000/"  # every third hospital is here
NEEDS_A_HOSPITAL, OFFERS_A_DONOR = 8, 4
GIVEN = 0.3  # of what the demonstration's donors give: about half of what is needed
SEED = 1


def populate(needs: int, offers: int, *, at: datetime) -> Emergency:
    """Fill an empty database with as many needs and offers; the same for the same numbers and day."""
    chance = Random(SEED)
    emergency = Emergency.objects.create(
        code="bench", name_zh="演练", name_en="Bench", status="respond", began_on=timezone.localdate(at)
    )
    cast = _cast(chance, max(10, needs // NEEDS_A_HOSPITAL), max(10, offers // OFFERS_A_DONOR))
    postings = Postings(chance, cast, emergency, at=at)
    _ask(postings, needs)
    _give(postings, offers)
    settle()
    return emergency


def _cast(chance: Random, hospitals: int, donors: int) -> Cast:
    regions = list(
        Region.objects.filter(level="district", lat__isnull=False).select_related("parent").order_by("path")
    )
    stricken = [region for region in regions if region.path.startswith(STRICKEN)]
    houses = [
        _organisation(chance, "hospital", position, chance.choice(regions if position % 3 else stricken))
        for position in range(hospitals)
    ]
    givers = [_organisation(chance, "donor", position, chance.choice(regions)) for position in range(donors)]
    now = timezone.now()
    for organisation in (*houses, *givers):
        organisation.created_at = now
        vars(organisation).update(trusted_since(now))
    sites = [
        Facility(
            id=new_id(chance),
            organisation=house,
            name=house.name,
            region=house.region,
            lat=house.region.lat + chance.uniform(-0.05, 0.05),
            lon=house.region.lon + chance.uniform(-0.05, 0.05),
            beds=round(chance.lognormvariate(6, 0.7)) + 40,
        )
        for house in houses
    ]
    write(Organisation, [*houses, *givers])
    write(Facility, sites)
    volunteer = User.objects.create_user("bench-volunteer")
    sender: dict[uuid.UUID, str] = {giver.pk: "company" for giver in givers}
    return Cast(sites, [], givers, [], volunteer, sender)


def _organisation(chance: Random, kind: str, position: int, region: Region) -> Organisation:
    name = f"{region.name_zh}演练{'医院' if kind == 'hospital' else '捐方'}{position}"
    return Organisation(id=new_id(chance), kind=kind, name=name, normal_name=name, region=region)


def _ask(postings: Postings, needs: int) -> None:
    """Appeals until there are exactly `needs` lines; the last appeal may be cut short."""
    rows = postings.appeals(_enough(postings.cast.facilities, needs), days_ago=20)
    lines = rows.lines[:needs]
    kept = {need.pk for need in lines}
    appeals = {need.appeal_id for need in lines}
    write(Appeal, [appeal for appeal in rows.parents if appeal.pk in appeals])
    write(Need, lines)
    write(Need.accepted_standards.through, [row for row in rows.standards if row.need_id in kept])


def _give(postings: Postings, offers: int) -> None:
    rows = postings.donations(_enough(postings.cast.donors, offers), days_ago=20)
    lines = rows.lines[:offers]
    for offer in lines:
        offer.quantity = max(1, round(offer.quantity * GIVEN / offer.pack)) * offer.pack
        offer.min_lot = min(offer.min_lot, offer.quantity)
    donations = {offer.donation_id for offer in lines}
    write(Donation, [donation for donation in rows.parents if donation.pk in donations])
    write(Offer, lines)


def _enough(givers: Sequence[Any], lines: int) -> list[Any]:
    """Each in turn, as often as it takes for so many lines at two a time, which is fewer than they make."""
    return list(islice(cycle(givers), lines // 2 + 1))
