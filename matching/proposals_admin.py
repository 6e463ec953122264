"""Proposals at the desk, the most urgent first: to approve, to decline, to make by hand, to send together."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from matching import services
from matching.desk_forms import ByHandForm, CalledForm, DeclineForm, FewerForm, OutOfTurnForm
from matching.models import DEVIATES, DeviationKind, Proposal, ProposalStatus
from matching.need_columns import OfANeed
from matching.permissions import may_allocate_by_hand, may_approve
from matching.sentences import departure, filled_from_to, sentences, why_ended
from matching.shipping import suggestions, together_with
from matching.side_by_side import side_by_side
from supplies.catalogue.models import Relation, Standard
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.needs.models import Need
from supplies.organisations.desk import (
    DeskAdmin,
    Verb,
    Waiting,
    answered_in,
    by_status,
    change_url,
    in_units,
    link_to,
    sentence,
    who,
)
from supplies.organisations.models import User
from supplies.organisations.previewing import OneVerb, PreviewedVerb
from supplies.wording import apart, bracketed, moment

OTHERS_SHOWN = 20  # of those that may travel together with a proposal


def heard(verb: Callable[..., Proposal]) -> Callable[..., Proposal]:
    """The verb of a yes that was said on the telephone; the form has made sure that there was a call."""

    def write_down(proposal: Proposal, *, called: bool, by: User, at: datetime) -> Proposal:
        return verb(proposal, by=by, at=at)

    return write_down


class SideFilter(admin.SimpleListFilter):
    """Approved proposals by whose yes is still to come."""

    title = _("waiting for the yes of")
    parameter_name = "yes"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("donor", _("the donor")), ("hospital", _("the hospital"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> QuerySet[Proposal]:
        column = {"donor": "donor_said_yes_at", "hospital": "hospital_said_yes_at"}.get(self.value() or "")
        return queryset.filter(**{column: None}) if column else queryset


class DeviationFilter(admin.SimpleListFilter):
    """Approvals that depart from what a run proposed."""

    title = _("departs from the plan")
    parameter_name = "departs"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("in any way")), *DeviationKind.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> QuerySet[Proposal]:
        kind = self.value()
        if kind == "yes":
            return queryset.exclude(deviation="")
        return queryset.filter(DEVIATES[DeviationKind(kind)]) if kind in DeviationKind.values else queryset


class RunFilter(admin.SimpleListFilter):
    """What one run proposed; offered by the run's own page."""

    title = _("run")
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        run = request.GET.get("run")
        return [(run, _("this run"))] if run else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> QuerySet[Proposal]:
        try:
            return queryset.filter(family_run__run=UUID(self.value() or "")) if self.value() else queryset
        except ValueError:
            return queryset.none()


class TogetherFilter(admin.SimpleListFilter):
    """What may travel together with a proposal, which stands for all of them: their ids would not fit into an address."""

    title = _("may travel together")
    parameter_name = "together"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        one = request.GET.get("together")
        return [(one, _("this suggested shipment"))] if one else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> QuerySet[Proposal]:
        if not self.value():
            return queryset
        try:
            one = Proposal.objects.visible_to(request.user).get(pk=UUID(self.value() or ""))
        except (ValueError, Proposal.DoesNotExist):
            return queryset.none()
        return queryset.filter(pk__in=together_with(one).values("pk"))


class Approve(PreviewedVerb):
    """One click as long as the order of the run is kept; where a more urgent proposal is passed over it asks why."""

    def form(self, request: HttpRequest, rows: QuerySet) -> forms.Form | None:
        chosen = list(rows.select_related("need"))
        passed = (Proposal.objects.more_urgent_than(row).exclude(pk__in=rows.values("pk")) for row in chosen)
        return OutOfTurnForm(answered_in(request)) if any(others.exists() for others in passed) else None

    def do(
        self, desk: DeskAdmin, request: HttpRequest, rows: list[Any], answers: Mapping[str, Any]
    ) -> HttpResponse | None:
        """In the order of the run, however the list was sorted."""
        return super().do(desk, request, sorted(rows, key=lambda row: row.need.urgency), answers)


@admin.register(Proposal)
class ProposalAdmin(OfANeed, DeskAdmin):
    change_list_template = "admin/proposals.html"
    decided_in = (ProposalStatus.OPEN,)
    change_form_template = "admin/proposal.html"
    list_display = (
        "item",
        "urgency",
        "hospital",
        "amount_and_fill",
        "goods",
        "donor",
        "way",
        "expires",
        "standing",
    )
    list_filter = (
        by_status(ProposalStatus.OPEN),
        SideFilter,
        DeviationFilter,
        "deviation",
        RunFilter,
        TogetherFilter,
        "need__urgency",
        "is_conditional",
        "need__appeal__emergency",
    )
    list_select_related = (
        "need__item__display_unit",
        "need__appeal__facility__region",
        "offer__item",
        "offer__standard",
        "offer__donation__organisation",
    )
    search_fields = (
        "~need__item",
        "need__appeal__facility__name",
        "offer__donation__organisation__name",
    )
    ordering = ("need__urgency", "need__needed_by", "pk")
    list_per_page = 25  # each is read with care, and is long on a phone
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "status",
                    "ended",
                    "need",
                    "offer",
                    "donor",
                    "amount",
                    "departs",
                    "way",
                    "why",
                    "expires_at",
                )
            },
        ),
        (
            _("Who said yes"),
            {
                "fields": (
                    "approved_by",
                    "approved_at",
                    "donor_said_yes_at",
                    "donor_consent",
                    "hospital_yes",
                    "allocation",
                )
            },
        ),
        (_("Trail"), {"fields": ("run", "place", "amount_proposed", "passed_over", "created_at")}),
    )
    actions = (
        Approve("approve", _("Approve"), services.approve, may=may_approve, fits=[ProposalStatus.OPEN]),
        OneVerb(
            "approve_fewer",
            _("Approve fewer"),
            services.approve,
            asks=FewerForm,
            may=may_approve,
            fits=[ProposalStatus.OPEN],
        ),
        Verb(
            "donor_said_yes",
            _("The donor said yes on the telephone"),
            heard(services.agree_for_donor),
            asks=CalledForm,
            may=may_approve,
            fits=[ProposalStatus.APPROVED],
        ),
        Verb(
            "hospital_said_yes",
            _("The hospital said yes on the telephone"),
            heard(services.agree_for_hospital),
            asks=CalledForm,
            may=may_approve,
            fits=[ProposalStatus.APPROVED],
        ),
        PreviewedVerb(
            "decline",
            _("Decline"),
            services.decline,
            asks=DeclineForm,
            may=may_approve,
            fits=[ProposalStatus.OPEN, ProposalStatus.APPROVED],
        ),
    )

    def waits(self, request: HttpRequest) -> Iterable[Waiting]:
        rows = self.get_queryset(request)
        return [
            Waiting(
                40,
                _("proposals to approve"),
                rows.filter(status=ProposalStatus.OPEN),
                "status=open",
                "created_at",
            ),
            Waiting(
                50,
                _("proposals waiting for a yes"),
                rows.filter(status=ProposalStatus.APPROVED),
                "status=approved",
                "approved_at",
            ),
        ]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Without the status where the list is of those that wait, with which it begins."""
        is_said_above = request.GET.get("status", ProposalStatus.OPEN) == ProposalStatus.OPEN
        return [
            name for name in super().get_list_display(request) if not (is_said_above and name == "standing")
        ]

    def get_urls(self) -> list[URLPattern]:
        by_hand = self.admin_site.admin_view(self.by_hand_view)
        suggested = self.admin_site.admin_view(self.suggested_shipments_view)
        return [
            path("by-hand/", by_hand, name="matching_proposal_by_hand"),
            path("suggested-shipments/", suggested, name="matching_proposal_suggested_shipments"),
            *super().get_urls(),
        ]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        if obj is not None:
            context["compared"] = side_by_side(obj, request.user)
            group = self.get_queryset(request).filter(pk__in=together_with(obj).values("pk"))
            if group.filter(pk=obj.pk).exists():
                others = group.exclude(pk=obj.pk).select_related(*self.list_select_related)
                context["together"] = others.order_by(*self.ordering)[:OTHERS_SHOWN]
        return super().render_change_form(request, context, add, change, form_url, obj)

    def suggested_shipments_view(self, request: HttpRequest) -> HttpResponse:
        """What may travel together, to be approved together in the list."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request)
        emergencies = {row.pk: row for row in Emergency.objects.newest_first()}
        chosen = request.GET.get("emergency", "")
        if chosen:
            if chosen not in emergencies:
                raise Http404
            rows = rows.filter(need__appeal__emergency=chosen)
        found, more = suggestions(rows)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Suggested shipments"),
            "opts": self.opts,
            "suggestions": found,
            "more": more,
            "within": f"&need__appeal__emergency__code__exact={chosen}" if chosen else "",
            "emergencies": [
                {"query_string": "?", "selected": not chosen, "display": gettext("All")},
                *(
                    {"query_string": f"?emergency={row.pk}", "selected": row.pk == chosen, "display": row}
                    for row in emergencies.values()
                ),
            ],
            "media": self.media,
        }
        return TemplateResponse(request, "admin/suggested_shipments.html", context)

    def by_hand_view(self, request: HttpRequest) -> HttpResponse:
        """The form that brings one need and an offer together outside any run; only a POST does."""
        need = _need(request.GET.get("need", ""))
        if need is None:
            self.message_user(request, gettext("Choose the need first; its page leads on."), messages.INFO)
            return HttpResponseRedirect(reverse("admin:supplies_need_changelist"))
        if not may_allocate_by_hand(request.user, need):
            raise PermissionDenied
        form = ByHandForm(need, request.POST or None, at=timezone.now())
        if request.method == "POST" and form.is_valid():
            try:
                made = services.allocate_by_hand(
                    need, by=who(request), at=timezone.now(), **form.cleaned_data
                )
            except (Refused, ValidationError) as refusal:
                self.message_user(request, sentence(refusal), messages.ERROR)
            else:
                self.message_user(request, gettext("Approved; both sides are asked as always."))
                return HttpResponseRedirect(change_url(made))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Allocate by hand"),
            "opts": self.opts,
            "rows": [(need.pk, f"{need} · {in_units(need.item, need.lacking)}")],
            "checkbox": "need",
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/ask.html", context)

    def name_of(self, proposal: Proposal) -> str:
        return f"{self.item(proposal)} · {self.donor(proposal)} → {self.hospital(proposal)}"

    @admin.display(description=_("donor"), ordering="offer__donation__organisation__name")
    def donor(self, proposal: Proposal) -> str:
        return proposal.offer.donation.organisation.name

    @admin.display(description=_("goods"), ordering="offer__item")
    def goods(self, proposal: Proposal) -> str:
        offer = proposal.offer
        of = bracketed(offer.standard) if offer.standard else ""
        return _with_note(f"{offer.item}{of}", self.relation(proposal))

    @admin.display(description=_("quantity"), ordering="quantity")
    def amount(self, proposal: Proposal) -> str:
        return in_units(proposal.need.item, proposal.quantity_approved)

    @admin.display(description=_("quantity"), ordering="quantity")
    def amount_and_fill(self, proposal: Proposal) -> str:
        return _with_note(self.amount(proposal), self.fill(proposal))

    @admin.display(description=_("quantity proposed"))
    def amount_proposed(self, proposal: Proposal) -> str:
        return in_units(proposal.need.item, proposal.quantity)

    @admin.display(description=_("status"), ordering="status")
    def standing(self, proposal: Proposal) -> str:
        return _with_note(proposal.get_status_display(), departure(proposal))

    @admin.display(description=_("departs from the plan"))
    def departs(self, proposal: Proposal) -> str:
        return departure(proposal) or "–"

    @admin.display(description=_("why it ended"))
    def ended(self, proposal: Proposal) -> str:
        return why_ended(proposal) or "–"

    def relation(self, proposal: Proposal) -> str:
        """How the goods stand to what is asked for, and whether the hospital has to be asked."""
        steps = proposal.because.get("steps") or []
        labels = dict(Relation.choices)
        words = list(dict.fromkeys(str(labels.get(relation, relation)) for *_ends, relation in steps))
        if proposal.needs_hospital_yes:
            words.append(gettext("ask the hospital"))
        if not words and proposal.offer.item_id != proposal.need.item_id:
            return gettext("another item of a standard that is asked for")
        return apart(words) or gettext("as asked for")

    def fill(self, proposal: Proposal) -> str:
        """How much of the need is covered without it and with it; nothing where no number was assumed for the need."""
        parts = filled_from_to(proposal)
        return gettext("covered: %(before)d → %(after)d %%") % parts if parts else ""

    @admin.display(description=_("way"), ordering="km")
    def way(self, proposal: Proposal) -> str:
        days = ngettext("%(days)d day", "%(days)d days", proposal.days) % {"days": proposal.days}
        return f"{proposal.km:,} km · {days}"

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, proposal: Proposal) -> str:
        return moment(proposal.expires_at)

    @admin.display(description=_("why"))
    def why(self, proposal: Proposal) -> str:
        steps = proposal.because.get("steps") or []
        quoted = Standard.objects.filter(pk__in=[code for *codes, _relation in steps for code in codes])
        names = {standard.pk: standard.name for standard in quoted}
        said = ((sentence,) for sentence in sentences(proposal, names))
        return format_html('<ul class="why">{}</ul>', format_html_join("", "<li>{}</li>", said))

    @admin.display(description=_("the hospital's yes"))
    def hospital_yes(self, proposal: Proposal) -> str:
        if proposal.hospital_said_yes_at:
            return moment(proposal.hospital_said_yes_at)
        return gettext("still to be asked") if proposal.needs_hospital_yes else gettext("not needed")

    @admin.display(description=_("run"))
    def run(self, proposal: Proposal) -> str:
        return link_to(proposal.family_run.run) if proposal.family_run else gettext("made by hand")


def _with_note(text: str, note: str) -> str:
    """What a cell says, and below it in smaller letters what goes with it."""
    return format_html('{}<span class="note">{}</span>', text, note) if note else text


def _need(key: str) -> Need | None:
    try:
        return Need.objects.select_related("item__display_unit", "appeal__facility").get(pk=UUID(key))
    except (ValueError, Need.DoesNotExist):
        return None
