"""Odd requests made from the API's own document, and what in an answer that document does not allow.

Schemathesis draws them: half are as the document asks for, half break it somewhere. What is drawn alone hardly ever gets past
the first look-up, so keys of rows that are there and bodies that are let through are mixed in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

Headers = dict[str, str]
LOOKED_AT = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
UPDATES = ("PUT", "PATCH")


@dataclass(frozen=True)
class Real:
    """What gets further than chance: keys of rows, with one of which it may be asked, and a body that is let through."""

    keys: tuple[Any, ...] = ()
    body: Any = None


class Known(str):
    """The key of a row that is there."""


class Document:
    """The API as its document describes it, answered in this process by the site itself."""

    def __init__(self) -> None:
        load_all_checks()
        self.written: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
        self.schema = schemathesis.openapi.from_dict(self.written)
        self.app = WSGIHandler()
        self.checks = CHECKS.get_by_names(LOOKED_AT)

    def operations(self) -> set[str]:
        """As "GET /api/v1/needs/"."""
        return {
            f"{method.upper()} {path}"
            for path, methods in self.written["paths"].items()
            for method in methods
        }

    def odd(self, operation: str, real: Real) -> st.SearchStrategy[Any]:
        """Requests of one operation."""
        method, path = operation.split()
        asked = self.schema[path][method.lower()]
        as_asked, broken = (
            asked.as_strategy(mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        )
        return st.builds(
            _mixed,
            st.one_of(as_asked, broken),
            st.sampled_from((None, *real.keys)),
            st.just(real.body),
            st.integers(0, 9),
        )

    def faults(self, case: Any, headers: Headers) -> Iterator[str]:
        """Send it, undo what it did, and say what is wrong with the answer."""
        headers = headers | self._as_read(case, headers)
        with transaction.atomic(), connections_kept():
            answer = case.call(base_url="http://testserver", app=self.app, headers=headers)
            transaction.set_rollback(True)
        try:
            case.validate_response(answer, checks=self.checks)
        except FailureGroup as group:
            for failure in group.exceptions:
                yield f"{answer.status_code} {failure!r}\n{case!r}\n{answer.text[:300]}"

    @staticmethod
    def _as_read(case: Any, headers: Headers) -> Headers:
        """For a change of a row that is there: the ETag this reader was given."""
        if case.method not in UPDATES or not all(
            isinstance(key, Known) for key in case.path_parameters.values()
        ):
            return {}
        read = Client(headers=headers).get(case.formatted_path)
        return {"If-Match": read.headers.get("ETag", '"nothing"')}


@contextmanager
def connections_kept() -> Iterator[None]:
    """As Django's own test client does: the end of a request is not the end of the test's connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)


def _mixed(case: Any, key: Any, body: Any, position: int) -> Any:
    """The drawn request, to a row that is there if a key is given; with a body that is let through but for one field."""
    if key is not None:
        for hole in case.path_parameters or ():
            case.path_parameters[hole] = Known(key)
        if isinstance(body, dict) and isinstance(case.body, dict):
            fields = list(case.body.items())
            case.body = {**body, **dict(fields[position : position + 1])}
    return case
