from typing import Any

import pytest

from supplies.change_requests import services
from supplies.change_requests.models import ChangeRequest, Report
from supplies.organisations import services as people
from tests.api_client import Speaker, today  # noqa: F401
from tests.makers import NOW, make_appeal, make_member, make_need, make_user
from tests.supplies.change_requests.test_services import make_report

pytestmark = pytest.mark.django_db


def test_anybody_reports_without_an_account_and_reads_it_by_its_code_alone() -> None:
    need, stranger = make_need(quantity=1000), Speaker()

    sent = stranger.post("change-requests/", {"need": str(need.pk), "kind": "wrong_quantity", "quantity": 70})
    code = sent.json()["code"]
    read = stranger.get(f"change-requests/{code}/")

    assert sent.status_code == 201
    assert read.json() == sent.json()
    assert {name: read.json()[name] for name in ("about", "id", "kind", "status", "quantity", "answer")} == {
        "about": "need",
        "id": str(need.pk),
        "kind": "wrong_quantity",
        "status": "open",
        "quantity": 70,
        "answer": "",
    }
    assert read.json()["as_it_stood"] == {"status": "open", "quantity": 1000, "is_paused": None}
    assert "no-store" in read.headers["Cache-Control"]
    assert stranger.get("change-requests/").status_code == 405
    assert stranger.get(f"change-requests/{ChangeRequest.objects.get().pk}/").status_code == 404
    assert stranger.get(f"track/{code}/").json()["kind"] == "report"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "not_needed"}, "need"),
        ({"need": ..., "appeal": ..., "kind": "not_needed"}, "need"),
        ({"need": "2c1b1bd6-0000-4000-8000-000000000000", "kind": "fake"}, "need"),
        ({"need": ..., "kind": "closed"}, "kind"),
        ({"need": ..., "kind": "wrong_quantity"}, "quantity"),
        ({"need": ..., "kind": "wrong_quantity", "quantity": "70"}, "quantity"),
        ({"need": ..., "kind": "other"}, "words"),
        ({"need": ..., "kind": "other", "phone": "000"}, "phone"),
    ],
)
def test_a_malformed_report_names_the_field(body: dict[str, Any], field: str) -> None:
    need = make_need()
    keys = {"need": str(need.pk), "appeal": str(need.appeal_id)}
    sent = {name: keys[name] if value is ... else value for name, value in body.items()}

    answer = Speaker().post("change-requests/", sent)

    assert answer.status_code == 400
    assert field in str(answer.json())
    assert not Report.objects.exists()


def test_what_a_stranger_does_not_see_she_cannot_report() -> None:
    waiting = make_appeal(published=False)

    answer = Speaker().post("change-requests/", {"appeal": str(waiting.pk), "kind": "fake"})

    assert answer.status_code == 400


def test_the_same_key_reports_once() -> None:
    need, speaker = make_need(), Speaker(make_user())
    body = {"need": str(need.pk), "kind": "fake"}

    answers = [speaker.post("change-requests/", body, idempotency_key="one") for _twice in range(2)]

    assert answers[0].json() == answers[1].json()
    assert Report.objects.count() == 1


def test_a_report_is_taken_back_and_a_decided_one_is_not() -> None:
    made, other = make_report(), make_report()
    services.accept(other.change_request, by=make_member("volunteer"), at=NOW)

    assert Speaker().post(f"change-requests/{made.code}/take-back/").json()["status"] == "withdrawn"
    refused = Speaker().post(f"change-requests/{other.code}/take-back/")

    assert (refused.status_code, refused.json()["code"]) == (409, "move-refused")


def test_one_too_many_is_told_when_to_come_back() -> None:
    need = make_need()
    for _number in range(services.REPORTS_A_DAY):
        make_report(need)

    answer = Speaker().post("change-requests/", {"need": str(need.pk), "kind": "not_needed"})

    assert (answer.status_code, answer.json()["code"]) == (429, "reported-often")
    assert int(answer.headers["Retry-After"]) > 86_000


def test_free_words_are_masked_and_who_wrote_them_is_told() -> None:
    need = make_need()

    answer = (
        Speaker()
        .post("change-requests/", {"need": str(need.pk), "kind": "other", "words": "Call 13800001111"})
        .json()
    )

    assert "13800001111" not in answer["words"]
    assert answer["warnings"][0]["field"] == "words"


def test_a_program_needs_no_more_than_reading_to_report() -> None:
    need = make_need()
    _row, secret = people.issue_token(make_user(), name="bot", scopes=["read"], at=NOW)

    answer = Speaker().post(
        "change-requests/", {"need": str(need.pk), "kind": "fake"}, authorization=f"Token {secret}"
    )

    assert answer.status_code == 201
