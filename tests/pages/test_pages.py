"""Pages in a real browser: whole ways through them, on a phone, with and without JavaScript; and what axe finds."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as site
from django.test import Client
from django.utils import timezone

from supplies.attachments.models import Attachment
from supplies.change_requests import services as corrections
from supplies.needs import reminders
from supplies.needs.models import Appeal, Need
from supplies.offers.models import Donation
from supplies.organisations.models import User
from tests.makers import (
    make_allocation,
    make_appeal,
    make_donation,
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
from tests.sign_in import sign_in
from tests.supplies.attachments.hostile import pdf

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PHONE, DESK = {"width": 390, "height": 800}, {"width": 1280, "height": 900}
PASSWORD = "a long enough phrase"
Opener = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, live_server: Any) -> Iterator[Opener]:
    """A fresh window on the site: size, language, JavaScript or not; of somebody who has come in already, or of nobody."""
    contexts = []

    def opened(
        size: dict[str, int] = PHONE,
        *,
        language: str = "en-GB",
        script: bool = True,
        user: User | None = None,
    ) -> Any:
        context = browser.new_context(
            viewport=size, locale=language, java_script_enabled=script, base_url=live_server.url
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        if user is not None:
            session = sign_in(Client(), user).cookies[site.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])
        return page

    yield opened
    for context in contexts:
        context.close()


def test_a_stranger_signs_up_registers_a_hospital_and_posts_a_need_on_a_phone(open_page: Opener) -> None:
    make_emergency()
    make_region("420106")
    make_item()
    make_item("GOWN", name_en="Gown")
    page = open_page(PHONE)

    page.goto("/")
    page.click("text=A hospital needs goods")
    page.click("text=Make an account")
    number = page.input_value("input[name=username]")
    page.fill("input[name=password1]", PASSWORD)
    page.fill("input[name=password2]", PASSWORD)
    page.click("text=Make the account and go on")
    assert page.inner_text(".number") == number
    page.click("text=I have it")
    page.click("text=The hospital is not listed")
    page.fill("input[name=name]", "Harbour hospital")
    page.select_option("select[name=province]", "420000")
    page.select_option("select[name=city]", "420100")
    page.select_option("select[name=district]", "420106")
    page.fill("input[name=address]", "Gate 3")
    page.click("text=Go on")
    page.click("text=Later: continue to the first need")
    page.select_option("select[name=lines-0-item]", "MASK_SURG")
    page.fill("input[name=lines-0-amount]", "２万")
    page.click("text=Add an item")
    page.select_option("select[name=lines-1-item]", "GOWN")
    page.check("input[name=lines-1-quantity_kind][value=unlimited]")
    page.fill("input[name=contact_name]", "Practice person")
    page.fill("input[name=contact_phone]", "027-81234567")
    page.get_by_role("button", name="Send", exact=True).click()

    page.wait_for_selector("text=Your appeal has been received")
    appeal = Appeal.objects.get()
    assert appeal.code in page.content()
    assert appeal.facility.name == "Harbour hospital"
    assert sorted((need.item_id, need.quantity) for need in appeal.needs.all()) == [
        ("GOWN", None),
        ("MASK_SURG", 20_000),
    ]


def test_on_a_phone_the_results_come_before_the_filters_which_say_what_is_set(open_page: Opener) -> None:
    make_need(make_facility(name="Harbour hospital"), urgency=1)
    page = open_page(PHONE)

    page.goto("/needs/?q=mask&urgency=1")

    assert not page.is_visible("select[name=category]")
    assert "critical" in page.inner_text(".filters summary")
    assert page.locator("main article").first.bounding_box()["y"] < PHONE["height"]


def test_a_need_is_sent_once_however_often_the_button_is_pressed(open_page: Opener) -> None:
    hospital = make_facility()
    make_item()
    make_emergency()
    page = open_page(PHONE, user=make_member("hospital", hospital.organisation))
    page.goto(f"/appeals/new/{hospital.pk}/")
    page.select_option("select[name=lines-0-item]", "MASK_SURG")
    page.fill("input[name=lines-0-amount]", "300")
    page.fill("input[name=contact_name]", "Practice person")
    page.fill("input[name=contact_phone]", "027-81234567")

    taken = page.evaluate(
        """() => {
            const form = document.querySelector("main form[method=post]"), taken = [];
            addEventListener("submit", event => {
                taken.push(!event.defaultPrevented);
                event.preventDefault();
            });
            form.requestSubmit(); form.requestSubmit();
            return taken;
        }"""
    )

    assert taken == [True, False]


def test_goods_are_offered_to_a_need_without_javascript(open_page: Opener) -> None:
    make_mode()
    make_need(make_facility(name="Harbour hospital"))
    donor = make_member("donor", username="giver")
    page = open_page(PHONE, script=False, user=donor)

    page.goto("/needs/")
    page.click("main h3 a")
    page.click("text=Offer this")
    page.fill("input[name=lines-0-amount]", "300")
    page.click("text=Add an item")
    page.select_option("select[name=lines-1-item]", "MASK_SURG")
    page.fill("input[name=lines-1-amount]", "40")
    page.select_option("select[name=province]", "420000")
    page.locator("button[name=more]").last.click()
    page.select_option("select[name=city]", "420100")
    page.fill("input[name=contact_name]", "Practice person")
    page.fill("input[name=contact_phone]", "027-81234567")
    page.get_by_role("button", name="Send", exact=True).click()

    page.wait_for_selector("text=Your offer has been received")
    donation = Donation.objects.get()
    assert donation.directed_facility.name == "Harbour hospital"
    assert sorted(donation.offers.values_list("quantity", flat=True)) == [40, 300]


def test_a_hospital_hands_in_its_letter_and_is_told_before_it_travels_that_it_is_too_large(
    open_page: Opener, private_root: Any
) -> None:
    hospital = make_organisation(verified=False)
    page = open_page(PHONE, user=make_member("hospital", hospital))
    page.goto(f"/organisations/{hospital.pk}/evidence/")
    letter = {"name": "letter.pdf", "mimeType": "application/pdf"}

    page.set_input_files("input[name=file]", {**letter, "buffer": b"a" * 5_000_001})
    told = page.evaluate("document.querySelector('input[name=file]').validationMessage")
    page.set_input_files("input[name=file]", {**letter, "buffer": pdf()})
    page.click("text=Hand it in")

    page.wait_for_selector("text=The file is in")
    assert "5 MB at most" in told
    assert Attachment.objects.get().subject_id == str(hospital.pk)


def test_the_language_is_switched_by_one_tap_and_stays(open_page: Opener) -> None:
    page = open_page(PHONE)

    page.goto("/needs/")
    page.click("text=中文")

    assert page.get_attribute("html", "lang") == "zh-hans"
    page.goto("/track/")
    assert page.get_attribute("html", "lang") == "zh-hans"


@pytest.fixture
def rows() -> dict[str, Any]:
    """A little of everything, and who may look at it."""
    hospital, donor = make_member("hospital", username="asker"), make_member("donor", username="giver")
    facility = make_facility(hospital.memberships.get().organisation)
    own = donor.memberships.get().organisation
    at = timezone.now() - timedelta(days=2)
    appeal = make_appeal(facility, at=at, lines=[{}, {"quantity": None, "quantity_kind": "unlimited"}])
    make_standard()
    need = appeal.needs.get(quantity=1000)
    said = corrections.report(need, kind="wrong_quantity", quantity=700, words="Counted.", by=None, at=at)
    Need.objects.filter(quantity=None).update(is_grey=True, reminded=1)
    shipment = make_shipment(make_allocation(100, need=need, offer=make_offer(own)), status="delivered")
    return {
        "hospital": hospital,
        "donor": donor,
        "facility": facility,
        "appeal": appeal,
        "shipment": shipment,
        "donation": make_donation(own),
        "need": need,
        "said": said,
        "still_needed": reminders.link_for(appeal, hospital),
    }


def addresses(rows: dict[str, Any]) -> list[tuple[str, str]]:
    """Every kind of page with who looks at it."""
    return [
        ("", "/"),
        ("", "/needs/"),
        ("", "/needs/?urgency=9"),
        ("", f"/track/{rows['shipment'].code}/"),
        ("", "/track/unknown/"),
        ("", "/sign-in/"),
        ("", "/sign-up/"),
        ("", "/password/reset/"),
        ("", "/nowhere/"),
        ("", "/design/"),
        ("", "/how-matching-works/"),
        ("", "/check/"),
        ("", "/check/?q=surgical+mask+CE+0598+6901234567892"),
        ("hospital", f"/appeals/{rows['appeal'].pk}/"),
        ("hospital", f"/appeals/{rows['appeal'].pk}/posted/"),
        ("hospital", "/appeals/new/?q=a"),
        ("hospital", f"/appeals/new/{rows['facility'].pk}/"),
        ("hospital", "/appeals/read/"),
        ("hospital", "/hospitals/new/?province=420000"),
        ("hospital", f"/shipments/{rows['shipment'].pk}/count/"),
        ("hospital", "/mine/"),
        ("hospital", "/mine/hospital/"),
        ("", f"/organisations/{rows['facility'].organisation_id}/"),
        ("hospital", f"/organisations/{rows['facility'].organisation_id}/evidence/"),
        ("hospital", "/account/"),
        ("hospital", "/second-factor/set-up/"),
        ("hospital", "/account/keys/new/"),
        ("hospital", f"/organisations/{rows['facility'].organisation_id}/members/"),
        ("", f"/items/{rows['need'].item_id}/"),
        ("", "/how-to-give/"),
        ("", "/map/"),
        ("", "/map/?province=420000"),
        ("", "/where-it-went/"),
        ("", "/announcements/"),
        ("hospital", "/inbox/"),
        ("hospital", "/searches/"),
        ("hospital", "/account/notifications/"),
        ("", f"/report/need/{rows['need'].pk}/"),
        ("", f"/report/organisation/{rows['facility'].organisation_id}/"),
        ("", f"/reports/{rows['said'].code}/"),
        ("", f"/needs/still-needed/{rows['still_needed']}/"),
        ("", "/needs/still-needed/changed/"),
        ("hospital", "/mine/said-to-be-wrong/"),
        ("donor", "/donations/new/"),
        ("donor", f"/donations/{rows['donation'].pk}/"),
        ("donor", f"/shipments/{rows['shipment'].pk}/"),
        ("donor", "/answers/"),
        ("donor", "/mine/gifts/"),
        ("donor", f"/mine/gifts/{rows['donation'].pk}/"),
    ]


@pytest.mark.parametrize(
    ("size", "language"), [(PHONE, "zh-CN"), (DESK, "en-GB")], ids=["Chinese phone", "English desk"]
)
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    open_page: Opener, rows: dict[str, Any], size: dict[str, int], language: str
) -> None:
    windows = {
        who: open_page(size, language=language, user=rows.get(who)) for who in ("", "hospital", "donor")
    }
    faults = []

    for who, address in addresses(rows):
        page = windows[who]
        page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        found = Axe().run(page)
        faults += [
            f"{address}: {v['id']} {v['nodes'][0]['html'][:200]}" for v in found.response["violations"]
        ]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append(f"{address}: wider than the window")
        if page.locator("h1").count() != 1 or not page.title():
            faults.append(f"{address}: wants one heading and a title")

    assert not faults, "\n".join(faults)


def test_a_form_sent_back_is_clear_to_axe_too(open_page: Opener, rows: dict[str, Any]) -> None:
    page = open_page(PHONE, user=rows["hospital"])

    page.goto(f"/appeals/new/{rows['facility'].pk}/")
    page.fill("input[name=lines-0-amount]", "-5")
    page.get_by_role("button", name="Send", exact=True).click()

    page.locator("[aria-invalid=true]").nth(1).wait_for()
    assert not Axe().run(page).response["violations"]


def test_pages_bring_no_script_or_style_of_their_own(open_page: Opener, rows: dict[str, Any]) -> None:
    """So that a strict content security policy costs nothing."""
    page = open_page(DESK, user=rows["hospital"])
    inline = "[style], style, script:not([src]), [onclick], [onchange]"

    for address in (
        "/",
        "/needs/",
        f"/appeals/{rows['appeal'].pk}/",
        f"/appeals/new/{rows['facility'].pk}/",
        "/second-factor/set-up/",
    ):
        page.goto(address)
        assert page.locator(inline).count() == 0, address
