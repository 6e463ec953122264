"""Pages of correcting: say without an account what is wrong, follow it by its code, and decide what is said of one's own."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from supplies.change_requests import services
from supplies.change_requests.forms import RefusalForm, ReportForm, RightNumberForm
from supplies.change_requests.models import ChangeRequest, Report, What, Wrong
from supplies.change_requests.permissions import may_decide
from supplies.errors import Refused
from supplies.free_text import told_of
from supplies.needs.models import Appeal, Need
from supplies.organisations.models import Facility, Organisation
from supplies.organisations.visitors import SignedIn, private, signed_in

DECIDED_SHOWN = 20
REPORTED = "reported"  # in the session: the keys of what this browser reported, so that one press too many says it once
REPORTS_REMEMBERED = 50


def subjects(what: What, user: Any) -> Any:
    """The rows of this kind that somebody sees, and so may find wrong."""
    if what == What.NEED:
        rows = Need.objects.visible_to(user)
        return rows.select_related(
            "item__display_unit", "appeal__facility__organisation", "appeal__facility__region"
        )
    if what == What.APPEAL:
        return Appeal.objects.visible_to(user).select_related("facility__organisation", "facility__region")
    if what == What.FACILITY:
        return Facility.objects.visible_to(user).select_related("organisation", "region")
    return Organisation.objects.visible_to(user).select_related("region")


@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest, what: str, pk: UUID) -> HttpResponse:
    """Something is wrong: anybody may say so, and nobody is asked who she is."""
    if what not in What.values:
        raise Http404
    subject = get_object_or_404(subjects(What(what), request.user), pk=pk)
    typed = request.POST if request.method == "POST" else None
    form = ReportForm(typed, what=What(what), subject=subject)
    if typed is not None and form.is_valid() and (made := _reported(request, form)):
        return private(redirect("reported", made.code))
    context = {"form": form, "what": what, "subject": subject, "page": _page_of(subject, request.user)}
    return render(request, "change_requests/report.html", context)


def _reported(request: HttpRequest, form: ReportForm) -> Report | None:
    """Keep the report, or say beside its field what is wrong with it."""
    by, at = request.user if request.user.is_authenticated else None, timezone.now()
    before = request.session.get(REPORTED, [])
    try:
        made = services.report(form.subject, by=by, at=at, said_before=before, **form.cleaned_data)
    except ValidationError as fault:
        for field, sentences in fault.message_dict.items():
            name = "amount" if field == "quantity" else field
            for sentence in sentences:
                form.add_error(name if name in form.fields else None, sentence)
    except Refused as refusal:
        form.add_error(None, str(refusal.detail))
    else:
        if made.at == at:
            request.session[REPORTED] = [*before, str(made.pk)][-REPORTS_REMEMBERED:]
            messages.success(request, _("Thank you, we have received it."))
            for sentence in told_of(form):
                messages.warning(request, sentence)
        else:
            messages.info(
                request, _("You have said this already. To say it otherwise, take this report back first.")
            )
        return made
    return None


def _page_of(subject: Any, user: Any) -> str:
    """Where it is shown to this reader; empty where it no longer is."""
    if isinstance(subject, Need):
        subject = subject.appeal
    elif isinstance(subject, Facility):
        subject = subject.organisation
    what = What(subject._meta.model_name)
    is_shown = subjects(what, user).filter(pk=subject.pk).exists()
    return reverse(what.value, args=[subject.pk]) if is_shown else ""


@require_safe
def reported(request: HttpRequest, code: str) -> HttpResponse:
    """What became of a report. The code is the key, so nothing may pass it on."""
    found = _coded(code)
    subject = found.change_request.subject
    context = {
        "report": found,
        "request_made": found.change_request,
        "subject": subject,
        "page": _page_of(subject, request.user),
    }
    return private(render(request, "change_requests/reported.html", context))


@require_POST
def take_back(request: HttpRequest, code: str) -> HttpResponse:
    try:
        services.take_back(_coded(code), at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
    else:
        messages.success(request, _("You have taken it back. Nothing changes because of it."))
    return private(redirect("reported", code))


def _coded(code: str) -> Report:
    return get_object_or_404(Report.objects.with_subject(), code=code.lower())


# -- Deciding ---------------------------------------------------------------------------------------------


@signed_in
@require_safe
def change_requests(request: SignedIn) -> HttpResponse:
    """What is said of one's own hospitals, the oldest first, each with yes and no; and what was decided."""
    rows = ChangeRequest.objects.visible_to(request.user).with_subject().prefetch_related("reports")
    mine = rows.filter(organisation__in=Organisation.objects.of(request.user))
    context = {
        "waiting": [(row, _asked(row, None)) for row in mine.open().oldest_first()],
        "decided": mine.exclude(status="open").newest_first()[:DECIDED_SHOWN],
        "refusal_form": RefusalForm(auto_id=False),
    }
    return render(request, "change_requests/mine.html", context)


def _asked(row: ChangeRequest, typed: QueryDict | None) -> RightNumberForm | None:
    """What has to be said besides yes."""
    if row.kind != Wrong.WRONG_TELEPHONE:
        return None
    return RightNumberForm(typed, about=row, auto_id=f"id_{row.pk}_%s")


@signed_in
@require_POST
def accept(request: SignedIn, pk: UUID) -> HttpResponse:
    form = _asked(_to_decide(request, pk), request.POST)
    if form is not None and not form.is_valid():
        messages.error(request, " ".join(str(sentence) for each in form.errors.values() for sentence in each))
        return redirect("change-requests")
    answers = form.cleaned_data if form else {}
    return _decide(
        request, pk, services.accept, answers, _("Done. Whoever reported it reads that it was so.")
    )


@signed_in
@require_POST
def decline(request: SignedIn, pk: UUID) -> HttpResponse:
    form = RefusalForm(request.POST)
    if not form.is_valid():
        _to_decide(request, pk)
        messages.error(request, _("Say why; whoever reported it reads this."))
        return redirect("change-requests")
    thanks = _("Done. It stays as it is, and whoever reported it reads why.")
    return _decide(request, pk, services.decline, form.cleaned_data, thanks)


def _to_decide(request: SignedIn, pk: UUID) -> ChangeRequest:
    rows = ChangeRequest.objects.visible_to(request.user).with_subject()
    row = get_object_or_404(rows, pk=pk)
    if not may_decide(request.user, row):
        raise PermissionDenied(services.NOT_YOURS)
    return row


def _decide(request: SignedIn, pk: UUID, verb: Any, answers: dict[str, Any], thanks: str) -> HttpResponse:
    row = _to_decide(request, pk)
    try:
        verb(row, by=request.user, at=timezone.now(), **answers)
    except (Refused, ValidationError) as refusal:
        why = refusal.detail if isinstance(refusal, Refused) else " ".join(refusal.messages)
        messages.error(request, str(why))
    else:
        messages.success(request, thanks)
    return redirect("change-requests")
