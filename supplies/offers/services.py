"""The verbs of giving: post a donation, moderate it, change a lot, withdraw what is not promised.

Offers are locked by primary key, their donations after everything else: see the ledger in `supplies.allocations`.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from supplies.attachments.inspection import inspected
from supplies.attachments.models import Attachment
from supplies.attachments.services import Look, attach
from supplies.catalogue.marks.reading import read_marks
from supplies.catalogue.models import TransportMode
from supplies.catalogue.services import Counterfeits, Hit
from supplies.emergencies.models import Emergency, Phase
from supplies.errors import NotEligible, Refused
from supplies.journal.services import record, record_all
from supplies.offers.models import Donation, DonationStatus, Offer, OfferStatus
from supplies.organisations.models import Organisation, User
from supplies.quantity import MOST
from supplies.regions.models import Region

DONATION_FIELDS = frozenset(
    {
        "sender_kind",
        "from_overseas",
        "address",
        "lat",
        "lon",
        "directed_facility",
        "directed_region",
        "allocates_for_me",
        "source_name",
        "source_url",
        "remark",
    }
)
NOT_TYPED = [
    "donation",
    "item",
    "unit",
    "standard",
    "mode",
    "quantity_open",
]  # rows, and what follows from others
PAPER_DAYS = 400  # what shows the goods is kept as long as a certificate of the gift may be asked for
NEVER_AVAILABLE = gettext_lazy("This day is over before the goods are available.")
LINE_FIELDS = frozenset(
    {
        "item",
        "quantity",
        "unit",
        "pack",
        "min_lot",
        "as_written",
        "standard",
        "registration_number",
        "sterile",
        "lot_number",
        "expires_on",
        "available_from",
        "available_until",
        "mode",
        "max_km",
    }
)


@transaction.atomic
def post(
    organisation: Organisation,
    *,
    emergency: Emergency,
    region: Region,
    lines: Sequence[Mapping[str, Any]],
    by: User | None,
    at: datetime,
    on: date | None = None,
    **details: Any,
) -> Donation:
    """Offer goods; they enter the matching when a volunteer has moderated them.

    lines    one mapping per lot: LINE_FIELDS; quantities in the item's smallest counted unit. Without a mode, by road.
    on       the day for which expiry and availability are judged; today unless a list of the past is imported
    Raises   ValidationError, with "lines.2.expires_on" as the field for a fault in the third line
    """
    if emergency.status == Phase.OVER:
        raise NotEligible(
            _("%(name)s is over; nothing more is collected for it.") % {"name": emergency.name},
            code="emergency-over",
        )
    if not lines:
        raise ValidationError({"lines": _("Name at least one item that you offer.")})
    unknown = set(details) - DONATION_FIELDS
    if unknown:
        raise TypeError(f"post() does not know {sorted(unknown)}")
    if details.get("directed_facility") and details.get("directed_region"):
        raise ValidationError({"directed_region": _("Goods go to one facility or to one region, not both.")})
    details.setdefault("allocates_for_me", organisation.allocates_for_me)
    donation = Donation(
        organisation=organisation, emergency=emergency, region=region, posted_by=by, created_at=at, **details
    )
    donation.full_clean(
        exclude=["organisation", "emergency", "region", "posted_by", "directed_facility", "directed_region"],
        validate_constraints=False,
        validate_unique=False,
    )
    donation.save(force_insert=True)
    today = on or timezone.localdate(at)
    road = TransportMode.objects.get(pk="road")
    offers = []
    faults: dict[str, list[str]] = {}
    for position, line in enumerate(lines):
        try:
            usual = {"mode": road, "available_from": today}
            offers.append(_line(donation, {**usual, **line}, position, today=today, at=at))
        except ValidationError as error:
            faults |= {
                f"lines.{position}.{field}": sentences for field, sentences in error.message_dict.items()
            }
    if faults:
        raise ValidationError(faults)
    Offer.objects.bulk_create(offers)
    record(donation, "donation.posted", by=by, at=at, lines=len(offers))
    return donation


def _line(donation: Donation, values: dict[str, Any], position: int, *, today: date, at: datetime) -> Offer:
    unknown = set(values) - LINE_FIELDS
    if unknown:
        raise TypeError(f"an offer line does not know {sorted(unknown)}")
    values = {**values, "pack": values.get("pack") or 1, "min_lot": values.get("min_lot") or 1}
    _check_amounts(values.get("quantity"), values["pack"], values["min_lot"])
    if values.get("expires_on") and values["expires_on"] <= today:
        raise ValidationError({"expires_on": _("These goods have expired; they cannot be offered.")})
    if values.get("available_until") and values["available_until"] < max(today, values["available_from"]):
        raise ValidationError({"available_until": NEVER_AVAILABLE})
    offer = Offer(donation=donation, position=position, created_at=at, **values)
    offer.clean_fields(exclude=NOT_TYPED)
    return offer


def _check_amounts(quantity: int | None, pack: int, min_lot: int) -> None:
    if quantity is None or quantity <= 0:
        raise ValidationError({"quantity": _("The quantity has to be more than nothing.")})
    if quantity > MOST:
        raise ValidationError(
            {
                "quantity": _("This is more than can be true (%(most)d at most). Is a digit too many?")
                % {"most": MOST}
            }
        )
    if pack > quantity:
        raise ValidationError({"pack": _("A pack holds more than the whole quantity.")})
    if min_lot < 1:
        raise ValidationError({"min_lot": _("The minimum quantity has to be more than nothing.")})
    if min_lot > quantity:
        raise ValidationError({"min_lot": _("The minimum quantity is larger than the whole quantity.")})


def keep_paper(
    donation: Donation,
    file: BinaryIO,
    *,
    size: int,
    kind: str,
    by: User,
    at: datetime,
    look: Look = inspected,
) -> Attachment:
    """Keep a photograph or document of the goods, never for the public. See `attach` for what is refused.

    Raises   Refused("donation-over") where it was refused or withdrawn: nobody would look at it
    """
    if not donation.takes_papers:
        raise Refused(_("This offer is over; post a new one."), code="donation-over")
    erase_on = timezone.localdate(at) + timedelta(days=PAPER_DAYS)
    return attach(donation, file, size=size, kind=kind, by=by, at=at, erase_on=erase_on, look=look)


@transaction.atomic
def publish(donation: Donation, *, by: User | None, at: datetime) -> Donation:
    """A volunteer has read it: its lines enter the matching. Never by who posted it."""
    donation, offers = _locked(donation)
    if by is not None and donation.posted_by_id == by.pk:
        raise NotEligible(
            _("You posted this donation; another volunteer has to publish it."), code="four-eyes"
        )
    return _publish(donation, offers, by=by, at=at)


@transaction.atomic
def publish_moderated(donation: Donation, *, at: datetime) -> Donation:
    """Publish what was moderated where it comes from: an imported list. Known counterfeits wait for a volunteer."""
    donation, offers = _locked(donation)
    if any(hit.is_exact for offer in offers for hit in counterfeits_like(offer)):
        return donation
    return _publish(donation, offers, by=None, at=at)


def counterfeits_like(offer: Offer, known: Counterfeits | None = None) -> list[Hit]:
    """The known counterfeits that the number on these goods is like."""
    number = offer.registration_number
    if not number:
        return []
    reading = read_marks(number, on=timezone.localdate(offer.created_at))
    return (known or Counterfeits()).like(number, reading, lot=offer.lot_number)


def _publish(donation: Donation, offers: list[Offer], *, by: User | None, at: datetime) -> Donation:
    # A closed donation is published again when a line of it goes on again, never by hand.
    if donation.status == DonationStatus.CLOSED:
        raise Refused(_("It was published before, and every line of it has ended."), code="move-refused")
    donation.move_to(DonationStatus.PUBLISHED)
    donation.moderated_by, donation.moderated_at = by, at
    donation.save(update_fields=["status", "moderated_by", "moderated_at"])
    opened = _move(offers, OfferStatus.OPEN, from_=[OfferStatus.WAITING])
    record(donation, "donation.published", by=by, at=at)
    record_all(opened, "offer.opened", by=by, at=at, facts=_family_facts)
    return donation


def _family_facts(offer: Offer) -> dict[str, Any]:
    return {"item": offer.item_id, "emergency": offer.donation.emergency_id}


def _locked(donation: Donation) -> tuple[Donation, list[Offer]]:
    offers = list(donation.offers.select_for_update().order_by("pk"))
    return Donation.objects.select_for_update().get(pk=donation.pk), offers


def _move(offers: Iterable[Offer], status: str, *, from_: Collection[str]) -> list[Offer]:
    moving = [offer for offer in offers if offer.status in from_]
    for offer in moving:
        offer.move_to(status)
    Offer.objects.bulk_update(moving, ["status"])
    return moving


@transaction.atomic
def refuse(donation: Donation, *, reason: str, by: User, at: datetime) -> Donation:
    """Send it back with a reason its donor can act on."""
    if not reason.strip():
        raise Refused(_("Say why, so that it can be corrected and posted again."), code="reason-missing")
    donation, offers = _locked(donation)
    if donation.posted_by_id == by.pk:
        raise NotEligible(
            _("You posted this donation; withdraw it, or let another volunteer judge it."), code="four-eyes"
        )
    donation.move_to(DonationStatus.REFUSED)
    donation.refusal, donation.moderated_by, donation.moderated_at = reason.strip()[:300], by, at
    donation.save(update_fields=["status", "refusal", "moderated_by", "moderated_at"])
    _move(offers, OfferStatus.REFUSED, from_=[OfferStatus.WAITING])
    record(donation, "donation.refused", by=by, at=at)
    return donation


CHANGEABLE = frozenset({"quantity", "min_lot", "available_from", "available_until", "mode", "max_km"})


@transaction.atomic
def change(offer: Offer, *, by: User | None, at: datetime, **changes: Any) -> Offer:
    """Change how much there is of a lot, and how it can travel. The quantity may not go below what is promised of it.

    What the goods are (item, standard, pack, lot, expiry) stays as a volunteer has read it; other goods are another offer.
    """
    if set(changes) - CHANGEABLE:
        raise TypeError(f"change() does not know {sorted(set(changes) - CHANGEABLE)}")
    offer = Offer.objects.select_for_update(of=("self",)).select_related("donation").get(pk=offer.pk)
    if offer.status not in (OfferStatus.WAITING, OfferStatus.OPEN, OfferStatus.SPENT):
        raise Refused(_("This offer is over; post a new one."), code="move-refused")
    for field, value in changes.items():
        setattr(offer, field, value)
    if offer.quantity is not None and 0 < offer.quantity < offer.quantity_allocated:
        raise Refused(
            _("%(taken)d are promised already; offer at least that many.")
            % {"taken": offer.quantity_allocated},
            code="below-what-is-promised",
        )
    _check_amounts(offer.quantity, offer.pack, offer.min_lot)
    _check_days(offer, changes, today=timezone.localdate(at))
    offer.clean_fields(exclude=NOT_TYPED)
    offer.save(update_fields=sorted(changes))
    record(offer, "offer.changed", by=by, at=at, changed=sorted(changes), **_family_facts(offer))
    settle([offer], by=by, at=at)
    return Offer.objects.get(pk=offer.pk)


def _check_days(offer: Offer, changes: Collection[str], *, today: date) -> None:
    """The last day it is available is still to come, and not before the first."""
    until = offer.available_until
    if until is None or not {"available_from", "available_until"} & set(changes):
        return
    if until < max(today, offer.available_from):
        field = "available_until" if "available_until" in changes else "available_from"
        raise ValidationError({field: NEVER_AVAILABLE})


@transaction.atomic
def consent(organisation: Organisation, *, by: User | None, at: datetime) -> Organisation:
    """The donor agrees in advance to every match of what it offers from now on and does not direct. Twice is harmless."""
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    if not organisation.allocates_for_me:
        organisation.allocates_for_me = True
        organisation.save(update_fields=["allocates_for_me"])
        record(organisation, "organisation.consented", by=by, at=at)
    return organisation


@transaction.atomic
def ask_each_time(organisation: Organisation, *, by: User | None, at: datetime) -> Organisation:
    """The donor agrees in advance no more, to nothing that is not promised yet. What is promised stays promised."""
    organisation = Organisation.objects.select_for_update(no_key=True).get(pk=organisation.pk)
    rows = Donation.objects.filter(organisation=organisation).agreed_in_advance()
    donations = list(rows.select_for_update(no_key=True).order_by("pk"))
    if organisation.allocates_for_me or donations:
        organisation.allocates_for_me = False
        organisation.save(update_fields=["allocates_for_me"])
        Donation.objects.filter(pk__in=[row.pk for row in donations]).update(allocates_for_me=False)
        record(organisation, "organisation.asked_each_time", by=by, at=at)
        record_all(donations, "donation.asked_each_time", by=by, at=at)
    return organisation


@transaction.atomic
def withdraw_offer(offer: Offer, *, by: User | None, at: datetime) -> Offer:
    """The donor takes back what is not promised yet. What is promised stays promised."""
    offer = Offer.objects.select_for_update().get(pk=offer.pk)
    offer.move_to(OfferStatus.WITHDRAWN)
    offer.save(update_fields=["status"])
    record(offer, "offer.withdrawn", by=by, at=at)
    _follow([offer.donation_id], by=by, at=at)
    return offer


@transaction.atomic
def withdraw(donation: Donation, *, by: User | None, at: datetime) -> Donation:
    """The donor takes back all that is not promised. What is promised stays promised, and is not offered again if released."""
    donation, offers = _locked(donation)
    donation.move_to(DonationStatus.WITHDRAWN)
    donation.save(update_fields=["status"])
    taken_back = [OfferStatus.WAITING, OfferStatus.OPEN, OfferStatus.SPENT]
    moved = _move(offers, OfferStatus.WITHDRAWN, from_=taken_back)
    record(donation, "donation.withdrawn", by=by, at=at)
    record_all(moved, "offer.withdrawn", by=by, at=at)
    return donation


def settle(offers: Iterable[Offer], *, by: User | None, at: datetime) -> None:
    """Mark offers that are given away, reopen those with something left again, and let their donations follow.

    Call with the rows locked.
    """
    rows = Offer.objects.filter(pk__in=[offer.pk for offer in offers]).select_related("donation")
    moved = [offer for offer in rows.order_by("pk") if _settle(offer, by=by, at=at)]
    _follow({offer.donation_id for offer in moved}, by=by, at=at)


def _settle(offer: Offer, *, by: User | None, at: datetime) -> bool:
    """Whether its status moved."""
    if offer.quantity_open == 0 and offer.status == OfferStatus.OPEN:
        offer.move_to(OfferStatus.SPENT)
        offer.save(update_fields=["status"])
        record(offer, "offer.spent", by=by, at=at)
        return True
    if offer.quantity_open > 0 and offer.status == OfferStatus.SPENT:
        offer.move_to(OfferStatus.OPEN)
        offer.save(update_fields=["status"])
        record(offer, "offer.opened", by=by, at=at, **_family_facts(offer))
        return True
    return False


# What becomes of a donation: its status, whether a line of it goes on -> its new status, what is written down.
FOLLOWS = {
    (DonationStatus.WAITING, False): (DonationStatus.WITHDRAWN, "donation.withdrawn"),
    (DonationStatus.PUBLISHED, False): (DonationStatus.CLOSED, "donation.closed"),
    (DonationStatus.CLOSED, True): (DonationStatus.PUBLISHED, "donation.reopened"),
}


def _follow(donation_ids: Collection[Any], *, by: User | None, at: datetime) -> None:
    """Let donations follow their lines: over when the last line has ended, published again when one goes on again."""
    rows = Donation.objects.filter(pk__in=donation_ids).select_for_update().order_by("pk")
    donations = list(rows)
    lines = Offer.objects.filter(donation__in=donations, status__in=[OfferStatus.WAITING, OfferStatus.OPEN])
    going_on = set(lines.values_list("donation", flat=True))
    for donation in donations:
        status, kind = FOLLOWS.get((DonationStatus(donation.status), donation.pk in going_on), ("", ""))
        if status:
            donation.move_to(status)
            donation.save(update_fields=["status"])
            record(donation, kind, by=by, at=at)


@transaction.atomic
def lapse(*, at: datetime) -> int:
    """End offers that have expired or are no longer available. Returns how many."""
    today = timezone.localdate(at)
    over = list(
        Offer.objects.open()
        .filter(Q(expires_on__lte=today) | Q(available_until__lt=today))
        .select_for_update()
        .order_by("pk")
    )
    _move(over, OfferStatus.LAPSED, from_=[OfferStatus.OPEN])
    record_all(over, "offer.lapsed", by=None, at=at)
    _follow({offer.donation_id for offer in over}, by=None, at=at)
    return len(over)
