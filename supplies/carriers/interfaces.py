"""How carriers speak: every interface checks the signature of a body and reads what it says. Nothing is stored here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Protocol

from django.utils.translation import gettext as _

from supplies.catalogue.keeping import EARTHLY
from supplies.errors import Refused
from supplies.shipments.sightings import Word

LONGEST = {  # characters, as the columns hold
    "names": 60,
    "external_id": 80,
    "disposition": 40,
    "place": 120,
    "vocabulary": 30,
    "code": 60,
    "label": 160,
    "note": 300,
    "logger": 40,
}


class NotSigned(Refused):
    """Whoever sent this does not hold the secret, or sent it too long ago."""

    code = "wrong-signature"


class NotRead(Refused):
    """A body, or one event of it, that is not of the agreed shape."""

    code = "unreadable"


@dataclass(frozen=True)
class Said:
    """One event of one parcel.

    names    its waybill number, or the tracking code or id of the shipment
    raw      what it was read from, kept while it is parked
    """

    names: str
    word: Word
    raw: Mapping[str, Any] = field(default_factory=dict)


class Interface(Protocol):
    vocabulary: str

    def verify(self, secrets: Sequence[str], body: bytes, headers: Mapping[str, str], *, at: datetime) -> str:
        """The id of this delivery, by which a replay is known. Raises NotSigned.

        secrets   those that are good now
        headers   by lower-case name
        """

    def parse(self, body: str, *, at: datetime) -> list[Said | NotRead]:
        """What it says, event by event: one that cannot be read loses no other. Raises NotRead for the whole."""

    def thanks(self) -> Mapping[str, Any]:
        """What the carrier wants to hear once it is stored."""


def interface_of(name: str) -> Interface:
    """Raises KeyError for one there is not."""
    from supplies.carriers import generic, kuaidi100  # they build on this file

    known: dict[str, Interface] = {"generic": generic.Generic(), "kuaidi100": kuaidi100.Kuaidi100()}
    return known[name]


def degrees_of(given: Mapping[str, Any], name: str) -> Decimal | None:
    """Degrees Celsius of an event, a number or its text, to one decimal. Raises NotRead for what nobody can have read."""
    value = given.get(name)
    if value is None:
        return None
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > 12:
            raise InvalidOperation
        degrees = Decimal(str(value))
        if not degrees.is_finite() or not EARTHLY[0] <= degrees <= EARTHLY[1]:
            raise InvalidOperation
        return degrees.quantize(Decimal("0.1"))
    except InvalidOperation:
        raise NotRead(
            _("Give degrees Celsius between -200 and 100."), code="temperature-impossible"
        ) from None


def text_of(given: Mapping[str, Any], name: str, *, cut: bool = False) -> str:
    """A text of an event; numbers are taken as they are written. Raises NotRead for what no column holds.

    cut   words for people may be cut off; what names something may not
    """
    value = given.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise NotRead(_("%(name)s is not a text.") % {"name": name}, code="not-a-text")
    text = str(value).strip()
    if "\x00" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise NotRead(_("%(name)s holds a character that cannot be read.") % {"name": name})
    longest = LONGEST.get(name, 300)
    if len(text) > longest and not cut:
        raise NotRead(
            _("%(name)s has more than %(most)d characters.") % {"name": name, "most": longest},
            code="too-long",
        )
    return text[:longest]
