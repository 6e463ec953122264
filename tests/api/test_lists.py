"""Lists: pages hold each row once, and cost as many queries whatever their length."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.api_v1 import router
from supplies.needs.models import Need
from tests.api.bodies import appeal_body
from tests.api.lists import LISTS
from tests.api_client import Speaker, today  # noqa: F401
from tests.makers import NOW, make_appeal, make_facility, make_member, make_offer, make_region, make_standard

pytestmark = pytest.mark.django_db


def pages(speaker: Speaker, path: str, **query: Any) -> Iterator[dict[str, Any]]:
    """Every page of a list from the first to the last, following `next`."""
    page = speaker.get(path, **query).json()
    yield page
    while page["next"]:
        page = speaker.client.get(page["next"]).json()
        yield page


def test_pages_hold_every_row_once_in_order_forwards_and_backwards() -> None:
    facility = make_facility()
    make_appeal(facility, lines=[{"urgency": 1 + number % 4} for number in range(11)])
    expected = [str(pk) for pk in Need.objects.most_urgent_first().values_list("pk", flat=True)]

    found = list(pages(Speaker(), "needs/", page_size=3))
    back = []
    page = found[-1]
    while page["previous"]:
        page = Speaker().client.get(page["previous"]).json()
        back.append(page)

    assert [row["id"] for page in found for row in page["results"]] == expected
    assert [len(page["results"]) for page in found] == [3, 3, 3, 2]
    assert [page["results"] for page in reversed(back)] == [page["results"] for page in found[:-1]]


def test_a_page_holds_fifty_rows_unless_asked_and_200_at_most() -> None:
    china = make_region("CN", "中国", level="country", scheme="ISO3166-1")
    for number in range(204):
        make_region(f"1{number:05}", f"区{number}", china, scheme="GBT2260")

    assert len(Speaker().get("regions/").json()["results"]) == 50
    assert len(Speaker().get("regions/", page_size=200).json()["results"]) == 200


def test_a_page_goes_on_where_it_stopped_when_rows_before_it_are_added() -> None:
    offers = [make_offer(at=NOW - timedelta(hours=number)) for number in range(4)]
    first = Speaker().get("offers/", page_size=2).json()

    make_offer(at=NOW + timedelta(hours=1))
    second = Speaker().client.get(first["next"]).json()

    shown = [row["id"] for page in (first, second) for row in page["results"]]
    assert shown == [str(offer.pk) for offer in offers]


@pytest.mark.parametrize("path", LISTS)
def test_a_list_asks_the_database_as_often_for_thirty_rows_as_for_three(path: str) -> None:
    volunteer = make_member("volunteer")
    LISTS[path](3)
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert len(Speaker(volunteer).get(path).json()["results"]) >= 3

    LISTS[path](27)
    with CaptureQueriesContext(connection) as many:
        assert len(Speaker(volunteer).get(path).json()["results"]) >= 30

    assert len(many) == len(few)
    assert not any("COUNT(" in query["sql"] for query in many)


def test_every_list_of_the_api_has_its_queries_counted() -> None:
    lists = {f"{prefix}/" for prefix, viewset, _name in router.registry if hasattr(viewset, "list")}
    assert lists == set(LISTS)


def test_posting_asks_the_database_as_often_for_thirty_lines_as_for_three() -> None:
    facility = make_facility()
    member = make_member("hospital", facility.organisation)
    body = appeal_body(facility, accepted_standards=[make_standard().pk])
    counts = []
    Speaker(member).post("appeals/", body)  # which reads the catalogue
    for number in (3, 30):
        with CaptureQueriesContext(connection) as queries:
            answer = Speaker(member).post("appeals/", {**body, "lines": body["lines"] * number})
        assert answer.status_code == 201, answer.json()
        counts.append(len(queries))

    assert counts[0] == counts[1]
