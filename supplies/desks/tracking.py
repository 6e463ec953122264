"""Follow a code: what has become of an appeal, a donation, a shipment or a report, told without naming a person or a donor."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import Item
from supplies.change_requests.models import ChangeRequestStatus, Report
from supplies.journal.models import Event
from supplies.needs.models import Appeal
from supplies.offers.models import Donation
from supplies.organisations.models import Facility
from supplies.receipts.models import ReceiptLine
from supplies.regions.models import Region
from supplies.shipments.models import Shipment

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
    "shipment.made": _("Put together; a carrier is looked for."),
    "shipment.booked": _("Booked with a carrier."),
    "shipment.rerouted": _("Sent on to another hospital."),
    "shipment.recounted": _("Its count was corrected."),
}


@dataclass(frozen=True)
class Sighting:
    """One thing that happened. `step` is stable, `what` is for people."""

    at: datetime
    step: str
    what: "str | Promise"


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
class Track:
    """What a code tells.

    kind         "appeal", "donation", "shipment" or "report"
    to           the hospital's site the goods are for, if they are for one
    from_region  where the goods lie or lay, down to the district
    refusal      why a volunteer sent it back, or did not do what was reported, for its author to act on
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
    needs = appeal.needs.select_related("item__base_unit", "item__display_unit").order_by("created_at", "pk")
    return Track(
        kind="appeal",
        code=code,
        status=appeal.status,
        status_label=appeal.get_status_display(),
        created_at=appeal.created_at,
        timeline=_journal(appeal),
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
    offers = donation.offers.select_related("item__base_unit", "item__display_unit").order_by(
        "created_at", "pk"
    )
    return Track(
        kind="donation",
        code=code,
        status=donation.status,
        status_label=donation.get_status_display(),
        created_at=donation.created_at,
        timeline=_journal(donation),
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
    )


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
    lines = shipment.lines.select_related(
        "allocation__offer__item__base_unit", "allocation__offer__item__display_unit"
    ).order_by("pk")
    counts = {row.line_id: row for row in ReceiptLine.objects.standing().filter(line__shipment=shipment)}
    counted = ("accepted", "damaged", "wrong_item", "expired", "refused", "missing", "surplus")
    found = []
    for line in lines:
        receipt = counts.get(line.pk)
        gauges: dict[str, int | None] = {"shipped": line.allocation.quantity}
        gauges |= {name: getattr(receipt, name) for name in counted} if receipt else {}
        allocation = line.allocation
        found.append(Line(allocation.offer.item, allocation.status, allocation.get_status_display(), gauges))
    # What carriers write beside an event may name their people, so only the step itself is told.
    events = shipment.events.order_by("occurred_at", "pk")
    return Track(
        kind="shipment",
        code=code,
        status=shipment.status,
        status_label=shipment.get_status_display(),
        created_at=shipment.created_at,
        timeline=(
            *_journal(shipment),
            *(Sighting(event.occurred_at, event.step, event.get_step_display()) for event in events),
        ),
        lines=tuple(found),
        to=shipment.consignee,
        from_region=shipment.consignor.region,
        expected_on=shipment.expected_on,
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
        timeline=_journal(request),
        lines=(),
        refusal=request.answer if request.status == ChangeRequestStatus.DECLINED else "",
    )


def _journal(row: Model) -> tuple[Sighting, ...]:
    events = Event.objects.about(row).filter(kind__in=STEPS).order_by("pk")
    return tuple(Sighting(event.at, event.kind.partition(".")[2], STEPS[event.kind]) for event in events)
