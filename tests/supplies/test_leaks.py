"""Private numbers in free words. Numbers here are made up."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supplies.leaks import Leak, hide, is_identity_number, masked, passes_luhn, warnings
from tests.supplies.test_phones import ONE_LANDLINE, ONE_MOBILE


@pytest.mark.parametrize(
    ("text", "shown", "leak"),
    [
        ("请拨打13812345678", "请拨打138****5678", Leak.PHONE),
        ("值班 0700-5550101", "值班 0700-****01", Leak.PHONE),
        ("拨打010-62345678-801", "拨打010-****78", Leak.PHONE),
        ("电话:5550101", "电话:****", Leak.PHONE),
        ("护士长:134****6498(85550101)", "护士长:134****6498(****)", Leak.PHONE),
        ("大额行号：3045 0000 0264", "大额行号：••••", Leak.ACCOUNT),
        ("call +1 (202) 555-0123 now", "call +12****23 now", Leak.PHONE),
        ("见https://example.org/a?x=13812345678", "见https://example.org/a?x=138****5678", Leak.PHONE),
        ("账号：622200001111222233", "账号：••••", Leak.ACCOUNT),
        ("账号 4200 1646 0000 5000 42", "账号 ••••", Leak.ACCOUNT),
        ("账户（人民币）：42001646000050000042", "账户（人民币）：••••", Leak.ACCOUNT),
        ("打到 6222 0212 3456 7890 128 谢谢", "打到 •••• 谢谢", Leak.ACCOUNT),
        ("打到 42001646000050000042", "打到 ••••", Leak.ACCOUNT),
        ("身份证 110101199003070000", "身份证 ••••", Leak.IDENTITY),
        ("身份证 11010119900307001X", "身份证 ••••", Leak.IDENTITY),
        ("护照E12345678", "护照••••", Leak.IDENTITY),
        ("微信号：abc_2020", "微信号：••••", Leak.HANDLE),
        ("加微信 wuhan2020", "加微信 ••••", Leak.HANDLE),
        ("QQ：123456789", "QQ：••••", Leak.HANDLE),
        ("发到 office@example.org", "发到 o••••@example.org", Leak.MAIL),
        ("联系人：钱小明", "联系人：钱某", Leak.PERSON),
        ("订单联系13812345678", "订单联系138****5678", Leak.PHONE),
        ("单号13812345678", "单号138****5678", Leak.PHONE),
        ("请准备13812345678", "请准备138****5678", Leak.PHONE),
        ("SH 021-62345678", "SH 021-****78", Leak.PHONE),
        ("订单027-82210000", "订单027-****00", Leak.PHONE),
        ("GB13812345678", "GB138****5678", Leak.PHONE),
        ("账号" + "4" * 40, "账号••••", Leak.ACCOUNT),
        ("4" * 40, "••••", Leak.ACCOUNT),
    ],
)
def test_a_private_number_in_a_remark_is_hidden(text: str, shown: str, leak: Leak) -> None:
    hidden = hide(text)

    assert hidden.text == shown
    assert hidden.leaks == {leak: 1}
    assert hide(shown).leaks == {}


@pytest.mark.parametrize("written", [*ONE_MOBILE, *ONE_LANDLINE])
def test_a_number_is_hidden_however_it_is_written(written: str) -> None:
    hidden = hide(f"送到门口，{written}。")

    assert hidden.leaks == {Leak.PHONE: 1}
    assert hidden.text.startswith("送到门口，")
    assert hidden.text.endswith("。")


def test_each_of_several_numbers_is_hidden() -> None:
    assert masked("电话82210000、82210001转12；13812345678") == "电话****、****；138****5678"


@pytest.mark.parametrize(
    "text",
    [
        "顺丰95338专项通道",
        "热线 400-123-4567",
        "已隐去 138****5678",
        "https://example.org/status/4464724454419193",
        "国械注准20203400001",
        "统一社会信用代码:91420100MA4K000000",
        "需要N95口罩1000000只、防护服5000套",
        "10000 20000 30000",
        "2020年1月25日",
        "2020-01-25 2020-02-03 12:30",
        "20200203121530",
        "邮编430000",
        "GB 19083-2010, 建议3M 1860/1870/9123",
        "1860 1870 9132 8210",
        "YY 0469-2011 5000只",
        "YY/T 0969-2013 20000",
        "运单号 773012345678901",
        "条码 6901234567892",
        "WeChat message only",
        "",
    ],
)
def test_what_is_no_private_number_stays(text: str) -> None:
    hidden = hide(text)

    assert hidden.text == text
    assert not hidden.leaks


def mobiles() -> st.SearchStrategy[str]:
    return st.builds(
        lambda second, rest: f"1{second}{rest:09d}", st.integers(3, 9), st.integers(0, 999_999_999)
    )


def written_as(number: str) -> st.SearchStrategy[str]:
    full_width = number.translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)})
    grouped = f"{number[:3]}-{number[3:7]}-{number[7:]}"
    return st.sampled_from(
        [
            number,
            full_width,
            grouped,
            f"+86 {number}",
            f"0086{number}",
            "\u200b".join([number[:3], number[3:7], number[7:]]),
        ]
    )


@given(st.data(), mobiles(), st.sampled_from(["联系", "电话：", "\n", "（", " tel ", "钱老师"]))
def test_no_mobile_number_survives_in_any_form(data: Any, number: str, before: str) -> None:
    text = f"请{before}{data.draw(written_as(number))}，谢谢"

    shown = masked(text)

    digits = re.sub(r"\D", "", "".join(str(int(sign)) if sign.isdigit() else sign for sign in shown))
    assert number[3:7] not in digits or number[3:7] in f"{number[:3]}{number[7:]}"
    assert number not in digits
    assert shown.startswith(f"请{before}")
    assert shown.endswith("，谢谢")


@given(
    st.lists(
        st.one_of(
            st.text(max_size=12),
            mobiles(),
            st.from_regex(r"\A0\d{2,3}-[2-8]\d{6,7}\Z"),
            st.from_regex(r"\A\d{5,20}\Z"),
            st.sampled_from(
                [
                    " ",
                    "电话",
                    "微信",
                    "账号：",
                    "QQ",
                    "联系人：",
                    "@",
                    "-",
                    "：",
                    "转",
                    "https://a.cn/",
                    "GB ",
                    "运单",
                ]
            ),
        ),
        max_size=8,
    ).map("".join)
)
def test_masking_twice_is_masking_once(text: str) -> None:
    once = masked(text)

    assert masked(once) == once


GOODS = st.one_of(
    st.builds(
        lambda count, unit: f"{count}{unit}",
        st.integers(1, 10**9),
        st.sampled_from(["只", "套", "箱", "件", " pcs"]),
    ),
    st.dates().map(lambda day: day.isoformat()),
    st.builds(lambda number, year: f"GB {number}-{year}", st.integers(1, 99_999), st.integers(1990, 2026)),
    st.builds(
        lambda number, year: f"YY/T {number:04d}-{year}", st.integers(1, 9_999), st.integers(1990, 2026)
    ),
    st.integers(100_000, 999_999).map(lambda code: f"邮编{code}"),
    st.integers(2_000_0000000, 2_099_9999999).map(lambda number: f"国械注准{number}"),
)


@given(st.lists(GOODS, min_size=1, max_size=5).map("，".join))
def test_goods_dates_standards_certificates_and_postcodes_stay(text: str) -> None:
    assert masked(text) == text


def test_check_digits_are_those_of_the_standards() -> None:
    assert passes_luhn("4111 1111 1111 1111")
    assert not passes_luhn("4111 1111 1111 1112")
    assert is_identity_number("11010519491231002X")
    assert not is_identity_number("999999999999999999")


def test_who_wrote_a_number_is_told_which_kind_in_which_field() -> None:
    told = warnings(
        [("Remark", "电话13812345678，账号 622200001111222233"), ("Address", "演练路1号"), ("Beds", 5)]
    )

    (sentence,) = told
    assert sentence.startswith("“Remark” holds a telephone number, a number like that of a bank account.")
