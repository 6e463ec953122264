"""Long forms that lose nothing: what was typed is kept as a draft while it is typed, and stands there again."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from supplies.accounts import drafts
from supplies.accounts.models import Draft
from supplies.organisations.visitors import SignedIn

BUTTONS = {"keep", "forget"}
NOT_TYPED = ("keep", "add", "find", "look", "more")  # buttons of such forms


def is_kept_or_forgotten(request: SignedIn) -> bool:
    return request.method == "POST" and bool(BUTTONS & set(request.POST))


def keep_or_forget(request: SignedIn, *, page: str, leads_to: str, at: datetime) -> HttpResponse:
    """Not sent yet, and not lost: typed so far, kept while the form is filled in; or dropped because it is not wanted.

    page      the address of the form
    leads_to  the page one goes on to, having kept it by pressing the button
    """
    if "forget" in request.POST:
        drafts.drop(page=page, by=request.user)
        return redirect(page)
    kept = drafts.keep(_worth_keeping(request.POST), page=page, by=request.user, at=at)
    if request.headers.get("HX-Request"):
        return render(request, "_kept.html", {"kept": kept})
    if kept:
        messages.success(request, _("Kept for a week. It goes on where you left it, on any device."))
    return redirect(leads_to)


def _worth_keeping(typed: QueryDict) -> QueryDict:
    fields = typed.copy()
    for name in NOT_TYPED:
        fields.pop(name, None)
    return fields


def once_more(typed: QueryDict | None, kept: Draft | None) -> QueryDict | None:
    """What was typed last: of a form that did not get through, else of the draft. How to reach her is in the draft alone."""
    if typed is None:
        return drafts.fields_of(kept) if kept else None
    if kept is not None:
        typed = typed.copy()
        for name, values in drafts.fields_of(kept).lists():
            if name.startswith("contact_") and name not in typed:
                typed.setlist(name, values)
    return typed
