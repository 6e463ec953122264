"""Intake at the desk: imports with errors first, rows as written beside as read, and the lines that wait."""

import json
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _

from supplies.catalogue.models import Item
from supplies.intake import services
from supplies.intake.models import Import, ImportedLine, ImportedRow, LineStatus, RowStatus
from supplies.intake.permissions import may_review
from supplies.intake.reading.findings import Finding
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    Verb,
    Waiting,
    by_status,
    in_units,
    link_to,
    source_link,
)


def as_list(findings: Iterable[Finding]) -> str:
    items = format_html_join("", "<li>{}</li>", ((finding.sentence,) for finding in findings))
    return format_html("<ul>{}</ul>", items) if items else "–"


class CorrectionForm(forms.Form):
    item = forms.ModelChoiceField(
        label=_("Item"),
        queryset=Item.objects.active().by_category(),
        required=False,
        help_text=_("Empty leaves it as it was read."),
    )
    quantity = forms.IntegerField(
        label=_("Quantity"),
        min_value=1,
        required=False,
        help_text=_(
            "In the unit the item is shown in (pairs of gloves, litres). Empty leaves it as it was read."
        ),
    )


@admin.register(Import)
class ImportAdmin(DeskAdmin):
    list_display = (
        "file_name", "format", "as_of", "started_at", "rows_read", "created", "changed", "unchanged", "failed", "waiting", "warnings", "trouble",
    )  # fmt: skip
    list_filter = ("format",)
    search_fields = ("file_name",)
    exclude = ("problem", "remarks")

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return (
            super()
            .get_queryset(request)
            .order_by(F("problem").desc(nulls_last=True), "-failed", "-started_at", "pk")
        )

    @admin.display(description=_("problem"))
    def trouble(self, batch: Import) -> str:
        return Finding.from_json(batch.problem).sentence if batch.problem else "–"


class LineInline(DeskInline):
    model = ImportedLine
    fields = ("as_written", "item", "read_as", "standards", "status", "said")
    ordering = ("position",)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return super().get_queryset(request).select_related("item__display_unit")

    @admin.display(description=_("read as"))
    def read_as(self, line: ImportedLine) -> str:
        return read_as(line)

    @admin.display(description=_("problems"))
    def said(self, line: ImportedLine) -> str:
        return as_list(line.findings)


def read_as(line: ImportedLine) -> str:
    """The quantity as it was understood, in the unit people use."""
    if line.item is None or line.quantity is None:
        return line.get_quantity_kind_display()
    return in_units(line.item, line.quantity)


@admin.register(ImportedRow)
class ImportedRowAdmin(DeskAdmin):
    list_display = ("name", "place", "row_number", "status", "organisation", "seen_in", "gone_at", "said")
    list_filter = (by_status(), "format", ("gone_at", admin.EmptyFieldListFilter))
    list_select_related = ("organisation", "seen_in")
    search_fields = ("key", "organisation__name")
    fields = (
        "status",
        "seen_in",
        "row_number",
        "as_read",
        "source",
        "said",
        "organisation",
        "facility",
        "appeal",
        "donation",
        "gone_at",
    )
    readonly_fields = ("as_read", "source", "said")
    inlines = (LineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return ImportedRow.objects.visible_to(request.user).troubled_first()

    @admin.display(description=_("name"))
    def name(self, row: ImportedRow) -> str:
        return str(row.shown.get("name", ""))

    @admin.display(description=_("place"))
    def place(self, row: ImportedRow) -> str:
        return str(row.shown.get("place", ""))

    @admin.display(description=_("as read"))
    def as_read(self, row: ImportedRow) -> str:
        return format_html("<pre>{}</pre>", json.dumps(row.shown, ensure_ascii=False, indent=1))

    @admin.display(description=_("source"))
    def source(self, row: ImportedRow) -> str:
        link = str(row.shown.get("link", ""))
        return source_link(row.format, link if link.startswith(("http://", "https://")) else "")

    @admin.display(description=_("problems"))
    def said(self, row: ImportedRow) -> str:
        return as_list(row.findings)

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        failed = self.get_queryset(request).filter(status=RowStatus.FAILED, gone_at=None)
        return [Waiting(50, _("imported rows that failed"), failed, "status=failed")]


@admin.register(ImportedLine)
class ImportedLineAdmin(DeskAdmin):
    list_display = (
        "as_written",
        "facility",
        "item",
        "read_as",
        "status",
        "said",
        "reviewed_by",
        "reviewed_at",
    )
    list_filter = (by_status(LineStatus.WAITING), "row__format")
    list_select_related = ("item__display_unit", "row__organisation__region", "reviewed_by")
    search_fields = ("heading", "row__organisation__name")
    fields = (
        "row",
        "as_written",
        "raw",
        "item",
        "read_as",
        "standards",
        "is_sterile",
        "status",
        "said",
        "entered",
        "reviewed_by",
        "reviewed_at",
    )
    readonly_fields = ("read_as", "said", "entered")
    actions = (
        Verb("accept", _("Accept as it is"), services.accept, may=may_review, fits=[LineStatus.WAITING]),
        Verb(
            "correct",
            _("Correct and accept"),
            services.correct,
            asks=CorrectionForm,
            may=may_review,
            fits=[LineStatus.WAITING],
        ),
        Verb("reject", _("Reject"), services.reject, may=may_review, fits=[LineStatus.WAITING]),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        return ImportedLine.objects.visible_to(request.user).waiting_first()

    @admin.display(description=_("organisation"))
    def facility(self, line: ImportedLine) -> str:
        return str(line.row.organisation or "–")

    @admin.display(description=_("read as"))
    def read_as(self, line: ImportedLine) -> str:
        return read_as(line)

    @admin.display(description=_("problems"))
    def said(self, line: ImportedLine) -> str:
        return as_list(line.findings)

    @admin.display(description=_("became"))
    def entered(self, line: ImportedLine) -> Any:
        return link_to(line.need or line.offer)

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = ImportedLine.objects.visible_to(request.user).waiting()
        return [Waiting(45, _("imported lines to review"), rows, "status=waiting")]
