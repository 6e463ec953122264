"""Runs stay as they were and can be solved again: the same plan to the last byte, and its proposals its own."""

import io
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, models, transaction

from matching import running, services
from matching.kernel.columns import unpacked
from matching.kernel.plan import Plan
from matching.kernel.version import VERSION, kernel, sources
from matching.models import FamilyRun, MatchingRun, Proposal
from matching.replay import Outcome, replay
from supplies.organisations.models import User
from tests.makers import NOW, make_emergency, make_item, make_need, make_offer
from tests.owner import as_owner, tampered

pytestmark = pytest.mark.django_db


def match(**options: Any) -> MatchingRun:
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW, **options)
    for family in running.open_run(run.pk, at=NOW):
        running.solve_family(family.pk, clock=lambda: NOW)
    return MatchingRun.objects.get(pk=run.pk)


@pytest.fixture
def run() -> MatchingRun:
    """Two families, three hospitals, packs, and one need that stays short."""
    goggles = make_item("GOGGLES", name_zh="护目镜")
    for urgency in (1, 2, 3):
        make_need(quantity=70, urgency=urgency)
        make_need(quantity=30, urgency=urgency, item=goggles)
    make_offer(quantity=150, pack=10)
    make_offer(quantity=200, item=goggles)
    return match()


# --- unchangeable


def raw(statement: str, *values: Any) -> None:
    with as_owner(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, values)


CHANGED = {"jsonb": "'{\"x\": 1}'", "boolean": "NOT COLUMN", "bytea": "'\\x00'", "uuid": "gen_random_uuid()"}
OF_A_PROPOSAL = [
    "family_run_id",
    "need_id",
    "offer_id",
    "quantity",
    "km",
    "days",
    "place",
    "condition",
    "because",
]


def columns_of(model: type[models.Model]) -> Iterator[tuple[str, str]]:
    """Each column with an expression for something else than it holds."""
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, model._meta.db_table)
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s",
            [model._meta.db_table],
        )
        kinds = dict(cursor.fetchall())
    for column in described:
        kind = kinds[column.name]
        new = CHANGED.get(kind) or (
            "COLUMN + 1" if "int" in kind else "COLUMN || 'x'" if "char" in kind else "now()"
        )
        yield column.name, "'{x}'" if kind == "ARRAY" else new.replace("COLUMN", f'"{column.name}"')


def test_no_column_of_a_run_that_has_ended_can_be_changed_and_no_row_deleted(run: MatchingRun) -> None:
    for model, of_it in ((MatchingRun, None), (FamilyRun, None), (Proposal, OF_A_PROPOSAL)):
        columns = {name: new for name, new in columns_of(model) if of_it is None or name in of_it}
        assert len(columns) >= 9
        for column, new in columns.items():
            with pytest.raises(IntegrityError, match="not changed"):
                raw(f'UPDATE {model._meta.db_table} SET "{column}" = {new}')
        with pytest.raises(IntegrityError, match=r"not changed|is kept"):
            raw(f"DELETE FROM {model._meta.db_table}")


def test_who_approved_what_and_why_can_not_be_rewritten(run: MatchingRun, volunteer: User) -> None:
    found = Proposal.objects.order_by("place")[0]
    services.approve(found, quantity=10, reason="recount", by=volunteer, at=NOW)

    for change in (
        "quantity_left_out = 0",
        "deviation = 'transport'",
        "passed_over = 3",
        "approved_by_id = NULL",
    ):
        with pytest.raises(IntegrityError, match="not changed"):
            raw(f"UPDATE matching_proposal SET {change} WHERE id = %s", found.pk)


def test_a_run_at_work_is_still_written() -> None:
    make_need()
    run = services.start(make_emergency(), trigger="hand", by=None, at=NOW)
    (family,) = running.open_run(run.pk, at=NOW)

    assert FamilyRun.objects.filter(pk=family.pk).update(seconds={"x": 1}) == 1
    assert running.solve_family(family.pk, clock=lambda: NOW)


def test_what_a_run_keeps_for_ever_is_numbers_and_the_name_of_its_policy(run: MatchingRun) -> None:
    for family in run.families.all():
        for stored in (family.problem, family.plan, family.rows):
            texts = {
                name: array.tolist()
                for name, array in unpacked(bytes(stored)).items()
                if not np.issubdtype(array.dtype, np.number) and array.dtype != np.bool_
            }
            assert texts in ({}, {"policy.name": ["urgency"]})


def test_a_run_says_what_it_was_made_with(run: MatchingRun) -> None:
    for family in run.families.all():
        assert family.made_with == {"policy": "urgency", "seed": None, **kernel()}
        assert family.made_with["version"] == VERSION
        assert family.made_with["sources"] == sources()


# --- replay


def test_stored_runs_replay_to_the_last_byte(run: MatchingRun) -> None:
    make_need(quantity=40)
    match(policy="floor")
    match(is_dry=True)

    found = [replay(family) for family in FamilyRun.objects.select_related("run")]

    assert len(found) >= 3
    assert {each.outcome for each in found} == {Outcome.IDENTICAL}
    assert not any(each.made_with_another for each in found)


def test_another_plan_is_found(run: MatchingRun) -> None:
    one, other = run.families.order_by("family")
    with tampered("matching_familyrun") as cursor:
        cursor.execute("UPDATE matching_familyrun SET plan = %s WHERE id = %s", [other.plan, one.pk])

    assert [replay(family).outcome for family in run.families.order_by("family")] == [
        Outcome.OTHER_PLAN,
        Outcome.IDENTICAL,
    ]


def test_the_same_plan_in_other_bytes_is_told_from_another_plan(run: MatchingRun) -> None:
    family = run.families.order_by("family")[0]
    buffer = io.BytesIO()
    np.savez(buffer, **Plan.from_bytes(bytes(family.plan)).arrays())  # not compressed
    with tampered("matching_familyrun") as cursor:
        cursor.execute(
            "UPDATE matching_familyrun SET plan = %s WHERE id = %s", [buffer.getvalue(), family.pk]
        )

    found = replay(FamilyRun.objects.select_related("run").get(pk=family.pk))

    assert (found.outcome, found.is_faithful) == (Outcome.SAME_CONTENTS, True)


@pytest.mark.parametrize("how", ["quantity = quantity + 1", "need_id = %(other)s", "offer_id = %(other)s"])
def test_a_proposal_that_is_not_of_the_plan_is_found(run: MatchingRun, how: str) -> None:
    found = Proposal.objects.order_by("pk")[0]
    other = make_need() if how.startswith("need") else make_offer()
    with tampered("matching_proposal") as cursor:
        change = f"UPDATE matching_proposal SET {how} WHERE id = %(proposal)s"
        cursor.execute(change, {"other": other.pk, "proposal": found.pk})

    outcomes = [replay(family).outcome for family in run.families.select_related("run")]

    assert sorted(outcomes) == [Outcome.IDENTICAL, Outcome.OTHER_PROPOSALS]


def test_the_command_replays_one_run_or_the_last_ones_and_fails_where_one_differs(run: MatchingRun) -> None:
    make_need(quantity=40)
    match(policy="floor")
    said = io.StringIO()

    call_command("replay_run", last=20, json=True, stdout=said)
    assert json.loads(said.getvalue()) == {
        "runs": 2,
        "runs_replayed_faithfully": 2,
        "families": 4,  # what waits for a volunteer is matched again
        "outcomes": {"identical": 4},
        "made_with_another": [],
    }

    with tampered("matching_familyrun") as cursor:
        cursor.execute(
            'UPDATE matching_familyrun SET plan = other.plan, made_with = \'{"numpy": "1.0"}\''
            " FROM matching_familyrun other WHERE other.run_id = matching_familyrun.run_id"
            " AND other.id <> matching_familyrun.id AND matching_familyrun.run_id = %s",
            [run.pk],
        )
    said = io.StringIO()
    with pytest.raises(CommandError, match="1 of 1 runs came out otherwise"):
        call_command("replay_run", str(run.pk), stdout=said)
    assert "other-plan" in said.getvalue()
    assert "numpy 1.0 there" in said.getvalue()


def test_the_command_says_what_it_can_not_replay(run: MatchingRun) -> None:
    waiting = services.start(make_emergency(), trigger="hand", by=None, at=NOW)

    for wrong in ({"last": 0}, {"run": "x"}, {"run": str(waiting.pk)}):
        with pytest.raises(CommandError):
            call_command(
                "replay_run", *([wrong["run"]] if "run" in wrong else []), **{"last": wrong.get("last")}
            )
