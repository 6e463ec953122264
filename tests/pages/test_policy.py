"""The content security policy in a real browser: nothing our pages, the desk and the reader of the API do offends it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from supplies.change_requests import services as corrections
from supplies.needs.models import Appeal
from supplies.organisations.models import User
from tests.desk import list_of, page_of
from tests.makers import (
    NOW,
    make_appeal,
    make_facility,
    make_item,
    make_member,
    make_need,
    make_standard,
    make_user,
)
from tests.sign_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WATCH = """
    window.offences = [];
    document.addEventListener("securitypolicyviolation", event =>
        window.offences.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


@pytest.fixture
def page(browser: Any, live_server: Any) -> Iterator[Any]:
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, locale="en-GB", base_url=live_server.url
    )
    context.add_init_script(WATCH)
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def come_in(page: Any, address: str, user: User) -> None:
    """With the session of somebody who has signed in all the way."""
    session = sign_in(Client(), user).cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])


def offences(page: Any, *visits: str | Callable[[], Any]) -> list[str]:
    """What each visit offends in the policy. A visit is an address, or something done on the page that is open."""
    found: list[str] = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    for visit in visits:
        if isinstance(visit, str):
            page.goto(visit)
        else:
            visit()
        page.wait_for_load_state("networkidle")
        found += [f"{page.url}: {offence}" for offence in page.evaluate("window.offences")]
    return found


def test_the_control_an_inline_style_and_a_script_from_elsewhere_are_stopped_and_seen(page: Any) -> None:
    page.goto("/sign-in/")

    page.evaluate("""() => {
        document.body.insertAdjacentHTML("beforeend", "<p style='color: red' onclick='1'>planted</p>");
        const script = document.createElement("script");
        script.src = "https://elsewhere.example/x.js";
        document.body.append(script);
    }""")
    page.wait_for_function("window.offences.length >= 3")

    seen = " ".join(page.evaluate("window.offences"))
    assert "style-src-attr inline" in seen
    assert "script-src-attr inline" in seen
    assert "elsewhere.example" in seen


def test_no_page_of_ours_offends_the_policy(page: Any, live_server: Any) -> None:
    hospital = make_facility()
    member = make_member("hospital", hospital.organisation)
    make_item()
    make_standard()
    make_need(hospital)
    come_in(page, live_server.url, member)

    def add_a_line() -> None:
        page.click("text=Add an item")

    def choose_a_province() -> None:
        with page.expect_navigation():
            page.select_option("select[name=province]", "420000")

    found = offences(
        page,
        "/",
        "/needs/?q=mask",
        f"/appeals/new/{hospital.pk}/",
        add_a_line,
        "/hospitals/new/",
        choose_a_province,
        "/mine/",
    )

    assert found == []


def test_the_desk_does_not_offend_the_policy(page: Any, live_server: Any) -> None:
    root = make_user("root", is_staff=True, is_superuser=True)
    appeal = make_appeal(published=False)
    come_in(page, live_server.url, root)

    def choose_to_refuse() -> None:
        page.goto(f"{list_of(Appeal)}?status=all")
        page.check("input[name=_selected_action]")
        page.select_option("select[name=action]", "refuse")
        page.click("button[name=index]")

    def give_a_reason() -> None:
        page.fill("textarea[name=reason]", "Exercise")
        page.click("input[type=submit]")

    found = offences(
        page,
        "/desk/",
        choose_to_refuse,
        give_a_reason,
        page_of(appeal),
        "/desk/supplies/user/add/",
        page_of(make_item()),
        "/desk/supplies/need/?q=mask",
    )

    assert found == []
    appeal.refresh_from_db()
    assert appeal.status == "refused"


def test_a_form_on_a_page_whose_address_is_a_key_is_taken(page: Any) -> None:
    """A browser that is told to pass nothing on names no origin: its form would be refused as another site's."""
    said = corrections.report(make_need(), kind="not_needed", words="They told me.", by=None, at=NOW)
    page.goto(reverse("reported", args=[said.code]))

    page.click("main form button")
    page.locator("main form").wait_for(state="detached")

    said.refresh_from_db()
    assert said.withdrawn_at


def test_the_api_s_description_is_read_without_offending_the_policy(page: Any) -> None:
    def find_its_kind() -> None:
        page.fill("input.operation-filter-input", "need")
        page.wait_for_selector("#operations-tag-appeals", state="detached")

    def open_an_operation() -> None:
        page.click("#operations-tag-needs")
        page.click("text=/api/v1/needs/ >> nth=0")
        page.wait_for_selector(".opblock.is-open .opblock-body")

    found = offences(page, "/api/docs/", lambda: page.wait_for_selector(".opblock-tag"))
    kinds = page.locator(".opblock-tag").all_inner_texts()
    found += offences(page, find_its_kind, open_an_operation)

    assert found == []
    assert {"needs", "offers", "shipments"} <= {kind.strip() for kind in kinds}
