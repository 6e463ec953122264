"""Reading an announcement for a program."""

import pytest

from supplies.needs.models import Appeal
from tests.api_client import Speaker
from tests.makers import make_user
from tests.supplies.intake.lists import make_catalogue

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
