"""The matching at the desk: proposals to approve, the most urgent first; runs to read and to start."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from matching import services
from matching.models import FamilyRun, MatchingRun, Proposal, ProposalStatus, Trigger
from matching.permissions import may_approve, may_run
from matching.sentences import sentences, shortfalls
from matching.snapshot import POLICIES
from supplies.catalogue.models import Relation
from supplies.emergencies.models import Emergency
from supplies.errors import Refused
from supplies.needs.models import Urgency
from supplies.organisations.desk import (
    DeskAdmin,
    DeskInline,
    ReasonForm,
    Verb,
    Waiting,
    by_status,
    change_url,
    in_units,
    link_to,
    table,
    who,
)
from supplies.organisations.models import User
from supplies.wording import apart

POLICY_NAMES = {"urgency": _("the most urgent first"), "floor": _("everyone a little first")}


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


class SideFilter(admin.SimpleListFilter):
    """Approved proposals by whose yes is still to come."""

    title = _("waiting for the yes of")
    parameter_name = "yes"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("donor", _("the donor")), ("hospital", _("the hospital"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> QuerySet[Proposal]:
        column = {"donor": "donor_said_yes_at", "hospital": "hospital_said_yes_at"}.get(self.value() or "")
        return queryset.filter(**{column: None}) if column else queryset


@admin.register(Proposal)
class ProposalAdmin(DeskAdmin):
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
    )
    list_filter = (
        by_status(ProposalStatus.OPEN),
        SideFilter,
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
                    "ended_because",
                    "need",
                    "offer",
                    "donor",
                    "amount",
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
        (_("Trail"), {"fields": ("run", "created_at")}),
    )
    actions = (
        Verb("approve", _("Approve"), services.approve, may=may_approve, fits=[ProposalStatus.OPEN]),
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
        Verb(
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
            Waiting(40, _("proposals to approve"), rows.filter(status=ProposalStatus.OPEN), "status=open"),
            Waiting(
                50,
                _("proposals waiting for a yes"),
                rows.filter(status=ProposalStatus.APPROVED),
                "status=approved",
            ),
        ]

    def name_of(self, proposal: Proposal) -> str:
        return f"{self.item(proposal)} · {self.donor(proposal)} → {self.hospital(proposal)}"

    @admin.display(description=_("needed"), ordering="need__item")
    def item(self, proposal: Proposal) -> str:
        return str(proposal.need.item)

    @admin.display(description=_("urgency"), ordering="need__urgency")
    def urgency(self, proposal: Proposal) -> str:
        level = proposal.need.urgency
        return format_html(
            '<span class="urgency urgency-{}" title="{}">{}</span>', level, Urgency(level).label, level
        )

    @admin.display(description=_("hospital"), ordering="need__appeal__facility__name")
    def hospital(self, proposal: Proposal) -> str:
        return proposal.need.appeal.facility.name

    @admin.display(description=_("donor"), ordering="offer__donation__organisation__name")
    def donor(self, proposal: Proposal) -> str:
        return proposal.offer.donation.organisation.name

    @admin.display(description=_("goods"), ordering="offer__item")
    def goods(self, proposal: Proposal) -> str:
        standard = proposal.offer.standard
        return f"{proposal.offer.item} ({standard})" if standard else str(proposal.offer.item)

    @admin.display(description=_("quantity"), ordering="quantity")
    def amount(self, proposal: Proposal) -> str:
        return in_units(proposal.need.item, proposal.quantity)

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
        because = proposal.because
        total = because.get("total")
        if not total:
            return "–"
        before, after = (100 * because[key] // total for key in ("filled_before", "filled_after"))
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
        return link_to(proposal.family_run.run)


class StartForm(forms.Form):
    emergency = forms.ModelChoiceField(
        label=_("Emergency"), queryset=Emergency.objects.none(), empty_label=None
    )
    policy = forms.ChoiceField(
        label=_("Policy"), choices=[(name, POLICY_NAMES.get(name, name)) for name in POLICIES]
    )
    is_dry = forms.BooleanField(
        label=_("Dry run"), required=False, help_text=_("Computes and counts; proposes nothing.")
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        emergency = self.fields["emergency"]
        assert isinstance(emergency, forms.ModelChoiceField)
        emergency.queryset = Emergency.objects.going_on().newest_first()


class FamilyRunInline(DeskInline):
    model = FamilyRun
    fields = ("family", "status", "needs", "offers", "proposals", "stale", "units", "attempt", "failure")
    ordering = ("family",)
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[FamilyRun]:
        return super().get_queryset(request).defer("rows", "problem", "plan")


@admin.register(MatchingRun)
class MatchingRunAdmin(DeskAdmin):
    change_list_template = "admin/matching_runs.html"
    list_display = (
        "created_at",
        "emergency",
        "status",
        "trigger",
        "way_of_sharing",
        "is_dry",
        "started_by",
        "finished_at",
    )
    list_filter = (by_status(), "trigger", "is_dry", "emergency")
    list_select_related = ("emergency", "started_by")
    ordering = ("-created_at", "-pk")
    fieldsets = (
        (None, {"fields": ("status", "failure", "emergency", "way_of_sharing", "is_dry", "what_came_of_it")}),
        (
            _("Trail"),
            {"fields": ("trigger", "started_by", "as_of", "created_at", "finished_at", "only", "editions")},
        ),
    )
    inlines = (FamilyRunInline,)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.start_view)
        return [path("start/", view, name="matching_matchingrun_start"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return super().changelist_view(request, {"may_start": may_run(request.user), **(extra_context or {})})

    def start_view(self, request: HttpRequest) -> HttpResponse:
        """The form that starts a run; only a POST starts one."""
        if not may_run(request.user):
            raise PermissionDenied
        form = StartForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                run = services.start(
                    trigger=Trigger.HAND, by=who(request), at=timezone.now(), **form.cleaned_data
                )
            except Refused as refusal:
                self.message_user(request, str(refusal.detail), messages.ERROR)
            else:
                self.message_user(
                    request, gettext("The run has started; reload to see how far it is."), messages.SUCCESS
                )
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
        return str(POLICY_NAMES.get(run.policy, run.policy))

    @admin.display(description=_("result"))
    def what_came_of_it(self, run: MatchingRun) -> str:
        """Counts, the fill by urgency, and what keeps needs short."""
        result = services.summary(run)
        counts = [
            (gettext("needs"), result["needs"]),
            (gettext("offers"), result["offers"]),
            (gettext("proposals"), result["proposals"]),
            (gettext("units proposed"), f"{result['units']:,}"),
            (gettext("left out, changed meanwhile"), result["stale"]),
            (gettext("families failed"), result["failed"]),
            (gettext("seconds"), round(sum(result["seconds"].values()), 1)),
        ]
        heads = (
            gettext("urgency"),
            gettext("needs"),
            gettext("wanted"),
            gettext("proposed"),
            gettext("filled before"),
            gettext("filled after"),
        )
        rows = [
            (
                Urgency(int(level)).label,
                total["needs"],
                f"{total['wanted']:,}",
                f"{total['proposed']:,}",
                percent(total["fill_before"]),
                percent(total["fill_after"]),
            )
            for level, total in result["by_urgency"].items()
        ]
        return format_html(
            '<p class="counts">{}</p>{}{}',
            format_html_join(" · ", "{} <b>{}</b>", counts),
            table(heads, rows),
            table((gettext("why needs stay short"), gettext("needs")), shortfalls(result["shortfalls"])),
        )


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


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
