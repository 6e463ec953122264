"""How pages tell whom one can reach: contacts with their masks and the button that shows them, and where goods are brought."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model

from supplies.allocations.models import Allocation
from supplies.leaks import masked as masked_words
from supplies.needs.models import Appeal
from supplies.organisations.contacts import Contact, ContactQuerySet
from supplies.organisations.models import Facility
from supplies.phones import masked
from supplies.privacy.models import PURPOSES, Ground, Purpose
from supplies.privacy.permissions import closest, reachable
from supplies.shipments.models import Shipment


@dataclass(frozen=True)
class Reached:
    """A contact for a page: the mask, and, where it may be shown, for which purposes and which match or delivery."""

    contact: Contact
    phone: str
    purposes: tuple[Purpose, ...]
    subject: Model | None

    @property
    def subject_name(self) -> str:
        return str(self.subject._meta.model_name) if self.subject else ""


def at_facility(user: Any, facility: Facility, *, at: datetime) -> list[Reached]:
    return list(_reached(user, Contact.objects.of_facility(facility), at=at))


def of_allocation(user: Any, allocation: Allocation, *, at: datetime) -> list[Reached]:
    """The other side of a match."""
    rows = Contact.objects.of_facility(allocation.need.appeal.facility) | Contact.objects.filter(
        organisation=allocation.offer.donation.organisation_id
    )
    return [one for one in _reached(user, rows, at=at, about=allocation) if one.purposes]


def of_shipment(user: Any, shipment: Shipment, *, at: datetime) -> list[Reached]:
    """Whom one may reach about goods on their way: who takes them in, and who carries them."""
    rows = Contact.objects.of_facility(shipment.consignee) | Contact.objects.filter(
        organisation=shipment.carrier_id
    )
    return [one for one in _reached(user, rows, at=at, about=shipment) if one.purposes]


def _reached(
    user: Any, contacts: ContactQuerySet, *, at: datetime, about: Model | None = None
) -> Iterator[Reached]:
    seen = reachable(contacts.right(), user, at=at).select_related("organisation", "facility").order_by("pk")
    for contact in seen:
        ground = closest(user, contact, at=at, about=about)
        purposes = PURPOSES[ground.ground] if ground else PURPOSES[Ground.READER]
        yield Reached(contact, masked(contact.phone), purposes, ground.subject if ground else None)


@dataclass(frozen=True)
class HandOver:
    """Where exactly the goods of a match are brought, for those whom the match concerns."""

    facility: Facility
    handover_point: str
    courier_address: str
    transport_instructions: str

    @classmethod
    def of(cls, appeal: Appeal) -> "HandOver":
        return cls(
            appeal.facility,
            masked_words(appeal.handover_point),
            masked_words(appeal.courier_address),
            masked_words(appeal.transport_instructions),
        )

    @classmethod
    def of_shipment(cls, shipment: Shipment) -> "list[HandOver]":
        on_board = shipment.lines.filter(is_live=True).values("allocation__need__appeal")
        appeals = Appeal.objects.filter(pk__in=on_board).select_related("facility").newest_first()
        return list(dict.fromkeys(map(cls.of, appeals)))
