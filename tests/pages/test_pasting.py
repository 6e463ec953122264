"""From a pasted announcement to a published appeal, as a volunteer walks it in a browser who reads nothing but the page."""

from typing import Any

import pytest
from django.conf import settings

from supplies.needs.models import Appeal
from supplies.organisations.models import User
from tests.desk import at_the_desk, page_of
from tests.makers import make_emergency, make_facility, make_member
from tests.pages.test_pages import DESK, PHONE, Opener, open_page  # noqa: F401
from tests.supplies.intake.lists import make_catalogue

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ANNOUNCEMENT = """演练星河医院急需防护物资
1. 医用外科口罩 2万只
2. N95口罩 500个
接收地址：武昌区演练路1号 后勤仓库
联系人：练习员 027-81234567
"""


def signed_in(page: Any, user: User) -> Any:
    """Past the second factor, which is walked elsewhere."""
    cookie = at_the_desk(user).cookies[settings.SESSION_COOKIE_NAME]
    page.goto("/")
    page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": page.url}])
    return page


@pytest.fixture
def hospital() -> Any:
    make_emergency()
    make_catalogue()
    return make_facility(name="演练星河医院")


@pytest.mark.parametrize("size", [PHONE, DESK])
def test_a_pasted_announcement_is_published_in_a_few_steps(
    open_page: Opener,  # noqa: F811
    hospital: Any,
    size: dict[str, int],
) -> None:
    page = signed_in(open_page(size), make_member("volunteer"))
    clicks = []

    def press(name: str) -> None:
        clicks.append(name)
        page.get_by_role("button", name=name, exact=True).click()

    page.goto("/appeals/read/")
    page.locator("textarea[name=text]:focus").wait_for()  # the box to type into is ready without a click
    page.keyboard.insert_text(ANNOUNCEMENT)
    press("Read it")
    press("Take it over for 演练星河医院")
    assert page.input_value("input[name=contact_name]") == "练习员"
    assert page.get_by_text("In the announcement").count() == 2
    doubtful = page.evaluate("document.activeElement.name")
    page.keyboard.press("Control+A")
    page.keyboard.type("600")
    press("Send")
    page.wait_for_selector("text=Your appeal has been received")

    appeal = Appeal.objects.get()
    desk = signed_in(open_page(size), make_member("volunteer"))
    desk.goto(page_of(appeal))
    desk.get_by_role("button", name="Publish", exact=True).click()
    clicks.append("Publish")
    desk.wait_for_load_state()

    appeal.refresh_from_db()
    read = {need.item_id: (need.quantity, need.as_written) for need in appeal.needs.all()}
    assert appeal.status == "published"
    assert read["MASK_SURG"][0] == 20_000
    assert "2万" in read["MASK_SURG"][1]
    assert read["RESP_MED"][0] == 600
    assert doubtful == "lines-1-amount"
    assert len(clicks) == 4


def test_what_was_read_without_a_doubt_is_folded_and_can_be_left_out(
    open_page: Opener,  # noqa: F811
    hospital: Any,
) -> None:
    page = signed_in(open_page(PHONE), make_member("volunteer"))
    page.goto("/appeals/read/")
    page.fill("textarea[name=text]", ANNOUNCEMENT)
    page.click("text=Read it")
    page.click("text=Take it over for 演练星河医院")

    assert not page.is_visible("select[name=lines-0-item]")
    page.click("summary:has-text('20000')")
    page.select_option("select[name=lines-0-item]", "")
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_selector("text=Your appeal has been received")

    assert [need.item_id for need in Appeal.objects.get().needs.all()] == ["RESP_MED"]


def test_another_hospital_is_found_without_leaving_the_page(
    open_page: Opener,  # noqa: F811
    hospital: Any,
) -> None:
    page = signed_in(open_page(PHONE), make_member("volunteer"))
    page.goto("/appeals/read/")
    page.fill("textarea[name=text]", "急需 医用外科口罩 2万只")
    page.click("text=Read it")
    assert page.get_by_text("The announcement names no hospital").is_visible()

    page.fill("input[name=hospital]", "星河")
    page.get_by_role("button", name="Find", exact=True).click()
    page.click("text=Take it over for 演练星河医院")

    assert page.input_value("input[name=lines-0-amount]") == "20000"
