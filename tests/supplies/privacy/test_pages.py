"""One's own data: read, copied, erased."""

import json
from typing import Any

import pytest

from supplies.organisations.contacts import Contact
from supplies.organisations.models import User
from supplies.privacy.models import Reveal
from supplies.privacy.services import reveal
from tests.makers import NOW, make_appeal, make_user
from tests.page_client import reader
from tests.supplies.privacy.cast import Match, make_match

pytestmark = pytest.mark.django_db


@pytest.fixture
def match() -> Match:
    return make_match()


def test_my_page_says_who_was_shown_my_contact_and_for_what(match: Match) -> None:
    reveal(match.hospital_contact, purpose="deliver", by=match.giver, at=NOW)

    page = reader(match.nurse).get("/mine/data/").content.decode()

    assert match.donor.name in page
    assert "to arrange a delivery" in page
    assert "000-0001-0001" not in page
    assert match.donor.name not in reader(make_user()).get("/mine/data/").content.decode()


def test_my_copy_holds_what_is_mine_and_writes_down_that_i_was_shown_it(match: Match) -> None:
    appeal = make_appeal(match.site, by=match.nurse, remark="送到东门")
    reveal(match.hospital_contact, purpose="deliver", by=match.giver, at=NOW)

    answer = reader(match.nurse).post("/mine/data/copy/")

    copy = json.loads(answer.content)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Cache-Control"] == "private, no-store"
    assert copy["account"]["username"] == match.nurse.username
    assert [row["phone"] for row in copy["contacts"]] == ["000-0001-0001"]
    assert [row["id"] for row in copy["posted"]["supplies.appeal"]] == [str(appeal.pk)]
    assert [row["purpose"] for row in copy["shown_to_others"]] == ["deliver"]
    assert Reveal.objects.filter(by=match.nurse, purpose="own").count() == 1
    assert "password" not in answer.content.decode()


def test_my_copy_holds_nothing_of_others(match: Match) -> None:
    make_appeal(match.site, by=match.nurse, remark="送到东门")

    copy = reader(match.giver).post("/mine/data/copy/").content.decode()

    assert "送到东门" not in copy
    assert "000-0001-0001" not in copy


def test_i_am_erased_when_i_say_that_i_am_sure_and_signed_out(match: Match) -> None:
    client = reader(match.nurse)

    unsure = client.post("/mine/data/erase/")
    assert unsure.status_code == 400
    assert Contact.objects.filter(entered_by=match.nurse).exists()

    answer = client.post("/mine/data/erase/", {"is_sure": "on"})

    assert answer.url == "/"
    assert not User.objects.get(pk=match.nurse.pk).is_active
    assert client.get("/mine/data/").status_code == 302


@pytest.mark.parametrize("path", ["/mine/data/copy/", "/mine/data/erase/"])
def test_a_copy_and_an_erasure_take_more_than_opening_an_address(match: Match, path: str) -> None:
    assert reader(match.nurse).get(path).status_code == 405


def test_the_last_administrator_is_told_why_not(settings: Any) -> None:
    root = make_user(is_superuser=True)

    answer = reader(root).post("/mine/data/erase/", {"is_sure": "on"}, follow=True)

    assert "only administrator" in answer.content.decode()
    assert User.objects.get(pk=root.pk).is_active
