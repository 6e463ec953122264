"""Who may reach whom: one rule for pages, API and desk.

Everyone signed in may see the masked number of a verified body that receives goods. The two sides of an agreed match may
be shown each other's contact while the match needs it; a carrier the consignee's until delivery, and both sides the carrier's;
who works at the desk for a stated purpose, a coordinator in her regions; everybody what she entered or her own organisation's.
An auditor is shown none: she reads the log.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    Model,
    OuterRef,
    Q,
    QuerySet,
    UUIDField,
    Value,
)
from django.db.models.functions import Coalesce

from supplies.allocations.models import Allocation, AllocationStatus
from supplies.organisations.contacts import Contact
from supplies.organisations.models import RECEIVING_KINDS, Membership, Verified
from supplies.organisations.roles import Role
from supplies.privacy.models import PURPOSES, Field, Ground
from supplies.shipments.models import Shipment, ShipmentStatus

# After the last thing written about a shipment that came short, broken or not at all, and is not settled with the sender yet.
QUESTIONS_DAYS = 14
UNDER_WAY = [ShipmentStatus.BOOKED, ShipmentStatus.IN_TRANSIT, ShipmentStatus.AT_THE_DOOR]
LIVE = [AllocationStatus.RESERVED, AllocationStatus.BOOKED, AllocationStatus.SHIPPED]
EVERYTHING = (Field.NAME, Field.PHONE, Field.EMAIL)
FIELDS: dict[Ground, tuple[Field, ...]] = {
    Ground.OWN: EVERYTHING,
    Ground.MATCH: EVERYTHING,
    Ground.DELIVERY: (Field.NAME, Field.PHONE),
    Ground.DESK: EVERYTHING,
    Ground.READER: (),
}  # the closest ground first


@dataclass(frozen=True)
class Standing:
    """On what ground somebody may reach a contact.

    subject       the allocation or shipment it rests on
    on_behalf_of  the organisation the person acts for in it
    """

    ground: Ground
    subject: Model | None = None
    on_behalf_of: uuid.UUID | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        """What may be shown, each time written down; of all else nothing, of the telephone the mask."""
        return FIELDS[self.ground]


def reachable(contacts: QuerySet[Contact], user: Any, *, at: datetime) -> QuerySet[Contact]:
    """Those of the contacts the person may see at least masked; each row tells by `is_own`, `is_match`, … on what grounds."""
    if not user.is_authenticated or not user.is_active:
        return contacts.none()
    organisation, facility = OuterRef("organisation"), OuterRef("facility")
    grounds = {
        Ground.OWN: Q(entered_by=user) | Q(organisation__in=_acting(user)),
        Ground.MATCH: Q(Exists(_matches(user, organisation, facility, at=at))),
        Ground.DELIVERY: Q(Exists(_deliveries(user, organisation, facility))),
        Ground.DESK: _at_the_desk(user),
        Ground.READER: Q(organisation__status=Verified.VERIFIED, organisation__kind__in=RECEIVING_KINDS),
    }
    return contacts.filter(reduce(or_, grounds.values())).annotate(
        **{
            f"is_{ground.value}": ExpressionWrapper(condition, output_field=BooleanField())
            for ground, condition in grounds.items()
        }
    )


def standing(
    user: Any, contact: Contact, *, at: datetime, about: Model | None = None, purpose: str | None = None
) -> Standing | None:
    """The closest ground on which the person may reach the contact; None for none.

    about    only on the ground of this allocation or shipment
    purpose  only on a ground that knows this purpose
    """
    row = reachable(Contact.objects.filter(pk=contact.pk), user, at=at).first()
    return closest(user, row, at=at, about=about, purpose=purpose) if row else None


def closest(
    user: Any, row: Any, *, at: datetime, about: Model | None = None, purpose: str | None = None
) -> Standing | None:
    """`standing` for a row of `reachable`, which tells its grounds already."""
    for ground in FIELDS:
        if not getattr(row, f"is_{ground.value}") or (purpose and purpose not in PURPOSES[ground]):
            continue
        if ground in (Ground.MATCH, Ground.DELIVERY):
            subject = _subject(ground, user, row, at=at, about=about)
            if subject is not None:
                return Standing(ground, subject, _side(user, subject))
        elif about is None:
            return Standing(ground)
        elif ground is Ground.DESK:
            return Standing(ground, about)
    return None


def _acting(user: Any) -> QuerySet[Any]:
    """The organisations a person acts for; their auditors do not."""
    return Membership.objects.filter(user=user).exclude(role=Role.AUDITOR).values("organisation")


def _at_the_desk(user: Any) -> Q:
    if user.has_role(Role.VOLUNTEER, Role.ADMIN):
        return Q(pk__isnull=False)
    inside = Q(pk__in=[])
    if not user.has_role(Role.COORDINATOR):
        return inside
    paths = Membership.objects.filter(user=user, role=Role.COORDINATOR, regions__isnull=False)
    for path in paths.values_list("regions__path", flat=True):
        here = Q(facility__region__path__startswith=path)
        inside |= here | Q(facility=None, organisation__region__path__startswith=path)
    return inside


def _matches(user: Any, organisation: Any, facility: Any, *, at: datetime) -> QuerySet[Allocation]:
    """The agreed matches in which the person stands on one side and the contact on the other, while they need each other."""
    acting = _acting(user)
    given = Q(offer__donation__organisation__in=acting) | Q(offer__donation__posted_by=user)
    site = Coalesce(
        facility, F("need__appeal__facility")
    )  # a contact of the whole house answers for each of its sites
    to_the_hospital = given & Q(
        need__appeal__facility__organisation=organisation, need__appeal__facility=site
    )
    asked = Q(need__appeal__facility__organisation__in=acting)
    to_the_donor = asked & Q(offer__donation__organisation=organisation)
    last = Shipment.objects.in_trouble().annotate(last=Max("events__recorded_at"))
    in_question = last.filter(last__gte=at - timedelta(days=QUESTIONS_DAYS)).values("pk")
    needed = Q(status__in=LIVE) | Q(lines__is_live=True, lines__shipment__in=in_question)
    return Allocation.objects.filter(needed).filter(to_the_hospital | to_the_donor)


def _deliveries(user: Any, organisation: Any, facility: Any) -> QuerySet[Shipment]:
    """Shipments under way: for their carrier the consignee's contact, for both sides the carrier's."""
    acting = _acting(user)
    carrying = Membership.objects.filter(user=user, role=Role.CARRIER).values("organisation")
    site = Coalesce(facility, F("consignee"))
    to_the_door = Q(carrier__in=carrying, consignee__organisation=organisation, consignee=site)
    waiting = Q(consignor__in=acting) | Q(consignee__organisation__in=acting)
    return Shipment.objects.filter(status__in=UNDER_WAY).filter(
        to_the_door | (waiting & Q(carrier=organisation))
    )


def _subject(
    ground: Ground, user: Any, contact: Contact, *, at: datetime, about: Model | None
) -> Allocation | Shipment | None:
    """The newest match or shipment the ground rests on, or the one asked about if it is one of them."""
    organisation = Value(contact.organisation_id, output_field=UUIDField())
    facility = Value(contact.facility_id, output_field=UUIDField(null=True))
    rows: Any = (
        _matches(user, organisation, facility, at=at)
        if ground is Ground.MATCH
        else _deliveries(user, organisation, facility)
    )
    if about is not None:
        rows = rows.filter(pk=about.pk) if isinstance(about, rows.model) else rows.none()
    return rows.newest_first().first()  # type: ignore[no-any-return]


def _side(user: Any, subject: Allocation | Shipment) -> uuid.UUID | None:
    """The organisation the person acts for in it."""
    if isinstance(subject, Shipment):
        sides = [subject.carrier_id, subject.consignor_id, subject.consignee.organisation_id]
    else:
        facility = subject.need.appeal.facility
        sides = [subject.offer.donation.organisation_id, facility.organisation_id]
    acting = set(_acting(user).values_list("organisation", flat=True))
    return next((side for side in sides if side in acting), None) or (
        sides[0] if isinstance(subject, Allocation) else None
    )
