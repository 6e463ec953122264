"""One announcement, read. How well many are read is measured by the labelled set."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supplies.catalogue.dictionary import Dictionary
from supplies.catalogue.models import Item, UnitRule
from supplies.intake.announcements import Announcement, read_announcement
from supplies.intake.pasting import fields_of, remark_of, stretches
from supplies.intake.reading.findings import Unreadable
from supplies.needs.models import QuantityKind
from tests.supplies.intake.lists import make_catalogue

AS_OF = date(2020, 2, 3)
NOTICE = """演练第一医院关于接受社会捐赠的公告
因疫情防控需要，我院现急需以下物资：
1、医用防护口罩（GB 19083-2010）5000个；
2. 醫用外科口罩 YY 0469-2010 2萬只
3、乳胶手套１０００双，轮椅5台
收货地址：武汉市武昌区演练路1号设备科
联系人：甲老师 13800000001；乙老师 027-55501234转802
请于2月10日前送达。暂不接受境外捐赠，不接受个人捐赠。
户名：演练慈善会 账号：6222 0000 0000 0000 123
门口右转见石狮子
2020年2月1日"""

pytestmark = pytest.mark.django_db


@pytest.fixture
def catalogue() -> dict[str, Item]:
    items = make_catalogue()
    glove = items["GLOVE_EXAM"].base_unit
    UnitRule.objects.create(
        code="pair", spoken=["双"], unit=glove, base_unit=glove, numerator=2, denominator=1
    )
    return items


def read(text: str, catalogue: dict[str, Item]) -> Announcement:
    return read_announcement(text, as_of=AS_OF)


def test_goods_are_read_with_their_figures_and_standards(catalogue: dict[str, Item]) -> None:
    lines = read(NOTICE, catalogue).lines

    assert [(line.item.code if line.item else None, line.kind, line.quantity) for line in lines] == [
        ("RESP_MED", QuantityKind.NUMBER, 5000),
        ("MASK_SURG", QuantityKind.NUMBER, 20_000),
        ("GLOVE_EXAM", QuantityKind.NUMBER, 2000),
        (None, QuantityKind.UNKNOWN, None),
    ]
    assert [standard.code for standard in lines[1].standards] == ["YY0469-2011"]


def test_who_asks_whom_to_call_and_where_to_send_is_read(catalogue: dict[str, Item]) -> None:
    announcement = read(NOTICE, catalogue)

    assert announcement.organisation == "演练第一医院"
    assert [(one.name, one.number, one.extension) for one in announcement.people] == [
        ("甲老师", "13800000001", ""),
        ("乙老师", "02755501234", "802"),
    ]
    assert (announcement.courier or announcement.handover) == "武汉市武昌区演练路1号设备科"


@pytest.mark.parametrize(
    "said",
    ["027-85551234转801或802", "027-85551234转801（甲老师）、802（乙老师）", "027-85551234 ext. 801 or 802"],
)
def test_of_several_extensions_behind_one_number_each_is_read(said: str, catalogue: dict[str, Item]) -> None:
    people = read(f"急需口罩5个。联系电话：{said}", catalogue).people

    assert [(one.number, one.extension) for one in people] == [("02785551234", "801"), ("02785551234", "802")]


def test_days_and_rules_are_read(catalogue: dict[str, Item]) -> None:
    announcement = read(NOTICE, catalogue)

    assert (announcement.needed_by, announcement.published_on) == (date(2020, 2, 10), date(2020, 2, 1))
    assert announcement.accepts_overseas is False
    assert announcement.senders == {"company", "organisation", "government"}


def test_a_bank_account_is_counted_and_left_out(catalogue: dict[str, Item]) -> None:
    announcement = read(NOTICE, catalogue)

    assert announcement.accounts == 1
    assert "6222" not in repr(announcement)


def test_what_nobody_understood_is_kept_where_it_stood(catalogue: dict[str, Item]) -> None:
    announcement = read(NOTICE, catalogue)

    unread = [one for one in announcement.unread if "石狮子" in one.text]
    assert [NOTICE[one.start : one.end] for one in unread] == ["门口右转见石狮子"]
    assert "".join(stretch.text for stretch in stretches(NOTICE, announcement)) == NOTICE


@pytest.mark.parametrize(
    ("text", "quantity"),
    [
        ("急需医用外科口罩若干", None),
        ("需要医用外科口罩，床位500张，医护人员300名", None),
        ("医用外科口罩和乳胶手套共1000", None),
        ("库存医用外科口罩50只", None),
        ("医用外科口罩YY 0469-2011", None),
        ("医用外科口罩每日消耗300只", None),
    ],
)
def test_no_quantity_is_invented(catalogue: dict[str, Item], text: str, quantity: None) -> None:
    assert [line.quantity for line in read(text, catalogue).lines if line.quantity is not quantity] == []


def test_what_is_not_needed_any_more_is_no_line(catalogue: dict[str, Item]) -> None:
    announcement = read("医用外科口罩已足够，乳胶手套仍急需500双。", catalogue)

    assert [line.item.code for line in announcement.lines if line.item] == ["GLOVE_EXAM"]
    assert announcement.unwanted == ("医用外科口罩",)


def test_the_form_is_filled_in_with_what_was_read(catalogue: dict[str, Item]) -> None:
    fields = fields_of(read(NOTICE, catalogue), today=date(2020, 2, 3))

    assert fields["lines-TOTAL_FORMS"] == ["3"]
    assert (fields["lines-2-item"], fields["lines-2-amount"]) == (["GLOVE_EXAM"], ["1000"])
    assert fields["contact_phone"] == ["13800000001"]
    assert fields["contact_others"] == ["乙老师 02755501234-802"]
    assert fields["published_on"] == ["2020-02-01"]
    assert "accepts_overseas" not in fields


def test_who_is_reached_by_mail_goes_into_the_form_beside_who_is_called(catalogue: dict[str, Item]) -> None:
    text = "急需医用外科口罩500只\n邮箱：wuzi@example.org\n联系人：甲老师 13800000001，乙老师 13800000002"

    fields = fields_of(read(text, catalogue), today=date(2020, 2, 3))

    assert (fields["contact_name"], fields["contact_phone"]) == (["甲老师"], ["13800000001"])
    [others] = fields["contact_others"]
    assert "wuzi@example.org" in others
    assert "乙老师 13800000002" in others
    assert "13800000001" not in others


@pytest.mark.parametrize(
    ("words", "said", "day"),
    [
        ("急需医用外科口罩500只", None, None),
        ("急需医用外科口罩500只", date(2020, 1, 30), ["2020-01-30"]),
        ("急需医用外科口罩500只\n2020年2月2日更新\n2020年2月1日", date(2020, 1, 30), ["2020-02-02"]),
        ("急需医用外科口罩500只\n2020年2月9日", None, None),
    ],
    ids=["none", "said by who pastes", "told, the later", "not come yet"],
)
def test_the_day_of_an_announcement_goes_into_the_form(
    catalogue: dict[str, Item], words: str, said: date | None, day: list[str] | None
) -> None:
    fields = fields_of(read(words, catalogue), published_on=said, today=date(2020, 2, 3))

    assert fields.get("published_on") == day


def test_goods_the_catalogue_does_not_hold_stand_in_the_remark(catalogue: dict[str, Item]) -> None:
    assert "轮椅" in remark_of(read(NOTICE, catalogue))


def test_a_page_too_long_to_be_an_announcement_is_refused(catalogue: dict[str, Item]) -> None:
    with pytest.raises(Unreadable):
        read("口罩" * 20_000, catalogue)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    st.text(
        alphabet=st.sampled_from(
            "口罩防护服手套5万1000只个双、，。：()（）/x 年月日前需要不GBY0469-2011\n\t|每各共"
        ),
        max_size=80,
    )
)
def test_no_text_breaks_the_reader_and_none_of_it_is_lost(catalogue: dict[str, Item], text: str) -> None:
    announcement = read_announcement(text, as_of=AS_OF, dictionary=_dictionary(catalogue))

    assert "".join(stretch.text for stretch in stretches(text, announcement)) == text
    assert all(line.quantity is None or line.quantity > 0 for line in announcement.lines)


_kept: dict[int, Dictionary] = {}


def _dictionary(catalogue: dict[str, Item]) -> Dictionary:
    """One for all the examples of a test."""
    return _kept.setdefault(id(catalogue), Dictionary())
