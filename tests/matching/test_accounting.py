"""Where goods went: counted into rows, and told only where enough givers stand behind it."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from matching import accounting
from matching.accounting import _withheld, put_together, told
from supplies.opendata.models import Figure
from tests.makers import NOW, make_allocation, make_need, make_offer, make_organisation
from tests.page_client import reader

pytestmark = pytest.mark.django_db


def figures(topic: str) -> dict[tuple[str, str], int | None]:
    rows = Figure.objects.filter(topic=topic)
    return {(key, measure): value for key, measure, value in rows.values_list("key", "measure", "value")}


def promised(givers: int, need: Any = None) -> Any:
    need = need or make_need(quantity=1000, urgency=1)
    for _one in range(givers):
        make_allocation(100, need=need, offer=make_offer(make_organisation("donor")))
    return need


def test_of_each_urgency_and_province_is_told_how_far_needs_are_met() -> None:
    promised(2)
    make_need(quantity=1000, urgency=1)

    accounting.count(at=NOW)

    of_class = figures("urgency")
    assert (of_class["1", "needs"], of_class["1", "promised"], of_class["1", "received"]) == (2, 1, 0)
    assert of_class["1", "met_percent"] == 10
    assert figures("region")["420000", "promised"] == 1


@pytest.mark.parametrize(("givers", "shown"), [(2, None), (3, 3)])
def test_reasons_are_told_only_where_three_givers_stand_behind_them(givers: int, shown: int | None) -> None:
    promised(givers)

    accounting.count(at=NOW)

    assert list(figures("reason").values()) == [shown]
    assert figures("waiting")["promise", "needs"] == (None if shown is None else 1)


def test_what_is_withheld_cannot_be_worked_out_from_the_rest() -> None:
    givers = {"as-asked": [*"abcdefgh"], "stands-in": [*"abcd"], "if-agreed": ["a", "b"], "by-hand": []}

    assert _withheld(givers) == {"if-agreed", "stands-in", "by-hand"}
    assert _withheld({"as-asked": [*"abc"], "stands-in": [*"abcd"]}) == set()
    assert _withheld({"as-asked": ["a"], "stands-in": ["b"], "if-agreed": ["c"]}) == {
        "as-asked",
        "stands-in",
        "if-agreed",
    }


def test_several_promises_of_one_giver_are_one_giver() -> None:
    assert told(["a", "a", "b"], 3) is None
    assert told(["a", "c", "b"], 3) == 3


def test_days_with_too_few_givers_are_put_to_the_next_and_the_last_ones_wait() -> None:
    first, second, third = (date(2026, 11, day) for day in (1, 2, 3))
    rows = [(first, "a"), (first, "a"), (second, "b"), (second, "c"), (third, "a")]

    assert put_together(rows) == {second: 4}


def test_what_was_counted_again_is_there_once() -> None:
    promised(3)
    accounting.count(at=NOW)
    before = figures("urgency")

    accounting.count(at=NOW)

    assert figures("urgency") == before


def test_the_page_and_the_file_say_the_same_and_hide_what_few_gave() -> None:
    promised(2)
    accounting.count(at=NOW)

    page = reader().get(reverse("where-it-went"))
    file = reader().get(reverse("where-it-went-file")).content.decode()

    assert "not told" in page.content.decode()
    assert page.context["by_urgency"][0][1] == [1, 1, 0, 20]
    assert "flu-2026,urgency,1,met_percent,20," in file
    assert ",reason,by-hand,promises,," in file


def test_before_anything_was_counted_the_page_says_so() -> None:
    make_need()

    assert "Nothing has been counted yet." in reader().get(reverse("where-it-went")).content.decode()
    assert reader().get(reverse("where-it-went"), {"emergency": "no"}).status_code == 404


def test_the_page_asks_as_much_for_many_figures_as_for_few() -> None:
    def queries() -> int:
        accounting.count(at=NOW)
        with CaptureQueriesContext(connection) as found:
            assert reader().get(reverse("where-it-went")).status_code == 200
        return len(found)

    promised(1)
    few = queries()
    for _again in range(3):
        promised(3)

    assert queries() == few <= 12
