"""What is sent through each door that takes something: enough for the right person to get through."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin

from supplies.organisations.admin import CheckVerb
from supplies.organisations.previewing import OneVerb
from tests.access.doors import filled_in
from tests.access.routes import Route
from tests.access.world import HEADING, Side, World
from tests.makers import TODAY, make_emergency, make_item
from tests.page_client import lines

Body = Callable[[World, Side], Any]
REASON = {"reason": "演练：不再需要"}
DAY = str(TODAY + timedelta(days=5))


def _line(side: Side, state: str) -> int:
    """The only line of the shipment in this state."""
    key: int = side[f"shipment {state}"].lines.get().pk
    return key


API: dict[str, Body] = {
    "appeal-list": lambda world, side: {
        "facility": str(side.site.pk),
        "emergency": make_emergency().pk,
        "lines": [{"item": make_item().pk, "quantity": 10}],
    },
    "donation-list": lambda world, side: {
        "organisation": str(side.donor.pk),
        "emergency": make_emergency().pk,
        "region": side.region.pk,
        "lines": [{"item": make_item().pk, "quantity": 10}],
    },
    "need-detail": lambda world, side: {"urgency": 1},
    "offer-detail": lambda world, side: {"quantity": 6000},
    "contact-reveal": lambda world, side: {"purpose": "verify"},
    "organisation-calls": lambda world, side: {"origin": "register", "outcome": "confirmed"},
    "organisation-verify": lambda world, side: {
        "verdict": "refused",
        "motive": "演练：没人认识",
        "public_note": "演练：请提交盖章的信函",
    },
    "proposal-list": lambda world, side: {
        "need": str(side["appeal published"].needs.order_by("pk").first().pk),
        "offer": str(side["donation published"].offers.order_by("pk").last().pk),
        "quantity": 100,
        "reason": "transport",
    },
    "matchingrun-list": lambda world, side: {"emergency": make_emergency().pk},
    "intake": lambda world, side: {"text": "演练：急需医用外科口罩1000个，电话 000-0000-001"},
    "change-request-list": lambda world, side: {"need": str(side["need published"].pk), "kind": "fake"},
    "proposal-decline": lambda world, side: REASON,
    "allocation-release": lambda world, side: REASON,
    "savedsearch-list": lambda world, side: {"over": "needs", "q": "drill"},
    "api-notification-choices": lambda world, side: {
        "timezone": "Asia/Shanghai",
        "quiet_from": None,
        "quiet_until": None,
        "choices": [],
    },
    "webhookendpoint-list": lambda world, side: {
        "organisation": str(side.hospital.pk),
        "url": "https://hooks.example.org/new",
        "kinds": ["need.opened"],
    },
    "webhookendpoint-replay": lambda world, side: {"since": "2026-11-20T00:00:00Z"},
    "allocation-keep": lambda world, side: REASON,
    "shipment-list": lambda world, side: {"allocations": [str(side["allocation"].pk)]},
    "shipment-book": lambda world, side: {"carrier": str(side.carrier.pk)},
    "shipment-units": lambda world, side: {
        "units": [{"kind": "carton", "contents": [{"line": _line(side, "booked"), "quantity": 100}]}]
    },
    "shipment-unpack": lambda world, side: {"units": [side["shipment packed"].units.get().pk]},
    "shipment-declare": lambda world, side: {"gross_weight_g": 20_000},
    "shipment-legs": lambda world, side: {
        "legs": [
            {"from_region": "420106", "to_region": "420106", "carrier": str(side.carrier.pk)},
            {"from_region": "420106", "to_region": "420106", "carrier": str(side.carrier.pk)},
        ]
    },
    "shipment-split": lambda world, side: {
        "lines": [{"line": _line(side, "booked"), "quantity": 40}],
        **REASON,
    },
    "shipment-merge": lambda world, side: {"other": str(side["shipment packed"].pk), **REASON},
    "shipment-reassign": lambda world, side: {"carrier": str(side["other carrier"].pk), **REASON},
    "load-list": lambda world, side: {
        "consignee": str(side["facility"].pk),
        "hub_region": "420106",
        "carrier": str(side.carrier.pk),
        "shipments": [str(side["shipment booked"].pk)],
    },
    "load-add": lambda world, side: {"shipments": [str(side["shipment booked"].pk)]},
    "load-remove": lambda world, side: {"shipments": [str(side["load"].places.get().shipment_id)]},
    "shipment-events": lambda world, side: {"step": "transporting", "occurred_at": "2026-11-23T07:00:00Z"},
    "tracking-events": lambda world, side: {
        "events": [
            {
                "names": str(side["shipment in_transit"].pk),
                "external_id": "e1",
                "occurred_at": "2026-11-23T07:00:00Z",
                "step": "transporting",
            }
        ]
    },
    "shipment-receive": lambda world, side: {
        "lines": [{"line": side["shipment delivered"].lines.get().pk, "accepted": 100}]
    },
    "shipment-correct": lambda world, side: {
        "lines": [{"line": side["shipment counted"].lines.get().pk, "accepted": 80, "damaged": 20}],
        "because": "演练：数错了",
    },
    "shipment-reroute": lambda world, side: {"to": str(side["spare need"].appeal.facility_id), **REASON},
    "shipment-thanks": lambda world, side: {"words": "演练：谢谢"},
    "track-followers": lambda world, side: {"email": "drill@example.org"},
    "ticket-answer": lambda world, side: {"proposed": "replaced"},
    "ticket-settle": lambda world, side: {"outcome": "written_off"},
}
CONTACT = {"contact_name": "演练", "contact_phone": "000-0000-001"}
PAGES: dict[str, Body] = {
    "post-appeal": lambda world, side: lines(
        {"item": make_item().pk, "quantity_kind": "number", "amount": "10", "setting": "general"},
        emergency=make_emergency().pk,
        accepted_senders=["company"],
        **CONTACT,
    ),
    "post-donation": lambda world, side: lines(
        {"item": make_item().pk, "amount": "10"},
        emergency=make_emergency().pk,
        donor=str(side.donor.pk),
        province="420000",
        city="420100",
        district="420106",
        sender_kind="company",
        direction="anywhere",
        mode="road",
        available_from=str(TODAY),
        **CONTACT,
    ),
    "check-offer": lambda world, side: lines(
        {"item": make_item().pk, "amount": "10"}, emergency=make_emergency().pk, sender_kind="company"
    ),
    "count-shipment": lambda world, side: {
        f"line-{side['shipment delivered'].lines.get().pk}-accepted": "100"
    },
    "dock-shipment": lambda world, side: {"move": "dispatch"},
    "correct-count": lambda world, side: {
        f"line-{side['shipment counted'].lines.get().pk}-accepted": "80",
        "because": "演练：数错了",
    },
    "tickets": lambda world, side: {
        "ticket": str(side["ticket"].pk),
        "do": "settle",
        "outcome": "written_off",
    },
    "reroute": lambda world, side: {"to": str(side["spare need"].appeal.facility_id), **REASON},
    "thank": lambda world, side: {"words": "演练：谢谢"},
    "follow-shipment": lambda world, side: {"email": "drill@example.org"},
    "register-hospital": lambda world, side: {
        "name": "演练新医院",
        "province": "420000",
        "city": "420100",
        "district": "420106",
        "address": "演练路2号",
    },
    "decline": lambda world, side: REASON,
    "decline-change-request": lambda world, side: REASON,
    "report": lambda world, side: {"kind": "fake"},
    "reveal-contact": lambda world, side: {"purpose": "verify"},
    "invite": lambda world, side: {"role": "hospital"},
    "add-webhook": lambda world, side: {"url": "https://hooks.example.org/new", "kinds": ["need.opened"]},
    "replay-webhook": lambda world, side: {"since": str(TODAY)},
    "save-search": lambda world, side: {"query": "q=drill"},
    "save-offers-search": lambda world, side: {"organisation": str(side.hospital.pk)},
    "rename-search": lambda world, side: {"name": "drill"},
    "choose-hours": lambda world, side: {"timezone": "Asia/Shanghai"},
    "set-up-robot": lambda world, side: {
        "wecom-address": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=drill"
    },
    "issue-key": lambda world, side: {"name": "演练", "scopes": ["read"], "expires_on": DAY},
    "change-name": lambda world, side: {"first_name": "演练"},
    "language": lambda world, side: {"language": "en"},
}

LINE = {"answered": "yes", "heading": HEADING}
# What is typed there has no list to choose from, or what is asked depends on the row.
ABOUT_ROWS: dict[str, Callable[[Side], dict[str, Any]]] = {
    "admin:matching_proposal_do/approve_fewer": lambda side: {
        "answered": "yes",
        "quantity": side["proposal open"].quantity,
        "reason": "transport",
    },
    "admin:supplies_shipment_do/reroute": lambda side: {
        "answered": "yes",
        "to": str(side["spare need"].appeal.facility_id),
        **REASON,
    },
    "admin:supplies_shipment_do/split": lambda side: {
        "answered": "yes",
        f"line_{_line(side, 'booked')}": "40",
        **REASON,
    },
    "admin:supplies_stagedrow_do/goods": lambda side: {**LINE, "item": make_item().pk},
    "admin:supplies_stagedrow_do/nothing": lambda side: LINE,
    "admin:supplies_stagedrow_do/quantity": lambda side: {
        **LINE,
        "quantity": "20",
        "quantity_kind": "number",
    },
    "admin:supplies_stagedrow_do/unit": lambda side: {**LINE, "times": "20"},
    "admin:supplies_stagedrow_do/place": lambda side: {"region": side.region.pk},
    "admin:supplies_stagedrow_do/name": lambda side: {"organisation": side.hospital.name},
}


def body_for(route: Route, method: str, world: World, side: Side) -> tuple[Any, bool]:
    """What is sent, and whether as JSON."""
    if method not in ("POST", "PUT", "PATCH"):
        return None, False
    if route.is_api:
        return API.get(route.name, lambda world, side: {})(world, side), True
    if route.action:
        about = ABOUT_ROWS.get(route.name, lambda side: {})(side)
        return {**_answers(route, world), **about}, False
    return PAGES.get(route.name, lambda world, side: {})(world, side), False


def _answers(route: Route, world: World) -> dict[str, Any]:
    asked = form_of(route)
    filled = filled_in(asked) if asked else {}
    answered = {name: value for name, value in filled.items() if value is not None}  # nothing to choose from
    return {"answered": "yes", **answered} if asked else {}


def form_of(route: Route) -> forms.Form | None:
    """What an action of the desk asks before it does anything."""
    for model, desk in admin.site._registry.items():
        if route.name.startswith(f"admin:{model._meta.app_label}_{model._meta.model_name}_do/"):
            verb = next(verb for verb in desk.actions if verb.__name__ == route.action)
            if verb.asks is None or isinstance(verb, OneVerb):
                return None  # what it asks depends on the row
            return verb.asks(**({"organisation": None} if isinstance(verb, CheckVerb) else {}))
    return None
