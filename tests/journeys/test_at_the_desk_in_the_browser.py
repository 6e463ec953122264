"""Journeys of a volunteer and of a coordinator at their desk, walked in a browser: on a phone in Chinese, at a desk in English."""

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from matching import running
from matching.models import MatchingRun, Proposal
from matching.orders import Order
from supplies.announcements.models import Announcement
from supplies.claims.models import Claim
from supplies.needs.models import Appeal
from supplies.organisations import services as people
from tests.desk import list_of, page_of
from tests.journeys.walking import Walk, walk
from tests.makers import (
    NOW,
    make_appeal,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_user,
)
from tests.pages.test_pages import open_page

__all__ = ["open_page", "walk"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def focused(page: Any, about: str) -> Any:
    """Something of the element that has the focus, which the expression calls `it`."""
    return page.evaluate(f"(it => {about})(document.activeElement)")


def test_a_volunteer_publishes_an_appeal_by_keyboard_and_another_sees_that_it_is_taken(walk: Walk) -> None:
    first = make_appeal(make_facility(name="演练港口医院"), published=False, at=NOW - timedelta(hours=2))
    later = make_appeal(make_facility(name="演练山谷医院"), published=False, at=NOW)
    volunteer, colleague = make_member("volunteer"), make_member("volunteer")
    page = walk.window(volunteer)

    page.goto(reverse("admin:index"))
    page.keyboard.press("?")
    page.locator("dialog#keys[open]").wait_for()
    walk.keep(page, "the-keys")
    page.keyboard.press("?")
    page.locator("dialog#keys:not([open])").wait_for(state="attached")
    queue = list_of(Appeal)
    for _each in range(page.locator(".waiting li a").count()):
        page.keyboard.press("j")
        if queue in focused(page, "it.href"):
            break
    walk.keep(page, "what-waits")
    page.keyboard.press("o")
    page.wait_for_url(f"**{queue}**")

    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page_of(later) in focused(page, "it.href")
    page.keyboard.press("k")
    page.keyboard.press("x")
    assert page.locator("input.action-select").evaluate_all("them => them.map(it => it.checked)") == [
        True,
        False,
    ]
    walk.keep(page, "the-queue")
    page.keyboard.press("o")
    page.wait_for_url(f"**{page_of(first)}**")
    page.keyboard.press("a")
    assert focused(page, "it.innerText") == walk.says("Publish")
    walk.keep(page, "the-appeal")

    other = walk.window(colleague)
    other.goto(queue)
    assert str(volunteer) in other.locator("#result_list tbody tr").first.inner_text()
    other.goto(page_of(first))
    assert str(volunteer) in other.inner_text(".claim.others")
    walk.keep(other, "taken-by-another")
    assert other.get_by_role("button", name=walk.says("Publish"), exact=True).count() == 0

    page.keyboard.press("Enter")
    page.locator(".messagelist .success").wait_for()
    walk.keep(page, "published")

    first.refresh_from_db()
    later.refresh_from_db()
    assert (first.status, first.moderated_by, later.status) == ("published", volunteer, "waiting")
    assert not Claim.objects.exists()


def run_what_was_started() -> None:
    """What the workers do when the journal rings."""
    for run in MatchingRun.objects.unfinished():
        for family in running.open_run(run.pk, at=timezone.now()):
            running.solve_family(family.pk)


def test_a_coordinator_freezes_an_item_tries_a_dry_run_and_tells_the_public(walk: Walk) -> None:
    mask = make_item("MASK_SURG")
    emergency = make_emergency()
    gown = make_item("GOWN", name_en="Gown", name_zh="隔离衣")
    for item in (mask, gown):
        make_need(quantity=100, urgency=1, item=item)
        make_offer(quantity=60, item=item)
    province, body = make_region("420000"), make_organisation("coordinator", name="演练指挥部")
    coordinator = make_user("coordinator")
    people.enrol(coordinator, body, "coordinator", regions=[province], by=None, at=NOW)
    page = walk.window(coordinator)

    page.goto(reverse("admin:index"))
    page.click(f"#content-main a[href='{reverse('admin:matching_order_desk')}']")
    name = {"zh-hans": mask.name_zh, "en": mask.name_en}[walk.language]
    assert name in page.inner_text("section[aria-labelledby=gaps]")
    walk.keep(page, "gaps")

    page.click("#content-main a[href*='kind=freeze']")
    order_freeze(page, called=mask.name_en, region=province.pk)
    walk.keep(page, "the-order")
    page.wait_for_load_state("networkidle")  # what was chosen exchanges parts of the form
    page.click("#content-main input[type=submit]")
    page.wait_for_url(f"**{reverse('admin:matching_order_desk')}")
    assert "Counted anew by hand." in page.inner_text("section[aria-labelledby=orders]")
    walk.keep(page, "frozen")

    page.click("#content-main a[href*='is_dry=on']")
    assert page.is_checked("input[name=is_dry]")
    page.click("#content-main input[type=submit]")
    page.locator(".messagelist .success").wait_for()
    page.locator(".progress").wait_for()
    walk.keep(page, "waits-for-a-worker")
    run_what_was_started()
    page.locator(".progress").wait_for(state="detached")
    foreseen = page.inner_text("section[aria-labelledby=foreseen]")
    assert name not in foreseen
    assert "60" in foreseen
    walk.keep(page, "a-dry-run")

    page.goto(reverse("admin:matching_order_desk"))
    page.click(f"#content-main a[href='{reverse('admin:supplies_announcement_changelist')}']")
    page.click(f"#content-main a[href='{reverse('admin:supplies_announcement_add')}']")
    page.select_option("select[name=emergency]", emergency.pk)
    page.click(".field-region .select2-selection")
    page.fill(".select2-search__field", province.name_zh)
    page.locator(".select2-results__option", has_text=str(province)).click()
    page.fill("input[name=title_zh]", "演练：口罩请先等一等")
    page.fill("textarea[name=text_zh]", "正在重新清点。")
    page.fill("input[name=title_en]", "Exercise: hold masks back for now")
    page.fill("textarea[name=text_en]", "They are being counted anew.")
    page.fill("[name=reason]", "Counted anew by hand.")
    walk.keep(page, "the-announcement")
    page.click("input[name=_save]")
    page.locator("input[name=confirmed]").wait_for()
    walk.keep(page, "as-everybody-will-read-it")
    page.click("input[name=confirmed]")
    page.locator(".messagelist .success").wait_for()
    told = Announcement.objects.get()

    public = walk.window()
    public.goto("/")
    public.click(f"main a[href='{reverse('announcement', args=[told.pk])}']")
    words = {"zh-hans": told.text_zh, "en": told.text_en}[walk.language]
    assert words in public.inner_text("main")
    walk.keep(public, "what-the-public-reads")

    (order,), (run,) = Order.objects.all(), MatchingRun.objects.all()
    assert (order.kind, order.item, order.region, order.by) == ("freeze", mask, province, coordinator)
    assert (run.is_dry, run.status) == (True, "done")
    assert not Proposal.objects.exists()
    assert (told.by, told.giver, told.region) == (coordinator, body, province)


def order_freeze(page: Any, *, called: str, region: str) -> None:
    """Goods are found by what people call them."""
    page.locator("[name=reason]").wait_for()
    page.fill("input[name=item_called]", called)
    page.fill("input[name^=region]", region)
    page.fill("[name=reason]", "Counted anew by hand.")
    page.fill("input[name=until]", f"{timezone.localtime() + timedelta(days=2):%Y-%m-%dT%H:%M}")
