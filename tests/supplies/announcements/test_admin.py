"""Coordinators write announcements at the desk, take them back, and change nothing that was told."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from supplies.announcements.models import Announcement
from supplies.organisations.models import User
from tests.desk import at_the_desk, choose, page_of, told
from tests.makers import make_announcement, make_emergency, make_member, make_region

pytestmark = pytest.mark.django_db
ADD = "admin:supplies_announcement_add"


@pytest.fixture
def coordinator() -> User:
    person = make_member("coordinator")
    person.memberships.get().regions.add(make_region("420106"))
    return person


def written(person: User, **answers: Any) -> dict[str, Any]:
    return {
        "kind": "stop_sending",
        "emergency": make_emergency().pk,
        "region": "420106",
        "giver": person.memberships.get().organisation_id,
        "title_zh": "防护服已够",
        "text_zh": "请先不要再寄。",
        "title_en": "Enough gowns",
        "text_en": "Please send no more for now.",
        "reason": "The stores are full.",
        "confirmed": "yes",
        **answers,
    }


def test_a_coordinator_tells_everybody_that_enough_has_come(coordinator: User) -> None:
    at_the_desk(coordinator).post(reverse(ADD), written(coordinator))

    row = Announcement.objects.get()
    assert (row.kind, row.title_en, row.by) == ("stop_sending", "Enough gowns", coordinator)


def test_a_coordinator_finds_her_region_filled_in_and_is_led_to_what_everybody_reads(
    coordinator: User,
) -> None:
    client = at_the_desk(coordinator)
    form = client.get(reverse(ADD)).context["adminform"].form
    assert (form["region"].value(), form.fields["region"].required) == (make_region("420106").pk, True)

    answer = client.post(reverse(ADD), written(coordinator))

    page = reverse("announcement", args=[Announcement.objects.get().pk])
    assert told(answer) == [f'It is public now. <a href="{page}">Read it as everybody does</a>']


@pytest.mark.parametrize("wrong", [{"region": ""}, {"title_en": ""}, {"reason": ""}, {"kind": "withdrawal"}])
@pytest.mark.parametrize("unseen", [{}, {"confirmed": ""}], ids=["told", "previewed"])
def test_a_form_that_may_not_be_sent_so_comes_back_with_what_was_typed(
    coordinator: User, wrong: dict[str, str], unseen: dict[str, str]
) -> None:
    sent = written(coordinator, **wrong, **unseen)
    answer = at_the_desk(coordinator).post(reverse(ADD), {name: word for name, word in sent.items() if word})

    assert answer.status_code == 200
    assert next(iter(wrong)) in answer.context["adminform"].form.errors
    assert "Please send no more for now." in answer.content.decode()
    assert not Announcement.objects.exists()


ONLY_CHINESE = {"title_en": "", "text_en": ""}


def test_one_language_is_enough(coordinator: User) -> None:
    at_the_desk(coordinator).post(reverse(ADD), written(coordinator, **ONLY_CHINESE))

    row = Announcement.objects.get()
    assert (str(row), row.text, row.foreign) == ("防护服已够", "请先不要再寄。", "zh-Hans")


def test_no_language_is_too_few(coordinator: User) -> None:
    none = ONLY_CHINESE | {"title_zh": "", "text_zh": " "}

    answer = at_the_desk(coordinator).post(reverse(ADD), written(coordinator, **none))

    assert set(none) == set(answer.context["adminform"].form.errors)


def test_it_is_read_as_everybody_will_before_it_is_told(coordinator: User) -> None:
    client, sent = at_the_desk(coordinator), written(coordinator, **ONLY_CHINESE)
    sent.pop("confirmed")

    page = client.post(reverse(ADD), sent)

    assert "It is not public yet." in page.content.decode()
    assert "Who reads English finds the Chinese words." in page.content.decode()
    assert not Announcement.objects.exists()
    hidden = {name: field.value() or "" for name in sent if (field := page.context["form"][name])}
    changed = client.post(reverse(ADD), {**hidden, "again": "yes"}).content.decode()
    assert not Announcement.objects.exists()
    assert 'value="防护服已够"' in changed
    assert "errornote" not in changed
    client.post(reverse(ADD), {**hidden, "confirmed": "yes"})
    assert Announcement.objects.get().title_zh == "防护服已够"


def test_it_is_withdrawn_with_a_reason_and_by_nobody_of_elsewhere(coordinator: User) -> None:
    here, elsewhere = (make_announcement(region=make_region(code)) for code in ("420106", "110101"))

    client = at_the_desk(coordinator)
    refused = choose(client, "withdraw", elsewhere, query="", reason="The figures were wrong.")
    done = choose(client, "withdraw", here, query="", reason="The figures were wrong.")

    assert "outside your regions" in told(refused)[0]
    assert "done for 1" in told(done)[-1]
    assert list(Announcement.objects.standing()) == [elsewhere]


def test_a_volunteer_reads_them_and_writes_none(coordinator: User) -> None:
    row = make_announcement()
    client: Client = at_the_desk(make_member("volunteer"))

    assert client.get(page_of(row)).status_code == 200
    assert client.get(reverse(ADD)).status_code == 403
