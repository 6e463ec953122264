"""What public lists say, at the desk: read only; a newer version of the list is read by a command."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from supplies.listings.models import ListedFacility
from supplies.organisations.desk import DeskAdmin, source_link
from supplies.wording import listed


@admin.register(ListedFacility)
class ListedFacilityAdmin(DeskAdmin):
    region_of = "region"
    list_display = (
        "name",
        "region",
        "said_to_be",
        "organisation",
        "as_of",
        "listed_since",
        "gone_on",
        "source",
    )
    list_filter = (("gone_on", admin.EmptyFieldListFilter), ("organisation", admin.EmptyFieldListFilter))
    list_select_related = ("region", "organisation")
    search_fields = ("name", "organisation__name")
    fields = (
        "name",
        "region",
        "said_to_be",
        "address",
        "organisation",
        "source",
        "as_of",
        "listed_since",
        "gone_on",
    )
    readonly_fields = ("said_to_be", "source")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).order_by("name", "pk")

    @admin.display(description=_("listed as"))
    def said_to_be(self, row: ListedFacility) -> str:
        return listed(row.as_what)

    @admin.display(description=_("list"))
    def source(self, row: ListedFacility) -> str:
        return source_link(row.source_name, row.source_url)
