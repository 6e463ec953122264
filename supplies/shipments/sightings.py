"""What was seen of a shipment: facts that are written down as they are told, and the last word folded from them."""

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.errors import Refused
from supplies.journal.services import record
from supplies.organisations.models import User
from supplies.shipments.models import (
    Shipment,
    ShipmentStatus,
    Step,
    TrackingCode,
    TrackingEvent,
    last_sighting,
)

CLOCKS_MAY_DIFFER = timedelta(minutes=10)


@transaction.atomic
def report(
    shipment: Shipment,
    *,
    occurred_at: datetime,
    step: str,
    by: User | None,
    at: datetime,
    external_id: str = "",
    disposition: str = "",
    place: str = "",
    vocabulary: str = "",
    code: str = "",
    label: str = "",
    note: str = "",
) -> TrackingEvent:
    """Write down what was seen of a shipment. The same event of the same sender is written once.

    Our status is moved by its own verbs; a sighting only updates the carrier's last word, and only by a later one.
    """
    if occurred_at > at + CLOCKS_MAY_DIFFER:
        raise ValidationError({"occurred_at": _("This lies in the future. When was it seen?")})
    if step not in Step.values:
        raise ValidationError({"step": _("There is no step called %(step)s.") % {"step": step}})
    # Carriers send many of these. What is on board is left alone, so the shipment is all that has to be locked.
    shipment = Shipment.objects.select_for_update(of=("self",)).get(pk=shipment.pk)
    if shipment.status in (ShipmentStatus.DRAFT, ShipmentStatus.CANCELLED):
        raise Refused(
            _("Nothing can be seen of a shipment that is %(status)s.")
            % {"status": shipment.get_status_display()},
            code="move-refused",
        )
    if external_id:
        known = shipment.events.filter(external_id=external_id).first()
        if known:
            return known
    if vocabulary and not label:
        label = (
            TrackingCode.objects.filter(vocabulary=vocabulary, code=code)
            .values_list("label", flat=True)
            .first()
            or ""
        )
    event = note_step(
        shipment,
        step,
        by=by,
        at=at,
        occurred_at=occurred_at,
        external_id=external_id,
        disposition=disposition,
        place=place,
        vocabulary=vocabulary,
        code=code,
        label=label,
        note=note,
    )
    record(shipment, "shipment.seen", by=by, at=at, step=step)
    return event


def note_step(
    shipment: Shipment,
    step: str,
    *,
    by: User | None,
    at: datetime,
    occurred_at: datetime | None = None,
    **what: str,
) -> TrackingEvent:
    event = TrackingEvent.objects.create(
        shipment=shipment, step=step, by=by, occurred_at=occurred_at or at, recorded_at=at, **what
    )
    if event.code:
        _remember_last_word(shipment)
    return event


def _remember_last_word(shipment: Shipment) -> None:
    """Fold the sighting anew from the events, so that it does not depend on the order in which they came."""
    last = last_sighting(shipment.events.sightings().of_the_last_instant())
    if last is not None:
        shipment.sighting_vocabulary, shipment.sighting_code = last.vocabulary, last.code
        shipment.sighting_label, shipment.sighted_at = last.label, last.occurred_at
        shipment.save(update_fields=["sighting_vocabulary", "sighting_code", "sighting_label", "sighted_at"])
