"""Who may do what: every route, method, role, and object, as `table.txt` declares it. A route without a line fails."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.access.doors import Answer, Doors, objects
from tests.access.routes import METHODS, Route, routes
from tests.access.world import ROLES

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).with_name("table.txt")
TRIED_ANYWAY = ("anonymous", "hospital", "admin")  # with a method that no line names
Line = tuple[str, str, str]  # route, method, object


def table() -> dict[Line, list[str]]:
    """What is declared: (route, method, object) -> the outcome for each role."""
    declared = {}
    for text in TABLE.read_text().splitlines():
        if text and not text.startswith("#"):
            route, method, thing, *outcomes = text.split()
            assert len(outcomes) == len(ROLES), text
            assert (route, method, thing) not in declared, text
            declared[route, method, thing] = outcomes
    return declared


def found(doors: Doors, route: Route, method: str, roles: Sequence[str]) -> dict[Line, list[Answer]]:
    return {
        (route.name, method, thing): [doors.knock(role, route, method, key, side) for role in roles]
        for thing, key, side in objects(route, doors.world)
    }


def methods_of(route: Route) -> Sequence[str]:
    """Pages are asked with GET and POST alone; anything else never gets to them (tests/config/test_requests.py)."""
    return METHODS if route.is_api else METHODS[:2]


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_every_door_opens_for_whom_the_table_says(route: Route, doors: Doors) -> None:
    """Of a method without a line, that nobody gets anything by it."""
    declared = {line: outcomes for line, outcomes in table().items() if line[0] == route.name}
    methods = {method for _route, method, _thing in declared}

    answers: dict[Line, list[Answer]] = {}
    for method in methods_of(route):
        answers |= found(doors, route, method, ROLES if method in methods else TRIED_ANYWAY)

    if os.environ.get("TABLE") == "print":
        for (name, method, thing), row in answers.items():
            if not refused(row):
                tried = found(doors, route, method, ROLES)[name, method, thing]
                print("TABLE", name, method, thing, *(answer.outcome for answer in tried))
    else:
        assert declared, f"{route.name} has no line in {TABLE.name}"
    outcomes = {line: [answer.outcome for answer in row] for line, row in answers.items()}
    assert {line: row for line, row in outcomes.items() if line[1] in methods} == declared
    assert [line for line, row in answers.items() if line[1] not in methods and not refused(row)] == []


def refused(row: list[Answer]) -> bool:
    """Nobody gets in and nothing is written; a stranger may be led to sign in."""
    return all(
        not answer.wrote
        and (
            answer.status in (401, 403, 404, 405)
            or (answer.status == 302 and re.search("/(sign-in|login)/", answer.headers["Location"]))
        )
        for answer in row
    )
