"""Every error of the API has one shape: {"code": …, "detail": …} and, for input, {"fields": {"lines.1.quantity": […]}}.

The code is stable and for programs; the detail is a sentence in the reader's language.
"""

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, Error, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from supplies.errors import NotYours, Refused, TooMany

log = logging.getLogger(__name__)
RETRY_AFTER = "2"  # seconds; a lock is waited for five
GENERAL = "non_field_errors"


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """The response to an error raised in an API view; None for a bug, which is logged and answered 500."""
    match error:
        case TooMany():
            response = _body(429, error.code, str(error.detail))
            response["Retry-After"] = str(error.wait)
            return response
        case Refused():
            return _body(403 if isinstance(error, NotYours) else 409, error.code, str(error.detail))
        case exceptions.ValidationError():
            return invalid(error.detail)
        case DjangoValidationError():
            return invalid(error.message_dict if hasattr(error, "error_dict") else error.messages)
        case exceptions.APIException():
            response = _body(error.status_code, _code(error), str(error.detail))
            if challenge := getattr(error, "auth_header", None):
                response["WWW-Authenticate"] = challenge
            if wait := getattr(error, "wait", None):
                response["Retry-After"] = str(int(wait) + 1)
            return response
        case Http404():
            return _body(404, "not-found", _not_here())
        case PermissionDenied():
            return _body(403, "permission-denied", _("You may not do this."))
        case RequestDataTooBig():
            return _body(413, "too-large", _("This is larger than can be read."))
        case SuspiciousOperation():
            return _body(400, "invalid", _("This request cannot be read."))
        case Error():
            return _database(error)
    return None


def invalid(faults: Any) -> Response:
    """400 with every fault under the place it is in."""
    fields: dict[str, list[str]] = {}
    for place, sentence in _flat(faults):
        fields.setdefault(place, []).append(sentence)
    general = fields.pop("", [])
    detail = " ".join(general) or _("Some of this is not right: %(fields)s.") % {"fields": ", ".join(fields)}
    return _body(400, "invalid", detail, **({"fields": fields} if fields else {}))


def _flat(faults: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Nested faults as ("lines.1.quantity", sentence)."""
    if isinstance(faults, dict):
        for name, inner in faults.items():
            inside = place if name == GENERAL else f"{place}.{name}" if place else str(name)
            yield from _flat(inner, inside)
    elif isinstance(faults, list | tuple):
        for position, inner in enumerate(faults):
            nested = isinstance(inner, dict | list)
            yield from _flat(inner, f"{place}.{position}" if nested and place else place)
    else:
        yield place, str(faults)


def _database(error: Error) -> Response | None:
    """What PostgreSQL refused: a value it cannot hold, a race somebody else won, or no time for us just now."""
    if isinstance(error, DataError):
        log.warning("The database cannot hold what was sent (%s).", _reason(error))
        return _body(400, "invalid", _("A value is too large or cannot be stored."))
    if isinstance(error, IntegrityError):
        log.error("A constraint refused what the verbs had let pass: %s.", _reason(error))
        return _body(
            409, "conflict", _("Somebody changed this at the same moment. Read it again, then try once more.")
        )
    if isinstance(error, OperationalError | InterfaceError):
        log.warning("The database is busy or away (%s).", _reason(error))
        response = _body(503, "busy", _("The site is busy just now. Please try again in a moment."))
        response["Retry-After"] = RETRY_AFTER
        return response
    return None


def _reason(error: Error) -> str:
    """The constraint or the code. The message itself quotes the row, and may hold what does not belong in a log."""
    cause: Any = error.__cause__
    diagnosis = getattr(cause, "diag", None)
    return (
        getattr(diagnosis, "constraint_name", None) or getattr(cause, "pgcode", None) or type(error).__name__
    )


def _body(status: int, code: str, detail: str, **more: Any) -> Response:
    return Response({"code": code, "detail": detail, **more}, status=status)


def _code(error: exceptions.APIException) -> str:
    code = error.get_codes()
    known = {"parse_error": "invalid"}
    return known.get(str(code), str(code).replace("_", "-"))


def _not_here() -> str:
    return _("There is nothing here that you can see.")


# -- What Django answers itself: JSON under /api/, pages elsewhere ----------------------------------------


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    too_large = isinstance(exception, RequestDataTooBig)
    status, code = (413, "too-large") if too_large else (400, "invalid")
    return _plain(request, status, code, _("This request cannot be read.")) or defaults.bad_request(
        request, exception
    )


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    detail = _("You may not do this.")
    return _plain(request, 403, "permission-denied", detail) or defaults.permission_denied(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _plain(request, 404, "not-found", _not_here()) or defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    detail = _("Something went wrong here. It has been written down; please try again later.")
    return _plain(request, 500, "error", detail) or defaults.server_error(request)


def _plain(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse | None:
    if not request.path_info.startswith("/api/"):
        return None
    body = {"code": code, "detail": detail}
    return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
