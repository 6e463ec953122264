"""Somebody at a window of the site: who she is, what she reads in her language, and a picture of each step she took."""

from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext

from supplies.organisations.models import User
from tests.pages.test_pages import DESK, PHONE, Opener

PICTURES = Path(settings.STATE_DIR) / "pictures"
BROWSERS = {"zh-hans": "zh-CN", "en": "en-GB"}  # what a browser of a reader of each says of itself


class Walk:
    """One journey in windows of one size and one language."""

    def __init__(self, name: str, open_page: Opener, size: dict[str, int], language: str) -> None:
        self.name, self.size, self.language = name, size, language
        self._open_page, self._steps, self._faults = open_page, count(1), list[str]()

    def window(self, user: User | None = None, *, script: bool = True) -> Any:
        """A fresh window; of somebody who has come in already, past the second factor, which is walked elsewhere."""
        page = self._open_page(self.size, language=BROWSERS[self.language], script=script, user=user)
        page.on("pageerror", lambda error: self._faults.append(f"{page.url}: {error}"))
        page.on("response", self._look_at)
        return page

    def _look_at(self, response: Any) -> None:
        if response.status >= 500:
            self._faults.append(f"{response.url}: {response.status}")

    def says(self, words: Any) -> str:
        """A sentence of the site, or the label of a choice, as this reader sees it."""
        with translation.override(self.language):
            read = gettext(words) if isinstance(words, str) else str(words)
        assert self.language == "en" or not read.isascii(), f"not translated: {words}"
        return read

    def press(self, page: Any, name: str) -> None:
        page.get_by_role("button", name=self.says(name), exact=True).click()

    def keep(self, page: Any, step: str) -> None:
        """A picture of where she is, once nothing has gone wrong on the way and nothing runs over the edge."""
        place = f"{self.name}-{self.size['width']}-{next(self._steps)}-{step}"
        page.screenshot(path=PICTURES / f"{place}.png", full_page=True, animations="disabled")
        assert self._faults == []
        assert page.get_attribute("html", "lang") == self.language
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{place}: too wide"


@pytest.fixture(
    params=[(PHONE, "zh-hans"), (DESK, "en")], ids=["on a phone in Chinese", "at a desk in English"]
)
def walk(request: pytest.FixtureRequest, open_page: Opener) -> Walk:
    size, language = request.param
    name = request.node.originalname.removeprefix("test_").replace("_", "-")
    return Walk(name, open_page, size, language)
