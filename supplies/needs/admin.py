"""What hospitals ask for, at the desk: appeals to moderate, needs to confirm."""

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from supplies.attachments.forms import FileForm
from supplies.attachments.models import Attachment
from supplies.leaks import masked
from supplies.needs import services
from supplies.needs.models import Appeal, AppealStatus, Need, NeedStatus, SenderKind
from supplies.needs.who_asks import who_asks
from supplies.organisations.desk import (
    DeskAdmin,
    ReasonForm,
    Verb,
    Waiting,
    by_status,
    count_of,
    in_units,
    source_link,
)
from supplies.organisations.permissions import may_moderate
from supplies.organisations.previewing import PreviewedVerb
from supplies.organisations.verification import CallOrigin, CallOutcome
from supplies.wording import bracketed, listed, unchosen


def asked(need: Need) -> str:
    """How much is asked for, as people say it."""
    if need.is_assumed:
        about = in_units(need.item, need.quantity_assumed)
        return f"{need.get_quantity_kind_display()}{bracketed(f'≈ {about}')}"
    return in_units(need.item, need.quantity)


class CallForm(forms.Form):
    """What came of a call to the hospital. Where the number is from matters for its verification too."""

    origin = forms.ChoiceField(label=_("Where the number is from"), choices=unchosen(CallOrigin.choices))
    outcome = forms.ChoiceField(
        label=_("What the hospital said"),
        choices=unchosen(
            [
                (CallOutcome.CONFIRMED, _("still needed")),
                (CallOutcome.DENIED, _("not needed any more")),
                (CallOutcome.NO_ANSWER, CallOutcome.NO_ANSWER.label),
                (CallOutcome.WRONG_NUMBER, CallOutcome.WRONG_NUMBER.label),
            ]
        ),
    )
    note = forms.CharField(
        label=_("Note"),
        help_text=_("Who answered, by post; what they said. No names, no numbers."),
        max_length=300,
        required=False,
    )


@admin.register(Appeal)
class AppealAdmin(DeskAdmin):
    change_form_template = "admin/appeal.html"
    decided_in = (AppealStatus.WAITING,)
    region_of = "facility.region"
    is_public = True
    list_display = ("facility", "region", "lines", "source", "status", "posted_by", "created_at")
    list_filter = (by_status(AppealStatus.WAITING), "emergency")
    list_select_related = ("facility__region", "posted_by")
    search_fields = ("facility__name", "facility__organisation__name", "=code")
    ordering = ("created_at", "pk")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "status",
                    "refusal",
                    "emergency",
                    "facility",
                    "source",
                    "published_on",
                    "valid_until",
                    "remark",
                )
            },
        ),
        (
            _("Hand-over"),
            {
                "fields": (
                    "handover_point",
                    "courier_address",
                    "receiving_body",
                    "senders",
                    "accepts_overseas",
                    "transport_instructions",
                )
            },
        ),
        (_("Trail"), {"fields": ("code", "posted_by", "created_at", "moderated_by", "moderated_at")}),
    )
    actions = (
        PreviewedVerb("publish", _("Publish"), services.publish, fits=[AppealStatus.WAITING]),
        PreviewedVerb("refuse", _("Refuse"), services.refuse, asks=ReasonForm, fits=[AppealStatus.WAITING]),
        PreviewedVerb(
            "withdraw",
            _("Withdraw for the hospital"),
            services.withdraw,
            fits=[AppealStatus.WAITING, AppealStatus.PUBLISHED],
        ),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = self.get_queryset(request).filter(status=AppealStatus.WAITING)
        return [Waiting(10, _("appeals to moderate"), rows, "status=waiting", "created_at")]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Appeal]:
        rows: QuerySet[Appeal] = (
            super().get_queryset(request).annotate(line_count=count_of(Need.objects.all(), "appeal"))
        )
        return rows

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        appeal, user = kwargs.get("obj"), cast(Any, request.user)
        if appeal is not None and self.may_take(user, appeal):
            context["asker"] = who_asks(appeal, user)
        if appeal is not None and may_moderate(user) and user.watches_over_all:
            context["files"] = Attachment.objects.about(appeal).kept().select_related("by").oldest_first()
            context["file_form"] = FileForm(auto_id="file_%s")
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description=_("region"), ordering="facility__region__path")
    def region(self, appeal: Appeal) -> str:
        return str(appeal.facility.region)

    @admin.display(description=_("lines"), ordering="line_count")
    def lines(self, appeal: Any) -> int:
        return int(appeal.line_count)

    @admin.display(description=_("accepts goods from"))
    def senders(self, appeal: Appeal) -> str:
        return listed(SenderKind(kind).label for kind in appeal.accepted_senders)

    @admin.display(description=_("source"))
    def source(self, appeal: Appeal) -> str:
        return source_link(appeal.source_name, appeal.source_url)


class FreshnessFilter(admin.SimpleListFilter):
    title = _("confirmation")
    parameter_name = "confirm"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("due", _("to be confirmed by telephone"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Need]) -> QuerySet[Need]:
        return queryset.grey() if self.value() == "due" else queryset  # type: ignore[attr-defined,no-any-return]


@admin.register(Need)
class NeedAdmin(DeskAdmin):
    region_of = "appeal.facility.region"
    is_public = True
    list_display = (
        "item",
        "facility",
        "asked",
        "outstanding",
        "urgency",
        "needed_by",
        "status",
        "confirmed_at",
        "confirmed_by_kind",
    )
    list_filter = (by_status(), FreshnessFilter, "urgency", "quantity_kind", "item__category")
    list_select_related = ("item__display_unit", "appeal__facility")
    search_fields = ("~item", "site__name")
    ordering = ("urgency", "is_grey", "needed_by", "pk")
    fieldsets = (
        (
            None,
            {"fields": ("status", "appeal", "as_written", "item", "asked", "accepted_standards", "by_hand")},
        ),
        (
            _("Conditions"),
            {
                "fields": (
                    "medical_grade",
                    "sterile",
                    "setting",
                    "substitutes_welcome",
                    "ask_first",
                    "requirements",
                    "urgency",
                    "urgency_assumed",
                    "needed_by",
                    "needed_by_assumed",
                    "min_lot",
                    "stock_on_hand",
                    "daily_use",
                    "counted_on",
                )
            },
        ),
        (
            _("Confirmation"),
            {
                "fields": (
                    "confirmed_at",
                    "confirmed_by_kind",
                    "confirmed_by",
                    "is_grey",
                    "reminded",
                    "source",
                )
            },
        ),
        (
            _("In the smallest counted unit"),
            {
                "fields": (
                    "ceiling",
                    "quantity_proposed",
                    "quantity_promised",
                    "quantity_in_transit",
                    "quantity_received",
                    "quantity_outstanding",
                )
            },
        ),
    )
    actions = (
        Verb(
            "call",
            _("Called the hospital"),
            services.confirm_by_telephone,
            asks=CallForm,
            fits=[NeedStatus.OPEN, NeedStatus.LAPSED],
        ),
        Verb("confirm", _("Still needed"), services.confirm, fits=[NeedStatus.OPEN, NeedStatus.LAPSED]),
        Verb(
            "withdraw",
            _("Not needed any more"),
            services.withdraw_need,
            ends=_("Nothing more is matched to it. What is promised already still comes."),
            fits=[NeedStatus.WAITING, NeedStatus.OPEN, NeedStatus.LAPSED],
        ),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = self.get_queryset(request).filter(status=NeedStatus.OPEN, is_grey=True, origin="")
        return [Waiting(90, _("needs to confirm by telephone"), rows, "confirm=due", "confirmed_at")]

    @admin.display(description=_("source"))
    def source(self, need: Need) -> str:
        """As everybody reads it: the need's page masks its own words, not those of its appeal."""
        return source_link(masked(need.appeal.source_name), need.appeal.source_url)

    @admin.display(description=_("outside the matching"))
    def by_hand(self, need: Need) -> str:
        """The pages are the matching's; they are known here by their names only."""
        hand = reverse("admin:matching_proposal_by_hand")
        lacking = reverse("still-lacking", args=[need.appeal_id])
        return format_html(
            '<a href="{}?need={}">{}</a> · <a href="{}">{}</a>',
            hand,
            need.pk,
            gettext("Allocate by hand"),
            lacking,
            gettext("What is still lacking, and why"),
        )

    @admin.display(description=_("facility"), ordering="appeal__facility__name")
    def facility(self, need: Need) -> str:
        return need.appeal.facility.name

    @admin.display(description=_("quantity"), ordering="quantity")
    def asked(self, need: Need) -> str:
        return asked(need)

    @admin.display(description=_("outstanding"), ordering="quantity_outstanding")
    def outstanding(self, need: Need) -> str:
        return in_units(need.item, need.quantity_outstanding)
