"""History is only ever added to, whoever asks; and the journal holds ids and numbers."""

from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, IntegrityError, connection, models, transaction

from supplies.append_only import only_added, rewriting
from supplies.editions.services import bump
from supplies.journal import chain
from supplies.journal.models import Event, Unsealed
from supplies.journal.services import record
from supplies.organisations.models import User
from supplies.papers.services import certify
from supplies.receipts import services as receiving
from supplies.regions.models import Region
from supplies.shipments.rearranging import reassign
from supplies.shipments.tracking import TrackingEvent
from tests.makers import NOW, make_announcement, make_emergency, make_organisation, make_shipment
from tests.owner import as_owner
from tests.supplies.organisations.verdicts import yes

pytestmark = pytest.mark.django_db
HISTORY = [model for model in apps.get_models() if only_added(model)]


@pytest.fixture
def history(volunteer: User) -> None:
    """A row in each table of history."""
    yes(make_organisation(verified=False), volunteer)
    shipment = make_shipment(status="delivered")
    line = shipment.lines.get()
    receiving.receive(shipment, counts=[{"line": line, "accepted": 90, "damaged": 10}], by=None, at=NOW)
    certify(line.allocation.offer.donation, by=None, at=NOW)
    booked = make_shipment(status="booked")
    reassign(booked, carrier=make_organisation("carrier"), reason="broken down", by=None, at=NOW)
    bump(Region, at=NOW)
    make_announcement()
    chain.seal(at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # a table with open checks cannot be emptied anyway


def answer(statement: str) -> str:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            return f"{cursor.rowcount} rows"
    except DatabaseError as error:
        return str(error).splitlines()[0]


def attempts(model: type[models.Model]) -> list[str]:
    """To change every row, to delete every row, to empty the table."""
    table, rule = model._meta.db_table, only_added(model)
    free = {"pk", *(rule.may_change if rule else ())}
    fixed = next(f for f in model._meta.concrete_fields if f.name not in free and not f.primary_key)
    return [
        f'UPDATE {table} SET "{fixed.column}" = NULL',
        f"DELETE FROM {table}",
        f"TRUNCATE {table} CASCADE",
    ]


def test_what_is_only_ever_added_is_this() -> None:
    names = {model.__name__ for model in HISTORY}

    assert {
        "Event",
        "Seal",
        "TrackingEvent",
        "Verification",
        "Receipt",
        "ReceiptLine",
        "Discrepancy",
    } <= names


def test_not_even_the_owner_of_the_tables_rewrites_history_by_mistake(history: None) -> None:
    with as_owner():
        answers = {statement: answer(statement) for model in HISTORY for statement in attempts(model)}

    assert not {statement: said for statement, said in answers.items() if "are only ever added" not in said}


def test_the_site_has_no_right_to(history: None) -> None:
    answers = {statement: answer(statement) for model in HISTORY for statement in attempts(model)}

    assert not {statement: said for statement, said in answers.items() if "permission denied" not in said}


def test_the_control_what_is_not_history_is_rewritten() -> None:
    record(make_emergency(), "test.rang", by=None, at=NOW)
    table = Unsealed._meta.db_table

    with as_owner():
        assert answer(f"UPDATE {table} SET event_id = 1") == "1 rows"
        assert answer(f"DELETE FROM {table}") == "1 rows"
        assert answer(f"TRUNCATE {table}") == "-1 rows"


def test_only_the_owner_may_rewrite_and_has_to_say_so(history: None) -> None:
    later = "UPDATE supplies_trackingevent SET recorded_at = recorded_at + interval '1 day'"

    with rewriting():
        assert answer(later).startswith("permission denied")
        with as_owner(), connection.cursor() as cursor:
            cursor.execute("GRANT UPDATE ON supplies_trackingevent TO tongzhou_web")
        assert "are only ever added" in answer(later)
        with as_owner():
            assert answer(later).endswith(" rows")
    with as_owner():
        assert "are only ever added" in answer(later)


def test_free_text_can_be_blackened_and_nothing_beside_it(history: None) -> None:
    event = TrackingEvent.objects.first()
    assert event
    event.note = "***"
    event.save(update_fields=["note"])

    event.step = "loading"
    with pytest.raises(DatabaseError), transaction.atomic():
        event.save()
    with as_owner(), pytest.raises(IntegrityError, match="only ever added"), transaction.atomic():
        event.save()

    event.refresh_from_db()
    assert (event.note, event.step) == ("***", "departing")


@pytest.mark.parametrize("model", HISTORY)
def test_nothing_that_has_a_history_is_deleted_with_it(model: type[models.Model]) -> None:
    """Django would try to delete the history first, and fail without saying why."""
    keys = [field for field in model._meta.concrete_fields if isinstance(field, models.ForeignKey)]

    assert all(key.remote_field.on_delete is models.PROTECT for key in keys)


@pytest.mark.parametrize(
    "facts",
    [
        {"number": 7, "share": 0.5, "left": None, "new": True},
        {"item": "MASK_SURG", "user": 3, "need": "6f1c1f0e-6b1f-4d3a-9a34-1d2f3c4b5a69"},
        {
            "changed": ["needed_by", "quantity"],
            "since": "2026-11-23T08:00:00+08:00",
            "from": "203.0.113.0/24",
        },
    ],
)
def test_facts_are_ids_and_numbers(facts: dict[str, Any]) -> None:
    assert record(make_emergency(), "test.rang", by=None, at=NOW, **facts).facts == facts


@pytest.mark.parametrize(
    "facts",
    [
        {"who": "演练者"},
        {"who": "Exercise Person"},
        {"mail": "a@b.invalid"},
        {"deep": [{"er": ["two words"]}]},
        {"long": "x" * 81},
    ],
)
def test_the_journal_refuses_words(facts: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError, match="event_facts_are_ids_and_numbers"), transaction.atomic():
        record(make_emergency(), "test.rang", by=None, at=NOW, **facts)

    assert not Event.objects.exists()
