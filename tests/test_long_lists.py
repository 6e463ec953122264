"""Lists that may grow to a million rows: none is counted to its end, none is skipped through, each is in an index's order."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib import admin
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config import admin_site
from supplies.needs.models import Appeal, Need
from supplies.organisations.desk import DeskAdmin
from supplies.organisations.models import Facility, Organisation, User
from tests.api.lists import LISTS
from tests.api_client import V1, Speaker
from tests.desk import at_the_desk, list_of
from tests.makers import make_appeal, make_facility, make_need, make_organisation, make_region, make_user
from tests.owner import as_owner
from tests.page_client import reader

pytestmark = pytest.mark.django_db


def walks(sql: str) -> str | None:
    """Why a statement would go through a long table, if it would."""
    if re.search(r"\bOFFSET\b", sql):
        return "skips"
    if re.search(r"\bCOUNT\(", sql) and not re.search(r"\bLIMIT \d+\) subquery$", sql):
        return "counts"
    return None


@contextmanager
def no_walk() -> Iterator[None]:
    with CaptureQueriesContext(connection) as asked:
        yield
    assert [query["sql"] for query in asked if walks(query["sql"])] == []


def test_a_list_that_counts_or_skips_is_noticed() -> None:
    make_need()
    for walking in (
        lambda: Need.objects.count(),
        lambda: list(Need.objects.order_by("pk")[1:2]),
        lambda: Need.objects.filter(status="open").count(),
    ):
        with pytest.raises(AssertionError), no_walk():
            walking()

    with no_walk():
        admin_site.counted(Need.objects.all(), 5)


# -- the public ones --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", LISTS)
def test_no_list_of_the_api_counts_or_skips_on_any_page(path: str, volunteer: User) -> None:
    LISTS[path](5)
    speaker = Speaker(volunteer)

    with no_walk():
        page = speaker.get(path, page_size=2).json()
        second = speaker.client.get(page["next"]).json()
        first = speaker.client.get(second["previous"]).json()

    assert page["results"] == first["results"] != second["results"]


def test_no_page_counts_or_skips() -> None:
    make_appeal(lines=[{"urgency": 1 + number % 4} for number in range(22)])
    Client().get("/")  # reads what is read once per process

    with no_walk():
        assert reader().get(reverse("home")).status_code == 200
        page = reader().get(reverse("needs"))
        second = reader().get(page.context["links"]["after"])
        first = reader().get(second.context["links"]["before"])
        for query in ("q=mask", "q=演练", "province=420000", "category=ppe", "item=MASK_SURG", "status=any"):
            assert reader().get(f"{reverse('needs')}?{query}").context["needs"]

    assert (len(page.context["needs"]), len(second.context["needs"])) == (20, 2)
    assert page.context["needs"] == first.context["needs"]


CURSORS = {
    "a word": "abc",
    "nothing": "",
    "bytes that are no text": "%FF%FE",
    "NUL": "%00",
    "base64": "cD0yMDIwLTk5LTk5",
    "unsigned": "W2ZhbHNlLDFd:aaaa",
    "very long": "a" * 3000,
    "half a character": "%ED%A0%80",
}


@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_that_is_none_of_this_list_s_is_refused(path: str, volunteer: User) -> None:
    other = "facilities/" if path != "facilities/" else "regions/"
    LISTS[path](3)
    LISTS[other](3)
    speaker = Speaker(volunteer)
    theirs = speaker.get(other, page_size=1).json()["next"].split("cursor=")[1].split("&")[0]
    mine = speaker.get(path, page_size=1).json()["next"].split("cursor=")[1].split("&")[0]

    for name, cursor in {
        **CURSORS,
        "another list's": theirs,
        "cut off": mine[:-1],
        "longer": f"{mine}a",
    }.items():
        answer = speaker.client.get(f"{V1}{path}?cursor={cursor}")
        assert answer.status_code == 400, (name, answer.content)
        assert answer.json()["code"] == "invalid"
    assert speaker.client.get(f"{V1}{path}?cursor={mine}").status_code == 200


@pytest.mark.parametrize("name", CURSORS)
@pytest.mark.parametrize("side", ["after", "before"])
def test_a_page_s_key_that_is_none_of_ours_is_refused(name: str, side: str) -> None:
    make_need()
    answer = reader().get(f"{reverse('needs')}?{side}={CURSORS[name]}")

    assert answer.status_code == (200 if name == "nothing" else 400)


def test_a_key_signed_for_something_else_is_refused() -> None:
    key = signing.Signer(salt="cursor:supplies.Need:urgency").sign("1~2026-11-23~x")

    assert reader().get(reverse("needs"), {"after": key}).status_code == 400


# -- the desk's -------------------------------------------------------------------------------------------


def desks() -> Sequence[Any]:
    return [pytest.param(desk, id=model.__name__) for model, desk in admin.site._registry.items()]


@pytest.mark.parametrize("desk", desks())
def test_no_list_of_the_desk_is_counted_to_its_end(desk: Any) -> None:
    client = at_the_desk(make_user("root", is_staff=True, is_superuser=True))
    make_need()
    make_need()

    with no_walk():
        answer = client.get(list_of(desk.model) + "?q=x" if desk.search_fields else list_of(desk.model))

    assert answer.status_code == 200


def test_a_list_longer_than_the_bound_says_so_and_has_no_pages_beyond(
    volunteer: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr(admin_site, "MOST_IN_A_LIST", 3)
    monkeypatch.setattr(admin.site._registry[Appeal], "list_per_page", 2)
    for _number in range(5):
        make_appeal(published=False)
    client = at_the_desk(volunteer)

    page = client.get(list_of(Appeal))
    beyond = client.get(list_of(Appeal), {"p": 3})

    assert page.context["cl"].paginator.num_pages == 2
    assert "more than 3 appeals; narrow the list to see others" in page.content.decode()
    assert beyond.status_code == 302


def test_a_pile_higher_than_the_bound_says_so(volunteer: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(admin_site, "MOST_ON_A_CARD", 2)
    for _number in range(3):
        make_appeal(published=False)
    make_organisation(verified=False)

    page = at_the_desk(volunteer).get(reverse("admin:index"))

    cards = {card.title: (card.count, card.has_more) for card in page.context["cards"]}
    assert cards["appeals to moderate"] == (2, True)
    assert cards["organisations to verify"] == (1, False)
    assert "<strong>2+</strong>" in page.content.decode()


IN_NO_INDEX = {
    "CarrierAccount": "one or two of each carrier",
    "WebhookEndpoint": "a few of each organisation that has any",
    "Peer": "the instances one reads from: a handful",
    "Correction": "what volunteers said of words; as many as they typed",
    "Import": "the lists that were read: some hundred",
    "ImportedRow": "those in trouble first, by what was found in them; as many as there are hospitals",
    "ImportedLine": "those that wait first, in the order of their list",
    "ApiToken": "one's own keys",
    "SecondFactor": "of those at the desk and of managers",
    "Invitation": "those of one's own organisations, which run out within days",
    "Organisation": "those that wait, by what waits behind them; some hundred",
}


@pytest.mark.parametrize("desk", [desk for desk in desks() if isinstance(desk.values[0], DeskAdmin)])
def test_a_list_comes_in_its_order_from_an_index(desk: Any, rf: Any, volunteer: User) -> None:
    request = rf.get("/")
    request.user = volunteer
    rows = desk.get_changelist_instance(request).queryset[:51]

    assert _is_sorted(rows) == (desk.model.__name__ in IN_NO_INDEX)


def _is_sorted(rows: Any) -> bool:
    """Whether PostgreSQL has to sort all rows, even where it would rather not."""
    sql, values = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {sql}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    return re.search(r"(^|-> +)Sort ", plan) is not None


def test_a_need_and_an_appeal_are_found_at_the_desk_by_their_hospital(volunteer: User) -> None:
    wanted = make_need(make_facility(name="武汉市武昌医院"))
    make_need(make_facility(name="江夏医院"))
    client = at_the_desk(volunteer)

    for model, row in ((Need, wanted), (Appeal, wanted.appeal), (Facility, wanted.appeal.facility)):
        for words in ("武昌", "武汉 武昌", "医院 武昌"):
            found = client.get(
                list_of(model), {"q": words, "status": "all"} if model is not Facility else {"q": words}
            )
            assert list(found.context["cl"].result_list) == [row], (model, words)


def test_a_code_is_found_at_the_desk_as_people_copy_it(volunteer: User) -> None:
    appeal = make_appeal(published=False)
    make_appeal(published=False)

    for code in (appeal.code, appeal.code.upper()):
        found = at_the_desk(volunteer).get(list_of(Appeal), {"q": code})
        assert list(found.context["cl"].result_list) == [appeal]


def test_an_organisation_is_found_at_the_desk_by_an_index(volunteer: User, rf: Any) -> None:
    region = make_facility().region
    region = make_region()
    Organisation.objects.bulk_create(
        Organisation(kind="hospital", name=f"演练{number}", normal_name=f"演练{number}", region=region)
        for number in range(1500)
    )
    make_organisation(name="武昌医院")
    desk = admin.site._registry[Organisation]
    request = rf.get("/", {"q": "武昌", "status": "all"})
    request.user = volunteer
    with CaptureQueriesContext(connection) as asked:
        found = desk.get_changelist_instance(request)

    assert [row.name for row in found.result_list] == ["武昌医院"]
    looked_up = [query["sql"] for query in asked if "bigrams" in query["sql"] and "LIMIT" in query["sql"]]
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE supplies_organisation")
        plans = []
        for query in looked_up:
            cursor.execute(f"EXPLAIN {query}")
            plans.append("\n".join(line for (line,) in cursor.fetchall()))
    # By its own name and by another name it is known under: each by an index of its own.
    assert plans
    assert all("organisation_by_mention" in plan or "alias_by_mention" in plan for plan in plans), plans
