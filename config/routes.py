"""Which route a request is for, asked before any view: sizes, limits, caching and the log go by its name.

The name says what is done and never to what: an address holds ids and tracking codes, which belong in no log.
"""

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve

STATIC, NOWHERE = "static", "nowhere"


def route_of(request: HttpRequest) -> ResolverMatch | None:
    """The route an address leads to; None for a static file and for an address that leads nowhere."""
    known: tuple[str, ResolverMatch | None] | None = getattr(request, "_route", None)
    if known is None or known[0] != request.path_info:
        known = request.path_info, _resolved(request)
        request._route = known  # type: ignore[attr-defined]
    return known[1]


def name_of(request: HttpRequest) -> str:
    """The route's name with its namespace, as "needs" or "admin:supplies_need_changelist"."""
    route = route_of(request)
    if route is not None:
        return route.view_name
    return STATIC if request.path_info.startswith(settings.STATIC_URL) else NOWHERE


def _resolved(request: HttpRequest) -> ResolverMatch | None:
    try:
        return resolve(request.path_info, getattr(request, "urlconf", None))
    except Resolver404:
        return None
