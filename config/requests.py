"""What every request passes through: text that can be stored, the reader's language, and who may go on at all."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.defaults import bad_request

from supplies.accounts.sessions import has_run_out, note_seen
from supplies.organisations.models import User
from supplies.organisations.visitors import keep_unsent, lacks_second_factor

LARGEST = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
Handler = Callable[[HttpRequest], HttpResponse]


class RefuseUnreadableText:
    """What no view could read is answered before any view sees it.

    PostgreSQL cannot store NUL, in an address or a quoted cookie; a form in another encoding than UTF-8 decodes to text
    that cannot be stored, or not at all; and no page takes files, which Django would write to the disk without a limit.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        query = request.META.get("QUERY_STRING", "")
        if "\x00" in request.path or "%00" in query or "\x00" in query:
            if not request.path.startswith("/api/"):
                return bad_request(request, SuspiciousOperation("NUL in the address"))
            return JsonResponse(
                {"code": "invalid", "detail": _("The address holds a character that cannot be read (NUL).")},
                status=400,
            )
        if any("\x00" in value for value in request.COOKIES.values()) or not _is_utf8(request):
            return JsonResponse({"code": "invalid", "detail": _("This request cannot be read.")}, status=400)
        if request.content_type == "multipart/form-data" and _length(request) > LARGEST:
            return JsonResponse(
                {"code": "too-large", "detail": _("This is larger than can be read.")}, status=413
            )
        return self.get_response(request)


def _is_utf8(request: HttpRequest) -> bool:
    charset = (request.content_params or {}).get("charset", "utf-8")
    return charset.lower().replace("_", "-") in ("utf-8", "utf8", "us-ascii")


def _length(request: HttpRequest) -> int:
    length = request.META.get("CONTENT_LENGTH") or "0"
    return int(length) if length.isdigit() else 0


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
        known = dict(settings.LANGUAGES)
        cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if request.user.is_authenticated and getattr(request.user, "language", "") in known:
            return str(request.user.language)
        if cookie in known:
            return cookie
        return (
            translation.get_language_from_request(request)
            if request.headers.get("Accept-Language")
            else settings.LANGUAGE_CODE
        )


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


FOR_PROGRAMS = re.compile(r"/api/v\d+/")
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
            FOR_PROGRAMS.match(request.path_info)
            or match.view_name in BEFORE_SECOND_FACTOR
            or not lacks_second_factor(request)
        ):
            return None
        keep_unsent(request)
        return redirect(f"{reverse('second-factor')}?{urlencode({'next': request.get_full_path()})}")
