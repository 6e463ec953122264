from fractions import Fraction

import pytest
from django.core.exceptions import ValidationError

from supplies.catalogue.forms import read_amount


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2000", 2000),
        ("２０００", 2000),
        (" 2 000 ", 2000),
        ("2,000", 2000),
        ("2万", 20_000),
        ("1.5", Fraction(3, 2)),
    ],
)
def test_a_number_is_read_as_people_type_it(text: str, number: int | Fraction) -> None:
    assert read_amount(text) == number


@pytest.mark.parametrize("text", ["-5", "－5", "2,00", "1e9", "abc", "5 or 6", "½", "", "∞", "٣x"])
def test_what_is_no_number_gets_a_sentence(text: str) -> None:
    with pytest.raises(ValidationError) as refusal:
        read_amount(text)

    assert refusal.value.messages[0].endswith(".")
