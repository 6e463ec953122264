"""How the desk's list of shipments, and its board, are narrowed."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supplies.emergencies.models import Emergency
from supplies.organisations.models import Facility, Organisation
from supplies.regions.models import Region, RegionLevel
from supplies.shipments.board import State, in_state
from supplies.shipments.models import Shipment, ShipmentLine, ShipmentQuerySet

MOST_CARRIERS = 100


def pile(rows: ShipmentQuerySet, name: str, at: datetime) -> ShipmentQuerySet:
    """What somebody should look at, whatever state it is in."""
    words = {
        "under_way": rows.under_way,
        "said_delivered": rows.said_to_be_delivered,
        "silent": lambda: rows.unseen_since(at - timedelta(days=settings.SILENT_DAYS)),
        "overdue": lambda: rows.overdue(timezone.localdate(at)),
        "alarm": rows.alarming,
    }
    return words[name]()


class Narrowing(admin.SimpleListFilter):
    """A filter that does nothing for a value it does not offer."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Shipment]) -> QuerySet[Shipment]:
        value = str(self.value() or "")
        known = {str(key) for key, _label in self.lookup_choices}
        return self.narrowed(queryset, value) if value in known else queryset  # type: ignore[arg-type]

    def narrowed(self, rows: ShipmentQuerySet, value: str) -> ShipmentQuerySet:
        raise NotImplementedError


class StateFilter(Narrowing):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            *State.choices,
            ("under_way", _("under way")),
            ("said_delivered", _("delivered, says the carrier")),
            ("silent", _("without news for %(days)d days") % {"days": settings.SILENT_DAYS}),
            ("overdue", _("overdue")),
            ("alarm", _("too cold or too warm")),
        ]

    def narrowed(self, rows: ShipmentQuerySet, value: str) -> ShipmentQuerySet:
        if value in State.values:
            return in_state(rows, State(value))
        return pile(rows, value, timezone.now())


class RegionFilter(Narrowing):
    """The provinces that have facilities."""

    title = _("goes to")
    parameter_name = "region"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        paths = Facility.objects.order_by().values_list("region__path", flat=True).distinct()
        codes = {code for path in paths for code in path.split("/")[2:3]}
        rows = Region.objects.filter(pk__in=codes, level=RegionLevel.PROVINCE).from_the_top()
        return [(row.pk, row.name) for row in rows]

    def narrowed(self, rows: ShipmentQuerySet, value: str) -> ShipmentQuerySet:
        return rows.filter(consignee__region__path__contains=f"/{value}/")


class CarrierFilter(Narrowing):
    title = _("carrier")
    parameter_name = "carrier"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        carriers = Organisation.objects.verified().filter(kind=Organisation.Kind.CARRIER).order_by("name")
        return [(str(row.pk), row.name) for row in carriers[:MOST_CARRIERS]]

    def narrowed(self, rows: ShipmentQuerySet, value: str) -> ShipmentQuerySet:
        return rows.filter(carrier__pk=value)


class EmergencyFilter(Narrowing):
    title = _("emergency")
    parameter_name = "emergency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(row.pk, str(row)) for row in Emergency.objects.newest_first()]

    def narrowed(self, rows: ShipmentQuerySet, value: str) -> ShipmentQuerySet:
        lines = ShipmentLine.objects.filter(
            shipment=OuterRef("pk"), allocation__need__appeal__emergency=value
        )
        return rows.filter(Exists(lines))


class CargoFilter(Narrowing):
    title = _("cargo")
    parameter_name = "cargo"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("cold", _("cold chain")), ("dangerous", _("dangerous goods"))]

    def narrowed(self, rows: ShipmentQuerySet, value: str) -> ShipmentQuerySet:
        if value == "cold":
            return rows.exclude(min_temp_c=None, max_temp_c=None)
        lines = ShipmentLine.objects.filter(shipment=OuterRef("pk")).exclude(un_number="")
        return rows.filter(Q(Exists(lines)))
