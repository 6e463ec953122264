"""Consolidated loads at the desk: what waits at a hub, and what is on its way together."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from supplies.loads import services
from supplies.loads.models import ConsolidatedLoad, LoadedShipment, LoadStatus
from supplies.organisations.desk import DeskAdmin, DeskInline, Verb, by_status

S = LoadStatus


class LoadedShipmentInline(DeskInline):
    model = LoadedShipment
    fields = ("shipment", "consignor", "status")
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[LoadedShipment]:
        return super().get_queryset(request).select_related("shipment__consignor")

    @admin.display(description=_("from"))
    def consignor(self, place: LoadedShipment) -> str:
        return place.shipment.consignor.name

    @admin.display(description=_("status"))
    def status(self, place: LoadedShipment) -> str:
        return place.shipment.get_status_display()


@admin.register(ConsolidatedLoad)
class ConsolidatedLoadAdmin(DeskAdmin):
    region_of = "consignee.region"
    list_display = ("__str__", "status", "carrier", "planned_departure_at", "departed_at", "delivered_at")
    list_filter = (by_status(),)
    list_select_related = ("consignee__region", "hub_region", "carrier")
    search_fields = ("consignee__name", "carrier__name", "hub_place")
    ordering = ("-created_at", "-pk")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "status",
                    "consignee",
                    "hub_region",
                    "hub_place",
                    "carrier",
                    "mode",
                    "planned_departure_at",
                )
            },
        ),
        (_("Trail"), {"fields": ("created_by", "created_at", "departed_at", "delivered_at")}),
    )
    inlines = (LoadedShipmentInline,)
    actions = (
        Verb("dispatch", _("It leaves the hub"), services.dispatch, fits=[S.PLANNED]),
        Verb("arrive", _("It stands at the door"), services.arrive, fits=[S.IN_TRANSIT]),
        Verb("deliver", _("Delivered"), services.deliver, fits=[S.IN_TRANSIT, S.AT_THE_DOOR]),
        Verb(
            "cancel",
            _("Call it off"),
            services.cancel,
            fits=[S.PLANNED],
            ends=_("The vehicle does not leave. Its shipments travel by themselves."),
        ),
    )
