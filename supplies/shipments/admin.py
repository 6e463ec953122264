"""Shipments at the desk: those in trouble first, what was seen of each."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from supplies.allocations.admin import AllocationAdmin
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.catalogue.models import TransportMode
from supplies.editions.admin import ReferenceAdmin
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    TogetherVerb,
    Verb,
    Waiting,
    by_status,
    in_units,
)
from supplies.organisations.models import Organisation
from supplies.shipments import legs, rearranging, services
from supplies.shipments.models import (
    TROUBLED,
    TROUBLED_FIRST,
    Leg,
    Rearrangement,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
    TrackingCode,
    TrackingEvent,
)
from supplies.shipments.units import HandlingUnit

S = ShipmentStatus


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


class ReassignForm(BookForm):
    reason = forms.CharField(label=_("Why?"), max_length=300, widget=forms.Textarea(attrs={"rows": 2}))


class WhyForm(forms.Form):
    reason = forms.CharField(
        label=_("Why?"), max_length=300, widget=forms.Textarea(attrs={"rows": 2, "autofocus": True})
    )


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


class UnitInline(DeskInline):
    """Parcels, cartons and pallets, with what is in each."""

    model = HandlingUnit
    fields = ("sscc", "kind", "parent", "inside", "gross_weight_g", "volume")
    ordering = ("pk",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[HandlingUnit]:
        units: QuerySet[HandlingUnit] = super().get_queryset(request).filter(is_live=True)
        return units.select_related("parent").prefetch_related(
            "contents__line__allocation__offer__item__display_unit"
        )

    @admin.display(description=_("contents"))
    def inside(self, unit: HandlingUnit) -> str:
        parts = [(part.line.allocation.offer.item, part.quantity) for part in unit.contents.all()]
        return "; ".join(f"{item.name} {in_units(item, quantity)}" for item, quantity in parts) or "–"

    @admin.display(description=_("volume, cm³"))
    def volume(self, unit: HandlingUnit) -> int | None:
        return unit.volume


class LegInline(DeskInline):
    model = Leg
    fields = (
        "sequence",
        "route",
        "carrier",
        "mode",
        "waybill",
        "planned_departure_at",
        "departed_at",
        "arrived_at",
    )
    ordering = ("sequence",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Leg]:
        return super().get_queryset(request).select_related("carrier", "mode", "from_region", "to_region")

    @admin.display(description=_("from – to"))
    def route(self, leg: Leg) -> str:
        return f"{leg.where_from} – {leg.where_to}"


class RearrangementInline(DeskInline):
    """Split, merged, given to another carrier: when, by whom, why."""

    model = Rearrangement
    fk_name = "shipment"
    fields = ("at", "kind", "other", "carrier_before", "reason", "by")
    ordering = ("at", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rearrangement]:
        return super().get_queryset(request).select_related("other", "carrier_before", "by")


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


class MergeVerb(TogetherVerb):
    """Of several that were chosen in the list: the page of one does not offer it."""

    is_asked_on_the_page = True


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
    inlines = (LineInline, UnitInline, LegInline, RearrangementInline, EventInline)
    actions = (
        Verb("book", _("Book with a carrier"), services.book, asks=BookForm, fits=[S.DRAFT]),
        Verb(
            "reassign",
            _("Give to another carrier"),
            rearranging.reassign,
            asks=ReassignForm,
            fits=[S.BOOKED],
        ),
        MergeVerb("merge", _("Merge into one shipment"), rearranging.merge_all, asks=WhyForm),
        Verb("reach_hub", _("Reached the hub"), legs.reach_hub, fits=[S.IN_TRANSIT]),
        Verb("leave_hub", _("Left the hub"), legs.leave_hub, fits=[S.IN_TRANSIT]),
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
