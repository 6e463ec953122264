"""Follow a code: what has become of an appeal, a donation, a shipment or a report, told without naming a person or a donor."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import Item
from supplies.change_requests.models import ChangeRequestStatus, Report
from supplies.desks import journey
from supplies.desks.journey import Expected, Sighting, Stop
from supplies.needs.models import Appeal
from supplies.offers.models import Donation
from supplies.organisations.models import Facility
from supplies.receipts.models import ReceiptLine, Thanks
from supplies.regions.models import Region
from supplies.shipments.models import Leg, Shipment, ShipmentLine, ShipmentStatus
from supplies.shipments.rearranging import travelling_as

COUNTED = ("accepted", "damaged", "wrong_item", "expired", "refused", "missing", "surplus")
CODE = re.compile(r"[2-9a-z]{26}", re.ASCII)
STEPS: dict[str, "str | Promise"] = {
    "appeal.posted": _("Posted; a volunteer will read it."),
    "appeal.published": _("Published; its needs are being matched."),
    "appeal.refused": _("Sent back by a volunteer."),
    "appeal.withdrawn": _("Withdrawn."),
    "appeal.closed": _("Closed: every need has been met or has ended."),
    "donation.posted": _("Posted; a volunteer will read it."),
    "donation.published": _("Published; its goods are being matched."),
    "donation.refused": _("Sent back by a volunteer."),
    "donation.withdrawn": _("Withdrawn."),
    "donation.closed": _("Closed: everything has been given away or has ended."),
    "change_request.accepted": _("Accepted: it was so, and was corrected."),
    "change_request.declined": _("Declined: it stays as it is."),
    "change_request.withdrawn": _("Taken back by whoever reported it."),
}


@dataclass(frozen=True)
class Line:
    """One item of what is followed. Quantities are base units; `gauges` maps a gauge's name to its quantity.

    A need has requested (None without a number), proposed, promised, in_transit, received and outstanding; an offer
    has offered, proposed, promised and left; a shipment has shipped and, once counted, accepted, damaged, wrong_item,
    expired, refused, missing and surplus.
    """

    item: Item
    status: str
    status_label: str
    gauges: dict[str, int | None]

    def shown(self, gauge: str) -> Decimal | None:
        """A gauge in the unit people use."""
        quantity = self.gauges[gauge]
        return None if quantity is None else self.item.shown(quantity)


@dataclass(frozen=True)
class Parcel:
    """A shipment that carries something of a donation: where it goes, and what became of that part of it.

    thanks   the hospital's, as everybody may read them once masked; empty without
    """

    code: str
    status: str
    status_label: str
    to: Facility
    delivered_at: datetime | None
    lines: tuple[Line, ...]
    thanks: str = ""


@dataclass(frozen=True)
class Track:
    """What a code tells.

    kind         "appeal", "donation", "shipment" or "report"
    to           the hospital's site the goods are for, if they are for one
    from_region  where the goods lie or lay, down to the district
    refusal      why a volunteer sent it back, or did not do what was reported, for its author to act on
    expected     of a shipment, what past journeys tell; `expected_on` is their middle, or else the day the carrier named
    thanks       of a shipment, the hospital's; empty without
    shipments    of a donation, the latest first
    """

    kind: str
    code: str
    status: str
    status_label: str
    created_at: datetime
    timeline: tuple[Sighting, ...]
    lines: tuple[Line, ...]
    to: Facility | None = None
    from_region: Region | None = None
    refusal: str = ""
    expected_on: date | None = None
    expected: Expected | None = None
    route: tuple[Stop, ...] = ()
    thanks: str = ""
    shipments: tuple[Parcel, ...] = ()

    @property
    def is_paused(self) -> bool:
        """The hospital is not accepting goods for now, and it is still to come there."""
        return (
            self.kind == "shipment" and self.status in journey.TO_COME and bool(self.to and self.to.is_paused)
        )


def track(code: str) -> Track | None:
    """What the code stands for; None for a code that is unknown or could not be one."""
    if not CODE.fullmatch(code):
        return None
    for find in (_appeal, _donation, _shipment, _report):
        if found := find(code):
            return found
    return None


def _appeal(code: str) -> Track | None:
    appeal = (
        Appeal.objects.select_related("facility__organisation", "facility__region__parent__parent")
        .filter(code=code)
        .first()
    )
    if appeal is None:
        return None
    needs = appeal.needs.select_related("item__base_unit", "item__display_unit").as_posted()
    return Track(
        kind="appeal",
        code=code,
        status=appeal.status,
        status_label=appeal.get_status_display(),
        created_at=appeal.created_at,
        timeline=journey.journal(appeal, STEPS),
        lines=tuple(
            Line(
                need.item,
                need.status,
                need.get_status_display(),
                {
                    "requested": need.quantity,
                    "proposed": need.quantity_proposed,
                    "promised": need.quantity_promised,
                    "in_transit": need.quantity_in_transit,
                    "received": need.quantity_received,
                    "outstanding": need.quantity_outstanding,
                },
            )
            for need in needs
        ),
        to=appeal.facility,
        refusal=appeal.refusal,
    )


def _donation(code: str) -> Track | None:
    donation = Donation.objects.select_related("region__parent__parent").filter(code=code).first()
    if donation is None:
        return None
    offers = donation.offers.select_related("item__base_unit", "item__display_unit").as_posted()
    return Track(
        kind="donation",
        code=code,
        status=donation.status,
        status_label=donation.get_status_display(),
        created_at=donation.created_at,
        timeline=journey.journal(donation, STEPS),
        lines=tuple(
            Line(
                offer.item,
                offer.status,
                offer.get_status_display(),
                {
                    "offered": offer.quantity,
                    "proposed": offer.quantity_proposed,
                    "promised": offer.quantity_allocated,
                    "left": offer.quantity_open,
                },
            )
            for offer in offers
        ),
        from_region=donation.region,
        refusal=donation.refusal,
        shipments=_parcels(donation),
    )


def _parcels(donation: Donation) -> tuple[Parcel, ...]:
    """What carries the goods of a donation, in as many queries for a hundred shipments as for one."""
    rows = list(
        ShipmentLine.objects.filter(allocation__offer__donation=donation)
        .exclude(shipment__status=ShipmentStatus.CANCELLED)
        .select_related(
            "shipment__consignee__organisation",
            "shipment__consignee__region__parent__parent",
            "allocation__offer__item__base_unit",
            "allocation__offer__item__display_unit",
        )
        .order_by("-shipment__created_at", "shipment", "pk")
    )
    shipments = {row.shipment_id: row.shipment for row in rows}
    thanks = dict(Thanks.objects.shown().filter(shipment__in=shipments).values_list("shipment", "words"))
    counted = _counts(rows)
    return tuple(
        Parcel(
            code=shipment.code,
            status=shipment.status,
            status_label=shipment.get_status_display(),
            to=shipment.consignee,
            delivered_at=shipment.delivered_at,
            lines=tuple(_line(row, counted.get(row.pk)) for row in rows if row.shipment_id == pk),
            thanks=thanks.get(pk, ""),
        )
        for pk, shipment in shipments.items()
    )


def _counts(rows: Collection[ShipmentLine]) -> dict[int, ReceiptLine]:
    return {count.line_id: count for count in ReceiptLine.objects.standing().filter(line__in=rows)}


def _line(row: ShipmentLine, count: ReceiptLine | None) -> Line:
    gauges: dict[str, int | None] = {"shipped": row.allocation.quantity}
    gauges |= {name: getattr(count, name) for name in COUNTED} if count else {}
    allocation = row.allocation
    return Line(allocation.offer.item, allocation.status, allocation.get_status_display(), gauges)


def _shipment(code: str) -> Track | None:
    shipment = (
        Shipment.objects.select_related(
            "consignor__region__parent__parent",
            "consignee__organisation",
            "consignee__region__parent__parent",
        )
        .filter(code=code)
        .first()
    )
    if shipment is None:
        return None
    now = travelling_as(shipment)
    if now.pk != shipment.pk:
        return _shipment(now.code)
    rows = list(
        shipment.lines.select_related(
            "allocation__need", "allocation__offer__item__base_unit", "allocation__offer__item__display_unit"
        ).order_by("pk")
    )
    counted = _counts(rows)
    legs = list(Leg.objects.filter(shipment=shipment).select_related("from_region", "to_region").in_order())
    thanks = Thanks.objects.shown().filter(shipment=shipment).first()
    expected = journey.expected(shipment)
    return Track(
        kind="shipment",
        code=code,
        status=shipment.status,
        status_label=shipment.get_status_display(),
        created_at=shipment.created_at,
        timeline=journey.happened(
            shipment, legs, [row.allocation for row in rows], thanks.at if thanks else None
        ),
        lines=tuple(_line(row, counted.get(row.pk)) for row in rows),
        to=shipment.consignee,
        from_region=shipment.consignor.region,
        expected_on=(expected.on if expected else None) or shipment.expected_on,
        expected=expected,
        route=journey.route(shipment, legs),
        thanks=thanks.words if thanks else "",
    )


def _report(code: str) -> Track | None:
    """Where it stands; what it is about is told on its own page, in full."""
    report = Report.objects.select_related("change_request").filter(code=code).first()
    if report is None:
        return None
    request = report.change_request
    return Track(
        kind="report",
        code=code,
        status=request.status,
        status_label=request.get_status_display(),
        created_at=report.at,
        timeline=journey.journal(request, STEPS),
        lines=(),
        refusal=request.answer if request.status == ChangeRequestStatus.DECLINED else "",
    )
