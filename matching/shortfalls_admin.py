"""Shortfalls at the desk: what is lacking where, and why."""

from datetime import date

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from matching.models import Shortfall
from matching.need_columns import OfANeed
from matching.sentences import why_short
from supplies.organisations.desk import DeskAdmin, in_units


@admin.register(Shortfall)
class ShortfallAdmin(OfANeed, DeskAdmin):
    """What is lacking where, and why: what a volunteer reads before she looks for goods by telephone."""

    region_of = "need.appeal.facility.region"
    list_display = ("item", "urgency", "hospital", "lacking", "why", "needed_by", "as_of")
    list_filter = ("cause", "need__urgency", "need__item__category", "need__appeal__emergency")
    list_select_related = ("need__item__display_unit", "need__appeal__facility__region")
    search_fields = ("~need__item", "need__appeal__facility__name")
    ordering = ("need__urgency", "need__needed_by", "pk")
    fields = ("need", "hospital", "urgency", "needed_by", "lacking", "why", "as_of", "family_run")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shortfall]:
        return super().get_queryset(request).current()  # type: ignore[attr-defined, no-any-return]

    @admin.display(description=_("lacking"), ordering="missing")
    def lacking(self, short: Shortfall) -> str:
        return in_units(short.need.item, short.missing)

    @admin.display(description=_("why"), ordering="cause")
    def why(self, short: Shortfall) -> str:
        return why_short(short)

    @admin.display(description=_("needed by"), ordering="need__needed_by")
    def needed_by(self, short: Shortfall) -> date:
        return short.need.needed_by
