"""Pages of privacy: how to reach a site or the other side of a match, one's own data, and what is kept how long."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from supplies.allocations.models import Allocation
from supplies.errors import NotYours, Refused, TooMany
from supplies.organisations.contacts import Contact
from supplies.organisations.models import Facility
from supplies.organisations.permissions import acts_for, may_read_dock, may_watch
from supplies.organisations.visitors import SignedIn, signed_in
from supplies.privacy import register, services
from supplies.privacy.forms import EraseForm, RevealForm
from supplies.privacy.models import Reveal
from supplies.privacy.permissions import reachable
from supplies.privacy.reaching import HandOver, of_allocation

MOST_SHOWN = 100


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "private, no-store"
    return response


@signed_in
@require_safe
def facility(request: SignedIn, pk: UUID) -> HttpResponse:
    """A site: where it lies, and for those signed in its dock and its number, masked."""
    sites = Facility.objects.visible_to(request.user).select_related("organisation", "region__parent__parent")
    site = get_object_or_404(sites, pk=pk)
    is_insider = acts_for(request.user, site.organisation) or may_watch(request.user)
    context = {
        "facility": site,
        "may_read_dock": may_read_dock(request.user, site, is_insider=is_insider),
    }
    return _private(render(request, "privacy/facility.html", context))


@signed_in
@require_safe
def promise(request: SignedIn, pk: UUID) -> HttpResponse:
    """One agreed match for its two sides: how to reach the other, and where to bring the goods."""
    rows = Allocation.objects.visible_to(request.user).with_sides()
    allocation = get_object_or_404(rows, pk=pk)
    context = {
        "allocation": allocation,
        "contacts": of_allocation(request.user, allocation, at=timezone.now()),
        "places": [HandOver.of(allocation.need.appeal)],
    }
    return _private(render(request, "privacy/promise.html", context))


@signed_in
@require_POST
def reveal(request: SignedIn, pk: UUID) -> HttpResponse:
    """Show a contact this once, in the answer itself, which nobody keeps."""
    rows = reachable(Contact.objects.all(), request.user, at=timezone.now())
    contact = get_object_or_404(rows.select_related("organisation"), pk=pk)
    form = RevealForm(request.POST, user=request.user)
    refusal, shown, status = "", None, 200
    if not form.is_valid():
        refusal, status = _("Say what you need the number for; it is written down."), 400
    else:
        try:
            shown = services.reveal(contact, by=request.user, at=timezone.now(), **form.asked)
        except TooMany as too_many:
            refusal, status = str(too_many.detail), 429
        except Refused as refused:
            refusal, status = str(refused.detail), 403 if isinstance(refused, NotYours) else 409
    context = {"contact": contact, "shown": shown, "refusal": refusal}
    return _private(render(request, "privacy/shown.html", context, status=status))


# -- One's own data ---------------------------------------------------------------------------------------


@signed_in
@require_safe
def my_data(request: SignedIn) -> HttpResponse:
    """What is kept about the person, who was shown her numbers, a copy of it all, and the way out."""
    return _private(_my_data(request, EraseForm()))


def _my_data(request: SignedIn, form: EraseForm) -> HttpResponse:
    user = request.user
    context = {
        "form": form,
        "entered": Contact.objects.filter(entered_by=user)
        .select_related("organisation")
        .order_by("pk")[:MOST_SHOWN],
        "reveals": Reveal.objects.visible_to(user).with_sides().newest_first()[:MOST_SHOWN],
        "memberships": user.memberships.select_related("organisation").order_by("pk"),
    }
    return render(request, "privacy/my_data.html", context, status=400 if form.errors else 200)


@signed_in
@require_POST
def download(request: SignedIn) -> HttpResponse:
    """A copy of all that is kept about her, for a program or a person to read."""
    copy = services.copy_of(request.user, at=timezone.now())
    response = JsonResponse(copy, json_dumps_params={"ensure_ascii": False, "indent": 1})
    response["Content-Disposition"] = 'attachment; filename="tongzhou-my-data.json"'
    return _private(response)


@signed_in
@require_POST
def erase_me(request: SignedIn) -> HttpResponse:
    form = EraseForm(request.POST)
    if not form.is_valid():
        return _private(_my_data(request, form))
    try:
        services.erase_account(request.user, by=request.user, at=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal.detail))
        return redirect("my-data")
    logout(request)
    messages.success(
        request, _("You are erased. What you posted for a hospital stays the hospital's, without you.")
    )
    return redirect("home")


# -- What is kept how long --------------------------------------------------------------------------------


@require_safe
def notice(request: HttpRequest) -> HttpResponse:
    """In plain words, from the register: what is kept, what for, who sees it and how long."""
    context: dict[str, Any] = {
        "groups": register.by_class(),
        "reveals_a_day": settings.REVEALS_A_DAY,
    }
    return render(request, "privacy/notice.html", context)
