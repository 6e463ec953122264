import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.text import decode, refuse_unstorable, tidy, tidy_lines

LIST = "医院,口罩\n江城第一医院,5000\n临江县人民医院,若干\n"


@pytest.mark.parametrize(
    ("raw", "encoding"),
    [
        (LIST.encode(), "utf-8"),
        (codecs.BOM_UTF8 + LIST.encode(), "utf-8-sig"),
        (LIST.encode("gb18030"), "gb18030"),
        (LIST.encode("utf-16"), "utf-16"),
        (LIST.encode("utf-16-le"), "utf-16-le"),
        (LIST.encode("utf-16-be"), "utf-16-be"),
        (b"", "utf-8"),
    ],
)
def test_a_file_is_read_in_the_encoding_it_was_saved_in(raw: bytes, encoding: str) -> None:
    decoded = decode(raw)

    assert decoded.encoding == encoding
    assert decoded.text == (LIST if raw else "")


@pytest.mark.parametrize(
    ("raw", "code", "line"),
    [
        ("一行\n二\0行".encode(), "nul", "2"),
        ("一行\n".encode() + b"\xed\xa0\x80", "surrogate", "2"),
        (LIST.encode() * 20 + b"\xff\n", "damaged-utf8", "61"),
        (b"\xff\xfe\x00", "encoding", "1"),
        (b"\x81\x20\x81\x20\xff\xff", "encoding", "1"),
    ],
)
def test_an_unreadable_file_is_refused_with_its_line(raw: bytes, code: str, line: str) -> None:
    with pytest.raises(Unreadable) as refused:
        decode(raw)

    assert refused.value.finding.code == code
    assert refused.value.finding.words == {"line": line}


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0")))
def test_utf8_always_comes_back_as_it_was(text: str) -> None:
    decoded = decode(codecs.BOM_UTF8 + text.encode())

    assert decoded.text == text


@given(st.binary(max_size=200))
def test_any_bytes_give_storable_text_or_a_refusal(raw: bytes) -> None:
    try:
        text = decode(raw).text
    except Unreadable:
        return
    refuse_unstorable(text)


def test_tidying_shows_what_was_written() -> None:
    tidied = tidy("\ufeff Ｎ９５　口罩\t\u200b ")

    assert tidied.text == "N95 口罩"
    assert tidied.raw == "\ufeff Ｎ９５　口罩\t\u200b "
    assert tidied.is_changed
    assert not tidy("N95 口罩").is_changed


def test_line_ends_inside_a_name_are_dropped_and_inside_a_remark_kept() -> None:
    assert tidy("江城市\r\n第一医院").text == "江城市第一医院"
    assert tidy_lines("请走东门\r\n\n  \xa0周一收货 ").text == "请走东门\n周一收货"


@pytest.mark.parametrize(
    ("cell", "code"), [(5, "not-text"), ("a\0", "nul"), ("\udfff", "surrogate"), ("长" * 501, "too-long")]
)
def test_a_cell_that_cannot_be_kept_is_refused(cell: object, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        tidy(cell)

    assert refused.value.finding.code == code
