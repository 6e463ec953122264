"""Who visits a page: leading strangers to sign in, and keeping what they had typed meanwhile."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from supplies.organisations.models import User


class SignedIn(HttpRequest):
    """What a view behind `signed_in` is given."""

    user: User


View = Callable[..., HttpResponse]
UNSENT = "unsent"
LONGEST_KEPT = 100_000  # characters of one form that wait in a session


def signed_in(view: View) -> View:
    """Lead a stranger to sign in or up first. What was typed meanwhile waits in the session, telephone apart."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.method == "POST":
            _keep_unsent(request)
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': request.get_full_path()})}")

    return inner


def _keep_unsent(request: HttpRequest) -> None:
    typed = request.POST.copy()
    for name in [name for name in typed if name.startswith(("contact_", "csrf", "password"))]:
        del typed[name]
    text = typed.urlencode()
    if len(text) <= LONGEST_KEPT:
        request.session[UNSENT] = {"path": request.path, "typed": text}


def unsent(request: HttpRequest) -> QueryDict | None:
    """What was typed into this page before signing in; handed out once."""
    kept = request.session.get(UNSENT)
    if request.method != "GET" or not kept or kept["path"] != request.path:
        return None
    del request.session[UNSENT]
    messages.info(request, _("Here is what you typed. Look it over and send it."))
    return QueryDict(kept["typed"])
