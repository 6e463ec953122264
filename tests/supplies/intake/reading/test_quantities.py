"""What people write where a number was asked for. Every line is invented; the ways of writing are real."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supplies.intake.reading.findings import Unreadable
from supplies.intake.reading.quantities import LARGEST, Kind, Pack, Quantity, read_quantity

NUMBERS = [
    (5000, 5000, ""),
    (3.0, 3, ""),
    (Decimal(7), 7, ""),
    ("5000双", 5000, "双"),
    ("5000 双", 5000, "双"),
    ("１２００只", 1200, "只"),
    ("1.2万只", 12_000, "只"),
    ("3.4 万", 34_000, ""),
    ("500w只", 5_000_000, "只"),
    ("两百箱", 200, "箱"),
    ("壹仟贰佰套", 1200, "套"),
    ("伍拾万", 500_000, ""),
    ("三万五千", 35_000, ""),
    ("一百零五台", 105, "台"),
    ("百万只", 1_000_000, "只"),
    ("1万5千", 15_000, ""),
    ("1,000", 1000, ""),
    ("1，000", 1000, ""),
    ("1 000 000", 1_000_000, ""),
    ("1'000", 1000, ""),
    ("1E+05", 100_000, ""),
    ("口罩两万只", 20_000, "只"),
    ("型号 1860 200个", 200, "个"),
    ("2.5升", 2500, "毫升"),
    ("1.5吨", 1_500_000, "克"),
    ("100kg", 100, "kg"),
    ("5k", 5000, ""),
    (LARGEST, LARGEST, ""),
]


@pytest.mark.parametrize(("cell", "count", "unit"), NUMBERS)
def test_a_written_number_is_read_with_its_unit(cell: object, count: int, unit: str) -> None:
    quantity = read_quantity(cell)

    assert (quantity.kind, quantity.low, quantity.high, quantity.unit) == (Kind.NUMBER, count, count, unit)


@pytest.mark.parametrize(
    "cell",
    [
        "不限",
        "不限量",
        "多多益善",
        "越多越好",
        "大量",
        "需求量大",
        "as much as possible",
        "As many as you can",
        "Any",
        "无上限",
    ],
)
def test_wanted_without_a_limit_is_not_a_number(cell: str) -> None:
    assert read_quantity(cell) == Quantity(Kind.UNLIMITED)


@pytest.mark.parametrize(
    "cell", [None, "", "  ", "若干", "急缺", "急需", "Y", "yes", "√", "几百", "上千", "some", "待定"]
)
def test_wanted_without_a_figure_is_unknown(cell: object) -> None:
    assert read_quantity(cell) == Quantity(Kind.UNKNOWN)


def test_words_without_a_figure_are_unknown_and_said_so() -> None:
    quantity = read_quantity("请联系设备科")

    assert quantity.kind is Kind.UNKNOWN
    assert [finding.code for finding in quantity.findings] == ["no-number"]


@pytest.mark.parametrize(
    ("cell", "low", "high", "unit"),
    [
        ("500-1000", 500, 1000, ""),
        ("500只—1000只", 500, 1000, "只"),
        ("10～20万只", 100_000, 200_000, "只"),
        ("1到2万", 10_000, 20_000, ""),
        ("0.5-1万", 5000, 10_000, ""),
        ("至少300个", 300, None, "个"),
        ("500以上", 500, None, ""),
        ("500+", 500, None, ""),
    ],
)
def test_a_range_keeps_both_ends(cell: str, low: int, high: int | None, unit: str) -> None:
    quantity = read_quantity(cell)

    assert (quantity.kind, quantity.low, quantity.high, quantity.unit) == (Kind.RANGE, low, high, unit)


@pytest.mark.parametrize(
    "cell", ["每天1000只", "1000只/天", "日产能1000只", "日消耗1000只", "1000 pieces per day"]
)
def test_a_rate_per_day_is_marked(cell: str) -> None:
    quantity = read_quantity(cell)

    assert quantity.low == 1000
    assert quantity.is_per_day


@pytest.mark.parametrize(
    ("cell", "count", "pack"),
    [
        ("20包/箱", None, Pack(20, "包")),
        ("30箱(20包/箱)", 30, Pack(20, "包")),
        ("30箱，每箱20包", 30, Pack(20, "包")),
        ("10箱×2000只", 10, Pack(2000, "只")),
        ("50 boxes of 100", 50, Pack(100, "")),
    ],
)
def test_what_a_pack_holds_is_kept_apart_from_how_many(cell: str, count: int | None, pack: Pack) -> None:
    quantity = read_quantity(cell)

    assert (quantity.low, quantity.pack) == (count, pack)


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("-5", "negative"),
        (-18, "negative"),
        (-1.0, "negative"),
        ("0", "zero"),
        (0, "zero"),
        ("1.5只", "fraction"),
        (2.5, "fraction"),
        ("2e14", "huge"),
        (199_999_999_999_998, "huge"),
        (LARGEST + 1, "huge"),
        ("二百亿", "huge"),
        ("1e999999999", "huge"),
        ("9" * 400, "huge"),
        (10**400, "huge"),
        ("1.000", "ambiguous-number"),
        ("2,50", "ambiguous-number"),
        ("1万5", "ambiguous-number"),
        ("10⁶", "ambiguous-number"),
        ("10^6", "ambiguous-number"),
        ("1/2", "ambiguous-number"),
        ("½", "ambiguous-number"),
        ("5OO", "ambiguous-number"),
        ("20或30个", "either-number"),
        ("20 boxes or 30 boxes", "either-number"),
        ("1000-500", "backward-range"),
        ("不需要", "not-wanted"),
        ("-", "not-wanted"),
        (True, "not-a-quantity"),
        ("一亿二", "not-a-quantity"),
        ([1], "not-a-quantity"),
        (float("nan"), "not-a-quantity"),
        (float("inf"), "not-a-quantity"),
        ("12\x00", "nul"),
        ("12\ud800", "surrogate"),
        ("1" * 501, "too-long"),
    ],
)
def test_what_is_not_a_quantity_is_refused_with_a_sentence(cell: object, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_quantity(cell)

    assert refused.value.finding.code == code
    assert str(refused.value).endswith(".")


def test_two_figures_in_one_cell_give_the_first_and_say_so() -> None:
    quantity = read_quantity("1400瓶60箱")

    assert (quantity.low, quantity.unit) == (1400, "瓶")
    assert [finding.code for finding in quantity.findings] == ["second-figure"]


def test_a_standard_in_the_quantity_cell_is_not_a_number() -> None:
    quantity = read_quantity("YY 0469-2011\n5000")

    assert quantity.low == 5000
    assert [finding.words for finding in quantity.findings] == [{"standard": "YY 0469-2011"}]
    assert read_quantity("GB 19083-2010").kind is Kind.UNKNOWN


@given(st.integers(min_value=1, max_value=LARGEST))
def test_every_number_that_can_be_stored_is_read_back(count: int) -> None:
    for cell in (count, str(count), f"{count:,}只", f"{count}套"):
        assert read_quantity(cell).low == count


@given(st.text(max_size=60) | st.integers() | st.floats() | st.none() | st.booleans())
def test_whatever_is_written_gives_a_storable_quantity_or_a_refusal(cell: object) -> None:
    try:
        quantity = read_quantity(cell)
    except Unreadable:
        return
    assert (quantity.low is None) == (quantity.kind in {Kind.UNLIMITED, Kind.UNKNOWN})
    assert quantity.low is None or 0 < quantity.low <= (quantity.high or LARGEST) <= LARGEST


@pytest.mark.parametrize(
    "cell",
    [
        "20箱（每箱40盒，每盒50只）",
        "20箱(40盒/箱，50只/盒)",
        "20箱，50只/盒，40盒/箱",
        "20箱*40盒*50只",
        "20箱×40盒×50只",
        "每箱40盒 每盒50只 20箱",
        "20 cases (40 boxes of 50)",
        "20 cases of 40 boxes of 50 pcs",
        "20 cases (40 boxes per case, 50 pcs per box)",
        "20 cartons, 40 boxes per case, 50 per box",
    ],
)
def test_packs_in_packs_are_multiplied_out(cell: str):
    quantity = read_quantity(cell)

    assert (quantity.low, quantity.pack and quantity.pack.content) == (20, 2000)


@pytest.mark.parametrize(
    "cell",
    [
        "20箱（每盒50只）",
        "20箱(50只/盒)",
        "20 cases (50 pcs per box)",
        "5箱(500ml/瓶)",
        "20箱（每箱40盒，每袋10只）",
    ],
)
def test_of_packs_in_packs_with_a_level_missing_the_content_is_not_known(cell: str):
    quantity = read_quantity(cell)

    assert quantity.pack is None or quantity.pack.unit == "盒"
    assert "second-figure" in {finding.code for finding in quantity.findings}
