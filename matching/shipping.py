"""Suggested shipments: which proposals may travel together from one city to one facility.

The goods of one donor make a load, which one shipment carries; the loads of several donors of a city may share a lorry.
Nothing of it is stored: a suggestion lasts for as long as its proposals wait to be sent.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet

from matching.models import Proposal, ProposalQuerySet, ProposalStatus
from supplies.catalogue.models import Item
from supplies.needs.models import Urgency
from supplies.organisations.models import Facility, Organisation
from supplies.regions.models import Region, RegionLevel

SHOWN = 100  # suggestions at a time; the most urgent are dealt with first, and then the others follow
PLACE = "offer__donation__region__path"
COLUMNS = (
    "pk",
    "status",
    "quantity_sent",
    "km",
    "need__urgency",
    "need__needed_by",
    "need__site_id",
    "offer__donation__organisation_id",
    PLACE,
)

Route = tuple[str, UUID]  # the city's code, the facility


@dataclass(frozen=True, slots=True)
class Parcel:
    """A proposal as far as its journey goes.

    item      what is sent, which may stand in for what was asked for
    quantity  in the item's smallest counted unit
    place     the path of the region the goods lie in
    """

    item: Item
    proposal: UUID
    status: str
    quantity: int
    km: int
    urgency: int
    needed_by: date
    facility: UUID
    donor: UUID
    place: str

    @property
    def status_label(self) -> str:
        return str(ProposalStatus(self.status).label)


@dataclass(frozen=True)
class Goods:
    item: Item
    quantity: int  # in the item's smallest counted unit


@dataclass(frozen=True)
class Load:
    """What one shipment from a donor to the facility can carry, the most urgent first."""

    donor: Organisation
    parcels: Sequence[Parcel]

    @property
    def proposals(self) -> list[UUID]:
        return [parcel.proposal for parcel in self.parcels]

    @property
    def goods(self) -> list[Goods]:
        return added_up(self.parcels)


@dataclass(frozen=True)
class Suggestion:
    """Loads that leave one city for one facility, the most urgent first."""

    place: Region
    facility: Facility
    loads: Sequence[Load]

    @property
    def parcels(self) -> list[Parcel]:
        return [parcel for load in self.loads for parcel in load.parcels]

    @property
    def goods(self) -> list[Goods]:
        return added_up(self.parcels)

    @property
    def urgency(self) -> Urgency:
        return Urgency(min(parcel.urgency for parcel in self.parcels))

    @property
    def needed_by(self) -> date:
        """The earliest deadline among its needs."""
        return min(parcel.needed_by for parcel in self.parcels)

    @property
    def km(self) -> int:
        """The longest of their ways."""
        return max(parcel.km for parcel in self.parcels)

    @property
    def statuses(self) -> dict[ProposalStatus, int]:
        """How many of its proposals are how far."""
        counted = Counter(parcel.status for parcel in self.parcels)
        return {status: counted[status] for status in ProposalStatus if status in counted}


# -- From rows --------------------------------------------------------------------------------------------


def suggestions(rows: QuerySet[Proposal], most: int = SHOWN) -> tuple[list[Suggestion], int]:
    """What these proposals suggest, the most urgent first and then the most parcels; and how many more there are."""
    parcels = parcels_of(rows)
    found = by_route(parcels, cities({parcel.place for parcel in parcels}))
    return named(most_urgent_first(found)[:most]), max(0, len(found) - most)


def together_with(proposal: Proposal) -> ProposalQuerySet:
    """All that may travel with a proposal, which is among them for as long as it waits to be sent itself."""
    own = proposal.offer.donation.region.path
    rows = Proposal.objects.to_be_sent().filter(need__site=proposal.need.appeal.facility_id)
    city_of = cities({own, *rows.values_list(PLACE, flat=True).distinct()})
    same = sorted(place for place, city in city_of.items() if city == city_of[own])
    return rows.filter(**{f"{PLACE}__in": same})


def parcels_of(rows: QuerySet[Proposal]) -> list[Parcel]:
    """Those of the proposals that wait to be sent."""
    sent = rows.filter(pk__in=Proposal.objects.to_be_sent().values("pk")).order_by()
    measured = sent.annotate(quantity_sent=F("quantity") - F("quantity_left_out"))
    found = list(measured.values_list("offer__item_id", *COLUMNS))
    items = Item.objects.select_related("display_unit").in_bulk({code for code, *_rest in found})
    return [Parcel(items[code], *rest) for code, *rest in found]


def cities(paths: Iterable[str]) -> dict[str, str]:
    """The code of the city that each of these regions lies in, by the region's path."""
    chains = {path: path.strip("/").split("/") for path in paths}
    codes = {code for chain in chains.values() for code in chain}
    prefectures = Region.objects.filter(parent=OuterRef("pk"), level=RegionLevel.PREFECTURE)
    known = Region.objects.filter(pk__in=codes).annotate(is_divided=Exists(prefectures))
    rows = list(known.values_list("pk", "level", "is_divided"))
    levels = {code: level for code, level, _is_divided in rows}
    divided = {code for code, _level, is_divided in rows if is_divided}
    return {path: city_in(chain, levels, divided) for path, chain in chains.items()}


def named(routes: Iterable[tuple[Route, Sequence[Parcel]]]) -> list[Suggestion]:
    """With the rows the keys stand for, in the order given."""
    chosen = list(routes)
    regions = Region.objects.in_bulk({place for (place, _facility), _parcels in chosen})
    facilities = Facility.objects.in_bulk({facility for (_place, facility), _parcels in chosen})
    donors = Organisation.objects.in_bulk({parcel.donor for _route, parcels in chosen for parcel in parcels})
    return [
        Suggestion(
            regions[place],
            facilities[facility],
            [Load(donors[donor], load) for donor, load in most_urgent_first(by_donor(parcels))],
        )
        for (place, facility), parcels in chosen
    ]


# -- Without rows -----------------------------------------------------------------------------------------


def city_in(chain: Sequence[str], levels: Mapping[str, str], divided: set[str]) -> str:
    """The city among regions that lie in each other, the largest first; what lies in no city stands for itself.

    divided   the regions that have prefectures in them
    """
    for code in chain:
        if levels[code] == RegionLevel.PREFECTURE:
            return code
    *_larger, above, own = ("", *chain)
    # A district of Beijing lies directly in Beijing, which is one city; 仙桃市 directly in Hubei, which is many.
    is_of_a_city = levels.get(above) == RegionLevel.PROVINCE and above not in divided
    return above if is_of_a_city else own


def by_route(parcels: Iterable[Parcel], city_of: Mapping[str, str]) -> dict[Route, list[Parcel]]:
    """Parcels that leave one city for one facility. One that travels alone is left out."""
    found: dict[Route, list[Parcel]] = defaultdict(list)
    for parcel in parcels:
        found[city_of[parcel.place], parcel.facility].append(parcel)
    return {route: several for route, several in found.items() if len(several) > 1}


def by_donor(parcels: Iterable[Parcel]) -> dict[UUID, list[Parcel]]:
    """Each donor's, the most urgent first."""
    found: dict[UUID, list[Parcel]] = defaultdict(list)
    for parcel in sorted(parcels, key=lambda one: (one.urgency, one.needed_by, one.proposal)):
        found[parcel.donor].append(parcel)
    return dict(found)


def most_urgent_first(groups: Mapping[Any, Sequence[Parcel]]) -> list[tuple[Any, Sequence[Parcel]]]:
    """By the most urgent parcel in each, then the most parcels, then the earliest deadline; the key last."""

    def rank(group: tuple[Any, Sequence[Parcel]]) -> tuple[Any, ...]:
        key, parcels = group
        urgency, needed_by = (min(getattr(one, name) for one in parcels) for name in ("urgency", "needed_by"))
        return urgency, -len(parcels), needed_by, key

    return sorted(groups.items(), key=rank)


def added_up(parcels: Iterable[Parcel]) -> list[Goods]:
    """How much of each item, by its code."""
    units: Counter[str] = Counter()
    items: dict[str, Item] = {}
    for parcel in parcels:
        items[parcel.item.pk] = parcel.item
        units[parcel.item.pk] += parcel.quantity
    return [Goods(items[code], units[code]) for code in sorted(items)]
