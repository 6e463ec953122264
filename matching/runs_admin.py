"""Runs at the desk: what each came to beside the one before, and the forms that start and undo one."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from matching import services
from matching.desk_forms import StartForm, UndoForm
from matching.models import FamilyRun, MatchingPolicy, MatchingRun, RunStatus, Trigger
from matching.permissions import may_run, may_undo
from matching.progress import progress_of
from matching.results import answers, changes, declined, foreseen, results, run_before
from matching.sentences import shortfalls, why_ended
from supplies.errors import Refused
from supplies.leaks import masked
from supplies.needs.models import Urgency
from supplies.organisations.desk import DeskAdmin, DeskInline, Verb, by_status, change_url, in_units, who
from supplies.organisations.progress import LongWork, Progress

DECLINED_SHOWN = 30
FIGURES: dict[Any, Any] = {
    "needs": _("needs"),
    "offers": _("offers"),
    "proposals": _("proposals"),
    "units": _("units proposed"),
}


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
