"""What cards say of a need, wherever it stands."""

from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from supplies.needs.models import ConfirmedBy
from supplies.templatetags import cards


@pytest.fixture(autouse=True)
def _english() -> Any:
    with override("en"):
        yield


@pytest.mark.parametrize(
    ("name", "fixed"), [("appeal", []), ("organisation", []), ("report", ["need"]), ("report", ["appeal"])]
)
def test_the_address_of_a_row_is_the_one_its_route_has(name: str, fixed: list[str]) -> None:
    for pk in (uuid4(), uuid4()):
        assert cards.row_url(name, *fixed, pk) == reverse(name, args=[*fixed, pk])


@pytest.mark.parametrize("by", ConfirmedBy.values)
def test_whoever_confirmed_a_need_is_named(by: str) -> None:
    said = cards.confirmed(SimpleNamespace(confirmed_by_kind=by, confirmed_at=timezone.now()))

    assert "less than a minute ago" in said


def bar(**counts: Any) -> SimpleNamespace:
    unit = SimpleNamespace(name="piece")
    item = SimpleNamespace(shown=lambda quantity: quantity, display_unit=unit)
    nothing = dict.fromkeys((column for column, _style, _word in cards.PARTS), 0)
    return SimpleNamespace(**{"item": item, "asked": 10, "quantity_outstanding": 3, **nothing, **counts})


def test_the_parts_of_the_bar_follow_one_another_and_those_of_nothing_are_left_out() -> None:
    shown = cards.gauge(bar(quantity_received=2, quantity_promised=5))

    assert 'viewBox="0 0 10 10"' in shown
    assert '<rect class="g-received" x="0" y="0" height="10" width="2"/>' in shown
    assert '<rect class="g-promised" x="2" y="0" height="10" width="5"/>' in shown
    assert "transit" not in shown
    assert "still needed 3 pieces" in shown


def test_what_is_proposed_is_said_not_to_be_agreed() -> None:
    assert "still needed 3 pieces</strong> (what is proposed is not agreed yet)" in cards.gauge(
        bar(quantity_proposed=3)
    )
    assert "agreed" not in cards.gauge(bar(quantity_promised=3))
    assert "agreed" not in cards.gauge(
        bar(quantity_proposed=3), "left"
    )  # of an offer: what is proposed is not left


@pytest.mark.parametrize("status", cards.OVER)
def test_what_is_over_lacks_nothing(status: str) -> None:
    assert "still needed" not in cards.gauge(bar(status=status))


def test_what_is_missing_is_called_as_the_page_says_and_escaped() -> None:
    assert "&lt;b&gt; 3 pieces" in cards.gauge(bar(), "<b>")
