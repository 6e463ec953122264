"""Journeys of the public, of donors and of hospitals, walked in a browser: on a phone in Chinese, at a desk in English."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from matching.models import ProposalStatus
from supplies.accounts.models import Draft, Session
from supplies.allocations.models import Allocation
from supplies.attachments.models import Attachment
from supplies.change_requests import services as corrections
from supplies.change_requests.models import ChangeRequest, ChangeRequestStatus
from supplies.journal.models import Event
from supplies.needs import reminders
from supplies.needs.counting import count_open
from supplies.needs.models import Appeal, Need
from supplies.offers.models import Donation, DonationStatus
from supplies.receipts.models import Discrepancy, Receipt, Thanks
from supplies.shipments.models import ShipmentStatus
from tests.journeys.walking import Walk, walk
from tests.makers import (
    NOW,
    make_appeal,
    make_category,
    make_emergency,
    make_facility,
    make_item,
    make_member,
    make_mode,
    make_need,
    make_offer,
    make_organisation,
    make_region,
    make_shipment,
    make_standard,
)
from tests.pages.test_giving import fill_in, propose
from tests.pages.test_pages import PASSWORD, open_page
from tests.supplies.attachments.hostile import picture

__all__ = ["open_page", "walk"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
THE_BUTTON = "main form[method=post] button:not([type])"


# -- the public ----------------------------------------------------------------------------------------------


def at_the_top(page: Any, address: str) -> None:
    """To a page by its link at the top, which a phone keeps behind a word."""
    link = f"header a[href='{address}']"
    if not page.is_visible(link):
        page.click(f"header details:has({link.removeprefix('header ')}) summary")
    page.click(link)


def test_the_public_finds_a_hospital_by_what_she_has_and_learns_how_to_give(walk: Walk) -> None:
    site = make_facility(make_organisation(name="演练港口医院"))
    make_standard(items=[make_item()], aliases=["YY 0469"])
    appeal = reverse("appeal", args=[make_need(site, urgency=1).appeal_id])
    make_need(item=make_item("GOWN", name_en="Gown", name_zh="隔离衣"))
    happened = Event.objects.count()
    page = walk.window()

    page.goto("/")
    walk.keep(page, "home")
    page.fill("input[name=have]", "YY 0469")
    page.press("input[name=have]", "Enter")
    page.wait_for_url("**/needs/?have=*")
    assert listed(page) == [appeal]
    walk.keep(page, "found")
    page.click("#found article h3 a")
    page.wait_for_url(f"**{appeal}")
    assert site.name in page.inner_text("h1")
    walk.keep(page, "the-appeal")
    page.click("main a.mark")
    page.wait_for_url(f"**{reverse('organisation', args=[site.organisation_id])}")
    assert page.is_visible(f"article h3 a[href='{appeal}']")
    walk.keep(page, "the-hospital")
    page.click(f"main a[href='{reverse('how-to-give')}']")
    page.get_by_role("heading", name=walk.says("What may never be sent")).wait_for()
    walk.keep(page, "how-to-give")

    assert Event.objects.count() == happened


def listed(page: Any) -> list[str]:
    """Where the needs lead that a list shows."""
    found: list[str] = page.locator("#found article h3 a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    return found


def test_the_public_narrows_the_needs_and_passes_the_address_on(walk: Walk) -> None:
    here, elsewhere = make_facility(), make_facility(region=make_region("110101", "东城区"))
    wanted = make_need(here)
    other = make_category("device", name_en="Devices", name_zh="设备")
    make_need(here, item=make_item("VENT", name_en="Ventilator", name_zh="呼吸机", category=other))
    make_need(elsewhere)
    count_open(at=NOW)
    only = [reverse("appeal", args=[wanted.appeal_id])]

    page = walk.window()
    page.goto(reverse("needs"))
    choose_category(page)
    page.locator("#found article").nth(2).wait_for(state="detached")
    page.click("#found details:has(a[href*='region=420000']) summary")
    page.click("#found details a[href*='region=420000']")
    page.wait_for_url("**region=420000*")
    assert listed(page) == only
    walk.keep(page, "narrowed")

    friend = walk.window()
    friend.goto(page.url)
    assert listed(friend) == only
    walk.keep(friend, "the-same-by-its-address")

    plain = walk.window(script=False)
    plain.goto(reverse("needs"))
    choose_category(plain)
    plain.click("details.filters button")
    plain.wait_for_url("**category=ppe*")
    plain.click("#found details:has(a[href*='region=420000']) summary")
    plain.click("#found details a[href*='region=420000']")
    plain.wait_for_url("**region=420000*")
    assert listed(plain) == only
    walk.keep(plain, "the-same-without-javascript")

    at_the_top(plain, reverse("map"))
    plain.select_option("main select[name=category]", "ppe")
    plain.click("main form button")
    plain.wait_for_url("**/map/?category=ppe*")
    walk.keep(plain, "the-map")
    plain.click("main table a[href*='province=420000']")
    plain.wait_for_url("**province=420000*")
    walk.keep(plain, "the-map-of-the-province")
    plain.click("main table a[href*='district=420106']")
    plain.wait_for_url("**district=420106*")
    assert listed(plain) == only


def choose_category(page: Any) -> None:
    """On a phone the filters are folded; at a desk they stand beside the list."""
    if page.is_visible("details.filters summary"):
        page.click("details.filters summary")
    page.select_option("select[name=category]", "ppe")


def test_the_public_says_that_something_is_wrong_and_follows_what_becomes_of_it(walk: Walk) -> None:
    need = make_need(quantity=1000)
    hospital = make_member("hospital", need.appeal.facility.organisation)
    page = walk.window()

    page.goto(reverse("appeal", args=[need.appeal_id]))
    page.click(f"main a[href='{reverse('report', args=['need', need.pk])}']")
    page.check("input[name=kind][value=wrong_quantity]")
    page.fill("input[name=amount]", "700")
    page.fill("textarea[name=words]", "Counted on the ward.")
    walk.keep(page, "the-form")
    page.click(THE_BUTTON)
    page.wait_for_url("**/reports/*/")
    code = page.inner_text("main p.code")
    assert walk.says(ChangeRequestStatus.OPEN.label) in page.inner_text("main")
    walk.keep(page, "it-is-in")

    corrections.accept(ChangeRequest.objects.get(), by=hospital, at=timezone.now())
    page.goto("/")
    page.fill("input[name=code]", code.upper())
    page.press("input[name=code]", "Enter")
    page.wait_for_url(f"**/reports/{code}/")
    assert walk.says(ChangeRequestStatus.ACCEPTED.label) in page.inner_text("main")
    walk.keep(page, "what-became-of-it")

    need.refresh_from_db()
    assert need.quantity == 700
    assert need.quantity_outstanding == 700


# -- a donor -------------------------------------------------------------------------------------------------


def test_a_donor_offers_goods_with_a_photograph(walk: Walk, private_root: Any) -> None:
    make_mode()
    make_need(quantity=500)
    page = walk.window(make_member("donor"))

    fill_in(page)
    page.locator("#advice article").wait_for()
    page.set_input_files(
        "input[name=box]", {"name": "box.jpg", "mimeType": "image/jpeg", "buffer": picture()}
    )
    walk.keep(page, "the-form")
    walk.press(page, "Send")
    page.locator("main p.code").wait_for()
    walk.keep(page, "it-is-in")
    donation = Donation.objects.get()
    page.click(f"main a[href='{reverse('track', args=[donation.code])}']")
    page.locator("main .timeline").wait_for()
    assert walk.says(DonationStatus.WAITING.label) in page.inner_text("main")
    walk.keep(page, "followed-by-its-code")

    (offer,) = donation.offers.all()
    assert (donation.status, offer.item_id, offer.quantity) == ("waiting", "MASK_SURG", 1000)
    assert Attachment.objects.about(donation).get().kind == "box"


def test_a_donor_accepts_a_match_and_sees_what_to_write_on_the_parcel(walk: Walk) -> None:
    donor = make_member("donor")
    need = make_need(make_facility(name="演练港口医院", address="演练路3号门"), quantity=500, urgency=1)
    offer = make_offer(donor.memberships.get().organisation, quantity=1000)
    proposal = propose(need, offer)
    page = walk.window(donor)

    page.goto(reverse("mine"))
    walk.keep(page, "what-waits")
    page.click(f"main .button[href='{reverse('answers')}']")
    page.locator("main article").wait_for()
    walk.keep(page, "the-match")
    page.click(f"form[action='{reverse('agree-for-donor', args=[proposal.pk])}'] button")
    page.locator("main [role=status]").wait_for()
    at_the_top(page, reverse("my-gifts"))
    page.click("main h3 a")
    parcel = page.inner_text(".as-pasted")
    assert "演练港口医院" in parcel
    assert "演练路3号门" in parcel
    walk.keep(page, "what-to-write-on-the-parcel")

    shipment = make_shipment(Allocation.objects.get(), status="in_transit")
    page.reload()
    page.click(f"main .button[href='{reverse('track', args=[shipment.code])}']")
    page.locator("main .timeline").wait_for()
    assert walk.says(ShipmentStatus.IN_TRANSIT.label) in page.inner_text("main")
    walk.keep(page, "on-its-way")

    proposal.refresh_from_db()
    assert proposal.status == ProposalStatus.AGREED
    assert Allocation.objects.get().quantity == 500


# -- a hospital ----------------------------------------------------------------------------------------------


def test_a_hospital_posts_by_synonym_and_a_lost_login_costs_nothing(walk: Walk) -> None:
    make_emergency()
    make_item("RESP", name_en="Medical respirator", name_zh="医用防护口罩", synonyms=["N95", "口罩"])
    make_item("GOWN", name_en="Gown", name_zh="隔离衣")
    make_standard("GB19083-2010", [make_item("RESP")])
    officer = make_member("hospital", make_facility().organisation)
    page = walk.window(officer)

    page.goto(reverse("my-hospital"))
    walk.keep(page, "my-hospital")
    page.click(f"main .button[href^='{reverse('choose-hospital')}']")
    page.click("input[name=lines-0-called]")
    page.keyboard.type("n95")
    page.wait_for_selector("[role=option]")
    page.keyboard.press("ArrowDown")
    assert page.get_attribute("input[name=lines-0-called]", "aria-activedescendant") == "lines-0-option-1"
    page.keyboard.press("Enter")
    assert page.input_value("select[name=lines-0-item]") == "RESP"
    page.click(".hint button:has-text('GB19083-2010')")
    page.fill("input[name=contact_name]", "Practice person")
    page.fill("input[name=contact_phone]", "027-81234567")
    page.wait_for_selector("#draft-kept:not(:empty)")
    walk.keep(page, "picked")
    Session.objects.filter(user=officer).delete()  # the login is lost
    page.fill("input[name=lines-0-amount]", "700")
    walk.press(page, "Send")

    page.fill("input[name=username]", officer.username)
    page.fill("input[name=password]", PASSWORD)
    walk.keep(page, "signing-in-anew")
    page.click("main form button")
    page.wait_for_url("**/appeals/new/**")
    assert page.input_value("input[name=contact_phone]") == "027-81234567"
    assert page.input_value("input[name=lines-0-amount]") == "700"
    walk.keep(page, "all-that-was-typed")
    walk.press(page, "Send")
    page.wait_for_url("**/posted/")
    walk.keep(page, "it-is-in")

    (need,) = Appeal.objects.get().needs.all()
    assert (need.item_id, need.quantity) == ("RESP", 700)
    assert [standard.pk for standard in need.accepted_standards.all()] == ["GB19083-2010"]
    assert not Draft.objects.exists()


def test_a_hospital_says_still_needed_asks_once_more_and_stops_everything(walk: Walk) -> None:
    site = make_facility()
    officer = make_member("hospital", site.organisation)
    appeal = make_appeal(site, by=officer, lines=[{"quantity": 300}])
    Need.objects.update(is_grey=True, reminded=1)

    page = walk.window()
    page.goto(reverse("still-needed", args=[reminders.link_for(appeal, officer)]))
    walk.keep(page, "the-link-of-the-reminder")
    page.click("main form button[name=needs]")
    page.locator("main [role=status]").wait_for()
    confirmed = appeal.needs.get()
    assert (confirmed.is_grey, confirmed.confirmed_by_kind) == (False, "hospital")

    hers = walk.window(officer)
    hers.goto(reverse("my-hospital"))
    hers.click(f"main .buttons a[href$='?copy={appeal.pk}']")
    assert hers.input_value("input[name=lines-0-amount]") == "300"
    hers.fill("input[name=contact_name]", "Practice person")
    hers.fill("input[name=contact_phone]", "027-81234567")
    walk.keep(hers, "the-last-appeal-once-more")
    walk.press(hers, "Send")
    hers.wait_for_url("**/posted/")
    at_the_top(hers, reverse("my-hospital"))
    hers.click(f"form[action='{reverse('pause', args=[site.pk])}'] button")
    hers.locator("main [role=status]").wait_for()
    walk.keep(hers, "stopped")
    page.goto(reverse("organisation", args=[site.organisation_id]))
    page.get_by_text(walk.says("Please stop sending.")).wait_for()
    walk.keep(page, "what-the-public-reads")

    site.refresh_from_db()
    assert site.is_paused
    assert list(Need.objects.values_list("item", "quantity")) == [("MASK_SURG", 300)] * 2


def test_a_hospital_counts_a_parcel_with_a_shortage_and_thanks_the_donor(walk: Walk) -> None:
    shipment = make_shipment(status="delivered")
    line = shipment.lines.get()
    page = walk.window(make_member("hospital", shipment.consignee.organisation))

    page.goto(reverse("my-hospital"))
    walk.keep(page, "what-arrived")
    page.click(f"main .button[href='{reverse('count-shipment', args=[shipment.pk])}']")
    page.fill(f"input[name=line-{line.pk}-accepted]", "80")
    page.fill(f"input[name=line-{line.pk}-damaged]", "5")
    page.fill("input[name=received_by]", "Practice person")
    walk.keep(page, "the-count")
    page.click(THE_BUTTON)
    page.wait_for_url(f"**{reverse('shipment', args=[shipment.pk])}")
    assert page.is_visible(f"main a[href='{reverse('tickets', args=[shipment.pk])}']")
    walk.keep(page, "counted")
    page.click(f"main a[href='{reverse('thank', args=[shipment.pk])}']")
    page.fill("[name=words]", "Night shift says thanks. 夜班谢谢你们。")
    page.click(THE_BUTTON)
    page.wait_for_url(f"**{reverse('shipment', args=[shipment.pk])}")

    anybody = walk.window()
    anybody.goto(reverse("track", args=[shipment.code]))
    assert "夜班谢谢你们" in anybody.inner_text("blockquote.thanks")
    walk.keep(anybody, "what-the-donor-reads")

    counted = Receipt.objects.get().lines.get()
    assert (counted.accepted, counted.damaged, counted.missing) == (80, 5, 15)
    assert set(Discrepancy.objects.values_list("kind", flat=True)) == {"damaged", "missing"}
    assert Thanks.objects.get().shipment == shipment
