"""A valid request for every operation of the API that changes something: what tests generated from its description send.

An operation without a case fails `tests/test_once.py`.
"""

from collections.abc import Callable
from functools import partial
from io import BytesIO
from itertools import pairwise
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.generators import SchemaGenerator
from PIL import Image

from matching import services as answering
from matching.models import ProposalStatus
from supplies.change_requests import services as corrections
from supplies.loads import services as loads
from supplies.notices import services as hooks
from supplies.organisations import services as people
from supplies.organisations.models import User
from supplies.receipts import services as receiving
from supplies.regions.models import Region
from supplies.shipments import legs as routing
from supplies.shipments import packing
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from supplies.shipments.units import HandlingUnit
from tests.makers import (
    NOW,
    make_allocation,
    make_appeal,
    make_delivery,
    make_donation,
    make_emergency,
    make_facility,
    make_item,
    make_need,
    make_notice,
    make_offer,
    make_organisation,
    make_proposal,
    make_region,
    make_search,
    make_shipment,
    make_user,
    make_webhook,
)

Case = Callable[[], tuple[str, dict[str, Any]]]
READING = {"get", "head", "options", "trace"}
ONLY_ANSWERS = {"POST /api/v1/intake/"}  # a text is too long for an address; nothing is stored


def described() -> dict[str, Any]:
    """The description of the API, as it is served."""
    document: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return document


def mutating(document: dict[str, Any]) -> set[str]:
    """The operations of a description that change something, as "POST /api/v1/appeals/"."""
    return {
        f"{method.upper()} {path}"
        for path, operations in document["paths"].items()
        for method in operations
        if method not in READING and f"{method.upper()} {path}" not in ONLY_ANSWERS
    }


def an_appeal() -> tuple[str, dict[str, Any]]:
    line = {"item": make_item().pk, "quantity": 500}
    return "appeals/", {
        "facility": str(make_facility().pk),
        "emergency": make_emergency().pk,
        "lines": [line],
    }


def a_donation() -> tuple[str, dict[str, Any]]:
    donor = make_organisation("donor")
    make_offer()  # brings what offers refer to
    body = {"organisation": str(donor.pk), "emergency": make_emergency().pk, "region": donor.region_id}
    return "donations/", {**body, "lines": [{"item": make_item().pk, "quantity": 500}]}


def a_run() -> tuple[str, dict[str, Any]]:
    return "matching-runs/", {"emergency": make_emergency().pk}


def a_facility(verb: str, *, paused: bool) -> tuple[str, dict[str, Any]]:
    site = make_facility()
    if paused:
        people.pause(site, reason="full", by=None, at=NOW)
    return f"facilities/{site.pk}/{verb}/", {}


def a_need(verb: str = "", **body: Any) -> tuple[str, dict[str, Any]]:
    return f"needs/{make_need().pk}/{verb}", body


def a_proposal(verb: str, status: str, **body: Any) -> tuple[str, dict[str, Any]]:
    proposal = make_proposal()
    if status == ProposalStatus.APPROVED:
        answering.approve(proposal, by=make_user(), at=NOW)
    return f"proposals/{proposal.pk}/{verb}/", body


def a_load() -> tuple[str, dict[str, Any]]:
    return "shipments/", {"allocations": [str(make_allocation().pk)]}


def a_shipment(verb: str, status: str, **body: Any) -> tuple[str, dict[str, Any]]:
    """A shipment that stands right before the verb."""
    shipment = make_shipment(status="in_transit" if status == "returning" else status)
    if status == "returning":
        moving.send_back(shipment, by=None, at=NOW)
    if verb == "receive":
        body["lines"] = [{"line": shipment.lines.get().pk, "accepted": 100}]
    if verb == "correct":
        lines = [{"line": shipment.lines.get().pk, "accepted": 90}]
        receiving.receive(shipment, counts=[{"line": shipment.lines.get(), "accepted": 100}], by=None, at=NOW)
        body |= {"lines": lines, "because": "Ten were missing."}
    if verb == "reroute":
        body |= {"to": str(make_need(quantity=100).appeal.facility_id), "reason": "full"}
    if verb == "book":
        body["carrier"] = str(make_organisation("carrier").pk)
    return f"shipments/{shipment.pk}/{verb}/", body


LEGS = ["420106", "420105", "420104"]


def a_shipment_of(*legs: str, status: str = "booked") -> Shipment:
    """By one carrier, from region to region."""
    carrier = make_organisation("carrier")
    shipment = make_shipment(carrier=carrier, status="booked")
    for code in legs:
        make_region(code)
    plan = [
        {"from_region": Region(pk=start), "to_region": Region(pk=end), "carrier": carrier}
        for start, end in pairwise(legs)
    ]
    routing.plan(shipment, legs=plan, by=None, at=NOW)
    return moving.dispatch(shipment, by=None, at=NOW) if status == "in_transit" else shipment


def a_change(verb: str) -> tuple[str, dict[str, Any]]:
    """A booked shipment, right before it is changed or goes on from a hub."""
    shipment = a_shipment_of(*LEGS, status="in_transit" if verb.endswith("-hub") else "booked")
    line, reason = shipment.lines.get(), {"reason": "The van is full."}
    if verb == "leave-hub":
        routing.reach_hub(shipment, by=None, at=NOW)
    bodies: dict[str, Any] = {
        "units": lambda: {"units": [{"kind": "carton", "contents": [{"line": line.pk, "quantity": 100}]}]},
        "unpack": lambda: {"units": [a_carton(shipment).pk]},
        "declare": lambda: {"min_temp_c": 2, "max_temp_c": 8},
        "legs": lambda: {"legs": []},
        "split": lambda: {"lines": [{"line": line.pk, "quantity": 40}], **reason},
        "merge": lambda: {"other": str(another_of(shipment).pk), **reason},
        "reassign": lambda: {"carrier": str(make_organisation("carrier").pk), **reason},
    }
    return f"shipments/{shipment.pk}/{verb}/", bodies[verb]() if verb in bodies else {}


def a_carton(shipment: Shipment) -> HandlingUnit:
    contents = [{"line": shipment.lines.get(), "quantity": 100}]
    return packing.pack(shipment, units=[{"kind": "carton", "contents": contents}], by=None, at=NOW)[0]


def another_of(shipment: Shipment) -> Shipment:
    """Of the same donor to the same facility."""
    return make_shipment(
        make_allocation(need=make_need(shipment.consignee), offer=make_offer(shipment.consignor))
    )


def a_gathering() -> tuple[str, dict[str, Any]]:
    shipment = make_shipment(status="booked")
    return "loads/", {
        "consignee": str(shipment.consignee_id),
        "hub_region": shipment.consignee.region_id,
        "carrier": str(make_organisation("carrier").pk),
        "shipments": [str(shipment.pk)],
    }


def a_consolidated_load(verb: str) -> tuple[str, dict[str, Any]]:
    """A load right before the verb, with a shipment on it that starts at the hub."""
    shipment = make_shipment(status="booked")
    assert shipment.carrier is not None
    load = loads.gather(
        shipment.consignee,
        hub_region=shipment.consignee.region,
        carrier=shipment.carrier,
        shipments=[] if verb == "add" else [shipment],
        by=None,
        at=NOW,
    )
    if verb in ("arrive", "deliver"):
        loads.dispatch(load, by=None, at=NOW)
    body = {"shipments": [str(shipment.pk)]} if verb in ("add", "remove") else {}
    return f"loads/{load.pk}/{verb}/", body


def a_batch() -> tuple[str, dict[str, Any]]:
    shipment = make_shipment(status="in_transit")
    event = {"names": str(shipment.pk), "external_id": "e1", **SEEN}
    return "tracking-events/", {"events": [event], "carrier": str(shipment.carrier_id)}


def an_allocation() -> tuple[str, dict[str, Any]]:
    return f"allocations/{make_allocation().pk}/release/", {"reason": "changed"}


def a_kept_allocation() -> tuple[str, dict[str, Any]]:
    allocation = make_allocation()
    people.pause(allocation.need.appeal.facility, reason="full", by=None, at=NOW)
    return f"allocations/{allocation.pk}/keep/", {"reason": "They open on Monday."}


def a_ticket(verb: str, **body: Any) -> tuple[str, dict[str, Any]]:
    shipment = make_shipment(status="delivered")
    counts = [{"line": shipment.lines.get(), "accepted": 90}]
    receiving.receive(shipment, counts=counts, by=None, at=NOW)
    return f"tickets/{shipment.tickets.get().pk}/{verb}/", body


def a_match_by_hand() -> tuple[str, dict[str, Any]]:
    need, offer = make_need(quantity=100), make_offer(quantity=100)
    sides = {"need": str(need.pk), "offer": str(offer.pk)}
    return "proposals/", {**sides, "quantity": 100, "reason": "transport"}


def a_contact() -> tuple[str, dict[str, Any]]:
    contact = people.keep_contact(make_organisation(), phone="000-1234", at=NOW)
    return f"contacts/{contact.pk}/reveal/", {"purpose": "verify"}


def an_organisation(verb: str, **body: Any) -> tuple[str, dict[str, Any]]:
    return f"organisations/{make_organisation(verified=False).pk}/{verb}/", body


def a_report_taken_back() -> tuple[str, dict[str, Any]]:
    made = corrections.report(make_need(), kind="not_needed", by=None, at=NOW)
    return f"change-requests/{made.code}/take-back/", {}


def who_asks() -> User:
    """The administrator every case is tried as: what is one's own is hers."""
    return User.objects.filter(is_superuser=True).first() or make_user(is_superuser=True)


def a_webhook(verb: str, **body: Any) -> tuple[str, dict[str, Any]]:
    endpoint = make_webhook()
    if verb == "enable":
        hooks.disable(endpoint, by=None, at=NOW)
    return f"webhook-endpoints/{endpoint.pk}/{verb}/", body


def a_new_webhook() -> tuple[str, dict[str, Any]]:
    owner = make_organisation("carrier")
    return "webhook-endpoints/", {
        "organisation": str(owner.pk),
        "url": "https://hooks.example.org/in",
        "kinds": ["shipment.departed"],
    }


def a_gift_that_was_counted() -> tuple[str, dict[str, Any]]:
    shipment = make_shipment(status="delivered")
    line = shipment.lines.get()
    receiving.receive(shipment, counts=[{"line": line, "accepted": 100}], by=None, at=NOW)
    return f"donations/{line.allocation.offer.donation_id}/certificate/", {}


class Picture(SimpleUploadedFile):
    """A small photograph, read from its beginning as often as it is sent."""

    def __init__(self) -> None:
        made = BytesIO()
        Image.new("RGB", (8, 8), "red").save(made, "JPEG")
        super().__init__("goods.jpg", made.getvalue(), "image/jpeg")

    def read(self, *args: Any) -> bytes:
        self.seek(0)
        return bytes(super().read(*args))


def a_picture() -> tuple[str, dict[str, Any]]:
    return f"shipments/{make_shipment(status='delivered').pk}/proofs/", {"file": Picture()}


def thanks() -> tuple[str, dict[str, Any]]:
    shipment = make_shipment(status="delivered")
    receiving.receive(shipment, counts=[{"line": shipment.lines.get(), "accepted": 100}], by=None, at=NOW)
    return f"shipments/{shipment.pk}/thanks/", {"words": "演练：谢谢"}


def a_follower() -> tuple[str, dict[str, Any]]:
    return f"track/{make_shipment(status='booked').code}/followers/", {"email": "drill@example.org"}


SEEN = {"occurred_at": "2026-11-23T07:00:00Z", "step": "transporting"}
CASES: dict[str, Case] = {
    "POST /api/v1/allocations/{id}/keep/": a_kept_allocation,
    "POST /api/v1/allocations/{id}/release/": an_allocation,
    "POST /api/v1/appeals/": an_appeal,
    "POST /api/v1/appeals/{id}/withdraw/": lambda: (f"appeals/{make_appeal().pk}/withdraw/", {}),
    "POST /api/v1/change-requests/": lambda: (
        "change-requests/",
        {"need": str(make_need().pk), "kind": "fake"},
    ),
    "POST /api/v1/change-requests/{code}/take-back/": a_report_taken_back,
    "POST /api/v1/contacts/{id}/reveal/": a_contact,
    "POST /api/v1/donations/": a_donation,
    "POST /api/v1/donations/{id}/certificate/": a_gift_that_was_counted,
    "POST /api/v1/donations/{id}/withdraw/": lambda: (f"donations/{make_donation().pk}/withdraw/", {}),
    "POST /api/v1/facilities/{id}/pause/": partial(a_facility, "pause", paused=False),
    "POST /api/v1/facilities/{id}/resume/": partial(a_facility, "resume", paused=True),
    "POST /api/v1/matching-runs/": a_run,
    "PATCH /api/v1/needs/{id}/": partial(a_need, quantity=700),
    "POST /api/v1/needs/{id}/confirm/": partial(a_need, "confirm/"),
    "POST /api/v1/needs/{id}/not-needed/": partial(a_need, "not-needed/"),
    "PATCH /api/v1/offers/{id}/": lambda: (f"offers/{make_offer().pk}/", {"quantity": 700}),
    "POST /api/v1/offers/{id}/withdraw/": lambda: (f"offers/{make_offer().pk}/withdraw/", {}),
    "POST /api/v1/organisations/{id}/calls/": partial(
        an_organisation, "calls", origin="register", outcome="confirmed"
    ),
    "POST /api/v1/organisations/{id}/verify/": partial(
        an_organisation,
        "verify",
        verdict="refused",
        motive="Nobody knows them.",
        public_note="Hand in a letter.",
    ),
    "POST /api/v1/proposals/": a_match_by_hand,
    "POST /api/v1/proposals/{id}/accept/": partial(a_proposal, "accept", ProposalStatus.OPEN),
    "POST /api/v1/proposals/{id}/agree/": partial(a_proposal, "agree", ProposalStatus.APPROVED, side="donor"),
    "POST /api/v1/proposals/{id}/approve/": partial(a_proposal, "approve", ProposalStatus.OPEN),
    "POST /api/v1/proposals/{id}/decline/": partial(
        a_proposal, "decline", ProposalStatus.OPEN, reason="late"
    ),
    "POST /api/v1/shipments/": a_load,
    "POST /api/v1/shipments/{id}/arrive/": partial(a_shipment, "arrive", "in_transit"),
    "POST /api/v1/shipments/{id}/book/": partial(a_shipment, "book", "draft"),
    "POST /api/v1/shipments/{id}/cancel/": partial(a_shipment, "cancel", "draft"),
    "POST /api/v1/shipments/{id}/correct/": partial(a_shipment, "correct", "delivered"),
    "POST /api/v1/shipments/{id}/reroute/": partial(a_shipment, "reroute", "in_transit"),
    "POST /api/v1/tickets/{id}/answer/": partial(a_ticket, "answer", proposed="replaced"),
    "POST /api/v1/tickets/{id}/settle/": partial(a_ticket, "settle", outcome="written_off"),
    "POST /api/v1/shipments/{id}/deliver/": partial(a_shipment, "deliver", "in_transit"),
    "POST /api/v1/shipments/{id}/dispatch/": partial(a_shipment, "dispatch", "booked"),
    "POST /api/v1/shipments/{id}/events/": partial(a_shipment, "events", "in_transit", **SEEN),
    "POST /api/v1/shipments/{id}/lose/": partial(a_shipment, "lose", "in_transit", note="burnt"),
    "POST /api/v1/shipments/{id}/proofs/": a_picture,
    "POST /api/v1/shipments/{id}/receive/": partial(a_shipment, "receive", "delivered"),
    "POST /api/v1/shipments/{id}/thanks/": thanks,
    "POST /api/v1/track/{code}/followers/": a_follower,
    "POST /api/v1/shipments/{id}/return/": partial(a_shipment, "return", "in_transit"),
    "POST /api/v1/shipments/{id}/returned/": partial(a_shipment, "returned", "returning"),
    "POST /api/v1/notification-choices/": lambda: (
        "notification-choices/",
        {"timezone": "Asia/Shanghai", "quiet_from": None, "quiet_until": None, "choices": []},
    ),
    "POST /api/v1/notices/{id}/read/": lambda: (f"notices/{make_notice(who_asks()).pk}/read/", {}),
    "POST /api/v1/notices/read-all/": lambda: (make_notice(who_asks()), ("notices/read-all/", {}))[1],
    "POST /api/v1/saved-searches/": lambda: ("saved-searches/", {"over": "needs", "q": "masks"}),
    "POST /api/v1/saved-searches/{id}/remove/": lambda: (
        f"saved-searches/{make_search(who_asks()).pk}/remove/",
        {},
    ),
    "POST /api/v1/webhook-deliveries/{id}/replay/": lambda: (
        f"webhook-deliveries/{make_delivery(status='failed').pk}/replay/",
        {},
    ),
    "POST /api/v1/webhook-endpoints/": a_new_webhook,
    "POST /api/v1/webhook-endpoints/{id}/disable/": partial(a_webhook, "disable"),
    "POST /api/v1/webhook-endpoints/{id}/enable/": partial(a_webhook, "enable"),
    "POST /api/v1/webhook-endpoints/{id}/remove/": partial(a_webhook, "remove"),
    "POST /api/v1/webhook-endpoints/{id}/replay/": partial(a_webhook, "replay", since="2026-11-20T00:00:00Z"),
    "POST /api/v1/webhook-endpoints/{id}/rotate/": partial(a_webhook, "rotate"),
    "POST /api/v1/webhook-endpoints/{id}/test/": partial(a_webhook, "test"),
    "POST /api/v1/shipments/{id}/units/": partial(a_change, "units"),
    "POST /api/v1/shipments/{id}/unpack/": partial(a_change, "unpack"),
    "POST /api/v1/shipments/{id}/declare/": partial(a_change, "declare"),
    "POST /api/v1/shipments/{id}/legs/": partial(a_change, "legs"),
    "POST /api/v1/shipments/{id}/reach-hub/": partial(a_change, "reach-hub"),
    "POST /api/v1/shipments/{id}/leave-hub/": partial(a_change, "leave-hub"),
    "POST /api/v1/shipments/{id}/split/": partial(a_change, "split"),
    "POST /api/v1/shipments/{id}/merge/": partial(a_change, "merge"),
    "POST /api/v1/shipments/{id}/reassign/": partial(a_change, "reassign"),
    "POST /api/v1/loads/": a_gathering,
    "POST /api/v1/loads/{id}/add/": partial(a_consolidated_load, "add"),
    "POST /api/v1/loads/{id}/remove/": partial(a_consolidated_load, "remove"),
    "POST /api/v1/loads/{id}/dispatch/": partial(a_consolidated_load, "dispatch"),
    "POST /api/v1/loads/{id}/arrive/": partial(a_consolidated_load, "arrive"),
    "POST /api/v1/loads/{id}/deliver/": partial(a_consolidated_load, "deliver"),
    "POST /api/v1/loads/{id}/cancel/": partial(a_consolidated_load, "cancel"),
    "POST /api/v1/tracking-events/": a_batch,
}
