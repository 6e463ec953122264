"""The list of known counterfeits that administrators keep."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from supplies.catalogue.marks.reading import read_marks
from supplies.catalogue.models import CounterfeitMark
from supplies.catalogue.services import Counterfeits, Hit
from supplies.editions.models import ReferenceEdition
from supplies.journal.models import Event
from tests.makers import TODAY, make_user
from tests.sign_in import sign_in

pytestmark = pytest.mark.django_db


def make_counterfeit(**fields: Any) -> CounterfeitMark:
    """Invented: the project ships no row."""
    values = {
        "wrong": "The authority has never given this number.",
        "wrong_zh": "演练：该编号从未发放",
        "jurisdiction": "US",
        "source": "Exercise authority",
        "source_url": "https://example.org/counterfeits",
        "stated_on": TODAY,
    }
    return CounterfeitMark.objects.create(**{**values, **fields})


def like(text: str, lot: str = "") -> list[Hit]:
    return Counterfeits().like(text, read_marks(text, on=TODAY), lot=lot)


@pytest.mark.parametrize(
    ("known_by", "text", "is_exact"),
    [
        ({"number": "TC-84A-99999"}, "N95 TC 84A-99999", True),
        ({"number": "ＡＢ-12/3"}, "ab 12 3", True),
        ({"gtin": "6901234567892"}, "(01)06901234567892(10)X", True),
        ({"number_pattern": "TC-84A-9????"}, "NIOSH TC-84A-91234", False),
        ({"maker": "Invented Works", "model": "Z9-X"}, "INVENTED WORKS mask, model z9x", False),
    ],
)
def test_goods_are_known_by_what_stands_in_the_list(
    known_by: dict[str, str], text: str, is_exact: bool
) -> None:
    row = make_counterfeit(**known_by)

    assert like(text) == [Hit(row, is_exact)]


@pytest.mark.parametrize("text", ["TC-84A-9999", "TC-84A-999990", "", "Z9-X", "TC-84A"])
def test_other_goods_are_left_alone(text: str) -> None:
    make_counterfeit(number="TC-84A-99999")
    make_counterfeit(maker="Invented Works", model="Z9-X")

    assert like(text) == []


@pytest.mark.parametrize(
    ("lot", "is_like"),
    [("A100", True), ("a-150", True), ("A200", True), ("A201", False), ("A99", False), ("", True)],
)
def test_only_the_lots_that_are_named_are_meant(lot: str, is_like: bool) -> None:
    make_counterfeit(number="AB123", lot_from="A100", lot_to="A200")

    assert bool(like("AB 123", lot)) is is_like


def test_a_row_that_was_set_aside_warns_of_nothing() -> None:
    make_counterfeit(number="AB123", is_active=False)

    assert like("AB123") == []


def test_the_warning_names_source_and_day_in_the_reader_s_language() -> None:
    make_counterfeit(number="AB123")

    [hit] = like("AB123")
    assert "Exercise authority" in hit.sentence
    assert str(TODAY) in hit.sentence
    assert "never given" in hit.sentence
    with translation.override("zh-hans"):
        assert "从未发放" in hit.sentence


@pytest.mark.parametrize(
    "fields", [{}, {"model": "Z9"}, {"maker": "Works"}, {"number": "A", "lot_from": "1"}]
)
def test_a_row_that_recognises_nothing_or_half_a_range_is_not_kept(fields: dict[str, str]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make_counterfeit(**fields)


def test_an_administrator_keeps_the_list_and_the_journal_remembers(client: Client) -> None:
    sign_in(client, make_user(is_staff=True, is_superuser=True))
    values = {
        "number": "AB123", "wrong": "Invented.", "jurisdiction": "CN", "source": "Exercise authority",
        "source_url": "https://example.org/x", "stated_on": "2026-11-01", "is_active": "on",
    }  # fmt: skip

    answer = client.post(reverse("admin:supplies_counterfeitmark_add"), values)

    assert answer.status_code == 302, answer.content.decode()[:3000]
    row = CounterfeitMark.objects.get()
    assert row.edited_at is not None
    assert Event.objects.filter(kind="reference.edited", subject_id=str(row.pk)).exists()
    assert ReferenceEdition.objects.versions()["catalogue.counterfeitmark"] == 1


def test_the_desk_says_what_a_row_lacks(client: Client) -> None:
    sign_in(client, make_user(is_staff=True, is_superuser=True))
    values = {
        "wrong": "x",
        "jurisdiction": "CN",
        "source": "x",
        "source_url": "https://example.org/x",
        "stated_on": "2026-11-01",
    }

    answer = client.post(reverse("admin:supplies_counterfeitmark_add"), values)

    assert answer.status_code == 200
    assert not CounterfeitMark.objects.exists()
