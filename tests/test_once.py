"""Exactly once, for every operation of the API that changes something: generated from its description."""

import uuid
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from rest_framework.test import APIClient

from config.api_once import Gate, _answer
from config.api_v1 import router
from supplies.journal.models import IdempotencyKey
from supplies.needs.models import Appeal
from supplies.organisations import services as people
from supplies.organisations.keys import Scope
from supplies.organisations.models import User
from tests.api_client import V1, Speaker, today  # noqa: F401
from tests.makers import NOW, make_appeal, make_facility, make_member, make_need, make_user
from tests.operations import CASES, an_appeal, described, mutating, who_asks
from tests.sign_in import sign_in
from tests.tables import changes, photograph

pytestmark = pytest.mark.django_db
KEY = "5f0c6a52-7d39-4be4-8c5e-0b7b6a1c9a10"


def administrator() -> Speaker:
    return Speaker(make_user(is_superuser=True))


# -- every operation ---------------------------------------------------------------------------------------


def test_every_operation_that_changes_something_has_a_case() -> None:
    assert mutating(described()) == set(CASES)


def test_a_new_operation_would_be_missed() -> None:
    document = described()
    document["paths"]["/api/v1/needs/{id}/"]["delete"] = {}

    assert mutating(document) - set(CASES) == {"DELETE /api/v1/needs/{id}/"}


@pytest.mark.parametrize("operation", sorted(CASES))
def test_the_same_request_again_changes_nothing_and_is_given_the_same_answer(operation: str) -> None:
    path, body = CASES[operation]()
    person, other = Speaker(who_asks()), administrator()
    before = photograph()

    first = person.request(operation, path, body, idempotency_key=KEY)
    done = photograph()
    again = person.request(operation, path, body, idempotency_key=KEY)
    another_body = person.request(operation, path, {**body, "more": 1}, idempotency_key=KEY)

    assert first.status_code in (200, 201, 202, 204), first.content
    assert changes(before, done).pop("supplies_idempotencykey") == (0, 1)
    assert len(changes(before, done)) > 1
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers.get("Content-Type") == first.headers.get("Content-Type")
    assert (again.headers["Idempotency-Replayed"], "Idempotency-Replayed" in first) == ("true", False)
    assert (another_body.status_code, another_body.json()["code"]) == (422, "key-reused")
    assert changes(done, photograph()) == {}

    theirs = other.request(operation, path, body, idempotency_key=KEY)

    assert "Idempotency-Replayed" not in theirs
    assert theirs.status_code < 500, theirs.content


def test_the_control_without_a_key_it_is_done_as_often_as_it_is_sent() -> None:
    path, body = an_appeal()
    person = administrator()

    for _time in range(3):
        person.post(path, body)

    assert Appeal.objects.count() == 3


def test_every_view_of_the_api_stands_behind_the_gate_and_says_so() -> None:
    paths = described()["paths"]

    assert [viewset for _prefix, viewset, _name in router.registry if not issubclass(viewset, Gate)] == []
    for operation in CASES:
        method, path = operation.split()
        named = {one["name"] for one in paths[path][method.lower()]["parameters"]}
        assert {"Idempotency-Key", *(["If-Match"] if method == "PATCH" else [])} <= named, operation
        assert {"409", "422"} <= paths[path][method.lower()]["responses"].keys(), operation


# -- what is kept ------------------------------------------------------------------------------------------


def test_the_same_key_at_another_address_is_another_key() -> None:
    person = administrator()
    first, second = (f"appeals/{make_appeal().pk}/withdraw/" for _again in range(2))

    answers = [person.post(path, idempotency_key=KEY) for path in (first, second)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json()["id"] != answers[1].json()["id"]


def test_what_was_refused_is_not_kept_and_may_be_sent_again_corrected() -> None:
    person = administrator()
    path, body = an_appeal()
    before = photograph()

    invalid = person.post(
        path, {**body, "lines": [{**body["lines"][0], "quantity": -1}]}, idempotency_key=KEY
    )
    refused = person.post(f"needs/{make_need().pk}/nothing/", idempotency_key=KEY)

    assert (invalid.status_code, refused.status_code) == (400, 404)
    assert "supplies_idempotencykey" not in changes(before, photograph())
    assert person.post(path, body, idempotency_key=KEY).status_code == 201


def test_a_lost_answer_can_be_fetched_when_it_could_not_be_done_again() -> None:
    person = administrator()
    path = f"appeals/{make_appeal().pk}/withdraw/"
    first = person.post(path, idempotency_key=KEY)

    assert person.post(path).json()["code"] == "move-refused"
    assert person.post(path, idempotency_key=KEY).content == first.content


def test_an_answer_is_given_again_in_the_language_it_was_given_in() -> None:
    path, body = an_appeal()
    person = administrator()

    first = person.post(path, body, idempotency_key=KEY, accept_language="en")
    again = person.post(path, body, idempotency_key=KEY, accept_language="zh-hans")

    assert again.content == first.content
    assert again.headers["Content-Language"] == first.headers["Content-Language"] == "en"


def test_neither_the_answer_nor_the_key_nor_the_address_can_be_read_in_the_database() -> None:
    path, body = an_appeal()
    person = administrator()

    person.post(path, {**body, "remark": "Canary Lane 7"}, idempotency_key="canary-key")

    (row,) = photograph()["supplies_idempotencykey"]
    kept = IdempotencyKey.objects.get()
    assert "Canary Lane 7" in kept.answer
    for secret in ("Canary", "canary-key", b"Canary Lane 7".hex()):
        assert secret not in row


def test_an_answer_that_is_no_text_cannot_be_kept() -> None:
    with pytest.raises(TypeError):
        _answer(StreamingHttpResponse([b"a"]))
    with pytest.raises(UnicodeDecodeError):
        _answer(HttpResponse(b"\xff"))


# -- keys --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", " ", "a b", "a" * 129, "é", "口罩", "a\tb", "\x7f"], ids=repr)
def test_a_key_that_cannot_be_one_is_refused_by_name(key: str) -> None:
    path, body = an_appeal()

    answer = administrator().post(path, body, idempotency_key=key)

    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["Idempotency-Key"]
    assert not Appeal.objects.exists()


@pytest.mark.parametrize("key", ["a", "!" * 128, '"quoted"', "{}~:/", str(uuid.UUID(int=7))])
def test_any_visible_word_is_a_key(key: str) -> None:
    path, body = an_appeal()
    person = administrator()

    answers = [person.post(path, body, idempotency_key=key) for _again in range(2)]

    assert answers[0].content == answers[1].content
    assert Appeal.objects.count() == 1


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=X"])
def test_a_form_of_a_browser_is_no_json_whether_or_not_it_was_looked_into(kind: str) -> None:
    """Without a header the token against forged forms is looked for in the form, which takes it apart."""
    client = APIClient(enforce_csrf_checks=True)
    sign_in(client, make_user(is_superuser=True))
    token = "a" * 32
    client.cookies["csrftoken"] = token
    part = f'--X\r\nContent-Disposition: form-data; name="csrfmiddlewaretoken"\r\n\r\n{token}\r\n--X--\r\n'
    body = part if kind.startswith("multipart") else f"csrfmiddlewaretoken={token}"

    answer = client.generic("POST", f"{V1}appeals/", body, content_type=kind)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-media-type")


# -- who ---------------------------------------------------------------------------------------------------


@pytest.fixture
def program() -> tuple[APIClient, User, str]:
    """A program that has withdrawn a need with a key, its account, and the address."""
    site = make_facility()
    member = make_member("hospital", site.organisation)
    path = f"{V1}needs/{make_need(site).pk}/not-needed/"
    client = APIClient()
    _token, secret = people.issue_token(member, name="program", scopes=[Scope.NEEDS], at=NOW)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}", HTTP_IDEMPOTENCY_KEY=KEY)
    assert client.post(path).status_code == 200
    return client, member, path


def test_an_answer_is_given_again_to_a_new_token_of_the_same_account(program: Any) -> None:
    client, member, path = program
    _token, secret = people.issue_token(member, name="newer", scopes=[Scope.NEEDS], at=NOW)
    client.credentials(HTTP_AUTHORIZATION=f"Token {secret}", HTTP_IDEMPOTENCY_KEY=KEY)

    assert client.post(path).headers["Idempotency-Replayed"] == "true"


def test_a_revoked_token_is_told_nothing(program: Any) -> None:
    client, member, path = program
    people.revoke_token(member.api_tokens.get(), by=member, at=NOW)

    assert client.post(path).status_code == 401


def test_a_token_without_the_scope_is_told_nothing(program: Any) -> None:
    client, member, path = program
    member.api_tokens.update(scopes=[Scope.OFFERS])

    assert client.post(path).status_code == 403


def test_somebody_who_no_longer_acts_for_the_hospital_is_told_nothing(program: Any) -> None:
    client, member, path = program
    people.dismiss(member.memberships.get(), by=None, at=NOW)

    answer = client.post(path)

    assert (answer.status_code, answer.json()["code"]) == (403, "rights-changed")


def test_a_stranger_with_a_key_is_asked_who_she_is(program: Any) -> None:
    _client, _member, path = program

    assert Speaker().post(path.removeprefix(V1), idempotency_key=KEY).status_code == 401
