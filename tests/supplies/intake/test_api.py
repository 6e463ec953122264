"""Intake for programs: an announcement is read and answered, a list becomes a batch that a person looks through."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from supplies.intake import services
from supplies.intake.models import Import
from supplies.needs.models import Appeal, Need
from supplies.organisations.models import User
from tests.api_client import V1, Speaker
from tests.makers import NOW, make_batch, make_emergency, make_member, make_user
from tests.sign_in import sign_in
from tests.supplies.attachments.hostile import pdf
from tests.supplies.intake.conftest import hand_in
from tests.supplies.intake.files.hostile import HEADER, ROWS, workbook
from tests.supplies.intake.files.spreadsheets import ods, xls
from tests.supplies.intake.lists import make_catalogue, make_cell, make_row

pytestmark = pytest.mark.django_db


def test_a_program_is_told_what_was_read_and_nothing_is_stored() -> None:
    make_catalogue()

    answer = Speaker(make_user()).post("intake/", {"text": "演练第一医院急需医用外科口罩2万只。"})

    assert answer.status_code == 200
    [line] = answer.json()["lines"]
    assert (line["item"], line["quantity_kind"], line["quantity"]) == ("MASK_SURG", "number", 20_000)
    assert not Appeal.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "text"),
        ({"text": ""}, "text"),
        ({"text": "口罩" * 20_000}, "text"),
        ({"text": "口罩", "as_of": "2020-02-30"}, "as_of"),
        ({"text": "口罩", "nothing": 1}, "nothing"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_field(body: dict[str, object], field: str) -> None:
    answer = Speaker(make_user()).post("intake/", body)

    assert answer.status_code == 400
    assert field in str(answer.json())


def test_a_stranger_is_not_read_for() -> None:
    assert Speaker().post("intake/", {"text": "口罩"}).status_code == 401


# -- lists ------------------------------------------------------------------------------------------------


def send(who: User | None, content: bytes, name: str = "wuhanshi.json", **fields: Any) -> Any:
    """The list as a program sends it."""
    given = {"emergency": make_emergency().pk, **fields, "file": SimpleUploadedFile(name, content)}
    client = Speaker(who).client
    return client.post(f"{V1}intake/", given, format="multipart", HTTP_ACCEPT_LANGUAGE="en")


def a_list(*rows: dict[str, Any]) -> bytes:
    return json.dumps(rows or [make_row()], ensure_ascii=False).encode()


def test_a_list_becomes_a_batch_that_changes_nothing_before_a_person_says_so() -> None:
    make_catalogue()
    volunteer = make_member("volunteer")

    answer = send(
        volunteer, a_list(make_row(), make_row(name="演练第二医院", supplies=[make_cell(value=-3)]))
    )

    assert answer.status_code == 201
    batch = Import.objects.get()
    assert answer["Location"] == f"{V1}intake-batches/{batch.pk}/"
    assert answer.json()["page"].endswith(f"/desk/supplies/import/{batch.pk}/change/")
    services.work(batch.pk, at=NOW)
    shown = Speaker(volunteer).get(f"intake-batches/{batch.pk}/").json()
    assert (shown["status"], shown["rows_total"], shown["rows_read"]) == ("read", 2, 2)
    assert sum(shown["verdicts"].values()) == 2
    assert not Need.objects.exists()


def test_the_same_key_makes_one_batch() -> None:
    volunteer = make_member("volunteer")
    emergency = make_emergency().pk
    body = (
        (
            f'--x\r\nContent-Disposition: form-data; name="emergency"\r\n\r\n{emergency}\r\n--x\r\n'
            'Content-Disposition: form-data; name="file"; filename="a.json"\r\n\r\n'
        ).encode()
        + a_list()
        + b"\r\n--x--\r\n"
    )
    client = Speaker(volunteer).client

    first, second = (
        client.generic(
            "POST",
            f"{V1}intake/",
            body,
            content_type="multipart/form-data; boundary=x",
            HTTP_IDEMPOTENCY_KEY="list-1",
        )
        for _time in range(2)
    )

    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert Import.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", workbook(HEADER, *ROWS)),
        ("a.xls", xls({"a": [HEADER, *ROWS]})),
        ("a.ods", ods({"a": [HEADER, *ROWS]})),
        ("a.csv", "\n".join(map(",".join, [HEADER, *ROWS])).encode("gb18030")),
        ("a.yaml", "- 医院: 演练医院\n  口罩: 5\n".encode()),
    ],
)
def test_every_kind_of_list_is_taken(name: str, content: bytes) -> None:
    make_catalogue()

    answer = send(make_member("volunteer"), content, name)
    services.work(Import.objects.get().pk, at=NOW)

    assert answer.status_code == 201
    assert Import.objects.get().status == "unmapped"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.csv", pdf(), "really a PDF"),
        ("a.xlsx", xls({"a": [HEADER]}), "really an old Excel"),
        ("a.csv", b"", "empty"),
        ("a.json", b"[{", ""),
        ("a.xlsx", b"PK\x03\x04" + b"x" * 100, ""),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_what_it_is(name: str, content: bytes, says: str) -> None:
    answer = send(make_member("volunteer"), content, name)

    assert answer.status_code == 400
    assert says in answer.json()["fields"]["file"][0]
    assert not Import.objects.exists()


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"emergency": "nothing"}, "emergency"),
        ({"format": "nothing"}, "format"),
        ({"as_of": "2020-02-30"}, "as_of"),
        ({"source": "x" * 81}, "source"),
        ({"source": "a\0b"}, "source"),
        ({"nothing": "1"}, "nothing"),
    ],
)
def test_what_is_wrong_beside_the_file_is_named(fields: dict[str, str], field: str) -> None:
    answer = send(make_member("volunteer"), a_list(), **fields)

    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n--x--\r\n',
        b"\xff" * 50,
    ],
)
def test_a_form_that_is_none_is_refused(body: bytes) -> None:
    client = Speaker(make_member("volunteer")).client

    answer = client.generic("POST", f"{V1}intake/", body, content_type="multipart/form-data; boundary=x")

    assert answer.status_code == 400


@pytest.mark.parametrize("role", ["hospital", "donor", "carrier", "coordinator", "auditor"])
def test_only_who_may_import_hands_a_list_in(role: str) -> None:
    assert send(make_member(role), a_list()).status_code == 403
    assert not Import.objects.exists()


def test_a_stranger_hands_nothing_in() -> None:
    assert send(None, a_list()).status_code == 401


def test_a_browser_may_send_a_list_with_its_token() -> None:
    client = Client(enforce_csrf_checks=True)
    sign_in(client, make_member("volunteer"))
    client.get("/account/")
    token = client.cookies["csrftoken"].value

    answer = client.post(
        f"{V1}intake/",
        {"emergency": make_emergency().pk, "file": SimpleUploadedFile("a.json", a_list())},
        HTTP_X_CSRFTOKEN=token,
    )

    assert answer.status_code == 201


def a_batch(volunteer: User) -> Import:
    make_catalogue()
    rows = [
        make_row(remark="请拨打13812345678"),
        make_row(name="演练第二医院", supplies=[make_cell(value=-3)]),
        make_row(district="无此区", city="无此市", province=""),
    ]
    return hand_in(rows, by=volunteer)


def test_rows_are_shown_as_written_beside_as_read_and_say_why_they_wait() -> None:
    volunteer = make_member("volunteer")
    batch = a_batch(volunteer)

    answer = Speaker(volunteer).get(f"intake-batches/{batch.pk}/rows/")

    first, second, third = answer.json()["results"]
    assert first["verdict"] == "new"
    assert [(line["raw"], line["item"], line["kind"]) for line in first["lines"]] == [
        ("医用外科口罩: 1", "MASK_SURG", first["lines"][0]["kind"])
    ]
    assert second["lines"][0]["quantity"] is None
    assert {"negative", "unknown-place"} <= {why["code"] for row in (second, third) for why in row["why"]}
    assert "13812345678" not in answer.content.decode()


def test_rows_are_narrowed_by_verdict_and_paged() -> None:
    volunteer = make_member("volunteer")
    batch = a_batch(volunteer)

    unreadable = Speaker(volunteer).get(f"intake-batches/{batch.pk}/rows/", verdict="unreadable").json()
    page = Speaker(volunteer).get(f"intake-batches/{batch.pk}/rows/", page_size=2).json()

    assert [row["number"] for row in unreadable["results"]] == [3]
    assert [row["number"] for row in page["results"]] == [1, 2]
    assert "cursor=" in page["next"]


def test_rows_ask_the_database_as_often_for_thirty_as_for_three() -> None:
    volunteer = make_member("volunteer")
    batch = a_batch(volunteer)
    path = f"intake-batches/{batch.pk}/rows/"
    with CaptureQueriesContext(connection) as few:
        Speaker(volunteer).get(path)
    more = hand_in([make_row(name=f"演练第{number}医院") for number in range(30)], by=volunteer)

    with CaptureQueriesContext(connection) as many:
        assert len(Speaker(volunteer).get(f"intake-batches/{more.pk}/rows/").json()["results"]) == 30

    assert len(many) == len(few)


def test_the_error_file_names_rows_and_reasons_and_holds_no_cells() -> None:
    volunteer = make_member("volunteer")
    batch = a_batch(volunteer)

    answer = Speaker(volunteer).client.get(f"{V1}intake-batches/{batch.pk}/errors/", HTTP_ACCEPT="text/csv")

    text = b"".join(answer.streaming_content).decode()
    assert answer["Content-Type"].startswith("text/csv")
    assert "演练第二医院" in text
    assert "13812345678" not in text


@pytest.mark.parametrize("path", ["", "rows/", "errors/"])
def test_others_find_no_batches(path: str) -> None:
    batch = make_batch()

    assert Speaker(make_member("hospital")).get(f"intake-batches/{batch.pk}/{path}").status_code == 404
    assert Speaker(make_member("hospital")).get("intake-batches/").json()["results"] == []


@pytest.mark.parametrize("key", ["nothing", "0", "00000000-0000-0000-0000-000000000001"])
@pytest.mark.parametrize("path", ["", "rows/", "errors/"])
def test_a_batch_that_is_not_there_is_not_found(key: str, path: str) -> None:
    assert Speaker(make_member("volunteer")).get(f"intake-batches/{key}/{path}").status_code == 404
