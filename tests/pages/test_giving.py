"""A donor on a phone: what she has, who needs it, her yes, and the label; and what is said of goods without JavaScript."""

from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from django.utils import timezone

from matching.models import FamilyRun, MatchingRun, Proposal, ProposalStatus
from supplies.allocations.models import Allocation
from supplies.attachments.models import Attachment
from supplies.needs.models import Need
from supplies.offers import services as giving
from supplies.offers.models import Donation, Offer
from tests.makers import (
    NOW,
    make_facility,
    make_item,
    make_member,
    make_mode,
    make_need,
    make_shipment,
    make_standard,
    make_user,
)
from tests.pages.test_pages import DESK, PHONE, open_page  # noqa: F401
from tests.supplies.attachments.hostile import picture

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def fill_in(page: Any) -> None:
    page.goto("/donations/new/")
    with page.expect_navigation():
        page.select_option("select[name=province]", "420000")
    page.select_option("select[name=city]", "420100")
    page.select_option("select[name=lines-0-item]", "MASK_SURG")
    page.fill("input[name=lines-0-amount]", "1000")
    page.fill("input[name=contact_name]", "Practice person")
    page.fill("input[name=contact_phone]", "027-81234567")


def propose(need: Need, offer: Offer) -> Proposal:
    """As a run and a volunteer leave it: the donor is asked."""
    at = timezone.now()
    run = MatchingRun.objects.create(
        emergency=need.appeal.emergency, trigger="hand", as_of=at, created_at=at, status="done"
    )
    Need.objects.filter(pk=need.pk).update(quantity_proposed=500)
    Offer.objects.filter(pk=offer.pk).update(quantity_proposed=500)
    return Proposal.objects.create(
        family_run=FamilyRun.objects.create(
            run=run, emergency=run.emergency, family="masks", status="done", proposals=1, units=500
        ),
        need=need,
        offer=offer,
        quantity=500,
        status=ProposalStatus.APPROVED,
        km=12,
        days=2,
        created_at=at,
        expires_at=at + timedelta(hours=48),
        approved_by=make_member("volunteer"),
        approved_at=at,
    )


def test_masks_with_a_photograph_find_who_needs_them_and_get_their_label(
    open_page: Any,  # noqa: F811
    private_root: Any,
) -> None:
    make_mode()
    need = make_need(make_facility(name="Harbour hospital", address="Gate 3"), quantity=500, urgency=1)
    donor = make_member("donor", username="giver")
    page = open_page(PHONE, user=donor)

    fill_in(page)
    page.locator("#advice article").wait_for()
    assert "1 open need would take it" in page.inner_text("#advice")
    assert "critical" in page.inner_text("#advice")
    assert Donation.objects.count() == 0
    assert not Axe().run(page).response["violations"]

    page.set_input_files(
        "input[name=box]", {"name": "box.jpg", "mimeType": "image/jpeg", "buffer": b"a" * 5_000_001}
    )
    page.get_by_role("button", name="Send", exact=True).click()
    assert "5 MB at most" in page.evaluate("document.querySelector('input[name=box]').validationMessage")
    page.set_input_files(
        "input[name=box]", {"name": "box.jpg", "mimeType": "image/jpeg", "buffer": picture()}
    )
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_selector("text=Your offer has been received")
    donation = Donation.objects.get()
    assert Attachment.objects.about(donation).get().kind == "box"

    giving.publish(donation, by=make_user(), at=NOW)
    propose(need, donation.offers.get())
    page.goto("/mine/gifts/")
    page.click("#waiting >> text=Yes, we give it")
    page.wait_for_selector("text=Agreed: ")
    make_shipment(Allocation.objects.get())
    page.goto("/mine/gifts/")
    page.click("main h3 a")
    assert "Gate 3" in page.inner_text(".as-pasted")
    label = page.request.get(page.get_attribute("a:has-text('Print the label')", "href"))

    assert label.headers["content-type"] == "application/pdf"


def test_a_donor_finds_goods_by_what_she_calls_them_with_keys_alone(open_page: Any) -> None:  # noqa: F811
    make_mode()
    make_item("RESP", name_en="Medical respirator", name_zh="医用防护口罩", synonyms=["N95"])
    make_need(item=make_item("GOWN", name_en="Isolation gown", name_zh="隔离衣", synonyms=["反穿衣"]))
    page = open_page(PHONE, user=make_member("donor", username="giver"))
    page.goto("/donations/new/")

    page.click("input[name=lines-0-called]")
    page.keyboard.type("反穿衣")
    page.wait_for_selector("[role=option]")
    assert page.inner_text("[role=option] strong") == "Isolation gown"
    assert not Axe().run(page).response["violations"]
    page.keyboard.press("Enter")

    assert page.input_value("select[name=lines-0-item]") == "GOWN"
    assert page.evaluate("document.activeElement.name") == "lines-0-amount"
    page.click("text=Add an item")
    page.click("input[name=lines-1-called]")
    page.keyboard.type("n95")
    page.click("#lines-1 [role=option]")
    assert page.input_value("select[name=lines-1-item]") == "RESP"


def test_without_javascript_the_check_is_a_page_that_leads_back_to_all_that_was_typed(
    open_page: Any,  # noqa: F811
) -> None:
    make_mode()
    make_need(quantity=500)
    make_standard()
    page = open_page(DESK, script=False, user=make_member("donor", username="giver"))
    page.goto("/donations/new/")
    page.select_option("select[name=lines-0-item]", "MASK_SURG")
    page.fill("input[name=lines-0-amount]", "1000")
    page.fill("input[name=contact_phone]", "027-81234567")

    page.get_by_role("button", name="Check", exact=True).click()
    page.wait_for_selector("text=1 open need would take it")
    assert page.url.endswith(reverse("check-offer"))
    assert "Nothing has been sent." in page.content()
    page.get_by_role("button", name="Back to the form").click()

    page.wait_for_selector("h1:has-text('What are you offering?')")
    assert page.input_value("input[name=lines-0-amount]") == "1000"
    assert page.input_value("input[name=contact_phone]") == "027-81234567"
    assert Donation.objects.count() == 0
