"""FHIR R5, to be read: needs for everybody, shipments for whom they concern."""

from collections.abc import Mapping
from typing import Any

import django_filters
from django.core.exceptions import ValidationError as Unfit
from django.db.models import Prefetch, QuerySet
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from supplies.api_fields import AnyAccept
from supplies.catalogue.api import InCategoryFilter
from supplies.catalogue.models import Item
from supplies.emergencies.models import Emergency
from supplies.opendata import fhir, rows
from supplies.opendata.rows import Shelf
from supplies.opendata.signing import origin
from supplies.organisations.tokens import HasScope
from supplies.regions.api import InRegionFilter
from supplies.shipments.models import Shipment, ShipmentLine

COUNT = "_count"


class FhirRenderer(JSONRenderer):
    media_type = "application/fhir+json"
    charset = "utf-8"

    def render(self, data: Any, *rest: Any, **more: Any) -> Any:
        return super().render(data, "application/json", {})


class FhirView(GenericAPIView):
    """Errors are OperationOutcomes; `_count` is what the API calls page_size."""

    renderer_classes = [FhirRenderer]
    content_negotiation_class = AnyAccept
    http_method_names = ["get", "head"]

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        if COUNT in request.GET:
            given = request.GET.copy()
            given.setlist("page_size", given.pop(COUNT))
            request.GET = given
        return super().initialize_request(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        response = super().handle_exception(exc)
        fields = {COUNT if name == "page_size" else name: said for name, said in _fields(response).items()}
        detail = str(response.data.get("detail", ""))
        response.data = fhir.outcome(response.status_code, detail, fields)
        return response

    @property
    def writer(self) -> fhir.Writer:
        root = self.request.build_absolute_uri(reverse("fhir-metadata"))
        return fhir.Writer(root.rpartition("/")[0], Shelf(origin()))


def _fields(response: Response) -> Mapping[str, list[str]]:
    return response.data.get("fields", {})  # type: ignore[no-any-return]


# -- Searches and rows ---------------------------------------------------------------------------------------


class StatusFilter(django_filters.ChoiceFilter):
    """A status of FHIR, and with it every one of ours that is shown so."""

    def __init__(self, table: Mapping[str, str], statuses: tuple[str, ...]) -> None:
        super().__init__(choices=[(status, status) for status in statuses], label=_("A status of FHIR."))
        self.table = table

    def filter(self, qs: Any, value: str) -> Any:
        return qs.filter(status__in=fhir.ours(self.table, value)) if value else qs


class RequestSearch(django_filters.FilterSet):
    status = StatusFilter(fhir.REQUEST_STATUS, fhir.REQUEST_STATUSES)
    region = InRegionFilter("region_path")
    item = django_filters.ModelChoiceFilter(queryset=Item.objects.all())
    category = InCategoryFilter()
    emergency = django_filters.ModelChoiceFilter(
        queryset=Emergency.objects.all(), field_name="appeal__emergency"
    )


class DeliverySearch(django_filters.FilterSet):
    status = StatusFilter(fhir.DELIVERY_STATUS, fhir.DELIVERY_STATUSES)


class Search(FhirView):
    """A page of rows, the newest first."""

    def get(self, request: Request) -> Response:
        found = self.paginate_queryset(self.told(self.filter_queryset(self.get_queryset())))
        pages = self.get_paginated_response([]).data
        links = {"self": request.build_absolute_uri(), "next": pages["next"], "previous": pages["previous"]}
        writer = self.writer
        resources = [self.resource(writer, row) for row in found or []]
        return Response(writer.bundle(resources, links, at=timezone.now()))

    def told(self, narrowed: QuerySet) -> QuerySet:
        raise NotImplementedError

    def resource(self, writer: fhir.Writer, row: Any) -> dict[str, Any]:
        raise NotImplementedError


class Read(FhirView):
    """One row by its id; one that cannot be seen is not found."""

    pagination_class = None

    def get(self, request: Request, pk: str) -> Response:
        try:
            row = self.told(self.get_queryset().filter(pk=pk)).first()  # type: ignore[attr-defined]
        except Unfit:  # an id that is none
            row = None
        if row is None:
            raise Http404
        return Response(self.resource(self.writer, row))  # type: ignore[attr-defined]


class Requests:
    """Needs, as everybody may read them, whoever asks."""

    filterset_class = RequestSearch

    def get_queryset(self) -> QuerySet:
        return rows.public_needs()

    def told(self, narrowed: QuerySet) -> QuerySet:
        return rows.needs(narrowed, order=("-created_at", "-id"))

    def resource(self, writer: fhir.Writer, row: Any) -> dict[str, Any]:
        return writer.supply_request(row)


class Deliveries:
    """Shipments, as the API shows them to the same account."""

    permission_classes: Any = [IsAuthenticated, HasScope]
    filterset_class = DeliverySearch

    def get_queryset(self) -> QuerySet:
        return Shipment.objects.visible_to(self.request.user)  # type: ignore[attr-defined]

    def told(self, narrowed: QuerySet) -> QuerySet:
        lines = ShipmentLine.objects.select_related("allocation__offer").order_by("pk")
        joined = narrowed.select_related("consignor", "consignee")
        return joined.prefetch_related(Prefetch("lines", lines)).order_by("-created_at", "-pk")

    def resource(self, writer: fhir.Writer, row: Shipment) -> dict[str, Any]:
        return writer.supply_delivery(row)


class SearchRequests(Requests, Search):
    """SupplyRequest: what is needed."""


class ReadRequest(Requests, Read):
    """A SupplyRequest."""


class SearchDeliveries(Deliveries, Search):
    """SupplyDelivery: what is on its way."""


class ReadDelivery(Deliveries, Read):
    """A SupplyDelivery."""


# -- What is said of all -------------------------------------------------------------------------------------


class Metadata(FhirView):
    """What can be asked here."""

    pagination_class = None

    def get(self, request: Request) -> Response:
        searched = {
            "SupplyRequest": [*RequestSearch.base_filters, COUNT],
            "SupplyDelivery": [*DeliverySearch.base_filters, COUNT],
        }
        return Response(self.writer.capability_statement(searched, at=timezone.now()))


class Definition(FhirView):
    """What an extension of ours means."""

    pagination_class = None

    def get(self, request: Request, extension: str) -> Response:
        if extension not in fhir.EXTENSIONS:
            raise Http404
        return Response(self.writer.structure_definition(extension, at=timezone.now()))
