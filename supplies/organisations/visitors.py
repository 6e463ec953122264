"""Who visits a page: leading strangers to sign in, those who need a second factor to it, and whoever does something grave to
prove once more who she is; and keeping what they had typed meanwhile."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from allauth.account.authentication import get_authentication_records
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django_htmx.middleware import HtmxDetails

from supplies.organisations.models import User


class SignedIn(HttpRequest):
    """What a view behind `signed_in` is given."""

    user: User
    htmx: HtmxDetails


View = Callable[..., HttpResponse]
UNSENT = "unsent"
LONGEST_KEPT = 100_000  # characters of one form that wait in a session
CSRF = "csrfmiddlewaretoken"
NEVER_KEPT = ("contact_", "password", "oldpassword", "code")


def signed_in(view: View) -> View:
    """Lead a stranger to sign in or up first. What was typed meanwhile waits in the session, telephone apart."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        keep_unsent(request)
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")

    return inner


def has_used_second_factor(request: HttpRequest) -> bool:
    """Whether the person has proven more than her password in this session."""
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "mfa" for record in records)


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether this session may do nothing until the second factor is set up and used."""
    user = request.user
    return isinstance(user, User) and not has_used_second_factor(request) and user.needs_second_factor


def has_confirmed(request: HttpRequest) -> bool:
    """Whether the person has proven who she is a short while ago, by signing in or at confirm/."""
    records = get_authentication_records(request, request.user)
    return bool(records) and time.time() - records[-1]["at"] < settings.CONFIRMED_FOR.total_seconds()


def lead_to_confirm(request: HttpRequest, *, back: str = "") -> HttpResponse:
    """To the page where one proves it, and from there back: to this page, unless told otherwise."""
    return redirect(f"{reverse('confirm')}?{urlencode({'next': back or request.get_full_path()})}")


def confirmed(view: View) -> View:
    """For what is grave: keys, second factors, addresses. A session left open on a ward is not enough."""

    @signed_in
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if has_confirmed(request):
            return view(request, *args, **kwargs)
        keep_unsent(request)
        return lead_to_confirm(request)

    return inner


def is_own_page(request: HttpRequest, address: str) -> bool:
    """Whether somebody may be led to what a request says is next: a path of this site. A bare word would be taken for the
    name of a route, which it hardly ever is.
    """
    own = url_has_allowed_host_and_scheme(address, {request.get_host()}, request.is_secure())
    return own and address.startswith("/")


def keep_unsent(request: HttpRequest) -> None:
    """What was typed into a form waits in the session until the page is opened again, passwords and telephone apart."""
    if request.method != "POST":
        return
    typed = request.POST.copy()
    typed.pop(CSRF, None)
    left_out = [name for name in typed if name.startswith(NEVER_KEPT)]
    for name in left_out:
        del typed[name]
    text = typed.urlencode()
    if len(text) <= LONGEST_KEPT:
        is_whole = not left_out and not request.FILES
        kept = {"path": request.path, "typed": text, "is_whole": is_whole, "page": page_before(request)}
        request.session[UNSENT] = kept


def page_before(request: HttpRequest) -> str:
    """The page of ours that somebody comes from, as far as her browser says so."""
    address = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(address, {request.get_host()}, request.is_secure()):
        return ""
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@dataclass(frozen=True)
class Press:
    """A button that was pressed by somebody who was not signed in any more.

    typed   what to send for it now; None where not all of it was kept
    page    where the button stands
    """

    typed: list[tuple[str, str]] | None = None
    page: str = ""

    @classmethod
    def unsent(cls, request: HttpRequest) -> "Press":
        """The one at this address, if that is what waits in the session; it waits on until something else does."""
        kept = request.session.get(UNSENT) or {}
        if kept.get("path") != request.path:
            return cls(page=page_before(request))
        typed = parse_qsl(kept["typed"], keep_blank_values=True) if kept.get("is_whole") else None
        return cls(typed, kept.get("page", ""))


def unsent(request: HttpRequest, *, is_told: bool = True) -> QueryDict | None:
    """What was typed into this page before signing in; handed out once, and said to be there unless the page does so."""
    kept = request.session.get(UNSENT)
    if request.method != "GET" or not kept or kept["path"] != request.path:
        return None
    del request.session[UNSENT]
    if is_told:
        messages.info(request, _("Here is what you typed. Check it and send it."))
    return QueryDict(kept["typed"])


def private(response: HttpResponse) -> HttpResponse:
    """A page whose address is a key: nothing keeps it, and no other site is told of it.

    As on every page (SECURE_REFERRER_POLICY) our own site is: a browser that tells nobody sends forms without their origin,
    and those are refused.
    """
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Cache-Control"] = "private, no-store"
    return response
