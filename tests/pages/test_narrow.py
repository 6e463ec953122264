"""What has to be read on a phone, and what stands in one line on a desk."""

from typing import Any

import pytest
from django.core.cache import caches
from django.utils import timezone

from matching import accounting
from supplies.needs.counting import count_open
from supplies.receipts import services as receiving
from supplies.regions.models import Region
from tests.makers import (
    NOW,
    make_allocation,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_notice,
    make_offer,
    make_region,
    make_shipment,
)
from tests.matching.test_results import make_world, match
from tests.pages.test_pages import DESK, PASSWORD, PHONE, Opener, open_page

__all__ = ["open_page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
TOO_WIDE = "all => all.filter(it => it.scrollWidth > it.clientWidth + 1).map(it => it.textContent.trim().slice(0, 60))"


def test_the_names_on_the_map_of_a_province_can_be_read_on_a_phone(open_page: Opener) -> None:
    make_need(make_facility(region=make_region("420106")))
    Region.objects.filter(pk="420106").update(lat=30.55, lon=114.31)
    count_open(at=timezone.now())
    page = open_page(PHONE)

    page.goto("/map/?province=420000")

    drawn = "text => parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a"
    assert page.eval_on_selector(".map svg.near text", drawn) >= 11


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_no_column_of_the_accounts_is_out_of_sight_on_a_phone(open_page: Opener, language: str) -> None:
    for urgency in (1, 2, 3, 4):
        make_need(urgency=urgency)
    accounting.count(at=timezone.now())
    page = open_page(PHONE, language=language)

    page.goto("/where-it-went/")

    assert page.eval_on_selector_all("main > .scroll, main .columns .scroll", TOO_WIDE) == []


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_what_the_last_run_came_to_stands_one_below_the_other_each_as_wide_as_its_card(
    open_page: Opener, size: dict[str, int]
) -> None:
    make_world()
    match()
    caches["process"].clear()
    page = open_page(size, language="zh-CN")

    page.goto("/how-matching-works/")

    card = page.locator("section.card")
    widths = card.locator("> div, > dl, > p").evaluate_all("all => all.map(it => it.offsetWidth)")
    assert min(widths) > 0.85 * card.evaluate("it => it.clientWidth")


def test_facts_with_long_names_break_between_words(open_page: Opener) -> None:
    item = make_item("RESP_MED", name_en="Medical protective respirator (fluid resistant)")
    need = make_need(quantity=123_456, item=item)
    allocation = make_allocation(123_456, need=need, offer=make_offer(item=item, quantity=123_456))
    shipment = make_shipment(allocation, status="delivered")
    counts = [{"line": shipment.lines.get(), "accepted": 123_456}]
    receiving.receive(shipment, counts=counts, by=None, at=NOW)
    page = open_page(PHONE)

    page.goto(f"/organisations/{need.appeal.facility.organisation_id}/")

    assert page.eval_on_selector(".facts dd", "fact => fact.getBoundingClientRect().width") >= 120


def test_the_top_of_a_page_is_one_line_on_a_desk_with_much_in_the_inbox(open_page: Opener) -> None:
    member: Any = make_member("hospital")
    member.set_password(PASSWORD)
    member.save()
    for _many in range(12):
        make_notice(member)
    page = open_page(DESK, user=member)

    page.goto("/mine/gifts/")

    assert page.eval_on_selector(".top", "top => top.getBoundingClientRect().height") < 60


def test_filters_that_were_applied_fold_so_that_a_phone_shows_what_they_found(open_page: Opener) -> None:
    make_need(urgency=1), make_need(urgency=4)
    page = open_page(PHONE)
    page.goto("/needs/")
    page.locator("details.filters summary").click()
    page.select_option("select[name=urgency]", "1")

    page.get_by_role("button", name="Apply", exact=True).click()

    page.get_by_text("Found, still open: 1").wait_for()
    assert page.locator("details.filters").get_attribute("open") is None
    assert page.locator("article.need").first.evaluate("card => card.getBoundingClientRect().top") < 800


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("signed_in", [False, True], ids=["stranger", "member"])
def test_the_top_of_a_page_is_two_lines_on_a_phone_and_every_page_is_a_press_away_without_a_script(
    open_page: Opener, language: str, signed_in: bool
) -> None:
    member: Any = make_member("hospital")
    member.set_password(PASSWORD)
    member.save()
    for _many in range(12):
        make_notice(member)
    page = open_page(
        {"width": 360, "height": 700}, language=language, script=False, user=member if signed_in else None
    )
    page.goto("/needs/")
    assert page.locator(".top").bounding_box()["height"] < 100

    page.locator("nav summary").press("Enter")

    page.locator("nav a[href='/map/']").wait_for()
    if signed_in:
        page.locator(".who summary").press("Enter")
        page.locator(".who button").wait_for()
    targets = page.locator(".top :is(a, summary, button):visible").all()
    assert min(target.bounding_box()["height"] for target in targets) >= 24
