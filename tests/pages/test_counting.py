"""Counting at the dock, on a phone: a finger signs, and without JavaScript a typed name does."""

import pytest

from supplies.attachments.models import Attachment
from supplies.receipts.models import Receipt
from tests.makers import make_member, make_shipment
from tests.pages.test_pages import PHONE, Opener, open_page

__all__ = ["open_page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_finger_signs_for_what_arrived(open_page: Opener) -> None:
    shipment = make_shipment(status="delivered")
    page = open_page(PHONE, user=make_member("hospital", shipment.consignee.organisation))
    page.goto(f"/shipments/{shipment.pk}/count/")
    page.fill(f"input[name=line-{shipment.lines.get().pk}-accepted]", "100")

    canvas = page.locator("#sign canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 200, box["y"] + 60, steps=5)
    page.mouse.up()
    page.locator("#sign[data-signed]").wait_for()
    page.click("text=This is what arrived")

    page.wait_for_url(f"**/shipments/{shipment.pk}/")
    assert Attachment.objects.about(shipment).get().kind == "signature"
    assert Receipt.objects.get().shipment == shipment


def test_a_typed_name_signs_without_javascript(open_page: Opener) -> None:
    shipment = make_shipment(status="delivered")
    page = open_page(PHONE, script=False, user=make_member("hospital", shipment.consignee.organisation))
    page.goto(f"/shipments/{shipment.pk}/count/")
    page.fill(f"input[name=line-{shipment.lines.get().pk}-accepted]", "100")
    assert not page.is_visible("#sign")

    page.fill("input[name=received_by]", "Practice person")
    page.click("text=This is what arrived")

    page.wait_for_url(f"**/shipments/{shipment.pk}/")
    assert Receipt.objects.get().received_by == "Practice person"
