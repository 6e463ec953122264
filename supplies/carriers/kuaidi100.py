"""快递100: what it pushes, and what it answers when asked.

Push: a form with `param` (JSON) and `sign`, the upper-case MD5 of param and the salt of the subscription; nothing in it is a
timestamp, so a replay is known by its content alone. Newest entry of `lastResult.data` first; times are Beijing's. It wants to
hear {"result": true, "returnCode": "200"}, and comes again up to three times otherwise.
Query: `customer`, `sign` (upper-case MD5 of param, key and customer) and `param` with com, num, phone.
Shapes: api.kuaidi100.com, 快递信息推送 and 实时查询 (resultv2).
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from supplies.carriers.interfaces import NotRead, NotSigned, Said, text_of
from supplies.shipments.sightings import Word

BEIJING = ZoneInfo("Asia/Shanghai")
MOST_ENTRIES = 1_000


class Kuaidi100:
    vocabulary = "kuaidi100"

    def verify(self, secrets: Sequence[str], body: bytes, headers: Mapping[str, str], *, at: datetime) -> str:
        form = _form(body.decode("ascii", "replace"))
        given = form.get("sign", "").upper()
        if not given or not form.get("param"):
            raise NotSigned(_("Send the fields param and sign."), code="signature-missing")
        if not any(
            hmac.compare_digest(given.encode("utf-8", "replace"), sign(form["param"], salt).encode())
            for salt in secrets
        ):
            raise NotSigned(_("The signature does not fit. Is this the secret of this account?"))
        return hashlib.sha256(form["param"].encode("utf-8", "replace")).hexdigest()

    def parse(self, body: str, *, at: datetime) -> list[Said | NotRead]:
        try:
            result = json.loads(_form(body)["param"])["lastResult"]
        except (ValueError, KeyError, TypeError, RecursionError):
            raise NotRead(_("param is not JSON with a lastResult.")) from None
        return entries(result)

    def thanks(self) -> Mapping[str, Any]:
        return {"result": True, "returnCode": "200", "message": "成功"}


def sign(*parts: str) -> str:
    """MD5 is the carrier's choice, not ours; it shows who knows the salt as far as that goes."""
    return hashlib.md5("".join(parts).encode("utf-8", "replace"), usedforsecurity=False).hexdigest().upper()


def query(*, customer: str, key: str, company: str, number: str, phone: str = "") -> dict[str, str]:
    """The form of a query. Some carriers (顺丰) answer only with the last digits of a telephone number of a party."""
    param = json.dumps({"com": company, "num": number, "phone": phone, "resultv2": "4"}, ensure_ascii=False)
    return {"customer": customer, "sign": sign(param, key, customer), "param": param}


def answered(body: str) -> list[Said | NotRead]:
    """What a query was answered. Raises NotRead for an answer that is none, with the carrier's own code."""
    try:
        result = json.loads(body)
    except (ValueError, RecursionError):
        raise NotRead(_("The carrier's answer is not JSON.")) from None
    if not isinstance(result, dict) or result.get("result") is False or "data" not in result:
        code = str(result.get("returnCode", ""))[:10] if isinstance(result, dict) else ""
        raise NotRead(_("The carrier did not answer (%(code)s).") % {"code": code}, code="not-answered")
    return entries(result)


def entries(result: Any) -> list[Said | NotRead]:
    """The entries of a result, each with its own code; `state` is that of the newest alone."""
    if not isinstance(result, dict) or not isinstance(result.get("data"), list):
        raise NotRead(_("lastResult holds no list called data."))
    if len(result["data"]) > MOST_ENTRIES:
        raise NotRead(_("Send at most %(most)d events at once.") % {"most": MOST_ENTRIES})
    number = text_of(result, "nu")
    if not number or len(number) > 60:
        raise NotRead(
            _("Say of which shipment: its waybill number, tracking code or id."), code="names-nothing"
        )
    state = text_of(result, "state")
    return [
        _read(number, entry, state if position == 0 else "") for position, entry in enumerate(result["data"])
    ]


def _read(number: str, entry: Any, state: str) -> Said | NotRead:
    try:
        if not isinstance(entry, dict):
            raise NotRead(_("An event is a JSON object."))
        context = text_of(entry, "context", cut=True)
        code = text_of(entry, "statusCode") or state
        word = Word(
            occurred_at=_moment(text_of(entry, "time") or text_of(entry, "ftime")),
            external_id=_id(number, entry),
            vocabulary=Kuaidi100.vocabulary,
            code=code[:60],
            place=text_of(entry, "areaName", cut=True)[:120],
            label="" if code else text_of(entry, "status", cut=True)[:160],
            note=context,
        )
    except NotRead as fault:
        return fault
    return Said(number, word, raw=entry)


def _id(number: str, entry: Mapping[str, Any]) -> str:
    """Entries have no id: when and what make one, since every push holds all of them again."""
    words = "\n".join([number, *(str(entry.get(name) or "") for name in ("time", "context"))])
    return "k100:" + hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:40]


def _moment(given: str) -> datetime:
    try:
        return datetime.strptime(given, "%Y-%m-%d %H:%M:%S").replace(tzinfo=BEIJING).astimezone(UTC)
    except (ValueError, OverflowError):
        raise NotRead(_("The time of an entry cannot be read."), code="time-unreadable") from None


def _form(body: str) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(body, max_num_fields=20).items()}
    except ValueError:
        return {}
