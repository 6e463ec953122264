"""Thanks to those who gave: written by the hospital once it has counted, withheld by a volunteer where they should not stand."""

from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from supplies.errors import MoveRefused, Refused
from supplies.journal.services import record
from supplies.organisations.models import User
from supplies.receipts.models import Receipt, Thanks
from supplies.shipments.models import Shipment


@transaction.atomic
def thank(shipment: Shipment, *, words: str, by: User | None, at: datetime) -> Thanks:
    """Say thanks for what was counted, in place of what was said before. Raises Refused before the count and once withheld."""
    if not words.strip():
        raise ValidationError({"words": _("Write a word of thanks.")})
    shipment = Shipment.objects.select_for_update(of=("self",), no_key=True).get(pk=shipment.pk)
    if not Receipt.objects.filter(shipment=shipment).exists():
        raise Refused(_("Count what arrived first; then say thanks for it."), code="not-counted")
    thanks = Thanks.objects.filter(shipment=shipment).first() or Thanks(shipment=shipment)
    if thanks.withheld_at:
        raise MoveRefused(_("A volunteer withheld these thanks. Ask the desk why."))
    thanks.words, thanks.at, thanks.by = words.strip()[:500], at, by
    thanks.save()
    record(thanks, "thanks.said", by=by, at=at, shipment=str(shipment.pk))
    return thanks


@transaction.atomic
def withhold(thanks: Thanks, *, because: str, by: User, at: datetime) -> Thanks:
    """Show them to nobody any more. Raises MoveRefused for what is withheld already."""
    if not because.strip():
        raise Refused(_("Say why they are withheld."), code="reason-missing")
    thanks = Thanks.objects.select_for_update(of=("self",)).get(pk=thanks.pk)
    if thanks.withheld_at:
        raise MoveRefused(_("They are withheld already."))
    thanks.withheld_at, thanks.withheld_because = at, because.strip()[:300]
    thanks.save(update_fields=["withheld_at", "withheld_because"])
    record(thanks, "thanks.withheld", by=by, at=at)
    return thanks
