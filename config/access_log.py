"""One line a request: what was asked of which route, by whom as far as the log may know, and what became of it."""

import re
import time
from uuid import uuid4

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from structlog.contextvars import bound_contextvars

from config import metrics
from config.clients import pseudonym_of
from config.requests import FOR_PROGRAMS, Handler
from config.routes import STATIC, name_of, route_of

log = structlog.get_logger("config.requests")
security = structlog.get_logger("security")
QUIET = frozenset({STATIC, "health-live", "health-ready", "metrics"})
GIVEN_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)


class AccessLog:
    """Outermost of all: gives the request its id, and writes its line when everything else is done with it.

    Neither the address nor the query is written, which hold tracking codes and what people searched for.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        request_id, route = id_of(request), name_of(request)
        with bound_contextvars(request_id=request_id, route=route, client=pseudonym_of(request)):
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            write(request, response, route, time.perf_counter() - began)
            response._has_been_logged = True  # type: ignore[attr-defined]  # else Django writes a line of its own for an error
        return response


def id_of(request: HttpRequest) -> str:
    """The id our own proxy has given the request, else one of ours."""
    given = request.headers.get("X-Request-ID", "")
    return given if settings.TRUSTED_PROXIES and GIVEN_ID.fullmatch(given) else uuid4().hex


def write(request: HttpRequest, response: HttpResponse, route: str, seconds: float) -> None:
    method = request.method if request.method in FOR_PROGRAMS else "other"
    status, account = response.status_code, account_of(request)
    metrics.REQUESTS.labels(method, route, status).inc()
    metrics.SECONDS.labels(route).observe(seconds)
    if is_denial(request, status):
        security.warning("denied", method=method, status=status, account=account)
    say = log.debug if route in QUIET and status < 400 else log.info
    say("request", method=method, status=status, ms=round(seconds * 1000), account=account)


def is_denial(request: HttpRequest, status: int) -> bool:
    """Not signed in, not allowed, or no such row for this person: who tries many of them should be seen."""
    route = route_of(request)
    return status in (401, 403) or (status == 404 and route is not None and bool(route.kwargs))


def account_of(request: HttpRequest) -> int | None:
    """The account's id, if anybody has asked who it is: the log itself asks the database nothing."""
    user = vars(request).get("user")
    if isinstance(user, SimpleLazyObject):
        user = getattr(request, "_cached_user", None)
    return getattr(user, "pk", None)
