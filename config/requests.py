"""What every request passes through: text that can be stored, and the reader's language."""

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.defaults import bad_request

Handler = Callable[[HttpRequest], HttpResponse]


class RefuseUnreadableText:
    """PostgreSQL cannot store NUL: a path or query that holds one is answered 400 before any view sees it."""

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
        return self.get_response(request)


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
