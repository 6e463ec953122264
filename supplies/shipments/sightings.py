"""What was seen of a shipment: facts, written down as they are told and never refused for what they say of the journey.
The carrier's last word, and what its words come to, are folded from them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.translation import gettext as _

from supplies.journal.services import record_all
from supplies.organisations.models import User
from supplies.shipments.models import ENDED, OUTCOMES, Shipment
from supplies.shipments.tracking import LAST_FIRST, ORDERS, SightingStatus, Step, TrackingCode, TrackingEvent

CLOCKS_MAY_DIFFER = timedelta(minutes=10)
LONG_AGO = timedelta(days=366)
OURS = "generic"  # the vocabulary of whoever has none: our own steps and statuses
SIGHTING = (
    "sighting_vocabulary",
    "sighting_code",
    "sighting_label",
    "sighted_at",
    "sighting_status",
)  # folded from the events

# The step that a carrier's word stands for where it names none.
STEP_OF = {
    SightingStatus.INFO_RECEIVED: Step.PACKING,
    SightingStatus.PICKED_UP: Step.LOADING,
    SightingStatus.IN_TRANSIT: Step.TRANSPORTING,
    SightingStatus.OUT_FOR_DELIVERY: Step.TRANSPORTING,
    SightingStatus.ARRIVED_DESTINATION: Step.ARRIVING,
    SightingStatus.READY_FOR_PICKUP: Step.ARRIVING,
    SightingStatus.DELIVERED: Step.RECEIVING,
    SightingStatus.PARTIALLY_ACCEPTED: Step.INSPECTING,
    SightingStatus.ACCEPTED: Step.ACCEPTING,
    SightingStatus.RETURNING: Step.RETURNING,
    SightingStatus.RETURNED: Step.RECEIVING,
    SightingStatus.CUSTOMS: Step.HOLDING,
    SightingStatus.EXCEPTION: Step.HOLDING,
    SightingStatus.DELIVERY_FAILED: Step.HOLDING,
    SightingStatus.REFUSED: Step.HOLDING,
    SightingStatus.DAMAGED: Step.HOLDING,
    SightingStatus.LOST: Step.HOLDING,
    SightingStatus.CANCELLED: Step.VOID_SHIPPING,
}


@dataclass(frozen=True)
class Word:
    """What somebody tells of a shipment.

    external_id   the sender's id of the event: of one shipment, told twice it is written once
    step          empty: what the code stands for
    code          in the words of the vocabulary; kept as it is, known or not
    temperature_c what a logger read, in degrees Celsius with one decimal
    """

    occurred_at: datetime
    external_id: str = ""
    step: str = ""
    disposition: str = ""
    place: str = ""
    vocabulary: str = ""
    code: str = ""
    label: str = ""
    note: str = ""
    temperature_c: Decimal | None = None
    logger: str = ""


@dataclass(frozen=True)
class Told:
    event: TrackingEvent
    is_new: bool


def report(
    shipment: Shipment, *, occurred_at: datetime, step: str, by: User | None, at: datetime, **said: Any
) -> TrackingEvent:
    """Write down one thing that was seen. The same event of the same sender is written once.

    said     the other fields of a Word
    Raises   ValidationError for a time that cannot be, and a step there is not
    """
    if fault := impossible(occurred_at, at=at):
        raise ValidationError({"occurred_at": fault})
    if step not in Step.values:
        raise ValidationError({"step": _("There is no step called %(step)s.") % {"step": step}})
    if said.get("logger") and said.get("temperature_c") is None:
        raise ValidationError({"temperature_c": _("Say what the logger read.")})
    word = Word(occurred_at, step=step, **said)
    return report_all([(shipment.pk, word)], by=by, at=at)[0].event


def impossible(occurred_at: datetime, *, at: datetime) -> str:
    """Why nobody can have seen it then; empty where it can be. Carriers' clocks may differ from ours."""
    if occurred_at > at + CLOCKS_MAY_DIFFER:
        return _("This lies in the future. When was it seen?")
    if occurred_at < at - LONG_AGO:
        return _("This is more than a year ago. When was it seen?")
    return ""


@transaction.atomic
def report_all(words: Sequence[tuple[UUID, Word]], *, by: User | None, at: datetime) -> list[Told]:
    """Write down what was seen of many shipments: as many statements for a thousand words as for one.

    Answers in the order of the words. Our own status is moved by its verbs alone; what is told after the end is kept and
    flagged, and so is a code that nobody knows. The time of a word is not looked at here (`impossible`).
    """
    shipments = {row.pk: row for row in _locked({pk for pk, _word in words})}
    known = _known(words)
    meanings = _meanings(word for _pk, word in words)
    told: list[Told] = []
    for pk, word in words:
        key = (pk, word.external_id)
        event = known.get(key) if word.external_id else None
        if event is not None:
            event.shipment = shipments[pk]
        told.append(Told(event or _event(shipments[pk], word, meanings, by=by, at=at), is_new=event is None))
        if word.external_id:
            known[key] = told[-1].event
    new = [each.event for each in told if each.is_new]
    TrackingEvent.objects.bulk_create(new)
    by_shipment: dict[UUID, list[TrackingEvent]] = defaultdict(list)
    for event in new:
        by_shipment[event.shipment_id].append(event)
    seen = [shipments[pk] for pk in by_shipment]
    fold(seen)
    _note_extremes(seen, by_shipment)
    record_all(
        seen,
        "shipment.seen",
        by=by,
        at=at,
        facts=lambda row: {"step": by_shipment[row.pk][-1].step, "events": len(by_shipment[row.pk])},  # type: ignore[attr-defined]
    )
    said = {event.shipment_id for event in new if event.status == SightingStatus.DELIVERED}
    if said:
        proposed = Shipment.objects.said_to_be_delivered().filter(pk__in=said).order_by("pk")
        record_all(proposed, "shipment.said_delivered", by=by, at=at)
    return told


# With every event that carriers send: written out, for Django takes longer to word it than the database to do it.
_FOLD = f"""
    UPDATE supplies_shipment AS shipment
    SET sighting_vocabulary = word.vocabulary, sighting_code = word.code, sighting_label = word.label,
        sighted_at = word.occurred_at, sighting_status = coalesce(meaning.status, '')
    FROM unnest(%(ids)s::uuid[]) AS told (id)
    CROSS JOIN LATERAL (
        SELECT * FROM supplies_trackingevent WHERE shipment_id = told.id AND code <> '' ORDER BY {LAST_FIRST} LIMIT 1
    ) AS word
    LEFT JOIN LATERAL (
        SELECT status FROM supplies_trackingevent WHERE shipment_id = told.id AND status <> '' ORDER BY {LAST_FIRST} LIMIT 1
    ) AS meaning ON true
    WHERE shipment.id = told.id
    RETURNING shipment.id, {", ".join(f"shipment.{name}" for name in SIGHTING)}
"""  # nosec B608 # names of our own columns


def fold(shipments: Collection[Shipment]) -> None:
    """Work out the sightings anew from all events, so that they depend on nothing but what was told."""
    rows = {row.pk: row for row in shipments}
    with connection.cursor() as cursor:
        cursor.execute(_FOLD, {"ids": [str(pk) for pk in rows], **ORDERS})
        for pk, *sighting in cursor.fetchall():
            for name, value in zip(SIGHTING, sighting, strict=True):
                setattr(rows[pk], name, value)


def _note_extremes(shipments: Iterable[Shipment], events: Mapping[UUID, Sequence[TrackingEvent]]) -> None:
    """The coldest and the warmest reading: events are only ever added, so what was known has only to be widened."""
    widened = []
    for shipment in shipments:
        read = [event.temperature_c for event in events[shipment.pk] if event.temperature_c is not None]
        if not read:
            continue
        known = [degrees for degrees in (shipment.coldest_c, shipment.warmest_c) if degrees is not None]
        shipment.coldest_c, shipment.warmest_c = min(read + known), max(read + known)
        widened.append(shipment)
    Shipment.objects.bulk_update(widened, ["coldest_c", "warmest_c"])


def note_step(
    shipment: Shipment,
    step: str,
    *,
    by: User | None,
    at: datetime,
    occurred_at: datetime | None = None,
    **what: str,
) -> TrackingEvent:
    """One of our own verbs has moved it: an event that is no carrier's word."""
    return TrackingEvent.objects.create(
        shipment=shipment, step=step, by=by, occurred_at=occurred_at or at, recorded_at=at, **what
    )


def _locked(ids: Collection[UUID]) -> list[Shipment]:
    """Carriers tell much. What is on board is left alone, so the shipments are all that has to be locked, in their order."""
    return list(Shipment.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"))


def _known(words: Iterable[tuple[UUID, Word]]) -> dict[tuple[UUID, str], TrackingEvent]:
    """Those of the words that were written down before, by shipment and the sender's id."""
    named = [(str(pk), word.external_id) for pk, word in words if word.external_id]
    if not named:
        return {}
    ids, external_ids = zip(*named, strict=True)
    found = TrackingEvent.objects.raw(
        "SELECT event.* FROM unnest(%s::uuid[], %s::text[]) AS told(shipment_id, external_id)"
        " JOIN supplies_trackingevent AS event USING (shipment_id, external_id)"
        " WHERE event.external_id <> ''",
        [list(ids), list(external_ids)],
    )
    return {(event.shipment_id, event.external_id): event for event in found}


def _meanings(words: Iterable[Word]) -> dict[tuple[str, str], TrackingCode]:
    pairs = {_said(word) for word in words}
    found = TrackingCode.objects.filter(
        vocabulary__in={vocabulary for vocabulary, _code in pairs}, code__in={code for _voc, code in pairs}
    )
    return {(row.vocabulary, row.code): row for row in found}


def _said(word: Word) -> tuple[str, str]:
    """Vocabulary and code. Whoever names a step and no code of its own speaks our language."""
    if word.code or word.step in ("", Step.OTHER):
        return word.vocabulary, word.code
    return OURS, word.step


def _is_after_end(shipment: Shipment, word: Word) -> bool:
    """Told of a way that is over, or of a moment after it was delivered and counted. What came before may be told late."""
    if shipment.status in OUTCOMES and shipment.delivered_at is not None:
        return word.occurred_at > shipment.delivered_at
    return shipment.status in ENDED


def _event(
    shipment: Shipment,
    word: Word,
    meanings: dict[tuple[str, str], TrackingCode],
    *,
    by: User | None,
    at: datetime,
) -> TrackingEvent:
    vocabulary, code = _said(word)
    meaning = meanings.get((vocabulary, code))
    status = meaning.status if meaning and meaning.status in SightingStatus.values else ""
    said: dict[str, Any] = asdict(word) | {
        "vocabulary": vocabulary if code else word.vocabulary,
        "code": code,
    }
    said["label"] = word.label or (meaning.label if meaning else "")
    said["step"] = word.step or (STEP_OF.get(SightingStatus(status), Step.OTHER) if status else Step.OTHER)
    return TrackingEvent(
        shipment=shipment,
        status=status,
        is_after_end=_is_after_end(shipment, word),
        recorded_at=at,
        by=by,
        **said,
    )
