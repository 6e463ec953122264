"""No request sets a field it was not meant to set: each door that takes something is sent every field of every model."""

import json
import re
from collections.abc import Iterator, Set
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, models, transaction
from django.http import QueryDict
from django.utils.http import urlencode
from drf_spectacular.generators import SchemaGenerator

from tests.access.bodies import body_for, form_of
from tests.access.doors import Doors, address, objects
from tests.access.routes import Route, routes
from tests.access.rows import changes, every_row, rows_of, written
from tests.access.world import World
from tests.owner import as_owner

pytestmark = pytest.mark.django_db
OURS = ("supplies", "matching")
METHODS = {"POST", "PUT", "PATCH"}
UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
CODE = re.compile(r"\b[2-9a-z]{26}\b")
DRAWN = {"code", "key", "digest", "hint", "scope"}
HOLE = re.compile(r"\(\?P<\w+>[^)]*\)|<[^>]*>|{\w*}")
NOT_TRIED = {
    "sign-in": "signing in writes sessions only; tests of accounts look at it",
    "sign-up": "makes accounts; tests of accounts look at it",
    "sign-out": "takes nothing",
    "shipment-proofs": "takes a file beside two words; tests of receipts send it what it must not take",
    "carrier-hook": "a carrier's own words, signed by it; its tests send whatever it may send",
}


def everything(world: World) -> dict[str, Any]:
    """A value for every field of every model of ours, as somebody would send who wants more than she was given."""
    sent: dict[str, Any] = {}
    for model in apps.get_models():
        if model._meta.app_label in OURS:
            for one in model._meta.get_fields():
                if isinstance(one, models.Field):
                    sent[one.name] = _wanted(one, world)
                    sent[one.attname] = sent[one.name]
    return sent


def _wanted(one: models.Field, world: World) -> Any:
    if one.choices:
        return str(list(one.flatchoices)[-1][0])
    if isinstance(one, models.ForeignKey):
        person = world.people["admin"]
        assert person is not None
        return str(person.pk if one.name.endswith("by") or one.name == "user" else world.other.site.pk)
    if isinstance(one, models.BooleanField):
        return True
    if isinstance(one, models.IntegerField | models.FloatField):
        return 7
    if isinstance(one, models.DateTimeField):
        return "2026-12-01T00:00:00Z"
    if isinstance(one, models.DateField):
        return "2026-12-01"
    return "演练越权"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(request=None, public=True))


@pytest.fixture(scope="module")
def extra(world: World) -> dict[str, Any]:
    return everything(world)


@pytest.fixture(scope="module")
def known(world: World) -> Set[str]:
    """The keys of all that was there before anything was sent."""
    return {key for rows in every_row().values() for key in rows}


def declared(schema: dict[str, Any], route: Route, method: str) -> set[str] | None:
    """The names the API's own document gives the body of an operation; None where it takes no body."""
    path = HOLE.sub("{}", route.path.replace("^", "").replace("$", ""))
    for shown, operations in schema["paths"].items():
        if HOLE.sub("{}", shown) == path and method.lower() in operations:
            body = operations[method.lower()].get("requestBody")
            if body is None:
                return None
            reference = body["content"]["application/json"]["schema"]
            named = schema["components"]["schemas"][reference["$ref"].rpartition("/")[2]]
            return set(named["properties"])
    raise AssertionError(f"{method} {route.name} is not in the API's document")


def asked_for(doors: Doors, route: Route, key: Any) -> set[str]:
    """The names of the fields a page shows, whatever prefix they stand behind: what a person may fill in."""
    if route.action:
        asked = form_of(route)
        return set(asked.fields) if asked else set()
    shown = doors.clients["admin"].get(address(route, key))
    if shown.headers.get("Content-Type") == "application/pdf":
        return set()
    names = re.findall(r'<(?:input|select|textarea)[^>]* name="([^"]+)"', shown.content.decode())
    return {name.rpartition("-")[2] for name in names} | set(names)


def writable() -> Iterator[Any]:
    for route in routes():
        for method in sorted(METHODS):
            if route.name not in NOT_TRIED and _takes(route, method):
                yield pytest.param(route, method, id=f"{method} {route.name}")


def _takes(route: Route, method: str) -> bool:
    if route.is_api:
        handlers = getattr(route.view, "actions", None) or {}
        return method.lower() in handlers or (not handlers and hasattr(route.view.cls, method.lower()))
    return method == "POST" and (
        bool(route.action) or not route.name.startswith("admin:")
    )  # a form is posted


@pytest.mark.parametrize(("route", "method"), list(writable()))
def test_only_declared_fields_are_ever_written(
    route: Route,
    method: str,
    doors: Doors,
    schema: dict[str, Any],
    extra: dict[str, Any],
    known: Set[str],
) -> None:
    """Asked by an administrator, whom no permission stops. Undeclared names are refused by name, or change nothing more."""
    _thing, key, side = next(iter(objects(route, doors.world)))
    body, is_json = body_for(route, method, doors.world, side)
    names = declared(schema, route, method) if is_json else asked_for(doors, route, key)
    greedy = {**{name: value for name, value in extra.items() if name not in (names or ())}, **(body or {})}

    counters = _counters()
    plain_status, plain, _said = _sent(doors, route, method, key, body, is_json, known)
    _count_from(counters)
    status, done, said = _sent(doors, route, method, key, greedy, is_json, known)

    if is_json and names is not None:
        undeclared = set(greedy) - names
        assert status == 400, said
        assert undeclared <= set(json.loads(said)["fields"])
        assert done == {}
    else:
        # Or it is refused: what it names beyond the form is nobody's, or not what the form lets one choose.
        assert (status, done) in ((plain_status, plain), (400, {})), differences(plain, done)


def differences(plain: dict[str, Any], done: dict[str, Any]) -> list[str]:
    """Where what was changed differs, table by table, for whoever has to look."""
    return [
        f"{table}: {plain.get(table)}\n   {done.get(table)}"
        for table in plain.keys() | done.keys()
        if plain.get(table) != done.get(table)
    ]


def _sent(
    doors: Doors, route: Route, method: str, key: Any, body: Any, is_json: bool, known: Set[str]
) -> tuple[int, dict[str, Any], bytes]:
    """The status, what it changed, and what it said; all of it undone."""
    client = doors.clients["admin"]
    with transaction.atomic():
        counts = written()
        data: Any = json.dumps(body) if is_json else urlencode(body or {}, doseq=True)
        kind = "application/json" if is_json else "application/x-www-form-urlencoded"
        options: dict[str, Any] = {"content_type": kind}
        if route.is_api and method in ("PUT", "PATCH"):
            options["headers"] = {"if-match": client.get(address(route, key)).headers["ETag"]}
        answer = getattr(client, method.lower())(address(route, key), data=data, **options)
        after = rows_of(table for table, count in written().items() if count != counts.get(table))
        transaction.set_rollback(True)
    found = _comparable(changes(rows_of(after), after), known)
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, found if answer.status_code < 400 else {}, content


def _comparable(found: dict[str, Any], known: Set[str]) -> dict[str, Any]:
    """Without what is drawn anew each time: keys and codes of new rows, and whatever points at them."""

    def plain(column: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: plain(name, one) for name, one in value.items()}
        if not isinstance(value, str):
            return value
        if column.endswith("_sealed"):
            return "sealed"
        value = UUID.sub(lambda found: found[0] if found[0] in known else "new", CODE.sub("a code", value))
        return "new" if column in DRAWN and value not in known else value

    return {table: sorted((plain("", change) for change in rows), key=str) for table, rows in found.items()}


def _counters() -> list[tuple[str, int | None]]:
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SELECT format('%I.%I', schemaname, sequencename), last_value FROM pg_sequences")
        return list(cursor.fetchall())


def _count_from(counters: list[tuple[str, int | None]]) -> None:
    """New rows get the numbers they got before: rolling back does not give them back."""
    with as_owner(), connection.cursor() as cursor:
        cursor.executemany(
            "SELECT setval(%s::regclass, %s, %s)",
            [(name, last or 1, last is not None) for name, last in counters],
        )


def test_the_control_a_view_that_takes_what_it_is_sent_is_found(doors: Doors) -> None:
    """A planted offender: the same need, changed by a form that lists every field."""
    need = doors.world.own["need published"]

    with transaction.atomic():
        before = every_row()
        for name, value in QueryDict("status=met&medical_grade=").items():
            setattr(need, name, value or False)
        need.save()
        found = changes(before, every_row())
        transaction.set_rollback(True)

    assert {"status", "medical_grade"} <= found["supplies_need"][0].keys()
