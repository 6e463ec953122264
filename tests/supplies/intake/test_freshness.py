"""How fresh is what comes from a list or an announcement: as fresh as the day it names, not as the day it was brought here."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from supplies.intake.models import ImportedRow
from supplies.needs import services as asking
from supplies.needs.models import Appeal, ConfirmedBy, Need, NeedStatus
from tests.makers import NOW
from tests.supplies.intake.conftest import Importer
from tests.supplies.intake.lists import make_cell, make_row

pytestmark = pytest.mark.django_db
TODAY = NOW.date()


def days_ago(days: int) -> datetime:
    return datetime.combine(TODAY - timedelta(days=days), datetime.min.time(), ZoneInfo("Asia/Shanghai"))


def updated(days: int, **changes: Any) -> dict[str, Any]:
    """A row that says how many days ago it was updated."""
    return make_row(remark=f"{TODAY - timedelta(days=days):%Y年%m月%d日}更新", **changes)


def test_what_a_list_asks_for_is_as_fresh_as_the_day_its_row_names(take: Importer) -> None:
    take(updated(12), as_of=TODAY)

    need = Need.objects.get()
    assert (need.confirmed_at, need.confirmed_by_kind) == (days_ago(12), ConfirmedBy.SOURCE)
    assert need.appeal.published_on == TODAY - timedelta(days=12)


def test_what_was_not_said_lately_is_grey_as_soon_as_it_is_in(take: Importer) -> None:
    take(updated(12), as_of=TODAY)

    asking.grey(at=NOW)

    assert Need.objects.get().is_grey


def test_a_row_that_names_no_day_is_as_fresh_as_its_list(take: Importer) -> None:
    take(make_row(url=""), as_of=TODAY - timedelta(days=3))

    assert Need.objects.get().confirmed_at == days_ago(3)


def test_a_day_that_has_not_come_yet_makes_nothing_fresher_than_its_list(take: Importer) -> None:
    report = take(updated(-20), as_of=TODAY)

    need = Need.objects.get()
    assert (report.failed, need.confirmed_at, need.appeal.published_on) == (0, days_ago(0), TODAY)


def test_a_later_day_in_the_row_says_once_more_what_stands_in_it(take: Importer) -> None:
    take(updated(12, supplies=[make_cell(), make_cell("乳胶手套", 100)]), as_of=TODAY - timedelta(days=10))
    asking.grey(at=NOW)

    take(updated(1, supplies=[make_cell()]), as_of=TODAY)

    assert {
        need.item_id: (need.confirmed_at, need.is_grey, need.appeal.published_on)
        for need in Need.objects.select_related("appeal")
    } == {
        "MASK_SURG": (days_ago(1), False, TODAY - timedelta(days=1)),
        "GLOVE_EXAM": (days_ago(12), True, TODAY - timedelta(days=1)),
    }


def test_what_has_lapsed_is_open_again_when_its_source_says_so_later(take: Importer) -> None:
    take(updated(40), as_of=TODAY - timedelta(days=40))
    asking.lapse(at=NOW)

    take(updated(1), as_of=TODAY)

    need = Need.objects.get()
    assert (need.status, need.confirmed_at) == (NeedStatus.OPEN, days_ago(1))


def test_what_the_hospital_took_back_or_confirmed_since_stays_as_it_is(take: Importer) -> None:
    take(updated(12, supplies=[make_cell(), make_cell("乳胶手套", 100)]), as_of=TODAY - timedelta(days=10))
    asking.withdraw_need(Need.objects.get(item="MASK_SURG"), by=None, at=NOW)
    asking.confirm(Need.objects.get(item="GLOVE_EXAM"), by=None, at=NOW)

    take(updated(1, supplies=[make_cell(), make_cell("乳胶手套", 100)]), as_of=TODAY)

    assert dict(Need.objects.values_list("status", "confirmed_at")) == {
        NeedStatus.WITHDRAWN: days_ago(12),
        NeedStatus.OPEN: NOW,
    }


def test_a_new_number_is_as_fresh_as_the_day_that_names_it(take: Importer) -> None:
    take(updated(12, supplies=[make_cell(value=500)]), as_of=TODAY - timedelta(days=10))

    take(updated(2, supplies=[make_cell(value=800)]), as_of=TODAY)

    need = Need.objects.get()
    assert (need.quantity, need.confirmed_at, need.confirmed_by_kind) == (
        800,
        days_ago(2),
        ConfirmedBy.SOURCE,
    )


def test_the_same_list_again_confirms_nothing(take: Importer) -> None:
    take(updated(12), as_of=TODAY - timedelta(days=10))

    take(updated(12), as_of=TODAY, at=NOW + timedelta(days=1))

    assert Need.objects.get().confirmed_at == days_ago(12)
    assert ImportedRow.objects.count() == Appeal.objects.count() == 1
    assert date.fromisoformat(ImportedRow.objects.get().shown["updated_on"]) == TODAY - timedelta(days=12)
