"""What is answered instead of a view: JSON under /api/, a page elsewhere, in the reader's language."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TOO_LARGE = _("This is larger than can be read. Send less at once.")
UNREADABLE = _("This request cannot be read.")
NOT_YOURS = _("You may not do this.")
NOT_HERE = _("There is nothing here that you can see.")
NOT_DONE = _("This is not done here.")
BUSY = _("The site is busy just now. Please try again in a moment.")
LONG = 90  # seconds; what takes longer is told in minutes
RETRY_AFTER = 2  # seconds; a lock is waited for five
BROKEN = _("Something went wrong here. It has been written down; please try again later.")


def mishap(
    request: HttpRequest,
    status: int,
    code: str,
    detail: "str | Promise",
    *,
    retry_after: int | None = None,
    fields: "Mapping[str, Sequence[str | Promise]] | None" = None,
    shown: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The answer with this status. `code` and `detail` are for programs; people get the page of the status.

    retry_after  seconds after which it is worth trying again
    fields       what is wrong, under the field it is in; for programs
    shown        what the page says besides
    """
    with _language_of(request):
        response = (
            problem(status, code, str(detail), fields)
            if is_for_programs(request)
            else _page(status, retry_after, shown or {})
        )
    if retry_after is not None:
        response["Retry-After"] = str(retry_after)
    return response


def problem(
    status: int, code: str, detail: str, fields: "Mapping[str, Sequence[str | Promise]] | None" = None
) -> JsonResponse:
    body: dict[str, Any] = {"code": code, "detail": detail}
    if fields:
        body["fields"] = {name: [str(one) for one in sentences] for name, sentences in fields.items()}
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})


def is_for_programs(request: HttpRequest) -> bool:
    return request.path_info.startswith(("/api/", "/fhir/", "/hooks/"))


def _page(status: int, retry_after: int | None, shown: Mapping[str, Any]) -> HttpResponse:
    seconds = retry_after or 1
    waiting = {"seconds": seconds, "minutes": ceil(seconds / 60) if seconds > LONG else None}
    return HttpResponse(loader.render_to_string(f"{status}.html", {**waiting, **shown}), status=status)


def _language_of(request: HttpRequest) -> AbstractContextManager[None]:
    """Before the reader's language is known, the one her browser asks for: a thread still speaks its last reader's."""
    return (
        nullcontext()
        if hasattr(request, "LANGUAGE_CODE")
        else translation.override(browser_language(request))
    )


def browser_language(request: HttpRequest) -> str:
    """The language of whoever has no account: the cookie's, else the browser's, else Chinese."""
    cookie = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    if cookie in dict(settings.LANGUAGES):
        return cookie
    if request.headers.get("Accept-Language"):
        return translation.get_language_from_request(request)
    return settings.LANGUAGE_CODE


# -- What Django answers by itself ------------------------------------------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return mishap(request, 413, "too-large", TOO_LARGE)
    return mishap(request, 400, "invalid", UNREADABLE)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return mishap(request, 403, "permission-denied", NOT_YOURS)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return mishap(request, 404, "not-found", NOT_HERE)
