"""Who may do what and reads what: every route, method, role and object, as `table.txt` and `fields.txt` declare it.

A route without a line fails, and so does a field that nobody has declared. To see the lines of what is found:
TABLE=print ./run test -n 0 tests/access/test_matrix.py -s
"""

import json
import os
import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.access.doors import Answer, Doors, objects
from tests.access.routes import METHODS, Route, routes
from tests.access.world import ROLES
from tests.whole import WHOLE

pytestmark = pytest.mark.django_db
TABLE, FIELDS = (Path(__file__).with_name(name) for name in ("table.txt", "fields.txt"))
PRINTS = os.environ.get("TABLE") == "print"
# Those who have most to gain come with every run; WHOLE=1 sends everybody.
TRIED = ROLES if PRINTS or WHOLE else ("anonymous", "hospital", "coordinator")
TRIED_ANYWAY = ("anonymous", "hospital", "admin")  # with a method that no line names
LETTERS = dict(zip(ROLES, "-hdcvoAa", strict=True))  # a coordinator is o, an auditor A, an administrator a
Line = tuple[str, str, str]  # route, method, object
Row = dict[str, Answer]  # by role


def lines(file: Path) -> Iterator[list[str]]:
    for text in file.read_text().splitlines():
        if text and not text.startswith("#"):
            yield text.split()


@cache
def table() -> dict[Line, dict[str, str]]:
    """What is declared: (route, method, object) -> the outcome for each role."""
    declared: dict[Line, dict[str, str]] = {}
    for route, method, thing, *outcomes in lines(TABLE):
        assert (route, method, thing) not in declared, (route, method, thing)
        declared[route, method, thing] = dict(zip(ROLES, outcomes, strict=True))
    return declared


@cache
def fields() -> dict[tuple[str, ...], str]:
    """What is declared: (route, method, object, path of a field) -> a letter for each role that reads a value there."""
    return {tuple(key): letters for *key, letters in lines(FIELDS)}


def found(doors: Doors, route: Route, method: str, roles: Sequence[str]) -> dict[Line, Row]:
    return {
        (route.name, method, thing): {role: doors.knock(role, route, method, key, side) for role in roles}
        for thing, key, side in objects(route, doors.world)
    }


def methods_of(route: Route) -> Sequence[str]:
    """Pages are asked with GET and POST alone; anything else never gets to them (tests/config/test_requests.py)."""
    return METHODS if route.is_api else METHODS[:2]


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.name)
def test_every_door_opens_for_whom_the_table_says(route: Route, doors: Doors) -> None:
    """And shows her the fields that are declared; of a method without a line, nobody gets anything by it."""
    declared = {line: outcomes for line, outcomes in table().items() if line[0] == route.name}
    methods = {method for _route, method, _thing in declared}

    answers: dict[Line, Row] = {}
    for method in methods_of(route):
        answers |= found(doors, route, method, TRIED if method in methods or PRINTS else TRIED_ANYWAY)
    shown = fields_of(answers) if route.is_api else {}

    if PRINTS:
        opened = {method for (_name, method, _thing), row in answers.items() if not refused(row)}
        for line, row in answers.items():
            if line[1] in (opened or {"GET"}):
                print("TABLE", *line, *(answer.outcome for answer in row.values()))
        for key, letters in shown.items():
            print("FIELD", *key, letters)
    assert declared, f"{route.name} has no line in {TABLE.name}"
    assert {
        line: {role: answer.outcome for role, answer in row.items()}
        for line, row in answers.items()
        if line[1] in methods
    } == {line: {role: outcomes[role] for role in TRIED} for line, outcomes in declared.items()}
    assert [line for line, row in answers.items() if line[1] not in methods and not refused(row)] == []
    assert shown == tried_of({key: letters for key, letters in fields().items() if key[0] == route.name})
    assert list(told_apart(answers)) == []


def refused(row: Row) -> bool:
    """Nobody gets in and nothing is written; a stranger may be led to sign in."""
    return all(
        not answer.wrote
        and (
            answer.status in (401, 403, 404, 405)
            or (answer.status == 302 and re.search("/(sign-in|login)/", answer.headers["Location"]))
        )
        for answer in row.values()
    )


def fields_of(answers: dict[Line, Row]) -> dict[tuple[str, ...], str]:
    found: dict[tuple[str, ...], str] = {}
    for line, row in answers.items():
        for role, answer in row.items():
            if answer.status < 300 and answer.headers.get("Content-Type") == "application/json":
                for path in sorted(set(_paths(json.loads(answer.body)))):
                    found[*line, path] = found.get((*line, path), "") + LETTERS[role]
    return found


def tried_of(declared: dict[tuple[str, ...], str]) -> dict[tuple[str, ...], str]:
    """What is declared for those who were sent."""
    sent = {LETTERS[role] for role in TRIED}
    left = {key: "".join(one for one in letters if one in sent) for key, letters in declared.items()}
    return {key: letters for key, letters in left.items() if letters}


def _paths(value: Any, path: str = "") -> Iterator[str]:
    """Where a value stands that is not null; the members of a list stand at one place."""
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from _paths(inner, f"{path}[]")
    elif value is not None:
        yield path or "."


def told_apart(answers: dict[Line, Row]) -> Iterator[str]:
    """Where a refusal tells somebody that what she may not see is there: others' and missing are answered alike."""
    for (name, method, thing), row in answers.items():
        if thing == "other":
            missing = answers[name, method, "missing"]
            for role, one in row.items():
                if one.status == 404 and (one.status, said(one)) != (
                    missing[role].status,
                    said(missing[role]),
                ):
                    yield f"{method} {name} as {role}"


def said(answer: Answer) -> bytes:
    """What an answer says, without what is drawn anew for each page."""
    return re.sub(rb'name="(csrfmiddlewaretoken|once)" value="[^"]*"|[0-9a-f-]{36}|nothing', b"", answer.body)
