"""Nothing that is public depends on what is not: private data are changed, and every public answer stays byte for byte what it was."""

import re
from collections.abc import Iterator
from itertools import takewhile

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from supplies.privacy.register import Stage, entries
from supplies.sealing import sealed_columns
from tests.access.doors import Doors, address, objects
from tests.access.routes import routes
from tests.owner import as_owner

pytestmark = pytest.mark.django_db
PUBLIC = {Stage.EVERYONE, Stage.CODE}
# Whoever holds a code reads more than the public (test_canaries.py looks at what); signing up draws a number for each visit.
# Opened by what only one person holds, but for sign-up, whose page is another each time.
NOT_COMPARED = {
    "track",
    "track-code",
    "certificate",
    "certificate-file",
    "certificate-detail",
    "sign-up",
    "still-needed",
    "confirm-following",
    "end-following",
    "end-notices",
    "follow-shipment",
    "reported",
    "change-request-detail",
}
NEW_EACH_TIME = re.compile(rb'name="(csrfmiddlewaretoken|once|ticket)" value="[^"]*"|account-number[^<]*<')
# Of what is public in some rows and private in others, the private rows: a list's name is told, what a poster calls her source is not.
# That there is a hand-over point or a courier's address is told, as the way in which goods may come; where it is, is not.
PRIVATE_ROWS = {
    "Appeal.source_name": "posted_by_id IS NOT NULL",
    "Appeal.handover_point": "handover_point <> ''",
    "Appeal.courier_address": "courier_address <> ''",
}
# What a public answer rightly depends on though nobody sees it: whom a row belongs to, and what orders or narrows a list.
KEYS = (models.ForeignKey, models.OneToOneField, models.AutoField, models.UUIDField)


def private_columns() -> Iterator[tuple[type[models.Model], models.Field]]:
    """Every column the register shows to fewer than everybody, keys apart."""
    for entry in entries():
        if entry.seen_by not in PUBLIC:
            model = apps.get_model(entry.model)
            field = model._meta.get_field(entry.field)
            if isinstance(field, models.Field) and not isinstance(field, KEYS) and field.column:
                yield model, field


def other_value(field: models.Field) -> str | None:
    """SQL for another value of the column; None for a column of a kind that holds only codes."""
    column = connection.ops.quote_name(field.column)
    if field.choices or field.is_relation or field.primary_key or field.unique:
        return None
    match field:
        case models.BinaryField():
            return rf"'\x00'::bytea || {column}"
        case models.BooleanField():
            return f"NOT {column}"
        case models.CharField() | models.TextField():
            return f"left('变' || {column}, {field.max_length or 1000})"
        case models.IntegerField() | models.FloatField():
            return f"{column} + 1"
    return None


def change(model: type[models.Model], field: models.Field) -> bool:
    """Give the column another value in every row that keeps it private; False where the database does not let it be another."""
    value = other_value(field)
    if value is None:
        return False
    table, column = (connection.ops.quote_name(name) for name in (model._meta.db_table, field.column))
    rows = PRIVATE_ROWS.get(f"{model.__name__}.{field.name}", "true")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {column} = {value} WHERE {rows}")
            return bool(cursor.rowcount)
    except DatabaseError:
        return False


def public_addresses(doors: Doors, words: list[str]) -> list[str]:
    """Every address a stranger may ask for, and every list with each of its filters, orders and searches."""
    found = [
        address(route, key)
        for route in routes()
        if route.name not in NOT_COMPARED
        for _thing, key, _side in objects(route, doors.world)
    ]
    document = SchemaGenerator().get_schema(request=None, public=True)
    for path, operations in document["paths"].items():
        if "{" not in path and "get" in operations:
            for parameter in operations["get"].get("parameters", []):
                if parameter["in"] == "query":
                    tried = parameter["schema"].get("enum") or [*words, "420106", "1", "true"]
                    found += [f"{path}?{parameter['name']}={value}" for value in tried]
    return found + [f"/needs/?q={word}" for word in words]


def asked(addresses: list[str]) -> dict[str, tuple[int, bytes]]:
    client, answers = Client(headers={"accept-language": "en"}, raise_request_exception=False), {}
    for one in addresses:
        answer = client.get(one)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        answers[one] = (answer.status_code, NEW_EACH_TIME.sub(b"", body))
        client.cookies.clear()
    return answers


@pytest.mark.timeout(900)  # every public address, twice
def test_no_public_answer_depends_on_private_data(doors: Doors) -> None:
    words = ["000-0000-0001", "演练路", "演练", "变"]
    addresses = public_addresses(doors, words)
    before = asked(addresses)
    assert sum(status == 200 for status, _body in before.values()) > 100

    with as_owner(), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")  # no trigger, nothing only added
        changed = {
            f"{model.__name__}.{field.name}" for model, field in private_columns() if change(model, field)
        }
        after = asked(addresses)
        transaction.set_rollback(True)

    assert {"Contact.phone_sealed", "Facility.beds", "User.first_name"} <= changed
    assert {"Appeal.remark", *PRIVATE_ROWS} <= changed
    told_apart = [shown_apart(before[one], after[one], one) for one in addresses if before[one] != after[one]]
    assert not told_apart, "\n".join(told_apart)


def shown_apart(before: tuple[int, bytes], after: tuple[int, bytes], where: str) -> str:
    """Where an answer begins to differ, for whoever has to look."""
    told, other = (f"{status} {body.decode()}" for status, body in (before, after))
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(told, other, strict=False))
    at = max(0, sum(1 for _pair in alike) - 100)
    return f"{where}: {told[at : at + 300]!r} became {other[at : at + 300]!r}"


def test_the_control_a_change_of_what_is_public_is_seen(doors: Doors) -> None:
    addresses = public_addresses(doors, [])
    before = asked(addresses[:200])

    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE supplies_need SET urgency = 5 - urgency")
        after = asked(addresses[:200])
        transaction.set_rollback(True)

    assert before != after


def test_every_sealed_column_is_private() -> None:
    private = {(model, field.column) for model, field in private_columns()}

    assert {(model, face.column) for model, face in sealed_columns()} <= private
