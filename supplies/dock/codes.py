"""What a code at the dock names: the tracking link of a label, the number on a parcel, a waybill number."""

import re
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from supplies.shipments.gs1 import read_sscc
from supplies.shipments.models import Shipment, ShipmentStatus
from supplies.shipments.rearranging import travelling_as
from supplies.shipments.units import HandlingUnit

LINK = re.compile(r"/track/([^/?#]+)")
TRACKING = re.compile(r"[2-9a-z]{26}")
# With what only an SSCC has before it, or as many digits as it has with and without its application identifier.
LIKE_SSCC = re.compile(r"(\]C1|\x1d|\(00\)).*|(00)?[0-9]{18}", re.ASCII | re.DOTALL)
MOST_SHOWN = 10


@dataclass(frozen=True)
class Found:
    """The shipments of a code, newest first; more than one only where carriers gave the same waybill number.

    sscc   of the parcel whose code it was; empty for any other code
    """

    shipments: list[Shipment]
    sscc: str = ""


def find(text: str, *, user: Any) -> Found:
    """What this reader may see of what the code names. Of what she may not see she learns as much as of what there is not.

    Raises   ValidationError for what can only be an SSCC and is mistyped
    """
    text = text.strip()
    visible = Shipment.objects.visible_to(user).select_related("consignor", "consignee").newest_first()
    link = LINK.search(text)
    code = re.sub(r"[\s-]", "", link[1] if link else text).lower()
    if TRACKING.fullmatch(code) and (shipments := list(visible.filter(code=code))):
        now = travelling_as(shipments[0])  # an old label leads to what its goods travel with
        return Found(list(visible.filter(pk=now.pk)) or shipments)
    fault, sscc = None, ""
    if LIKE_SSCC.fullmatch(re.sub(r"[\s-]", "", text)):
        try:
            sscc = read_sscc(text)
        except ValidationError as error:
            fault = error
    units = HandlingUnit.objects.live().filter(sscc=sscc) if sscc else HandlingUnit.objects.none()
    if shipments := list(visible.filter(pk__in=units.values("shipment"))):
        return Found(shipments, sscc)
    # A carrier may number its waybills with eighteen digits too.
    waybills = (
        visible.filter(waybill__in=_spellings(text)).exclude(status=ShipmentStatus.CANCELLED)
        if text
        else visible.none()
    )
    if shipments := list(waybills[:MOST_SHOWN]):
        return Found(shipments)
    if fault:
        raise fault
    return Found([])


def _spellings(number: str) -> set[str]:
    """A waybill number as it was typed, and without its spaces, in capitals and in small letters: whole texts, which an
    index finds."""
    return {
        form for text in (number, re.sub(r"\s", "", number)) for form in (text, text.upper(), text.lower())
    }
