"""What is said to be wrong, at the desk: one line for each change to decide, with how many ask for it."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from supplies.change_requests import services
from supplies.change_requests.forms import AnswerForm, NumberAnswerForm, RefusalForm
from supplies.change_requests.models import ChangeRequest, ChangeRequestStatus, Report, Wrong
from supplies.change_requests.permissions import may_decide
from supplies.needs.models import Need
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    Verb,
    Waiting,
    answered_in,
    by_status,
    count_of,
    in_units,
    link_to,
    table,
)


class ReportInline(DeskInline):
    """Each report in its author's words."""

    model = Report
    fields = ("at", "right_quantity", "duplicate_of", "words", "is_taken_back")
    ordering = ("at", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        rows: QuerySet[Report] = super().get_queryset(request)
        return rows.select_related("change_request__need__item__display_unit")

    @admin.display(description=_("right quantity"))
    def right_quantity(self, report: Report) -> str:
        need = report.change_request.need
        return in_units(need.item, report.quantity) if need is not None else "–"

    @admin.display(description=_("taken back"), boolean=True)
    def is_taken_back(self, report: Report) -> bool:
        return report.withdrawn_at is not None


class Accept(Verb):
    """Where a telephone number is wrong, it asks which, and for the right one: of one row at a time."""

    def form(self, request: HttpRequest, rows: QuerySet) -> forms.Form | None:
        chosen = list(rows.with_subject()[:2])  # type: ignore[attr-defined]
        if len(chosen) == 1 and chosen[0].kind == Wrong.WRONG_TELEPHONE:
            return NumberAnswerForm(answered_in(request), about=chosen[0])
        return super().form(request, rows)


@admin.register(ChangeRequest)
class ChangeRequestAdmin(DeskAdmin):
    when_empty = _(
        "Anybody can say on a public page that something is wrong; it waits here until the hospital or a volunteer decides."
    )
    region_of = "region"
    is_public = True
    decided_in = (ChangeRequestStatus.OPEN,)
    list_display = ("kind", "about", "facts", "organisation", "region", "reports", "status", "created_at")
    list_filter = (by_status(ChangeRequestStatus.OPEN), "kind", "what")
    list_select_related = ("need__item__display_unit", "need__appeal__facility", "appeal__facility")
    search_fields = ("organisation__name",)
    ordering = ("created_at", "pk")
    fields = (
        "status",
        "kind",
        "about",
        "facts",
        "organisation",
        "region",
        "created_at",
        "answer",
        "decided_by",
        "decided_at",
    )
    inlines = (ReportInline,)
    actions = (
        Accept(
            "accept",
            _("It is so: carry it out"),
            services.accept,
            asks=AnswerForm,
            may=may_decide,
            fits=[ChangeRequestStatus.OPEN],
        ),
        Verb(
            "decline",
            _("It is not so: leave it"),
            services.decline,
            asks=RefusalForm,
            may=may_decide,
            fits=[ChangeRequestStatus.OPEN],
        ),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = self.get_queryset(request).filter(status=ChangeRequestStatus.OPEN)
        fakes = rows.filter(kind=Wrong.FAKE)
        return [
            Waiting(15, _("said to be fake"), fakes, "status=open&kind=fake", "created_at"),
            Waiting(60, _("said to be wrong"), rows.exclude(kind=Wrong.FAKE), "status=open", "created_at"),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ChangeRequest]:
        rows: QuerySet[ChangeRequest] = super().get_queryset(request)
        return rows.select_related("facility", "organisation", "region").annotate(
            report_count=count_of(Report.objects.standing(), "change_request")
        )

    @admin.display(description=_("about"))
    def about(self, row: ChangeRequest) -> str:
        return link_to(row.subject)

    @admin.display(description=_("then and now"))
    def facts(self, row: ChangeRequest) -> str:
        """What was shown when it was reported, beside what is shown now, where the two can differ."""
        now = services.as_it_stands(row.subject, row.kind)
        then = row.as_it_stood
        told = [
            (SHOWN[name], _said(row, then, name), _said(row, now, name)) for name in SHOWN if name in then
        ]
        return table((_("what"), _("then"), _("now")), told)

    @admin.display(description=_("reports"), ordering="report_count")
    def reports(self, row: Any) -> int:
        return int(row.report_count)


SHOWN = {"status": _("status"), "quantity": _("quantity"), "is_paused": _("not accepting goods for now")}


def _said(row: ChangeRequest, facts: dict[str, Any], name: str) -> str:
    subject: Any = row.subject
    value = facts.get(name)
    if name == "quantity" and isinstance(subject, Need):
        return in_units(subject.item, value)
    if name == "status":
        return str(dict(subject._meta.get_field("status").flatchoices).get(value, value))
    return str(value)
