"""Shipments at the desk: those in trouble first, what was seen of each, what the hospital counted."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.allocations.admin import AllocationAdmin
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.catalogue.models import TransportMode
from supplies.editions.admin import ReferenceAdmin
from supplies.leaks import masked
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    TogetherVerb,
    Verb,
    Waiting,
    by_status,
    in_units,
    table,
)
from supplies.organisations.models import Organisation
from supplies.shipments import services
from supplies.shipments.models import (
    TROUBLED,
    TROUBLED_FIRST,
    Discrepancy,
    Receipt,
    ReceiptLine,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    TrackingCode,
    TrackingEvent,
)

S = ShipmentStatus
COUNTS = ("shipped", "accepted", "damaged", "wrong_item", "expired", "missing", "surplus")


class BookForm(forms.Form):
    carrier = forms.ModelChoiceField(label=_("Carrier"), queryset=Organisation.objects.none())
    waybill = forms.CharField(label=_("Waybill number"), max_length=60, required=False)
    mode = forms.ModelChoiceField(
        label=_("Transport"),
        queryset=TransportMode.objects.none(),
        required=False,
        help_text=_("Empty: as the donor said."),
    )
    expected_on = forms.DateField(
        label=_("Expected on"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        carriers = Organisation.objects.verified().filter(kind=Organisation.Kind.CARRIER)
        for name, rows in {
            "carrier": carriers.order_by("name"),
            "mode": TransportMode.objects.order_by("pk"),
        }.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = rows


class WhatHappenedForm(forms.Form):
    note = forms.CharField(
        label=_("What happened?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
    )


class HowSettledForm(forms.Form):
    note = forms.CharField(
        label=_("How was it settled?"),
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
    )


class LineInline(DeskInline):
    model = ShipmentLine
    fields = ("item", "amount", "lot", "allocation", "is_live")
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ShipmentLine]:
        return (
            super()
            .get_queryset(request)
            .select_related("allocation__offer__item", "allocation__need__item__display_unit")
        )

    @admin.display(description=_("item"))
    def item(self, line: ShipmentLine) -> str:
        return str(line.allocation.offer.item)

    @admin.display(description=_("quantity"))
    def amount(self, line: ShipmentLine) -> str:
        return in_units(line.allocation.need.item, line.allocation.quantity)

    @admin.display(description=_("lot number"))
    def lot(self, line: ShipmentLine) -> str:
        return line.allocation.offer.lot_number or "–"


class EventInline(DeskInline):
    """The timeline, oldest first."""

    model = TrackingEvent
    fields = (
        "occurred_at",
        "step",
        "place",
        "label",
        "vocabulary",
        "code",
        "status",
        "is_after_end",
        "note",
        "by",
    )
    ordering = ("occurred_at", "pk")
    verbose_name_plural = _("timeline")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrackingEvent]:
        return super().get_queryset(request).select_related("by")


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("trouble", _("in trouble")),
            ("under_way", _("under way")),
            ("said_delivered", _("delivered, says the carrier")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        words = {"trouble": "in_trouble", "under_way": "under_way", "said_delivered": "said_to_be_delivered"}
        word = words.get(self.value() or "")
        return getattr(queryset, word)() if word else queryset


@admin.register(Shipment)
class ShipmentAdmin(DeskAdmin):
    region_of = "consignee.region"
    list_display = (
        "__str__",
        "status",
        "consignor",
        "consignee",
        "carrier",
        "departed_at",
        "expected_on",
        "sighting_label",
    )
    list_filter = (by_status(), StateFilter, "mode")
    list_select_related = ("consignor", "consignee", "carrier")
    search_fields = ("=code", "waybill", "consignor__name", "consignee__name", "carrier__name")
    fieldsets = (
        (None, {"fields": ("status", "consignor", "consignee", "carrier", "waybill", "mode", "expected_on")}),
        (_("On arrival"), {"fields": ("receipt_table",)}),
        (
            _("Trail"),
            {
                "fields": (
                    "code",
                    "created_by",
                    "created_at",
                    "departed_at",
                    "delivered_at",
                    "settled_at",
                    "settlement",
                    "sighting_status",
                    "sighting_label",
                    "sighting_vocabulary",
                    "sighting_code",
                    "sighted_at",
                )
            },
        ),
    )
    inlines = (LineInline, EventInline)
    actions = (
        Verb("book", _("Book with a carrier"), services.book, asks=BookForm, fits=[S.DRAFT]),
        Verb("dispatch", _("Hand over to the carrier"), services.dispatch, fits=[S.BOOKED]),
        Verb("arrive", _("It stands at the door"), services.arrive, fits=[S.IN_TRANSIT]),
        Verb("deliver", _("Delivered"), services.deliver, fits=[S.IN_TRANSIT, S.AT_THE_DOOR]),
        Verb(
            "send_back",
            _("Send back to the donor"),
            services.send_back,
            asks=WhatHappenedForm,
            fits=[S.IN_TRANSIT, S.AT_THE_DOOR],
        ),
        Verb("come_back", _("Back with the donor"), services.come_back, fits=[S.RETURNING]),
        Verb(
            "lose",
            _("Give up as lost"),
            services.lose,
            asks=WhatHappenedForm,
            fits=[S.IN_TRANSIT, S.AT_THE_DOOR, S.RETURNING],
        ),
        Verb("cancel", _("Cancel"), services.cancel, fits=[S.DRAFT, S.BOOKED]),
        Verb("settle", _("Settled with the sender"), services.settle, asks=HowSettledForm, fits=TROUBLED),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = Shipment.objects.visible_to(request.user)
        return [
            Waiting(54, _("shipments without a carrier"), rows.filter(status=S.DRAFT), "status=draft"),
            Waiting(
                56,
                _("shipments that their carrier says are delivered"),
                rows.said_to_be_delivered(),
                "state=said_delivered",
            ),
            Waiting(60, _("shipments in trouble"), rows.in_trouble(), "state=trouble"),
        ]

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        return [TROUBLED_FIRST, "-created_at", "-pk"]

    @admin.display(description=_("receipt"))
    def receipt_table(self, shipment: Shipment) -> str:
        """The hospital's count, line by line."""
        receipt = Receipt.objects.filter(shipment=shipment).first()
        if receipt is None:
            return gettext("Not counted yet.")
        lines = receipt.lines.select_related(
            "line__allocation__offer__item", "line__allocation__need__item__display_unit"
        ).order_by("pk")
        heads = [gettext("item"), *(label_for_field(name, ReceiptLine) for name in COUNTS)]
        rows = [
            [
                line.line.allocation.offer.item,
                *(in_units(line.line.allocation.need.item, getattr(line, name)) for name in COUNTS),
            ]
            for line in lines
        ]
        return format_html("{}<p>{}</p>", table(heads, rows), masked(receipt.note))


class ReceiptLineInline(DeskInline):
    model = ReceiptLine
    fields = ("item", *COUNTS)
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReceiptLine]:
        return super().get_queryset(request).select_related("line__allocation__offer__item")

    @admin.display(description=_("item"))
    def item(self, line: ReceiptLine) -> str:
        return str(line.line.allocation.offer.item)


@admin.register(Receipt)
class ReceiptAdmin(DeskAdmin):
    list_display = ("shipment", "consignee", "by", "at", "note")
    list_select_related = ("shipment__consignee", "by")
    search_fields = ("=shipment__code", "shipment__waybill", "shipment__consignee__name")
    ordering = ("-at", "pk")
    inlines = (ReceiptLineInline,)

    def name_of(self, receipt: Receipt) -> str:
        return str(receipt.shipment)

    @admin.display(description=_("to"), ordering="shipment__consignee__name")
    def consignee(self, receipt: Receipt) -> str:
        return receipt.shipment.consignee.name


@admin.register(Discrepancy)
class DiscrepancyAdmin(DeskAdmin):
    list_display = ("item", "kind", "quantity", "shipment")
    list_filter = ("kind",)
    list_select_related = (
        "receipt_line__line__shipment",
        "receipt_line__line__allocation__offer__item",
    )
    ordering = ("-pk",)

    def name_of(self, discrepancy: Discrepancy) -> str:
        return f"{self.item(discrepancy)} · {discrepancy.get_kind_display()}"

    @admin.display(description=_("item"))
    def item(self, discrepancy: Discrepancy) -> str:
        return str(discrepancy.receipt_line.line.allocation.offer.item)

    @admin.display(description=_("shipment"))
    def shipment(self, discrepancy: Discrepancy) -> str:
        return str(discrepancy.receipt_line.line.shipment)


@admin.register(TrackingCode)
class TrackingCodeAdmin(ReferenceAdmin):
    list_display = ("vocabulary", "code", "label", "status", "is_verified", "edited_at")
    list_filter = ("vocabulary", "is_verified")
    search_fields = ("code", "label")
    ordering = ("vocabulary", "code")


# A page that knows allocations and shipments belongs here: allocations do not know that shipments exist.
admin.site.unregister(Allocation)


@admin.register(Allocation)
class AllocationToShipAdmin(AllocationAdmin):
    actions = (
        TogetherVerb(
            "put_together",
            _("Put together a shipment"),
            services.put_together,
            fits=[AllocationStatus.RESERVED],
        ),
        *AllocationAdmin.actions,
    )
