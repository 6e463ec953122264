"""Which endpoints hear of an event, and in which words: the one place that decides who is told of what.

A message says what kind of thing happened, when, and where the API tells more; whoever asks there is shown what he may see.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from supplies.allocations.models import Allocation
from supplies.journal.models import Event
from supplies.journal.services import ring
from supplies.loads.models import ConsolidatedLoad
from supplies.needs.models import Need
from supplies.notices.models import WebhookDelivery, WebhookEndpoint
from supplies.notices.parting import named_in
from supplies.offers.models import Donation
from supplies.organisations.models import Organisation, Verified
from supplies.receipts.models import DiscrepancyTicket
from supplies.shipments.models import Shipment

# Of each kind of row the organisations that may hear of it, by the ways that lead to them.
PARTIES: dict[str, tuple[QuerySet[Any], tuple[str, ...]]] = {
    "shipment": (
        Shipment.objects.with_carriers_to_come(),
        ("carrier", "to_come__carrier", "consignor", "consignee__organisation"),
    ),
    "consolidatedload": (ConsolidatedLoad.objects.all(), ("carrier", "consignee__organisation")),
    "discrepancyticket": (
        DiscrepancyTicket.objects.all(),
        ("shipment__consignor", "shipment__consignee__organisation"),
    ),
    "need": (Need.objects.all(), ("appeal__facility__organisation",)),
    "donation": (Donation.objects.all(), ("organisation",)),
    "allocation": (
        Allocation.objects.all(),
        ("offer__donation__organisation", "need__appeal__facility__organisation"),
    ),
}
# As the API calls rows whose model has a longer name.
SHORTER = {"consolidatedload": "load", "discrepancyticket": "ticket"}


def hears_of_all(organisation: Organisation) -> bool:
    """Those who run the desk, once they are known to be who they say."""
    is_verified = organisation.status == Verified.VERIFIED
    return is_verified and organisation.kind == Organisation.Kind.VOLUNTEERS


def hear(events: Sequence[Event], *, at: datetime) -> None:
    """A delivery for every event and endpoint that asked for it and may hear of it. Heard twice, it is told once."""
    kinds = sorted({event.kind for event in events})
    asking = WebhookEndpoint.objects.active().filter(kinds__overlap=kinds).select_related("organisation")
    endpoints = list(asking.order_by("pk"))
    if not endpoints:
        return
    parties = parties_of(events)
    WebhookDelivery.objects.bulk_create(
        (
            WebhookDelivery(
                endpoint=endpoint, event=event, kind=event.kind, created_at=at, began_at=at, next_at=at
            )
            for endpoint in endpoints
            for event in events
            if event.kind in endpoint.kinds
            and (hears_of_all(endpoint.organisation) or endpoint.organisation_id in parties[event.pk])
        ),
        ignore_conflicts=True,
    )
    transaction.on_commit(lambda: ring("notices.carry"), robust=True)


def parties_of(events: Collection[Event]) -> dict[int, set[UUID]]:
    """The organisations that may hear of each event, by its key; one query for each kind of row."""
    by_subject: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        by_subject[event.subject].append(event)
    found: dict[int, set[UUID]] = defaultdict(set)
    for subject, some in by_subject.items():
        if subject not in PARTIES:
            continue
        rows, ways = PARTIES[subject]
        concerned: dict[str, set[UUID]] = defaultdict(set)
        told = rows.filter(pk__in={event.subject_id for event in some})
        for pk, *parties in told.values_list("pk", *ways):
            concerned[str(pk)] |= {party for party in parties if party}
        for event in some:
            found[event.pk] = concerned[event.subject_id].copy()
    for key, named in named_in(events).items():
        found[key] |= {organisation for some in named.values() for organisation in some}
    return found


def body_of(delivery: WebhookDelivery) -> bytes:
    """The message, the same at every attempt: ids and a link, nothing that says who anybody is."""
    event = delivery.event
    said: dict[str, Any] = {
        "type": delivery.kind,
        "timestamp": (event.at if event else delivery.created_at).astimezone(UTC).isoformat(),
        "data": {
            "object": "webhook",
            "id": str(delivery.endpoint_id),
            "url": _api("webhookendpoint", delivery.endpoint_id),
        },
    }
    if event:
        said["data"] = {
            "object": name_of(event.subject),
            "id": event.subject_id,
            "url": _api(event.subject, event.subject_id),
        }
    return json.dumps(said, separators=(",", ":")).encode()


def _api(subject: str, pk: Any) -> str:
    return f"{settings.SITE_ADDRESS}{reverse(f'{name_of(subject)}-detail', args=[pk])}"


def name_of(subject: str) -> str:
    return SHORTER.get(subject, subject)
