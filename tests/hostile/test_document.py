"""Whatever the API is sent, it answers as its own document says, and never with a fault of ours.

A run sends three to each operation; WHOLE=1 ./run test tests/hostile sends 300 as everybody.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings
from hypothesis import HealthCheck, Phase, given, settings

from tests.access.bodies import body_for
from tests.access.doors import objects
from tests.access.routes import Route, routes
from tests.access.world import World
from tests.hostile.odd_requests import Document, Real

pytestmark = pytest.mark.django_db
HOLE = re.compile(r"\(\?P<\w+>[^)]*\)|<[^>]*>|{\w*}")


@pytest.fixture(scope="module")
def document() -> Document:
    return Document()


def operation_of(document: Document, route: Route, method: str) -> str:
    """As the document writes it: "PATCH /api/v1/needs/{id}/"; it has names of its own for what stands in a path."""
    path = HOLE.sub("{}", re.sub(r"[\^$]", "", route.path))
    (operation,) = (known for known in document.operations() if HOLE.sub("{}", known) == f"{method} {path}")
    return operation


def asked() -> Iterator[Any]:
    for route in routes():
        if route.path.startswith("/api/v1/") and route.name != "api-root":  # a list of lists; not described
            handlers = getattr(route.view, "actions", None) or route.view.cls().allowed_methods
            for method in sorted({one.lower() for one in handlers} - {"head", "options"}):
                yield pytest.param(route, method.upper(), id=f"{method.upper()} {route.name}")


def faults_of(
    document: Document, operation: str, real: Real, keys: dict[str, dict[str, str]], examples: int
) -> list[str]:
    """What was wrong with any answer to so many odd requests, each sent as each of these people."""
    found = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(document.odd(operation, real))
    def send(case: Any) -> None:
        found.extend(f"as {role}: {fault}" for role in keys for fault in document.faults(case, keys[role]))

    send()
    return found


def test_every_operation_of_the_document_is_sent_odd_requests(document: Document) -> None:
    sent = {operation_of(document, *one.values) for one in asked()}

    assert sent == document.operations()


@pytest.mark.parametrize(("route", "method"), list(asked()))
def test_an_odd_request_is_answered_as_the_document_says(
    route: Route,
    method: str,
    document: Document,
    world: World,
    keys: dict[str, dict[str, str]],
    hostile_examples: int,
    hostile_roles: tuple[str, ...],
) -> None:
    real = Real(
        tuple(key for _whose, key, _side in objects(route, world)),
        body_for(route, method, world, world.own)[0],
    )

    found = faults_of(
        document,
        operation_of(document, route, method),
        real,
        {role: keys[role] for role in hostile_roles},
        hostile_examples,
    )

    assert not found, "\n\n".join(found)


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ("breaking", "500 ServerError"),
        ("unheard", "418 UndefinedStatusCode"),
        ("untyped", "200 JsonSchemaError"),
        ("unformed", "200 UndefinedContentType"),
    ],
)
def test_an_answer_the_document_does_not_allow_is_found(planted: str, found: str) -> None:
    with override_settings(ROOT_URLCONF="tests.hostile.planted"):
        document = Document()
        wrong = faults_of(document, f"GET /api/v1/planted/{planted}/", Real(), {"anonymous": {}}, 3)
        right = faults_of(document, "GET /api/v1/planted/right/", Real(), {"anonymous": {}}, 3)

    assert [fault for fault in wrong if found in fault]
    assert right == []
