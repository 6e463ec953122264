"""Who may do what in the database: grants.csv, and nothing that it does not say."""

import csv
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction

from supplies.append_only import only_added
from supplies.sealing import Sealed
from supplies.upkeep import roles
from tests.owner import as_owner, as_role

pytestmark = pytest.mark.django_db
# Elsewhere "code" is a tracking code: whoever knows it may follow the goods.
CODES_THAT_NAME_GOODS_AND_PLACES = {
    f"supplies_{table}"
    for table in [
        "category",
        "emergency",
        "item",
        "region",
        "standard",
        "trackingcode",
        "trackingevent",
        "transportmode",
        "unit",
        "unitrule",
    ]
} | {"matching_matchingpolicy"}


def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def command(*arguments: str) -> str:
    out = StringIO()
    with as_owner():
        call_command("database_roles", *arguments, stdout=out)
    return out.getvalue()


def sealed_columns() -> set[tuple[str, str]]:
    return {
        (model._meta.db_table, f"{name}_sealed")
        for model in apps.get_models()
        for name, face in vars(model).items()
        if isinstance(face, Sealed)
    }


def test_somebody_has_decided_about_every_table() -> None:
    with roles.GRANTS.open(encoding="utf-8", newline="") as file:
        decided = {row["table"] for row in csv.DictReader(file)}

    assert not roles.tables() - decided, f"Add to grants.csv:\n{roles.lines_to_add(roles.tables() - decided)}"
    assert not decided - roles.tables(), "grants.csv names tables there are not"


def test_the_database_gives_what_the_file_says_and_nothing_else() -> None:
    assert roles.actual() == roles.wanted()
    assert roles.powerful() == []
    assert "all as grants.csv says" in command("--check")


def test_granting_twice_changes_nothing() -> None:
    assert "0 changed" in command()


def test_a_table_nobody_decided_about_stops_the_granting_and_is_nobodys() -> None:
    with as_owner():
        run("CREATE TABLE supplies_planted (id int)")

    with pytest.raises(CommandError, match="Nobody has decided who may use supplies_planted"):
        command()
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        run("SELECT * FROM supplies_planted")


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        (
            "GRANT DELETE ON supplies_event TO tongzhou_web",
            "should not have tongzhou_web: delete on supplies_event",
        ),
        ("GRANT SELECT ON supplies_contact TO PUBLIC", "should not have PUBLIC: select on supplies_contact"),
        (
            "GRANT UPDATE (facts) ON supplies_event TO tongzhou_worker",
            "tongzhou_worker: update(facts) on supplies_event",
        ),
        ("REVOKE INSERT ON supplies_need FROM tongzhou_web", "lacks tongzhou_web: insert on supplies_need"),
        ("ALTER TABLE supplies_unit OWNER TO tongzhou_web", "tongzhou_web is more than a user"),
    ],
)
def test_what_somebody_granted_by_hand_is_found_and_put_right(planted: str, said: str) -> None:
    with as_owner():
        run("SET CONSTRAINTS ALL IMMEDIATE")
        run(planted)

    with pytest.raises(CommandError) as found:
        command("--check")
    assert said in str(found.value)

    if "OWNER" not in planted:
        command()
        assert roles.actual() == roles.wanted()


def test_history_is_only_added_to_by_right_too() -> None:
    may: dict[str, set[tuple[str, str]]] = {}
    for right in roles.wanted():
        if right.role in ("web", "worker") and right.privilege != "select":
            may.setdefault(right.table, set()).add((right.privilege, right.column))

    for model in apps.get_models():
        rule, table = only_added(model), model._meta.db_table
        changes = {one for one in may.get(table, set()) if one != ("insert", "")}
        if rule:
            assert changes == {("update", column) for column in rule.may_change}, table


def test_reports_read_nothing_sealed_and_no_secret() -> None:
    every = apps.get_models(include_auto_created=True)
    columns = {model._meta.db_table: [f.column for f in model._meta.concrete_fields] for model in every}
    read = {
        (right.table, column)
        for right in roles.wanted()
        if right.role == "reports"
        for column in ([right.column] if right.column else columns.get(right.table, []))
    }

    assert ("supplies_contact", "phone_sealed") in sealed_columns()
    assert not read & sealed_columns()
    assert not {column for _table, column in read} & {
        "password",
        "session_data",
        "username",
        "email",
        "phone",
    }
    assert {table for table, column in read if column == "code"} <= CODES_THAT_NAME_GOODS_AND_PLACES


CANNOT: dict[str, list[str]] = {
    "web": [
        "CREATE TABLE planted (id int)",
        "ALTER TABLE supplies_need DROP COLUMN quantity",
        "CREATE TEMPORARY TABLE planted (id int)",
        "UPDATE supplies_event SET kind = 'x'",
        "DELETE FROM supplies_need",
        "INSERT INTO supplies_seal (number, at, events, digest) VALUES (1, now(), '{1}', '')",
        "DELETE FROM supplies_unsealed",
        "ALTER TABLE supplies_event DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        "COPY supplies_need TO '/tmp/planted'",
        "CREATE ROLE planted",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
    ],
    "worker": [
        "UPDATE supplies_seal SET at = now()",
        "TRUNCATE supplies_unsealed",
        "CREATE TABLE planted (id int)",
    ],
    "audit": ["SELECT * FROM supplies_need", "SELECT * FROM supplies_user", "DELETE FROM supplies_unsealed"],
    "reports": [
        "SELECT phone_sealed FROM supplies_contact",
        "SELECT * FROM supplies_user",
        "SELECT code FROM supplies_shipment",
        "SELECT remark FROM supplies_appeal",
        "UPDATE supplies_need SET quantity = 1",
    ],
}
CAN: dict[str, list[str]] = {
    "web": ["SELECT * FROM supplies_contact", "UPDATE supplies_trackingevent SET note = ''"],
    "worker": ["DELETE FROM supplies_unsealed", "UPDATE supplies_need SET quantity = 1"],
    "audit": ["SELECT * FROM supplies_event, supplies_seal, supplies_unsealed"],
    "reports": [
        "SELECT item_id, sum(quantity_outstanding) FROM supplies_need GROUP BY 1",
        "SELECT * FROM supplies_event",
    ],
}


@pytest.mark.parametrize("role", roles.ROLES)
def test_each_role_does_its_work_and_no_other(role: str) -> None:
    with as_role(roles.name_of(role)):
        for statement in CANNOT[role]:
            with pytest.raises(DatabaseError, match=r"permission denied|must be owner"), transaction.atomic():
                run(statement)
        for statement in CAN[role]:
            run(statement)


def test_an_auditor_verifies_the_journal_with_her_own_role() -> None:
    out = StringIO()
    with as_role(roles.name_of("audit")):
        call_command("verify_audit", stdout=out)

    assert "Whole" in out.getvalue()
