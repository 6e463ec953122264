"""Asking carriers by ourselves, where an operator has turned that on. Never oftener than they bear."""

import http.client
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode, urlsplit

import structlog
from django.conf import settings
from django.db import transaction

from supplies.carriers import kuaidi100
from supplies.carriers.interfaces import NotRead
from supplies.carriers.models import CarrierAccount, PolledNumber, Speaks
from supplies.carriers.services import Outcome, take_in
from supplies.shipments.models import Shipment

log = structlog.get_logger(__name__)
# 快递100 locks out who asks for a number more than twice an hour: any hour, not only one by the clock.
PAUSE = timedelta(minutes=31)
NUMBERS_AT_ONCE = 200  # of one round
LARGEST_ANSWER = 1_000_000  # bytes
SECONDS = 10.0
Transport = Callable[[str, Mapping[str, str]], str]


def post_form(address: str, form: Mapping[str, str]) -> str:
    """The text a form is answered with. Raises NotRead for whatever is no answer; redirects are not followed."""
    parts = urlsplit(address)
    line = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=SECONDS)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        line.request("POST", parts.path or "/", urlencode(form), headers)
        answer = line.getresponse()
        body = answer.read(LARGEST_ANSWER + 1)
        if answer.status != 200 or len(body) > LARGEST_ANSWER:
            raise NotRead(f"HTTP {answer.status}", code="not-answered")
        return body.decode()
    except (OSError, http.client.HTTPException, UnicodeDecodeError) as error:
        raise NotRead(type(error).__name__, code="not-answered") from error
    finally:
        line.close()


def poll_all(*, at: datetime, post: Transport = post_form) -> int:
    """Ask about what is under way, account by account; returns how many numbers were asked about. Off unless CARRIERS_POLLED."""
    if not settings.CARRIERS_POLLED:
        return 0
    asked = 0
    accounts = CarrierAccount.objects.open().filter(polls=True, interface=Speaks.KUAIDI100)
    for account in accounts.select_related("carrier").order_by("pk"):
        recently = PolledNumber.objects.filter(account=account, asked_at__gt=at - PAUSE).values("waybill")
        rows = Shipment.objects.under_way().filter(carrier=account.carrier_id).exclude(waybill="")
        for number in (
            rows.exclude(waybill__in=recently)
            .order_by("pk")
            .values_list("waybill", flat=True)[:NUMBERS_AT_ONCE]
        ):
            asked += poll(account, number, at=at, post=post) is not None
    return asked


def poll(account: CarrierAccount, number: str, *, at: datetime, post: Transport) -> list[Outcome] | None:
    """Ask about one number and take in the answer. None where it was asked about a short while ago."""
    if not _may_ask(account, number, at=at):
        return None
    form = kuaidi100.query(
        customer=account.customer, key=account.poll_key, company=account.company, number=number
    )
    try:
        told = kuaidi100.answered(post(settings.KUAIDI100_QUERY, form))
    except NotRead as fault:
        log.warning("a carrier does not answer", account=str(account.pk), code=fault.code)
        return []
    return take_in(account.carrier, told, by=None, at=at)


@transaction.atomic
def _may_ask(account: CarrierAccount, number: str, *, at: datetime) -> bool:
    """Note that it is asked now, before it is: whoever is killed in between has asked."""
    known, is_new = PolledNumber.objects.select_for_update().get_or_create(
        account=account, waybill=number, defaults={"asked_at": at}
    )
    if is_new:
        return True
    if known.asked_at > at - PAUSE:
        return False
    known.asked_at = at
    known.save(update_fields=["asked_at"])
    return True
