"""The verbs of being told by carriers: open an account, take in what they say, park what fits nothing yet, ask by ourselves."""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from supplies.carriers import generic
from supplies.carriers.interfaces import NotRead, NotSigned, Said, interface_of
from supplies.carriers.models import CarrierAccount, CarrierHook, ParkedEvent, Speaks
from supplies.errors import Refused
from supplies.journal.models import Event
from supplies.journal.services import record
from supplies.organisations.models import Organisation, User
from supplies.shipments import services as moving
from supplies.shipments.models import SHIPMENT_LIFECYCLE, Leg, Shipment, ShipmentStatus
from supplies.shipments.sightings import Word, impossible, report_all

log = structlog.get_logger(__name__)
AT_ONCE = 1_000  # events of a transaction
MOST_PARKED = 100_000  # waiting, of one carrier
SECRETS_OVERLAP = timedelta(days=7)  # for which the secret before stays good, unless told otherwise


@dataclass(frozen=True)
class Outcome:
    """What became of one event.

    status   created, duplicate, parked or refused
    code     for programs: why it was refused
    """

    status: str
    shipment: UUID | None = None
    event: int | None = None
    flags: Sequence[str] = field(default_factory=list)
    code: str = ""
    detail: str = ""


# -- Accounts ----------------------------------------------------------------------------------------------


@transaction.atomic
def open_account(account: CarrierAccount, *, secret: str, by: User | None, at: datetime) -> CarrierAccount:
    """Let a carrier tell us. Raises Refused for one that is no carrier, NotRead for what is no secret."""
    if account.carrier.kind != Organisation.Kind.CARRIER:
        raise Refused(_("%(name)s is not a carrier.") % {"name": account.carrier.name}, code="not-a-carrier")
    check_secret(account.interface, secret)
    account.secret, account.created_at, account.created_by = secret, at, by
    account.save(force_insert=True)
    record(account, "carrier_account.opened", by=by, at=at, interface=account.interface)
    return account


@transaction.atomic
def rotate_secret(
    account: CarrierAccount,
    *,
    secret: str,
    by: User | None,
    at: datetime,
    overlap: timedelta = SECRETS_OVERLAP,
) -> CarrierAccount:
    """A new secret; the one before stays good for a while, so that the carrier can change over without losing a word."""
    account = CarrierAccount.objects.select_for_update().get(pk=account.pk)
    check_secret(account.interface, secret)
    account.old_secret, account.old_secret_until = account.secret, at + overlap
    account.secret = secret
    account.save()
    record(account, "carrier_account.secret_changed", by=by, at=at)
    return account


@transaction.atomic
def close_account(account: CarrierAccount, *, by: User | None, at: datetime) -> CarrierAccount:
    """It may tell us no more; what it told stays."""
    account = CarrierAccount.objects.select_for_update().get(pk=account.pk)
    account.is_open = False
    account.save(update_fields=["is_open"])
    record(account, "carrier_account.closed", by=by, at=at)
    return account


def check_secret(interface: str, secret: str) -> None:
    """Raises NotRead for what cannot be a secret of that interface."""
    if interface == Speaks.GENERIC:
        generic.check_secret(secret)
    elif len(secret) < 8:
        raise NotRead(_("A secret has at least eight characters."), code="not-a-secret")


# -- What carriers say -------------------------------------------------------------------------------------


@transaction.atomic
def take_hook(
    account: CarrierAccount, body: bytes, headers: Mapping[str, str], *, at: datetime
) -> list[Outcome] | None:
    """A webhook: checked, kept as it came, and taken in. None for a replay, of which nothing is done.

    Raises NotSigned, and NotRead for a body that says nothing.
    """
    interface = interface_of(account.interface)
    try:
        name = interface.verify(account.secrets(at), body, headers, at=at)
    except NotSigned as refusal:
        log.warning("a webhook is refused", account=str(account.pk), code=refusal.code)
        raise
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise NotRead(_("The text is not UTF-8. Save it in that encoding and send it again.")) from None
    hook = CarrierHook(account=account, known_as=_digest(name), received_at=at)
    hook.body = text
    try:
        with transaction.atomic():
            hook.save(force_insert=True)
    except IntegrityError as error:
        if "carrier_hook_once" not in str(error):
            raise
        return None
    outcomes = take_in(account.carrier, interface.parse(text, at=at), by=None, at=at)
    hook.counts = dict(Counter(outcome.status for outcome in outcomes))
    hook.save(update_fields=["counts"])
    return outcomes


@transaction.atomic
def take_in(
    carrier: Organisation, told: Sequence[Said | NotRead], *, by: User | None, at: datetime
) -> list[Outcome]:
    """Write down what a carrier says, event by event and in that order. What one event lacks loses no other.

    Of its own shipments; what names any other, or none there is, is parked alike. As many statements for a thousand as for one.
    """
    outcomes: dict[int, Outcome] = {}
    fits: list[tuple[int, Said]] = []
    for position, each in enumerate(told):
        if isinstance(each, NotRead):
            outcomes[position] = Outcome("refused", code=each.code, detail=str(each.detail))
        elif fault := impossible(each.word.occurred_at, at=at):
            outcomes[position] = Outcome("refused", code="time-impossible", detail=fault)
        else:
            fits.append((position, each))
    shipments = find(carrier, {said.names for _position, said in fits})
    known = [(position, said) for position, said in fits if said.names in shipments]
    words = [(shipments[said.names], said.word) for _position, said in known]
    for (position, _said), done in zip(known, report_all(words, by=by, at=at), strict=True):
        outcomes[position] = Outcome(
            "created" if done.is_new else "duplicate",
            shipment=done.event.shipment_id,
            event=done.event.pk,
            flags=done.event.flags,
        )
    unknown = [(position, said) for position, said in fits if said.names not in shipments]
    outcomes |= _park(carrier, unknown, by=by, at=at)
    refused = Counter(outcome.code for outcome in outcomes.values() if outcome.status == "refused")
    if refused:
        log.warning("events are refused", carrier=str(carrier.pk), codes=dict(refused))
    return [outcomes[position] for position in range(len(told))]


def find(carrier: Organisation, names: Collection[str]) -> dict[str, UUID]:
    """The carrier's shipments by what they are called: waybill number, tracking code or id. What fits none is left out.

    Its own are those it has now, and those of which it has travelled a leg: what it tells of that may come late.
    """
    if not names:
        return {}
    theirs = Shipment.objects.filter(carrier=carrier).exclude(status=ShipmentStatus.DRAFT)
    numbered = theirs.filter(waybill__in=names).exclude(waybill="")
    found = dict(numbered.exclude(status=ShipmentStatus.CANCELLED).values_list("waybill", "pk"))
    found |= dict(theirs.filter(code__in=names).values_list("code", "pk"))
    ids = {key: name for name in names if (key := as_id(name)) is not None}
    found |= {ids[pk]: pk for pk in theirs.filter(pk__in=ids).values_list("pk", flat=True)}
    if left := set(names) - set(found):
        called_off = numbered.filter(status=ShipmentStatus.CANCELLED, waybill__in=left)
        found |= dict(called_off.values_list("waybill", "pk")) | _travelled(carrier, left)
    return found


def _travelled(carrier: Organisation, names: Collection[str]) -> dict[str, UUID]:
    """Shipments of which the carrier has travelled a leg, by what it calls them."""
    legs = Leg.objects.travelled().filter(carrier=carrier)
    found = dict(legs.filter(shipment__code__in=names).values_list("shipment__code", "shipment"))
    found |= dict(legs.filter(waybill__in=names).exclude(waybill="").values_list("waybill", "shipment"))
    ids = {key: name for name in names if (key := as_id(name)) is not None}
    return found | {ids[pk]: pk for pk in legs.filter(shipment__in=ids).values_list("shipment", flat=True)}


def as_id(name: str) -> UUID | None:
    try:
        return UUID(name) if len(name) == 36 else None
    except ValueError:
        return None


def _park(
    carrier: Organisation, told: Sequence[tuple[int, Said]], *, by: User | None, at: datetime
) -> dict[int, Outcome]:
    if not told:
        return {}
    rows = {position: _parked(carrier, said, by=by, at=at) for position, said in told}
    theirs = ParkedEvent.objects.filter(carrier=carrier)
    known = set(
        theirs.filter(known_as__in=[row.known_as for row in rows.values()]).values_list("known_as", flat=True)
    )
    room = MOST_PARKED - theirs.waiting().count()
    outcomes: dict[int, Outcome] = {}
    new: list[ParkedEvent] = []
    for position, row in rows.items():
        if row.known_as in known:
            outcomes[position] = Outcome("duplicate")
        elif len(new) >= room:
            detail = _(
                "Too many events of this carrier wait for shipments we do not know. Check what they name."
            )
            outcomes[position] = Outcome("refused", code="too-many-parked", detail=detail)
        else:
            new.append(row)
            known.add(row.known_as)
            outcomes[position] = Outcome("parked")
    ParkedEvent.objects.bulk_create(new, ignore_conflicts=True)  # the same may be told twice at once
    return outcomes


def _parked(carrier: Organisation, said: Said, *, by: User | None, at: datetime) -> ParkedEvent:
    word = said.word
    row = ParkedEvent(
        carrier=carrier,
        names=said.names,
        names_id=as_id(said.names),
        known_as=_digest(said.names, word.external_id or generic.digest_of(said.raw)),
        vocabulary=word.vocabulary,
        code=word.code,
        occurred_at=word.occurred_at,
        parked_at=at,
        by=by,
    )
    row.payload = json.dumps(
        {"word": asdict(word), "raw": said.raw}, default=str
    )  # escaped: a payload may hold half a character
    return row


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()


# -- What was parked ---------------------------------------------------------------------------------------


def hear_of_booked(events: Iterable[Event], *, at: datetime) -> None:
    """A shipment has a carrier now: what that carrier told of it before is its own at last."""
    ids = {event.subject_id for event in events}
    carriers = set(Shipment.objects.filter(pk__in=ids).values_list("carrier_id", flat=True))
    apply_parked(at=at, carriers=carriers)


def apply_parked(*, at: datetime, carriers: Collection[UUID | None] | None = None) -> int:
    """Write down what was parked and fits a shipment by now, some thousands at a time; returns how many. Twice is harmless."""
    applied = 0
    while done := _apply_some(at=at, carriers=carriers):
        applied += done
    return applied


@transaction.atomic
def _apply_some(*, at: datetime, carriers: Collection[UUID | None] | None) -> int:
    rows = ParkedEvent.objects.waiting().that_fit()
    if carriers is not None:
        rows = rows.filter(carrier__in=carriers)
    chosen = list(
        rows.select_for_update(skip_locked=True, of=("self",))
        .select_related("carrier", "by")
        .order_by("pk")[:AT_ONCE]
    )
    groups: dict[tuple[Organisation, User | None], list[ParkedEvent]] = defaultdict(list)
    for row in chosen:
        groups[row.carrier, row.by].append(row)
    for (carrier, by), parked in groups.items():
        shipments = find(carrier, {row.names for row in parked})
        fitting = [row for row in parked if row.names in shipments]
        words = [(shipments[row.names], _word(row)) for row in fitting]
        for row, told in zip(fitting, report_all(words, by=by, at=at), strict=True):
            row.event, row.applied_at, row.payload_sealed = told.event, at, b""
        ParkedEvent.objects.bulk_update(fitting, ["event", "applied_at", "payload_sealed"])
    return len(chosen)


def _word(row: ParkedEvent) -> Word:
    said = json.loads(row.payload)["word"]
    degrees = said.get("temperature_c")
    read = {"temperature_c": None if degrees is None else Decimal(degrees)}
    return Word(**(said | {"occurred_at": row.occurred_at} | read))


@transaction.atomic
def give_up(*, at: datetime) -> int:
    """Report to the operator what has waited for too long: it stays readable at the desk, and is tried no more."""
    before = at - timedelta(days=settings.PARKED_DAYS)
    waiting = ParkedEvent.objects.waiting().older_than(before).order_by("pk")
    overdue = dict(
        waiting.select_for_update(skip_locked=True).values_list("pk", "carrier")
    )  # two may come at once
    by_carrier = Counter(overdue.values())
    given_up = ParkedEvent.objects.filter(pk__in=overdue).update(given_up_at=at)
    for carrier in Organisation.objects.filter(pk__in=by_carrier).order_by("pk"):
        record(carrier, "carrier.events_given_up", by=None, at=at, events=by_carrier[carrier.pk])
    return given_up


def forget(*, at: datetime) -> int:
    """Webhooks as they came and parked events are kept for a while, so that a mistake can be looked into."""
    before = at - timedelta(days=settings.PARKED_DAYS)
    hooks, _by_kind = CarrierHook.objects.older_than(before).delete()
    applied = ParkedEvent.objects.filter(applied_at__lt=before)
    reported = ParkedEvent.objects.filter(given_up_at__lt=before)
    parked, _by_kind = (applied | reported).delete()
    return hooks + parked


# -- Delivered, says the carrier ---------------------------------------------------------------------------


def hear_of_delivered(events: Iterable[Event], *, at: datetime) -> None:
    """Where a carrier's "delivered" was trusted with it, deliver by the verb; else it stays a proposal (decision 0024)."""
    ids = {event.subject_id for event in events}
    trusted = CarrierAccount.objects.whose_word_delivers().values("carrier")
    rows = Shipment.objects.said_to_be_delivered().filter(pk__in=ids, carrier__in=trusted)
    for shipment in rows.order_by("pk"):
        if SHIPMENT_LIFECYCLE.allows(shipment.status, ShipmentStatus.DELIVERED):
            moving.deliver(shipment, by=None, at=at)
