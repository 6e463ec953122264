"""Trying a door: one person, one route, one method, one object; and whether anything was written behind it."""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models, transaction
from django.test import Client
from django.urls import reverse

from supplies.models import Item, Region, User
from tests.access.routes import Route
from tests.access.rows import counted
from tests.access.world import ROLES, Side, World
from tests.sign_in import sign_in

NOT_COUNTED = "supplies_session"  # signing in and being told something are no changes of the platform

# Which row of a side a route is tried on: the first pattern that fits. Rows that belong to nobody stand in SHARED.
ROW_OF = [
    ("admin:supplies_appeal_do/*", "appeal waiting"),
    ("admin:supplies_donation_do/*", "donation waiting"),
    ("admin:supplies_shipment_do/book", "shipment draft"),
    ("admin:supplies_shipment_do/dispatch", "shipment booked"),
    ("admin:supplies_shipment_do/cancel", "shipment booked"),
    ("admin:supplies_shipment_do/come_back", "shipment returning"),
    ("admin:supplies_shipment_do/settle", "shipment counted"),
    ("admin:supplies_shipment_do/reassign", "shipment booked"),
    ("admin:supplies_shipment_do/split", "shipment booked"),
    ("admin:supplies_shipment_do/reach_hub", "shipment to a hub"),
    ("admin:supplies_shipment_do/leave_hub", "shipment at a hub"),
    ("admin:supplies_shipment_*", "shipment in_transit"),
    ("admin:supplies_consolidatedload_do/deliver", "load under way"),
    ("admin:supplies_consolidatedload_do/arrive", "load under way"),
    ("admin:supplies_consolidatedload_*", "load"),
    ("admin:matching_proposal_do/*_said_yes", "proposal approved"),
    ("admin:matching_proposal_*", "proposal open"),
    ("admin:matching_matchingrun_*", "run"),
    ("admin:matching_familyrun_*", "family"),
    ("admin:matching_shortfall_*", "shortfall"),
    ("admin:matching_order_*", "order"),
    ("admin:forget_list", "saved list"),
    ("admin:supplies_announcement_*", "announcement"),
    ("announcement-*", "announcement"),
    ("announcement", "announcement"),
    ("admin:supplies_appeal_*", "appeal published"),
    ("admin:supplies_need_*", "need published"),
    ("admin:supplies_donation_*", "donation published"),
    ("admin:supplies_offer_*", "offer published"),
    ("admin:supplies_changerequest_*", "change request"),
    ("admin:supplies_organisation_*", "organisation"),
    ("admin:supplies_facility_*", "facility"),
    ("admin:supplies_duplicatepair_do/propose_again", "pair kept apart"),
    ("admin:supplies_duplicatepair_*", "pair"),
    ("admin:supplies_duplicateneeds_*", "pair of needs"),
    ("admin:supplies_merge_*", "merge"),
    ("admin:supplies_listedfacility_*", "listing"),
    ("listedfacility-*", "listing"),
    ("admin:supplies_import_columns", "table"),
    ("admin:supplies_import_appeal_evidence", "appeal published"),
    ("admin:supplies_import_*", "batch"),
    ("admin:supplies_stagedrow_do/take_back", "row reviewed"),
    ("admin:supplies_stagedrow_*", "row staged"),
    ("admin:supplies_importedrow_*", "imported row"),
    ("admin:supplies_importedline_*", "imported line"),
    ("admin:supplies_correction_*", "correction"),
    ("intake-batch-*", "batch"),
    ("admin:supplies_allocation_*", "allocation"),
    ("admin:supplies_receipt_*", "receipt"),
    ("admin:supplies_discrepancy_*", "discrepancy"),
    ("admin:supplies_discrepancyticket_*", "ticket"),
    ("ticket-*", "ticket"),
    ("tickets", "shipment counted"),
    ("correct-count", "shipment counted"),
    ("shipment-correct", "shipment counted"),
    ("reroute", "shipment in_transit"),
    ("thank", "shipment counted"),
    ("admin:supplies_thanks_*", "thanks"),
    ("confirm-following", "following"),
    ("end-following", "following"),
    ("follow-shipment", "shipment in_transit"),
    ("allocation-keep", "allocation paused"),
    ("admin:supplies_invitation_*", "invitation"),
    ("admin:supplies_membership_*", "membership"),
    ("admin:supplies_reveal_*", "reveal"),
    ("admin:supplies_apitoken_*", "key"),
    ("admin:supplies_attachment_*", "file"),
    ("*-change-request", "change request"),
    ("change-request-*", "report"),
    ("take-back-report", "report"),
    ("reported", "report"),
    ("report", "need published"),
    ("still-needed", "appeal published"),
    ("admin:supplies_carrieraccount_*", "carrier account"),
    ("admin:supplies_parkedevent_*", "parked event"),
    ("carrier-hook", "carrier account"),
    ("admin:supplies_peer_do/subscribe", "new peer"),
    ("admin:supplies_peer_*", "peer"),
    ("admin:supplies_webhookendpoint_*", "webhook"),
    ("admin:supplies_webhookdelivery_*", "delivery"),
    ("webhookendpoint-enable", "webhook off"),
    ("enable-webhook", "webhook off"),
    ("webhookendpoint-*", "webhook"),
    ("webhookdelivery-replay", "delivery given up"),
    ("webhookdelivery-*", "delivery"),
    ("replay-delivery", "delivery given up"),
    ("notice-*", "notice"),
    ("open-notice", "notice"),
    ("end-notices", "notice"),
    ("savedsearch-*", "search"),
    ("rename-search", "search"),
    ("remove-search", "search"),
    ("set-up-robot", "robot"),
    ("take-robot-away", "robot"),
    ("webhooks", "organisation"),
    ("add-webhook", "organisation"),
    ("*webhook", "webhook"),
    ("certify-donation", "donation counted"),
    ("donation-certificate", "donation counted"),
    ("certificate*", "certificate"),
    ("admin:supplies_certificate_*", "certificate"),
    ("shipment-book", "shipment draft"),
    ("shipment-dispatch*", "shipment booked"),
    ("shipment-units", "shipment booked"),
    ("shipment-unpack", "shipment packed"),
    ("shipment-declare", "shipment booked"),
    ("shipment-legs", "shipment booked"),
    ("shipment-split", "shipment booked"),
    ("shipment-merge", "shipment booked"),
    ("shipment-reassign", "shipment booked"),
    ("shipment-reach-hub", "shipment to a hub"),
    ("shipment-leave-hub", "shipment at a hub"),
    ("load-deliver", "load under way"),
    ("load-arrive", "load under way"),
    ("load-*", "load"),
    ("shipment-cancel", "shipment booked"),
    ("shipment-proofs", "shipment delivered"),
    ("shipment-thanks", "shipment counted"),
    ("shipment-receive", "shipment delivered"),
    ("count-shipment", "shipment delivered"),
    ("dock-shipment", "shipment booked"),
    ("shipment-returned", "shipment returning"),
    ("shipment*", "shipment in_transit"),
    ("proposal-agree", "proposal approved"),
    ("agree-for-*", "proposal approved"),
    ("decline", "proposal approved"),
    ("proposal-*", "proposal open"),
    ("shortfall-*", "shortfall"),
    ("still-lacking", "appeal published"),
    ("post-appeal", "facility"),
    ("pause", "facility"),
    ("standing-consent", "donor"),
    ("facility-*", "facility"),
    ("facility", "facility"),
    ("organisation", "organisation"),
    ("organisation-*", "organisation"),
    ("hand-in-evidence", "organisation"),
    ("donation-papers", "donation published"),
    ("members", "organisation"),
    ("invite", "organisation"),
    ("invitation", "invitation"),
    ("revoke-invitation", "invitation"),
    ("*-member", "membership"),
    ("revoke-key", "key"),
    ("attachment", "file"),
    ("contact-*", "contact"),
    ("reveal-contact", "contact"),
    ("reveal-*", "reveal"),
    ("promise", "allocation"),
    ("my-gift", "donation published"),
    ("*-donation", "donation published"),
    ("donation*", "donation published"),
    ("*appeal*", "appeal published"),
    ("foreignneed-*", "foreign need"),
    ("*-need", "need published"),
    ("need-*", "need published"),
    ("*offer*", "offer published"),
    ("allocation-*", "allocation"),
    ("matchingrun-*", "run"),
    ("track*", "shipment in_transit"),
    ("fhir-request", "need published"),
    ("fhir-delivery", "shipment in_transit"),
]
SHARED: list[tuple[str, Callable[[], Any]]] = [
    ("region-*", lambda: Region.objects.get(pk="420106")),
    ("item", lambda: Item.objects.active().order_by("pk").first()),
]
IN_OTHER_HOLES = {
    "what": "need",
    "app_label": "supplies",
    "url": "nothing/",
    "content_type_id": "1",
    "kind": "needs",
    "form": "csv",
    "dump": "20200101T000000Z",
    "file": "needs.jsonl.gz",
    "extension": "status",
    "paper": "labels",
}


@dataclass(frozen=True)
class Answer:
    """outcome    the status, with a plus when something was written: "200", "302+" """

    status: int
    wrote: bool
    body: bytes
    headers: Any

    @property
    def outcome(self) -> str:
        return f"{self.status}{'+' if self.wrote and self.status < 400 else ''}"


class Doors:
    """Knocks at doors of one world; whatever happens behind one is undone before the next."""

    def __init__(self, world: World, bodies: Callable[..., Any]) -> None:
        self.world, self.bodies = world, bodies
        self.clients = {role: self._client(world.people[role]) for role in ROLES}

    @staticmethod
    def _client(person: User | None) -> Client:
        client = Client(headers={"accept-language": "en"}, raise_request_exception=False)
        if person is not None:
            sign_in(client, person)
        return client

    def knock(self, role: str, route: Route, method: str, key: Any, side: Side) -> Answer:
        body, is_json = self.bodies(route, method, self.world, side)
        options = (
            {"data": json.dumps(body), "content_type": "application/json"} if is_json else {"data": body}
        )
        if method in ("GET", "HEAD", "OPTIONS", "TRACE", "DELETE") or body is None:
            options = {}
        if route.is_api and method in ("PUT", "PATCH"):
            read = [self.clients[who].get(address(route, key)) for who in (role, "admin")]
            seen = next((one.headers["ETag"] for one in read if "ETag" in one.headers), '"missing"')
            options["headers"] = {"if-match": seen}
        client = self.clients[role]
        cookies = client.cookies.copy()
        with transaction.atomic():
            before = written()
            answer = getattr(client, method.lower())(address(route, key), **options)
            if hasattr(answer, "render") and not answer.is_rendered:
                answer.render()
            wrote = written() > before
            transaction.set_rollback(True)
        client.cookies = cookies
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        return Answer(answer.status_code, wrote, content, answer.headers)


def written() -> int:
    """Rows written so far in this transaction."""
    return sum(count for table, count in counted() if table != NOT_COUNTED)


def objects(route: Route, world: World) -> Iterator[tuple[str, Any, Side]]:
    """What a route is tried on: (own | other | missing | -, its key, whose side it is)."""
    if not set(route.holes) - set(IN_OTHER_HOLES) - {"action"}:
        yield "-", None, world.own
        return
    row = _row(route, world.own)
    if row is None:
        shared = _shared(route)
        if shared is not None:
            yield "own", _key(route, shared, world.own), world.own
        yield "missing", _missing(route, shared), world.own
        return
    yield "own", _key(route, row, world.own), world.own
    yield "other", _key(route, _row(route, world.other), world.other), world.other
    yield "missing", _missing(route, row), world.own


def _row(route: Route, side: Side) -> Any:
    for pattern, name in ROW_OF:
        if fnmatch(route.name, pattern):
            return side[name]
    return None


def _shared(route: Route) -> Any:
    """A row that belongs to nobody: of the route's own model, if it has one."""
    for pattern, row in SHARED:
        if fnmatch(route.name, pattern):
            return row()
    model = _model(route)
    return model._default_manager.order_by("pk").first() if model else None


def _model(route: Route) -> type[models.Model] | None:
    if route.is_api:
        rows = getattr(route.view.cls, "queryset", None)
        return rows.model if rows is not None else None
    for model in admin.site._registry:
        names = (model._meta.app_label, model._meta.model_name)
        if route.name.startswith("admin:{}_{}_".format(*names)) or "/{}/{}/".format(*names) in route.path:
            return model
    return None


def _key(route: Route, row: models.Model, side: Side) -> Any:
    if route.name in side.codes:
        return side.codes[route.name]
    return row.code if "code" in route.holes else row.pk  # type: ignore[attr-defined]


def _missing(route: Route, like: models.Model | None) -> Any:
    if "code" in route.holes:
        return "2" * 26
    if like is None or isinstance(like._meta.pk, models.UUIDField):
        return uuid.UUID(int=1)
    return 987_654_321 if isinstance(like._meta.pk, models.AutoField) else "nothing"


def address(route: Route, key: Any) -> str:
    given = {**IN_OTHER_HOLES, "action": route.action}
    if route.name == route.path:
        path = route.path.replace("(?P<url>.*)$", "nothing/")
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda hole: str(given.get(hole[1], key)), path)
    name = route.name.partition("/")[0]
    return reverse(name, kwargs={hole: given.get(hole, key) for hole in route.holes})


def filled_in(form: forms.Form) -> dict[str, Any]:
    """The least a form lets through: something in every field it asks for."""
    sent: dict[str, Any] = {}
    for name, one in form.fields.items():
        if not one.required:
            continue
        if isinstance(one, forms.ModelChoiceField):
            sent[name] = one.queryset.values_list("pk", flat=True).first()  # type: ignore[union-attr]
        elif isinstance(one, forms.ChoiceField):
            sent[name] = next(value for value, _label in one.choices if value)  # type: ignore[union-attr]
        elif isinstance(one, forms.BooleanField):
            sent[name] = "on"
        elif isinstance(one, forms.IntegerField):
            sent[name] = "1"
        else:
            sent[name] = "演练"
    return sent
