from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from supplies.errors import KeyReused, NotYours
from supplies.journal import once
from supplies.journal.models import IdempotencyKey
from supplies.journal.once import Answer, Asked
from tests.makers import NOW, make_user

pytestmark = pytest.mark.django_db


def asked(**fields: Any) -> Asked:
    usual = {
        "principal": "account:1",
        "by": None,
        "address": "POST /needs/",
        "route": "POST needs/",
        "key": "k",
    }
    return Asked(**{**usual, "body": b"{}", "rights": "volunteer", **fields})


def kept(at: Any = NOW, **fields: Any) -> Asked:
    request = asked(**fields)
    once.keep(request, Answer(201, {"Location": "/a/"}, "好"), at=at)
    return request


def test_a_request_that_is_new_has_no_answer() -> None:
    assert once.find(asked()) is None


def test_a_request_that_was_answered_has_that_answer() -> None:
    assert once.find(kept()) == Answer(201, {"Location": "/a/"}, "好")


@pytest.mark.parametrize(
    "other", [{"principal": "account:2"}, {"address": "POST /n/"}, {"key": "l"}], ids=str
)
def test_somebody_else_s_another_address_and_another_key_are_other_requests(other: dict[str, Any]) -> None:
    kept()

    assert once.find(asked(**other)) is None


def test_parts_of_a_request_cannot_be_shifted_into_one_another() -> None:
    kept(principal="account:1", address="POST /a")

    assert once.find(asked(principal="account:1POST", address=" /a")) is None


def test_a_key_stands_for_one_body() -> None:
    kept()

    with pytest.raises(KeyReused):
        once.find(asked(body=b'{"more": 1}'))


def test_whose_rights_have_changed_is_not_shown_the_answer() -> None:
    kept()

    with pytest.raises(NotYours):
        once.find(asked(rights=""))


def test_a_request_is_answered_once() -> None:
    kept()

    with pytest.raises(IntegrityError, match="idempotency_key_is_answered_once"), transaction.atomic():
        kept()


def test_an_error_is_not_an_answer_to_keep() -> None:
    with pytest.raises(IntegrityError, match="idempotency_key_keeps_what_was_done"), transaction.atomic():
        once.keep(asked(), Answer(409), at=NOW)


def test_answers_are_forgotten_after_seven_days() -> None:
    kept(key="old", at=NOW - timedelta(days=7, seconds=1))
    young = kept(key="young", at=NOW - timedelta(days=7))

    assert once.forget(at=NOW) == 1

    assert [row.scope for row in IdempotencyKey.objects.all()] == [young.scope]


def test_the_answers_of_an_account_can_be_found() -> None:
    person = make_user()
    once.keep(asked(by=person), Answer(200), at=NOW)
    kept(key="nobody's")

    assert IdempotencyKey.objects.of(person).count() == 1
