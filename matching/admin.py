"""The matching at the desk: proposals to approve, the most urgent first; runs to read and to start."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
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
from matching.coordinating import OrderAdmin as OrderAdmin
from matching.fitting import offers_for
from matching.models import (
    DEVIATES,
    DeviationKind,
    DeviationReason,
    FamilyRun,
    MatchingPolicy,
    MatchingRun,
    Proposal,
    ProposalStatus,
    RunStatus,
    Shortfall,
    Trigger,
)
from matching.permissions import (
    may_allocate_by_hand,
    may_approve,
    may_run,
    may_set_policies,
    may_undo,
)
from matching.progress import progress_of
from matching.results import answers, changes, declined, foreseen, results, run_before
from matching.sentences import departure, filling, sentences, shortfalls, why_ended, why_short
from matching.shipping import suggestions, together_with
from matching.side_by_side import side_by_side
from supplies.catalogue.models import Relation
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.journal.admin import ReadOnlyAdmin, UnchangedMeanwhile
from supplies.leaks import masked
from supplies.needs.models import Need, Urgency
from supplies.offers.models import Offer
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    ReasonForm,
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
from supplies.organisations.previewing import PreviewedVerb
from supplies.organisations.progress import LongWork, Progress
from supplies.wording import apart

DECLINED_SHOWN = 30
OTHERS_SHOWN = 20  # of those that may travel together with a proposal
FIGURES: dict[Any, Any] = {
    "needs": _("needs"),
    "offers": _("offers"),
    "proposals": _("proposals"),
    "units": _("units proposed"),
}


class CalledForm(forms.Form):
    called = forms.BooleanField(
        label=_("I have called, and they said yes"),
        help_text=_("Your account and the time go into the journal as the one who called."),
    )


def heard(verb: Callable[..., Proposal]) -> Callable[..., Proposal]:
    """The verb of a yes that was said on the telephone; the form has made sure that there was a call."""

    def write_down(proposal: Proposal, *, called: bool, by: User, at: datetime) -> Proposal:
        return verb(proposal, by=by, at=at)

    return write_down


class OfANeed:
    """The columns that say which need a row is about."""

    @admin.display(description=_("needed"), ordering="need__item")
    def item(self, row: Proposal | Shortfall) -> str:
        return str(row.need.item)

    @admin.display(description=_("urgency"), ordering="need__urgency")
    def urgency(self, row: Proposal | Shortfall) -> str:
        level = row.need.urgency
        return format_html(
            '<span class="urgency urgency-{}" title="{}">{}</span>', level, Urgency(level).label, level
        )

    @admin.display(description=_("hospital"), ordering="need__appeal__facility__name")
    def hospital(self, row: Proposal | Shortfall) -> str:
        return row.need.appeal.facility.name


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


class WhyForm(forms.Form):
    """Why an approval departs from what was proposed."""

    reason = forms.ChoiceField(label=_("Why"), choices=[("", "—"), *DeviationReason.choices])
    note = forms.CharField(
        label=_("Note"),
        help_text=_("For whoever reads the report. No names, no telephone numbers."),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class OutOfTurnForm(WhyForm):
    reason = forms.ChoiceField(
        label=_("Why before the more urgent"),
        choices=WhyForm.base_fields["reason"].choices,  # type: ignore[attr-defined]
        help_text=_(
            "More urgent proposals of the same goods wait. Go back to approve them first, or say why not."
        ),
    )


class FewerForm(WhyForm):
    quantity = forms.IntegerField(
        label=_("How many"),
        help_text=_("In the item's smallest counted unit, in whole packs, and fewer than proposed."),
        min_value=1,
    )
    field_order = ("quantity", "reason", "note")


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
        "amount",
        "goods",
        "donor",
        "way",
        "relation",
        "fill",
        "expires",
        "status",
        "departs",
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
        "need__item__name_zh",
        "need__item__name_en",
        "need__appeal__facility__name",
        "offer__donation__organisation__name",
    )
    ordering = ("need__urgency", "need__needed_by", "pk")
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
        Verb(
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
            asks=ReasonForm,
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
        standard = proposal.offer.standard
        return f"{proposal.offer.item} ({standard})" if standard else str(proposal.offer.item)

    @admin.display(description=_("quantity"), ordering="quantity")
    def amount(self, proposal: Proposal) -> str:
        return in_units(proposal.need.item, proposal.quantity_approved)

    @admin.display(description=_("quantity proposed"))
    def amount_proposed(self, proposal: Proposal) -> str:
        return in_units(proposal.need.item, proposal.quantity)

    @admin.display(description=_("departs from the plan"), ordering="deviation")
    def departs(self, proposal: Proposal) -> str:
        return departure(proposal) or "–"

    @admin.display(description=_("why it ended"))
    def ended(self, proposal: Proposal) -> str:
        return why_ended(proposal) or "–"

    @admin.display(description=_("as a substitute"))
    def relation(self, proposal: Proposal) -> str:
        """How the goods stand to what is asked for, and whether the hospital has to be asked."""
        steps = proposal.because.get("steps") or []
        labels = dict(Relation.choices)
        words = list(dict.fromkeys(str(labels.get(relation, relation)) for *_ends, relation in steps))
        if proposal.needs_hospital_yes:
            words.append(gettext("ask the hospital"))
        return apart(words) or gettext("as asked for")

    @admin.display(description=_("filled"))
    def fill(self, proposal: Proposal) -> str:
        total = proposal.because.get("total")
        if not total:
            return "–"
        before, after = (100 * filled // total for filled in filling(proposal))
        return f"{before} → {after} %"

    @admin.display(description=_("way"), ordering="km")
    def way(self, proposal: Proposal) -> str:
        days = ngettext("%(days)d day", "%(days)d days", proposal.days) % {"days": proposal.days}
        return f"{proposal.km:,} km · {days}"

    @admin.display(description=_("expires"), ordering="expires_at")
    def expires(self, proposal: Proposal) -> str:
        return f"{timezone.localtime(proposal.expires_at):%m-%d %H:%M}"

    @admin.display(description=_("why"))
    def why(self, proposal: Proposal) -> str:
        return format_html(
            '<ul class="why">{}</ul>',
            format_html_join("", "<li>{}</li>", ((sentence,) for sentence in sentences(proposal))),
        )

    @admin.display(description=_("the hospital's yes"))
    def hospital_yes(self, proposal: Proposal) -> str:
        if proposal.hospital_said_yes_at:
            return str(timezone.localtime(proposal.hospital_said_yes_at).strftime("%Y-%m-%d %H:%M"))
        return gettext("still to be asked") if proposal.needs_hospital_yes else gettext("not needed")

    @admin.display(description=_("run"))
    def run(self, proposal: Proposal) -> str:
        return link_to(proposal.family_run.run) if proposal.family_run else gettext("made by hand")


def _need(key: str) -> Need | None:
    try:
        return Need.objects.select_related("item__display_unit", "appeal__facility").get(pk=UUID(key))
    except (ValueError, Need.DoesNotExist):
        return None


class ByHandForm(WhyForm):
    """Offers that may go to a need by the rules of the matching, the nearest first."""

    offer = forms.ChoiceField(label=_("Offer"))
    quantity = forms.IntegerField(
        label=_("Quantity"), help_text=_("In the item's smallest counted unit, in whole packs."), min_value=1
    )
    field_order = ("offer", "quantity", "reason", "note")

    def __init__(self, need: Need, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["offer"].choices = [  # type: ignore[attr-defined]
            (str(offer.pk), _offered(offer, km)) for offer, km in offers_for(need, as_of=at)
        ]

    def clean_offer(self) -> Offer:
        return Offer.objects.get(pk=self.cleaned_data["offer"])


def _offered(offer: Offer, km: int) -> str:
    goods = f"{offer.item} ({offer.standard})" if offer.standard else str(offer.item)
    left = in_units(offer.item, offer.quantity_open)
    return apart([offer.donation.organisation.name, goods, left, f"{km:,} km"])


class UndoForm(ReasonForm):
    reason = forms.CharField(
        label=_("Why it is taken back"),
        help_text=_(
            "Ends every proposal of this run that nobody has answered; what was approved stands."
            " The reason is kept with each. No names, no telephone numbers."
        ),
        max_length=200,
        widget=forms.Textarea(attrs={"rows": 3, "autofocus": True}),
    )


class StartForm(forms.Form):
    emergency = forms.ModelChoiceField(
        label=_("Emergency"), queryset=Emergency.objects.none(), empty_label=None
    )
    policy = forms.ModelChoiceField(
        label=_("Policy"), queryset=MatchingPolicy.objects.none(), initial="urgency", empty_label=None
    )
    is_dry = forms.BooleanField(
        label=_("Dry run"), required=False, help_text=_("Computes and counts; proposes nothing.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        emergency, policy = self.fields["emergency"], self.fields["policy"]
        assert isinstance(emergency, forms.ModelChoiceField)
        assert isinstance(policy, forms.ModelChoiceField)
        emergency.queryset = Emergency.objects.going_on().newest_first()
        policy.queryset = MatchingPolicy.objects.offered()


def result_of(run: MatchingRun) -> dict[str, Any]:
    """What the page of a run shows of it, beside the run before."""
    before = run_before(run)
    result, *older = results([run, before] if before else [run])
    turned_down = declined(run)
    parcels, more_parcels = foreseen(run) if run.is_dry else ([], False)
    return {
        "foreseen": [(row, in_units(row.need.item, row.quantity)) for row in parcels],
        "more_foreseen": more_parcels,
        "result": result,
        "short": shortfalls(dict(result.shortfalls)),
        "answers": answers(run),
        "declined": [
            {"proposal": row, "amount": in_units(row.need.item, row.quantity), "why": masked(why_ended(row))}
            for row in turned_down[:DECLINED_SHOWN]
        ],
        "run_before": before,
        "changes": [
            (FIGURES.get(name) or Urgency(name).label, change, name in FIGURES)
            for name, change in (changes(result, older[0]) if older else {}).items()
        ],
    }


class Undo(Verb):
    """Offered where something may wait: a dry run has proposed nothing."""

    def offered_for(self, desk: DeskAdmin, user: Any, row: Any) -> bool:
        return not row.is_dry and super().offered_for(desk, user, row)


class FamilyRunInline(DeskInline):
    model = FamilyRun
    fields = (
        "family",
        "status",
        "needs",
        "offers",
        "proposals",
        "kept",
        "superseded",
        "stale",
        "units",
        "attempt",
        "failure",
    )
    ordering = ("family",)
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[FamilyRun]:
        return super().get_queryset(request).defer("rows", "problem", "plan")


@admin.register(MatchingRun)
class MatchingRunAdmin(LongWork):
    change_list_template = "admin/matching_runs.html"
    list_display = (
        "created_at",
        "emergency",
        "status",
        "trigger",
        "policy",
        "is_dry",
        "started_by",
        "finished_at",
    )
    list_filter = (by_status(), "trigger", "is_dry", "emergency")
    list_select_related = ("emergency", "started_by")
    ordering = ("-created_at", "-pk")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "status",
                    "failure",
                    "emergency",
                    "way_of_sharing",
                    "is_dry",
                    "record",
                )
            },
        ),
        (
            _("Trail"),
            {"fields": ("trigger", "started_by", "as_of", "created_at", "finished_at", "only", "editions")},
        ),
    )
    inlines = (FamilyRunInline,)
    change_form_template = "admin/matching_run.html"
    actions = (
        Undo(
            "undo",
            _("Take back what nobody has answered"),
            services.undo,
            asks=UndoForm,
            may=may_undo,
            fits=[RunStatus.DONE, RunStatus.FAILED],
        ),
    )

    def progress_of(self, row: MatchingRun) -> Progress | None:
        return progress_of(row)

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
            context |= result_of(obj)
            context["may_start"] = may_run(request.user)
        return super().render_change_form(request, context, add, change, form_url, obj=obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.start_view)
        return [path("start/", view, name="matching_matchingrun_start"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"may_start": may_run(request.user), **(extra_context or {})})

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """The form that starts a run; only a POST starts one."""
        if not may_run(request.user):
            raise PermissionDenied
        form = StartForm(request.POST or None, initial=request.GET.dict())
        if request.method == "POST" and form.is_valid():
            try:
                asked = {**form.cleaned_data, "policy": form.cleaned_data["policy"].pk}
                run = services.start(trigger=Trigger.HAND, by=who(request), at=timezone.now(), **asked)
            except Refused as refusal:
                self.message_user(request, str(refusal.detail), messages.ERROR)
            else:
                self.message_user(request, gettext("The run has started."), messages.SUCCESS)
                return HttpResponseRedirect(change_url(run))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Start a run now"),
            "opts": self.opts,
            "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/ask.html", context)

    @admin.display(description=_("policy"), ordering="policy")
    def way_of_sharing(self, run: MatchingRun) -> str:
        policy = MatchingPolicy.objects.filter(pk=run.policy).first()
        return str(policy or run.policy)

    @admin.display(description=_("its proposals"))
    def record(self, run: MatchingRun) -> str:
        """What it proposed, in which order, and who approved what of it."""
        url = reverse("admin:matching_proposal_changelist")
        return format_html('<a href="{}?status=all&amp;run={}">{}</a>', url, run.pk, gettext("all of them"))


@admin.register(MatchingPolicy)
class MatchingPolicyAdmin(UnchangedMeanwhile, ReadOnlyAdmin):
    """Everyone at the desk reads the policies, an administrator changes them; a run keeps a copy of the one it was made with."""

    list_display = (
        "code",
        "name_zh",
        "name_en",
        "is_offered",
        "waits_from_urgency",
        "facility_percent",
    )
    ordering = ("code",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "code",
                    "name_zh",
                    "name_en",
                    "is_offered",
                    "order",
                    "facility_percent",
                    "ageing_days",
                    "parcel_km",
                )
            },
        ),
        (
            _("Waiting for a better partner"),
            {
                "fields": (
                    "waits_from_urgency",
                    "wait_limit_km",
                    "wait_growth_days",
                    "last_chance_days",
                    "small_first_km",
                    "wait_parcel_km",
                )
            },
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: MatchingPolicy | None = None) -> tuple[str, ...]:
        return () if obj is None else ("code",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_set_policies(request.user)

    def has_change_permission(self, request: HttpRequest, obj: MatchingPolicy | None = None) -> bool:
        return may_set_policies(request.user)

    def save_model(self, request: HttpRequest, obj: MatchingPolicy, form: Any, change: bool) -> None:
        services.set_policy(obj, by=who(request), at=timezone.now())


@admin.register(Shortfall)
class ShortfallAdmin(OfANeed, DeskAdmin):
    """What is lacking where, and why: what a volunteer reads before she looks for goods by telephone."""

    region_of = "need.appeal.facility.region"
    list_display = ("item", "urgency", "hospital", "lacking", "why", "needed_by", "as_of")
    list_filter = ("cause", "need__urgency", "need__item__category", "need__appeal__emergency")
    list_select_related = ("need__item__display_unit", "need__appeal__facility__region")
    search_fields = ("need__item__name_zh", "need__item__name_en", "need__appeal__facility__name")
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


@admin.register(FamilyRun)
class FamilyRunAdmin(DeskAdmin):
    list_display = (
        "family",
        "run",
        "status",
        "needs",
        "offers",
        "proposals",
        "stale",
        "units",
        "attempt",
        "failure",
    )
    list_filter = (by_status(), ("failure", admin.EmptyFieldListFilter))
    list_select_related = ("run",)
    search_fields = ("family", "=run__pk")
    ordering = ("-run__created_at", "family")
    fields = (
        "family", "run", "emergency", "status", "failure", "size", "needs", "offers", "proposals", "stale", "units",
        "by_urgency", "shortfalls", "seconds", "attempt", "lease_until",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[FamilyRun]:
        return super().get_queryset(request).defer("rows", "problem", "plan")
