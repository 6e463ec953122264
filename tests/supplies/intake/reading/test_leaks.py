"""Numbers here are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supplies.intake.reading.leaks import Leak, hide


@pytest.mark.parametrize(
    ("text", "shown", "leak"),
    [
        ("请拨打13812345678", "请拨打138****5678", Leak.PHONE),
        ("+86 138-1234-5678", "138****5678", Leak.PHONE),
        ("值班 0700-5550101", "值班 0700••••", Leak.PHONE),
        ("电话:5550101", "电话:••••", Leak.PHONE),
        ("账号：622200001111222233", "账号:••••", Leak.ACCOUNT),
        ("账号 4200 1646 0000 5000 42", "账号 ••••", Leak.ACCOUNT),
        ("身份证 110101199003070000", "身份证 ••••", Leak.IDENTITY),
        ("身份证 11010119900307001X", "身份证 ••••", Leak.IDENTITY),
        ("发到 office@example.org", "发到 o••••@example.org", Leak.MAIL),
        ("联系人：钱小明", "联系人:钱某", Leak.PERSON),
        ("请拨打１３８１２３４５６７８", "请拨打138****5678", Leak.PHONE),
    ],
)
def test_a_private_number_in_a_remark_is_hidden(text: str, shown: str, leak: Leak) -> None:
    hidden = hide(text)

    assert hidden.text == shown
    assert hidden.leaks == {leak: 1}


@pytest.mark.parametrize(
    "text",
    [
        "顺丰95338专项通道",
        "已隐去 138****5678",
        "https://example.org/status/4464724454419193?x=13812345678",
        "国械注准20203400001",
        "统一社会信用代码:91420100MA4K000000",
        "需要N95口罩1000000只、防护服5000套",
        "2020年1月25日",
        "邮编430000",
    ],
)
def test_what_is_no_private_number_stays(text: str) -> None:
    hidden = hide(text)

    assert hidden.text == text
    assert not hidden.leaks


@given(
    st.from_regex(r"\A1[3-9]\d{9}\Z", fullmatch=True),
    st.sampled_from(["联系", "电话：", "\n", "（", " tel "]),
)
def test_no_mobile_number_survives(number: str, before: str) -> None:
    number = "".join(str(int(digit)) for digit in number)

    assert number not in hide(f"请{before}{number}，谢谢").text
