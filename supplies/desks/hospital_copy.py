"""All that concerns a hospital as tables: what it asked for, what was promised, what is on its way, what it counted."""

import io
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

from django.utils.translation import gettext as _

from supplies.allocations.models import Allocation
from supplies.needs.models import Need
from supplies.organisations.models import OrganisationQuerySet
from supplies.receipts.models import ReceiptLine
from supplies.sheets import MARK, plain, text_of
from supplies.shipments.models import Shipment

MOST = 20_000  # rows of one table, the newest
Row = list[Any]


def copy_of(hospitals: OrganisationQuerySet) -> tuple[bytes, int]:
    """The tables as a ZIP of CSV files, no cell of which a spreadsheet runs; and how many rows they have."""
    tables = {
        "needs": _needs(hospitals),
        "promises": _promises(hospitals),
        "shipments": _shipments(hospitals),
        "receipts": _receipts(hospitals),
    }
    file, rows = io.BytesIO(), 0
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (head, body) in tables.items():
            written = [[plain(cell) for cell in row] for row in body]
            archive.writestr(f"{name}.csv", MARK + text_of([head, *written]))
            rows += len(written)
    return file.getvalue(), rows


def _needs(hospitals: OrganisationQuerySet) -> tuple[Row, Iterable[Row]]:
    head = [
        _("appeal"), _("facility"), _("item"), _("unit"), _("quantity"), _("promised"), _("in transit"), _("received"),
        _("still needed"), _("status"), _("urgency"), _("needed by"), _("posted"), _("last confirmed"), _("as written"),
    ]  # fmt: skip
    rows = Need.objects.filter(site__organisation__in=hospitals).newest_first()
    return head, map(_need, rows.select_related("item__display_unit", "appeal", "site")[:MOST])


def _need(need: Need) -> Row:
    item = need.item
    counts = (
        need.quantity,
        need.quantity_promised,
        need.quantity_in_transit,
        need.quantity_received,
        need.quantity_outstanding,
    )
    return [
        need.appeal.code,
        need.site.name,
        item.name,
        item.display_unit.name,
        *(None if count is None else item.shown(count) for count in counts),
        need.get_status_display(),
        need.get_urgency_display(),
        need.needed_by,
        need.created_at,
        need.confirmed_at,
        need.as_written,
    ]


def _promises(hospitals: OrganisationQuerySet) -> tuple[Row, Iterable[Row]]:
    head = [
        _("appeal"),
        _("item"),
        _("unit"),
        _("quantity"),
        _("from"),
        _("status"),
        _("promised"),
        _("to be shipped by"),
    ]
    rows = Allocation.objects.filter(need__site__organisation__in=hospitals).newest_first()
    rows = rows.select_related("need__appeal", "offer__item__display_unit", "offer__donation__organisation")
    return head, map(_promise, rows[:MOST])


def _promise(row: Allocation) -> Row:
    item, donor = row.offer.item, row.offer.donation.organisation
    goods = [item.name, item.display_unit.name, item.shown(row.quantity)]
    return [row.need.appeal.code, *goods, donor.name, row.get_status_display(), row.created_at, row.due_at]


def _shipments(hospitals: OrganisationQuerySet) -> tuple[Row, Iterable[Row]]:
    head = [
        _("shipment"), _("from"), _("to"), _("carrier"), _("waybill number"), _("status"),
        _("created"), _("departed"), _("expected on"), _("delivered"),
    ]  # fmt: skip
    rows = Shipment.objects.filter(consignee__organisation__in=hospitals).newest_first()
    return head, map(_shipment, rows.select_related("consignor", "consignee", "carrier")[:MOST])


def _shipment(row: Shipment) -> Row:
    ends = [row.consignor.name, row.consignee.name, row.carrier.name if row.carrier else ""]
    times = [row.created_at, row.departed_at, row.expected_on, row.delivered_at]
    return [row.code, *ends, row.waybill, row.get_status_display(), *times]


def _receipts(hospitals: OrganisationQuerySet) -> tuple[Row, Iterable[Row]]:
    head = [
        _("shipment"), _("counted at"), _("item"), _("unit"), _("good"), _("damaged"), _("wrong item"), _("expired"),
        _("refused"), _("missing"), _("note"),
    ]  # fmt: skip
    rows = ReceiptLine.objects.standing().filter(receipt__shipment__consignee__organisation__in=hospitals)
    rows = rows.select_related("receipt__shipment", "line__allocation__offer__item__display_unit")
    return head, _counts(rows.order_by("-receipt__at", "pk")[:MOST])


def _counts(rows: Iterable[ReceiptLine]) -> Iterator[Row]:
    for row in rows:
        item = row.line.allocation.offer.item
        counts = (row.accepted, row.damaged, row.wrong_item, row.expired, row.refused, row.missing)
        goods = [item.name, item.display_unit.name, *(item.shown(count) for count in counts)]
        yield [row.receipt.shipment.code, row.receipt.at, *goods, row.receipt.note]
