import pytest
from hypothesis import given
from hypothesis import strategies as st

from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.items import Mention, pair_lists, read_goods, read_heading


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("医用防护口罩 | N95口罩", ("医用防护口罩", "N95口罩")),
        ("防冲击眼罩/护目镜/防护眼镜", ("防冲击眼罩", "护目镜", "防护眼镜")),
        ("84消毒液", ("84消毒液",)),
        ("手套(大/中/小)", ("手套(大/中/小)",)),
        ("  手术衣\t", ("手术衣",)),
        ("", ()),
        (None, ()),
    ],
)
def test_a_heading_names_one_item_and_its_synonyms(cell: object, names: tuple[str, ...]) -> None:
    assert read_heading(cell) == names


@pytest.mark.parametrize(
    ("cell", "mentions"),
    [
        (
            "N95口罩、医用外科口罩、防护眼镜/护目镜 等",
            [Mention(("N95口罩",)), Mention(("医用外科口罩",)), Mention(("防护眼镜", "护目镜"))],
        ),
        (
            "另需双氧水3万瓶、雨靴200双、\n隔离衣1.5万套。",
            [Mention(("双氧水",), "3万瓶"), Mention(("雨靴",), "200双"), Mention(("隔离衣",), "1.5万套")],
        ),
        (
            "N95口罩：应符合GB19083-2010、无阀；护目镜：防雾、视野开阔",
            [
                Mention(("N95口罩",), "", "应符合GB19083-2010、无阀"),
                Mention(("护目镜",), "", "防雾、视野开阔"),
            ],
        ),
        (
            "生活包（毛巾1、牙刷1）300套；纸巾900卷",
            [Mention(("生活包(毛巾1、牙刷1)",), "300套"), Mention(("纸巾",), "900卷")],
        ),
        (
            "还需要：75%酒精、84消毒液，手套10,000双",
            [Mention(("75%酒精",)), Mention(("84消毒液",)), Mention(("手套",), "10,000双")],
        ),
        ("1. 监护仪：带血氧\n2、除颤仪", [Mention(("监护仪",), "", "带血氧"), Mention(("除颤仪",))]),
        ("面屏：20", [Mention(("面屏",), "20")]),
        ("电梯一部", [Mention(("电梯",), "一部")]),
        ("", []),
    ],
)
def test_a_free_text_is_taken_apart_into_goods(cell: str, mentions: list[Mention]) -> None:
    assert list(read_goods(cell).mentions) == mentions


def test_a_list_says_when_it_repeats_itself_or_goes_on() -> None:
    goods = read_goods("口罩、手套、口罩等物资")

    assert [mention.names[0] for mention in goods.mentions] == ["口罩", "手套"]
    assert [finding.code for finding in goods.findings] == ["repeated-item", "and-so-on"]


def test_parallel_lists_are_paired_by_position() -> None:
    goods = pair_lists("护目镜、N95口罩、手套", "、GB 19083-2010、")

    assert [(mention.names[0], mention.requirement) for mention in goods.mentions] == [
        ("护目镜", ""),
        ("N95口罩", "GB 19083-2010"),
        ("手套", ""),
    ]
    assert not goods.findings


def test_parallel_lists_of_unequal_length_are_reported() -> None:
    goods = pair_lists("护目镜、N95口罩", "YY 0469-2011")

    assert [finding.code for finding in goods.findings] == ["uneven-lists"]
    assert [mention.requirement for mention in goods.mentions] == ["YY 0469-2011", ""]


@given(st.text(max_size=120))
def test_no_text_breaks_the_reader(cell: str) -> None:
    try:
        mentions = read_goods(cell).mentions
    except Unreadable:
        return
    assert all(mention.names for mention in mentions)
