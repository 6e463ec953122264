"""The desk by day and by night: what is written can be read, and what a line or a bar says can be seen."""

from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from supplies.desks.design import LEAST_CONTRAST, LEAST_OF_PARTS, Pair, six_digits
from tests.makers import make_member
from tests.pages.test_pages import DESK, open_page  # noqa: F401
from tests.sign_in import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Inks and the grounds they stand on, by the names of Django's admin and static/desk/desk.css.
WRITTEN = {
    "body-fg": "body-bg darkened-bg selected-bg selected-row hairline-color desk-pile"
    " message-success-bg message-warning-bg message-error-bg",
    "body-quiet-color": "body-bg darkened-bg selected-bg selected-row desk-pile",
    "link-fg": "body-bg darkened-bg selected-bg selected-row desk-pile",
    "link-hover-color": "body-bg darkened-bg",
    "link-selected-fg": "body-bg selected-bg",
    "error-fg": "body-bg darkened-bg",
    "button-fg": "button-bg button-hover-bg default-button-bg default-button-hover-bg delete-button-bg close-button-bg",
    "object-tools-fg": "object-tools-bg object-tools-hover-bg",
    "header-link-color": "header-bg primary",
    "header-branding-color": "header-bg",
    "breadcrumbs-fg": "breadcrumbs-bg",
    "breadcrumbs-link-fg": "breadcrumbs-bg",
}
# Edges of fields and buttons, what marks a row that waits, the parts of a bar, the ring around what has the focus.
SEEN = {
    "border-color": "body-bg darkened-bg desk-pile",
    "desk-pile-edge": "body-bg darkened-bg desk-pile",
    "bar-got": "body-bg bar-way",
    "bar-way": "body-bg",
    "link-fg": "body-bg",
}
LIGHTS = {
    "by day": ("light", "auto"),
    "by night, as the machine says": ("dark", "auto"),
    "by night, as was chosen here": ("light", "dark"),
}


def pairs(page: Any, table: dict[str, str]) -> list[Pair]:
    """The colours as the browser has worked them out."""
    read = """names => {
        const style = getComputedStyle(document.documentElement);
        return Object.fromEntries(names.map((name) => [name, style.getPropertyValue("--" + name).trim()]));
    }"""
    names = sorted({name for ink, grounds in table.items() for name in (ink, *grounds.split())})
    known = {name: six_digits(value) for name, value in page.evaluate(read, names).items()}
    return [
        Pair(f"{ink} on {ground}", known[ink], known[ground])
        for ink, grounds in table.items()
        for ground in grounds.split()
    ]


@pytest.mark.parametrize("light", LIGHTS)
def test_the_desk_can_be_read_and_its_lines_seen(open_page: Any, live_server: Any, light: str) -> None:  # noqa: F811
    machine, chosen = LIGHTS[light]
    session = sign_in(Client(), make_member("volunteer")).cookies[settings.SESSION_COOKIE_NAME]
    page = open_page(DESK)
    page.context.add_cookies([{"name": session.key, "value": session.value, "url": live_server.url}])
    page.emulate_media(color_scheme=machine)
    page.goto(reverse("admin:index"))
    page.evaluate(f"localStorage.setItem('theme', '{chosen}')")
    page.reload()
    is_dark = page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"

    faint = [pair for pair in pairs(page, WRITTEN) if pair.contrast < LEAST_CONTRAST]
    unseen = [pair for pair in pairs(page, SEEN) if pair.contrast < LEAST_OF_PARTS]

    assert is_dark == ("night" in light)
    assert (faint, unseen) == ([], [])
