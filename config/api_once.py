"""What every view of the API passes: exactly once by Idempotency-Key, no lost update by If-Match, nothing sent twice by ETag.

The router puts the gate before whatever is registered with it. It stands after authentication, permission and throttling, and
inside the request's transaction (`config.transactions`), so that the answer is kept if and only if what was asked is done.
"""

import hashlib
import re
from typing import Any, TypeVar

from django.conf import settings
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, RawPostDataException
from django.http.response import HttpResponseBase
from django.utils import timezone, translation
from django.utils.http import parse_etags
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import status
from rest_framework.exceptions import APIException, NotAuthenticated, UnsupportedMediaType, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.routers import DefaultRouter
from rest_framework.views import APIView

from config.transactions import REPLAYED, SAFE
from supplies.journal import once
from supplies.journal.once import Answer, Asked
from supplies.organisations.permissions import rights_of

KEY = "Idempotency-Key"
FORM_OF_A_KEY = re.compile(r"[!-~]{1,128}")
KEPT_HEADERS = ("Content-Type", "Content-Language", "ETag", "Location")
UPDATES = frozenset({"PUT", "PATCH"})
V = TypeVar("V", bound=type[APIView])


class IfMatchNeeded(APIException):
    status_code = status.HTTP_428_PRECONDITION_REQUIRED
    default_code = "if-match-needed"
    default_detail = gettext_lazy("Read it first, and send the ETag of what you read as If-Match.")


class ChangedMeanwhile(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "changed-meanwhile"
    default_detail = gettext_lazy("Somebody changed this meanwhile. Read it again, and decide anew.")


class AnsweredBefore(Exception):
    """Not an error: the one way to answer a request of REST framework before its handler runs."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer


class Gate(APIView):
    """In front of a view; see `gated`."""

    asked: Asked | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        method = str(request.method)
        if method in SAFE or not hasattr(self, method.lower()):
            return
        self.asked = asked_by(request, _body(request))
        if self.asked is not None and (answer := once.find(self.asked)):
            raise AnsweredBefore(answer)
        if method in UPDATES:
            self._lock_unchanged(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, AnsweredBefore):
            return _given_again(exc.answer)  # type: ignore[return-value]
        return super().handle_exception(exc)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        if not 200 <= response.status_code < 300 or REPLAYED in response:
            return response
        if isinstance(response, Response):
            response.render()
        is_read = request.method in ("GET", "HEAD")
        if isinstance(response, HttpResponse) and (is_read or request.method in UPDATES):
            response["ETag"] = etag_of(response.content)
            if is_read and _is_known(request, response["ETag"]):
                return _not_modified(response)
        if self.asked is not None:
            once.keep(self.asked, _answer(response), at=timezone.now())
        return response

    def _lock_unchanged(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Lock the row, and make sure that it still looks as it did to whoever changes it now."""
        # A proxy that compresses makes an ETag weak; it still names the same representation of the row.
        read = {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-Match", ""))}
        if not read or "*" in read:
            raise IfMatchNeeded()
        row: Model = self.get_object()  # type: ignore[attr-defined]
        list(type(row)._base_manager.filter(pk=row.pk).select_for_update().values_list("pk"))
        for language, _name in settings.LANGUAGES:  # it may have been read in the other one
            with translation.override(language):
                shown = self.retrieve(request, *args, **kwargs)  # type: ignore[attr-defined]
                content: Any = request.accepted_renderer.render(
                    shown.data, request.accepted_media_type, self.get_renderer_context()
                )
            if etag_of(content) in read:
                return
        raise ChangedMeanwhile()


def gated(view: V) -> V:
    """The view with the gate in front of it."""
    return type(view.__name__, (Gate, view), {"__module__": view.__module__, "__doc__": view.__doc__})  # type: ignore[return-value]


class GatedRouter(DefaultRouter):
    """Whatever is registered here passes the gate."""

    include_format_suffixes = False

    def register(self, prefix: str, viewset: Any, basename: str | None = None) -> None:
        super().register(prefix, gated(viewset), basename)


def asked_by(request: Request, body: bytes) -> Asked | None:
    """The request with its key; None without one. Raises ValidationError for a key that cannot be one."""
    key = request.headers.get(KEY)
    if key is None:
        return None
    if not FORM_OF_A_KEY.fullmatch(key):
        raise ValidationError({KEY: [_("Send 1 to 128 visible ASCII characters, a UUID for instance.")]})
    if not request.user.is_authenticated:
        raise NotAuthenticated()  # a key without an owner would give her answer to strangers
    http = request._request
    return Asked(
        principal=f"account:{request.user.pk}",
        by=request.user,
        address=f"{http.method} {http.path}",
        route=f"{http.method} {http.resolver_match.route if http.resolver_match else ''}",
        key=key,
        body=http.META.get("QUERY_STRING", "").encode() + b"\n" + body,
        rights=rights_of(request.user),
    )


def _body(request: Request) -> bytes:
    """Read whole before it is parsed, so that it can be compared, and read again if the request has to be run again."""
    try:
        return request._request.body
    except RawPostDataException:  # looking for a form's token has taken it apart already
        raise UnsupportedMediaType(request.content_type) from None


def etag_of(content: bytes) -> str:
    """Strong: it names these bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _is_known(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or etag in (tag.removeprefix("W/") for tag in known)


def _not_modified(response: HttpResponse) -> HttpResponse:
    headers = ("ETag", "Vary", "Cache-Control")
    return HttpResponseNotModified(headers={name: response[name] for name in headers if name in response})


def _answer(response: HttpResponseBase) -> Answer:
    if not isinstance(response, HttpResponse):
        raise TypeError("A stream cannot be kept, so it cannot be the answer to a request with a key.")
    headers = {"Content-Language": translation.get_language() or ""}
    headers |= {name: response[name] for name in KEPT_HEADERS if name in response}
    return Answer(response.status_code, headers, response.content.decode())


def _given_again(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.text, status=answer.status, headers={**answer.headers, REPLAYED: "true"})
    if "Content-Type" not in answer.headers:
        del response["Content-Type"]
    return response
