"""Rows that are edited by hand: nobody saves over what somebody else has saved meanwhile. And the journal, in words."""

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from supplies.catalogue.models import Standard, TransportMode
from supplies.emergencies.models import Emergency
from supplies.journal.admin import UnchangedMeanwhile
from supplies.journal.models import Event
from supplies.journal.services import record
from supplies.journal.words import FACTS, NAMED, WORDED
from supplies.organisations.models import User
from tests.at_once import behind, held
from tests.desk import at_the_desk, list_of, page_of, version
from tests.makers import NOW, make_emergency, make_item, make_mode, make_standard, make_user
from tests.pages.forms import shown

SENTENCE = "Somebody changed this while you had it open"


def root() -> User:
    return make_user(is_staff=True, is_superuser=True)


def form(mode: TransportMode, **fields: Any) -> dict[str, Any]:
    """The page of a way of transport as it was opened, with something changed."""
    usual = {
        "name_zh": "公路",
        "name_en": "Road",
        "km_per_day": 700,
        "max_km": "",
        "rec19": "3",
        "source": "TYP",
    }
    return {**usual, **version(mode), **fields}


def save(client: Client, mode: TransportMode, **fields: Any) -> Any:
    return client.post(page_of(mode), form(mode, **fields))


@pytest.mark.django_db
def test_every_desk_whose_rows_are_edited_is_guarded() -> None:
    request = RequestFactory().get("/")
    request.user = root()

    edited = [desk for desk in admin.site._registry.values() if desk.has_change_permission(request)]

    assert len(edited) > 5
    assert [desk for desk in edited if not isinstance(desk, UnchangedMeanwhile)] == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "make", [make_mode, make_emergency, make_standard, root], ids=lambda make: make.__name__
)
def test_the_page_of_a_row_brings_its_version(make: Any) -> None:
    row = make()

    page = at_the_desk(root()).get(page_of(row)).content.decode()

    assert any({"version", "once"} <= fields for _action, fields in shown(page))
    assert f'value="{version(row)["version"]}"' in page


@pytest.mark.django_db
def test_of_two_who_opened_the_same_page_the_second_is_told_and_overwrites_nothing() -> None:
    mode, client = make_mode(), at_the_desk(root())
    opened = form(mode, km_per_day=500)

    first = save(client, mode, km_per_day=600)
    second = client.post(page_of(mode), opened)

    mode.refresh_from_db()
    assert (first.status_code, second.status_code, mode.km_per_day) == (302, 200, 600)
    assert SENTENCE in second.content.decode()
    assert 'value="500"' in second.content.decode()  # what was typed is not lost


@pytest.mark.django_db
def test_who_was_told_cannot_simply_save_again() -> None:
    mode, client = make_mode(), at_the_desk(root())
    opened = form(mode, km_per_day=500)
    save(client, mode, km_per_day=600)

    page = client.post(page_of(mode), opened).content.decode()

    assert f'name="version" value="{opened["version"]}"' in page
    assert SENTENCE in client.post(page_of(mode), opened).content.decode()


@pytest.mark.django_db
def test_a_form_without_a_version_saves_nothing() -> None:
    mode = make_mode()

    answer = save(at_the_desk(root()), mode, km_per_day=500, version="")

    mode.refresh_from_db()
    assert SENTENCE in answer.content.decode()
    assert mode.km_per_day == 700


@pytest.mark.django_db
def test_a_change_of_what_a_row_refers_to_alone_counts_as_well() -> None:
    standard = make_standard(aliases=["x"])
    client = at_the_desk(root())
    page = client.get(page_of(standard)).context["adminform"].form.initial
    opened = {key: "" if value is None else value for key, value in page.items()} | version(standard)

    answers = [
        client.post(page_of(standard), {**opened, "aliases": "x", "is_verified": "", "items": [item.pk]})
        for item in (make_item("GOWN"), make_item("GOGGLES"))
    ]

    assert [answer.status_code for answer in answers] == [302, 200]
    assert [item.pk for item in Standard.objects.get(pk=standard.pk).items.all()] == ["GOWN"]


@pytest.mark.django_db
def test_an_emergency_that_was_moved_on_meanwhile_is_not_saved_over() -> None:
    emergency, client = make_emergency(), at_the_desk(root())
    opened = {
        "name_zh": "演练疫情",
        "name_en": "Exercise outbreak",
        "began_on": "2026-11-23",
        "proposal_hours": "24",
        "remind_days": "1",
        "grey_days": "3",
        "confirm_days": "7",
        "ship_within_days": "3",
        **version(emergency),
    }
    Emergency.objects.update(status="recover")

    answer = client.post(page_of(emergency), opened)

    emergency.refresh_from_db()
    assert SENTENCE in answer.content.decode()
    assert (emergency.status, emergency.proposal_hours) == ("recover", 48)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("guarded", "saved"), [(True, [200, 302]), (False, [302, 302])], ids=["", "the control"]
)
def test_of_two_who_save_at_once_one_is_saved(monkeypatch: Any, guarded: bool, saved: list[int]) -> None:
    """The control is Django's own desk, in which the last one wins."""
    if not guarded:
        monkeypatch.setattr(UnchangedMeanwhile, "get_form", admin.ModelAdmin.get_form)
    mode = make_mode()
    opened = [form(mode, km_per_day=number) for number in (500, 600)]
    clients = [at_the_desk(root()), at_the_desk(root())]

    answers = behind(
        held(TransportMode.objects.filter(pk=mode.pk)),
        [
            lambda client=client, sent=sent: client.post(page_of(mode), sent)  # type: ignore[misc]
            for client, sent in zip(clients, opened, strict=True)
        ],
    )

    assert sorted(answer.status_code for answer in answers) == saved


@pytest.mark.django_db
def test_the_journal_tells_facts_in_words_and_leads_to_what_it_is_about(volunteer: User) -> None:
    emergency, item = make_emergency(), make_item()
    record(emergency, "emergency.phase", by=volunteer, at=NOW, phase="recover", item=item.pk, step="x")

    page = at_the_desk(volunteer).get(list_of(Event)).content.decode()

    assert f"item: {item}; phase: recover" in page
    assert "step" not in page
    assert f'<a href="{page_of(emergency)}">Emergency {emergency.pk[:8]}</a>' in page


@pytest.mark.django_db
def test_the_page_of_an_entry_keeps_the_codes_that_programs_read(volunteer: User) -> None:
    record(make_emergency(), "emergency.phase", by=volunteer, at=NOW, phase="recover", step="x")

    page = at_the_desk(volunteer).get(page_of(Event.objects.get(kind="emergency.phase"))).content.decode()

    assert "phase: recover" in page
    assert "emergency.phase" in page
    assert "&quot;step&quot;" in page


def test_every_fact_that_is_a_code_has_words() -> None:
    for columns in WORDED.values():
        for column in columns:
            table, _dot, field = column.rpartition(".")
            assert apps.get_model(table)._meta.get_field(field).flatchoices, column
    assert set(WORDED) | set(NAMED) <= set(FACTS)


@pytest.mark.django_db
def test_the_journal_asks_as_much_for_many_entries_as_for_one(volunteer: User) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(list_of(Event)).status_code == 200
        return len(queries)

    client, emergency = at_the_desk(volunteer), make_emergency()
    for code in ("MASK_SURG", "GOWN"):
        record(emergency, "need.met", by=None, at=NOW, item=make_item(code).pk, emergency=emergency.pk)
    asked()
    few = asked()
    for code in ("GOGGLES", "GLOVES", "SUIT"):
        record(emergency, "need.met", by=None, at=NOW, item=make_item(code).pk, emergency=emergency.pk)

    assert asked() == few
