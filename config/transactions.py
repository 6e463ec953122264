"""A request that may change something is one transaction: done whole, once, or not at all."""

import hashlib
import random
import re
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.messages.storage import default_storage
from django.db import Error, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, UnreadablePostError
from django.utils import timezone

from config.api_errors import lost_a_race, of_the_database
from config.mishaps import UNREADABLE, is_for_programs, mishap
from supplies.errors import Refused
from supplies.journal import once
from supplies.journal.once import Answer, Asked

Handler = Callable[[HttpRequest], HttpResponse]
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
MOST_TRIES = 5
FIRST_PAUSE = 0.02  # seconds, doubled with every try; a random share of it is waited
TOKEN = re.compile(r"[\w-]{16,64}", re.ASCII)
REPLAYED = "Idempotency-Replayed"


class OneTransaction:
    """Runs the view of an unsafe request in one transaction.

    An answer of 400 or above undoes whatever was done before it was given, unless it is a refusal that `keeps`. Who loses a race is tried again as a whole; a
    database that stays busy is 503. A form that is sent twice is done once: the second waits for the first and is led
    to where the first was led.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.method in SAFE:
            return None
        try:
            return _tried(request, lambda: view(request, *args, **kwargs))
        except Error as error:
            if answer := of_the_database(request, error):
                return answer
            raise
        except UnreadablePostError:  # a body that stopped coming is the sender's mishap, not ours
            return mishap(request, 400, "invalid", UNREADABLE)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return of_the_database(request, error) if isinstance(error, Error) else None


def _tried(request: HttpRequest, do: Callable[[], HttpResponse]) -> HttpResponse:
    session, pause = deepcopy(request.session), FIRST_PAUSE
    for tries_left in reversed(range(MOST_TRIES)):
        try:
            with transaction.atomic():
                response = _once(request, do)
                is_undone = response.status_code >= 400 and not getattr(response, "keeps", False)
                if is_undone:
                    transaction.set_rollback(True)
        except Exception as error:
            _forget(request, session)
            if not (tries_left and isinstance(error, OperationalError) and lost_a_race(error)):
                raise
        else:
            if is_undone:
                _forget(request, session)
            return response
        time.sleep(random.uniform(0, pause))
        pause *= 2
    raise AssertionError("the last try has raised or returned")


def _forget(request: HttpRequest, session: Any) -> None:
    """What was undone in the database is undone in memory: the session is as it came, and no message tells of it."""
    request.session = deepcopy(session)
    request._messages = default_storage(request)  # type: ignore[attr-defined]


def _once(request: HttpRequest, do: Callable[[], HttpResponse]) -> HttpResponse:
    asked = asked_by_form(request)
    try:
        answer = once.find(asked, wait=True) if asked is not None else None
    except Refused as refusal:  # it was done, and where it led to is not known any more
        messages.info(request, str(refusal.detail))
        return HttpResponseRedirect("/")
    if answer is not None:
        return _given_again(request, answer)
    response = do()
    if asked is not None and response.status_code in (302, 303):
        headers = {"Location": response["Location"]}
        answer = Answer(response.status_code, headers, session=_session_begun(request))
        once.keep(asked, answer, at=timezone.now())
    return response


# -- Forms -------------------------------------------------------------------------------------------------


def asked_by_form(request: HttpRequest) -> Asked | None:
    """The request of a form that carries {% once %}. Sent again with another content, it is another request."""
    if is_for_programs(request):
        return (
            None  # there the key is a header, or the body is signed as it is; and who asks is not known yet
        )
    token = request.POST.get(settings.ONCE_FIELD, "")
    if not TOKEN.fullmatch(token):
        return None
    content = hashlib.sha256()
    for part in _sent(request):
        content.update(part)
    is_known = request.user.is_authenticated
    return Asked(
        principal=f"account:{request.user.pk}" if is_known else f"browser:{_browser(request)}",
        by=request.user if is_known else None,  # type: ignore[arg-type]
        address=f"{request.method} {request.get_full_path()}",
        route=f"{request.method} {request.resolver_match.route if request.resolver_match else ''}",
        key=f"{token} {content.hexdigest()}",
        body=b"",
    )


def _sent(request: HttpRequest) -> Iterator[bytes]:
    for name, values in request.POST.lists():
        if name not in (settings.ONCE_FIELD, "csrfmiddlewaretoken"):
            yield repr((name, values)).encode()
    for name, files in request.FILES.lists():
        for file in files:
            yield repr((name, file.name, file.size)).encode()
            yield from file.chunks()
            file.seek(0)


def _browser(request: HttpRequest) -> str:
    """Somebody without an account: her session, or what her browser was given against forged forms."""
    return request.session.session_key or request.META.get("CSRF_COOKIE", "")


def _given_again(request: HttpRequest, answer: Answer) -> HttpResponse:
    response = HttpResponseRedirect(answer.headers["Location"])
    response.status_code = answer.status
    response[REPLAYED] = "true"
    if answer.session and answer.session != request.session.session_key:
        # The browser may have dropped the first answer, and with it the cookie of the session that began there.
        request.session = _session(answer.session)
        request.session.modified = True
    return response


def _session_begun(request: HttpRequest) -> str:
    """The key of a session that this request has begun, by signing in for instance; empty where there is none."""
    session = request.session
    if not session.modified or session.session_key == request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        return ""
    session.save()
    return session.session_key or ""


def _session(key: str | None) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)
