"""Shipments at the desk: those in trouble first, what was seen of each."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.allocations.admin import AllocationAdmin
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.catalogue.models import TransportMode
from supplies.editions.admin import ReferenceAdmin
from supplies.free_text import mask
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    DeskList,
    TogetherVerb,
    Verb,
    Waiting,
    by_status,
    in_units,
)
from supplies.organisations.models import Organisation
from supplies.organisations.previewing import OneVerb, PreviewedVerb
from supplies.shipments import care, legs, packing, rearranging, services
from supplies.shipments.board import State, columns
from supplies.shipments.desk_forms import DeclareForm, LegsForm, PackForm, SplitForm, UnpackForm, carriers
from supplies.shipments.lists import (
    CargoFilter,
    CarrierFilter,
    EmergencyFilter,
    RegionFilter,
    StateFilter,
    pile,
    tell_what_is_wrong,
)
from supplies.shipments.models import (
    TROUBLED,
    TROUBLED_FIRST,
    WAITS_SINCE,
    Leg,
    Rearrangement,
    Shipment,
    ShipmentLine,
    ShipmentStatus,
)
from supplies.shipments.temperatures import exposures, lasting
from supplies.shipments.tracking import TrackingCode, TrackingEvent
from supplies.shipments.units import HandlingUnit
from supplies.wording import moment

S = ShipmentStatus
PILES = (
    ("alarm", _("too cold or too warm")),
    ("overdue", _("overdue")),
    ("silent", _("without news for long")),
    ("said_delivered", _("delivered, says the carrier")),
)
MOST_ON_A_PILE = 1_000
ON_THE_BOARD = (RegionFilter, CarrierFilter, EmergencyFilter, CargoFilter)


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
        for name, rows in {
            "carrier": carriers(),
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
    def volume(self, unit: HandlingUnit) -> int | str:
        return unit.volume or "–"


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
        "temperature_c",
        "logger",
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


def _is_board(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.url_name == "supplies_shipment_board"


def _many(rows: QuerySet[Shipment]) -> str:
    """How many there are, as far as anybody wants to know."""
    found = rows.order_by().values("pk")[: MOST_ON_A_PILE + 1].count()
    return f"{MOST_ON_A_PILE}+" if found > MOST_ON_A_PILE else str(found)


class BoardList(DeskList):
    """The list's filters with columns instead of rows."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list, self.result_count, self.full_result_count = [], 0, None
        self.columns = columns(self.queryset)
        cards = [card for column in self.columns for card in column.cards]
        tell_what_is_wrong(cards, timezone.now())
        for card in cards:
            mask(card)

    def get_ordering(self, request: HttpRequest, queryset: QuerySet) -> list[Any]:
        return []


@admin.register(Shipment)
class ShipmentAdmin(DeskAdmin):
    region_of = "consignee.region"
    list_display = (
        "__str__",
        "status",
        "wrong",
        "consignor",
        "consignee",
        "carrier",
        "departed_at",
        "expected_on",
        "sighting_label",
    )
    change_list_template = "admin/shipments.html"
    list_filter = (
        by_status(),
        StateFilter,
        RegionFilter,
        CarrierFilter,
        EmergencyFilter,
        CargoFilter,
        "mode",
    )
    list_select_related = ("consignor", "consignee", "carrier")
    search_fields = ("=code", "waybill", "consignor__name", "consignee__name", "carrier__name")
    fieldsets = (
        (None, {"fields": ("status", "consignor", "consignee", "carrier", "waybill", "mode", "expected_on")}),
        (_("Cold chain"), {"fields": ("min_temp_c", "max_temp_c", "readings")}),
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
        PreviewedVerb("book", _("Book with a carrier"), services.book, asks=BookForm, fits=[S.DRAFT]),
        Verb(
            "reassign",
            _("Give to another carrier"),
            rearranging.reassign,
            asks=ReassignForm,
            fits=[S.BOOKED],
        ),
        OneVerb("split", _("Split"), rearranging.split, asks=SplitForm, fits=[S.DRAFT, S.BOOKED]),
        OneVerb("pack", _("Pack"), packing.pack, asks=PackForm, fits=[S.DRAFT, S.BOOKED]),
        OneVerb("unpack", _("Take units apart"), packing.unpack, asks=UnpackForm, fits=[S.DRAFT, S.BOOKED]),
        OneVerb(
            "declare",
            _("State temperature, weight, dangerous goods"),
            care.declare,
            asks=DeclareForm,
            fits=[S.DRAFT, S.BOOKED],
        ),
        OneVerb("plan", _("Plan the legs"), legs.plan, asks=LegsForm, fits=[S.DRAFT, S.BOOKED]),
        MergeVerb("merge", _("Merge into one shipment"), rearranging.merge_all, asks=WhyForm),
        Verb("reach_hub", _("Reached the hub"), legs.reach_hub, fits=[S.IN_TRANSIT]),
        Verb("leave_hub", _("Left the hub"), legs.leave_hub, fits=[S.IN_TRANSIT]),
        PreviewedVerb("dispatch", _("Hand over to the carrier"), services.dispatch, fits=[S.BOOKED]),
        Verb("arrive", _("It stands at the door"), services.arrive, fits=[S.IN_TRANSIT]),
        PreviewedVerb("deliver", _("Delivered"), services.deliver, fits=[S.IN_TRANSIT, S.AT_THE_DOOR]),
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
            ends=_("The goods count as lost, and the hospital's needs are open again."),
        ),
        Verb(
            "cancel",
            _("Call off this shipment"),
            services.cancel,
            fits=[S.DRAFT, S.BOOKED],
            ends=_(
                "The shipment does not leave. What is promised stays promised, to go with another shipment."
            ),
        ),
        Verb("settle", _("Settled with the sender"), services.settle, asks=HowSettledForm, fits=TROUBLED),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows, now = Shipment.objects.visible_to(request.user), timezone.now()
        return [
            Waiting(
                54,
                _("shipments without a carrier"),
                rows.filter(status=S.DRAFT),
                "status=draft",
                "created_at",
            ),
            Waiting(
                56,
                _("shipments that their carrier says are delivered"),
                rows.said_to_be_delivered(),
                "state=said_delivered",
            ),
            Waiting(
                57,
                _("shipments without news from their carrier for long"),
                pile(rows, "silent", now),
                "state=silent",
            ),
            Waiting(
                58,
                _("shipments that are overdue"),
                pile(rows, "overdue", now),
                "state=overdue",
                "expected_on",
            ),
            Waiting(53, _("shipments that were too cold or too warm"), rows.alarming(), "state=alarm"),
            Waiting(60, _("shipments in trouble"), rows.in_trouble(), "state=trouble"),
        ]

    def get_urls(self) -> list[URLPattern]:
        board = self.admin_site.admin_view(self.board_view)
        return [path("board/", board, name="supplies_shipment_board"), *super().get_urls()]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return BoardList if _is_board(request) else DeskList

    def read_beside(self, rows: Sequence[Any], user: Any = None) -> None:
        super().read_beside(rows, user)
        tell_what_is_wrong(rows, timezone.now())

    def get_list_filter(self, request: HttpRequest) -> Any:
        """The columns of the board are the states."""
        return ON_THE_BOARD if _is_board(request) else super().get_list_filter(request)

    def board_view(self, request: HttpRequest) -> HttpResponse:
        """What is not over, by what it waits for."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            board = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:supplies_shipment_board"))
        assert isinstance(board, BoardList)
        now, chosen = timezone.now(), board.get_query_string().removeprefix("?")
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Board of shipments"),
            "opts": self.opts,
            "cl": board,
            "columns": board.columns,
            "within": f"&{chosen}" if chosen else "",
            "piles": [(name, title, _many(pile(board.queryset, name, now))) for name, title in PILES],
            "media": self.media,
        }
        return TemplateResponse(request, "admin/board.html", context)

    @admin.display(description=_("what is wrong"))
    def wrong(self, shipment: Any) -> str:
        """Read beside the row: what is wrong with it, in words."""
        return format_html('<strong class="alarm">{}</strong>', shipment.wrong) if shipment.wrong else "–"

    @admin.display(description=_("readings"))
    def readings(self, shipment: Shipment) -> str:
        """What loggers told, and whether it is an alarm."""
        told = exposures([shipment.pk]).get(shipment.pk)
        if told is None:
            return gettext("No logger has told a temperature.")
        words = gettext("%(count)d readings, from %(coldest)s to %(warmest)s °C.") % {
            "count": told.readings,
            "coldest": told.coldest,
            "warmest": told.warmest,
        }
        if told.outside_since is None:
            return words
        alarm = gettext("Out of range for at least %(time)s, first on %(day)s.") % {
            "time": lasting(told.outside),
            "day": moment(told.outside_since),
        }
        return format_html('<strong class="alarm">{}</strong> {}', alarm, words)

    def get_ordering(self, request: HttpRequest) -> list[Any]:
        if request.GET.get("state") in State.values:
            return [WAITS_SINCE, "pk"]
        if request.GET.get("state") == "alarm":  # rare: by their own index, not through all that there are
            return ["-created_at", "-pk"]
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
