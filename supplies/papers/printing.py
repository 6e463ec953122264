"""Which papers there are, and how they are handed out: the same to people and to programs."""

from collections.abc import Callable, Collection
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404

from supplies.papers import documents, filling
from supplies.papers.models import Certificate
from supplies.receipts.models import Receipt
from supplies.shipments.models import Shipment

PAPERS: dict[str, Callable[[Shipment], bytes]] = {
    "labels": lambda shipment: documents.labels(filling.consignment(shipment)),
    "packing-list": lambda shipment: documents.packing_list(filling.consignment(shipment)),
    "waybill": lambda shipment: documents.waybill(filling.consignment(shipment)),
    "receipt": lambda shipment: documents.receipt(filling.count(_receipt(shipment))),
}


NEEDED = (
    "carrier",
    "mode",
    "consignor__region__parent__parent",
    "consignee__organisation",
    "consignee__region__parent__parent",
)


def shipment_of(user: object, pk: UUID) -> Shipment:
    """With what every paper of it needs. Raises Http404 for one that the person does not see."""
    return get_object_or_404(Shipment.objects.visible_to(user).select_related(*NEEDED), pk=pk)


def labels_of(shipments: Collection[Shipment]) -> HttpResponse:
    """The labels of several shipments in one file, in their order."""
    rows = Shipment.objects.select_related(*NEEDED).in_bulk([shipment.pk for shipment in shipments])
    cargo = [filling.consignment(rows[shipment.pk]) for shipment in shipments]
    return as_pdf(documents.labels(*cargo), f"labels-{len(cargo)}.pdf")


def printed(shipment: Shipment, paper: str) -> HttpResponse:
    """Raises Http404 for a paper there is none of, such as the receipt of what was not counted yet."""
    if paper not in PAPERS:
        raise Http404
    return as_pdf(PAPERS[paper](shipment), f"{paper}-{shipment.code[:8]}.pdf")


def as_pdf(content: bytes, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{name}"'
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _receipt(shipment: Shipment) -> Receipt:
    return get_object_or_404(Receipt.objects.standing().select_related("shipment"), shipment=shipment)


def coded(code: str) -> Certificate | None:
    rows = Certificate.objects.select_related("donation__organisation", "donation__emergency")
    return rows.filter(code=code.lower()).first()
