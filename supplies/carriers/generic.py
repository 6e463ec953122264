"""The generic interface: webhooks signed as Standard Webhooks are, with the events of the API's batch upload.

POST with the headers `webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature` (`v1,` and the base64 of
HMAC-SHA256 over id.timestamp.body; several, separated by spaces, while secrets rotate). The secret is `whsec_` and base64.
Body: {"events": [{"names" (or "waybill", "shipment"), "external_id", "occurred_at", "step", "vocabulary", "code", …}]}.
Specification: standardwebhooks.com, version 1.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from supplies.carriers.interfaces import NotRead, NotSigned, Said, degrees_of, text_of
from supplies.shipments.sightings import Word
from supplies.shipments.tracking import Step

WINDOW = timedelta(minutes=5)
MOST_EVENTS = 1_000
SECONDS = re.compile(r"\d{1,12}", re.ASCII)
PREFIX = "whsec_"


class Generic:
    vocabulary = "generic"

    def verify(self, secrets: Sequence[str], body: bytes, headers: Mapping[str, str], *, at: datetime) -> str:
        name, sent = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        given = headers.get("webhook-signature", "").split()
        if not name or len(name) > 200 or not SECONDS.fullmatch(sent) or not given:
            raise NotSigned(
                _("Send webhook-id, webhook-timestamp and webhook-signature."), code="signature-missing"
            )
        if not any(
            hmac.compare_digest(signature.encode(), sign(secret, name, sent, body).encode())
            for secret in secrets
            for signature in given
        ):
            raise NotSigned(_("The signature does not fit. Is this the secret of this account?"))
        if abs(at.timestamp() - int(sent)) > WINDOW.total_seconds():
            raise NotSigned(
                _("This was signed more than five minutes ago, or lies in the future. Sign it anew."),
                code="too-old",
            )
        return name

    def parse(self, body: str, *, at: datetime) -> list[Said | NotRead]:
        try:
            events = json.loads(body)["events"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NotRead(_("Send a JSON object with a list of events.")) from None
        if not isinstance(events, list) or len(events) > MOST_EVENTS:
            raise NotRead(_("Send at most %(most)d events at once.") % {"most": MOST_EVENTS})
        return [_read(event) for event in events]

    def thanks(self) -> Mapping[str, Any]:
        return {}


def sign(secret: str, name: str, sent: str, body: bytes) -> str:
    """The `v1,…` of a delivery."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, b".".join((name.encode(), sent.encode(), body)), hashlib.sha256)
    return "v1," + base64.b64encode(digest).decode()


def check_secret(secret: str) -> None:
    """Raises NotRead for what no key can be made of."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise NotRead(_("A secret is whsec_ and the base64 of 24 to 64 bytes."), code="not-a-secret")


def _read(event: Any) -> Said | NotRead:
    try:
        if not isinstance(event, dict):
            raise NotRead(_("An event is a JSON object."))
        return said(event)
    except NotRead as fault:
        return fault


def said(event: Mapping[str, Any]) -> Said:
    """An event as the API takes it. Raises NotRead."""
    names = text_of(event, "names") or text_of(event, "waybill") or text_of(event, "shipment")
    if not names or len(names) > 60:
        raise NotRead(
            _("Say of which shipment: its waybill number, tracking code or id."), code="names-nothing"
        )
    step = text_of(event, "step")
    if step and step not in Step.values:
        raise NotRead(_("There is no step called %(step)s.") % {"step": step[:40]}, code="unknown-step")
    code = text_of(event, "code")
    if not step and not code:
        raise NotRead(_("Say what was seen: a step, or a code of a vocabulary."), code="says-nothing")
    word = Word(
        occurred_at=_moment(event.get("occurred_at")),
        external_id=text_of(event, "external_id") or digest_of(event),
        step=step,
        vocabulary=(text_of(event, "vocabulary") or Generic.vocabulary) if code else "",
        code=code,
        disposition=text_of(event, "disposition"),
        place=text_of(event, "place", cut=True),
        label=text_of(event, "label", cut=True),
        note=text_of(event, "note", cut=True),
        temperature_c=degrees_of(event, "temperature_c"),
        logger=text_of(event, "logger"),
    )
    if word.logger and word.temperature_c is None:
        raise NotRead(_("Say what the logger read."), code="reads-nothing")
    return Said(names, word, raw=event)


def _moment(given: Any) -> datetime:
    """An instant. One without an offset may be any of twenty-six hours."""
    try:
        found = parse_datetime(given) if isinstance(given, str) else None
        if found is None or found.tzinfo is None:
            raise ValueError
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotRead(
            _("Write occurred_at as 2020-02-29T13:00:00+08:00, with its offset."), code="time-unreadable"
        ) from None


def digest_of(event: Mapping[str, Any]) -> str:
    """An id for an event whose sender gives none: the same for the same words."""
    words = json.dumps(event, sort_keys=True, ensure_ascii=True, default=str)
    return "sha256:" + hashlib.sha256(words.encode()).hexdigest()[:40]
