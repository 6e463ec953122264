from typing import Any

import pytest
from django.db import connection
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from supplies.announcements.services import withdraw
from tests.makers import NOW, make_announcement, make_region
from tests.page_client import reader

pytestmark = pytest.mark.django_db


def test_the_list_shows_what_holds_with_giver_time_and_reason_and_on_request_all() -> None:
    old = make_announcement(title_en="Old word", reason="first counts")
    make_announcement(old.giver, title_en="New word", replaces=old)

    holds = reader().get(reverse("announcements")).content.decode()
    everything = reader().get(reverse("announcements"), {"all": "1"}).content.decode()

    assert "New word" in holds
    assert "Old word" not in holds
    assert old.giver.name in holds
    assert "23 November 2026, 16:00" in holds
    assert "Old word" in everything
    assert "first counts" in everything


def test_one_that_was_withdrawn_says_so_and_why() -> None:
    told = make_announcement()
    withdraw(told, reason="the figures were wrong", by=None, at=NOW)

    page = reader().get(reverse("announcement", args=[told.pk])).content.decode()

    assert "No longer current: it was withdrawn. the figures were wrong" in page


def test_who_reads_the_other_language_finds_the_words_marked_as_foreign() -> None:
    told = make_announcement(title_en="", text_en="", title_zh="只有中文", at=timezone.now())

    page, first, every = (
        reader().get(address).content.decode()
        for address in (reverse("announcement", args=[told.pk]), reverse("home"), reverse("announcements"))
    )

    assert all('lang="zh-Hans">只有中文' in shown for shown in (page, first, every))
    assert "Only in Chinese so far" in page
    assert "Only in Chinese so far" in every


def test_private_numbers_in_words_of_coordinators_are_masked_everywhere() -> None:
    told = make_announcement(text_en="Call 13800000000", text_zh="电话 13800000000", at=timezone.now())

    pages = [
        reader().get(address).content.decode()
        for address in (
            reverse("announcements"),
            reverse("announcement", args=[told.pk]),
            reverse("announcements-feed"),
            f"/api/v1/announcements/{told.pk}/",
        )
    ]

    assert all("Call" in page for page in pages)
    assert not any("13800000000" in page for page in pages)


def test_the_list_asks_as_much_for_many_as_for_one() -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert reader().get(reverse("announcements"), {"all": "1"}).status_code == 200
        return len(asked)

    make_announcement(region=make_region("420106"))
    few = asked()
    for code in ("110101", "310101", "440103"):
        make_announcement(replaces=make_announcement(region=make_region(code)))

    assert asked() == few <= 12


def test_the_note_for_the_first_page_costs_one_query_and_is_empty_without_news_and_one_more_with_some(
    django_assert_num_queries: Any,
) -> None:
    note = Template("{% include 'announcements/_current.html' %}")
    with django_assert_num_queries(1):
        assert not note.render(Context()).strip()

    make_announcement(kind="stop_sending", title_en="Enough gowns", title_zh="够了", at=timezone.now())
    make_announcement(title_zh="还有", at=timezone.now(), region=make_region("420106"))

    with django_assert_num_queries(2), translation.override("zh-hans"):
        shown = note.render(Context())
    assert "够了" in shown
    assert "还有" in shown


def test_the_feed_is_atom_with_what_holds() -> None:
    told = make_announcement()

    answer = reader().get(reverse("announcements-feed"))

    assert answer["Content-Type"].startswith("application/atom+xml")
    assert told.pk.urn in answer.content.decode()
