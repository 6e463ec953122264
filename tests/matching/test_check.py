"""The public page and the API on what goods are good for."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.api_client import Speaker
from tests.hostile.trying import got
from tests.hostile.values import ALL
from tests.supplies.catalogue.conftest import shipped  # noqa: F401

pytestmark = pytest.mark.usefixtures("shipped", "db")
HERE = reverse("check-goods")


def page(client: Client, language: str = "en", **query: str) -> Any:
    return client.get(HERE, query, HTTP_ACCEPT_LANGUAGE=language)


def test_the_page_asks_and_is_open_to_everybody(client: Client) -> None:
    answer = page(client)

    assert answer.status_code == 200
    assert 'name="q"' in answer.content.decode()


def test_an_address_shows_the_answer_with_its_source(client: Client) -> None:
    shown = page(client, q="KN95口罩").content.decode()

    assert "GB 2626-2019" in shown
    assert "May not replace" in shown
    assert "http://nana-tech.com/case/3cfg/1309.html" in shown
    assert "It cannot tell whether goods or papers are genuine" in shown


@pytest.mark.parametrize("words", ["N95口罩", "KN95口罩", "医用外科口罩"])
def test_no_heading_stands_over_nothing(client: Client, words: str) -> None:
    sections = [one for _case, sections in page(client, q=words).context["cases"] for one in sections]

    assert sections
    assert [one["title"] for one in sections if not one["whole"] and not one["named"]] == []


def test_what_a_question_offers_leads_to_one_answer(client: Client) -> None:
    shown = page(client, q="N95口罩").content.decode()

    assert "?q=N95%E5%8F%A3%E7%BD%A9&amp;item=RESP_MED" in shown
    chosen = page(client, q="N95口罩", item="RESP_MED").content.decode()
    assert "Which one is printed on it?" in chosen


def test_the_page_speaks_chinese(client: Client) -> None:
    assert page(client, "zh-hans", q="KN95口罩").status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"q": " "}, "q"),
        ({"item": "NO_SUCH"}, "item"),
        ({"q": "x", "standard": "NO-SUCH"}, "standard"),
        ({"q": "x", "setting": "moon"}, "setting"),
        ({"q": "x", "expires": "2027-02-30"}, "expires"),
        ({"q": "x", "sterile": "perhaps"}, "sterile"),
        ({"q": "x" * 501}, "q"),
    ],
)
def test_what_cannot_be_understood_is_400_beside_its_field(
    client: Client, query: dict[str, str], field: str
) -> None:
    assert page(client, **query).status_code == 400
    answer = Speaker().get("check/", **query)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]


def test_the_api_refuses_a_field_it_does_not_know() -> None:
    assert list(Speaker().get("check/", q="x", colour="red").json()["fields"]) == ["colour"]


def test_the_api_says_what_the_page_says() -> None:
    answer = (
        Speaker().get("check/", q="KN95口罩 (01)06901234567892(17)270331(10)A1", setting="general").json()
    )

    [case] = answer["cases"]
    assert (case["item"]["code"], case["standard"]) == ("RESP_PART", "GB2626-2019-KN95")
    assert {"RESP_MED"} & {line["item"]["code"] for line in case["on_condition"]}
    assert case["good_for"][0]["settings"] == ["general"]
    assert case["shelf_life"]["expires_on"] == "2027-03-31"
    [mark] = answer["marks"]
    assert (mark["gtin"], mark["lot"], mark["expires_on"]) == ("06901234567892", "A1", "2027-03-31")
    assert answer["edition"]["version"] >= 1


def test_the_number_of_queries_does_not_grow_with_the_text(django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(20):
        Speaker().get("check/", q="N95口罩")
    with django_assert_max_num_queries(20):
        Speaker().get(
            "check/", q="N95口罩 FFP2 EN149 GB 19083-2010 CE 0598 91110000600037341L 6901234567892 防护服"
        )


def test_no_odd_text_is_a_fault_of_ours(client: Client) -> None:
    client.raise_request_exception = False
    for value in ALL:
        for values in (
            {"q": value},
            {"q": "KN95", "item": value},
            {"q": "KN95", "expires": value},
            {"standard": value},
        ):
            assert list(got(client, HERE, values)) == []
            assert list(got(client, "/api/v1/check/", values)) == []
