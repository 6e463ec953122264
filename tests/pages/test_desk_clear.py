"""The desk as axe reads it: the first page, lists, boards, and the page of a row with lines below it."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from django.urls import reverse

from supplies.organisations.desk import change_url
from tests.makers import (
    make_allocation,
    make_appeal,
    make_donation,
    make_member,
    make_need,
    make_proposal,
    make_shipment,
)
from tests.pages.test_pages import DESK, PHONE, open_page  # noqa: F401
from tests.sign_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.timeout(400)]
LISTS = ("supplies_appeal", "supplies_organisation", "supplies_shipment", "matching_proposal")


def addresses() -> list[str]:
    shipment = make_shipment(make_allocation(100, need=make_need()), status="in_transit")
    rows = [shipment, make_proposal(), make_donation(), shipment.consignor, make_appeal(published=False)]
    lists = [reverse(f"admin:{name}_changelist") for name in LISTS]
    boards = [
        f"{lists[2]}board/",
        f"{lists[1]}carriers/",
        reverse("admin:matching_order_changelist") + "desk/",
    ]
    return [reverse("admin:index"), *lists, *boards, *map(change_url, rows)]


@pytest.mark.parametrize(
    ("size", "language"), [(PHONE, "zh-CN"), (DESK, "en-GB")], ids=["Chinese phone", "English desk"]
)
def test_axe_finds_nothing_at_the_desk(
    open_page: Any,  # noqa: F811
    live_server: Any,
    size: dict[str, int],
    language: str,
) -> None:
    session = sign_in(Client(), make_member("coordinator")).cookies[settings.SESSION_COOKIE_NAME]
    page = open_page(size, language=language)
    page.context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])
    faults = []

    for address in addresses():
        answer = page.goto(address)
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        found = [] if answer.status == 200 else [f"{address}: {answer.status}"]
        found += [
            f"{address}: {fault['id']} {fault['nodes'][0]['html'][:200]}"
            for fault in Axe().run(page).response["violations"]
        ]
        faults += found

    assert not faults, "\n".join(faults)
