import pytest
from django.test import Client


@pytest.mark.parametrize("path", ["/needs/?q=%00", "/needs/%00/"])
def test_an_address_that_cannot_be_read_is_answered_with_a_page(path: str) -> None:
    answer = Client().get(path)

    assert answer.status_code == 400
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<h1>" in answer.content.decode()


def test_a_program_is_answered_with_json() -> None:
    answer = Client().get("/api/v1/needs/?q=%00")

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
