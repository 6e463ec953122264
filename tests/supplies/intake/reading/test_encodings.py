"""A text comes back as it was written, or is asked about; it never becomes another text."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supplies.intake.reading import encodings
from supplies.intake.reading.encodings import codec_of, decoded
from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.text import decode

SIMPLIFIED = "区县,医院名称,需要\n江岸区,演练第一医院,医用防护口罩五千只\n"
TRADITIONAL = "區縣,醫院名稱,需要\n江岸區,演練第一醫院,醫用防護口罩五千隻\n"
ASCII = "".join(map(chr, range(32, 127))) + "\n\r\t"


def of(encoding: str) -> st.SearchStrategy[str]:
    """Texts of the common characters of an encoding, with Latin letters, digits and line ends between."""
    return st.text(alphabet=sorted(encodings._COMMON[encoding]) + list(ASCII))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (SIMPLIFIED, "gb18030"),
        (TRADITIONAL, "big5"),
        (SIMPLIFIED, "utf-16-le"),
        (TRADITIONAL, "utf-16-be"),
        (SIMPLIFIED, "utf-16"),
        (TRADITIONAL, "utf-8"),
        (TRADITIONAL, "utf-8-sig"),
    ],
)
def test_every_encoding_of_the_field_is_told(text: str, encoding: str) -> None:
    assert decoded(text.encode(codec_of(encoding))) == (encoding, text)


@given(of("gb18030"))
def test_simplified_text_is_read_as_itself_or_asked_about(text: str) -> None:
    raw = text.encode("gb18030")
    try:
        read = decode(raw).text
    except Unreadable:
        return
    assert read == text


@given(of("big5"))
def test_traditional_text_is_read_as_itself_or_asked_about(text: str) -> None:
    raw = text.encode("cp950")
    try:
        read = decode(raw).text
    except Unreadable:
        return
    assert read == text


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_utf16_with_its_mark_is_always_read_as_itself(text: str) -> None:
    assert decode(codecs.BOM_UTF16_LE + text.encode("utf-16-le")).text == text
    assert decode(codecs.BOM_UTF16_BE + text.encode("utf-16-be")).text == text


@pytest.mark.parametrize("text", ["陛", "℃"])
def test_what_both_can_be_is_asked_about(text: str) -> None:
    with pytest.raises(Unreadable) as refused:
        decode(text.encode("big5"))

    assert refused.value.finding.code == "encoding-unsure"


def test_a_western_text_is_not_taken_for_chinese() -> None:
    with pytest.raises(Unreadable):
        decode("Hôpital général de Genève, pénurie générale".encode("cp1252"))


@pytest.mark.parametrize("text", ["Hôpital de Genève", "keep at 8 °C", "Больница номер три"])
def test_a_western_text_in_utf8_is_not_asked_about(text: str) -> None:
    assert decode(text.encode()).text == text


def test_two_bytes_that_are_an_accent_as_well_are_asked_about() -> None:
    with pytest.raises(Unreadable) as refused:
        decode("么".encode("gb18030"))

    assert refused.value.finding.code == "encoding-unsure"
    assert decode("联通".encode("gb18030")).text == "联通"


def test_half_a_question_is_answered_by_the_rest_of_the_text() -> None:
    assert decode(("陛" + TRADITIONAL).encode("big5")).encoding == "big5"
