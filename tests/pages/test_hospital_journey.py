"""An equipment officer on a phone: an appeal by the names she uses, a login lost in the middle, and nothing lost with it."""

from collections.abc import Callable
from typing import Any

import pytest

from supplies.accounts.models import Draft, Session
from supplies.needs.models import Appeal
from tests.makers import make_emergency, make_facility, make_item, make_member, make_standard
from tests.pages.test_pages import PASSWORD, PHONE, open_page  # noqa: F401 # a fixture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Opener = Callable[..., Any]


def test_an_officer_posts_by_synonym_and_a_lost_login_costs_nothing(open_page: Opener) -> None:  # noqa: F811
    make_emergency()
    item = make_item("RESP", name_en="Medical respirator", name_zh="医用防护口罩", synonyms=["N95", "口罩"])
    make_item("GOWN", name_en="Gown")
    make_standard("GB19083-2010", [item])
    hospital = make_facility()
    officer = make_member("hospital", hospital.organisation)
    page = open_page(PHONE, user=officer)

    page.click("text=My page")
    page.click("main >> text=My hospital")
    page.click("main >> text=Post a need")
    page.wait_for_selector("input[name=lines-0-called]")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.click("input[name=lines-0-called]")
    page.keyboard.type("n95")
    assert page.input_value("input[name=lines-0-called]") == "n95"
    page.wait_for_selector("[role=option]:has-text('Medical respirator')")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("input[name=lines-0-called]", "aria-activedescendant") == "lines-0-option-1"
    page.keyboard.press("Enter")
    assert page.input_value("select[name=lines-0-item]") == "RESP"
    page.click(".hint button:has-text('GB19083-2010')")
    assert page.input_value("input[name=lines-0-standards]") == "GB19083-2010"
    page.fill("input[name=contact_name]", "Practice person")
    page.fill("input[name=contact_phone]", "027-81234567")
    page.wait_for_selector("#draft-kept:has-text('Kept at')")
    Session.objects.filter(user=officer).delete()  # the login is lost
    page.fill("input[name=lines-0-amount]", "700")
    page.get_by_role("button", name="Send", exact=True).click()

    page.fill("input[name=username]", officer.username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button")
    page.wait_for_selector("text=Here is what you typed")
    assert page.input_value("input[name=contact_phone]") == "027-81234567"
    assert page.input_value("input[name=lines-0-amount]") == "700"
    page.get_by_role("button", name="Send", exact=True).click()

    page.wait_for_selector("text=Your appeal is in")
    (need,) = Appeal.objects.get().needs.all()
    assert (need.item_id, need.quantity) == ("RESP", 700)
    assert [standard.pk for standard in need.accepted_standards.all()] == ["GB19083-2010"]
    assert not Draft.objects.exists()
