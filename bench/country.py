"""A country of any size: hospitals and donors in every district, asking and giving as in the demonstration."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import cycle, islice
from random import Random
from typing import Any

from django.db import connection
from django.utils import timezone

from bench.databases import settle, write
from matching.demo.cast import Cast, new_id
from matching.demo.postings import Batch, Postings
from supplies.allocations import services as ledger
from supplies.emergencies.models import Emergency
from supplies.needs.models import Appeal, Need
from supplies.offers.models import Donation, Offer
from supplies.organisations import services as people
from supplies.organisations.models import Facility, Organisation, User
from supplies.organisations.services import trusted_since
from supplies.regions.models import Region
from supplies.shipments import services as moving

STRICKEN = "/CN/420000/"  # every third hospital is here
NEEDS_A_HOSPITAL, OFFERS_A_DONOR = 8, 4
GIVEN = 0.3  # of what the demonstration's donors give: about half of what is needed
SEED = 1
CARRIER, CARRIER_FROM, PARCELS = "演练物流", "420106", 200
AT_ONCE = 5_000  # appeals or donations drawn before they are written: a million lines do not fit in memory
# What hospitals are called beside their district, the usual ones more often: words in most names, in some and in few.
KINDS = {"人民医院": 40, "中心医院": 20, "中医院": 15, "卫生院": 15, "妇幼保健院": 7, "传染病医院": 3}


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
    _write_down()
    _ship(emergency, at=at)
    settle()
    return emergency


def _cast(chance: Random, hospitals: int, donors: int) -> Cast:
    regions = list(
        Region.objects.filter(level="district", lat__isnull=False).select_related("parent").order_by("path")
    )
    stricken = [region for region in regions if region.path.startswith(STRICKEN)]
    kinds = chance.choices(list(KINDS), list(KINDS.values()), k=hospitals)
    houses = [
        _organisation(
            chance, "hospital", chance.choice(regions if position % 3 else stricken), f"{kind}{position}"
        )
        for position, kind in enumerate(kinds)
    ]
    givers = [
        _organisation(chance, "donor", chance.choice(regions), f"捐方{position}")
        for position in range(donors)
    ]
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


def _organisation(chance: Random, kind: str, region: Region, called: str) -> Organisation:
    name = f"{region.name_zh}演练{called}"
    return Organisation(id=new_id(chance), kind=kind, name=name, normal_name=name, region=region)


def _ask(postings: Postings, needs: int) -> None:
    """Appeals until there are exactly `needs` lines; the last appeal may be cut short."""
    for rows in _batches(postings.cast.facilities, needs, partial(postings.appeals, days_ago=20)):
        kept = {need.pk for need in rows.lines}
        write(Appeal, rows.parents)
        write(Need, rows.lines)
        write(Need.accepted_standards.through, [row for row in rows.standards if row.need_id in kept])


def _give(postings: Postings, offers: int) -> None:
    for rows in _batches(postings.cast.donors, offers, partial(postings.donations, days_ago=20)):
        for offer in rows.lines:
            offer.quantity = max(1, round(offer.quantity * GIVEN / offer.pack)) * offer.pack
            offer.min_lot = min(offer.min_lot, offer.quantity)
        write(Donation, rows.parents)
        write(Offer, rows.lines)


def _batches(givers: Sequence[Any], lines: int, draw: Callable[[list[Any]], Batch]) -> Iterator[Batch]:
    """Each giver in turn and again, until there are exactly so many lines."""
    turn = cycle(givers)
    while lines:
        rows = draw(list(islice(turn, min(AT_ONCE, lines))))
        rows.lines = rows.lines[:lines]
        lines -= len(rows.lines)
        with_lines = {getattr(line, f"{_parent(line)}_id") for line in rows.lines}
        rows.parents = [row for row in rows.parents if row.pk in with_lines]
        yield rows


def _parent(line: Any) -> str:
    return "appeal" if isinstance(line, Need) else "donation"


def _write_down() -> None:
    """The journal of all this, as the verbs would have left it."""
    for parent, line, opened in (("appeal", "need", "need.opened"), ("donation", "offer", "offer.opened")):
        for kind, at in (("posted", "created_at"), ("published", "moderated_at")):
            _tell(
                f"SELECT %s, {at}, '{parent}', id, '{{}}' FROM supplies_{parent} ORDER BY {at}",  # nosec B608 # names of our own tables and columns
                f"{parent}.{kind}",
            )
        _tell(
            f"SELECT %s, line.created_at, '{line}', line.id,"  # nosec B608 # names of our own tables and columns
            " jsonb_build_object('item', item_id, 'emergency', emergency_id)"
            f" FROM supplies_{line} line JOIN supplies_{parent} parent ON parent.id = {parent}_id",
            opened,
        )


def _ship(emergency: Emergency, *, at: datetime) -> None:
    """A few parcels of one carrier on their way, moved by the verbs."""
    district = Region.objects.get(pk=CARRIER_FROM)
    carrier = people.register(kind="carrier", name=CARRIER, region=district, by=None, at=at)
    Organisation.objects.filter(pk=carrier.pk).update(**people.trusted_since(at))
    carrier.refresh_from_db()
    undirected = Offer.objects.open().filter(donation__directed_facility=None, donation__directed_region=None)
    for need in Need.objects.open().filter(appeal__emergency=emergency).newest_first()[:PARCELS]:
        offer = undirected.filter(item=need.item_id, quantity_open__gt=0).order_by("pk").first()
        if offer is not None:
            promised = ledger.allocate(need, offer, 1, by=None, at=at)
            parcel = moving.put_together([promised], by=None, at=at)
            moving.book(parcel, carrier=carrier, by=None, at=at)
            moving.dispatch(parcel, by=None, at=at)


def _tell(rows: str, kind: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO supplies_event (kind, at, subject, subject_id, facts) {rows}", [kind])
