"""Every error of the API has one shape: {"code": …, "detail": …} and, for input, {"fields": {"lines.1.quantity": […]}}.

The code is stable and for programs; the detail is a sentence in the reader's language. What the database refuses is
answered alike everywhere: in JSON under /api/, with a page elsewhere.
"""

import sys
from collections.abc import Iterator
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DataError, Error, IntegrityError
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from config import metrics
from config.logs import kind_of
from config.mishaps import BROKEN, BUSY, NOT_HERE, NOT_YOURS, RETRY_AFTER, TOO_LARGE, UNREADABLE, mishap
from supplies.errors import InFlight, KeyReused, NotYours, Refused, TooMany, is_busy_or_away

log = structlog.get_logger(__name__)
security = structlog.get_logger("security")
GENERAL = "non_field_errors"
LOST_A_RACE = frozenset({"40001", "40P01"})  # PostgreSQL's serialization failure and deadlock


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """The response to an error raised in an API view; None for what is not answered here.

    That is a bug, which is logged and answered 500, and a lost race, which is run again.
    """
    match error:
        case Refused():
            return _refused(error)
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
            return _body(404, "not-found", str(NOT_HERE))
        case PermissionDenied():
            return _body(403, "permission-denied", str(NOT_YOURS))
        case RequestDataTooBig():
            return _body(413, "too-large", str(TOO_LARGE))
        case SuspiciousOperation() | UnreadablePostError():
            return _body(400, "invalid", str(UNREADABLE))
        case Error() if not lost_a_race(error):
            return _database(error)
    return None


def _refused(error: Refused) -> Response:
    metrics.REFUSALS.labels(error.code).inc()
    security.info("refused", code=error.code)
    kinds: dict[type[Refused], int] = {NotYours: 403, KeyReused: 422, TooMany: 429}
    status = next((known for kind, known in kinds.items() if isinstance(error, kind)), 409)
    wait = error.wait if isinstance(error, TooMany) else 1 if isinstance(error, InFlight) else None
    headers = {"Retry-After": str(wait)} if wait else None
    response = _body(status, error.code, str(error.detail), headers=headers)
    response.keeps = error.keeps  # type: ignore[attr-defined]  # read by config.transactions
    return response


def invalid(faults: Any) -> Response:
    """400 with every fault under the place it is in."""
    fields: dict[str, list[str]] = {}
    for place, sentence in _flat(faults):
        fields.setdefault(place, []).append(sentence)
    general = fields.pop("", [])
    detail = " ".join(general) or _("Some of this is not right: %(fields)s.") % {"fields": ", ".join(fields)}
    return _body(400, "invalid", detail, fields=fields)


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


def lost_a_race(error: Exception) -> bool:
    """Whether the whole transaction may well succeed if it is simply tried again."""
    return getattr(error.__cause__, "pgcode", None) in LOST_A_RACE


def of_the_database(request: HttpRequest, error: Error) -> HttpResponse | None:
    """The same outside a view of the API, as JSON or as a page; None for a bug."""
    said = _database(error)
    if said is None:
        return None
    wait = RETRY_AFTER if "Retry-After" in said else None
    return mishap(request, said.status_code, said.data["code"], said.data["detail"], retry_after=wait)


def server_error(request: HttpRequest) -> HttpResponse:
    """Called while the error is at hand: a database that is away may be met before any view is."""
    error = sys.exc_info()[1]
    if isinstance(error, Error) and (response := of_the_database(request, error)):
        return response
    return mishap(request, 500, "error", BROKEN)


def _database(error: Error) -> Response | None:
    """What PostgreSQL refused: a value it cannot hold, a race somebody else won, or no time for us just now."""
    if isinstance(error, DataError):
        log.warning("The database cannot hold what was sent.", reason=kind_of(error))
        return _body(400, "invalid", _("A value is too large or cannot be stored."))
    if isinstance(error, IntegrityError):
        log.error("A constraint refused what the verbs had let pass.", reason=kind_of(error))
        return _body(
            409, "conflict", _("Somebody changed this at the same moment. Read it again, then try once more.")
        )
    if is_busy_or_away(error):
        log.warning("The database is busy or away.", reason=kind_of(error))
        return _body(503, "busy", str(BUSY), headers={"Retry-After": str(RETRY_AFTER)})
    return None


def _body(
    status: int,
    code: str,
    detail: str,
    *,
    fields: dict[str, list[str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    body = {"code": code, "detail": detail, **({"fields": fields} if fields else {})}
    return Response(body, status=status, headers=headers)


def _code(error: exceptions.APIException) -> str:
    code = error.get_codes()
    known = {"parse_error": "invalid"}
    return known.get(str(code), str(code).replace("_", "-"))
