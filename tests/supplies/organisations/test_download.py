"""A list of the desk, taken away as a file."""

import csv
import time
import uuid
from io import StringIO
from typing import Any

import pytest
from allauth.account.authentication import AUTHENTICATION_METHODS_SESSION_KEY
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import UUIDField
from django.urls import reverse

from supplies.journal.models import Event
from supplies.needs.models import Appeal
from supplies.organisations import download
from supplies.organisations.desk import DeskAdmin
from supplies.organisations.models import Organisation, User
from tests.access.conftest import doors, world  # noqa: F401
from tests.access.doors import Doors
from tests.access.world import ROLES
from tests.desk import at_the_desk, choose, list_of, told
from tests.makers import make_appeal, make_facility, make_member, make_organisation, make_region

pytestmark = pytest.mark.django_db


def read(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_chosen_rows_are_told_as_the_list_tells_them(volunteer: User) -> None:
    chosen, other = make_organisation(name="演练医院甲"), make_organisation(name="演练医院乙")

    answer = choose(at_the_desk(volunteer), "download", chosen)

    head, *rows = read(answer)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="organisation-')
    assert len(rows) == 1
    assert len(head) == len(rows[0])
    assert "演练医院甲" in rows[0]
    assert other.name not in rows[0]
    assert "<" not in "".join(rows[0])


def test_a_name_that_is_a_formula_is_none_in_the_file(volunteer: User) -> None:
    row = make_organisation(name='=HYPERLINK("https://evil.example","医院")')

    _head, cells = read(choose(at_the_desk(volunteer), "download", row))

    assert f"'{row.name}" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@"))]


def test_a_private_number_in_free_words_stays_masked_for_everybody(monkeypatch: Any, volunteer: User) -> None:
    appeal = make_appeal(make_facility(), remark="请致电 13812345678")
    desk = admin.site._registry[Appeal]
    monkeypatch.setattr(type(desk), "list_display", ("pk", "remark"))

    _head, cells = read(choose(at_the_desk(volunteer), "download", appeal))

    assert cells == [str(appeal.pk), "请致电 138****5678", "–"]


def test_the_journal_says_who_took_how_many_rows_of_which_list(volunteer: User) -> None:
    rows = [make_organisation(), make_organisation()]

    read(choose(at_the_desk(volunteer), "download", *rows))

    event = Event.objects.get(kind="list.downloaded")
    assert (event.by, event.facts) == (volunteer, {"list": "organisation", "rows": 2})


def test_whoever_has_not_proven_who_she_is_lately_is_led_to_it_and_takes_nothing(volunteer: User) -> None:
    client = at_the_desk(volunteer)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "mfa", "at": time.time() - 86_400}]
    session.save()

    answer = choose(client, "download", make_organisation())

    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("confirm"))
    assert not Event.objects.filter(kind="list.downloaded").exists()


def test_a_file_that_holds_not_all_that_was_chosen_says_so(monkeypatch: Any, volunteer: User) -> None:
    monkeypatch.setattr(download, "MOST", 2)
    rows = [make_organisation(), make_organisation(), make_organisation()]

    answer = choose(at_the_desk(volunteer), "download", *rows)

    assert len(read(answer)) == 3
    assert "-first-2.csv" in answer.headers["Content-Disposition"]
    assert told(answer) == [
        "The file holds the first 2 rows; more were chosen. Narrow the list for the others."
    ]


def test_all_rows_of_a_list_are_taken_in_pieces_in_its_order(monkeypatch: Any, volunteer: User) -> None:
    monkeypatch.setattr(download, "PIECE", 2)
    names = sorted(make_organisation(name=f"演练院{number}").name for number in range(5))
    form = {
        "action": "download",
        ACTION_CHECKBOX_NAME: [str(Organisation.objects.first().pk)],
        "select_across": "1",
    }

    answer = at_the_desk(volunteer).post(f"{list_of(Organisation)}?status=all&o=1", {**form, "index": "0"})

    found = [cell for row in read(answer) for cell in row if cell.startswith("演练院")]
    assert found == names


def test_a_coordinator_takes_the_rows_of_her_regions_only() -> None:
    here, elsewhere = make_appeal(make_facility()), make_appeal(make_facility(region=make_region("110101")))
    coordinator = make_member("coordinator")
    coordinator.memberships.get().regions.add(here.facility.region)

    _head, *rows = read(choose(at_the_desk(coordinator), "download", here, elsewhere))

    assert [here.facility.name in row for row in rows] == [True]


# -- every list -------------------------------------------------------------------------------------------

DESKS = {model: desk for model, desk in admin.site._registry.items() if isinstance(desk, DeskAdmin)}


@pytest.mark.parametrize("model", DESKS, ids=lambda model: model._meta.label_lower)
def test_who_may_read_a_list_may_take_all_of_it_and_nobody_else(model: Any, doors: Doors) -> None:  # noqa: F811
    key = getattr(
        model._meta.pk, "target_field", model._meta.pk
    )  # of the row it belongs to, where it is that row's
    any_key = uuid.UUID(int=1) if isinstance(key, UUIDField) else 1
    form = {"action": "download", ACTION_CHECKBOX_NAME: [str(any_key)], "select_across": "1", "index": "0"}
    reading = [role for role in ROLES if doors.clients[role].get(list_of(model)).status_code == 200]

    answers = {role: doors.clients[role].post(list_of(model), form) for role in ROLES}

    assert [role for role in ROLES if answers[role].status_code == 200] == reading
    assert "admin" in reading
    for role in reading:
        head, *rows = read(answers[role])
        assert all(len(row) == len(head) for row in rows)
