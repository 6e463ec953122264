"""Numbers here are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supplies import phones

ONE_MOBILE = [
    "13812345678",
    "138 1234 5678",
    "138-1234-5678",
    "1381-234-5678",
    "1 3 8 1 2 3 4 5 6 7 8",
    "+86 138 1234 5678",
    "+8613812345678",
    "0086-138-1234-5678",
    "86 13812345678",
    "013812345678",
    "１３８１２３４５６７８",
    "＋８６　１３８　１２３４　５６７８",
    "138\u200b1234\u200b5678",
    "١٣٨١٢٣٤٥٦٧٨",
    "一三八一二三四五六七八",
    "幺三八幺二三四五六七八",
    "钱老师 13812345678",
]
ONE_LANDLINE = [
    "027-82210000",
    "(027)82210000",
    "027 8221 0000",
    "027—82210000",
    "+86 27 8221 0000",
    "+86 (0)27 8221 0000",
    "0086-27-82210000",
]


@pytest.mark.parametrize("written", ONE_MOBILE)
def test_a_mobile_is_the_same_number_however_it_is_written(written: str) -> None:
    assert phones.numbers_in(written) == ["+8613812345678"]
    assert phones.masked(written) == "138****5678"


@pytest.mark.parametrize("written", ONE_LANDLINE)
def test_a_landline_is_the_same_number_however_it_is_written(written: str) -> None:
    assert phones.numbers_in(written) == ["+862782210000"]
    assert phones.masked(written) == "027-****00"


@pytest.mark.parametrize(
    "written", ["027-82210000转123", "027-82210000 ext. 123", "02782210000分机123", "027-82210000-123"]
)
def test_an_extension_makes_it_another_number(written: str) -> None:
    assert phones.numbers_in(written) == ["+862782210000;ext=123"]
    assert "123" not in phones.masked(written)


@pytest.mark.parametrize(
    ("written", "numbers"),
    [
        ("钱老师：13812345678；孙老师：158 1234 3206", ["+8613812345678", "+8615812343206"]),
        ("02767813000 15012342328", ["+862767813000", "+8615012342328"]),
        ("13812345678/027-82210000转8", ["+8613812345678", "+862782210000;ext=8"]),
        ("13812345678\n138 1234 5678", ["+8613812345678"]),
        ("+1 (202) 555-0123", ["+12025550123"]),
        ("000-0001-0012", ["+860000010012"]),
        ("95338", ["+8695338"]),
    ],
)
def test_every_number_of_a_field_is_found_once(written: str, numbers: list[str]) -> None:
    assert phones.numbers_in(written) == numbers


@pytest.mark.parametrize("written", ["", "钱老师", "120", "181****7656", "设备科2楼"])
def test_what_reaches_nobody_is_no_number(written: str) -> None:
    assert phones.numbers_in(written) == []


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("钱小明 13812345678 / 027-82210000", "138****5678 / 027-****00"),
        ("+1 (202) 555-0123", "+12****23"),
        ("000-0001-0012", "000****12"),
        ("5550101", "****"),
        ("95338", "95338"),
        ("400-123-4567", "400-123-4567"),
        ("181****7656", "181****7656"),
        ("钱小明", ""),
    ],
)
def test_a_masked_field_shows_no_name_and_nothing_to_call(written: str, shown: str) -> None:
    assert phones.masked(written) == shown


@given(st.text(alphabet="0123456789+-() 转一三八*，/"))
def test_whatever_is_written_is_read_and_masked_without_fault(written: str) -> None:
    for number in phones.found_in(written):
        assert number.text == written[number.start : number.end]
    phones.masked(written)
