"""What was read is named by its ETag: not sent again to who has it, not overwritten by who has an older one."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import path
from rest_framework.test import APIClient

import config.urls
from supplies.needs.api import NeedViewSet
from supplies.needs.models import Need
from supplies.papers.services import certify
from supplies.receipts import services as receiving
from tests.api.lists import LISTS
from tests.api_client import V1, Speaker, today  # noqa: F401
from tests.at_once import behind, held
from tests.makers import (
    NOW,
    make_appeal,
    make_facility,
    make_member,
    make_need,
    make_shipment,
    make_user,
)
from tests.operations import CASES, described
from tests.tables import changes, photograph

UPDATES = sorted(operation for operation in CASES if operation.split()[0] in ("PUT", "PATCH"))
urlpatterns = [
    *config.urls.urlpatterns,
    path("api/v1/ungated/<uuid:pk>/", NeedViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
]


def administrator() -> Speaker:
    return Speaker(make_user(is_superuser=True))


# -- reading -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", LISTS)
def test_a_row_is_not_sent_again_to_who_has_it(prefix: str) -> None:
    person = Speaker(make_member("volunteer", is_superuser=True))
    LISTS[prefix](1)
    row = person.get(prefix).json()["results"][0]
    address = f"{prefix}{row.get('id') or row['code']}/"

    first = person.get(address)
    again = person.client.get(V1 + address, HTTP_IF_NONE_MATCH=f'"older", W/{first.headers["ETag"]}')
    older = person.client.get(V1 + address, HTTP_IF_NONE_MATCH='"older"')

    assert re.fullmatch(r'"[0-9a-f]{32}"', first.headers["ETag"])
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert (older.status_code, older.content) == (200, first.content)


def test_every_row_of_the_api_is_read_in_that_test() -> None:
    details = {
        path for path, methods in described()["paths"].items() if path.endswith("}/") and "get" in methods
    }

    assert {f"{V1}{prefix}" for prefix in (*LISTS, *CODES, "change-requests/")} == {
        path[: path.index("{")] for path in details
    }


def a_certificate() -> str:
    shipment = make_shipment(status="delivered")
    line = shipment.lines.get()
    receiving.receive(shipment, counts=[{"line": line, "accepted": 100}], by=None, at=NOW)
    return certify(line.allocation.offer.donation, by=None, at=NOW).code


CODES: dict[str, Callable[[], str]] = {"track/": lambda: make_appeal().code, "certificates/": a_certificate}


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", CODES)
def test_a_code_that_is_followed_is_not_sent_again_either(prefix: str) -> None:
    address = f"{V1}{prefix}{CODES[prefix]()}/"
    first = APIClient().get(address)

    again = APIClient().get(address, HTTP_IF_NONE_MATCH=first.headers["ETag"])

    assert (again.status_code, again.content) == (304, b"")
    assert "no-store" in again.headers["Cache-Control"]


@pytest.mark.django_db
def test_another_representation_has_another_name() -> None:
    need, member = make_need(), make_user()
    names = {
        person.client.get(f"{V1}needs/{need.pk}/", HTTP_ACCEPT_LANGUAGE=language).headers["ETag"]
        for person in (Speaker(), Speaker(member))
        for language in ("en", "zh-hans")
    }

    assert len(names) == 2  # by the language, since both readers see the same


# -- changing ----------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("operation", UPDATES)
def test_a_change_needs_what_was_read_and_what_was_read_must_still_be_true(operation: str) -> None:
    address, body = CASES[operation]()
    person = administrator()
    read = person.etag(address)
    before = photograph()

    blind = person.request(operation, address, body, if_match="")
    anything = person.request(operation, address, body, if_match="*")
    stale = person.request(operation, address, body, if_match='"0123456789abcdef0123456789abcdef"')
    undone = changes(before, photograph())
    changed = person.request(operation, address, body, if_match=read)
    too_late = person.request(operation, address, body, if_match=read)

    assert [(answer.status_code, answer.json()["code"]) for answer in (blind, anything)] == [
        (428, "if-match-needed")
    ] * 2
    assert (stale.status_code, stale.json()["code"]) == (412, "changed-meanwhile")
    assert undone == {}
    assert changed.status_code == 200
    assert changed.headers["ETag"] == person.etag(address)
    assert (too_late.status_code, too_late.json()["code"]) == (412, "changed-meanwhile")


def test_there_is_an_update_to_test() -> None:
    assert "PATCH /api/v1/needs/{id}/" in UPDATES


@pytest.mark.django_db
def test_a_change_that_is_sent_again_with_its_key_is_answered_although_the_row_is_another_now() -> None:
    need, person = make_need(), administrator()
    read = person.etag(f"needs/{need.pk}/")
    sent: Any = {"idempotency_key": "k", "if_match": read}
    first = person.patch(f"needs/{need.pk}/", {"quantity": 700}, **sent)

    again = person.patch(f"needs/{need.pk}/", {"quantity": 700}, **sent)

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["ETag"] == first.headers["ETag"]


@pytest.mark.django_db
@pytest.mark.parametrize("weak", ["", "W/"])
def test_what_was_read_in_the_other_language_or_through_a_proxy_counts(weak: str) -> None:
    need, person = make_need(), administrator()
    read = person.client.get(f"{V1}needs/{need.pk}/", HTTP_ACCEPT_LANGUAGE="en").headers["ETag"]

    answer = person.patch(
        f"needs/{need.pk}/", {"quantity": 700}, if_match=weak + read, accept_language="zh-hans"
    )

    assert answer.status_code == 200


@pytest.mark.django_db
def test_what_somebody_cannot_see_is_not_there_whatever_she_says_she_has_read() -> None:
    hidden = make_need(published=False)
    stranger = Speaker(make_user())

    missing = stranger.patch(f"needs/{make_facility().pk}/", {"quantity": 5}, if_match='"a"')
    other = stranger.patch(f"needs/{hidden.pk}/", {"quantity": 5}, if_match='"a"')

    assert (other.status_code, other.content) == (missing.status_code, missing.content)
    assert other.status_code == 404


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("address", "wins"), [("needs", [200, 412]), ("ungated", [200, 200])], ids=str)
def test_of_two_changes_of_what_was_read_once_one_wins(settings: Any, address: str, wins: list[int]) -> None:
    """Without the gate, as a control, both are told that they won, and one of them is overwritten."""
    settings.ROOT_URLCONF = __name__
    hospital = make_facility()
    member, need = make_member("hospital", hospital.organisation), make_need(hospital)
    read = Speaker(member).etag(f"needs/{need.pk}/")
    path = f"{address}/{need.pk}/"

    answers = behind(
        held(Need.objects.filter(pk=need.pk)),
        [
            lambda: Speaker(member).patch(path, {"quantity": 700}, if_match=read),
            lambda: Speaker(member).patch(path, {"quantity": 800}, if_match=read),
        ],
    )

    assert sorted(answer.status_code for answer in answers) == wins
    (last, *_others) = [a.json()["quantity"] for a in answers if a.status_code == 200]
    need.refresh_from_db()
    assert need.quantity == last or wins == [200, 200]
