"""Every route of the site from its resolver, with its holes filled by rows that exist: what generated tests go over.

A new route is met by itself. One whose hole nobody knows to fill fails every test that goes over it, and names the line
that is missing in `some_of_everything`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core import signing
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RegexPattern
from django.utils import timezone

from matching.models import Proposal, Shortfall
from supplies.change_requests import services as corrections
from supplies.needs import reminders
from supplies.notices import following
from supplies.notices.models import Following
from supplies.organisations import services as people
from supplies.organisations.models import User
from supplies.papers.services import certify
from supplies.receipts import services as receiving
from supplies.receipts import thanking
from supplies.shipments.models import Shipment
from tests.makers import (
    NOW,
    make_allocation,
    make_announcement,
    make_appeal,
    make_delivery,
    make_donation,
    make_foreign_need,
    make_listing,
    make_load,
    make_member,
    make_need,
    make_notice,
    make_offer,
    make_proposal,
    make_search,
    make_shipment,
    make_standard,
    make_user,
)
from tests.supplies.carriers.telling import make_account

CAST = ("nobody", "hospital", "donor", "carrier", "volunteer", "coordinator", "auditor", "admin")
HOLE = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")
MISSING = str(UUID(int=1))
WORDS = {"app_label": "supplies", "action": "publish", "url": "nowhere/", "content_type_id": "1"}


@dataclass(frozen=True)
class Route:
    """name     as config.routes.name_of tells it
    pattern  its address, with holes as <name>
    view     what answers
    """

    name: str
    pattern: str
    view: Any

    @cached_property
    def is_of_desk(self) -> bool:
        return self.name.startswith("admin:")

    def address(self, keys: Mapping[str, Any]) -> str:
        """Its address with every hole filled: by what stands before the hole, as "appeals" or "desk/supplies/need"."""

        def filled(hole: re.Match[str]) -> str:
            word, before = hole[1] or hole[2], self.pattern[: hole.start()].rstrip("/")
            if word in WORDS:
                return WORDS[word]
            if self.is_of_desk:
                return key_at_the_desk(before)
            place = before.removeprefix("api/v1/")
            place = HOLE.sub("1", place)
            assert place in keys, f"say in tests/every_route.py what stands behind {place!r}: {self.pattern}"
            return str(keys[place])

        return "/" + HOLE.sub(filled, self.pattern)


def key_at_the_desk(place: str) -> str:
    """The key of a row of the list at this address of the desk."""
    models = {
        f"{settings.DESK_PATH}{model._meta.label_lower.replace('.', '/')}": model
        for model in apps.get_models()
    }
    found = models[place]._default_manager.first() if place in models else None
    return str(found.pk) if found else MISSING


def every_route(patterns: Any = None, before: str = "", namespace: str = "") -> Iterator[Route]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        address = before + text_of(pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from every_route(pattern.url_patterns, address, inner)
        else:
            yield Route(namespace + (pattern.name or pattern.lookup_str), address, pattern.callback)


def text_of(pattern: URLPattern | URLResolver) -> str:
    text = str(pattern.pattern)
    return re.sub(r"^\^|\$$|\\Z$|\\", "", text) if isinstance(pattern.pattern, RegexPattern) else text


def some_of_everything() -> dict[str, Any]:
    """Rows of every kind, and the key that stands behind each place of an address."""
    make_standard()
    proposal: Proposal = make_proposal()
    shipment: Shipment = make_shipment(make_allocation(), status="delivered")
    counted: Shipment = make_shipment(status="delivered")
    receiving.receive(counted, counts=[{"line": counted.lines.get(), "accepted": 90}], by=None, at=NOW)
    keeper = make_member("hospital", organisation=shipment.consignor)
    lacking = Shortfall.objects.create(
        need=proposal.need, family_run=proposal.family_run, missing=7, cause="waits", figure=3, as_of=NOW
    )
    delivery = make_delivery()
    following.ask(make_shipment(status="booked"), email="drill@example.org", language="en", at=timezone.now())
    asked = Following.objects.get()
    thanking.thank(counted, words="演练：谢谢", by=None, at=NOW)
    contact = people.keep_contact(shipment.consignor, at=NOW, name="演练", phone="000-0000-0001", by=keeper)
    said = corrections.report(proposal.need, kind="not_needed", by=None, at=NOW)
    notice, search = make_notice(keeper), make_search(keeper)
    return {
        "report": "need",
        "report/1": proposal.need_id,
        "reports": said.code,
        "change-requests": said.code,
        "mine/gifts": make_donation().pk,
        "mine/said-to-be-wrong": said.change_request_id,
        "needs/still-needed": reminders.link_for(proposal.need.appeal, keeper),
        "intake-batches": MISSING,
        "attachments": MISSING,  # a row without its file is answered alike
        "contacts": contact.pk,
        "promises": shipment.lines.get().allocation_id,
        "reveals": MISSING,
        "memberships": keeper.memberships.get().pk,
        "account/keys": people.issue_token(keeper, name="key", scopes=["read"], at=NOW)[0].pk,
        "invitations": MISSING,
        "password/reset": "1",
        "password/reset/1": "1-key",
        "needs": make_need().pk,
        "foreign-needs": make_foreign_need().pk,
        "appeals": make_appeal().pk,
        "appeals/new": shipment.consignee_id,
        "donations": make_donation().pk,
        "offers": make_offer().pk,
        "notices": notice.pk,
        "inbox": notice.pk,
        "saved-searches": search.pk,
        "searches": search.pk,
        "account/notifications/robots": "wecom",
        "webhooks": delivery.endpoint_id,
        "webhooks/deliveries": delivery.pk,
        "webhook-endpoints": delivery.endpoint_id,
        "webhook-deliveries": delivery.pk,
        "shipments": shipment.pk,
        "loads": make_load().pk,
        "tickets": counted.tickets.get().pk,
        "facilities": shipment.consignee_id,
        "donors": shipment.consignor_id,
        "organisations": shipment.consignor_id,
        "announcements": make_announcement().pk,
        "listed-facilities": make_listing().pk,
        "answers": proposal.pk,
        "proposals": proposal.pk,
        "shortfalls": lacking.pk,
        "matching-runs": proposal.family_run.run_id,
        "allocations": shipment.lines.get().allocation_id,
        "regions": "420106",
        "categories": "ppe",
        "items": "MASK_SURG",
        "standards": "YY0469-2011",
        "emergencies": "flu-2026",
        "track": shipment.code,
        "following": signing.dumps(str(asked.pk), salt=following.CONFIRM),
        "shipments/1/papers": "labels",
        "dock": shipment.pk,
        "certificates": certify(counted.lines.get().allocation.offer.donation, by=None, at=NOW).code,
        "open": "needs",
        "open/1.": "csv",
        "open/dumps": "20200101T000000Z",  # a dump there is not is answered alike
        "open/dumps/1": "needs.jsonl.gz",
        "hooks/carriers": make_account(carrier=shipment.carrier).pk,
        "fhir/SupplyRequest": make_need().pk,
        "fhir/SupplyDelivery": shipment.pk,
        "fhir/StructureDefinition": "status",
    }


def cast() -> dict[str, User | None]:
    """One person in each role; nobody is nobody."""
    people: dict[str, User | None] = {
        "nobody": None,
        "admin": make_user("root", is_staff=True, is_superuser=True),
    }
    people |= {role: make_member(role) for role in CAST if role not in people}
    return {role: people[role] for role in CAST}
