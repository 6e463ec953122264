"""The parts of our pages: can they be read, and do pages keep to them?"""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from supplies.desks.design import LEAST_CONTRAST, Pair, palette
from tests.makers import make_item

TEMPLATES = Path(settings.BASE_DIR) / "templates"
SHEETS = [Path(settings.BASE_DIR) / "static" / place for place in ("site/site.css", "desk/desk.css")]
ADMIN = TEMPLATES / "admin"


@pytest.mark.parametrize("pair", palette(), ids=lambda pair: str(pair.use))
def test_every_ink_is_read_on_its_ground(pair: Pair) -> None:
    assert pair.contrast >= LEAST_CONTRAST


def test_contrast_is_reckoned_as_the_standard_does() -> None:
    assert Pair("", "#000000", "#ffffff").contrast == pytest.approx(21)
    assert Pair("", "#777777", "#ffffff").contrast == pytest.approx(4.48, abs=0.01)


@pytest.mark.django_db
def test_the_page_shows_the_parts(client: Client) -> None:
    make_item()

    shown = client.get(reverse("design")).content.decode()

    for part in ('class="gauge"', 'class="tag good"', 'class="figures"', 'aria-current="step"', "errorlist"):
        assert part in shown


def test_pages_use_no_class_that_no_sheet_knows() -> None:
    known = set(re.findall(r"\.([a-z][\w-]*)", " ".join(sheet.read_text("utf-8") for sheet in SHEETS)))
    unknown = {
        (str(file.relative_to(TEMPLATES)), name)
        for file in sorted(TEMPLATES.rglob("*.html"))
        if ADMIN not in file.parents
        for names in re.findall(r'class="([^"]*)"', file.read_text("utf-8"))
        for name in re.sub(r"{%.*?%}", " ", re.sub(r"\S*{{.*?}}", " ", names)).split()
        if name not in known
    }

    assert not unknown


def test_no_page_brings_a_style_of_its_own() -> None:
    assert not [
        str(file)
        for file in TEMPLATES.rglob("*.html")
        if re.search(r"\sstyle=|<style", file.read_text("utf-8"))
    ]
