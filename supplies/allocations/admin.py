"""Promises at the desk: what should have been shipped by now, and taking a promise back."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from supplies.allocations import services
from supplies.allocations.models import Allocation, AllocationStatus
from supplies.organisations.desk import DeskAdmin, Verb, Waiting, by_status, in_units, reason_form


class OverdueFilter(admin.SimpleListFilter):
    title = _("time")
    parameter_name = "overdue"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("overdue"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Allocation]) -> QuerySet[Allocation]:
        return queryset.overdue(timezone.now()) if self.value() == "yes" else queryset  # type: ignore[attr-defined]


class UndecidedFilter(admin.SimpleListFilter):
    title = _("hospital not accepting goods for now")
    parameter_name = "undecided"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("to be decided"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Allocation]) -> QuerySet[Allocation]:
        return queryset.to_decide() if self.value() == "yes" else queryset  # type: ignore[attr-defined]


@admin.register(Allocation)
class AllocationAdmin(DeskAdmin):
    region_of = "need.appeal.facility.region"
    list_display = ("item", "amount", "donor", "facility", "status", "due_at", "created_at")
    list_filter = (by_status(AllocationStatus.RESERVED), OverdueFilter, UndecidedFilter)
    list_select_related = (
        "need__item__display_unit",
        "need__appeal__facility",
        "offer__item",
        "offer__donation__organisation",
    )
    search_fields = ("need__appeal__facility__name", "offer__donation__organisation__name", "=pk")
    ordering = ("due_at", "pk")
    fields = (
        "status",
        "ended_because",
        "need",
        "offer",
        "amount",
        "due_at",
        "created_by",
        "created_at",
        "split_from",
        "because",
    )
    actions: Sequence[Verb] = (
        Verb(
            "release",
            _("Release: give it back to both sides"),
            services.release,
            asks=reason_form(
                _("Kept with what was promised, for everybody at the desk. No names, no numbers.")
            ),
            fits=[AllocationStatus.RESERVED],
        ),
        Verb(
            "keep",
            _("Keep it though its hospital is not accepting goods for now"),
            services.keep,
            asks=reason_form(
                _("Kept with what was promised, for everybody at the desk. No names, no numbers.")
            ),
            fits=[AllocationStatus.RESERVED],
        ),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows: Any = self.get_queryset(request)
        return [
            Waiting(52, _("allocations to ship"), rows.reserved(), "status=reserved", "created_at"),
            Waiting(
                51,
                _("promises to hospitals that are not accepting goods for now"),
                rows.to_decide(),
                "undecided=yes",
            ),
            Waiting(70, _("overdue allocations"), rows.overdue(timezone.now()), "overdue=yes", "due_at"),
        ]

    def name_of(self, allocation: Allocation) -> str:
        return f"{self.item(allocation)} · {self.amount(allocation)} → {self.facility(allocation)}"

    @admin.display(description=_("item"), ordering="offer__item")
    def item(self, allocation: Allocation) -> str:
        return str(allocation.offer.item)

    @admin.display(description=_("quantity"), ordering="quantity")
    def amount(self, allocation: Allocation) -> str:
        return in_units(allocation.need.item, allocation.quantity)

    @admin.display(description=_("donor"), ordering="offer__donation__organisation__name")
    def donor(self, allocation: Allocation) -> str:
        return allocation.offer.donation.organisation.name

    @admin.display(description=_("facility"), ordering="need__appeal__facility__name")
    def facility(self, allocation: Allocation) -> str:
        return allocation.need.appeal.facility.name
