"""What the hospitals counted, at the desk: beside each shipment, and on its own."""

from collections.abc import Iterable

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import label_for_field
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.leaks import masked
from supplies.organisations.desk import DeskAdmin, DeskInline, Verb, Waiting, by_status, in_units, table
from supplies.receipts import services, thanking
from supplies.receipts.forms import ENDS
from supplies.receipts.models import (
    COUNTS,
    Discrepancy,
    DiscrepancyTicket,
    Receipt,
    ReceiptLine,
    Thanks,
    TicketStatus,
)
from supplies.shipments.admin import ShipmentAdmin
from supplies.shipments.models import Shipment

# A page that knows shipments and receipts belongs here: shipments do not know that receipts exist.
admin.site.unregister(Shipment)


@admin.register(Shipment)
class CountedShipmentAdmin(ShipmentAdmin):
    fieldsets = (  # type: ignore[assignment]
        *ShipmentAdmin.fieldsets[:1],
        (_("On arrival"), {"fields": ("receipt_table",)}),
        *ShipmentAdmin.fieldsets[1:],
    )

    @admin.display(description=_("receipt"))
    def receipt_table(self, shipment: Shipment) -> str:
        """The hospital's count, line by line."""
        receipt = Receipt.objects.standing().filter(shipment=shipment).first()
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


class HowEndedForm(forms.Form):
    outcome = forms.ChoiceField(label=_("How did it end?"), choices=ENDS)
    note = forms.CharField(label=_("Note"), max_length=300, required=False)


@admin.register(DiscrepancyTicket)
class TicketAdmin(DeskAdmin):
    region_of = "shipment.consignee.region"
    list_display = ("name_of", "status", "proposed", "outcome", "opened_at", "open_for")
    list_filter = (by_status(), "discrepancy__kind", "outcome")
    list_select_related = (
        "shipment__consignor",
        "shipment__consignee__region",
        "discrepancy__receipt_line__line__allocation__offer__item",
    )
    search_fields = ("=shipment__code", "shipment__waybill", "shipment__consignor__name")
    ordering = ("-opened_at", "-pk")
    fields = (
        "discrepancy",
        "shipment",
        "sender",
        "hospital",
        "status",
        "opened_at",
        "reminded_at",
        "proposed",
        "answer",
        "answered_at",
        "answered_by",
        "outcome",
        "settlement",
        "settled_at",
        "settled_by",
    )
    readonly_fields = ("sender", "hospital")
    actions = (
        Verb(
            "settle",
            _("Settle it"),
            services.settle,
            asks=HowEndedForm,
            fits=[TicketStatus.OPEN, TicketStatus.ANSWERED],
        ),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = DiscrepancyTicket.objects.visible_to(request.user)
        return [
            Waiting(
                63,
                _("tickets that wait for the sender"),
                rows.filter(status=TicketStatus.OPEN),
                "status=open",
                "opened_at",
            ),
            Waiting(
                61,
                _("answers of senders to settle"),
                rows.filter(status=TicketStatus.ANSWERED),
                "status=answered",
                "answered_at",
            ),
        ]

    @admin.display(description=_("sender"))
    def sender(self, ticket: DiscrepancyTicket) -> str:
        return masked(ticket.shipment.consignor.name)

    @admin.display(description=_("hospital"))
    def hospital(self, ticket: DiscrepancyTicket) -> str:
        return masked(ticket.shipment.consignee.name)

    @admin.display(description=_("open for, days"))
    def open_for(self, ticket: DiscrepancyTicket) -> int:
        """Until it was settled, or until now."""
        return ((ticket.settled_at or timezone.now()) - ticket.opened_at).days

    @admin.display(description=_("discrepancy"))
    def name_of(self, ticket: DiscrepancyTicket) -> str:
        found = ticket.discrepancy
        return f"{found.receipt_line.line.allocation.offer.item} · {found.get_kind_display()} · {ticket.shipment}"


class WithholdForm(forms.Form):
    because = forms.CharField(label=_("Why are they withheld?"), max_length=300)


@admin.register(Thanks)
class ThanksAdmin(DeskAdmin):
    region_of = "shipment.consignee.region"
    list_display = ("shipment", "words", "at", "withheld_at")
    list_filter = (("withheld_at", admin.EmptyFieldListFilter),)
    list_select_related = ("shipment__consignee__region",)
    search_fields = ("=shipment__code", "words")
    ordering = ("-at", "-pk")
    actions = (Verb("withhold", _("Show it to nobody"), thanking.withhold, asks=WithholdForm),)

    def name_of(self, thanks: Thanks) -> str:
        return str(thanks.shipment)
