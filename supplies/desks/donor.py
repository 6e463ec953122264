"""The donor's desk: what waits for an answer, what became of each gift, and what to write on the parcel."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, Sum
from django.db.models.functions import Least
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from supplies.accounts.drafts import KEPT
from supplies.accounts.models import Draft
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.attachments.models import Attachment
from supplies.catalogue.models import Item
from supplies.leaks import masked
from supplies.offers.models import Donation, DonationQuerySet, DonationStatus, Offer, OfferStatus
from supplies.offers.permissions import own_donors
from supplies.organisations.models import Facility
from supplies.organisations.visitors import SignedIn, private, signed_in
from supplies.papers.models import Certificate
from supplies.privacy.reaching import HandOver
from supplies.receipts.models import ReceiptLine, Thanks
from supplies.shipments.models import Shipment, ShipmentLine, ShipmentStatus
from supplies.templatetags.amounts import amount, place
from supplies.wording import day

GIFTS_SHOWN, PROMISES_SHOWN = 20, 50
S = AllocationStatus
UNDER_WAY = (S.SHIPPED,)
PROMISED = (S.RESERVED, S.BOOKED)
ASTRAY = (S.LOST, S.RETURNED)


@dataclass
class Line:
    """What became of one lot: the names are those that the quantity bar reads, in base units of the item.

    quantity_outstanding   what nobody has been promised and nobody has proposed for
    astray                 lost, sent back, or counted and not good
    """

    offer: Offer
    sums: dict[str, int] = field(default_factory=dict)
    received: int = 0
    counted: int = 0

    @property
    def item(self) -> Item:
        return self.offer.item

    @property
    def asked(self) -> int:
        return self.offer.quantity

    @property
    def quantity_received(self) -> int:
        return self.received

    @property
    def quantity_in_transit(self) -> int:
        return self._of(UNDER_WAY)

    @property
    def quantity_promised(self) -> int:
        return self._of(PROMISED)

    @property
    def quantity_proposed(self) -> int:
        return self.offer.quantity_proposed

    @property
    def quantity_outstanding(self) -> int:
        return max(int(self.offer.quantity_open) - int(self.offer.quantity_proposed), 0)

    @property
    def astray(self) -> int:
        return self._of(ASTRAY) + self.counted - self.received

    @property
    def is_all_matched(self) -> bool:
        """Still open, since a match may come to nothing, but nobody else can be given any of it just now."""
        return self.offer.status == OfferStatus.OPEN and not self.quantity_outstanding

    @property
    def is_over(self) -> bool:
        return self.offer.is_over

    def _of(self, statuses: Iterable[str]) -> int:
        return sum(self.sums.get(status, 0) for status in statuses)


@dataclass(frozen=True)
class Sending:
    """Promises that go together: in one shipment, or, before there is one, to one appeal. And what to write on the parcels, a
    line for each line: one address, then the goods.
    """

    promises: tuple[Allocation, ...]
    shipment: Shipment | None
    hand_overs: tuple[HandOver, ...]
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(self.words)

    @property
    def facility(self) -> Facility:
        return self.promises[0].need.appeal.facility

    @property
    def thanks(self) -> Thanks | None:
        said: Thanks | None = getattr(self.shipment, "thanks", None)
        return said if said is not None and said.withheld_at is None else None

    @property
    def is_to_be_sent(self) -> bool:
        return any(promise.status in PROMISED for promise in self.promises)


def own_gifts(user: Any) -> DonationQuerySet:
    """The donations of a person and of those she acts for. Whoever only watches over others finds them elsewhere."""
    return Donation.objects.filter(Q(posted_by=user) | Q(organisation__in=user.organisation_ids))


@signed_in
@require_safe
def my_gifts(request: SignedIn) -> HttpResponse:
    """What waits for the donor, then every gift with a bar for each of its lines, the newest first."""
    now = timezone.now()
    gifts = list(
        own_gifts(request.user).select_related("organisation", "emergency").newest_first()[:GIFTS_SHOWN]
    )
    lines = _lines(gifts)
    asked = sum(
        line.quantity_proposed > 0 and not line.is_over for of_gift in lines.values() for line in of_gift
    )
    going_on = sum(gift.status in (DonationStatus.WAITING, DonationStatus.PUBLISHED) for gift in gifts)
    everything = [line for of_gift in lines.values() for line in of_gift]
    agreed = Donation.objects.filter(organisation=OuterRef("pk")).agreed_in_advance()
    donors = own_donors(request.user).standing().annotate(has_agreed=Exists(agreed)).order_by("name", "pk")
    kept = (
        Draft.objects.filter(user=request.user, kept_at__gt=now - KEPT).defer("typed_sealed").newest_first()
    )
    context = {
        "drafts": kept.filter(page__startswith=reverse("post-donation")),
        "donors": donors,
        "gifts": [(gift, lines.get(gift.pk, [])) for gift in gifts],
        "asked": asked,
        "going_on": going_on,
        "under_way": sum(line.quantity_in_transit > 0 for line in everything),
        "arrived": sum(line.received > 0 for line in everything),
        "now": now,
    }
    return render(request, "desks/my_gifts.html", context)


@signed_in
@require_safe
def my_gift(request: SignedIn, pk: UUID) -> HttpResponse:
    """One gift: what became of it, whom it is promised to, what to write on the parcels, and its papers."""
    gift = get_object_or_404(
        own_gifts(request.user).select_related(
            "organisation",
            "emergency",
            "region__parent__parent",
            "directed_facility",
            "directed_region__parent__parent",
        ),
        pk=pk,
    )
    lines = _lines([gift]).get(gift.pk, [])
    context = {
        "gift": gift,
        "lines": lines,
        "has_arrived": any(line.received for line in lines),
        "sendings": _sendings(gift),
        "files": Attachment.objects.about(gift).kept().oldest_first(),
        "certificates": Certificate.objects.filter(donation=gift, called_back_at=None).newest_first()[:5],
        "is_going_on": gift.status in (DonationStatus.WAITING, DonationStatus.PUBLISHED),
    }
    return private(render(request, "desks/my_gift.html", context))


def _lines(gifts: list[Donation]) -> dict[UUID, list[Line]]:
    """The lots of some gifts with what became of them: three queries, however many."""
    offers = Offer.objects.filter(donation__in=gifts).select_related(
        "item__display_unit", "item__base_unit", "standard"
    )
    lines = {offer.pk: Line(offer) for offer in offers.first_to_expire_first()}
    promised = Allocation.objects.filter(offer__in=lines).values_list("offer", "status")
    for pk, status, quantity in promised.annotate(units=Sum("quantity")).order_by("offer", "status"):
        lines[pk].sums[status] = quantity
    counts = ReceiptLine.objects.standing().filter(line__allocation__offer__in=lines)
    for pk, good, shipped in (
        counts.values_list("line__allocation__offer")
        .annotate(good=Sum(Least("accepted", "shipped")), all=Sum("shipped"))
        .order_by("line__allocation__offer")
    ):
        lines[pk].received, lines[pk].counted = good, shipped
    found: dict[UUID, list[Line]] = {}
    for line in lines.values():
        found.setdefault(line.offer.donation_id, []).append(line)
    return found


def _sendings(gift: Donation) -> list[Sending]:
    """Whom it is promised to, the newest first; what was released or sent on stands under its new promise, if there is one."""
    rows = (
        Allocation.objects.filter(offer__donation=gift)
        .exclude(status__in=[S.RELEASED, S.REROUTED])
        .select_related(
            "need__appeal__facility__organisation",
            "need__appeal__facility__region__parent__parent",
            "offer__item__display_unit",
        )
        .newest_first()[:PROMISES_SHOWN]
    )
    promises = list(rows)
    carried = (
        ShipmentLine.objects.filter(allocation__in=promises)
        .exclude(shipment__status=ShipmentStatus.CANCELLED)
        .select_related("shipment__thanks")
        .order_by("pk")
    )
    shipments = {row.allocation_id: row.shipment for row in carried}
    together: dict[Any, list[Allocation]] = {}
    for row in promises:
        together.setdefault(shipments.get(row.pk) or row.need.appeal, []).append(row)
    return [_sending(gift, tuple(found), shipments.get(found[0].pk)) for found in together.values()]


def _sending(gift: Donation, promises: tuple[Allocation, ...], shipment: Shipment | None) -> Sending:
    hand_overs = tuple(dict.fromkeys(HandOver.of(row.need.appeal) for row in promises))
    words = tuple(dict.fromkeys(_words(gift, promises, shipment, hand_overs)))
    return Sending(promises, shipment, hand_overs, words)


def _words(
    gift: Donation,
    promises: Sequence[Allocation],
    shipment: Shipment | None,
    hand_overs: Iterable[HandOver],
) -> Iterator[str]:
    """What stands on the parcel. No name and no number of a person: the carrier is given those."""
    facility = promises[0].need.appeal.facility
    yield _("Donated goods – not for sale · %(emergency)s") % {"emergency": gift.emergency.name}
    name, house = masked(facility.name), masked(facility.organisation.name)
    yield _("To: %(name)s") % {"name": name if name == house else f"{house} · {name}"}
    yield f"{place(facility.region)} {masked(facility.address)}".strip()
    for hand_over in hand_overs:
        if hand_over.handover_point:
            yield _("Hand over at: %(place)s") % {"place": hand_over.handover_point}
        if hand_over.courier_address:
            yield _("By courier: %(address)s") % {"address": hand_over.courier_address}
    for row in promises:
        yield " · ".join(_facts(row))
    yield _("From: %(donor)s") % {"donor": masked(gift.organisation.name)}
    yield _("Tongzhou %(code)s") % {"code": (shipment.code if shipment else gift.code)}


def _facts(row: Allocation) -> Iterator[str]:
    offer = row.offer
    yield offer.item.name
    yield amount(offer.item, row.quantity)
    if offer.lot_number:
        yield _("lot %(lot)s") % {"lot": offer.lot_number}
    if offer.expires_on:
        yield _("expires %(day)s") % {"day": day(offer.expires_on)}
