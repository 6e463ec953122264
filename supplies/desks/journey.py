"""A shipment's way as everybody with its code may read it: what happened, by which places, and when it may be there.

Carriers' words are told by what they mean, and places by the names of regions: what carriers write themselves may hold the
names, the numbers and the doors of people.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Model, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supplies.allocations.models import Allocation
from supplies.journal.models import Event
from supplies.lanes.services import lane_of
from supplies.regions.models import Region
from supplies.shipments.models import Leg, Shipment, ShipmentStatus
from supplies.shipments.tracking import Step, TrackingEvent

TO_COME = (ShipmentStatus.BOOKED, ShipmentStatus.IN_TRANSIT, ShipmentStatus.AT_THE_DOOR)
OF_THE_NEED: dict[str, "str | Promise"] = {
    "appeal.posted": _("The hospital asked for it."),
    "appeal.published": _("A volunteer checked and published what was asked for."),
}
OF_THE_SHIPMENT: dict[str, "str | Promise"] = {
    "shipment.made": _("Ready to go; looking for a carrier."),
    "shipment.booked": _("Booked with a carrier."),
    "shipment.rerouted": _("Sent on to another hospital."),
    "shipment.recounted": _("Its count was corrected."),
}
STEPS: dict[str, "str | Promise"] = {
    Step.PACKING: _("Being packed"),
    Step.LOADING: _("Being loaded"),
    Step.DEPARTING: _("Left the donor"),
    Step.TRANSPORTING: _("On its way"),
    Step.ARRIVING: _("At the door"),
    Step.RECEIVING: _("Handed over at the door; not counted yet"),
    Step.INSPECTING: _("Counted; nothing of it could be accepted"),
    Step.ACCEPTING: _("Counted and accepted"),
    Step.VOID_SHIPPING: _("Called off"),
    Step.HOLDING: _("Held up"),
    Step.RETURNING: _("On its way back to the donor"),
    Step.OTHER: _("Seen by the carrier"),
}
AT_HUB, LEFT_HUB = _("At a hub on the way"), _("Left the hub")
PROMISED = _("Promised to the hospital.")
THANKED = _("The hospital said thanks.")
# A place as carriers write it: "武汉市", "湖北省武汉市", "湖北 武汉".
_NAMES = re.compile(r"[^省市区县盟州\s,，、/·\-\[\]【】]+[省市区县盟州]?")


@dataclass(frozen=True)
class Sighting:
    """One thing that happened. `step` is stable, `what` is for people; `where` is a region, where one is known."""

    at: datetime
    step: str
    what: "str | Promise"
    where: Region | None = None


@dataclass(frozen=True)
class Stop:
    """A place on the way. `at` is when it was left or, of the last, reached; None for what lies ahead."""

    region: Region
    at: datetime | None


@dataclass(frozen=True)
class Expected:
    """When it may be there, as journeys before it tell: four of five took from `from_days` to `to_days`.

    earliest_on, latest_on   days of the calendar where it arrives; None before it has left
    """

    from_days: int
    to_days: int
    median_days: int
    journeys: int
    earliest_on: date | None = None
    on: date | None = None
    latest_on: date | None = None


def expected(shipment: Shipment) -> Expected | None:
    """What past journeys tell of one that is still to come; None where they tell too little, or it was sent on elsewhere."""
    if shipment.status not in TO_COME or shipment.rerouted_because:
        return None
    lane = lane_of(shipment)
    if lane is None:
        return None
    days = (lane.fast_days, lane.slow_days, lane.median_days, lane.journeys)
    if shipment.departed_at is None:
        return Expected(*days)
    left_on = timezone.localdate(shipment.departed_at, ZoneInfo(shipment.consignee.timezone))
    return Expected(
        *days,
        *(left_on + timedelta(days=each) for each in (lane.fast_days, lane.median_days, lane.slow_days)),
    )


def route(shipment: Shipment, legs: list[Leg]) -> tuple[Stop, ...]:
    """From where it lay to where it goes, by the hubs between."""
    ends = (shipment.consignor.region, shipment.consignee.region)
    if not legs:
        return Stop(ends[0], shipment.departed_at), Stop(ends[1], shipment.delivered_at)
    stops = [Stop(leg.from_region, leg.departed_at) for leg in legs]
    last = Stop(legs[-1].to_region, shipment.delivered_at)
    if shipment.rerouted_because and legs[-1].to_region_id != ends[1].pk:
        return (*stops, Stop(legs[-1].to_region, legs[-1].arrived_at), Stop(ends[1], shipment.delivered_at))
    return (*stops, last)


def happened(
    shipment: Shipment, legs: list[Leg], promises: Iterable[Allocation], thanked_at: datetime | None
) -> tuple[Sighting, ...]:
    """From the need to the thanks, in the order of time; of one moment, in the order of the course."""
    events = list(shipment.events.order_by("occurred_at", "pk"))
    places = _regions({event.place for event in events if event.place})
    hubs = {(Step.ARRIVING, leg.arrived_at): leg.to_region for leg in legs[:-1]}
    hubs |= {(Step.DEPARTING, leg.departed_at): leg.from_region for leg in legs[1:]}
    seen = [
        *_of_the_need(shipment, list(promises)),
        *journal(shipment, OF_THE_SHIPMENT),
        *(_seen(event, places, hubs) for event in events),
    ]
    if thanked_at:
        seen.append(Sighting(thanked_at, "thanked", THANKED))
    return tuple(sorted(seen, key=lambda sighting: sighting.at))


def journal(row: Model, words: Mapping[str, "str | Promise"]) -> tuple[Sighting, ...]:
    """What the journal tells of a row, of the kinds there are words for."""
    events = Event.objects.about(row).filter(kind__in=words).order_by("pk")
    return tuple(Sighting(event.at, event.kind.partition(".")[2], words[event.kind]) for event in events)


def _of_the_need(shipment: Shipment, promises: list[Allocation]) -> Iterable[Sighting]:
    """When what is on board was first asked for, published and promised."""
    if not promises:
        return
    asked = Event.objects.filter(
        subject="appeal",
        subject_id__in={str(promise.need.appeal_id) for promise in promises},
        kind__in=OF_THE_NEED,
    ).order_by("-pk")
    first = {event.kind: event.at for event in asked}
    for kind, what in OF_THE_NEED.items():
        if kind in first:
            yield Sighting(first[kind], f"need_{kind.partition('.')[2]}", what)
    if not shipment.rerouted_because:
        yield Sighting(min(promise.created_at for promise in promises), "promised", PROMISED)


def _seen(event: TrackingEvent, places: Mapping[str, Region], hubs: Mapping[Any, Region]) -> Sighting:
    """Ours by its step; a carrier's by what its word means, or else by the step it stands for."""
    hub = None if event.code else hubs.get((event.step, event.occurred_at))
    if hub is not None:
        is_there = event.step == Step.ARRIVING
        return Sighting(
            event.occurred_at, "at_hub" if is_there else "left_hub", AT_HUB if is_there else LEFT_HUB, hub
        )
    what = event.get_status_display() if event.code and event.status else STEPS[event.step]
    return Sighting(event.occurred_at, event.step, what, places.get(event.place))


def _regions(places: Collection[str]) -> dict[str, Region]:
    """The smallest region that a place names, where it names regions and nothing else; in one query."""
    names = {place: _NAMES.findall(place) for place in places}
    wanted = {name for parts in names.values() for name in parts} | set(places)
    if not wanted:
        return {}
    found: dict[str, Region] = {}
    rows = Region.objects.filter(Q(name_zh__in=wanted) | Q(name_en__in=wanted) | Q(code__in=wanted))
    for region in rows.from_the_top():
        for name in (region.code, region.name_zh, region.name_en):
            found.setdefault(name, region)
    named = {place: [place] if place in found else parts for place, parts in names.items()}
    return {
        place: found[parts[-1]]
        for place, parts in named.items()
        if parts and all(part in found for part in parts)
    }
