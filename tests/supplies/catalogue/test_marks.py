"""What the numbers on a package say, and what is odd about them."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum import ean
from stdnum.cn import uscc

from supplies.catalogue.marks.gs1 import read_yymmdd
from supplies.catalogue.marks.mark import Mark
from supplies.catalogue.marks.reading import read_marks
from tests.hostile.values import ALL

ON = date(2026, 11, 26)
USCC_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # pragma: allowlist secret
digits = st.integers(0, 9).map(str)


def only(text: str) -> Mark:
    marks = read_marks(text, on=ON).marks
    assert len(marks) == 1, marks
    return marks[0]


def odd(text: str) -> list[str]:
    return [warning.code for warning in only(text).oddities]


def says(text: str) -> dict[str, str]:
    return {str(part.label): str(part.says) for part in only(text).parts}


@pytest.fixture(autouse=True)
def in_english() -> Any:
    from django.utils import translation

    with translation.override("en"):
        yield


# -- Registrations -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("国械注准20153640012", "cn-registration", "国械注准20153640012"),
        ("注册证编号：国械注进 2019 2143456", "cn-registration", "国械注进20192143456"),
        ("國械注許20162660001號", "cn-registration", "国械注许20162660001"),
        ("粤械注准２０２０２１４０９９９", "cn-registration", "粤械注准20202140999"),
        ("国械备20150001号", "cn-filing", "国械备20150001"),
        ("苏苏械备20150012号", "cn-filing", "苏苏械备20150012"),
        ("国食药监械（准）字2013第3641234号", "cn-registration-old", "国食药监械准字2013第3641234号"),
        ("鄂食药监械(准)字2012第2640123号", "cn-registration-old", "鄂食药监械准字2012第2640123号"),
        ("苏宁食药监械（准）字2011第1640001号", "cn-registration-old", "苏宁食药监械准字2011第1640001号"),
        ("国药管械（试）字2002第3640123号", "cn-registration-old", "国药管械试字2002第3640123号"),
        ("苏食药监械生产许20010089号", "cn-licence", "苏食药监械生产许20010089号"),
        ("国药准字H20065432", "cn-medicine", "国药准字H20065432"),
        ("鄂卫消证字（2020）第0012号", "cn-disinfectant", "鄂卫消证字2020第0012号"),
        ("510(k): K201234", "us-510k", "K201234"),
        ("DEN200001", "us-de-novo", "DEN200001"),
        ("PMA P200012", "us-pma", "P200012"),
        ("FDA registration No. 3012345678", "us-registration", "3012345678"),
        ("TC-84A-0007", "niosh", "TC84A0007"),
        ("CE 0598", "ce-body", "CE0598"),
        ("CE", "ce", "CE"),
        ("Regulation (EU) 2016/425", "eu-law", "2016/425"),
        ("EN ISO 13485:2016", "iso-management", "13485"),
        ("CN-MF-000012345", "eu-srn", "CNMF000012345"),
        ("MA.156.M0.100001.001", "udi-ma", "MA.156.M0.100001.001"),
    ],
)
def test_each_number_is_recognised_as_what_it_is(text: str, kind: str, number: str) -> None:
    mark = only(text)

    assert (mark.kind, mark.number) == (kind, number)
    assert mark.checked


def test_every_part_of_a_registration_is_told() -> None:
    assert says("国械注准20153640012") == {
        "issued by": "the state",
        "origin": "made in mainland China",
        "first registered": "2015",
        "class": "class III, high risk",
        "category": "64 (hygienic materials and dressings: masks and suits were here)",
        "serial number": "0012",
    }
    assert says("鄂械注准20202140001")["category"].startswith("14 (infusion, nursing and protection")


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("国械注准20153640012", []),
        ("国械注准20152640012", ["odd-class"]),  # class II made at home is for the provinces
        ("鄂械注准20203140001", ["odd-class"]),
        ("鄂械注进20202140001", ["odd-class"]),
        ("国械注进20201140001", ["odd-class"]),  # class I is filed
        ("国械注进20209140001", ["odd-class"]),
        ("国械注准20283640012", ["odd-year"]),
        ("国械注准20133640012", ["odd-year"]),
        ("国械注准2015364001", ["wrong-length"]),
        ("国械备20150001", ["class-one-only"]),
        ("国械备2015001", ["wrong-length", "class-one-only"]),
        ("国食药监械(准)字2013第3641234号", ["old-form"]),
        ("国食药监械(准)字2019第3641234号", ["odd-year", "old-form"]),
        ("K201234", []),
        ("K501234", ["odd-year"]),
        ("TC-99Z-0007", ["odd-schedule"]),
        ("苏食药监械生产许20010089号", ["not-of-goods"]),
        ("CE", ["no-body"]),
    ],
)
def test_what_is_odd_is_said(text: str, codes: list[str]) -> None:
    assert odd(text) == codes


@given(
    origin=st.sampled_from("准进许"),
    year=st.integers(2014, ON.year),
    category=st.sampled_from(["01", "08", "14", "22", "40"]),
    serial=st.integers(0, 9999),
)
def test_every_number_made_by_the_rules_is_read_without_a_remark(
    origin: str, year: int, category: str, serial: int
) -> None:
    text = f"国械注{origin}{year}3{category}{serial:04}"

    assert (only(text).number, only(text).oddities) == (text, ())


# -- Credit codes ------------------------------------------------------------------------------------------


@st.composite
def credit_codes(draw: Any) -> str:
    """Valid ones, with the check sign of the organisation code inside."""
    kind = draw(st.sampled_from(["11", "12", "51", "52", "91", "92"]))
    region = draw(st.sampled_from(["110000", "420106", "440103"]))
    code = "".join(draw(st.lists(digits, min_size=8, max_size=8)))
    total = sum(int(sign) * weight for sign, weight in zip(code, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    body = f"{kind}{region}{code}{'0123456789X0'[11 - total % 11]}"
    return body + uscc.calc_check_digit(body)


@given(credit_codes())
def test_every_valid_credit_code_is_read_without_a_remark(code: str) -> None:
    mark = only(code)

    assert (mark.kind, mark.number, mark.oddities, mark.region) == ("credit-code", code, (), code[2:8])


def is_numeric_and_right_as_a_pallet(number: str) -> bool:
    return number.isdigit() and ean.calc_check_digit(number[:-1]) == number[-1]


@given(credit_codes(), st.integers(8, 17), st.sampled_from(USCC_SIGNS))
def test_a_credit_code_with_one_sign_changed_is_found(code: str, place: int, sign: str) -> None:
    if code[place] == sign:
        return
    changed = code[:place] + sign + code[place + 1 :]
    if is_numeric_and_right_as_a_pallet(changed):  # one in ten of those made of digits alone
        return

    assert "wrong-check-digit" in odd(changed)


def test_a_wrong_credit_code_that_is_right_as_a_pallet_is_read_as_the_pallet() -> None:
    assert only("924401033602800765").kind == "sscc"


def test_the_organisation_code_inside_has_a_check_sign_of_its_own() -> None:
    body = "91110000600037342"  # the true one ends on 1
    assert odd(body + uscc.calc_check_digit(body)) == ["wrong-organisation-code"]


# -- GS1 ---------------------------------------------------------------------------------------------------


@st.composite
def gtins(draw: Any, size: int = 14) -> str:
    body = draw(st.integers(1, 9).map(str)) + "".join(
        draw(st.lists(digits, min_size=size - 2, max_size=size - 2))
    )
    return body + ean.calc_check_digit(body)


@given(gtins(13) | gtins(14) | gtins(12))
def test_every_valid_gtin_is_read_without_a_remark(number: str) -> None:
    mark = only(f"GTIN {number}")

    assert (mark.kind, mark.gtin, mark.oddities) == ("gtin", number.zfill(14), ())


@given(gtins(13), st.integers(0, 12), st.integers(0, 9))
def test_a_gtin_with_one_digit_changed_is_found(number: str, place: int, digit: int) -> None:
    if number[place] == str(digit):
        return
    changed = number[:place] + str(digit) + number[place + 1 :]

    assert odd(f"GTIN {changed}") == ["wrong-check-digit"]


@given(gtins(18))
def test_every_valid_number_of_a_pallet_is_read_without_a_remark(number: str) -> None:
    mark = only(f"SSCC {number}")

    assert (mark.kind, mark.oddities) == ("sscc", ())


def test_a_prefix_says_where_the_number_was_issued_and_no_more() -> None:
    assert says("6901234567892")["number issued by"] == (
        "GS1 China (690). The prefix says where the number was issued, not where the goods were made."
    )


SCANS = [
    "]C10106901234567892112611011727033110A12\x1d21999",
    "]d20106901234567892112611011727033110A12\x1d21999",
    "]Q30106901234567892112611011727033110A12\x1d21999",
    "]e00106901234567892112611011727033110A12\x1d21999",
    "]C1\x1d0106901234567892112611011727033110A12\x1d21999",
    "\x1d0106901234567892112611011727033110A12\x1d21999",
    "0106901234567892112611011727033110A12<GS>21999",
    "0106901234567892112611011727033110A12{FNC1}21999",
    "(01)06901234567892(11)261101(17)270331(10)A12(21)999",
    "（01）06901234567892（11）261101（17）270331（10）A12（21）999",
    "(01) 06901234567892 (11) 261101\n(17) 270331 (10) A12 (21) 999",
]


@pytest.mark.parametrize("text", SCANS)
def test_a_scan_says_the_same_however_the_scanner_writes_it(text: str) -> None:
    mark = only(text)

    assert (mark.kind, mark.gtin, mark.lot, mark.serial) == ("gs1", "06901234567892", "A12", "999")
    assert (mark.made_on, mark.expires_on) == (date(2026, 11, 1), date(2027, 3, 31))
    assert mark.oddities == ()


def test_words_beside_a_scan_are_left_to_be_read() -> None:
    reading = read_marks("KN95口罩 (01)06901234567892(17)270331 GB 2626-2019", on=ON)

    assert reading.rest.split() == ["KN95口罩", "GB", "2626-2019"]


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("(01)06901234567893", ["wrong-check-digit"]),
        ("(01)06901234567892(17)260131", ["expired"]),
        ("(01)06901234567892(17)261231", ["expires-soon"]),
        ("(01)06901234567892(17)270230", ["no-such-day"]),
        ("(01)06901234567892(11)270101", ["made-later"]),
        ("(01)06901234567892(11)270601(17)270331", ["conflict", "made-later"]),
        ("(01)06901234567892(17)270331(17)280331", ["conflict"]),
        ("(01)06901234567892(10)A(10)B", ["conflict"]),
        ("010690123456789210ABC17270331", ["separator-lost"]),  # pragma: allowlist secret
        ("(01)06901234567892(17)27", ["unread"]),
    ],
)
def test_what_is_odd_about_a_scan_is_said(text: str, codes: list[str]) -> None:
    assert odd(text) == codes


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("270200", date(2027, 2, 28)),
        ("280200", date(2028, 2, 29)),
        ("261200", date(2026, 12, 31)),
        ("760101", date(2076, 1, 1)),  # fifty years ahead
        ("770101", date(1977, 1, 1)),  # fifty-one ahead is in the century before
        ("261301", None),
        ("270230", None),
        ("27023", None),
        ("２70201", None),
    ],
)
def test_a_day_of_two_digits_of_the_year(text: str, day: date | None) -> None:
    assert read_yymmdd(text, ON) == day


@given(st.dates(date(1978, 1, 1), date(2076, 12, 31)))
def test_every_day_within_the_century_is_read_as_itself(day: date) -> None:
    assert read_yymmdd(f"{day:%y%m%d}", ON) == day


# -- Whatever is typed -------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    ["(01)", "(17)", "(10)", "]C1", "\x1d", "01", "国械注准", "国食药监械(准)字", "第", "号", "械备", "CE", "K", "TC-84A-", " ", "\n", "国", "ISO", "FDA reg", "²", "٥"]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(PIECES | st.text(max_size=8) | st.integers(0, 10**19).map(str), max_size=12).map("".join))
def test_no_text_is_a_fault_and_no_oddity_is_without_a_sentence(text: str) -> None:
    for mark in read_marks(text, on=ON).marks:
        assert mark.kind
        assert mark.number
        assert all(str(warning.text) for warning in mark.oddities)
        assert all(str(part.says) for part in mark.parts)


@pytest.mark.parametrize("value", [v for v in ALL if isinstance(v, str)], ids=ascii)
def test_hostile_text_is_read_as_nothing_in_particular(value: str) -> None:
    for text in (value, f"国械注准{value}", f"(01){value}", f"]C1{value}", f"GTIN {value}"):
        read_marks(text, on=ON)
