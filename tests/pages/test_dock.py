"""A phone at the dock, in Chromium: the camera is a film of a drawn code, the network comes and goes."""

import os
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import segno
from axe_playwright_python.sync_playwright import Axe
from barcode import Code128
from barcode.writer import ImageWriter
from django.conf import settings
from django.test import Client
from PIL import Image

from supplies.attachments.models import Attachment
from supplies.shipments import services as moving
from supplies.shipments.models import Shipment
from tests.conftest import CHROMIUM
from tests.makers import NOW, make_member
from tests.pages.test_pages import Opener, open_page
from tests.sign_in import sign_in
from tests.supplies.dock.cast import Cargo, make_cargo

__all__ = ["open_page"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NARROW = {"width": 360, "height": 740}
FRAMES = 20
OFFENCES = """
    window.offences = [];
    document.addEventListener("securitypolicyviolation", event => window.offences.push(event.blockedURI));
"""


def qr(text: str) -> Image.Image:
    drawn = BytesIO()
    segno.make(text, error="m").save(drawn, kind="png", scale=8, border=4)
    return Image.open(drawn)


def bars(text: str) -> Image.Image:
    drawn = BytesIO()
    Code128(text, writer=ImageWriter()).write(drawn, {"write_text": False, "module_height": 12})
    return Image.open(drawn)


@pytest.fixture
def phone(browser: Any, live_server: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A phone whose camera sees one drawn code. Chromium plays the film; the page asks for the camera as always."""
    opened: list[Any] = []

    def picked_up(user: Any, code: Image.Image, script: str = "") -> Any:
        seen = Image.new("RGB", (640, 480), "white")
        seen.paste(code, ((640 - code.width) // 2, (480 - code.height) // 2))
        frame, film = BytesIO(), tmp_path / "film.mjpeg"
        seen.save(frame, "JPEG", quality=95)
        film.write_bytes(frame.getvalue() * FRAMES)
        chromium = browser.browser_type.launch(
            executable_path=CHROMIUM,
            args=[
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={film}",
                "--disable-gpu",
                *(["--no-sandbox"] if os.geteuid() == 0 else []),
            ],
        )
        opened.append(chromium)
        context = chromium.new_context(
            viewport=NARROW, locale="en-GB", base_url=live_server.url, permissions=["camera"]
        )
        context.add_init_script(OFFENCES + script)
        come_in(context, live_server.url, user)
        page = context.new_page()
        page.set_default_timeout(60_000)  # a film is played and read by a processor that others share
        return page

    yield picked_up
    for chromium in opened:
        chromium.close()


def come_in(context: Any, address: str, user: Any) -> None:
    session = sign_in(Client(), user).cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])


def page_of(cargo: Cargo) -> str:
    return f"/dock/{cargo.shipment.pk}/"


def status_of(cargo: Cargo) -> str:
    return Shipment.objects.get(pk=cargo.shipment.pk).status


def scan(page: Any) -> None:
    """Opens the camera. On a processor that others share Chromium's may not start; then the page says so, once."""
    page.click("text=Scan with the camera")
    page.locator("#dock video:visible, [data-fault]:visible").first.wait_for()
    if page.is_visible("[data-fault=silent]"):
        page.click("text=Scan with the camera")


# -- The camera --------------------------------------------------------------------------------------------


def test_the_camera_reads_the_qr_code_of_a_label_and_opens_its_shipment(phone: Any) -> None:
    cargo = make_cargo()
    page = phone(cargo.driver, qr(f"https://tongzhou.example/track/{cargo.shipment.code}/"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/dock/")

    scan(page)

    page.wait_for_url(f"**{page_of(cargo)}")
    assert page.is_visible("text=It leaves now")
    own = page.url.split("/dock/")[0]
    assert any("zxing" in url for url in asked), (
        "this Chromium reads codes by itself: the fallback was not tried"
    )
    assert [url for url in asked if not url.startswith(own)] == []
    assert page.evaluate("window.offences") == []


def test_the_camera_reads_the_bars_of_a_parcel_and_ticks_it_off(phone: Any) -> None:
    cargo = make_cargo()
    page = phone(cargo.driver, bars(f"\xf100{cargo.parcels[1]}"))
    page.goto(page_of(cargo))
    assert page.inner_text("[data-seen]") == "0"

    scan(page)

    page.wait_for_selector(f"[data-sscc='{cargo.parcels[1]}'].seen")
    assert page.is_visible("#dock video")
    assert "1 of 2 parcels seen" in page.inner_text("#parcels")
    page.click("text=Close the camera")
    assert page.is_visible("text=Scan with the camera")
    assert not page.is_visible("#dock video")
    assert page.evaluate("window.offences") == []


def test_a_browser_that_reads_codes_by_itself_loads_nothing_for_it(phone: Any) -> None:
    cargo = make_cargo()
    own = f"""
        window.BarcodeDetector = class {{
            static async getSupportedFormats() {{ return ["qr_code", "code_128"]; }}
            async detect() {{ return [{{ rawValue: "{cargo.shipment.code}" }}]; }}
        }};
    """
    page = phone(cargo.driver, qr("nothing of ours"), own)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/dock/")

    page.click("text=Scan with the camera")

    page.wait_for_url(f"**{page_of(cargo)}")
    assert not any("zxing" in url for url in asked)


def test_what_was_read_is_asked_for_once_though_the_camera_sees_it_again(phone: Any) -> None:
    cargo = make_cargo()
    own = f"""
        const now = Date.now;
        let gone = 0;
        Date.now = () => now() + gone;
        window.BarcodeDetector = class {{
            static async getSupportedFormats() {{ return ["qr_code", "code_128"]; }}
            async detect() {{ gone += 60_000; return [{{ rawValue: "{cargo.shipment.code}" }}]; }}
        }};
    """
    page = phone(cargo.driver, qr("nothing of ours"), own)
    page.goto("/dock/")
    asked: list[str] = []

    def stay_on_the_page(route: Any) -> None:
        asked.append(route.request.url)
        route.fulfill(status=204)

    page.route("**/dock/?code=*", stay_on_the_page)

    with page.expect_request("**/dock/?code=*"):
        page.click("text=Scan with the camera")

    page.wait_for_selector("#dock video", state="hidden")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("NotAllowedError", "Allow it in the browser, or type the code"),
        ("NotReadableError", "The camera did not start. Close what else uses it"),
        ("NotFoundError", "The camera did not start. Close what else uses it"),
    ],
)
def test_a_camera_that_gives_no_picture_is_told_by_its_reason_and_a_code_can_be_typed(
    open_page: Opener, error: str, advice: str
) -> None:
    page = open_page(NARROW, user=make_cargo().driver)
    page.add_init_script(f"""
        navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException("no picture", "{error}"); }};
    """)
    page.goto("/dock/")

    page.click("text=Scan with the camera")

    page.locator("[data-fault]:visible", has_text=advice).wait_for()
    assert page.locator("[data-fault]:visible").count() == 1
    assert page.is_visible("text=Scan with the camera")
    assert page.is_visible("input[name=code]")


def test_at_an_address_without_https_the_page_says_why_there_is_no_camera(open_page: Opener) -> None:
    page = open_page(NARROW, user=make_cargo().driver)
    page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    page.goto("/dock/")

    page.click("text=Scan with the camera")

    page.wait_for_selector("text=begin with https")


# -- Typed -------------------------------------------------------------------------------------------------


def test_without_javascript_a_code_is_typed_and_the_shipment_is_moved_and_handed_over(
    open_page: Opener, private_root: Path
) -> None:
    cargo = make_cargo(waybill="W1")
    page = open_page(NARROW, script=False, user=cargo.driver)
    page.goto("/dock/")
    assert not page.is_visible("text=Scan with the camera")

    page.fill("input[name=code]", "W1")
    page.click("text=Look it up")
    page.click("text=It leaves now")
    page.wait_for_selector("text=Written down: It leaves now.")
    page.click("text=It has been handed over")

    page.wait_for_selector("text=Written down: It has been handed over.")
    assert status_of(cargo) == "delivered"


def test_parcels_that_are_typed_are_ticked_off_and_stay_so_when_the_page_is_opened_again(
    open_page: Opener,
) -> None:
    cargo = make_cargo()
    page = open_page(NARROW, user=cargo.driver)
    page.goto("/dock/")
    page.fill("input[name=code]", f"(00){cargo.parcels[0]}")
    page.click("text=Look it up")

    page.wait_for_selector(f"[data-sscc='{cargo.parcels[0]}'].seen")
    page.fill("input[name=code]", cargo.parcels[1])
    page.click("text=Look it up")
    page.wait_for_selector("text=2 of 2 parcels seen")
    page.goto(page_of(cargo))

    assert page.inner_text("[data-seen]") == "2"


def test_handing_over_with_a_photograph_and_a_finger_s_signature(
    open_page: Opener, private_root: Path
) -> None:
    cargo = make_cargo(status="in_transit")
    page = open_page(NARROW, user=cargo.driver)
    page.goto(page_of(cargo))
    page.click("text=It is at the door")
    page.wait_for_selector("text=Written down: It is at the door.")

    photo = BytesIO()
    Image.new("RGB", (64, 48), "white").save(photo, "JPEG")
    page.set_input_files(
        "input[name=photo]", {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()}
    )
    canvas = page.locator("#sign canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 120, box["y"] + 50, steps=5)
    page.mouse.up()
    page.locator("#sign[data-signed]").wait_for()
    page.click("text=It has been handed over")

    page.wait_for_selector("text=Written down: It has been handed over.")
    assert {file.kind for file in Attachment.objects.about(cargo.shipment)} == {"photo", "signature"}
    assert status_of(cargo) == "delivered"


# -- Without a network ---------------------------------------------------------------------------------------


def test_what_is_pressed_without_a_network_waits_and_is_sent_with_its_own_time(
    open_page: Opener, private_root: Path
) -> None:
    cargo = make_cargo(status="in_transit")
    page = open_page(NARROW, user=cargo.driver)
    page.goto(page_of(cargo))
    photo = BytesIO()
    Image.new("RGB", (64, 48), "white").save(photo, "JPEG")
    page.click("text=Photograph and signature")
    page.set_input_files(
        "input[name=photo]", {"name": "p.jpg", "mimeType": "image/jpeg", "buffer": photo.getvalue()}
    )
    page.context.set_offline(True)

    page.click("text=It is at the door")
    page.click("text=It has been handed over")

    page.wait_for_selector("text=There is no network")
    assert page.locator("#outbox li").count() == 2
    assert page.locator("#moves button.wide:disabled").count() == 2
    assert status_of(cargo) == "in_transit"
    page.context.set_offline(False)
    page.wait_for_selector("text=Written down: It has been handed over.")
    assert not page.is_visible("#outbox")
    assert status_of(cargo) == "delivered"
    assert Attachment.objects.about(cargo.shipment).get().kind == "photo"
    arrived, handed = cargo.shipment.events.filter(step__in=["arriving", "receiving"]).order_by("pk")
    assert arrived.occurred_at <= handed.occurred_at < arrived.recorded_at


def test_a_move_whose_answer_was_lost_is_sent_again_and_done_once(open_page: Opener) -> None:
    cargo = make_cargo()
    page = open_page(NARROW, user=cargo.driver)
    page.goto(page_of(cargo))
    lost: list[int] = []

    def lose_the_first_answer(route: Any) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch(max_redirects=0).status)
            route.abort()
        else:
            route.continue_()

    page.route(f"**{page_of(cargo)}", lose_the_first_answer)
    page.click("text=It leaves now")
    page.wait_for_selector("text=There is no network")
    page.reload()

    page.wait_for_selector("#moves [data-move=arrive]")
    page.wait_for_selector("#outbox", state="hidden")
    assert lost == [302]
    assert cargo.shipment.events.filter(step="departing").count() == 1
    assert not page.is_visible(".note.error")


def test_what_waits_survives_a_session_that_ended_and_goes_to_nobody_else(
    open_page: Opener, live_server: Any
) -> None:
    cargo = make_cargo()
    page = open_page(NARROW, user=cargo.driver)
    page.goto(page_of(cargo))
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    page.click("text=It leaves now")
    page.wait_for_selector("text=Sign in on this phone")

    come_in(page.context, live_server.url, make_member("volunteer"))
    page.goto(page_of(cargo))
    page.wait_for_selector("#moves [data-move=dispatch] button:enabled")
    assert not page.is_visible("#outbox")
    assert status_of(cargo) == "booked"
    come_in(page.context, live_server.url, cargo.driver)
    page.goto("/dock/")

    page.wait_for_selector("text=Written down: It leaves now.")
    assert status_of(cargo) == "in_transit"


def test_what_waits_can_be_taken_back_and_what_is_not_ours_any_more_is_told(open_page: Opener) -> None:
    cargo = make_cargo()
    page = open_page(NARROW, user=cargo.driver)
    page.goto(page_of(cargo))
    page.context.set_offline(True)
    page.click("text=It leaves now")
    page.click("text=Do not send it")
    assert page.is_enabled("#moves button.wide")

    page.click("text=It leaves now")
    page.wait_for_selector("text=There is no network")
    moving.cancel(cargo.shipment, by=None, at=NOW)
    Shipment.objects.filter(pk=cargo.shipment.pk).update(carrier=None)
    page.context.set_offline(False)

    page.wait_for_selector("text=This shipment is not yours any more")
    assert not page.is_visible("#outbox")


# -- How it looks --------------------------------------------------------------------------------------------


def test_the_pages_fit_a_narrow_phone_and_are_usable_by_all(open_page: Opener) -> None:
    cargo = make_cargo(status="in_transit")
    page = open_page(NARROW, user=cargo.driver)

    for address in ("/dock/", page_of(cargo)):
        page.goto(address)
        page.wait_for_selector(".camera:not([hidden])")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        assert Axe().run(page).response["violations"] == []
