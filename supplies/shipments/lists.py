"""How the desk's list of shipments, and its board, are narrowed."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from supplies.emergencies.models import Emergency
from supplies.organisations.models import Facility, Organisation
from supplies.regions.models import Region, RegionLevel
from supplies.shipments.board import State, in_state
from supplies.shipments.models import TROUBLED, Shipment, ShipmentLine, ShipmentQuerySet
from supplies.wording import apart, bracketed

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


def tell_what_is_wrong(rows: Sequence[Shipment], at: datetime) -> None:
    """Let each of these rows know `wrong`, in words; empty where nothing is. One question for each pile."""
    piles = {
        name: set(
            pile(Shipment.objects.filter(pk__in=[row.pk for row in rows]), name, at).values_list(
                "pk", flat=True
            )
        )
        for name in WRONG
    }
    for row in rows:
        told = [row.get_status_display()] if row.status in TROUBLED and row.settled_at is None else []
        told += [str(say(row, at)) for name, say in WRONG.items() if row.pk in piles[name]]
        row.wrong = apart(told)  # type: ignore[attr-defined]


def _temperatures(row: Shipment, at: datetime) -> Any:
    return _("too cold or too warm") + bracketed(f"{row.coldest_c} – {row.warmest_c} °C")


def _late(row: Shipment, at: datetime) -> str:
    days = (timezone.localdate(at) - row.expected_on).days if row.expected_on else 0
    return ngettext("%(days)d day late", "%(days)d days late", days) % {"days": days}


def _silent(row: Shipment, at: datetime) -> str:
    heard = [moment for moment in (row.departed_at, row.sighted_at) if moment]
    days = (at - max(heard)).days if heard else 0
    return ngettext("no news for %(days)d day", "no news for %(days)d days", days) % {"days": days}


# What makes a shipment one to look at, by the name of its pile, and how it is said of a single one.
WRONG: dict[str, Callable[[Shipment, datetime], Any]] = {
    "alarm": _temperatures,
    "overdue": _late,
    "silent": _silent,
    "said_delivered": lambda row, at: _("delivered, says the carrier"),
}


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
