"""A migration runs while the site is in use: what it may do to tables that may hold a million rows."""

from collections.abc import Iterator

import pytest
from django.apps.registry import Apps
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.functions import Now, Random, Upper

from supplies.at_once import CreateModels
from tests.owner import as_owner

OURS = ("supplies", "matching")

# Tables that stay small enough to be locked for a moment: reference data and what an operator writes.
SMALL = {
    "apitoken",
    "category",
    "emergency",
    "import",  # a row for each file that was handed in
    "item",
    "opencount",
    "referenceedition",
    "region",
    "savedsearch",  # a few of each account
    "standard",
    "substitution",
    "trackingcode",
    "transportmode",
    "unit",
    "unitrule",
}


def faults(operations: list[Operation], state: ProjectState, app: str) -> Iterator[str]:
    """What would hold up the site, operation by operation.

    state    the models as they are before the operations
    """
    made: set[str] = set()
    for operation in operations:
        name = getattr(operation, "model_name_lower", getattr(operation, "name_lower", ""))
        if isinstance(operation, CreateModels):
            made |= {model.name_lower for model in operation.models}
        elif isinstance(operation, migrations.CreateModel):
            made.add(name)
        elif name not in made | SMALL and (fault := _fault(operation, state, app, name)):
            yield f"{operation.describe()}: {fault}"
        operation.state_forwards(app, state)


def _fault(operation: Operation, state: ProjectState, app: str, model: str) -> str | None:
    if isinstance(operation, migrations.AddIndex) and not isinstance(operation, AddIndexConcurrently):
        return "nobody can write while the index is built; use AddIndexConcurrently"
    if isinstance(operation, migrations.AddConstraint) and isinstance(
        operation.constraint, models.UniqueConstraint
    ):
        return "nobody can write while its index is built; build the index concurrently first"
    if isinstance(operation, migrations.AddField):
        field = operation.field
        default = field.db_default
        is_worked_out = hasattr(default, "resolve_expression") and not isinstance(default, models.Value)
        if isinstance(field, models.GeneratedField) or is_worked_out:
            return "every row is written anew to work out its value; add it empty and fill it in by steps"
        if field.unique or field.db_index:
            return "nobody can write while its index is built; add it without, and the index concurrently"
    if isinstance(operation, migrations.AlterField):
        before = state.models[app, model].fields[operation.name]
        if before.null and not operation.field.null:
            return "the table is locked while every row is looked through; prove it by a check that was validated"
        if _column(before) != _column(operation.field):
            return "the table may be written anew; add a column, fill it in by steps, and drop the old one"
    return None


def _column(field: models.Field) -> tuple[str, int | None]:
    """A column's type; texts may grow without being written anew, and are not told apart by their length."""
    return field.get_internal_type(), getattr(field, "decimal_places", None)


def our_migrations() -> list[tuple[str, str]]:
    return sorted(key for key in MigrationLoader(None).disk_migrations if key[0] in OURS)


@pytest.mark.parametrize("key", our_migrations(), ids="-".join)
def test_a_migration_does_not_hold_up_a_site_with_a_million_rows(key: tuple[str, str]) -> None:
    loader = MigrationLoader(None)
    migration = loader.disk_migrations[key]
    before = loader.project_state(
        [tuple(parent) for parent in migration.dependencies if parent[1] != "__first__"]
    )

    assert list(faults(migration.operations, before, key[0])) == []


# -- The history before the first release, of which databases may still know every step -------------------


def replaced() -> dict[tuple[str, str], list[tuple[str, str]]]:
    return {key: migration.replaces for key, migration in MigrationLoader(None).disk_migrations.items()}


def test_no_migration_bears_the_name_of_an_old_one_and_none_of_these_is_replaced_twice() -> None:
    old = [key for keys in replaced().values() for key in keys]

    assert not set(our_migrations()) & set(old)
    assert len(old) == len(set(old)) == 54 + 8


def go_back(last: str) -> MigrationExecutor:
    """As on a database that had the old history up to this one of the supplies' and knows nothing of ours."""
    with as_owner(), connection.cursor() as cursor:
        for app, name in our_migrations():
            cursor.execute("DELETE FROM django_migrations WHERE (app, name) = (%s, %s)", [app, name])
        cursor.execute("DELETE FROM django_migrations WHERE app = 'supplies' AND left(name, 4) > %s", [last])
    return MigrationExecutor(connection)


@pytest.mark.django_db
def test_a_database_that_had_the_whole_old_history_applies_only_what_came_after_it() -> None:
    executor = go_back("0054")

    left = executor.migration_plan(executor.loader.graph.leaf_nodes())
    assert [migration for migration, _back in left if migration.replaces] == []
    assert executor.loader.detect_conflicts() == {}


@pytest.mark.django_db
@pytest.mark.parametrize("last", ["0003", "0017", "0053"])
def test_one_that_had_a_part_of_it_is_refused(last: str) -> None:
    assert "supplies" in go_back(last).loader.detect_conflicts()


# -- What the rule finds ----------------------------------------------------------------------------------


class Thing(models.Model):
    """A large table, as it was before."""

    note = models.CharField(max_length=10, null=True)  # noqa: DJ001
    number = models.IntegerField()

    class Meta:
        app_label = "supplies"
        apps = Apps()  # of its own, so that nobody else takes it for a model of the site


def _add(field: models.Field) -> Operation:
    return migrations.AddField("thing", "more", field)


HOLD_UP = {
    "an index": migrations.AddIndex("thing", models.Index(fields=["number"], name="a")),
    "a unique constraint": migrations.AddConstraint(
        "thing", models.UniqueConstraint(fields=["number"], name="b")
    ),
    "a value for every row": _add(models.FloatField(db_default=Random())),
    "a clock for every row": _add(models.DateTimeField(db_default=Now())),
    "a generated column": _add(
        models.GeneratedField(expression=Upper("note"), output_field=models.TextField(), db_persist=True)
    ),
    "an indexed column": _add(models.IntegerField(null=True, db_index=True)),
    "a unique column": _add(models.IntegerField(null=True, unique=True)),
    "a reference with its index": _add(models.ForeignKey("supplies.item", models.PROTECT, null=True)),
    "no null any more": migrations.AlterField("thing", "note", models.CharField(max_length=10)),
    "another type": migrations.AlterField("thing", "number", models.BigIntegerField()),
}
DO_NOT = {
    "an index beside": AddIndexConcurrently("thing", models.Index(fields=["number"], name="c")),
    "an empty column": _add(models.IntegerField(null=True)),
    "a column with one value": _add(models.IntegerField(default=0)),
    "a column with one value in the database": _add(models.IntegerField(db_default=0)),
    "a reference without its index": _add(
        models.ForeignKey("supplies.item", models.PROTECT, null=True, db_index=False)
    ),
    "a longer text": migrations.AlterField("thing", "note", models.CharField(max_length=20, null=True)),
    "another sentence": migrations.AlterField("thing", "number", models.IntegerField(help_text="How many.")),
}


def _state() -> ProjectState:
    state = MigrationLoader(None).project_state(("supplies", "0002_first_release"))
    state.add_model(migrations.state.ModelState.from_model(Thing))
    return state


@pytest.mark.parametrize("name", HOLD_UP)
def test_what_holds_up_a_large_table_is_found(name: str) -> None:
    assert len(list(faults([HOLD_UP[name]], _state(), "supplies"))) == 1


@pytest.mark.parametrize("name", DO_NOT)
def test_what_does_not_is_let_through(name: str) -> None:
    assert list(faults([DO_NOT[name]], _state(), "supplies")) == []


def test_a_table_that_is_new_or_small_may_be_changed_as_one_likes() -> None:
    new = migrations.CreateModel("Fresh", [("id", models.BigAutoField(primary_key=True))])
    operations = [
        new,
        migrations.AddField("fresh", "number", models.IntegerField(db_index=True, default=0)),
        migrations.AddField("emergency", "number", models.IntegerField(db_index=True, default=0)),
    ]

    assert list(faults(operations, _state(), "supplies")) == []


@pytest.mark.django_db
def test_every_index_is_valid() -> None:
    """One that was being built beside its table when something went wrong stays behind and helps nobody."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid")
        assert cursor.fetchall() == []


# -- Many models at once ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_models_that_refer_to_each_other_are_made_in_one_step_and_unmade_in_one() -> None:
    key = ("id", models.BigAutoField(primary_key=True))
    step = CreateModels(
        [
            migrations.CreateModel("Egg", [key, ("hen", models.ForeignKey("supplies.hen", models.CASCADE))]),
            migrations.CreateModel("Hen", [key, ("egg", models.ForeignKey("supplies.egg", models.CASCADE))]),
        ]
    )
    before, after = ProjectState(), ProjectState()
    assert after.apps.all_models["supplies"] == {}  # worked out once before, and again when there are more
    step.state_forwards("supplies", after)

    with as_owner():
        with connection.schema_editor() as editor:
            step.database_forwards("supplies", editor, before, after)
        made = _references()
        with connection.schema_editor() as editor:
            step.database_backwards("supplies", editor, after, before)

    assert made == {("supplies_egg", "supplies_hen"), ("supplies_hen", "supplies_egg")}
    assert _references() == set()


def _references() -> set[tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, confrelid::regclass::text FROM pg_constraint"
            " WHERE contype = 'f' AND conrelid::regclass::text IN ('supplies_egg', 'supplies_hen')"
        )
        return set(cursor.fetchall())
