import pytest
from django.utils.translation import override

from supplies.wording import apart, bracketed, listed


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "gowns, masks (assumed); ask first"),
        ("zh-hans", "gowns、masks（assumed）；ask first"),
    ],
)
def test_words_are_joined_as_the_readers_language_joins_them(language: str, sentence: str) -> None:
    with override(language):
        assert apart([listed(["gowns", "masks"]) + bracketed("assumed"), "ask first"]) == sentence
