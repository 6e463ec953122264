"""What stands on a paper, from the rows. In the language of the moment; days and hours of where the goods go."""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Prefetch
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from supplies.leaks import masked
from supplies.organisations.models import Facility, Organisation
from supplies.papers.contents import Consignment, Count, CountedGoods, Gift, GivenGoods, Goods, Parcel, Place
from supplies.papers.models import Certificate
from supplies.receipts.models import Receipt, ReceiptLine
from supplies.shipments.models import Shipment, ShipmentLine
from supplies.shipments.units import HandlingUnit, UnitContent
from supplies.templatetags.amounts import amount, place
from supplies.wording import day


def address(name: str, *args: Any) -> str:
    """The whole address of a page, as it has to stand on paper."""
    return settings.SITE_ADDRESS + reverse(name, args=args)


def consignment(shipment: Shipment) -> Consignment:
    """The shipment with its parcels, in six queries whatever is on board."""
    lines = list(
        shipment.lines.filter(is_live=True)
        .select_related("allocation__offer__item__display_unit", "allocation__offer__item__base_unit")
        .order_by("pk")
    )
    units = list(
        HandlingUnit.objects.live()
        .filter(shipment=shipment)
        .prefetch_related(Prefetch("contents", UnitContent.objects.order_by("line", "pk")))
        .in_order()
    )
    goods = {line.pk: line for line in lines}
    weight = sum(unit.gross_weight_g or 0 for unit in units if unit.parent_id is None)
    return Consignment(
        code=shipment.code,
        link=address("track", shipment.code),
        sender=_donor(shipment.consignor),
        to=_site(shipment.consignee),
        goods=tuple(_goods(line, line.allocation.quantity) for line in lines),
        parcels=tuple(_parcel(unit, goods) for unit in units),
        carrier=shipment.carrier.name if shipment.carrier else "",
        waybill=shipment.waybill,
        transport=shipment.mode.name if shipment.mode else "",
        warnings=tuple(_warnings(shipment, lines)),
        weight=_kilograms(shipment.stated_weight_g or weight or None),
        expected=_day(shipment.expected_on),
    )


def count(receipt: Receipt) -> Count:
    """The hospital's count, with what was not good in words."""
    shipment = receipt.shipment
    lines = receipt.lines.select_related("line__allocation__offer__item__display_unit").order_by("pk")
    return Count(
        consignment=consignment(shipment),
        counted_at=_hour(receipt.at, shipment.consignee),
        lines=tuple(
            CountedGoods(
                item=line.line.allocation.offer.item.name,
                shipped=amount(line.line.allocation.offer.item, line.shipped),
                accepted=amount(line.line.allocation.offer.item, line.accepted),
                rest="; ".join(
                    f"{label_of(kind)}: {amount(line.line.allocation.offer.item, quantity)}"
                    for kind in ("damaged", "wrong_item", "expired", "refused", "missing", "surplus")
                    if (quantity := getattr(line, kind))
                ),
            )
            for line in lines
        ),
    )


def label_of(kind: str) -> str:
    return str(ReceiptLine._meta.get_field(kind).verbose_name)  # type: ignore[union-attr] # none of them is a reverse one


def gift(certificate: Certificate) -> Gift:
    """A certificate as it was issued."""
    lines = certificate.lines.select_related(
        "facility__organisation", "facility__region__parent__parent", "item__display_unit"
    ).order_by("last_on", "pk")
    return Gift(
        code=certificate.code,
        link=address("certificate", certificate.code),
        donor=masked(certificate.donation.organisation.name),
        occasion=certificate.donation.emergency.name,
        issued=day(certificate.issued_at),
        lines=tuple(
            GivenGoods(
                hospital=masked(line.facility.organisation.name),
                region=place(line.facility.region),
                item=line.item.name,
                amount=amount(line.item, line.accepted),
                on=day(line.last_on),
            )
            for line in lines
        ),
    )


def _donor(organisation: Organisation) -> Place:
    return Place(masked(organisation.name), masked(organisation.name), place(organisation.region))


def _site(facility: Facility) -> Place:
    return Place(
        name=masked(facility.name),
        organisation=masked(facility.organisation.name),
        region=place(facility.region),
        dock=facility.address,
    )


def _goods(line: ShipmentLine, quantity: int) -> Goods:
    offer = line.allocation.offer
    return Goods(
        item=offer.item.name,
        amount=amount(offer.item, quantity),
        lot=offer.lot_number,
        expires=_day(offer.expires_on),
    )


def _parcel(unit: HandlingUnit, lines: dict[int, ShipmentLine]) -> Parcel:
    return Parcel(
        kind=unit.get_kind_display(),
        sscc=unit.sscc,
        weight=_kilograms(unit.gross_weight_g),
        goods=tuple(_goods(lines[content.line_id], content.quantity) for content in unit.contents.all()),
    )


def _warnings(shipment: Shipment, lines: list[ShipmentLine]) -> list[str]:
    """What a driver has to know: how warm, and which dangerous goods."""
    least, most = shipment.min_temp_c, shipment.max_temp_c
    found = []
    if least is not None and most is not None:
        found.append(f"{least}–{most} °C")
    elif most is not None:
        found.append(_("not warmer than %(most)d °C") % {"most": most})
    elif least is not None:
        found.append(_("not colder than %(least)d °C") % {"least": least})
    dangerous = {(line.un_number, line.hazard_class) for line in lines if line.un_number}
    return found + [f"UN {number} ({kind})" for number, kind in sorted(dangerous)]


def _kilograms(grams: int | None) -> str:
    return f"{(Decimal(grams) / 1000).normalize():f} kg" if grams else ""


def _day(day: Any) -> str:
    return formats.date_format(day, "Y-m-d") if day else ""


def _hour(at: Any, facility: Facility) -> str:
    return f"{timezone.localtime(at, ZoneInfo(facility.timezone)):%Y-%m-%d %H:%M}"
