"""Whom an event concerns besides those its row leads to by now: who had it before, and whose leg it was. Its facts say who."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any
from uuid import UUID

from supplies.journal.models import Event
from supplies.notices.kinds import Party
from supplies.organisations.models import Facility


def named_in(events: Collection[Event]) -> dict[int, dict[Party, set[UUID]]]:
    """Organisations by the event's key; a query only where goods were sent on."""
    of_shipments = [event for event in events if event.subject == "shipment"]
    found: dict[int, dict[Party, set[UUID]]] = defaultdict(lambda: defaultdict(set))
    for event in of_shipments:
        found[event.pk][Party.CARRIER_BEFORE] |= _ids(event.facts.get("before"))
        found[event.pk][Party.LEG] |= _ids(event.facts.get("carrier"))
    sent_on = {event.pk: UUID(event.facts["from"]) for event in of_shipments if "from" in event.facts}
    if sent_on:
        facilities = Facility.objects.filter(pk__in=set(sent_on.values()))
        owners = dict(facilities.values_list("pk", "organisation"))
        for key, facility in sent_on.items():
            found[key][Party.BEFORE] |= {owners[facility]} if facility in owners else set()
    return found


def _ids(named: Any) -> set[UUID]:
    """Of one id, of many, or of none."""
    return {UUID(each) for each in ([named] if isinstance(named, str) else named or ()) if each}
