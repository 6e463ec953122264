"""What every request passes through: text that can be stored, and the reader's language."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.defaults import bad_request

LARGEST = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
Handler = Callable[[HttpRequest], HttpResponse]


class RefuseUnreadableText:
    """What no view could read is answered before any view sees it.

    PostgreSQL cannot store NUL, in an address or a quoted cookie; a form in another encoding than UTF-8 decodes to text
    that cannot be stored, or not at all; and a body with files is read only as far as its route says that it takes any.
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
        if request.content_type == "multipart/form-data" and _length(request) > largest_for(request):
            return _too_large(request)
        return self.get_response(request)


def largest_for(request: HttpRequest) -> int:
    """How many bytes a body with files may have: what the view at this address has declared, which most do not."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return LARGEST
    return int(getattr(view, "largest_body", LARGEST))


def _too_large(request: HttpRequest) -> HttpResponse:
    if not request.path.startswith("/api/"):
        with translation.override(translation.get_language_from_request(request)):
            return render(request, "413.html", status=413)
    return JsonResponse({"code": "too-large", "detail": _("This is larger than can be read.")}, status=413)


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
