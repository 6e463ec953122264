"""Keys of programs: issued for what one may do, for a time, shown once, dead at once."""

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from supplies.errors import Refused
from supplies.organisations import services as people
from supplies.organisations.keys import ApiToken, Scope
from supplies.organisations.models import User
from tests.desk import at_the_desk, list_of
from tests.makers import NOW, make_donation, make_member, make_user
from tests.page_client import reader
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db


def program(key: str) -> Client:
    return Client(headers={"authorization": f"Token {key}"})


def reads(key: str) -> int:
    return program(key).get("/api/v1/donations/").status_code


def issue(user: User, **fields: Any) -> tuple[ApiToken, str]:
    return people.issue_token(user, **{"name": "stock", "scopes": ["read"], "at": timezone.now(), **fields})


@pytest.mark.parametrize(
    ("role", "beyond"),
    [
        ("", {"matching", "shipments", "verify"}),
        ("hospital", {"verify"}),
        ("donor", {"verify"}),
        ("carrier", {"matching", "verify"}),
        ("volunteer", set()),
        ("auditor", {"matching", "shipments", "verify"}),
    ],
)
def test_a_key_allows_no_more_than_the_roles_of_its_person(role: str, beyond: set[str]) -> None:
    user = make_member(role) if role else make_user()

    for scope in Scope.values:
        if scope in beyond:
            with pytest.raises(Refused) as refusal:
                issue(user, scopes=["read", scope])
            assert refusal.value.code == "scope-not-yours"
        else:
            assert issue(user, scopes=[scope])[0].scopes == [scope]


def test_a_key_lasts_ninety_days_unless_told_otherwise_and_a_year_at_most() -> None:
    user = make_user()

    assert issue(user, at=NOW)[0].expires_at == NOW + timedelta(days=90)
    assert issue(user, at=NOW, expires_at=NOW + timedelta(days=366))[0].is_valid(NOW)
    for beyond in (timedelta(days=366, seconds=1), timedelta(0), timedelta(days=-1)):
        with pytest.raises(Refused) as refusal:
            issue(user, at=NOW, expires_at=NOW + beyond)
        assert refusal.value.code == "expiry-out-of-range"


@pytest.mark.parametrize("life", [None, timedelta(days=367), timedelta(0)])
def test_the_database_holds_no_key_without_an_end(life: timedelta | None) -> None:
    token, _key = issue(make_user(), at=NOW)

    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.filter(pk=token.pk).update(expires_at=None if life is None else NOW + life)


def test_a_key_is_dead_with_the_next_request_after_it_was_revoked_or_ran_out_or_its_account_closed() -> None:
    user = make_user()
    keys = [issue(user) for _ in range(3)]
    assert [reads(key) for _token, key in keys] == [200] * 3

    people.revoke_token(keys[0][0], by=user, at=timezone.now())
    assert [reads(key) for _token, key in keys] == [401, 200, 200]
    with time_machine.travel(timezone.now() + timedelta(days=91)):
        assert reads(keys[1][1]) == 401
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert [reads(key) for _token, key in keys] == [401] * 3


def test_the_day_of_its_last_use_is_written_once_a_day() -> None:
    token, key = issue(make_user())
    writes = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        writes.extend([sql] if sql.startswith("UPDATE") else [])
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        for _ in range(3):
            reads(key)

    token.refresh_from_db()
    assert token.last_used_on == timezone.localdate()
    assert len(writes) == 1
    with time_machine.travel(timezone.now() + timedelta(days=1)):
        reads(key)
        token.refresh_from_db()
        assert token.last_used_on == timezone.localdate()


def test_the_page_issues_a_key_that_works_shows_it_once_and_revokes_it() -> None:
    client = reader(make_member("carrier"))
    until = (timezone.localdate() + timedelta(days=30)).isoformat()

    form = client.get(reverse("issue-key")).context["form"]
    fields = {"name": "van tablet", "scopes": ["read", "shipments"], "expires_on": until}
    page = client.post(reverse("issue-key"), fields, follow=True).content.decode()

    key = re.search(r"tz_\w{49}", page).group()  # type: ignore[union-attr]
    assert [value for value, _label in form.fields["scopes"].choices] == [
        "read",
        "needs",
        "offers",
        "shipments",
        "contacts",
        "webhooks",
    ]
    assert reads(key) == 200
    assert key not in client.get(reverse("keys")).content.decode()
    client.post(reverse("revoke-key", args=[ApiToken.objects.get().pk]))
    assert reads(key) == 401


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"name": ""}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["matching"]}, "scopes"),
        ({"expires_on": "2020-02-30"}, "expires_on"),
        ({"expires_on": "2020-02-03"}, "expires_on"),
        ({"expires_on": "9999-12-31"}, "expires_on"),
    ],
)
def test_what_is_wrong_with_a_key_is_said_beside_its_field(fields: dict[str, Any], place: str) -> None:
    good = {
        "name": "x",
        "scopes": ["read"],
        "expires_on": (timezone.localdate() + timedelta(days=9)).isoformat(),
    }

    answer = reader(make_member("carrier")).post(reverse("issue-key"), {**good, **fields})

    assert set(answer.context["form"].errors) == {place}
    assert not ApiToken.objects.exists()


def test_another_s_key_and_a_missing_one_are_not_there() -> None:
    token, key = issue(make_user())
    client = reader(make_user())

    answers = [client.post(reverse("revoke-key", args=[pk])) for pk in (token.pk, make_donation().pk)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].content == answers[1].content
    assert reads(key) == 200


def test_no_table_and_no_session_holds_a_key_before_or_after_it_was_shown() -> None:
    client = reader(make_member("carrier"))
    desk = at_the_desk(make_user("root", is_staff=True, is_superuser=True))
    until = (timezone.localdate() + timedelta(days=30)).isoformat()
    client.post(reverse("issue-key"), {"name": "planted name", "scopes": ["read"], "expires_on": until})
    desk.post(
        list_of(ApiToken) + "add/",
        {"user": User.objects.get(username="root").pk, "name": "x", "scopes": ["read"]},
    )
    before = everything_stored()

    keys = [
        re.search(r"tz_\w{49}", page.content.decode()).group()  # type: ignore[union-attr]
        for page in (client.get(reverse("keys")), desk.get(list_of(ApiToken)))
    ]

    after = everything_stored()
    assert "planted name" in before  # the search finds what is there
    assert [reads(key) for key in keys] == [200, 200]
    assert not [key for key in keys if key in before or key in after]


def test_the_desk_issues_no_key_beyond_the_roles_of_its_person() -> None:
    desk = at_the_desk(make_user("root", is_staff=True, is_superuser=True))
    person = make_user()

    answer = desk.post(list_of(ApiToken) + "add/", {"user": person.pk, "name": "x", "scopes": ["matching"]})

    assert "do not allow" in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_scope_nobody_knows_is_refused_by_name() -> None:
    with pytest.raises((Refused, ValidationError)) as refusal:
        issue(make_user(), scopes=["everything"])

    assert "everything" in str(refusal.value)
