"""Every form, query, path and header takes hostile values without a fault of ours, shows them escaped and logs none of them.

Each place gets one value a round; after as many rounds as there are values it has had all of them:
./run test tests/hostile/test_pages.py --hostile-examples 520
"""

import re
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.db import transaction
from django.test import Client, override_settings

from config.api_v1 import router
from tests.access.bodies import body_for
from tests.access.doors import Doors, address, objects
from tests.access.routes import Route, routes
from tests.hostile.trying import got, in_a_header, in_a_path, posted
from tests.hostile.values import ALL, UNSEEN, of_round

pytestmark = pytest.mark.django_db
HOLE = re.compile(r"\(\?P<\w+>(?:[^()]|\([^()]*\))*\)|<[^>]*>")
NAMED = re.compile(r'<(?:input|select|textarea|button)[^>]* name="([^"]+)"')
QUERY = (
    "q",
    "o",
    "p",
    "e",
    "status",
    "status__exact",
    "next",
    "region",
    "item",
    "category",
    "cursor",
    "page",
    "_popup",
)
HEADERS = (
    "accept", "accept-language", "accept-encoding", "authorization", "content-type", "cookie", "forwarded", "host",
    "idempotency-key", "if-match", "if-modified-since", "if-none-match", "origin", "range", "referer", "user-agent",
    "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-http-method-override", "x-request-id", "x-request-start",
)  # fmt: skip
COOKIES = ("sessionid", "csrftoken", "messages", "django_language")
FACES = ("/", "/api/v1/needs/", "/desk/", "/health/live")


@pytest.fixture(scope="session")
def rounds(hostile_examples: int) -> int:
    """A fifth of the examples: there are many more places here than operations of the API."""
    return max(1, hostile_examples // 5)


def clean(log: StringIO) -> list[str]:
    """The lines of a log that hold what cannot be seen, or moves what is seen."""
    return [line for line in log.getvalue().split("\n") if set(line) & set(UNSEEN)]


def with_forms() -> Iterator[Any]:
    """Every page that takes a form, and every action of the desk that asks something."""
    for route in routes():
        if not route.is_api and (not route.name.startswith("admin:") or route.action):
            yield pytest.param(route, id=route.name)


def places(doors: Doors, route: Route, key: Any) -> tuple[dict[str, Any], list[str]]:
    """What is let through, and the names of every field: of those the page shows and those that are sent."""
    path, desk = address(route, key), doors.clients["admin"]
    if route.action:
        asked = rolled_back(lambda: desk.post(path))  # the page on which it asks, if it asks anything
        valid = {"answered": "yes"}
    else:
        asked = rolled_back(lambda: desk.get(path))
        valid = body_for(route, "POST", doors.world, doors.world.own)[0] or {}
    shown = [] if asked.streaming or not is_a_page(asked) else NAMED.findall(asked.content.decode())
    return valid, sorted({*valid, *shown})


def is_a_page(answer: Any) -> bool:
    return "html" in answer.headers.get("Content-Type", "")


def rolled_back(ask: Callable[[], Any]) -> Any:
    with transaction.atomic():
        answer = ask()
        transaction.set_rollback(True)
    return answer


def form_faults(client: Client, path: str, valid: dict[str, Any], names: list[str], rounds: int) -> list[str]:
    """Round by round: hostile values everywhere at once, then in one field of a form that is let through otherwise."""
    found: list[str] = []
    for number in range(rounds if names else 0):
        odd = {name: of_round(number, place) for place, name in enumerate(names)}
        one = names[number % len(names)]
        for sent in (odd, {**valid, one: odd[one]}):
            found += posted(client, path, sent)
    return found


@pytest.mark.parametrize("route", list(with_forms()))
def test_every_form_takes_hostile_values(
    route: Route,
    doors: Doors,
    rounds: int,
    log_text: StringIO,
) -> None:
    _whose, key, _side = next(iter(objects(route, doors.world)))
    valid, names = places(doors, route, key)

    found = form_faults(doors.clients["admin"], address(route, key), valid, names, rounds)

    assert not found, "\n".join(found)
    assert not clean(log_text)


def test_every_query_takes_hostile_values(doors: Doors, rounds: int, log_text: StringIO) -> None:
    found: list[str] = []
    asked = [route for route in routes() if not route.is_api and not route.action]
    for position, route in enumerate(asked):
        _whose, key, _side = next(iter(objects(route, doors.world)))
        for number in range(rounds):
            values = {name: of_round(position + number, place) for place, name in enumerate(QUERY)}
            one = QUERY[(position + number) % len(QUERY)]
            sent = {one: values[one]} if number % 2 else values
            found += got(doors.clients["admin"], address(route, key), sent)

    assert not found, "\n".join(found)
    assert not clean(log_text)


def test_every_filter_of_the_api_takes_hostile_values(doors: Doors, rounds: int, log_text: StringIO) -> None:
    found: list[str] = []
    for prefix, viewset, _name in router.registry:
        filters = getattr(getattr(viewset, "filterset_class", None), "base_filters", {})
        for place, name in enumerate([*filters, "cursor", "page_size"]):
            for number in range(rounds):
                value = of_round(number + len(prefix), place)
                found += got(doors.clients["admin"], f"/api/v1/{prefix}/", {name: value})

    assert not found, "\n".join(found)
    assert not clean(log_text)


def test_every_path_takes_hostile_values(doors: Doors, rounds: int, log_text: StringIO) -> None:
    found: list[str] = []
    with_holes = [route for route in routes() if route.holes]
    for position, route in enumerate(with_holes):
        for number in range(rounds):
            value = in_a_path(of_round(number, position))
            path = HOLE.sub(lambda _hole, value=value: value, re.sub(r"[\^$]", "", route.path))
            found += got(doors.clients["admin"], path)

    assert with_holes
    assert not found, "\n".join(found)
    assert not clean(log_text)


@pytest.mark.parametrize("face", FACES)
def test_every_header_takes_hostile_values(face: str, doors: Doors, rounds: int, log_text: StringIO) -> None:
    found: list[str] = []
    for place, name in enumerate(HEADERS):
        for number in range(rounds):
            value = in_a_header(of_round(number, place))
            if name == "cookie":
                value = f"{COOKIES[number % len(COOKIES)]}={value}"
            found += got(Client(raise_request_exception=False), face, **{name: value})

    assert not found, "\n".join(found)
    assert not clean(log_text)


# -- the control ------------------------------------------------------------------------------------------


def test_a_form_that_breaks_and_a_page_that_does_not_escape_are_found(doors: Doors) -> None:
    client = Client(raise_request_exception=False)
    with override_settings(ROOT_URLCONF="tests.hostile.planted"):
        broken = form_faults(client, "/planted/counts/", {"count": "1"}, ["count"], len(ALL))
        echoed = form_faults(client, "/planted/echoes/", {"word": "口罩"}, ["word"], len(ALL))

    assert [fault for fault in broken if fault.startswith("500")]
    assert [fault for fault in echoed if fault.startswith("markup")]


def test_after_all_rounds_a_place_has_had_every_value() -> None:
    assert {of_round(number, 3) for number in range(len(ALL))} == set(ALL)


@pytest.mark.parametrize("unseen", UNSEEN)
def test_a_line_of_a_log_with_what_cannot_be_seen_is_found(unseen: str) -> None:
    assert clean(StringIO(f"asked for {unseen}\n"))


@pytest.mark.parametrize("path", ["/sign-in/", "/sign-up/", "/second-factor/"])
@pytest.mark.parametrize("onwards", ["0", "5_0", "Z", "track-code", "admin:index"])
def test_a_word_that_is_no_path_leads_nobody_anywhere(path: str, onwards: str, doors: Doors) -> None:
    answer = doors.clients["admin"].get(path, {"next": onwards})

    assert answer.status_code == 302
    assert answer["Location"] in ("/", "/mine/", "/desk/")
