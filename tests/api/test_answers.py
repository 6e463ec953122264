"""How the API answers: errors with a code and a sentence, times in UTC, days as days."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from tests.api.bodies import appeal_body
from tests.api_client import V1, Speaker, today  # noqa: F401
from tests.makers import TODAY, make_appeal, make_facility, make_member, make_need

pytestmark = pytest.mark.django_db


def test_every_error_has_a_code_and_a_sentence(stranger: Any) -> None:
    need = make_need(make_facility())

    answers = {
        400: Speaker().get("needs/", colour="red"),
        401: Speaker().post("appeals/", {}),
        403: Speaker(stranger).post(f"needs/{need.pk}/confirm/"),
        404: Speaker().get("needs/0/"),
        405: Speaker(stranger).client.delete(f"{V1}needs/{need.pk}/"),
        415: Speaker(stranger).send("appeals/", b"a=1", "application/x-www-form-urlencoded"),
    }

    assert {status: answer.status_code for status, answer in answers.items()} == {s: s for s in answers}
    assert all({"code", "detail"} <= answer.json().keys() for answer in answers.values())
    assert answers[401]["WWW-Authenticate"] == "Token"


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/v1/nothing/", "/api/v1/track/a/b/c/", "/api/v2/needs/"]
)
def test_an_unknown_address_of_the_api_is_answered_in_json(path: str) -> None:
    answer = APIClient().get(path)

    assert answer.status_code == 404
    assert answer.json()["code"] == "not-found"


def test_a_refusal_is_409_with_a_stable_code() -> None:
    hospital = make_facility()
    member = make_member("hospital", hospital.organisation)
    appeal = make_appeal(hospital)
    speaker = Speaker(member)
    speaker.post(f"appeals/{appeal.pk}/withdraw/")

    answer = speaker.post(f"appeals/{appeal.pk}/withdraw/")

    assert (answer.status_code, answer.json()["code"]) == (409, "move-refused")


def test_a_refusal_speaks_the_reader_s_language(stranger: Any) -> None:
    client = Speaker().client

    english = client.get(f"{V1}needs/", {"colour": "red"}, HTTP_ACCEPT_LANGUAGE="en").json()

    assert english["fields"]["colour"][0].startswith("There is no such filter.")


def test_a_lock_that_is_not_granted_is_busy_and_says_when_to_try_again(monkeypatch: Any) -> None:
    def waits(*_args: Any, **_more: Any) -> None:
        raise OperationalError("canceling statement due to lock timeout")

    hospital = make_facility()
    member = make_member("hospital", hospital.organisation)
    body = appeal_body(hospital)
    monkeypatch.setattr("supplies.needs.services.post", waits)

    answer = Speaker(member).post("appeals/", body)

    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert int(answer["Retry-After"]) > 0


def test_times_are_utc_and_days_are_plain() -> None:
    need = Speaker().get(f"needs/{make_need().pk}/").json()

    assert need["created_at"] == "2026-11-23T08:00:00Z"
    assert need["needed_by"] == (TODAY + timedelta(days=10)).isoformat()
    assert json.dumps(need)
