"""Carriers of tests, and how they speak."""

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.test import Client

from supplies.carriers import generic, kuaidi100, services
from supplies.carriers.interfaces import Said
from supplies.carriers.models import CarrierAccount
from supplies.organisations.models import Organisation
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from supplies.shipments.sightings import Word
from supplies.shipments.tracking import TrackingCode
from tests.makers import NOW, make_organisation, make_shipment

SECRET = "whsec_" + base64.b64encode(b"practice " * 4).decode()
OTHER = "whsec_" + base64.b64encode(b"another! " * 4).decode()
SALT = "practice-salt"
WORDS = {"0": "in_transit", "1": "picked_up", "5": "out_for_delivery", "3": "delivered"}


def make_words() -> None:
    for code, status in WORDS.items():
        TrackingCode.objects.get_or_create(
            vocabulary="kuaidi100", code=code, defaults={"label": f"词{code}", "status": status}
        )
    for code in ("transporting", "arriving"):
        TrackingCode.objects.get_or_create(
            vocabulary="generic", code=code, defaults={"label": code, "status": "in_transit"}
        )


def make_account(interface: str = "generic", *, secret: str = "", **fields: Any) -> CarrierAccount:
    make_words()
    carrier = fields.pop("carrier", None) or make_organisation("carrier")
    account = CarrierAccount(carrier=carrier, name=f"演练 {interface}", interface=interface, **fields)
    given = secret or (SECRET if interface == "generic" else SALT)
    return services.open_account(account, secret=given, by=None, at=NOW)


def carried_by(carrier: Organisation, waybill: str, status: str = "in_transit") -> Shipment:
    """A shipment of the carrier under that waybill number."""
    shipment = make_shipment()
    if status == "draft":
        return shipment
    shipment = moving.book(shipment, carrier=carrier, waybill=waybill, by=None, at=NOW)
    return shipment if status == "booked" else moving.dispatch(shipment, by=None, at=NOW)


def event(names: str, external_id: str = "e1", **said: Any) -> dict[str, Any]:
    """As the batch upload and generic webhooks take it."""
    said = said or {"step": "transporting"}
    return {"names": names, "external_id": external_id, "occurred_at": NOW.isoformat(), **said}


def word(names: str, external_id: str = "e1", *, at: datetime = NOW, code: str = "0") -> Said:
    return Said(names, Word(at, external_id=external_id, vocabulary="kuaidi100", code=code))


def signed(
    events: Any, *, secret: str = SECRET, name: str = "msg_1", at: datetime = NOW
) -> tuple[bytes, dict[str, str]]:
    """The body of a generic webhook, and its headers."""
    body = events if isinstance(events, bytes) else json.dumps({"events": events}).encode()
    sent = str(int(at.timestamp()))
    headers = {
        "webhook-id": name,
        "webhook-timestamp": sent,
        "webhook-signature": generic.sign(secret, name, sent, body),
    }
    return body, headers


def pushed(number: str, entries: Sequence[Mapping[str, Any]], *, salt: str = SALT, state: str = "0") -> bytes:
    """A push of 快递100, as its documents show it."""
    result = {"message": "ok", "state": state, "status": "200", "condition": "F00", "ischeck": "0"}
    result |= {"com": "yuantong", "nu": number, "data": list(entries)}  # type: ignore[dict-item]
    param = json.dumps(
        {"status": "polling", "billstatus": "got", "message": "", "lastResult": result}, ensure_ascii=False
    )
    return urlencode({"sign": kuaidi100.sign(param, salt), "param": param}).encode()


def entry(
    time: str, code: str | None = "0", context: str = "演练中转场 已发出", **more: Any
) -> dict[str, Any]:
    given = {"time": time, "ftime": time, "context": context, "areaName": "湖北,武汉市", "status": "在途"}
    return given | ({} if code is None else {"statusCode": code}) | more


def send(account: CarrierAccount, body: bytes, headers: Mapping[str, str] | None = None) -> Any:
    kind = "application/json" if account.interface == "generic" else "application/x-www-form-urlencoded"
    return Client(HTTP_ACCEPT_LANGUAGE="en").post(
        f"/hooks/carriers/{account.pk}/", body, content_type=kind, headers=dict(headers or {})
    )
