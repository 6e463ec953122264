"""The filters of a list at the desk leave the first screen to the list."""

import pytest
from django.urls import reverse

from tests.desk import at_the_desk
from tests.makers import make_member

pytestmark = pytest.mark.django_db
PROPOSALS = reverse("admin:matching_proposal_changelist")


def shown(query: str = "") -> str:
    return at_the_desk(make_member("coordinator")).get(PROPOSALS + query).content.decode()


def test_all_filters_but_the_first_are_folded_where_there_are_many() -> None:
    page = shown()

    first, folded = page.partition('<nav id="changelist-filter"')[2].partition("<details>")[::2]
    assert first.count('class="filter"') == 1
    assert folded.count('class="filter"') >= 5


def test_what_is_chosen_in_a_folded_filter_is_told_and_can_be_cleared() -> None:
    page = shown("?need__urgency__exact=1")
    summary = page.partition("<details><summary>")[2].partition("</summary>")[0]

    assert "critical: runs out within a day" in summary
    assert "Remove all filters" in page
    assert "(" not in shown().partition("<details><summary>")[2].partition("</summary>")[0]
