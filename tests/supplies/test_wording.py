"""Dates are written as the reader writes them, and nowhere in a form of their own."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.template import Context, Template
from django.utils.translation import override

from supplies.wording import day, moment

TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.mark.parametrize(
    ("language", "written"),
    [
        ("en", ("27 November 2026", "27 November 2026, 16:05", "27 Nov 2026")),
        ("zh-hans", ("2026年11月27日", "2026年11月27日 16:05", "2026年11月27日")),
    ],
)
def test_a_date_is_written_in_the_readers_language(language: str, written: tuple[str, str, str]) -> None:
    at = datetime(2026, 11, 27, 8, 5, tzinfo=UTC)

    with override(language):
        short = Template('{{ at|date:"SHORT_DATE_FORMAT" }}').render(Context({"at": at}))
        assert (day(at), moment(at), short) == written
        assert day(date(2026, 11, 27)) == written[0]


def test_no_page_writes_a_date_in_a_form_of_its_own() -> None:
    forms = {
        (page.name, form)
        for page in TEMPLATES.rglob("*.html")
        for form in re.findall(r"""\|date:["']([^"']+)["']""", page.read_text())
    }

    assert {form for _page, form in forms if not form.endswith("_FORMAT")} <= {"H:i", "c", "U"}
