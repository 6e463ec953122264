"""What every request passes through: a queue that is short enough, a size that can be read, text that can be stored,
the reader's language, and who may go on at all."""

import re
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _

from config import queue
from config.mishaps import (
    BUSY,
    NOT_DONE,
    RETRY_AFTER,
    TOO_LARGE,
    UNREADABLE,
    browser_language,
    is_for_programs,
    mishap,
    problem,
)
from config.routes import route_of
from supplies.accounts.sessions import has_run_out, note_seen
from supplies.attachments.inspection import WHY
from supplies.attachments.models import MOST_BYTES
from supplies.attachments.uploads import ROOM_FOR_THE_FORM
from supplies.organisations.models import User
from supplies.organisations.visitors import Press, keep_unsent, lacks_second_factor

FOR_PEOPLE = frozenset(
    {"GET", "HEAD", "POST"}
)  # what pages are asked with; Django's views answer any other like GET
FOR_PROGRAMS = FOR_PEOPLE | {"PUT", "PATCH", "DELETE", "OPTIONS"}
PIECE = 65_536  # bytes of a body of unknown length that are read at once
MOST_HELD = MOST_BYTES + ROOM_FOR_THE_FORM  # of such a body, since all of it is held
LONGEST_LENGTH = 15  # digits
STARTED = re.compile(r"(?:t=)?(\d{10}(?:\.\d{1,6})?)", re.ASCII)
Handler = Callable[[HttpRequest], HttpResponse]


class ShedLoad:
    """Refuses what has waited too long before it got here: whoever asked has given up, and others still wait.

    The web worker knows its own queue. Our own proxy says when a request reached it (`X-Request-Start: t=seconds`, as
    nginx's "t=${msec}"); without one of our own in front nobody is believed.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_probe = request.path_info.startswith("/health/")  # a site that is busy is alive
        if has_waited_too_long(request) and not is_probe:
            return mishap(request, 503, "busy", BUSY, retry_after=RETRY_AFTER)
        return self.get_response(request)


def has_waited_too_long(request: HttpRequest) -> bool:
    """For a thread, or since our proxy had it: for that longer is allowed, since clocks differ between machines."""
    if queue.waited() > settings.SHED_AFTER_SECONDS:
        return True
    since_proxy = since_our_proxy(request) if settings.TRUSTED_PROXIES else 0.0
    return since_proxy > settings.SHED_PROXIED_AFTER_SECONDS


def since_our_proxy(request: HttpRequest) -> float:
    """Seconds since our proxy had the request; 0 where it says nothing."""
    found = STARTED.fullmatch(request.headers.get("X-Request-Start", ""))
    return time.time() - float(found[1]) if found else 0.0


class RefuseTooLarge:
    """A request over the limit is refused before its body is read, on every route.

    The limit is settings.DATA_UPLOAD_MAX_MEMORY_SIZE bytes. A view that takes more says so: `view.largest_body = 5_500_000`.
    A body without a length (chunked) is read here, up to the limit and never more than one file; Django by itself would
    take it for empty.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or ""
        if length and not (length.isascii() and length.isdigit()):
            return mishap(request, 400, "invalid", UNREADABLE)
        most = largest_body(request)
        if length and (len(length) > LONGEST_LENGTH or int(length) > most):
            return too_large(request)
        if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
            try:
                body = _read(request.META["wsgi.input"], min(most, MOST_HELD))
            except Exception:  # the server's own kinds, for a chunk that is none or a connection that ended
                return mishap(request, 400, "invalid", UNREADABLE)
            if body is None:
                return too_large(request)
            request.META["CONTENT_LENGTH"] = str(len(body))
            request._stream = BytesIO(body)  # type: ignore[attr-defined]
        return self.get_response(request)


def largest_body(request: HttpRequest) -> int:
    """How many bytes the route of this request reads at most."""
    route = route_of(request)
    return int(getattr(route.func if route else None, "largest_body", settings.DATA_UPLOAD_MAX_MEMORY_SIZE))


def too_large(request: HttpRequest) -> HttpResponse:
    """A program that sent a file is told in which field, and how large one may be."""
    route = route_of(request)
    field = getattr(route.func if route else None, "file_field", "")
    sentence = WHY["too-large"] if field else TOO_LARGE
    return mishap(request, 413, "too-large", sentence, fields={field: [sentence]} if field else None)


def _read(stream: Any, most: int) -> bytes | None:
    """All of the stream; None as soon as it turns out to be longer than `most`."""
    body = bytearray()
    while piece := stream.read(min(PIECE, most + 1 - len(body))):
        body += piece
        if len(body) > most:
            return None
    return bytes(body)


class RefuseUnreadableText:
    """What no view could read is answered before any view sees it.

    PostgreSQL cannot store NUL, in an address or a quoted cookie; a form in another encoding than UTF-8 decodes to text
    that cannot be stored, or not at all; and a method nobody knows would pass for a GET.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        methods = FOR_PROGRAMS if is_for_programs(request) else FOR_PEOPLE
        if request.method not in methods:
            refused = (
                problem(405, "method-not-allowed", str(NOT_DONE))
                if is_for_programs(request)
                else mishap(request, 405, "method-not-allowed", NOT_DONE)
            )
            refused["Allow"] = ", ".join(sorted(methods))
            return refused
        query = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path or "%00" in query or "\x00" in query:
            detail = _("The address holds a character that cannot be read (NUL).")
            return mishap(request, 400, "invalid", detail)
        if any("\x00" in value for value in request.COOKIES.values()) or not _is_utf8(request):
            return mishap(request, 400, "invalid", UNREADABLE)
        return self.get_response(request)


def _is_utf8(request: HttpRequest) -> bool:
    charset = (request.content_params or {}).get("charset", "utf-8")
    return charset.lower().replace("_", "-") in ("utf-8", "utf8", "us-ascii")


class ChooseLanguage:
    """The language of a page: the account's, else the cookie's, else the browser's, else Chinese."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = self.language_of(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response.headers.setdefault("Content-Language", language)
        return response

    @staticmethod
    def language_of(request: HttpRequest) -> str:
        if request.user.is_authenticated and getattr(request.user, "language", "") in dict(
            settings.LANGUAGES
        ):
            return str(request.user.language)
        return browser_language(request)


class EndStaleSessions:
    """A session that was left alone, or has gone on for too long, is nobody's any more."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user, at = request.user, timezone.now()
        if isinstance(user, User):
            if has_run_out(request.session, user, at=at):
                logout(request)
                if not request.path_info.startswith("/api/"):
                    messages.info(request, _("You were signed out after a while. Please sign in again."))
            else:
                note_seen(request.session, at=at)
        return self.get_response(request)


class SayNothingWasDone:
    """Who opens an address that is there for a button alone is told so, and can press the button.

    That is where signing in leads whoever pressed it after her session had ended.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code != 405 or response.content or is_for_programs(request):
            return response
        press = Press.unsent(request)
        shown = {
            "typed": press.typed,
            "page": press.page,
            "path": request.path,
            "csrf_token": get_token(request),
        }
        told = mishap(request, 405, "method-not-allowed", NOT_DONE, shown=shown)
        told["Allow"] = response["Allow"]
        return told


WITH_KEYS = re.compile(r"/api/v\d+/")  # where programs come with keys of their own
# The pages one can reach without the second factor one needs: those that lead to it, and out.
BEFORE_SECOND_FACTOR = {"second-factor", "set-up-second-factor", "confirm", "sign-out", "language"}


class RequireSecondFactor:
    """Where a second factor is needed, every page leads to it until it was used in this session.

    The API asks the same of sessions in its own authentication (supplies/organisations/tokens.py), since a program's key
    needs none.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: Any) -> HttpResponse | None:
        match = request.resolver_match
        assert match is not None
        if (
            WITH_KEYS.match(request.path_info)
            or match.view_name in BEFORE_SECOND_FACTOR
            or not lacks_second_factor(request)
        ):
            return None
        keep_unsent(request)
        return redirect(f"{reverse('second-factor')}?{urlencode({'next': request.get_full_path()})}")
